//! A prober that asks the server without pause around a fault, so that the capture shows to a quarter of a
//! millisecond from when to when it did not answer.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use anyhow::{Context, Result};
use drill::history::Nanos;

use crate::lab::{PROBER, now};

/// Between two questions.
const EVERY: Duration = Duration::from_micros(250);

/// It goes on for so long at most after it is dropped, in nanoseconds: longer than any aftermath.
const LONGEST: Nanos = 1_000_000_000;

/// Asks until it is told to stop, or dropped.
pub(super) struct Prober {
    /// When it stops.
    end: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Prober {
    /// Begins to send OPTIONS to the server (RFC 3261 11: a server answers it as it would an INVITE).
    pub(super) fn start(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((std::net::Ipv4Addr::from(PROBER), 0)).context("no port for the prober")?;
        socket.connect(server)?;
        let own = socket.local_addr()?;
        let end = Arc::new(AtomicU64::new(Nanos::MAX));
        let stop_at = Arc::clone(&end);
        let thread = spawn(move || {
            let salt = now();
            for number in 0_u64.. {
                if now() >= stop_at.load(Ordering::Relaxed) {
                    return;
                }
                // The capture sees the answers; what is lost here must be seen there.
                socket.send(question(server, own, salt, number).as_bytes()).ok();
                sleep(EVERY);
            }
        });
        Ok(Self { end, thread: Some(thread) })
    }

    /// Lets it go on until then.
    pub(super) fn stop_at(&self, moment: Nanos) {
        self.end.store(moment, Ordering::Relaxed);
    }
}

impl Drop for Prober {
    /// Waits until it has done what it was told, [`LONGEST`] at most.
    fn drop(&mut self) {
        self.end.fetch_min(now() + LONGEST, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic: there is nothing in it that could.
            thread.join().ok();
        }
    }
}

fn question(server: SocketAddr, own: SocketAddr, salt: u64, number: u64) -> String {
    format!(
        "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK-probe-{salt:x}-{number};rport\r\n\
         From: <sip:probe@{own}>;tag={salt:x}\r\nTo: <sip:{server}>\r\nCall-ID: probe-{salt:x}-{number}\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}
