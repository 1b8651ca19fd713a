//! What a person is told about the applications while they run: ends, takeovers and returns.

use std::collections::BTreeMap;

use node::wire::{ApplicationRow, Role};

/// What is known of each application, so that only changes are told.
#[derive(Debug, Default)]
pub(super) struct News {
    known: BTreeMap<String, Known>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    run: u64,
    lives: bool,
    /// The role in which it was ready last, in this run.
    role: Option<Role>,
    /// What it says that people should know.
    note: Option<String>,
}

impl News {
    /// Takes in the applications as they stand now, and gives a line for each change that matters. A new local control
    /// agent knows nothing at first; what it does not know yet is no change.
    pub(super) fn tell(&mut self, rows: &[ApplicationRow]) -> Vec<String> {
        rows.iter().flat_map(|row| self.tell_one(row)).collect()
    }

    fn tell_one(&mut self, row: &ApplicationRow) -> Vec<String> {
        let role = row.report.as_ref().filter(|report| report.ready).and_then(|report| report.role);
        let before = self.known.get(&row.name).cloned();
        let same_run = before.as_ref().filter(|before| before.run == row.run);
        let known_role = same_run.and_then(|known| known.role);
        let note = row.report.as_ref().and_then(|report| report.note.clone());
        let now = Known { run: row.run, lives: row.pid.is_some(), role: role.or(known_role), note };

        let mut lines = Vec::new();
        if before.as_ref().is_some_and(|before| before.lives && (before.run != now.run || !now.lives)) {
            lines.push(match &row.trouble {
                Some(trouble) => trouble.what.clone(),
                None => format!("{} has ended", row.name),
            });
        }
        if now.role != known_role {
            match now.role {
                Some(Role::Primary) => lines.push(format!("{} is primary now", row.name)),
                Some(Role::Backup) => lines.push(format!("{} is backup now and could take over", row.name)),
                None => {}
            }
        }
        if let Some(note) =
            now.note.as_ref().filter(|note| same_run.and_then(|known| known.note.as_ref()) != Some(*note))
        {
            lines.push(format!("{}: {note}", row.name));
        }
        self.known.insert(row.name.clone(), now);
        lines
    }
}

#[cfg(test)]
mod tests {
    use node::wire::{ServerReport, Trouble};

    use super::*;

    fn row(name: &str, run: u64, role: Option<Role>) -> ApplicationRow {
        let report = role.map(|role| ServerReport { role: Some(role), ready: true, ..Default::default() });
        let (pair, state) = (Some("sip".into()), "started".into());
        ApplicationRow { name: name.into(), pair, run, state, pid: Some(1), report, trouble: None }
    }

    fn dead(row: ApplicationRow, why: &str) -> ApplicationRow {
        ApplicationRow { pid: None, report: None, trouble: Some(Trouble::new(why, "-")), ..row }
    }

    #[test]
    fn a_takeover_and_a_return_are_told_once() {
        let (a, b) = (row("sip-a", 1, Some(Role::Primary)), row("sip-b", 1, Some(Role::Backup)));
        let mut news = News::default();
        news.tell(&[a.clone(), b]);

        let taken = [dead(a, "sip-a was killed"), row("sip-b", 1, Some(Role::Primary))];
        assert_eq!(news.tell(&taken), ["sip-a was killed", "sip-b is primary now"]);
        assert_eq!(news.tell(&taken), [""; 0]);

        let [_, b] = taken;
        let starting = row("sip-a", 2, None);
        assert_eq!(news.tell(&[starting, b.clone()]), [""; 0]);
        let returned = [row("sip-a", 2, Some(Role::Backup)), b];
        assert_eq!(news.tell(&returned), ["sip-a is backup now and could take over"]);
        assert_eq!(news.tell(&returned), [""; 0]);
    }

    #[test]
    fn an_end_between_two_looks_is_told_as_well() {
        let mut news = News::default();
        news.tell(&[row("sip-a", 1, Some(Role::Primary))]);
        assert_eq!(
            news.tell(&[row("sip-a", 2, Some(Role::Backup))]),
            ["sip-a has ended", "sip-a is backup now and could take over"]
        );
    }

    #[test]
    fn an_alarm_is_told_when_it_begins() {
        let alarmed = |note: Option<&str>| {
            let mut alarmed = row("sip-a", 1, Some(Role::Primary));
            alarmed.report.as_mut().expect("set").note = note.map(str::to_owned);
            [alarmed]
        };
        let mut news = News::default();
        news.tell(&alarmed(None));
        assert_eq!(news.tell(&alarmed(Some("the disk is full"))), ["sip-a: the disk is full"]);
        assert_eq!(news.tell(&alarmed(Some("the disk is full"))), [""; 0]);
        assert_eq!(news.tell(&alarmed(None)), [""; 0]);
        assert_eq!(news.tell(&alarmed(Some("the disk is full"))), ["sip-a: the disk is full"]);
    }

    #[test]
    fn a_new_local_control_agent_brings_no_old_news() {
        let mut news = News::default();
        news.tell(&[row("sip-a", 1, Some(Role::Primary))]);
        assert_eq!(news.tell(&[row("sip-a", 1, None)]), [""; 0]);
        assert_eq!(news.tell(&[row("sip-a", 1, Some(Role::Primary))]), [""; 0]);
    }
}
