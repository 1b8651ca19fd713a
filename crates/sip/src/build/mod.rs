//! Writing messages into bytes.
//!
//! No value can break out of its line: a CR or LF in it becomes a space, which also unfolds copied values.

mod answer;
mod reason;

use std::fmt;

pub(crate) use answer::put_top_via;
pub use answer::{Answer, AnswerHead};
pub use reason::reason;

use crate::lex;
use crate::message::{Header, HeaderName, Message, Method, Transport};

/// A message being written: start line first, then headers, then [`Self::finish`] or [`Self::body`].
#[must_use = "a message is whole only after finish() or body()"]
#[derive(Debug)]
pub struct Outgoing<'b> {
    out: &'b mut Vec<u8>,
}

impl<'b> Outgoing<'b> {
    /// Begins a request at the end of `out`.
    pub fn request(out: &'b mut Vec<u8>, method: Method<'_>, uri: &str) -> Self {
        put_of(out, method.as_str().as_bytes(), lex::TOKEN);
        out.push(b' ');
        put_of(out, uri.as_bytes(), lex::URI);
        out.extend_from_slice(b" SIP/2.0\r\n");
        Self { out }
    }

    /// Begins a response at the end of `out`; with an empty reason the usual phrase is written.
    pub fn response(out: &'b mut Vec<u8>, status: u16, phrase: &str) -> Self {
        out.extend_from_slice(b"SIP/2.0 ");
        put_number(out, status.into());
        out.push(b' ');
        put_value(out, if phrase.is_empty() { reason(status) } else { phrase }.as_bytes());
        out.extend_from_slice(b"\r\n");
        Self { out }
    }

    /// Writes one header line.
    pub fn header(self, name: HeaderName<'_>, value: impl AsRef<[u8]>) -> Self {
        self.parts(name, &[value.as_ref()])
    }

    /// Writes one header line whose value is these parts one behind another.
    pub fn parts(self, name: HeaderName<'_>, parts: &[&[u8]]) -> Self {
        put_name(self.out, name);
        for part in parts {
            put_value(self.out, part);
        }
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes one header line whose value is a number.
    pub fn number(self, name: HeaderName<'_>, value: u32) -> Self {
        put_name(self.out, name);
        put_number(self.out, value.into());
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes one header line from `format_args!`.
    pub fn format(self, name: HeaderName<'_>, value: fmt::Arguments<'_>) -> Self {
        put_name(self.out, name);
        // Writing into memory cannot fail; a Display that fails by itself leaves its value short.
        let _ = fmt::Write::write_fmt(&mut Clean(self.out), value);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes the Via of a request of ours; it asks for a symmetric answer (RFC 3261 18.1.1, RFC 3581 3).
    pub fn via(self, transport: Transport<'_>, sent_by: &str, branch: &str) -> Self {
        let transport = transport.as_str().as_bytes();
        self.parts(
            HeaderName::Via,
            &[b"SIP/2.0/", transport, b" ", sent_by.as_bytes(), b";branch=", branch.as_bytes(), b";rport"],
        )
    }

    /// Writes a header line as it came.
    pub fn copy(self, header: Header<'_>) -> Self {
        self.header(header.name, header.value)
    }

    /// Writes all header lines of this name as they came.
    pub fn copy_all(self, message: &Message<'_>, name: HeaderName<'_>) -> Self {
        message.values(name).fold(self, |this, value| this.header(name, value))
    }

    /// Ends the message without a body.
    pub fn finish(self) {
        self.out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    }

    /// Ends the message with a body; no Content-Type is written if `content_type` is empty.
    pub fn body(self, content_type: impl AsRef<[u8]>, body: &[u8]) {
        let content_type = content_type.as_ref();
        let this = if content_type.is_empty() { self } else { self.header(HeaderName::ContentType, content_type) };
        put_name(this.out, HeaderName::ContentLength);
        put_number(this.out, body.len() as u64);
        this.out.extend_from_slice(b"\r\n\r\n");
        this.out.extend_from_slice(body);
    }
}

fn put_name(out: &mut Vec<u8>, name: HeaderName<'_>) {
    match name {
        HeaderName::Other(name) => put_of(out, name.as_bytes(), lex::TOKEN),
        known => out.extend_from_slice(known.as_str().as_bytes()),
    }
    out.extend_from_slice(b": ");
}

/// Writes a value without line ends.
fn put_value(out: &mut Vec<u8>, value: &[u8]) {
    let begin = out.len();
    out.extend_from_slice(value);
    if memchr::memchr2(b'\r', b'\n', value).is_some() {
        for byte in out.iter_mut().skip(begin).filter(|byte| matches!(**byte, b'\r' | b'\n')) {
            *byte = b' ';
        }
    }
}

/// Writes what belongs to the classes in `mask` and leaves the rest out.
fn put_of(out: &mut Vec<u8>, text: &[u8], mask: u8) {
    out.extend(text.iter().filter(|&&byte| lex::is(byte, mask)));
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A text as a quoted string (RFC 3261 25.1); line ends in it become spaces when it is written.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut rest = self.0;
        while let Some(at) = rest.find(['"', '\\']) {
            let (plain, special) = rest.split_at(at);
            write!(f, "{plain}\\{}", special.get(..1).unwrap_or_default())?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)?;
        f.write_str("\"")
    }
}

/// Lets `format_args!` write a value without line ends.
struct Clean<'b>(&'b mut Vec<u8>);

impl fmt::Write for Clean<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_value(self.0, text.as_bytes());
        Ok(())
    }
}
