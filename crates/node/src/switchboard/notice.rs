//! What people should know of the certificates: that of this host, and those that keep another host and this one apart.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use management::{Detection, Steady};
use model::Time;

use crate::clock;
use crate::identity::Reason;
use crate::life::{Duty, Noticed};

/// It stands in the status as long as it is so.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    own: Option<String>,
    others: BTreeMap<String, Reason>,
    /// What was told of the certificate of this host, and of the connections to others, and when each was good last.
    watched: BTreeMap<String, (Steady, Time)>,
}

/// What the certificate of this host is called where others are called by their names.
const OWN: &str = "this host";

impl Notice {
    /// Of the certificate of this host.
    pub(super) fn of_own(&self, what: Option<String>) {
        let mut said = self.lock();
        if what.is_none() {
            said.is_good(OWN);
        }
        said.own = what;
    }

    /// Of the connections to another host, by its name in certificates.
    pub(super) fn of_other(&self, name: &str, why: Option<Reason>) {
        let mut said = self.lock();
        let before = match why {
            Some(why) => said.others.insert(name.to_owned(), why),
            None => {
                said.is_good(name);
                said.others.remove(name)
            }
        };
        if let Some(why) = why.filter(|why| before != Some(*why)) {
            tracing::error!("{}", sentence(name, why));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    fn is_good(&mut self, name: &str) {
        let now = clock::now();
        self.watched.entry(name.to_owned()).and_modify(|(_, good)| *good = now).or_insert((Steady::default(), now));
    }

    /// What is to be told at `now`.
    fn noticed(&mut self, now: Time) -> Vec<Noticed> {
        let bad: Vec<String> = self.own.iter().map(|_| OWN.to_owned()).chain(self.others.keys().cloned()).collect();
        for name in &bad {
            self.watched.entry(name.clone()).or_insert((Steady::default(), now));
        }
        let signs = self.watched.iter_mut().filter_map(|(name, (steady, good))| {
            let sign = steady.see(now, bad.contains(name).then_some(*good))?;
            Some((Detection::Certificate, name.clone(), sign))
        });
        signs.collect()
    }
}

/// Nothing is to be done for it.
impl Duty for Notice {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn serve(&mut self) {}

    fn note(&self) -> Option<String> {
        let said = self.lock();
        let others = said.others.iter().map(|(name, why)| sentence(name, *why));
        let all: Vec<String> = said.own.iter().cloned().chain(others).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn noticed(&self) -> Vec<Noticed> {
        self.lock().noticed(clock::now())
    }
}

fn sentence(name: &str, why: Reason) -> String {
    let host = name.split('.').next().unwrap_or(name);
    format!("{host} and this host do not believe each other: {} ({})", why.what(), why.remedy(host))
}

#[cfg(test)]
mod tests {
    use management::Sign;

    use super::*;

    #[test]
    fn it_is_said_as_long_as_it_is_so() {
        let notice = Notice::default();
        assert_eq!(notice.note(), None);
        notice.of_other("h2.ours.everline.internal", Some(Reason::Expired));
        notice.of_own(Some("ours too".into()));
        let said = notice.note().unwrap();
        assert!(
            said.starts_with("ours too; h2 and this host do not believe each other: its certificate has expired"),
            "{said}"
        );
        assert!(said.contains("`everline status` on h2"), "{said}");
        notice.of_other("h2.ours.everline.internal", Some(Reason::NotValidYet));
        let said = notice.note().unwrap();
        assert!(
            said.contains("the clocks of the two hosts differ (set the clocks") && !said.contains("--again"),
            "{said}"
        );
        notice.of_other("h2.ours.everline.internal", None);
        assert_eq!(notice.note().as_deref(), Some("ours too"));
        let noticed = notice.noticed();
        assert!(
            matches!(&noticed[..], [(Detection::Certificate, name, Sign::Noticed(_))] if name == OWN),
            "{noticed:?}"
        );
        assert_eq!(notice.noticed(), [], "it is told once");
    }
}
