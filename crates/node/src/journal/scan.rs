//! Reads the bytes of a journal, whatever has happened to them.

use std::ops::Range;

use memchr::memmem;

use super::Entry;
use crate::frames;

/// First bytes of the file, with the version of its format.
pub(super) const TITLE: &[u8] = b"everline journal 1\n";
/// What every version's first bytes begin with.
const NAME: &[u8] = b"everline journal ";
/// The key of the entry that names the owner of the file; no other key is empty.
pub(super) const OWNER: &[u8] = b"";
/// Stands before each frame, so that the next one is found behind damaged bytes; no UTF-8 text contains it.
pub(super) const MARKER: &[u8] = b"\xffEJ\xfe";

/// What a scan has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the readable bytes end.
    pub(super) end: usize,
    /// Bytes in the middle that could not be read.
    pub(super) damaged: Vec<Range<usize>>,
}

/// The file was written by a version that this one does not know.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherVersion;

/// Appends an entry to `out` as it stands in the file.
pub(super) fn append(entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<(), frames::FrameError> {
    let start = out.len();
    out.extend_from_slice(MARKER);
    frames::append(entry, 0, out).inspect_err(|_| out.truncate(start))
}

/// Tells `each` entry with its place in `bytes`. What lies behind the last readable entry is a torn tail, not damage.
pub(super) fn scan<'a>(bytes: &'a [u8], mut each: impl FnMut(Range<usize>, Entry<'a>)) -> Result<Scan, OtherVersion> {
    let mut found = Scan::default();
    let mut place = 0;
    if bytes.starts_with(TITLE) {
        place = TITLE.len();
        found.end = place;
    } else if bytes.starts_with(NAME) && bytes.len() >= TITLE.len() {
        return Err(OtherVersion);
    }
    while let Some((range, entry)) = next_entry(bytes, place) {
        if range.start > found.end {
            found.damaged.push(found.end..range.start);
        }
        place = range.end;
        found.end = range.end;
        each(range, entry);
    }
    // Nothing of it is a journal, nor the beginning of one that was cut off by the end of its writer.
    if found.end == 0 && !TITLE.starts_with(bytes) && bytes.iter().any(|byte| *byte != 0) {
        found.damaged.push(0..bytes.len());
    }
    Ok(found)
}

/// The first readable entry at or behind `from`, and where it stands.
fn next_entry(bytes: &[u8], from: usize) -> Option<(Range<usize>, Entry<'_>)> {
    let rest = bytes.get(from..)?;
    memmem::find_iter(rest, MARKER).find_map(|offset| {
        let frame = frames::first(rest.get(offset + MARKER.len()..)?).ok().flatten()?;
        let (entry, []) = postcard::take_from_bytes(frame.payload).ok()? else { return None };
        let start = from + offset;
        Some((start..start + MARKER.len() + frame.length(), entry))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Stamp;
    use super::*;

    fn file(keys: &[&str]) -> Vec<u8> {
        let mut bytes = TITLE.to_vec();
        for key in keys {
            append(&Entry { key: key.as_bytes(), stamp: Stamp::default(), value: None }, &mut bytes).unwrap();
        }
        bytes
    }

    fn keys(bytes: &[u8]) -> (Vec<String>, Scan) {
        let mut keys = Vec::new();
        let found = scan(bytes, |_, entry| keys.push(String::from_utf8(entry.key.to_vec()).unwrap())).unwrap();
        (keys, found)
    }

    #[test]
    fn a_file_cut_anywhere_gives_every_whole_entry_before_the_cut() {
        let whole = file(&["anna", "ben"]);
        let ends = [TITLE.len(), file(&["anna"]).len(), whole.len()];
        for cut in 0..=whole.len() {
            let (keys, found) = keys(&whole[..cut]);
            let expected = ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or_default();
            assert_eq!((found.end, found.damaged), (expected, vec![]), "cut at {cut}");
            assert_eq!(keys.len(), ends.iter().filter(|end| **end <= cut).count().saturating_sub(1));
        }
    }

    #[test]
    fn a_wrong_byte_anywhere_costs_one_entry_at_most() {
        let whole = file(&["anna", "ben", "carl"]);
        for place in TITLE.len()..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x55;
            let (keys, found) = keys(&bytes);
            assert_eq!(keys.len(), 2, "byte {place}");
            assert_eq!(found.damaged.len(), usize::from(keys.last().unwrap() == "carl"), "byte {place}");
        }
    }

    #[test]
    fn a_damaged_title_hides_no_entry() {
        let mut bytes = file(&["anna"]);
        bytes[..5].copy_from_slice(b"\0\0\0\0\0");
        let (keys, found) = keys(&bytes);
        assert_eq!(keys, ["anna"]);
        assert_eq!(found.damaged.first(), Some(&(0..TITLE.len())));
    }

    #[test]
    fn a_marker_within_a_value_is_not_an_entry() {
        let mut bytes = TITLE.to_vec();
        let entry = Entry { key: b"anna", stamp: Stamp::default(), value: Some(MARKER) };
        append(&entry, &mut bytes).unwrap();
        let mut got = Vec::new();
        scan(&bytes, |_, entry| got.push(entry)).unwrap();
        assert_eq!(got, [entry]);
    }

    #[test]
    fn a_file_that_is_no_journal_is_damage_as_a_whole() {
        assert_eq!(keys(b"dear diary").1.damaged.first(), Some(&(0..10)));
        assert_eq!(keys(&TITLE[..5]).1.damaged.first(), None);
        assert_eq!(keys(&[0; 5]).1.damaged.first(), None);
    }

    #[test]
    fn a_newer_format_is_refused() {
        assert_eq!(scan(b"everline journal 2\n...", |_, _| ()), Err(OtherVersion));
    }
}
