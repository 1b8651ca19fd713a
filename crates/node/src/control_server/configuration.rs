//! The configuration that all hosts share, as this host's control server sees it: it keeps the newest version on this host,
//! and makes changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::refusal::Refusal;
use super::{ControlSettings, rows};
use crate::configuration::{self, Document};
use crate::coordinator::{Book, Change};
use crate::folder::Folder;
use crate::wire::Trouble;

/// How often the coordinator is asked whether there is a newer version.
const LOOK: Duration = Duration::from_secs(1);

/// The book, and what the host runs with.
#[derive(Debug)]
pub(super) struct Shared {
    folder: Folder,
    host: String,
    book: Book,
    /// The version that the processes of this host have read.
    running: u64,
}

/// `GET /v1/configuration`
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    version: u64,
    by: String,
    at: String,
    text: String,
    /// The version that this host runs with.
    running: u64,
    /// Whether the coordinator has said so just now; else it is the last version that this host has seen.
    current: bool,
}

/// `POST /v1/configuration`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// The version that is to be replaced.
    over: u64,
    text: String,
    files: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    /// Another list of certificates that count for nothing; none: the one that there is stays.
    #[serde(default)]
    revoked: Option<String>,
    /// Applications of pairs that it moves to other hosts.
    #[serde(default)]
    moved: BTreeSet<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    version: u64,
}

impl Shared {
    /// What the settings say; none where there is one host, or in a rehearsal.
    pub(super) fn new(settings: &ControlSettings) -> Option<Self> {
        Some(Self {
            folder: settings.folder.clone(),
            host: settings.host.clone(),
            book: Book::new(settings.etcd.clone()?),
            running: settings.version?,
        })
    }

    /// Keeps this host's copy of the configuration the newest, for ever.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut said = None;
        loop {
            let outcome = self.look().await;
            let trouble = outcome.err().map(|trouble| trouble.to_string());
            if trouble != said {
                match &trouble {
                    Some(what) => tracing::warn!("{what}"),
                    None => tracing::info!("the configuration can be read and changed"),
                }
                said = trouble;
            }
            sleep(LOOK).await;
        }
    }

    async fn look(&self) -> Result<(), Trouble> {
        let kept = configuration::kept(&self.folder)?;
        match (self.book.read().await?, kept) {
            (Some(newest), kept) => {
                if kept.is_none_or(|kept| kept.version < newest.version) {
                    tracing::info!("version {} of the configuration, by {}", newest.version, newest.by);
                    configuration::keep(&self.folder, &newest)?;
                }
                Ok(())
            }
            // The coordinator is new: it gets what the hosts began with.
            (None, Some(kept)) => self.book.change(&kept).await.map(drop),
            (None, None) => Ok(()),
        }
    }
}

/// The newest version that this host has seen and the one that it runs with.
pub(super) fn versions(settings: &ControlSettings) -> Option<rows::Versions> {
    let running = settings.version?;
    let newest = configuration::kept(&settings.folder).ok()??.version;
    Some(rows::Versions { newest, running })
}

/// Shows the newest version.
pub(super) async fn show(State(shared): State<Option<Arc<Shared>>>) -> Result<Json<Shown>, Refusal> {
    let shared = shared.ok_or_else(one_host)?;
    let (document, current) = match shared.book.read().await {
        Ok(Some(document)) => (Some(document), true),
        Ok(None) | Err(_) => (configuration::kept(&shared.folder).map_err(Refusal::unavailable)?, false),
    };
    let Document { version, by, at, text, .. } = document.ok_or_else(one_host)?;
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let at = rows::date(seconds.saturating_mul(1_000_000));
    Ok(Json(Shown { version, by, at, text, running: shared.running, current }))
}

/// Puts a new version in the place of the one that it is made from.
pub(super) async fn change(
    State(shared): State<Option<Arc<Shared>>>,
    Json(Order { over, text, files, variables, revoked, moved }): Json<Order>,
) -> Result<Json<Changed>, Refusal> {
    let shared = shared.ok_or_else(one_host)?;
    let (by, at) = (shared.host.clone(), SystemTime::now());
    // An empty coordinator takes what this host has kept, as it would at its start.
    let before = match shared.book.read().await.map_err(Refusal::unavailable)? {
        Some(before) => Some(before),
        None => configuration::kept(&shared.folder).map_err(Refusal::unavailable)?,
    };
    let version = over.saturating_add(1);
    let (list, mut moves) = before.map_or_else(Default::default, |before| (before.revoked, before.moved));
    moves.extend(moved.into_iter().map(|application| (application, version)));
    let new = Document { version, by, at, text, files, variables, revoked: revoked.or(list), moved: moves };
    match shared.book.change(&new).await.map_err(Refusal::unavailable)? {
        Change::Made => {
            configuration::keep(&shared.folder, &new).map_err(Refusal::unavailable)?;
            Ok(Json(Changed { version: new.version }))
        }
        Change::Moved(now) => {
            let (version, by) = now.map_or((0, String::new()), |now| (now.version, now.by));
            let what = format!(
                "the configuration stands at version {version}, by {by}; this change was made from version {over}"
            );
            let remedy = format!(
                "`everline config show` prints version {version}: write its changes into everline.toml, then `everline config \
                 apply --over {version}`"
            );
            Err(Refusal::refused(Trouble::new(what, remedy)).with_status(StatusCode::CONFLICT))
        }
    }
}

fn one_host() -> Refusal {
    let what = "this contact centre has no configuration that several hosts share";
    Refusal::unknown(what, "with one host, everline.toml counts from the next `everline up`")
}
