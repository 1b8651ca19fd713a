//! What outlives both sides of a pair: durable records, and how far pair time had come.

use model::{Epoch, Kind, RecordKey, Span, Time};
use redundancy::change::{Change, Changes};
use redundancy::hot_standby::{self, RoleName};

use super::ServerSettings;
use super::alarms::Alarms;
use super::service::Service;
use super::shell::Shell;
use crate::journal::{Contents, Entry, Journal, Opened, Recorder, Settings, Stamp};
use crate::wire::Trouble;
use crate::{clock, coordinator};

/// How often a primary notes pair time. A cold start may be ahead of the time of day by as much.
const NOTE_EVERY: Span = Span::from_secs(5);

/// How long a new primary leaves its calls uncounted: it has looked at none of them yet, which takes a while, and has better things to
/// do.
pub(super) const UNCOUNTED: Span = Span::from_secs(1);

/// The key of the noted pair time; those of records are longer.
const PAIR_TIME: &[u8] = b"time";
/// The key of the noted number of calls, which are lost with both sides.
const CALLS: &[u8] = b"calls";

/// Opens the journal of a server; says what people must know if it does not hold what it should.
pub(super) fn open(settings: &ServerSettings, alarms: &mut Alarms) -> Result<Recorder, Trouble> {
    let (folder, me) = (&settings.folder, &settings.me.application);
    let path = folder.journal(me);
    let Opened { journal, mut warnings, is_new, .. } = Journal::open(&path, Settings::default())?;
    // A side that has run before has had a journal, unless that run ended before it came to serve its pair.
    let is_of_pair = |name: &String| name == me || settings.peers.contains(name);
    let has_served =
        || coordinator::named(&folder.journal("coordinator")).iter().any(|one| is_of_pair(&one.application));
    if is_new && !settings.me.is_first() && has_served() {
        warnings.push(format!("{} was lost or emptied: {me} has run before", path.display()));
    }
    let recorder = Recorder::start(journal)
        .map_err(|error| Trouble::new(format!("no thread for {}: {error}", path.display()), "see `ulimit -u`"))?;
    let held = settings
        .peers
        .first()
        .map_or("what it held".into(), |peer| format!("what {} does not hold as well", folder.journal(peer).display()));
    if !warnings.is_empty() {
        alarms.lost(format!(
            "{}; {held} is lost: phones must register again, and agents are ready whose state was lost (see \
             `everline agents`)",
            warnings.join("; ")
        ));
    }
    Ok(recorder)
}

impl<S: Service> Shell<S> {
    pub(super) fn record(&mut self, (epoch, sequence): (Epoch, u64), key: RecordKey, change: &[u8]) {
        let gone = Changes::new(change).flatten().all(|change| change.state.is_none());
        self.write(&key_bytes(key), Stamp { epoch, sequence }, (!gone).then_some(change));
    }

    fn write(&mut self, key: &[u8], stamp: Stamp, value: Option<&[u8]>) {
        // What could not be written waits, and the trouble is in the report.
        self.journal.record(Entry { key, stamp, value });
    }

    /// Notes now and then how far pair time has come, so that a cold start begins beyond it whatever the clock says, and
    /// how many calls there are, so that it can say what was lost.
    pub(super) fn note_pair_time(&mut self) {
        let status = self.replica.status();
        if self.end.is_some() || status.role != RoleName::Primary {
            return;
        }
        if self.time_noted + NOTE_EVERY <= self.now {
            self.time_noted = self.now;
            self.note(PAIR_TIME, self.replica.pair_time(self.now).as_micros());
        }
        if self.count_calls <= self.now {
            self.count_calls = self.now + NOTE_EVERY;
            let calls = self.replica.engine_mut().calls_in_progress();
            self.note(CALLS, calls);
        }
    }

    /// The calls were ended in order, so that none will have been lost.
    pub(super) fn note_no_calls(&mut self) {
        self.note(CALLS, 0);
    }

    fn note(&mut self, key: &[u8], number: u64) {
        let sequence = self.replica.pair_time(self.now).as_micros();
        let stamp = Stamp { epoch: self.replica.status().epoch, sequence };
        self.write(key, stamp, Some(&number.to_le_bytes()));
    }

