//! Digest authentication: both sides against each other, and what must not get through.

use model::{Span, Time};
use sip::digest::{Algorithm, Authenticator, Challenge, Credentials, Denial, Login, Secret};
use sip::{Fault, HeaderName, Message, Method, Outgoing};

const KEY: [u8; 32] = [7; 32];
const BOTH: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];
const HERE: &[u8] = b"192.0.2.15";
const SECRET: Secret<'static> = Secret::Password("zanzibar");

fn authenticator() -> Authenticator {
    Authenticator::new("everline \"test\"", KEY, Span::from_secs(300))
}

fn at(secs: u64) -> Time {
    Time::ZERO + Span::from_secs(secs)
}

/// Something that is a message as soon as `write` has added its own headers.
fn message(start: impl FnOnce(&mut Vec<u8>) -> Outgoing<'_>, write: impl FnOnce(Outgoing<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(
        start(&mut out)
            .header(HeaderName::Via, "SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK1")
            .header(HeaderName::From, "<sip:1001@example.com>;tag=1")
            .header(HeaderName::To, "<sip:1001@example.com>")
            .header(HeaderName::CallId, "1@example.com")
            .header(HeaderName::CSeq, "2 REGISTER"),
    );
    out
}

fn challenge(algorithms: &[Algorithm], now: Time, denial: Option<Denial>) -> Vec<u8> {
    message(
        |out| Outgoing::response(out, 401, ""),
        |answer| {
            let name = HeaderName::WwwAuthenticate;
            authenticator().challenge(answer, name, algorithms, HERE, now, denial).finish();
        },
    )
}

fn request(uri: &str, challenge: &[u8], login: Login<'_>) -> Vec<u8> {
    let response = Message::parse(challenge).expect("our challenge is a message");
    let challenge = Challenge::of(&response, HeaderName::WwwAuthenticate).expect("we can answer ourselves");
    message(
        |out| Outgoing::request(out, Method::Register, uri),
        |request| challenge.answer(login, request, HeaderName::Authorization).expect("a password serves").finish(),
    )
}

