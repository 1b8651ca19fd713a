//! `everline host token HOST --again`: another machine comes in the place of one that is gone.

use std::thread::sleep;

use node::authority::Comes;
use node::coordinator::{change_members, note_gone};

use super::apply::goes_on;
use super::remove::{AWAY, Alive, LOOK, block_on, is_off, patiently, publish};
use super::{document, member, newest};
use crate::config::Source;
use crate::control::Control;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::remark;

/// Shuts out the machine that was the host `name`, so that the next one of that name begins anew: its certificates count for nothing, what ran
/// there has ended, runs are counted anew, and its member of etcd is replaced by one that has promised nothing yet. Where no majority
/// of the coordinator answers nothing is done, which is said.
///
/// # Errors
/// If it lives, if it is not reached and has a side of a pair and that is not to be done by `force`, or if only a part of that could be
/// done.
pub(super) fn replace(folder: &Folder, control: &Control<'_>, name: &str, force: bool) -> Result<Comes, Failure> {
    let (here, kept) = member(folder)?;
    let shared = newest(folder, &here, kept);
    let settings = document::settings(&shared, &here)?;
    let Some(hosts) = &settings.hosts else { return Err(Failure::failed("the configuration names no hosts")) };
    let (etcd, gone) = (hosts.etcd(folder, &settings.solution), hosts.placed_on(name));
    // Whether it can be done is seen before anything is.
    let lives = lives(control, name);
    if matches!(lives, Ok(true)) {
        let help =
            format!("end it there by `everline stop`, or take it off the network: two machines cannot be {name}");
        return Err(Failure::failed(format!("{name} lives; no token was made")).help(help));
    }
    if matches!(lives, Ok(false)) {
        is_off(name, hosts, settings.sip.standby, force)?;
    }
    if let Err(failure) = lives.and_then(|_| block_on(note_gone(&etcd, &[]))) {
        remark(&format!(
            "warning: the machine that was {name} is not shut out, and its member of the coordinator not replaced: {}; give the \
             command again when that is mended, if you can wait",
            failure.what()
        ));
        return Ok(Comes::Again);
    }
    let names = if hosts.members().iter().any(|member| member == name) { vec![name.to_owned()] } else { Vec::new() };
    let remain: Vec<String> = hosts.all.iter().map(|host| host.name.clone()).filter(|host| host != name).collect();
    let version = shared.version;
    let source = Source { text: shared.text, files: shared.files, variables: shared.variables };
    let moved = hosts.on(name).into_iter().collect();
    publish(folder, control, (version, &source), (&remain, moved), name)?;
    goes_on(folder, version)?;
    patiently(|| block_on(note_gone(&etcd, &gone)))?;
    let peers = hosts.peers_of(&names);
    block_on(change_members(&etcd, &peers, &peers))?;
    Ok(Comes::Anew)
}

/// Whether the host is seen from here: one that is late to answer lives.
fn lives(control: &Control<'_>, name: &str) -> Result<bool, Failure> {
    for _ in 0..AWAY {
        if Alive::ask(control)?.hosts.contains(name) {
            return Ok(true);
        }
        sleep(LOOK * 3);
    }
    Ok(false)
}
