//! Which member of etcd leads: one whose host has no primary, as long as there is one.
//!
//! A host that is lost takes the leader with it if that was there, and no change is made until another member leads: 80 to 160 ms, and as
//! much again where both that are left stand for election in the same moment. A backup that wants to take over waits for that, but only
//! if the primary's host and the leader's are the same one.

use super::entries::Entries;
use super::messages::{MOVE_LEADER, MoveLeaderRequest, MoveLeaderResponse, STATUS, StatusRequest, StatusResponse};
use super::problem::Problem;

/// A member that can be asked, and the applications that may run on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) member: u64,
    pub(super) applications: Vec<String>,
}

/// Whom the member should hand over to, if it leads and one of the `primaries` runs on its host.
fn better(seats: &[Seat], leader: u64, primaries: &[String]) -> Option<u64> {
    let has_primary = |seat: &&Seat| seat.applications.iter().any(|one| primaries.contains(one));
    seats.iter().find(|seat| seat.member == leader).filter(has_primary)?;
    seats.iter().find(|seat| !has_primary(seat)).map(|seat| seat.member)
}

/// Lets another member lead if the one behind `own` leads and should not. True if it does from now on.
///
/// # Errors
/// If the member does not answer, or cannot hand over now.
pub(super) async fn review(own: &Entries, seats: &[Seat], primaries: &[String]) -> Result<bool, Problem> {
    let StatusResponse { header, leader, .. } = own.connection().ask(STATUS, StatusRequest {}).await?;
    if header.unwrap_or_default().member_id != leader {
        return Ok(false);
    }
    let Some(target) = better(seats, leader, primaries) else { return Ok(false) };
    let request = MoveLeaderRequest { target };
    own.connection().ask::<_, MoveLeaderResponse>(MOVE_LEADER, request).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_goes_where_no_primary_is_and_stays_where_that_is_nowhere() {
        let seat =
            |member, applications: [&str; 2]| Seat { member, applications: applications.map(str::to_owned).into() };
        let seats = [seat(1, ["sip-a", "routing-a"]), seat(2, ["sip-b", "routing-b"]), seat(3, ["sip-c", "routing-c"])];
        let better = |leader, primaries: [&str; 2]| better(&seats, leader, &primaries.map(str::to_owned));
        assert_eq!(better(1, ["sip-a", "routing-a"]), Some(2));
        assert_eq!(better(1, ["sip-a", "routing-b"]), Some(3));
        assert_eq!(better(3, ["sip-a", "routing-b"]), None, "it is there");
        assert_eq!(better(2, ["sip-a", "routing-a"]), None, "a backup is no primary");
        assert_eq!(super::better(&seats[..2], 1, &["sip-a", "routing-b"].map(str::to_owned)), None);
    }
}
