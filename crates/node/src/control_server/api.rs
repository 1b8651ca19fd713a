//! The routes of the API.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::unix::net::UnixListener;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::ControlSettings;
use super::answers::{Agents, Calls, Done, Refused, Status};
use super::ask::Sockets;
use crate::wire::{ControlReply, ControlRequest, Page, Trouble};

/// Rows of one part of a listing.
const PART: u32 = 1_000;

/// What every route needs.
#[derive(Clone, Debug)]
struct Context {
    sockets: Sockets,
    solution: String,
}

/// Serves requests until the process ends.
pub(super) fn serve(door: UnixListener, settings: ControlSettings) {
    let context = Context { sockets: Sockets::new(&settings.dir), solution: settings.solution };
    let routes = Router::new()
        .route("/v1/health", get(health))
        .route("/v1/status", get(status))
        .route("/v1/calls", get(calls))
        .route("/v1/agents", get(agents))
        .route("/v1/agents/{id}/ready", post(agent_ready))
        .route("/v1/agents/{id}/not-ready", post(agent_not_ready))
        .route("/v1/pairs/{pair}/switchover", post(switchover))
        .route("/v1/stop", post(stop))
        .with_state(context);
    let served =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().and_then(|runtime| {
            runtime.block_on(async { axum::serve(tokio::net::UnixListener::from_std(door)?, routes).await })
        });
    if let Err(error) = served {
        tracing::error!("the API ends: {error}");
    }
}

type Answer<T> = Result<Json<T>, Failure>;

/// An error with its status.
struct Failure(StatusCode, Trouble);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(Refused { error: self.1 })).into_response()
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, trouble)
    }
}

/// Runs what waits for other processes where waiting holds nobody up.
async fn wait<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let ended = || Trouble::new("the request was given up", "ask again");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ended().into()))
}

async fn health() -> Json<Done> {
    Json(Done { done: true })
}

async fn status(State(context): State<Context>) -> Answer<Status> {
    wait(move || {
        let mut rows = context.sockets.applications()?;
        for row in rows.iter_mut().filter(|row| row.pair.is_some() && row.pid.is_some()) {
            // The counts that the LCA was told are old; the server itself knows.
            if let Some(ControlReply::Status(report)) = context.sockets.one(&row.name, &ControlRequest::Status) {
                row.report = Some(report);
            }
        }
        let applications = rows.into_iter().map(Into::into).collect();
        Ok(Json(Status { solution: context.solution, applications }))
    })
    .await
}

async fn calls(State(context): State<Context>) -> Answer<Calls> {
    wait(move || {
        let request = |after| ControlRequest::Calls { after, limit: PART };
        let rows = whole(&context.sockets, "sip", request, |reply| match reply {
            ControlReply::Calls(page) => Some(page),
            _ => None,
        })?;
        Ok(Json(Calls { calls: rows.into_iter().map(Into::into).collect() }))
    })
    .await
}

async fn agents(State(context): State<Context>) -> Answer<Agents> {
    wait(move || {
        let request = |after| ControlRequest::Agents { after, limit: PART };
        let rows = whole(&context.sockets, "routing", request, |reply| match reply {
            ControlReply::Agents(page) => Some(page),
            _ => None,
        })?;
        Ok(Json(Agents { agents: rows.into_iter().map(Into::into).collect() }))
    })
    .await
}

/// A listing in parts, so that no server is held up by it.
fn whole<Row>(
    sockets: &Sockets,
    pair: &str,
    request: impl Fn(Option<u64>) -> ControlRequest,
    page: impl Fn(ControlReply) -> Option<Page<Row>>,
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let reply = sockets.primary(pair, &request(after))?;
        let part = page(reply).ok_or_else(|| Trouble::new("the server's answer is not a listing", "ask again"))?;
        rows.extend(part.rows);
        after = part.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

/// The body of an order to an agent's state.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Reason {
    reason: Option<String>,
}

async fn agent_ready(State(context): State<Context>, Path(id): Path<String>) -> Answer<Done> {
    set_agent(context, id, true, None).await
}

async fn agent_not_ready(
    State(context): State<Context>,
    Path(id): Path<String>,
    body: Option<Json<Reason>>,
) -> Answer<Done> {
    set_agent(context, id, false, body.and_then(|Json(body)| body.reason)).await
}

async fn set_agent(context: Context, agent: String, ready: bool, reason: Option<String>) -> Answer<Done> {
    let request = ControlRequest::SetAgent { request: draw(), agent, ready, reason };
    order(context, "routing".to_owned(), request).await
}

async fn switchover(State(context): State<Context>, Path(pair): Path<String>) -> Answer<Done> {
    if !["sip", "routing"].contains(&pair.as_str()) {
        let trouble = Trouble::new(format!("there is no pair \"{pair}\""), "the pairs are sip and routing");
        return Err(Failure(StatusCode::NOT_FOUND, trouble));
    }
    order(context, pair, ControlRequest::Switchover { request: draw() }).await
}

/// Gives an order to the primary of a pair; repeated through a takeover with the same number, it is done once.
async fn order(context: Context, pair: String, request: ControlRequest) -> Answer<Done> {
    wait(move || match context.sockets.primary(&pair, &request)? {
        ControlReply::Refused(trouble) => Err(Failure(StatusCode::CONFLICT, trouble)),
        _ => Ok(Json(Done { done: true })),
    })
    .await
}

async fn stop(State(context): State<Context>) -> Answer<Done> {
    wait(move || {
        context.sockets.stop_all()?;
        Ok(Json(Done { done: true }))
    })
    .await
}

/// A number for a request, which nobody else draws: the standard library's hasher is seeded by the system.
fn draw() -> u64 {
    RandomState::new().build_hasher().finish()
}