fn login(secret: Secret<'_>) -> Login<'_> {
    Login { username: "1001", secret, method: "REGISTER", uri: "sip:example.com", cnonce: "c\"1", count: 1 }
}

fn check(request: &[u8], secret: Secret<'_>, binding: &[u8], now: Time) -> Result<(), Denial> {
    let request = Message::parse(request).expect("a message");
    let credentials = authenticator().credentials(&request, HeaderName::Authorization).expect("well formed");
    let credentials = credentials.expect("credentials for our realm");
    assert_eq!(credentials.username(), "1001");
    authenticator().check(&credentials, &request, secret, binding, now)
}

#[test]
fn the_best_algorithm_is_offered_first_and_any_of_them_gets_in() {
    // RFC 8760 2.3
    let challenge_both = challenge(&BOTH, at(100), None);
    let response = Message::parse(&challenge_both).expect("a message");
    let offered: Vec<_> = response.values(HeaderName::WwwAuthenticate).map(String::from_utf8_lossy).collect();
    assert!(offered[0].contains("algorithm=SHA-256") && offered[1].contains("algorithm=MD5"), "{offered:?}");
    assert!(offered[0].starts_with("Digest realm=\"everline \\\"test\\\"\", nonce=\""), "{offered:?}");
    for algorithm in BOTH {
        let request = request("sip:example.com", &challenge(&[algorithm], at(100), None), login(SECRET));
        assert_eq!(check(&request, SECRET, HERE, at(101)), Ok(()), "{algorithm:?}");
    }
}

#[test]
fn a_process_that_never_saw_the_nonce_checks_it() {
    let request = request("sip:example.com", &challenge(&BOTH, at(100), None), login(SECRET));
    // Another process of the pair, whose clock is a little behind, and one with another key.
    assert_eq!(check(&request, SECRET, HERE, at(97)), Ok(()));
    let request = Message::parse(&request).expect("a message");
    let other = Authenticator::new(authenticator().realm(), [8; 32], Span::from_secs(300));
    let credentials = other.credentials(&request, HeaderName::Authorization).expect("well formed").expect("there");
    assert_eq!(other.check(&credentials, &request, SECRET, HERE, at(101)), Err(Denial::Stale));
}

#[test]
fn an_old_nonce_is_stale_only_if_the_secret_is_right() {
    // RFC 7616 3.3: stale=true says that the user need not be asked again.
    let stale_challenge = challenge(&BOTH, at(500), Some(Denial::Stale));
    let response = Message::parse(&stale_challenge).expect("a message");
    assert!(Challenge::of(&response, HeaderName::WwwAuthenticate).expect("ours").is_stale());

    let right = request("sip:example.com", &challenge(&BOTH, at(100), None), login(SECRET));
    assert_eq!(check(&right, SECRET, HERE, at(400)), Ok(()), "lifetime not over");
    assert_eq!(check(&right, SECRET, HERE, at(433)), Err(Denial::Stale), "lifetime over");
    assert_eq!(check(&right, SECRET, HERE, at(90)), Err(Denial::Stale), "from the future");
    assert_eq!(check(&right, SECRET, b"192.0.2.16", at(101)), Err(Denial::Stale), "bound to another peer");
    let wrong = request("sip:example.com", &challenge(&BOTH, at(100), None), login(Secret::Password("guess")));
    assert_eq!(check(&wrong, SECRET, HERE, at(433)), Err(Denial::Wrong));
    assert_eq!(check(&wrong, SECRET, HERE, at(101)), Err(Denial::Wrong));
}

#[test]
fn a_stored_hash_serves_its_own_algorithm_only() {
    // MD5 of `1001:everline "test":zanzibar`
    let hash = "d69a1ffab75289c4bdd98d5df8a0def3";
    let md5 = Secret::Ha1(Algorithm::Md5, hash);
    let request = request("sip:example.com", &challenge(&[Algorithm::Md5], at(1), None), login(SECRET));
    assert_eq!(check(&request, md5, HERE, at(2)), Ok(()));
    assert_eq!(check(&request, Secret::Ha1(Algorithm::Sha256, hash), HERE, at(2)), Err(Denial::Wrong));
}

#[test]
fn a_response_is_good_for_its_own_target_only() {
    // RFC 7616 3.4.6: who is called must match; ports and parameters may differ between phones and proxies.
    let challenge = challenge(&BOTH, at(1), None);
    let to = |uri| check(&request(uri, &challenge, login(SECRET)), SECRET, HERE, at(2));
    assert_eq!(to("sip:EXAMPLE.com:5060;transport=tcp"), Ok(()));
    assert_eq!(to("sip:900123@example.com"), Err(Denial::OtherUri));
    assert_eq!(to("sip:example.org"), Err(Denial::OtherUri));
    assert_eq!(to("tel:+1900123"), Err(Denial::OtherUri));
}

#[test]
fn other_schemes_and_realms_are_no_credentials_and_no_fault() {
    // RFC 4475 3.3.7
    for value in ["NoOneKnowsThisScheme opaque-data=here", "Digest username=a, realm=b, nonce=c, uri=\"d\", response=e"]
    {
        let bytes = message(
            |out| Outgoing::request(out, Method::Register, "sip:example.com"),
            |request| request.header(HeaderName::Authorization, value).finish(),
        );
        let request = Message::parse(&bytes).expect("a message");
        assert_eq!(authenticator().credentials(&request, HeaderName::Authorization), Ok(None), "{value}");
    }
}

#[test]
fn quirks_are_overlooked_and_faults_are_not() {
    let parse = |value: &str| Credentials::parse(value.as_bytes()).map(|found| found.is_some());
    let base = "username=\"a\", realm=b, nonce=\"c\", uri=\"sip:d\", response=\"e\"";
    assert_eq!(parse(&format!("DIGEST {base},, ,algorithm=\"md5\"")), Ok(true));
    assert_eq!(parse(&format!("Digest  {base} , qop=\"auth\",nc = 00000001, cnonce=\"\"")), Ok(true));
    assert_eq!(parse(&format!("Digest {base}, algorithm=SHA-512-256")), Ok(true), "denied later, not malformed");
    assert_eq!(parse(&format!("Digest {base}, qop=auth")), Err(Fault::Digest("nc")));
    assert_eq!(parse(&format!("Digest {base}, qop=auth-int, nc=1, cnonce=x")).map_err(Fault::status), Err(400));
    assert_eq!(parse(&format!("Digest {base}, Realm=twice")).map_err(Fault::status), Err(400));
    assert_eq!(parse("Digest realm=b, nonce=c, uri=d, response=e"), Err(Fault::Digest("username")));
    assert_eq!(parse("Digest username=\"a").map_err(Fault::status), Err(400));
    assert_eq!(parse("Basic YTpi"), Ok(false));
    let many: String = (0..100).map(|index| format!(", x{index}=1")).collect();
    assert_eq!(parse(&format!("Digest {base}{many}")).map_err(Fault::status), Err(400));
}

#[test]
fn challenges_that_cannot_be_answered_are_passed_over() {
    let parse = |value: &'static str| Challenge::parse(value.as_bytes()).expect("well formed").is_some();
    assert!(parse("Digest realm=\"a\", nonce=\"b\""));
    assert!(parse("Digest realm=\"a\", nonce=\"b\", qop=\"auth-int, auth\", algorithm=SHA-256"));
    assert!(!parse("Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\""));
    assert!(!parse("Digest realm=\"a\", nonce=\"b\", algorithm=SHA-256-sess"));
    assert!(!parse("Negotiate"));
}
