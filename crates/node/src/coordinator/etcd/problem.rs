//! Why etcd did not do what was asked.

use tonic::{Code, Status};

use crate::wire::Trouble;

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// The member cannot be reached, or did not answer: whether it has done the request, or will, is unknown. Another
    /// member may answer.
    #[error("{0}")]
    Lost(String),
    /// The member answered that it does not do it, or must not be asked.
    #[error(transparent)]
    Refused(Trouble),
}

impl Problem {
    /// A member that does not do what it should, and says why or not.
    pub(super) fn lost(why: impl Into<String>) -> Self {
        Self::Lost(why.into())
    }

    /// A member that is not to be asked.
    pub(super) fn refused(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Refused(Trouble::new(what, remedy))
    }
}

impl From<Status> for Problem {
    /// etcd says that it is full, or that it does not let us, by a code of its own (`rpctypes/error.go` of etcd 3.4); every
    /// other error leaves open what has become of the request.
    fn from(status: Status) -> Self {
        let message = status.message();
        match status.code() {
            Code::ResourceExhausted if message.contains("space exceeded") => Self::refused(
                format!("etcd is full and records no change of a role: {message}"),
                "compact and defragment it, then end the alarm by `etcdctl alarm disarm`",
            ),
            Code::PermissionDenied | Code::Unauthenticated => Self::refused(
                format!("etcd does not let Everline in: {message}"),
                "check the certificates, and that etcd asks for no user and password",
            ),
            code => Self::Lost(format!("{code}: {message}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_etcd_is_told_from_one_that_is_gone() {
        let full = Problem::from(Status::resource_exhausted("etcdserver: mvcc: database space exceeded"));
        assert!(matches!(&full, Problem::Refused(trouble) if trouble.remedy.contains("alarm disarm")), "{full:?}");
        assert!(matches!(Problem::from(Status::resource_exhausted("etcdserver: too many requests")), Problem::Lost(_)));
        assert!(matches!(Problem::from(Status::unavailable("etcdserver: leader changed")), Problem::Lost(_)));
    }
}
