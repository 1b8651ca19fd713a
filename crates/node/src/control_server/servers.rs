//! Asks the servers and the local control agent.

use std::io;
use std::time::Duration;

use model::Incarnation;
use tokio::time::{Instant, sleep, timeout};

use super::Pair;
use super::line::Line;
use crate::folder::Folder;
use crate::wire::{
    ApplicationRow, ControlReply, ControlRequest, DetectionRow, FromLca, Opening, Page, Role, ServerReport, ToLca,
    Trouble,
};

/// One attempt may take this long: then the server hangs, or its answer was lost in a takeover.
const ATTEMPT: Duration = Duration::from_millis(500);
/// A request is repeated for this long, which is longer than any takeover or restart should take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(10);
/// Rows that are asked for at a time.
const PAGE: u32 = 1_000;
/// Rows that one answer holds at most.
const MOST_ROWS: usize = 1_000_000;

/// Asks one server once. The process that has answered comes with the answer.
pub(super) async fn ask(
    folder: &Folder,
    application: &str,
    request: &ControlRequest,
) -> io::Result<(ControlReply, u32)> {
    let exchange = async {
        let mut line = Line::open(&folder.socket(application))?;
        line.send(&Opening::Control).await?;
        line.send(request).await?;
        Ok((line.receive().await?, line.peer))
    };
    timeout(ATTEMPT, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Asks whoever is primary, through a takeover if one is under way: the request is repeated as it is, so that one with
/// an id is done once.
pub(super) async fn ask_primary(
    folder: &Folder,
    pair: &Pair,
    request: &ControlRequest,
) -> Result<ControlReply, Trouble> {
    let end = Instant::now() + PATIENCE;
    loop {
        for member in &pair.members {
            match ask(folder, member, request).await {
                Ok((ControlReply::NotPrimary, _)) | Err(_) => {}
                Ok((reply, _)) => return Ok(reply),
            }
        }
        if Instant::now() > end {
            return Err(nobody_serves(pair));
        }
        sleep(PAUSE).await;
    }
}

/// All rows of a listing, page by page.
pub(super) async fn list<Row>(
    folder: &Folder,
    pair: &Pair,
    request: impl Fn(Option<u64>, u32) -> ControlRequest,
    page: impl Fn(ControlReply) -> Option<Page<Row>>,
) -> Result<Vec<Row>, Trouble> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let reply = ask_primary(folder, pair, &request(after, PAGE)).await?;
        let other = || Trouble::new("a server of another version answers", "update all servers to one version");
        let mut next = page(reply).ok_or_else(other)?;
        rows.append(&mut next.rows);
        // A server that would give the same place for ever gives no more rows than that.
        if next.next.is_none() || next.next == after || rows.len() >= MOST_ROWS {
            return Ok(rows);
        }
        after = next.next;
    }
}

/// How one server stands, if it answers.
pub(super) async fn status(folder: &Folder, application: &str) -> Option<(ServerReport, u32)> {
    match ask(folder, application, &ControlRequest::Status).await {
        Ok((ControlReply::Status(report), pid)) => Some((report, pid)),
        _ => None,
    }
}

