//! Who waits for whom, and who is reached.

use std::collections::BTreeSet;

use management::fence::{Attempt, Seen};
use model::Incarnation;

use crate::control_server::probe::Unanswered;
use crate::control_server::{ControlSettings, Pair, servers};
use crate::wire::{ControlReply, ControlRequest};

/// What one look has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// What is decided by.
    pub(super) seen: Seen,
    /// Those on the host that is waited for of whom nobody knows whether they have ended.
    pub(super) doubted: Vec<Incarnation>,
    /// Why the host of the attempt must not be fenced.
    pub(super) objection: Option<String>,
    /// Why nobody is fenced although somebody is waited for.
    pub(super) hindrance: Option<String>,
}

/// Looks around.
pub(super) async fn look(settings: &ControlSettings, unanswered: &Unanswered, attempt: Option<Attempt>) -> Sight {
    let mut sight = Sight::default();
    if let Some(attempt) = &attempt
        && attempt.by != settings.host
    {
        sight.objection = objection(settings, unanswered, &attempt.host).await;
        sight.seen.objects = sight.objection.is_some();
    }
    sight.seen.attempt = attempt;
    let doubted = doubted(settings).await;
    let hosts: BTreeSet<&str> = doubted.iter().filter_map(|who| host_of(settings, who)).collect();
    let Some(first) = hosts.first() else { return sight };
    if served_by_nobody_we_reach(settings, unanswered).await {
        let why = format!("{first} is not fenced: a host that cannot be reached from here still answers phones");
        sight.hindrance = Some(why);
        return sight;
    }
    sight.seen.waits_for = Some((*first).to_owned());
    sight.doubted = doubted.iter().filter(|who| host_of(settings, who) == Some(first)).cloned().collect();
    sight
}

/// Those whom pairs wait for here, where nobody serves the pair and no host of theirs is reached: one that is says itself what has
/// ended.
async fn doubted(settings: &ControlSettings) -> Vec<Incarnation> {
    let mut all = Vec::new();
    for pair in [&settings.sip, &settings.routing] {
        let doubted = doubted_by(settings, pair).await;
        if doubted.is_empty() || servers::primary_of(&settings.folder, pair).await.is_some() {
            continue;
        }
        let mut are_lost = true;
        for who in &doubted {
            are_lost &= match host_of(settings, who) {
                Some(host) => !is_reached(settings, host).await,
                None => false,
            };
        }
        if are_lost {
            all.extend(doubted);
        }
    }
    all
}

/// Those who keep members of the pair on this host from beginning.
async fn doubted_by(settings: &ControlSettings, pair: &Pair) -> BTreeSet<Incarnation> {
    let mut all = BTreeSet::new();
    let is_here = |member: &&String| settings.places.get(*member) == Some(&settings.host);
    for member in pair.members.iter().filter(is_here) {
        let question = ControlRequest::Promote { loss_is_accepted: false };
        if let Ok((ControlReply::InDoubt(doubted), _)) = servers::ask(&settings.folder, member, &question).await {
            all.extend(doubted);
        }
    }
    all
}

/// The host of an incarnation; none if the application was elsewhere then.
fn host_of<'a>(settings: &'a ControlSettings, who: &Incarnation) -> Option<&'a str> {
    let moved = settings.moved.get(&who.application).copied().unwrap_or_default();
    settings.places.get(&who.application).filter(|_| who.move_number() == moved).map(String::as_str)
}

/// Whether the agent of a host answers; this host is reached.
async fn is_reached(settings: &ControlSettings, host: &str) -> bool {
    let Some(other) = settings.others.iter().find(|other| other.name == host) else { return true };
    servers::applications(&settings.folder, &other.agent).await.is_ok()
}

async fn objection(settings: &ControlSettings, unanswered: &Unanswered, host: &str) -> Option<String> {
    if host == settings.host {
        return Some(format!("{host} says that it lives"));
    }
    if is_reached(settings, host).await {
        return Some(format!("{} reaches {host}", settings.host));
    }
    let is_heard = served_by_nobody_we_reach(settings, unanswered).await;
    is_heard.then(|| format!("{} hears somebody answer phones whom it does not reach", settings.host))
}

/// True if somebody answers at an address of the SIP Server, and none is known here who could: it is one of those that are not
/// reached, in its corner of the network, with the calls that it has.
async fn served_by_nobody_we_reach(settings: &ControlSettings, unanswered: &Unanswered) -> bool {
    let is_answered = settings.probed.iter().any(|place| !unanswered.is_silent(place));
    is_answered && servers::primary_of(&settings.folder, &settings.sip).await.is_none()
}
