//! What is written is read as it was meant, and nothing that is written leaves its line.

mod generate;

use generate::{Parts, parts};
use proptest::prelude::*;
use sip::{HeaderName, Message, Method, Outgoing};

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was_meant(parts in parts()) {
        let bytes = parts.write();
        let message = Message::parse(&bytes).map_err(|refusal| TestCaseError::fail(refusal.fault().to_string()))?;
        let Parts { status, method, uri, vias, from, to, call_id, number, max_forwards, others, body } = &parts;
        prop_assert_eq!(message.status(), *status);
        prop_assert_eq!(message.method().as_str(), method);
        prop_assert_eq!(message.request_uri().map(sip::Uri::as_str), status.is_none().then_some(uri.as_str()));
        let read: Vec<_> = message.vias().map(|via| via.branch().map(str::to_owned)).collect();
        let written: Vec<_> = vias.iter().map(|(_, branch)| Some(branch.clone())).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(message.from().display_name().unwrap_or_default(), from.0.as_str());
        prop_assert_eq!((message.from().uri().as_str(), message.from().tag()), (from.1.as_str(), Some(from.2.as_str())));
        prop_assert_eq!((message.to().uri().as_str(), message.to().tag()), (to.0.as_str(), to.1.as_deref()));
        prop_assert_eq!(message.call_id(), call_id);
        prop_assert_eq!((message.cseq().number, message.max_forwards()), (*number, Some(*max_forwards)));
        for (name, value) in others {
            let found = message.values(HeaderName::Other(name)).any(|found| found == trim(value).as_bytes());
            prop_assert!(found, "{} is lost", name);
        }
        prop_assert_eq!(message.body(), body);
    }

    /// No text that somebody else chose can end its line: not in a name, a value, a method, a URI or a phrase.
    #[test]
    fn nothing_that_is_written_leaves_its_line(text in "(\\PC|\r|\n|\r\n|: |Injected: yes\r\n\r\n){0,12}") {
        let mut bytes = Vec::new();
        Outgoing::request(&mut bytes, Method::Other(&text), &text)
            .header(HeaderName::Subject, &text)
            .header(HeaderName::Other(&text), "x")
            .parts(HeaderName::Other("X-Parts"), &[text.as_bytes(), text.as_bytes()])
            .format(HeaderName::Other("X-Format"), format_args!("{text}{}", sip::build::Quoted(&text)))
            .finish();
        prop_assert_eq!(lines(&bytes), 6 + 1, "{:?}", String::from_utf8_lossy(&bytes));
        let mut bytes = Vec::new();
        Outgoing::response(&mut bytes, 400, &text).via(sip::Transport::Other(&text), &text, &text).body(format!("a/{text}"), b"");
        prop_assert_eq!(lines(&bytes), 4 + 1, "{:?}", String::from_utf8_lossy(&bytes));
    }
}

/// Without the white space at its ends that the reader takes off.
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t', '\r', '\n'])
}

/// Lines whatever somebody takes for a line end.
fn lines(bytes: &[u8]) -> usize {
    assert!(bytes.ends_with(b"\r\n\r\n"));
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(bytes.windows(2).filter(|pair| pair == b"\r\n").count(), ends, "no lone line feed");
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\r').count(), ends, "no lone carriage return");
    ends
}
