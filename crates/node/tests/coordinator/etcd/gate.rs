//! Stands between a control server and etcd, and can be shut, or lead elsewhere.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What the gate does; the condition tells of each caller.
type Shared = Arc<(Mutex<State>, Condvar)>;

/// A gate, which listens until the process ends.
pub(crate) struct Gate {
    address: SocketAddr,
    shared: Shared,
}

#[derive(Default)]
struct State {
    /// Where it leads; nowhere if it is shut.
    target: Option<String>,
    passing: Vec<TcpStream>,
    /// How many have come since it was turned last.
    callers: usize,
}

impl Gate {
    /// A gate that leads to this address.
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self { address: listener.local_addr().unwrap(), shared: Shared::default() };
        gate.turn(Some(target));
        let shared = Arc::clone(&gate.shared);
        thread::spawn(move || listener.incoming().flatten().for_each(|caller| admit(&shared, caller)));
        gate
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Cuts who passes; who comes from now on is led there, or cut as well.
    pub(crate) fn turn(&self, target: Option<&str>) {
        let mut state = self.shared.0.lock().unwrap();
        state.target = target.map(str::to_owned);
        state.callers = 0;
        for stream in state.passing.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until so many have come since it was turned.
    pub(crate) fn wait_for(&self, callers: usize) {
        let (state, called) = &*self.shared;
        let _state = called.wait_while(state.lock().unwrap(), |state| state.callers < callers).unwrap();
    }
}

fn admit((state, called): &(Mutex<State>, Condvar), caller: TcpStream) {
    let mut state = state.lock().unwrap();
    state.callers += 1;
    called.notify_all();
    let Some(target) = &state.target else { return };
    let Ok(callee) = TcpStream::connect(target) else { return };
    for (from, to) in [(&caller, &callee), (&callee, &caller)] {
        state.passing.push(from.try_clone().unwrap());
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
