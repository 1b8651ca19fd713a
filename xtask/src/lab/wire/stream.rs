//! SIP messages out of TCP segments.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::pcap::Segment;

/// Every direction of every connection that the capture shows.
#[derive(Default)]
pub(super) struct Streams {
    directions: BTreeMap<(SocketAddr, SocketAddr), Direction>,
    /// Who ended each connection first.
    ended: BTreeMap<(SocketAddr, SocketAddr), SocketAddr>,
}

/// One direction of a connection.
#[derive(Default)]
struct Direction {
    /// The sequence number that comes next; `None` before the first segment.
    next: Option<u32>,
    /// Segments that came before their turn.
    early: BTreeMap<u32, Vec<u8>>,
    /// The bytes of a message that is not complete.
    rest: Vec<u8>,
}

impl Streams {
    /// Takes a segment, hands over each message that it completes, and says how many bytes' worth of lines
    /// could not be read as SIP.
    pub(super) fn take(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        segment: &Segment<'_>,
        each: &mut impl FnMut(&[u8]),
    ) -> u64 {
        let connection = (from.min(to), from.max(to));
        if segment.opens {
            // The port may have been used by an earlier connection.
            self.directions.insert((from, to), Direction::default());
        }
        if segment.ends {
            self.ended.entry(connection).or_insert(from);
        }
        let direction = self.directions.entry((from, to)).or_default();
        let first = segment.sequence.wrapping_add(u32::from(segment.opens));
        direction.take(first, segment.bytes);
        direction.split(each)
    }

    /// The number of connections that `server` ended or reset before its peer did.
    pub(super) fn ended_by(&self, server: IpAddr) -> u64 {
        self.ended.values().filter(|end| end.ip() == server).count() as u64
    }
}

impl Direction {
    fn take(&mut self, sequence: u32, bytes: &[u8]) {
        let next = *self.next.get_or_insert(sequence);
        self.early.insert(sequence, bytes.to_vec());
        let mut next = next;
        // A segment is due if it begins at or before the next byte, counted around the end of the numbers.
        while let Some((&first, _)) = self.early.iter().find(|(first, _)| next.wrapping_sub(**first) < 1 << 31) {
            let segment = self.early.remove(&first).unwrap_or_default();
            let known = next.wrapping_sub(first) as usize;
            if let Some(fresh) = segment.get(known..) {
                self.rest.extend_from_slice(fresh);
                next = next.wrapping_add(fresh.len() as u32);
            }
        }
        self.next = Some(next);
    }

    /// Hands over each complete message (RFC 3261 18.3: Content-Length frames it).
    fn split(&mut self, each: &mut impl FnMut(&[u8])) -> u64 {
        let mut unreadable = 0;
        loop {
            let blank = self.rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.rest.drain(..blank);
            let Some(head) = self.rest.windows(4).position(|window| window == b"\r\n\r\n") else {
                return unreadable;
            };
            let Some(body) = content_length(&self.rest[..head]) else {
                unreadable += 1;
                self.rest.drain(..head + 4);
                continue;
            };
            let end = head + 4 + body;
            if self.rest.len() < end {
                return unreadable;
            }
            each(&self.rest[..end]);
            self.rest.drain(..end);
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim();
        (name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("l"))
            .then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nab";
    const TWO: &[u8] = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n";

    /// Feeds segments, given as (offset, bytes), and collects the messages.
    fn messages(first: u32, segments: &[(usize, &[u8])]) -> Vec<Vec<u8>> {
        let (from, to) = (SocketAddr::from(([127, 0, 0, 2], 1)), SocketAddr::from(([127, 0, 0, 1], 2)));
        let mut streams = Streams::default();
        let mut seen = Vec::new();
        let open = Segment { sequence: first.wrapping_sub(1), opens: true, ends: false, bytes: b"" };
        streams.take(from, to, &open, &mut |_| {});
        for (offset, bytes) in segments {
            let sequence = first.wrapping_add(*offset as u32);
            let segment = Segment { sequence, opens: false, ends: false, bytes };
            streams.take(from, to, &segment, &mut |message| seen.push(message.to_vec()));
        }
        seen
    }

    #[test]
    fn messages_are_found_however_they_are_cut_and_wherever_the_numbers_turn_over() {
        let both = [ONE, b"\r\n\r\n", TWO].concat();
        for first in [0, 7, u32::MAX - 10] {
            for cut in 0..both.len() {
                assert_eq!(messages(first, &[(0, &both[..cut]), (cut, &both[cut..])]), [ONE, TWO]);
            }
        }
    }

    #[test]
    fn late_and_repeated_segments_change_nothing() {
        let segments: [(usize, &[u8]); 4] = [(10, &ONE[10..20]), (0, &ONE[..15]), (5, &ONE[5..12]), (20, &ONE[20..])];
        assert_eq!(messages(u32::MAX - 12, &segments), [ONE]);
    }
}
