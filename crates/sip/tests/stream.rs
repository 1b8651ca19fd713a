//! Framing of byte streams: however the bytes are split, the same messages come out (RFC 3261 18.3).

use proptest::prelude::*;
use sip::Fault;
use sip::limits::MAX_MESSAGE;
use sip::stream::{Frame, Framer};

fn message(call: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: {call}\r\nl: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// What comes out of `pieces`: messages, and empty ones for pings.
fn frames<'p>(framer: &mut Framer, pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<Vec<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    for mut piece in pieces {
        while let Some(frame) = framer.next(&mut piece).map_err(|lost| lost.fault())? {
            found.push(match frame {
                Frame::Message(bytes) => bytes.into_owned(),
                Frame::Ping => Vec::new(),
            });
        }
        assert!(piece.is_empty(), "all of the input was taken in");
    }
    Ok(found)
}

fn all_at_once(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    frames(&mut Framer::default(), [bytes])
}

#[test]
fn whole_messages_are_not_copied() {
    let bytes = [message(1, b"hello"), message(2, b"")].concat();
    let mut input = &bytes[..];
    let mut framer = Framer::default();
    for _ in 0..2 {
        let frame = framer.next(&mut input).expect("framing holds");
        assert!(matches!(frame, Some(Frame::Message(std::borrow::Cow::Borrowed(_)))), "{frame:?}");
    }
    assert_eq!(framer.next(&mut input), Ok(None));
    assert_eq!(framer.held(), 0);
}

#[test]
fn a_double_line_end_is_a_ping_and_a_single_one_is_nothing() {
    // RFC 5626 3.5.1, RFC 3261 7.5
    let one = message(1, b"");
    let bytes = [b"\r\n\r\n", &one[..], b"\r\n", &one[..], b"\r\n\r\n\r\n", &one[..]].concat();
    assert_eq!(all_at_once(&bytes), Ok(vec![vec![], one.clone(), one.clone(), vec![], one]));
}

#[test]
fn a_connection_whose_framing_is_lost_ends_with_the_right_answer() {
    let head = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: 1\r\n";
    for (tail, fault) in [
        ("\r\n", Fault::Missing("Content-Length")),
        ("Content-Length: -1\r\n\r\n", Fault::ContentLength),
        ("Content-Length: 5\r\nl: 6\r\n\r\n", Fault::Repeated("Content-Length")),
        ("Content-Length: 65535\r\n\r\n", Fault::TooLarge),
        ("Content-Length: 99999999999999999999999\r\n\r\n", Fault::TooLarge),
    ] {
        let bytes = format!("{head}{tail}");
        let mut input = bytes.as_bytes();
        let lost = Framer::default().next(&mut input).expect_err("framing is lost");
        assert_eq!(lost.fault(), fault, "{tail:?}");
        let mut answer = Vec::new();
        let source = ([192, 0, 2, 1], 7).into();
        assert!(lost.refusal().answer(source, "t", &mut answer).is_some(), "{tail:?}");
        assert!(answer.starts_with(format!("SIP/2.0 {}", fault.status()).as_bytes()), "{tail:?}");
    }
}

#[test]
fn noise_is_noticed_at_its_first_byte() {
    assert_eq!(all_at_once(b"\x16\x03\x01"), Err(Fault::NotSip));
    let lost = Framer::default().next(&mut &b"\x16\x03\x01"[..]).map(|_| ()).expect_err("TLS is not SIP");
    assert_eq!(lost.refusal().status(), None, "noise is not answered");
}

#[test]
fn a_header_section_without_end_is_bounded() {
    let mut framer = Framer::default();
    let line = [b'x'; 1000];
    let fed = (1..200).find(|_| framer.next(&mut &line[..]).is_err());
    assert_eq!(fed, Some(MAX_MESSAGE / 1000 + 1));
    assert!(framer.held() <= MAX_MESSAGE);
}

/// RFC 3261 18.1.1: messages of 65,535 bytes are to be taken, whichever part of them is the large one.
#[test]
fn a_message_may_be_all_head() {
    let with = |length: usize| {
        let (before, after) = ("OPTIONS sip:a@b SIP/2.0\r\nSubject: ", "\r\nl: 0\r\n\r\n");
        [before, &"x".repeat(length - before.len() - after.len()), after].concat().into_bytes()
    };
    let largest = with(MAX_MESSAGE);
    assert_eq!(all_at_once(&largest), Ok(vec![largest.clone()]));
    assert_eq!(frames(&mut Framer::default(), largest.chunks(10_000)), Ok(vec![largest]));
    let larger = with(MAX_MESSAGE + 1);
    assert_eq!(all_at_once(&larger), Err(Fault::TooLarge));
    assert_eq!(frames(&mut Framer::default(), larger.chunks(10_000)), Err(Fault::TooLarge));
}

#[test]
fn a_half_message_is_taken_up_by_another_process() {
    let bytes = message(1, b"body");
    for cut in 0..bytes.len() {
        let (before, after) = bytes.split_at(cut);
        let mut framer = Framer::default();
        assert_eq!(frames(&mut framer, [before]), Ok(vec![]), "cut at {cut}");
        let record = postcard::to_allocvec(&framer).expect("a framer can be written down");
        let mut successor: Framer = postcard::from_bytes(&record).expect("and read");
        assert_eq!(frames(&mut successor, [after]), Ok(vec![bytes.clone()]), "cut at {cut}");
    }
}

proptest! {
    /// Any bytes, sound or not, in any pieces, come to the same end as in one piece.
    #[test]
    fn splitting_changes_nothing(
        parts in prop::collection::vec(prop_oneof![
            4 => (0_usize..9, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(call, body)| message(call, &body)),
            1 => Just(b"\r\n".to_vec()),
            1 => Just(b"\r\n\r\n".to_vec()),
            1 => Just(b"junk\r\n\r\n".to_vec()),
        ], 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = parts.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
        at.sort_unstable();
        let pieces = at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        prop_assert_eq!(frames(&mut Framer::default(), pieces), all_at_once(&bytes));
        prop_assert_eq!(frames(&mut Framer::default(), bytes.chunks(1)), all_at_once(&bytes));
    }
}
