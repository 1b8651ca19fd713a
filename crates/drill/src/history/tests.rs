//! Each rule with the shortest history that breaks it, and histories that break none.

use std::net::SocketAddr;

use super::{Event, History, Message, Rule, Standing, Verdict};

/// A ladder as text: one message a line, `>` to the server and `<` from it, then a label such as
/// `INVITE 1`, `200 INVITE 1`; then options: `b=` branch, `t=` To tag, `c=` Call-ID, `u=` user part of the
/// Request-URI, `x=` another body, `nocontact`.
fn play(ladder: &str) -> History {
    let mut history = History::with_people(["anna".to_owned()]);
    for (at, line) in ladder.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        history.take(&event(at as u64, line));
    }
    history
}

fn judged(ladder: &str) -> Verdict {
    play(ladder).finish()
}

fn event(at: u64, line: &str) -> Event {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let option = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)).map(str::to_owned);
    let (branch, tag, body) = (option("b="), option("t="), option("x=").unwrap_or_default());
    let (call_id, user) = (option("c=").unwrap_or_default(), option("u=").unwrap_or_else(|| "a".into()));
    let contact = if words.contains(&"nocontact") { "" } else { "Contact: <sip:x@y>\r\n" };
    words.retain(|word| !word.contains('=') && *word != "nocontact");
    let by_server = words[0] == "<";
    let (start, method, number) = match words[1..] {
        [status, method, number] => (format!("SIP/2.0 {status} Said"), method, number),
        [method, number] => (format!("{method} sip:{user}@b SIP/2.0"), method, number),
        _ => panic!("a line of the ladder is not understood: {line}"),
    };
    let branch = branch.unwrap_or_else(|| format!("z9hG4bK{method}{number}"));
    let tag = tag.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP a;branch={branch}\r\nFrom: <sip:f@a>;tag=f\r\nTo: <sip:t@b>{tag}\r\n\
         Call-ID: c{call_id}\r\nCSeq: {number} {method}\r\n{contact}\r\n{body}"
    );
    let message = Message::parse(text.as_bytes()).expect("the line makes a whole message");
    Event { at, by_server, peer: SocketAddr::from(([127, 0, 0, 2], 5080)), message }
}

#[track_caller]
fn breaks(rule: Rule, ladder: &str) {
    let found: Vec<Rule> = judged(ladder).breaches.into_keys().collect();
    assert_eq!(found, [rule]);
}

const TALKING: &str = "> INVITE 1
    < 100 INVITE 1
    < 180 INVITE 1 t=s
    < 200 INVITE 1 t=s
    > ACK 1 t=s b=z9a";

#[test]
fn a_call_from_the_first_invite_to_the_last_bye_breaks_nothing() {
    let verdict = judged(&format!("{TALKING}\n > BYE 2 t=s\n < 200 BYE 2 t=s"));
    assert!(verdict.breaches.is_empty(), "{:?}", verdict.breaches);
}

#[test]
fn a_call_that_the_server_begins_and_ends_breaks_nothing() {
    let verdict = judged(
        "< INVITE 1
         > 180 INVITE 1 t=p
         > 200 INVITE 1 t=p
         < ACK 1 t=p b=z9a
         < INVITE 2 t=p
         > 200 INVITE 2 t=p
         < ACK 2 t=p b=z9b
         < BYE 3 t=p
         > 200 BYE 3 t=p",
    );
    assert!(verdict.breaches.is_empty(), "{:?}", verdict.breaches);
}

#[test]
fn a_challenge_and_a_cancelled_call_break_nothing() {
    let verdict = judged(
        "> INVITE 1
         < 401 INVITE 1 t=x
         > ACK 1 t=x b=z9hG4bKINVITE1
         > INVITE 2
         < 180 INVITE 2 t=s
         > CANCEL 2 b=z9hG4bKINVITE2
         < 200 CANCEL 2 t=s b=z9hG4bKINVITE2
         < 487 INVITE 2 t=s
         > ACK 2 t=s b=z9hG4bKINVITE2",
    );
    assert!(verdict.breaches.is_empty(), "{:?}", verdict.breaches);
}

