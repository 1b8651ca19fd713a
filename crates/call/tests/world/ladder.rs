//! Messages in one line each, so that a ladder can be read by people.

use sip::{HeaderName, Message, Method};

use super::World;

impl World {
    /// A message in one line, with labels in the place of names that the server draws.
    pub(crate) fn summary(&mut self, bytes: &[u8]) -> String {
        const SHOWN: [&str; 17] = [
            "Timestamp",
            "Reason",
            "RSeq",
            "RAck",
            "Require",
            "Supported",
            "Unsupported",
            "Retry-After",
            "Min-Expires",
            "Expires",
            "Route",
            "Record-Route",
            "X-Test",
            "Session-Expires",
            "P-Asserted-Identity",
            "Max-Forwards",
            "Allow",
        ];
        let Ok(message) = Message::parse(bytes) else { return format!("({} damaged octets)", bytes.len()) };
        let mut line = match message.request_uri() {
            Some(uri) => format!("{} {uri}", message.method()),
            None => {
                let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
                String::from_utf8_lossy(first).trim_start_matches("SIP/2.0 ").to_owned()
            }
        };
        let tags =
            [message.from().tag(), message.to().tag()].map(|tag| tag.map_or("-".to_owned(), |tag| self.label(tag)));
        line += &format!(" | {} {} {}", message.cseq().number, message.cseq().method, tags.join("/"));
        for name in SHOWN {
            for value in message.values(HeaderName::from_name(name)) {
                let value = String::from_utf8_lossy(value);
                if name != "Max-Forwards" || (value != "70" && value != "69") {
                    line += &format!(" | {name}: {value}");
                }
            }
        }
        if message.method() == Method::Register || message.status().is_some_and(|status| status / 100 == 3) {
            for value in message.values(HeaderName::Contact) {
                line += &format!(" | {}", String::from_utf8_lossy(value));
            }
        }
        line.extend(self.told_place(&message));
        for value in message.values(HeaderName::WwwAuthenticate) {
            let value = String::from_utf8_lossy(value);
            let stale = if value.contains("stale=true") { " stale" } else { "" };
            line += &format!(
                " | {}{stale}",
                value.rsplit("algorithm=").next().expect("text").trim_end_matches(", stale=true")
            );
        }
        if !message.body().is_empty() {
            line += &format!(" | [{}]", String::from_utf8_lossy(message.body()));
        }
        line
    }

    fn label(&mut self, tag: &str) -> String {
        if self.phones.iter().any(|phone| tag.starts_with(&phone.name)) {
            return tag.to_owned();
        }
        let next = self.labels.len() + 1;
        format!("#{}", self.labels.entry(tag.to_owned()).or_insert(next))
    }
}
