//! The text of a configuration without one of its hosts; whatever else stands there stays as it is, comments too.

use std::fmt::Write as _;

use crate::hosts::{Coordinator, Hosts};

/// The text without the `[[host]]` of that name, and with all places named as `hosts` says, so that nothing moves to another host
/// because of a default. `None` if there is no such section.
pub(super) fn without(text: &str, name: &str, hosts: &Hosts, standby: bool) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let heads: Vec<usize> = (0..lines.len()).filter(|at| is_header(&lines[*at])).collect();
    let end = |at: usize| heads.iter().copied().find(|head| *head > at).unwrap_or(lines.len());
    let is_host = |at: &usize| {
        let table = lines[*at..end(*at)].concat().parse::<toml::Table>().ok();
        table.is_some_and(|table| {
            let named = table.get("host").and_then(|all| all.get(0)).and_then(|host| host.get("name"));
            named.and_then(toml::Value::as_str) == Some(name)
        })
    };
    let is_place = |at: &usize| lines[*at].trim_start().starts_with("[place]");
    let host = heads.iter().copied().find(is_host)?;
    let mut kept = vec![true; lines.len()];
    for at in [Some(host), heads.iter().copied().find(is_place)].into_iter().flatten() {
        // Comments at its end are about what comes next.
        let is_said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let last = (at..end(at)).rev().find(|line| is_said(&lines[*line])).unwrap_or(at);
        kept[at..=last].fill(false);
        if lines.get(last + 1).is_some_and(|line| line.trim().is_empty()) {
            kept[last + 1] = false;
        }
    }
    let mut text: String = lines.iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| *line).collect();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&place(name, hosts, standby));
    Some(text)
}

fn place(name: &str, hosts: &Hosts, standby: bool) -> String {
    let list = |names: &[String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let sides = usize::from(standby) + 1;
    let mut text = format!("\n[place]                     # as it was when {name} was taken out\n");
    // Writing into a String cannot fail.
    let _ = writeln!(text, "sip = {}\nrouting = {}", list(&hosts.sip[..sides]), list(&hosts.routing[..sides]));
    if !hosts.spares.is_empty() {
        let _ = writeln!(text, "spare = {}", list(&hosts.spares));
    }
    if let Coordinator::Members(members) = &hosts.coordinator {
        let _ = writeln!(text, "coordinator = {}", list(members));
    }
    let _ = writeln!(text, "authority = \"{}\"", hosts.authority);
    if standby && [&hosts.sip, &hosts.routing].iter().any(|pair| pair[0] == pair[1]) {
        text.push_str("same-host = true\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::tests::three;

    #[test]
    fn one_section_goes_and_the_places_stay() {
        let text = "# ours\n[[host]]\nname = \"h1\"\n\n# the old one\n[[host]]     # in the cellar\nname = \"h3\"\naddresses = [\n  \
                    \"10.77.1.3\",\n]\n\n# places\n[place]\nsip = [\"h2\", \"h1\"]\n\n# who answers\n[[agent]]\nid = \"h3\"\n";
        let hosts = Hosts { spares: Vec::new(), coordinator: Coordinator::Members(vec!["h2".into()]), ..three("h1") };
        let without = without(text, "h3", &hosts, true).expect("it is there");
        let place = "\n[place]                     # as it was when h3 was taken out\nsip = [\"h1\", \"h2\"]\n\
                     routing = [\"h1\", \"h2\"]\ncoordinator = [\"h2\"]\nauthority = \"h1\"\n";
        let rest =
            "# ours\n[[host]]\nname = \"h1\"\n\n# the old one\n# places\n# who answers\n[[agent]]\nid = \"h3\"\n";
        assert_eq!(without, format!("{rest}{place}"));
    }

    #[test]
    fn a_host_that_is_not_there_is_not_taken_out() {
        assert_eq!(without("[[host]]\nname = \"h1\"\n", "h2", &three("h1"), true), None);
    }
}
