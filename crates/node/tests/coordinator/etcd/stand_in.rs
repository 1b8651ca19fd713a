//! Somebody at the place of a member of etcd who says nothing but which version he is, whatever he is asked.
//!
//! As much of HTTP/2 (RFC 9113) and gRPC as that takes.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Bytes that a client says first (RFC 9113 3.4).
const PREFACE: usize = 24;
/// Kinds of frames (RFC 9113 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
/// Flags of them.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` and `content-type: application/grpc`, of the static table (RFC 7541, appendix A).
const BEGIN: &[u8] = b"\x88\x0f\x10\x10application/grpc";
/// `grpc-status: 0`, written out (RFC 7541 6.2.2).
const END: &[u8] = b"\x00\x0bgrpc-status\x010";
/// The second field of etcd's `StatusResponse` is a text, the version.
const VERSION: u8 = 2 << 3 | 2;

/// Listens until the process ends; gives where.
pub(crate) fn of_version(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            // It ends with an error: who has heard the version hangs up.
            thread::spawn(move || drop(answer(caller, version)));
        }
    });
    address
}

fn answer(mut caller: TcpStream, version: &str) -> io::Result<()> {
    caller.read_exact(&mut [0; PREFACE])?;
    send(&mut caller, SETTINGS, 0, 0, &[])?;
    loop {
        let mut head = [0; 9];
        caller.read_exact(&mut head)?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        caller.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & ACK == 0 => send(&mut caller, SETTINGS, ACK, 0, &[])?,
            DATA if flags & END_STREAM != 0 => {
                let stream = u32::from_be_bytes(stream);
                send(&mut caller, HEADERS, END_HEADERS, stream, BEGIN)?;
                send(&mut caller, DATA, 0, stream, &status(version))?;
                send(&mut caller, HEADERS, END_HEADERS | END_STREAM, stream, END)?;
            }
            _ => {}
        }
    }
}

/// A message of gRPC: not compressed, its length, and it.
fn status(version: &str) -> Vec<u8> {
    let length = u8::try_from(version.len()).unwrap();
    let mut message = vec![0, 0, 0, 0, length + 2, VERSION, length];
    message.extend(version.as_bytes());
    message
}

/// Sends a frame: length, kind, flags, stream, and what it carries.
fn send(to: &mut TcpStream, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![high, middle, low, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    to.write_all(&frame)
}
