//! The conditions of the links as rules of nftables, in the namespace with the bridges.
//!
//! Every frame from one place to another is forwarded by a bridge, from the port of the one to the port of the other, and a
//! broadcast once to each port. So a rule that names both ports meets one direction of one link, ARP and neighbour
//! discovery included, and neither end notices anything but the silence.

use std::fmt::Write as _;

use super::conditions::{Condition, Conditions, Link, WHOLE};
use super::names::{Network, Place};

/// The group of the kernel's log to which delayed frames go.
pub(super) const GROUP: u16 = 77;

/// What `nft -f -` is to read: replaces all rules by those of `conditions`, in one step.
pub(super) fn ruleset(conditions: &Conditions) -> String {
    let mut rules = String::from("table bridge everline\ndelete table bridge everline\ntable bridge everline {\n");
    rules.push_str("  chain forward {\n    type filter hook forward priority 0; policy accept;\n");
    for host in conditions.failed() {
        for network in Network::ALL {
            let port = Place::Host(host).port(network);
            let _ = writeln!(rules, "    iifname \"{port}\" drop\n    oifname \"{port}\" drop");
        }
    }
    for (link, condition) in conditions.links() {
        for rule in of_link(condition) {
            let (from, to) = ports(link);
            let _ = writeln!(rules, "    iifname \"{from}\" oifname \"{to}\" {rule}");
        }
    }
    rules.push_str("  }\n}\n");
    rules
}

fn ports(link: &Link) -> (String, String) {
    (link.from.port(link.network), link.to.port(link.network))
}

/// What becomes of the frames of one direction of a link, in the order in which it is tried.
fn of_link(condition: &Condition) -> Vec<String> {
    let mut rules = Vec::new();
    if condition.is_cut {
        rules.push("drop".into());
    }
    if let Some(largest) = condition.largest {
        // In the bridge a frame has left its Ethernet header behind: its length is that of the packet.
        rules.push(format!("meta length > {largest} drop"));
    }
    match condition.loss {
        0 => {}
        WHOLE.. => rules.push("drop".into()),
        loss => rules.push(format!("numgen random mod {WHOLE} < {loss} drop")),
    }
    let delay = condition.delay.as_micros();
    if delay > 0 {
        // The delay line gets a copy, with the delay as the prefix of the line.
        rules.push(format!("log prefix \"{delay}\" group {GROUP} drop"));
    }
    rules
}

#[cfg(test)]
mod tests {
    use model::Span;

    use super::super::conditions::{Change, Stretch};
    use super::*;

    #[test]
    fn rules_are_replaced_as_a_whole() {
        let mut conditions = Conditions::default();
        let (from, to) = (Place::Host(1), Place::Host(2));
        let there = Stretch { from, to, one_way: true, networks: vec![Network::A] };
        for change in [Change::BlackHole(1_400), Change::Loss(30.0), Change::Delay(Span::from_millis(50))] {
            conditions.change(&there, change).expect("a link");
        }
        let phones = Stretch { from, to: Place::Phones, one_way: false, networks: Vec::new() };
        conditions.change(&phones, Change::Cut).expect("a link");
        conditions.set_failed(3, true);
        let expected = r#"table bridge everline
delete table bridge everline
table bridge everline {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "h3-access" drop
    oifname "h3-access" drop
    iifname "h3-a" drop
    oifname "h3-a" drop
    iifname "h3-b" drop
    oifname "h3-b" drop
    iifname "h1-access" oifname "phones-access" drop
    iifname "phones-access" oifname "h1-access" drop
    iifname "h1-a" oifname "h2-a" meta length > 1400 drop
    iifname "h1-a" oifname "h2-a" numgen random mod 10000 < 3000 drop
    iifname "h1-a" oifname "h2-a" log prefix "50000" group 77 drop
  }
}
"#;
        assert_eq!(ruleset(&conditions), expected);
    }
}
