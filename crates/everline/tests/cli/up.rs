//! `up` before anything is started: what is wrong is said, and nothing is left behind.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Place;

#[test]
fn a_configuration_with_errors_starts_nothing() {
    let place = Place::new();
    fs::write(place.path().join("everline.toml"), "[sip]\nstanby = true\n").expect("written");
    let ended = place.run("up");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(ended.err.contains("did you mean \"standby\"?"), "{}", ended.err);
    assert!(ended.err.ends_with("error: DIR/everline.toml has errors; nothing was started\n"), "{}", ended.err);
    assert_eq!(place.run("status").code, Some(3));
}

#[test]
fn a_port_in_use_is_named_with_its_owner() {
    let place = Place::new();
    let taken = UdpSocket::bind("127.0.0.1:0").expect("free");
    let address = taken.local_addr().expect("bound");
    fs::write(place.path().join("everline.toml"), format!("[sip]\nlisten = [\"udp:{address}\"]\n")).expect("written");
    let ended = place.run("up");
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(ended.err.contains(&format!("udp:{address} is in use by cli")), "{}", ended.err);
    assert!(ended.err.contains(&format!("(process {})", std::process::id())), "{}", ended.err);
}

#[test]
fn the_example_is_for_its_owner_only_and_so_is_the_folder() {
    let place = Place::new();
    // A folder where the key should be: `up` gets as far as that and no further.
    fs::create_dir_all(place.path().join("data/nonce.key")).expect("a folder");
    fs::create_dir_all(place.path().join("data/nonce.key/x")).expect("a folder");
    let ended = place.run("up");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("Wrote an example configuration: DIR/everline.toml"), "{}", ended.err);
    let mode = |name: &str| fs::metadata(place.path().join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!(["everline.toml", "data", "log", "run"].map(mode), [0o600, 0o700, 0o700, 0o700]);
    assert_eq!(place.run("config check").err, "");
}

#[test]
fn a_folder_of_no_host_is_wrong_and_not_to_be_tried_again() {
    let ended = Place::new().run("host run");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("`everline host init` makes the first host"), "{}", ended.err);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let place = Place::new();
    fs::write(place.path().join("file"), "").expect("written");
    let ended = place.run("up --dir file/below");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("cannot make the folder DIR/file/below"), "{}", ended.err);
}
