//! Links of a rehearsal: what their loss does to a pair, and what is typed about them.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Place, Solution, is_measured, text};

/// What `link list` says where there is nothing to say.
const WHOLE: &str = "all hosts have power, all links are whole\n";

pub(crate) fn two_hosts_are_cut_off() {
    let solution = Solution::new();
    let (_, epoch) = solution.level();
    solution.play("link cut h1 h2");
    solution.ask(|sides| (sides.get("primary")?["level"] == false).then_some(()));
    solution.is_reached();
    solution.play("link repair");
    let now = solution.level().1;
    assert!((epoch..=epoch + 1).contains(&now), "{now} after {epoch}: one goes on, or the other one takes over");
    solution.is_reached();
    // One network is enough.
    solution.play("link cut h1 h2 --network b");
    solution.play("link delay h1 h2 5 --network a");
    assert_eq!(solution.level().1, now);
    solution.is_reached();
    let is_lost = |one: &Value| one["on"] == true && text(one, "about").starts_with("network 2 to sip-");
    let noticed = solution.noticed_when("link", is_lost);
    // Six beats of 20 ms that did not come, and 40 ms for a round trip.
    assert!(is_measured(&noticed, 160.0), "{noticed}");
    solution.play("link repair");
    let over = solution.noticed_when("link", |one| one["about"] == noticed["about"] && one["on"] == false);
    assert!(is_measured(&over, 160.0) && over["lasted_ms"].as_f64() > Some(0.0), "{over}");
}

pub(crate) fn what_is_typed() {
    let place = Place::new();
    let refused = place.run("host fail h1");
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    assert!(refused.err.contains("no rehearsal runs in DIR"), "{}", refused.err);
    let mut solution = Solution::new();
    for (line, why) in [
        ("host fail h4", "name one of h1, h2, h3"),
        ("host fail phones", "name one of h1, h2, h3"),
        ("link cut h1 h1", "h1 has no link to itself"),
        ("link cut h1 phones --network a", "h1 and phones have no link in the network a"),
        ("link cut h1 nobody", "there is no `nobody` in a rehearsal"),
        ("link loss h1 h2 101", "101"),
    ] {
        let refused = solution.running.place.run(line);
        assert!(refused.code == Some(1) || refused.code == Some(2), "{line}: {:?}", refused.code);
        assert!(refused.err.contains(why), "{line}: {}", refused.err);
    }
    let listed = solution.running.place.run("link list");
    assert_eq!(listed.out, WHOLE);
    let listed = solution.running.place.run("link list --json");
    let listed: Value = serde_json::from_str(&listed.out).expect("JSON");
    assert_eq!(listed, serde_json::json!({ "without_power": [], "links": [] }));
    is_listed_until_it_is_mended(&solution);
    solution.running.signal_up(Signal::SIGTERM);
    let (status, remarks) = solution.running.end();
    assert!(status.success(), "{remarks}");
}

/// Each change of a link is shown until it is mended: drills make them all, and type none.
fn is_listed_until_it_is_mended(solution: &Solution) {
    let says = |line: &str, said: &str| {
        let done = solution.running.place.run(line);
        assert_eq!((done.code, done.out.as_str()), (Some(0), said), "{line}: {}", done.err);
    };
    for (line, listed) in [
        ("link cut h1 h2 --one-way --network a", "h1 -> h2 in network a: cut\n"),
        ("link loss h1 h2 2.5 --network b", "h1 -> h2 in network b: loses 2.5 %\nh2 -> h1 in network b: loses 2.5 %\n"),
        (
            "link black-hole h2 h1 1000 --one-way --network a",
            "h2 -> h1 in network a: swallows packets of more than 1000 octets\n",
        ),
    ] {
        says(line, listed);
        says("link list", listed);
        says("link repair h1 h2", WHOLE);
        says("link list", WHOLE);
    }
}
