//! Sound messages of every shape, for properties.

use proptest::prelude::*;
use sip::{HeaderName, Method, Outgoing, Transport};

/// The parts of a message, so that a test knows what must come out.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) status: Option<u16>,
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) vias: Vec<(String, String)>,
    pub(crate) from: (String, String, String),
    pub(crate) to: (String, Option<String>),
    pub(crate) call_id: String,
    pub(crate) number: u32,
    pub(crate) max_forwards: u8,
    pub(crate) others: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Parts {
    /// The message.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut message = match self.status {
            Some(status) => Outgoing::response(&mut bytes, status, ""),
            None => Outgoing::request(&mut bytes, Method::from_name(&self.method), &self.uri),
        };
        for (sent_by, branch) in &self.vias {
            message = message.via(Transport::Udp, sent_by, branch);
        }
        let (display, from, tag) = &self.from;
        message = message.format(HeaderName::From, format_args!("{} <{from}>;tag={tag}", sip::build::Quoted(display)));
        let (to, to_tag) = &self.to;
        message = match to_tag {
            Some(tag) => message.parts(HeaderName::To, &[b"<", to.as_bytes(), b">;tag=", tag.as_bytes()]),
            None => message.parts(HeaderName::To, &[b"<", to.as_bytes(), b">"]),
        };
        message = message
            .header(HeaderName::CallId, &self.call_id)
            .format(HeaderName::CSeq, format_args!("{} {}", self.number, self.method))
            .number(HeaderName::MaxForwards, self.max_forwards.into());
        for (name, value) in &self.others {
            message = message.header(HeaderName::Other(name), value);
        }
        message.body("application/octet-stream", &self.body);
        bytes
    }
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,20}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z][a-z0-9]{1,5}){0,3}",
        any::<[u8; 4]>().prop_map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
        any::<[u8; 16]>().prop_map(|octets| format!("[{}]", std::net::Ipv6Addr::from(octets))),
    ]
}

fn sent_by() -> impl Strategy<Value = String> {
    (host(), prop::option::of(1_u16..)).prop_map(|(host, port)| match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn uri() -> impl Strategy<Value = String> {
    let user = "([a-zA-Z0-9&=+$,;?/_.!~*'()-]|%[0-9a-f]{2}){1,12}@";
    // No name twice (RFC 3261 19.1.1): we take the first then, others refuse.
    let params = "(;a[a-z]{0,6}(=[a-zA-Z0-9.+-]{1,8})?)?(;b[a-z]{0,6}(=[a-zA-Z0-9.+-]{1,8})?)?";
    (prop::option::of(user), sent_by(), params)
        .prop_map(|(user, sent_by, params)| format!("sip:{}{sent_by}{params}", user.unwrap_or_default()))
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![3 => prop::sample::select(vec!["INVITE", "ACK", "BYE", "REGISTER", "PRACK"]).prop_map(str::to_owned), 1 => token()]
}

/// Sound messages.
pub(crate) fn parts() -> impl Strategy<Value = Parts> {
    let addresses = (("\\PC{0,20}", uri(), token()), (uri(), prop::option::of(token())));
    let ids = ("[a-zA-Z0-9.!%*_+`'~()<>:\\\\\"/\\[\\]?{}-]{1,20}(@[a-z0-9.]{1,9})?", 0_u32..1 << 31, any::<u8>());
    let others = prop::collection::vec(("X-[a-zA-Z0-9]{1,10}", "([ -~]|\\PC){0,30}"), 0..8);
    let vias = prop::collection::vec((sent_by(), token()), 1..5);
    let start = (prop::option::of(100_u16..700), method(), uri());
    (start, vias, addresses, ids, others, prop::collection::vec(any::<u8>(), 0..60)).prop_map(
        |((status, method, uri), vias, (from, to), (call_id, number, max_forwards), others, body)| Parts {
            status,
            method,
            uri,
            vias,
            from,
            to,
            call_id,
            number,
            max_forwards,
            others,
            body,
        },
    )
}
