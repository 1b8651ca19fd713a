//! Which member of etcd leads: one whose host has no side of a pair, or at least no primary, as long as there is one.
//!
//! A host that is lost takes the leader with it if that was there, and no change is made until another member leads: 80 to 160 ms, and as
//! much again where both that are left stand for election in the same moment. A backup that wants to take over waits for that, and a
//! primary that has lost its backup too, but only if the other side's host and the leader's are the same one.

use super::entries::Entries;
use super::messages::{MOVE_LEADER, MoveLeaderRequest, MoveLeaderResponse, STATUS, StatusRequest, StatusResponse};
use super::problem::Problem;

/// A member that can be asked, and the applications that may run on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) member: u64,
    pub(super) applications: Vec<String>,
}

/// Who serves: the application that is primary in each pair, and all that are in sync, that one among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving {
    pub(super) primaries: Vec<String>,
    pub(super) in_sync: Vec<String>,
}

impl Serving {
    /// How much a pair would lose together with the leader if it was in this seat: a primary, a backup, or nothing.
    pub(super) fn loss(&self, applications: &[String]) -> u8 {
        let has = |serving: &[String]| applications.iter().any(|one| serving.contains(one));
        u8::from(has(&self.in_sync)) + u8::from(has(&self.primaries))
    }
}

/// Whom the member should hand over to, if it leads and less would be lost with another one.
fn better(seats: &[Seat], leader: u64, serving: &Serving) -> Option<u64> {
    let loss = |seat: &&Seat| serving.loss(&seat.applications);
    let now = seats.iter().find(|seat| seat.member == leader).map(|seat| loss(&seat))?;
    seats.iter().min_by_key(loss).filter(|best| loss(best) < now).map(|best| best.member)
}

/// Lets another member lead if the one behind `own` leads and should not. True if it does from now on.
///
/// # Errors
/// If the member does not answer, or cannot hand over now.
pub(super) async fn review(own: &Entries, seats: &[Seat], serving: &Serving) -> Result<bool, Problem> {
    let StatusResponse { header, leader, .. } = own.connection().ask(STATUS, StatusRequest {}).await?;
    if header.unwrap_or_default().member_id != leader {
        return Ok(false);
    }
    let Some(target) = better(seats, leader, serving) else { return Ok(false) };
    let request = MoveLeaderRequest { target };
    own.connection().ask::<_, MoveLeaderResponse>(MOVE_LEADER, request).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_goes_where_least_is_lost_with_it() {
        let seat =
            |member, applications: [&str; 2]| Seat { member, applications: applications.map(str::to_owned).into() };
        let seats = [seat(1, ["sip-a", "routing-a"]), seat(2, ["sip-b", "routing-b"]), seat(3, ["sip-c", "routing-c"])];
        let in_sync = ["sip-a", "sip-b", "routing-a", "routing-b"].map(str::to_owned);
        let better = |seats: &[Seat], leader, primaries: [&str; 2]| {
            let serving = Serving { primaries: primaries.map(str::to_owned).into(), in_sync: in_sync.clone().into() };
            better(seats, leader, &serving)
        };
        assert_eq!(better(&seats, 1, ["sip-a", "routing-a"]), Some(3));
        assert_eq!(better(&seats, 2, ["sip-a", "routing-a"]), Some(3), "a backup is not lost with it either");
        assert_eq!(better(&seats, 3, ["sip-a", "routing-b"]), None, "it is there");
        assert_eq!(better(&seats[..2], 1, ["sip-a", "routing-a"]), Some(2), "rather a backup than a primary");
        assert_eq!(better(&seats[..2], 1, ["sip-a", "routing-b"]), None, "both are alike");
    }
}