/// Lets the backup of a pair become primary, and waits until it is. The order is given once: repeated after the change
/// it would undo it.
pub(super) async fn switch_over(folder: &Folder, pair: &Pair, request: u64) -> Result<(), Trouble> {
    let end = Instant::now() + PATIENCE;
    let (primary, before) = loop {
        if let Some(primary) = primary_of(folder, pair).await {
            break primary;
        }
        if Instant::now() > end {
            return Err(nobody_serves(pair));
        }
        sleep(PAUSE).await;
    };
    if let Some(trouble) = hindrance(folder, pair).await {
        return Err(trouble);
    }
    // Without an answer it may have been done as well: that is seen below.
    if let Ok((ControlReply::Refused(trouble), _)) = ask(folder, primary, &ControlRequest::Switchover { request }).await
    {
        return Err(trouble);
    }
    while Instant::now() <= end {
        let now = primary_of(folder, pair).await;
        if now.is_some_and(|(member, report)| member != primary && report.ready && report.epoch > before.epoch) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    let what = format!("the backup of {} has not become primary within {} s", pair.name, PATIENCE.as_secs());
    Err(Trouble::new(what, "`everline status` shows who serves; try again when the pair is level"))
}

/// Why the backup of a pair could not serve, although it holds every record.
async fn hindrance(folder: &Folder, pair: &Pair) -> Option<Trouble> {
    for member in &pair.members {
        let report = status(folder, member).await.map(|(report, _)| report);
        if let Some(report) = report.filter(ServerReport::is_hindered) {
            let why = report.note.unwrap_or_default();
            let what = format!("no switchover of {}: {member} could not serve: {why}", pair.name);
            return Some(Trouble::new(what, "do what is said there; `everline status` shows when it is ready"));
        }
    }
    None
}

/// Has the member of a pair serve that holds most, although another one may, for all that is known: `Ok` says who was in doubt.
/// Without `loss_is_accepted` nothing is done.
pub(super) async fn promote(folder: &Folder, pair: &Pair, loss_is_accepted: bool) -> Result<Vec<Incarnation>, Trouble> {
    if let Some((member, _)) = primary_of(folder, pair).await {
        return Err(Trouble::new(
            format!("no promotion of {}: {member} serves", pair.name),
            "nothing needs to be done",
        ));
    }
    let mut members = Vec::new();
    for member in &pair.members {
        members.extend(status(folder, member).await.map(|(report, _)| (report.role, report.records, member)));
    }
    members.sort_unstable_by_key(|(role, records, _)| std::cmp::Reverse((role.is_some(), *records)));
    let mut refused = nobody_runs(pair);
    for (_, _, member) in members {
        let ask = async |loss_is_accepted| ask(folder, member, &ControlRequest::Promote { loss_is_accepted }).await;
        match ask(false).await {
            Ok((ControlReply::InDoubt(doubted), _)) if !loss_is_accepted => return Ok(doubted),
            Ok((ControlReply::InDoubt(doubted), _)) => match ask(true).await {
                Ok((ControlReply::Done, _)) => return Ok(doubted),
                Ok((ControlReply::Refused(trouble), _)) => refused = trouble,
                _ => {}
            },
            Ok((ControlReply::Refused(trouble), _)) => refused = trouble,
            _ => {}
        }
    }
    Err(refused)
}

fn nobody_runs(pair: &Pair) -> Trouble {
    let what = format!("no member of {} that can be reached runs", pair.name);
    Trouble::new(what, "`everline status` shows what runs where; start a host of one of them")
}

/// The member that says it is primary; of two, the one with the higher epoch.
pub(super) async fn primary_of<'a>(folder: &Folder, pair: &'a Pair) -> Option<(&'a str, ServerReport)> {
    let mut primary: Option<(&str, ServerReport)> = None;
    for member in &pair.members {
        let report = status(folder, member).await.map(|(report, _)| report);
        let newer = |report: &ServerReport| primary.as_ref().is_none_or(|(_, known)| report.epoch > known.epoch);
        if let Some(report) = report.filter(|report| report.role == Some(Role::Primary)).filter(newer) {
            primary = Some((member, report));
        }
    }
    primary
}

/// The applications as the local control agent at this socket sees them, and its process.
pub(super) async fn applications(folder: &Folder, agent: &str) -> io::Result<(Vec<ApplicationRow>, u32)> {
    let exchange = async {
        let mut line = Line::open(&folder.socket(agent))?;
        line.send(&ToLca::Follow).await?;
        loop {
            if let FromLca::Applications(rows) = line.receive().await? {
                return Ok((rows, line.peer));
            }
        }
    };
    timeout(ATTEMPT, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// What the local control agent at this socket knows to have been noticed on its host.
pub(super) async fn detections(folder: &Folder, agent: &str) -> io::Result<Vec<DetectionRow>> {
    let exchange = async {
        let mut line = Line::open(&folder.socket(agent))?;
        line.send(&ToLca::Detections).await?;
        loop {
            if let FromLca::Detections(rows) = line.receive().await? {
                return Ok(rows);
            }
        }
    };
    timeout(ATTEMPT, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Has the local control agent end everything.
pub(super) async fn stop_all(folder: &Folder) -> io::Result<()> {
    Line::open(&folder.socket("lca"))?.send(&ToLca::StopAll).await
}

fn nobody_serves(pair: &Pair) -> Trouble {
    let what = format!("no server of pair {} serves at the moment", pair.name);
    Trouble::new(what, "`everline status` shows what is missing; the files in log/ say why")
}
