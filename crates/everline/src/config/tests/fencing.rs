//! `[fence]`, and the hook of an address.

use super::*;

#[test]
fn a_fence_needs_hosts_and_an_absolute_path() {
    let fence = "[fence]\nprogram = \"fence.sh\"\n";
    let said = messages(fence);
    assert!(said.contains("this is not an absolute path") && said.contains("there is no [[host]]"), "{said}");
    let settings =
        outcome("[fence]\nprogram = \"/usr/local/bin/fence\"\nafter = 7\n").settings.expect("a warning only");
    let told =
        crate::settings::Fence { program: Some("/usr/local/bin/fence".into()), timeout: 60, after: 7, isolated: None };
    assert_eq!(settings.fence, told);
}

#[test]
fn how_long_an_isolated_host_goes_on_is_a_time_or_keep() {
    let read =
        |text: &str| outcome(&format!("[fence]\nisolated = \"{text}\"\n")).settings.map(|told| told.fence.isolated);
    for (text, seconds) in
        [("keep", None), ("10s", Some(10)), ("5m", Some(300)), ("24h", Some(86_400)), ("090s", Some(90))]
    {
        assert_eq!(read(text), Some(seconds), "{text}");
    }
    for text in ["", "5", "m", "9s", "25h", "5 m", "+5m", "-5m", "5M", "5min", "99999999999h", "kept"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert!(messages("[fence]\nisolated = 300\n").contains("this must be a text in quotes"));
}

#[test]
fn a_hook_is_an_absolute_path_and_comes_with_its_address() {
    let hosts = concat!(
        "[sip]\nstandby = false\n[[network]]\nname = \"a\"\nprefix = \"10.0.0.0/8\"\n",
        "[[host]]\nname = \"h1\"\naddresses = [\"10.0.0.1\"]\n[[address]]\naddress = \"10.1.0.5/24@eth0\"\n"
    );
    assert!(messages(&format!("{hosts}hook = \"move\"\n")).contains("this is not an absolute path"));
    let told =
        |more: &str| outcome(&format!("{hosts}{more}")).settings.and_then(|told| told.hosts).expect("right").addresses;
    assert_eq!(told("")[0].hook, None);
    let addresses = told("hook = \"/usr/local/bin/move\"\nhook-timeout = 7\n");
    assert_eq!(addresses[0].hook, Some(("/usr/local/bin/move".into(), 7)));
    let read = addresses[0].read().expect("an address");
    assert_eq!(crate::hosts::Address::of(&read), addresses[0]);
}
