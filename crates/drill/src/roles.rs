//! Who served, by the logs and by what the solution says of itself.

use crate::result::Check;
use crate::site;
use crate::status::Status;

/// What is wrong, or what is right.
pub(crate) fn said(wrong: &[String], right: &str) -> String {
    if wrong.is_empty() { right.to_owned() } else { wrong.join(", ") }
}

/// What took over although nothing was taken from the primary: by the logs that can be read, and by who served before and after.
pub(crate) fn no_takeover(noted: &[site::Noted], before: &Status, after: &Status) -> Check {
    let serves = noted.iter().filter(|one| one.what.contains("serves as primary"));
    let mut took: Vec<String> = serves.map(|one| format!("{}: {}", one.application, one.what)).collect();
    for pair in crate::status::PAIRS {
        let primary = |status: &Status| status.in_role(pair, "primary").map(|one| (one.name.clone(), one.pid));
        if let (Some((was, old)), Some((is, new))) = (primary(before), primary(after))
            && (&was, old) != (&is, new)
        {
            took.push(format!("{was} served, and then {is}"));
        }
    }
    Check { name: "no takeover".into(), ok: took.is_empty(), said: said(&took, "everybody kept his role") }
}

/// Epochs of a pair in which more than one application served, by their own words.
pub(crate) fn served_twice(noted: &[site::Noted]) -> Vec<String> {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut twice = Vec::new();
    for one in noted.iter().filter(|one| one.what.contains("serves as primary")) {
        let epoch = one.what.split_whitespace().find(|word| word.starts_with("epoch=")).unwrap_or_default();
        let pair = one.application.rsplit_once('-').map_or("", |(pair, _)| pair);
        let key = format!("{pair} {epoch}");
        if seen.iter().any(|(known, by)| *known == key && *by != one.application) {
            twice.push(format!("{key} was served by two"));
        }
        seen.push((key, one.application.clone()));
    }
    twice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_takeover_is_found_without_the_log_of_its_host() {
        let status = |primary: &str, pid: u32| -> Status {
            let row = r#"{"applications": [{"name": "NAME", "pair": "sip", "role": "primary", "state": "started", "pid": PID}]}"#;
            let text = row.replace("NAME", primary).replace("PID", &pid.to_string());
            serde_json::from_str(&text).expect("the text follows the interface")
        };
        let before = status("sip-a", 7);
        assert!(no_takeover(&[], &before, &before).ok);
        for after in [status("sip-b", 7), status("sip-a", 8)] {
            assert!(!no_takeover(&[], &before, &after).ok, "{after:?}");
        }
    }

    #[test]
    fn an_epoch_that_two_served_is_found() {
        let note = |application: &str, epoch: u32| site::Noted {
            at_ns: 0,
            application: application.into(),
            what: format!("serves as primary epoch={epoch} takeover=true"),
        };
        assert!(served_twice(&[note("sip-a", 2), note("sip-b", 3), note("routing-b", 2)]).is_empty());
        assert_eq!(served_twice(&[note("sip-a", 2), note("sip-b", 2)]), ["sip epoch=2 was served by two"]);
    }
}
