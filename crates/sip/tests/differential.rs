//! Our reader against one that we did not write: where both accept, both must see the same message.
//!
//! Two elements that see different headers in the same bytes are how requests are smuggled.

mod generate;

use bytes::Bytes;
use generate::parts;
use proptest::prelude::*;
use sip::Message;
use sipx_sip::parser::{Limits, parse_datagram};
use sipx_sip::validate::validate;

fn theirs(bytes: &[u8]) -> Option<sipx_sip::message::Message> {
    parse_datagram(Bytes::copy_from_slice(bytes), &Limits::datagram()).ok()
}

/// Whether the other one has nothing against the message; a missing Max-Forwards may be repaired.
fn they_accept(message: &sipx_sip::message::Message) -> bool {
    validate(message).iter().all(sipx_sip::validate::Finding::is_repairable)
}

/// Compares what both read; `false` if one of them refuses it.
fn same(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let (Ok(ours), Some(theirs)) = (Message::parse(bytes), theirs(bytes)) else { return Ok(false) };
    if !they_accept(&theirs) {
        return Ok(false);
    }
    let unfolded = |value: &[u8]| value.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().collect::<Vec<u8>>();
    let our_values: Vec<_> = ours.headers().map(|header| unfolded(header.value)).collect();
    let their_values: Vec<_> = theirs.headers().iter().map(|header| unfolded(&header.value())).collect();
    prop_assert_eq!(our_values, their_values);
    prop_assert_eq!(ours.body(), &theirs.body()[..]);
    prop_assert_eq!(ours.method().as_str().as_bytes().to_vec(), cseq_method(&theirs)?);
    prop_assert_eq!(ours.status(), theirs.as_response().map(|response| response.status.code()));
    Ok(true)
}

fn cseq_method(message: &sipx_sip::message::Message) -> Result<Vec<u8>, TestCaseError> {
    let cseq = message.headers().typed::<sipx_sip::CSeq>().and_then(Result::ok);
    cseq.map(|cseq| cseq.method.as_bytes().to_vec())
        .ok_or_else(|| TestCaseError::fail("they accept a message without CSeq"))
}

proptest! {
    #[test]
    fn both_read_sound_messages_and_read_them_the_same(parts in parts()) {
        prop_assert!(same(&parts.write())?, "refused by one of the two");
    }

    #[test]
    fn both_read_damaged_messages_the_same_if_they_read_them(
        parts in parts(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\r\n \t:;,<>\"\\@\0\xff0"[..])), 1..4),
    ) {
        let mut bytes = parts.write();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        same(&bytes)?;
    }
}

#[test]
fn both_judge_the_torture_messages_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475");
    let manifest = std::fs::read_to_string(folder.join("manifest.csv")).expect("the manifest");
    let mut compared = 0;
    for line in manifest.lines().skip(1).filter(|line| !line.contains(",either,")) {
        let file = line.split(',').next().expect("a file name");
        let bytes = std::fs::read(folder.join(file)).expect("a message");
        let they = theirs(&bytes).is_some_and(|message| they_accept(&message));
        assert_eq!(Message::parse(&bytes).is_ok(), they, "{file}");
        same(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        compared += 1;
    }
    assert!(compared > 30, "only {compared} compared");
}
