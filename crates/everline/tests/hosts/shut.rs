//! A host that could not serve: people are told before, and what it has to take over is not lost.

use std::net::UdpSocket;

use super::phone::Phone;
use super::{At, Solution, at, text};

/// Another program has the port on the host of the backup when the primary dies. Its call is not lost: as soon as the other host is
/// back, that one serves again.
pub(crate) fn nothing_is_lost() {
    let solution = Solution::new();
    let (host, epoch) = solution.level();
    let address = solution.server.ip();
    let mut caller = Phone::from(solution.phone(), solution.server);
    caller.domain = address.to_string();
    let call = caller.wait_in(&format!("sip:9000@{address}"), "long enough");
    let other = if host == "h1" { At::Host(2) } else { At::Host(1) };
    let taken = solution.net.inside(other, || UdpSocket::bind("0.0.0.0:5060").expect("a port")).expect("there");
    let pid = solution.ask(|sides| {
        let backup = sides.get("backup").filter(|side| side["level"] == true && side["ready"] == false)?;
        text(backup, "note").contains("could not take over: cannot listen on udp:").then(|| backup["pid"].as_i64())
    });
    let folder = solution.running.place.path().join("hosts/h3");
    let refused = solution.running.place.run(&format!("switchover sip --dir {}", folder.display()));
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("another program has port 5060"), "{}", refused.err);
    solution.kill("primary");
    solution.ask(|sides| {
        let primary = sides.get("primary").filter(|side| side["epoch"].as_u64() > Some(epoch))?;
        let goes_on = primary["pid"].as_i64() == pid && primary["ready"] == false;
        (goes_on && text(primary, "note").contains("has taken over, and nobody reaches it")).then_some(())
    });
    solution.ask(|sides| at(sides, "primary", &host).then_some(()));
    caller.give_up(&call);
    drop(taken);
    assert_eq!(solution.level().0, host, "a host that could serve again changes nothing");
}
