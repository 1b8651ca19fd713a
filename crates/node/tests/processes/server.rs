//! What a test application answers to the control server. Who is primary stands in a file, for both sides of a pair.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use model::Epoch;
use node::folder::Folder;
use node::hub::Hub;
use node::wire::{AgentRow, CallRow, ControlReply, ControlRequest, Opening, Page, Role, ServerReport, Trouble};

/// Calls that a primary claims to have: more than one page.
pub(crate) const CALLS: u64 = 2_500;
/// An agent for whom a server dies when it is given an order for the first time.
pub(crate) const FATAL_AGENT: &str = "carl";

/// The primary of a pair and its epoch.
pub(crate) fn lead(folder: &Folder, pair: &str, name: &str, epoch: u64) {
    let path = folder.path().join(format!("primary-{pair}"));
    let new = path.with_extension("new");
    fs::write(&new, format!("{name} {epoch}")).unwrap();
    fs::rename(new, path).unwrap();
}

/// One server, as far as the control server talks to it.
pub(crate) struct Server {
    folder: Folder,
    name: String,
    pair: String,
    /// Whether each connection has said what it is for.
    hub: Hub<bool>,
}

impl Server {
    pub(crate) fn new(folder: &Folder, name: &str) -> io::Result<Self> {
        let pair = name.split('-').next().unwrap_or_default().into();
        Ok(Self { folder: folder.clone(), name: name.into(), pair, hub: Hub::listen(&folder.socket(name))? })
    }

    pub(crate) fn serve(&mut self) {
        for guest in self.hub.ready() {
            if self.hub.note(guest) == Some(&mut false) {
                let Some((opening, _)) = self.hub.receive::<Opening>(guest) else { continue };
                assert_eq!(opening, Opening::Control);
                self.hub.note(guest).into_iter().for_each(|opened| *opened = true);
            }
            while let Some((request, _)) = self.hub.receive::<ControlRequest>(guest) {
                let reply = self.answer(request);
                self.hub.send(guest, &reply);
            }
        }
    }

    fn answer(&self, request: ControlRequest) -> ControlReply {
        let primary = fs::read_to_string(self.folder.path().join(format!("primary-{}", self.pair))).unwrap_or_default();
        let (primary, epoch) = primary.split_once(' ').unwrap_or_default();
        let epoch = epoch.parse().unwrap_or_default();
        let is_primary = primary == self.name;
        match request {
            ControlRequest::Status => ControlReply::Status(ServerReport {
                role: Some(if is_primary { Role::Primary } else { Role::Backup }),
                epoch: Epoch(epoch),
                ready: true,
                records: 123,
                state_hash: 0xabc,
                level: true,
                ..Default::default()
            }),
            _ if !is_primary => ControlReply::NotPrimary,
            ControlRequest::Calls { after, limit } => ControlReply::Calls(calls(after, limit)),
            ControlRequest::Agents { .. } => ControlReply::Agents(Page { rows: vec![anna()], next: None }),
            ControlRequest::SetAgent { agent, .. } if agent == "nobody" => {
                ControlReply::Refused(Trouble::new("there is no agent nobody", "`everline agents` lists all"))
            }
            ControlRequest::SetAgent { request, agent, ready, reason } => {
                let known = self.order(request).exists();
                fs::write(self.order(request), format!("{agent} {ready} {}", reason.unwrap_or_default())).unwrap();
                if agent == FATAL_AGENT && !known {
                    std::process::abort();
                }
                ControlReply::Done
            }
            ControlRequest::Promote { .. } => {
                ControlReply::Refused(Trouble::new("no promotion: nobody is in doubt", "see `everline status`"))
            }
            ControlRequest::Switchover { .. } if self.pair != "sip" => {
                ControlReply::Refused(Trouble::new("no switchover: there is no backup", "start one"))
            }
            ControlRequest::Switchover { .. } => {
                let other = if self.name == "sip-a" { "sip-b" } else { "sip-a" };
                lead(&self.folder, &self.pair, other, epoch + 1);
                ControlReply::Done
            }
        }
    }

    /// Remembers an order under its name.
    fn order(&self, request: u64) -> PathBuf {
        self.folder.path().join(format!("order-{request}"))
    }
}

impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hub.as_fd()
    }
}

fn calls(after: Option<u64>, limit: u32) -> Page<CallRow> {
    let first = after.map_or(0, |after| after + 1);
    let row = |number: u64| CallRow {
        id: format!("call-{number}"),
        state: "ringing".into(),
        from: "1002".into(),
        to: "9000".into(),
        queue: Some("9000".into()),
        agent: Some("anna".into()),
        since: 1_795_510_800_000_000,
    };
    let end = CALLS.min(first + u64::from(limit));
    Page { rows: (first..end).map(row).collect(), next: (end < CALLS).then(|| end - 1) }
}

fn anna() -> AgentRow {
    AgentRow {
        id: "anna".into(),
        extension: "1001".into(),
        state: "not-ready".into(),
        reason: Some("lunch".into()),
        since: 1_795_510_800_000_000,
    }
}
