//! The members of an etcd that Everline keeps itself: how one is taken out, and another one takes its place.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::EtcdSettings;
use super::connection::Connection;
use super::messages::{
    EtcdMember, MEMBER_ADD, MEMBER_LIST, MEMBER_REMOVE, MemberAddRequest, MemberAddResponse, MemberListRequest,
    MemberListResponse, MemberRemoveRequest, MemberRemoveResponse,
};
use super::problem::Problem;
use super::slate::PATIENCE;
use crate::wire::Trouble;

/// Takes the first of these members out of the cluster, adds those that come, and takes the others out. What was done already is
/// done. One that comes is known by where the others reach it; it begins when its host runs it.
///
/// # Errors
/// If no majority answers, or it would be none after that.
pub async fn change_members(
    settings: &EtcdSettings,
    go: &[(String, Vec<SocketAddr>)],
    come: &[(String, Vec<SocketAddr>)],
) -> Result<(), Trouble> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let urls = |peers: &[SocketAddr]| peers.iter().map(|peer| format!("{scheme}://{peer}")).collect::<Vec<_>>();
    let (first, rest) = go.split_at(go.len().min(1));
    for (name, peers) in first {
        settings.each(name, Step::Remove(name, urls(peers))).await?;
    }
    for (name, peers) in come {
        settings.each(name, Step::Add(urls(peers))).await?;
    }
    for (name, peers) in rest {
        settings.each(name, Step::Remove(name, urls(peers))).await?;
    }
    Ok(())
}

/// A member must have been heard for five seconds before etcd counts it (`HealthInterval` of 3.4): so long a change may be refused.
const HEALTH: Duration = Duration::from_secs(15);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// What etcd says then (`rpctypes/error.go` of etcd 3.4).
const UNHEALTHY: &str = "unhealthy cluster";

/// One change.
enum Step<'a> {
    /// By its name, and by where it is: one that has not begun has no name.
    Remove(&'a str, Vec<String>),
    Add(Vec<String>),
}

impl EtcdSettings {
    /// Has one member after the other make the change, until one has.
    async fn each(&self, name: &str, step: Step<'_>) -> Result<(), Trouble> {
        let end = Instant::now() + HEALTH;
        let why = loop {
            let mut last = String::from("no address of etcd is known");
            for address in &self.addresses {
                match self.make(address, &step).await {
                    Ok(()) => return Ok(()),
                    // What the cluster says is more than that a member does not answer.
                    Err(problem) if !last.contains(UNHEALTHY) => last = problem.to_string(),
                    Err(_) => {}
                }
            }
            if !last.contains(UNHEALTHY) || Instant::now() > end {
                break last;
            }
            sleep(PAUSE).await;
        };
        Err(Trouble::new(
            format!("the coordinator does not change its member on {name}: {why}"),
            "a majority of its members must be there, and be left: bring the other hosts back; then give the command again",
        ))
    }

    async fn make(&self, address: &str, step: &Step<'_>) -> Result<(), Problem> {
        let late = |_| Problem::lost(format!("{address} does not answer in time"));
        let opened = timeout(PATIENCE, Connection::open(address, self.tls.as_ref())).await;
        let connection = opened.map_err(late)??;
        let change = async {
            let listed: MemberListResponse = connection.ask(MEMBER_LIST, MemberListRequest {}).await?;
            match step {
                Step::Remove(name, urls) => {
                    let is_it =
                        |one: &EtcdMember| one.name == *name || one.peer_urls.iter().any(|url| urls.contains(url));
                    let Some(EtcdMember { id, .. }) = listed.members.into_iter().find(is_it) else {
                        return Ok(());
                    };
                    connection.ask::<_, MemberRemoveResponse>(MEMBER_REMOVE, MemberRemoveRequest { id }).await.map(drop)
                }
                Step::Add(urls) => {
                    if listed.members.iter().any(|one| one.peer_urls.iter().any(|url| urls.contains(url))) {
                        return Ok(());
                    }
                    let request = MemberAddRequest { peer_urls: urls.clone() };
                    connection.ask::<_, MemberAddResponse>(MEMBER_ADD, request).await.map(drop)
                }
            }
        };
        timeout(PATIENCE * 5, change).await.map_err(late)?
    }
}
