//! The helper threads of the applications: looked at, and told of where they are not as they should be.

use std::collections::BTreeSet;

use management::helpers::{Complaint, Seen};
use management::{Detection, Sign};
use model::{Span, Time};

use super::Agent;
use super::watching::AGENT;

/// How people call a helper thread of an application.
pub(super) fn called(helper: &str, application: &str) -> String {
    format!("{helper} of {application}")
}

impl Agent {
    /// Looks at the helper threads of an application.
    pub(super) fn look_at_helpers(&mut self, now: Time, which: usize) {
        let application = &mut self.applications[which];
        let (Some(process), Some(threads)) = (&application.process, &application.threads) else { return };
        let siblings = &mut application.siblings;
        let look = |seen: &Seen| process.doing_helper(seen.thread, siblings);
        self.host.observed_helpers(which, now, threads.seen(), look);
        let complaints = self.host.complaints(which, now);
        let stuck: Vec<(String, Span)> = complaints
            .filter_map(|(name, what)| match what {
                Complaint::Stopped(silence) => Some((name.to_owned(), silence)),
                Complaint::Disk(_) => None,
            })
            .collect();
        self.tell_stuck(which, &stuck);
    }

    /// Tells which threads have stopped in a process that goes on, and which are over that.
    fn tell_stuck(&mut self, which: usize, stuck: &[(String, Span)]) {
        let application = &mut self.applications[which];
        let names: BTreeSet<String> = stuck.iter().map(|(name, _)| name.clone()).collect();
        let before = std::mem::replace(&mut application.watched.stuck, names);
        let name = application.name.clone();
        for (helper, silence) in stuck.iter().filter(|(helper, _)| !before.contains(helper)) {
            self.watch.notice(Detection::Hang, AGENT, &called(helper, &name), Sign::Noticed(*silence));
        }
        let over: Vec<_> = before.difference(&self.applications[which].watched.stuck).cloned().collect();
        for helper in over {
            self.watch.notice(Detection::Hang, AGENT, &called(&helper, &name), Sign::Over(Span::ZERO));
        }
    }
}

/// What people should know of a helper thread.
pub(super) fn alarm(name: &str, what: &Complaint) -> String {
    match what {
        Complaint::Stopped(silence) => format!(
            "its thread {name} has stopped (it has not come round for {silence}); it is not ended, because \
             nobody could take its calls over: see to its backup"
        ),
        Complaint::Disk(waited) => {
            format!("its thread {name} has waited {waited} for its disk: look at the disk and at the system's log")
        }
    }
}