    /// Begins with the newest durable records that the journals of both sides hold.
    pub(super) fn cold_start(&mut self) {
        let mut contents = Contents::default();
        let sides = std::iter::once(&self.settings.me.application).chain(&self.settings.peers);
        for side in sides {
            match crate::journal::read(&self.settings.folder.journal(side)) {
                Ok((one, warnings)) => {
                    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                    contents.merge(&one);
                }
                Err(trouble) => tracing::error!("{trouble}"),
            }
        }
        let begin = clock::of_day().max(beyond(&contents));
        let entries = contents.entries().filter(|entry| record_key(entry.key).is_some());
        self.replica.cold_start(self.now, begin, contents.newest().epoch, entries.flat_map(changes));
        let calls = self.replica.engine_mut().calls_in_progress();
        let lost = noted(&contents, CALLS).unwrap_or_default().saturating_sub(calls);
        if lost > 0 && self.replica.status().role == RoleName::Primary {
            self.alarms.lost(format!(
                "both sides had ended: up to {lost} calls were lost, as they were counted some seconds before"
            ));
        }
    }
}

/// A moment that no earlier life of the pair has reached, as far as the journals tell.
fn beyond(contents: &Contents) -> Time {
    noted(contents, PAIR_TIME).map_or(Time::ZERO, |micros| Time::from_micros(micros) + NOTE_EVERY)
}

/// A number that was noted under this key.
fn noted(contents: &Contents, key: &[u8]) -> Option<u64> {
    let value = contents.entries().find(|entry| entry.key == key)?.value?;
    value.try_into().ok().map(u64::from_le_bytes)
}

/// What the journal says of a record, with the checkpoint that wrote it.
fn changes(entry: Entry<'_>) -> impl Iterator<Item = (hot_standby::Stamp, Change<'_>)> {
    let stamp = hot_standby::Stamp { epoch: entry.stamp.epoch, sequence: entry.stamp.sequence };
    let removed = entry.value.is_none().then(|| record_key(entry.key)).flatten();
    let removed = removed.map(|key| Change { key, state: None });
    let stands = entry.value.into_iter().flat_map(Changes::new).flatten();
    removed.into_iter().chain(stands).map(move |change| (stamp, change))
}

/// The record that a key in the journal names.
fn record_key(bytes: &[u8]) -> Option<RecordKey> {
    let (kind, id) = bytes.split_first()?;
    Some(RecordKey::new(Kind(*kind), u64::from_le_bytes(id.try_into().ok()?)))
}

/// The key of a record in the journal.
fn key_bytes(key: RecordKey) -> [u8; 9] {
    let mut bytes = [key.kind.0; 9];
    bytes[1..].copy_from_slice(&key.id.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_record_is_told_with_the_checkpoint_that_removed_it() {
        let key = RecordKey::new(Kind(2), 0x1234_5678_9abc);
        let entry = Entry { key: &key_bytes(key), stamp: Stamp { epoch: Epoch(3), sequence: 9 }, value: None };
        let stamp = hot_standby::Stamp { epoch: Epoch(3), sequence: 9 };
        assert_eq!(changes(entry).collect::<Vec<_>>(), [(stamp, Change { key, state: None })]);
    }

    #[test]
    fn a_cold_start_lies_beyond_every_moment_that_was_noted() {
        let mut contents = Contents::default();
        assert_eq!(beyond(&contents), Time::ZERO);
        for (epoch, micros) in [(1, 7_000_000u64), (3, 9_000_000), (2, 8_000_000)] {
            let stamp = Stamp { epoch: Epoch(epoch), sequence: micros };
            contents.take(Entry { key: PAIR_TIME, stamp, value: Some(&micros.to_le_bytes()) });
        }
        assert_eq!(beyond(&contents), Time::from_micros(9_000_000) + NOTE_EVERY);
        let broken = Stamp { epoch: Epoch(4), sequence: 1 };
        contents.take(Entry { key: PAIR_TIME, stamp: broken, value: Some(b"short") });
        assert_eq!(beyond(&contents), Time::ZERO, "what cannot be read says nothing");
    }
}
