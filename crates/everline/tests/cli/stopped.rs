//! One thread of a process, stopped as by a debugger, while all others go on.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::{fs, io, ptr, thread};

/// Stops the thread of this name for as long as its process lives. The first thread of a process has the name of the program.
pub(crate) fn stop(process: i32, name: &str) {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it lives").flatten();
    let mut numbers = tasks.filter_map(|task| task.file_name().to_str()?.parse::<i32>().ok());
    let is_it = |number: &i32| {
        let comm = fs::read_to_string(format!("/proc/{process}/task/{number}/comm")).unwrap_or_default();
        comm.trim_end() == name
    };
    let number = numbers.find(is_it).unwrap_or_else(|| panic!("process {process} has no thread {name}"));
    trace(number).unwrap_or_else(|error| panic!("cannot stop the thread {name} of process {process}: {error}"));
}

/// Whether this user may stop a thread of a process that it has started.
pub(crate) fn can_stop() -> bool {
    let Ok(mut child) = Command::new("sleep").arg("600").stdout(Stdio::null()).spawn() else { return false };
    let stopped = trace(child.id().cast_signed());
    let _ = child.kill().and_then(|()| child.wait());
    stopped.is_ok()
}

/// Stops this thread. Only the thread that has asked for it may take leave of it, which is to happen as soon as it has ended.
fn trace(number: i32) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let _ = tell.send(ask(libc::PTRACE_SEIZE, number).and_then(|()| ask(libc::PTRACE_INTERRUPT, number)).and_then(
            |()| {
                wait(number)?;
                Ok(())
            },
        ));
        while wait(number).is_ok_and(|status| libc::WIFSTOPPED(status)) {}
    });
    told.recv().map_err(io::Error::other)?
}

fn ask(request: libc::c_uint, number: i32) -> io::Result<()> {
    // SAFETY: these requests read and write no memory of this process.
    match unsafe { libc::ptrace(request, number, ptr::null_mut::<libc::c_void>(), ptr::null_mut::<libc::c_void>()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn wait(number: i32) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: the status lives as long as the call.
    match unsafe { libc::waitpid(number, &raw mut status, libc::__WALL) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(status),
    }
}