#[test]
fn repeats_are_counted_by_sender() {
    let verdict = judged(
        "> OPTIONS 1
         > OPTIONS 1
         < 200 OPTIONS 1 t=s
         < 200 OPTIONS 1 t=s
         > OPTIONS 1
         < 200 OPTIONS 1 t=s",
    );
    assert!(verdict.breaches.is_empty());
    assert_eq!((verdict.repeated_by_peers, verdict.repeated_by_server), (2, 2));
}

#[test]
fn answers_that_no_rfc_allows_are_found() {
    breaks(Rule::AnswerToNothing, "< 200 OPTIONS 1 t=s");
    breaks(Rule::NotEchoed, "> OPTIONS 1 b=z\n < 200 OPTIONS 2 t=s b=z");
    breaks(Rule::NoTag, "> OPTIONS 1\n < 200 OPTIONS 1");
    breaks(Rule::SecondFinal, "> OPTIONS 1\n < 200 OPTIONS 1 t=s\n < 500 OPTIONS 1 t=s");
    breaks(Rule::FinalChanged, "> OPTIONS 1\n < 200 OPTIONS 1 t=s\n < 200 OPTIONS 1 t=s x=other");
    breaks(Rule::ProvisionalAfterFinal, "> INVITE 1\n < 486 INVITE 1 t=s\n < 180 INVITE 1 t=s");
    breaks(Rule::TagChanged, "> INVITE 1\n < 180 INVITE 1 t=s\n < 486 INVITE 1 t=other");
    breaks(Rule::NoContact, "> INVITE 1\n < 200 INVITE 1 t=s nocontact\n > BYE 2 t=s\n < 200 BYE 2 t=s");
    breaks(
        Rule::LiveDialogDenied,
        &format!("{TALKING}\n > INFO 2 t=s\n < 481 INFO 2 t=s\n > BYE 3 t=s\n < 200 BYE 3 t=s"),
    );
}

#[test]
fn a_repeated_request_may_be_challenged_with_another_nonce() {
    let twice = |status: u16, more: &str| {
        let answer = format!("< {status} REGISTER 1 t=s x=nonce=\"a\",realm=\"r\"");
        judged(&format!("> REGISTER 1\n {answer}\n {}{more}", answer.replace("\"a\"", "\"b\""))).breaches
    };
    assert!(twice(401, "").is_empty());
    let changed = [(Rule::FinalChanged, 1)].into();
    assert_eq!(twice(401, ",stale"), changed, "nothing else may change");
    assert_eq!(twice(400, ""), changed, "it is no challenge");
}

#[test]
fn who_denies_a_dialog_that_has_ended_meanwhile_is_right() {
    let crossing = format!("{TALKING}\n > INFO 2 t=s\n < BYE 1 t=s\n > 200 BYE 1 t=s\n < 481 INFO 2 t=s");
    assert!(!judged(&crossing).breaches.contains_key(&Rule::LiveDialogDenied));
    let repeated = format!("{TALKING}\n > BYE 2 t=s\n > BYE 2 t=s\n < 481 BYE 2 t=s");
    assert!(!judged(&repeated).breaches.contains_key(&Rule::LiveDialogDenied), "the first one may have ended it");
    breaks(Rule::LiveDialogDenied, &format!("{TALKING}\n > BYE 2 t=s\n < 481 BYE 2 t=s"));
}

#[test]
fn what_is_over_is_forgotten_and_what_goes_on_is_not() {
    let mut history = play(&format!("{TALKING}\n > OPTIONS 9 c=other"));
    for _ in 0..3 {
        history.forget(30_000_000_000, 1);
    }
    assert_eq!(history.breaches(), [(Rule::NeverAnswered, 1)], "nothing is owed to a request that old");
    assert_eq!(history.standing().len(), 1, "people still talk");
    assert_eq!(history.finish().breaches[&Rule::NeverEnded], 1);
}

#[test]
fn requests_that_no_rfc_allows_are_found() {
    breaks(Rule::RequestChanged, "< OPTIONS 1\n < OPTIONS 1 x=other");
    breaks(Rule::CSeqNotRising, "< INFO 2 t=p\n < INFO 2 t=p b=z9other");
    breaks(Rule::SecondInvite, "< INVITE 1\n < INVITE 2");
    breaks(Rule::AfterBye, "< BYE 1 t=p\n < INFO 2 t=p");
    breaks(Rule::CancelTooSoon, "< INVITE 1\n < CANCEL 1 b=z9hG4bKINVITE1");
    breaks(Rule::AckOfNothing, "< INVITE 1\n < ACK 1 t=p b=z9hG4bKINVITE1");
}

