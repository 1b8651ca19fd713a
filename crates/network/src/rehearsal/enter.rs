//! Doing something in a namespace.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use model::Trouble;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::programs::path_of;

/// Runs `work` in a namespace, on a thread of its own, and waits for what it gives.
pub(super) fn run<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> Result<T, Trouble> {
    let file = open(namespace)?;
    thread::scope(|scope| {
        let done = scope.spawn(|| enter(&file).map(|()| work())).join();
        done.unwrap_or_else(|panic| resume_unwind(panic)).map_err(|error| refused(namespace, &error))
    })
}

/// Runs `work` in a namespace, on a thread that goes on; returns when it is inside.
pub(super) fn go_on<T: Send + 'static>(
    namespace: &str,
    begin: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
    work: impl FnOnce(T) + Send + 'static,
) -> Result<JoinHandle<()>, Trouble> {
    let file = open(namespace)?;
    let (tell, told) = std::sync::mpsc::channel();
    let name = namespace.to_owned();
    let body = move || match enter(&file).map_err(|error| refused(&name, &error)).and_then(|()| begin()) {
        Ok(begun) => {
            // Whoever waits for it is still there: it waits for this.
            let _ = tell.send(None);
            work(begun);
        }
        Err(trouble) => drop(tell.send(Some(trouble))),
    };
    let thread =
        thread::Builder::new().name("rehearsal".into()).spawn(body).map_err(|error| refused(namespace, &error))?;
    match told.recv() {
        Ok(None) => Ok(thread),
        Ok(Some(trouble)) => Err(trouble),
        Err(_) => Err(refused(namespace, &io::Error::other("the thread has ended"))),
    }
}

fn open(namespace: &str) -> Result<File, Trouble> {
    File::open(path_of(namespace)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::new(
            format!("there is no namespace {namespace}"),
            "make the rehearsal first; `ip netns` lists what there is",
        ),
        _ => refused(namespace, &error),
    })
}

fn enter(namespace: &File) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

fn refused(namespace: &str, error: &io::Error) -> Trouble {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => "run it as root, or in the namespaces of whoever made the rehearsal",
        _ => "look at the system's log",
    };
    Trouble::new(format!("cannot enter the namespace {namespace}: {error}"), remedy)
}
