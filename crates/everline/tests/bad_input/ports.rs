//! A port that somebody else has.

use std::net::UdpSocket;

use nix::sys::signal::Signal;

use crate::Test;
use crate::support::Running;

pub(crate) const TESTS: &[Test] = &[("ports::one_that_is_taken_behind_the_check_is_named", taken_behind_the_check)];

/// An `up` that finds servers running does not look at the ports: they have them. These lose theirs.
fn taken_behind_the_check() {
    let mut running = Running::new();
    let address = running.address("udp");
    running.kill_up();
    for application in ["lca", "sip-a", "sip-b"] {
        running.signal(application, Signal::SIGKILL);
    }
    let _taken = loop {
        // Free as soon as the last of them is gone.
        if let Ok(socket) = UdpSocket::bind(address) {
            break socket;
        }
    };
    let ended = running.place.run("up");
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let port = address.port();
    assert!(ended.err.contains(&format!("cannot listen on udp:{address}")), "{}", ended.err);
    assert!(ended.err.contains(&format!("another program has port {port}: end it")), "{}", ended.err);
    assert_eq!(ended.err.matches("error: ").count(), 1, "{}", ended.err);
    assert!(running.living().is_empty(), "nothing is left behind");
}