#[test]
fn somebody_with_a_call_is_offered_no_other() {
    let offered = |between: &str| {
        let first = "< INVITE 1 u=anna c=1 b=z1\n > 180 INVITE 1 t=p c=1 b=z1";
        judged(&format!("{first}\n{between}\n< INVITE 1 u=anna c=2 b=z2"))
    };
    assert!(offered("< INVITE 1 u=ben c=3 b=z3").breaches.contains_key(&Rule::TakenTwice));
    assert!(!offered("> 486 INVITE 1 t=p c=1 b=z1").breaches.contains_key(&Rule::TakenTwice));
    assert!(!offered("< CANCEL 1 c=1 b=z1").breaches.contains_key(&Rule::TakenTwice));
    assert!(!offered("> BYE 1 t=s c=1 b=z4").breaches.contains_key(&Rule::TakenTwice));
    let told = judged(
        "< INVITE 1 u=anna c=1 b=z1\n > 180 INVITE 1 t=p c=1 b=z1\n< INVITE 1 u=anna c=2 b=z2\n< CANCEL 1 c=1 b=z1",
    );
    let ladder = &told.examples.iter().find(|one| one.rule == Rule::TakenTwice).expect("it is there").ladder;
    assert!(ladder.last().is_some_and(|line| line.contains("CANCEL")), "what came later is told too: {ladder:?}");
}

#[test]
fn what_never_comes_is_found() {
    breaks(Rule::NeverAnswered, "> INVITE 1\n < 180 INVITE 1 t=s");
    breaks(Rule::NeverAcknowledged, "< INVITE 1\n > 486 INVITE 1 t=p");
    breaks(Rule::NeverEnded, TALKING);
}

#[test]
fn a_request_that_its_sender_gave_up_need_not_be_answered() {
    let mut history = play("> REGISTER 1");
    history.given_up("z9hG4bKREGISTER1", "REGISTER");
    history.take(&event(1, "> REGISTER 2"));
    assert_eq!(history.finish().breaches, [(Rule::NeverAnswered, 1)].into());
}

#[test]
fn a_challenge_that_comes_again_does_not_end_the_call() {
    let verdict = judged(
        "> INVITE 1
         < 401 INVITE 1 t=x
         > ACK 1 t=x b=z9hG4bKINVITE1
         > INVITE 2
         < 401 INVITE 1 t=x
         > ACK 1 t=x b=z9hG4bKINVITE1
         < 200 INVITE 2 t=s
         > ACK 2 t=s b=z9a
         < BYE 1 t=f
         > 200 BYE 1 t=f",
    );
    assert!(verdict.breaches.is_empty(), "{:?}", verdict.breaches);
}

#[test]
fn a_callers_call_is_counted_where_it_stands() {
    let begun = "> INVITE 1";
    let steps = [
        ("< 100 INVITE 1", Standing::Trying),
        ("< 182 INVITE 1 t=s", Standing::Queued),
        ("< 180 INVITE 1 t=s", Standing::Ringing),
        ("< 200 INVITE 1 t=s", Standing::AnsweredNotAcknowledged),
        ("> ACK 1 t=s b=z9a", Standing::Talking),
        ("> INVITE 2 t=s", Standing::ReinviteOpen),
        ("> BYE 3 t=s", Standing::BeingTornDown),
    ];
    let mut ladder = begun.to_owned();
    for (line, standing) in steps {
        ladder = format!("{ladder}\n{line}");
        assert_eq!(play(&ladder).standing().into_iter().collect::<Vec<_>>(), [(standing, 1)]);
    }
    assert!(play(&format!("{ladder}\n< 200 BYE 3 t=s")).standing().is_empty());
    let cancelled = format!("{begun}\n< 180 INVITE 1 t=s\n> CANCEL 1 b=z9hG4bKINVITE1");
    assert_eq!(play(&cancelled).standing().get(&Standing::BeingCancelled), Some(&1));
}
