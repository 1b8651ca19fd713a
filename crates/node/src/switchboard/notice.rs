//! What people should know of the certificates: that of this host, and those that keep another host and this one apart.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::life::Duty;

/// It stands in the status as long as it is so.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    own: Option<String>,
    others: BTreeMap<String, &'static str>,
}

impl Notice {
    /// Of the certificate of this host.
    pub(super) fn of_own(&self, what: Option<String>) {
        self.lock().own = what;
    }

    /// Of the connections to another host, by its name in certificates.
    pub(super) fn of_other(&self, name: &str, why: Option<&'static str>) {
        let mut said = self.lock();
        let before = match why {
            Some(why) => said.others.insert(name.to_owned(), why),
            None => said.others.remove(name),
        };
        if let Some(why) = why.filter(|why| before != Some(why)) {
            tracing::error!("{}", sentence(name, why));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let others = said.others.iter().map(|(name, why)| sentence(name, why));
        let all: Vec<String> = said.own.iter().cloned().chain(others).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn sentence(name: &str, why: &str) -> String {
    let host = name.split('.').next().unwrap_or(name);
    format!(
        "{host} and this host do not believe each other: {why} (let {host} join anew: `everline host token {host} --again`)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_as_long_as_it_is_so() {
        let notice = Notice::default();
        assert_eq!(notice.note(), None);
        notice.of_other("h2.ours.everline.internal", Some("its certificate has expired"));
        notice.of_own(Some("ours too".into()));
        let said = notice.note().unwrap();
        assert!(
            said.starts_with("ours too; h2 and this host do not believe each other: its certificate has expired"),
            "{said}"
        );
        notice.of_other("h2.ours.everline.internal", None);
        assert_eq!(notice.note().as_deref(), Some("ours too"));
    }
}
