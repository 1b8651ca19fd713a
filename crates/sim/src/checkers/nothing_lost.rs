//! Nothing lost: what a client was told, or what a server had accepted where no repetition would bring it again, is
//! still there after any fault that leaves one holder of the records alive.

use model::Incarnation;
use redundancy::coordinator::PairEntry;
use redundancy::hot_standby::Stamp;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "nothing lost";

/// An incarnation ends itself. `lives` says which others run.
///
/// # Errors
/// If it was the last one that held the records: nothing but a fault may lose them.
pub fn retires(who: &Incarnation, entry: Option<&PairEntry>, lives: impl Fn(&Incarnation) -> bool) -> Verdict {
    let Some(entry) = entry.filter(|entry| entry.in_sync.contains(who)) else { return Ok(()) };
    if entry.in_sync.iter().any(|one| one != who && lives(one)) {
        return Ok(());
    }
    Err(format!("{who} ends itself although nobody else holds the records of epoch {}", entry.epoch))
}

/// `who` is to begin with the durable records although `holder` lives and holds all records.
///
/// # Errors
/// Always.
pub fn begins_cold(who: &Incarnation, holder: &Incarnation) -> Verdict {
    Err(format!("{who} is to begin with the durable records although {holder} holds every record"))
}

/// `who` begins with everything up to `held`; its link had taken everything up to `promised` for it.
///
/// # Errors
/// If the link had taken more.
pub fn begins_with_held(who: &Incarnation, held: Stamp, promised: Stamp) -> Verdict {
    if promised.epoch == held.epoch && promised.sequence > held.sequence {
        return Err(format!("{who} begins with checkpoint {}, but its link had {}", held.sequence, promised.sequence));
    }
    Ok(())
}

/// A successor begins behind input `mark`; everything up to `freed` is no longer in the ring.
///
/// # Errors
/// If inputs in between were freed.
pub fn inherits_inputs(mark: u64, freed: u64) -> Verdict {
    if freed > mark {
        return Err(format!("the successor needs the inputs behind {mark}, but those up to {freed} were freed"));
    }
    Ok(())
}

/// The kernel closes TCP connections with the end of a process whose backup lives and is in sync.
///
/// # Errors
/// If there is one.
pub fn closes(connections: &[u64]) -> Verdict {
    match connections {
        [] => Ok(()),
        [one, ..] => Err(format!("connection {one:x} is closed although the backup lives")),
    }
}

/// A server does not know a session that a client has, and the pair has not begun from cold meanwhile.
#[must_use]
pub fn forgotten(client: u8, session: u64, number: u32, known: u32) -> String {
    format!("client {client} goes on with request {number} of session {session:x}; the server knows {known}")
}

/// A client that repeats nothing waits although nothing may be lost on the way.
#[must_use]
pub fn unanswered(client: u8, what: &str) -> String {
    format!("client {client} repeats nothing, and its {what} came to nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Epoch;

    #[test]
    fn it_notices_the_last_holder_that_ends_itself() {
        let (a, b) = (Incarnation::new("a", 1), Incarnation::new("b", 1));
        let entry = PairEntry { epoch: Epoch(1), primary: a.clone(), in_sync: vec![a.clone(), b] };
        retires(&a, Some(&entry), |_| true).unwrap();
        retires(&a, Some(&entry), |_| false).unwrap_err();
        inherits_inputs(5, 5).unwrap();
        inherits_inputs(5, 6).unwrap_err();
        begins_cold(&entry.in_sync[0], &entry.in_sync[1]).unwrap_err();
        let stamp = |epoch, sequence| Stamp { epoch: Epoch(epoch), sequence };
        begins_with_held(&a, stamp(2, 5), stamp(2, 5)).unwrap();
        begins_with_held(&a, stamp(2, 5), stamp(1, 6)).unwrap();
        begins_with_held(&a, stamp(2, 5), stamp(2, 6)).unwrap_err();
        closes(&[]).unwrap();
        closes(&[7]).unwrap_err();
    }
}
