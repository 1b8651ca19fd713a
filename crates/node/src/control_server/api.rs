//! The paths of the interface, and what each of them does.

use std::future::IntoFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use model::hash64;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::configuration::{self, Shared};
use super::coordination::Missing;
use super::refusal::Refusal;
use super::rows::{Agents, Application, Calls, Coordinator, Detection, Health, Host, Hosts, PairHealth, Status};
use super::{ControlSettings, OtherHost, Pair, servers};
use crate::configuration::LONGEST;
use crate::wire::{ApplicationRow, ControlReply, ControlRequest, ServerReport, Trouble};

/// The largest body of a request, in bytes.
const MOST_BODY: usize = 64 << 10;
/// Requests that are being answered when the end comes may take this much longer.
const END: Duration = Duration::from_millis(500);

type Settings = State<Arc<ControlSettings>>;
type Answer<T> = Result<Json<T>, Refusal>;

/// Answers until the end comes.
pub(super) async fn serve(
    listener: UnixListener,
    settings: Arc<ControlSettings>,
    missing: Missing,
    end: oneshot::Receiver<()>,
) -> io::Result<()> {
    let shared = Shared::new(&settings).map(Arc::new);
    if let Some(shared) = shared.clone() {
        tokio::spawn(shared.follow());
    }
    let of_configuration = Router::new()
        .route("/v1/configuration", get(configuration::show).post(configuration::change))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(shared);
    let router = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/hosts", get(hosts))
        .route("/v1/health", get(health))
        .route("/v1/calls", get(calls))
        .route("/v1/agents", get(agents))
        .route("/v1/agents/{id}/ready", post(agent_ready))
        .route("/v1/agents/{id}/not-ready", post(agent_not_ready))
        .route("/v1/pairs/{pair}/switchover", post(switchover))
        .route("/v1/pairs/{pair}/promote", post(promote))
        .route("/v1/stop", post(stop))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(Extension(missing))
        .with_state(settings)
        .merge(of_configuration);
    let (ended, is_ended) = oneshot::channel::<()>();
    let until = async {
        // An error says that the other thread is gone, which is the end as well.
        let _ = end.await;
        drop(ended);
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(until).into_future();
    let too_late = async {
        let _ = is_ended.await;
        tokio::time::sleep(END).await;
    };
    tokio::select! {
        outcome = served => outcome,
        () = too_late => Ok(()),
    }
}

async fn status(State(settings): Settings, Extension(missing): Extension<Missing>) -> Json<Status> {
    let (applications, detections) = tokio::join!(applications(&settings), detections(&settings));
    let configuration = configuration::versions(&settings);
    let coordinator = settings.etcd.as_ref().map(|_| Coordinator { members_missing: missing.names() });
    Json(Status { solution: settings.solution.clone(), applications, coordinator, configuration, detections })
}

/// What was noticed on each host whose local control agent answers.
async fn detections(settings: &Arc<ControlSettings>) -> Vec<Detection> {
    let here = std::iter::once((settings.host.clone(), "lca".to_owned()));
    let others = settings.others.iter().map(|other| (other.name.clone(), other.agent.clone()));
    let asked: Vec<_> = here
        .chain(others)
        .map(|(host, agent)| {
            let settings = Arc::clone(settings);
            tokio::spawn(async move {
                let rows = servers::detections(&settings.folder, &agent).await.unwrap_or_default();
                rows.into_iter().map(|row| Detection::new(row, &host)).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all = Vec::new();
    for host in asked {
        all.extend(host.await.unwrap_or_default());
    }
    all
}

async fn hosts(State(settings): Settings) -> Json<Hosts> {
    let applications = applications(&settings).await;
    let here = (&settings.host, &settings.addresses);
    let all = std::iter::once(here).chain(settings.others.iter().map(|other| (&other.name, &other.addresses)));
    let mut hosts: Vec<Host> = all
        .map(|(name, addresses)| {
            let there = || applications.iter().filter(|one| one.host == *name);
            let here = *name == settings.host;
            Host {
                here,
                // What answers here is on this host.
                reachable: here || there().any(|one| one.name == "lca" && one.state == "started"),
                addresses: addresses.iter().map(ToString::to_string).collect(),
                applications: there().filter(|one| one.pair.is_some()).map(|one| one.name.clone()).collect(),
                name: name.clone(),
            }
        })
        .collect();
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    Json(Hosts { hosts })
}

async fn health(State(settings): Settings) -> (StatusCode, Json<Health>) {
    let applications = applications(&settings).await;
    let pairs = [&settings.sip, &settings.routing].map(|pair| PairHealth::new(&pair.name, &applications));
    let healthy = pairs.iter().all(|pair| pair.primary.is_some());
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { healthy, pairs: pairs.into() }))
}

async fn calls(State(settings): Settings) -> Answer<Calls> {
    let request = |after, limit| ControlRequest::Calls { after, limit };
    let page = |reply| if let ControlReply::Calls(page) = reply { Some(page) } else { None };
    let rows = servers::list(&settings.folder, &settings.sip, request, page).await.map_err(Refusal::unavailable)?;
    Ok(Json(Calls { calls: rows.into_iter().map(Into::into).collect() }))
}

async fn agents(State(settings): Settings) -> Answer<Agents> {
    let request = |after, limit| ControlRequest::Agents { after, limit };
    let page = |reply| if let ControlReply::Agents(page) = reply { Some(page) } else { None };
    let rows = servers::list(&settings.folder, &settings.routing, request, page).await.map_err(Refusal::unavailable)?;
    Ok(Json(Agents { agents: rows.into_iter().map(Into::into).collect() }))
}

/// What an order to an agent's state may say besides.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentOrder {
    /// Why not ready.
    reason: Option<String>,
    /// Names the order: one that is repeated under the same name is done once.
    request_id: Option<String>,
}

async fn agent_ready(settings: Settings, agent: Path<String>, body: Result<Bytes, BytesRejection>) -> Answer<Value> {
    set_agent(settings, agent, true, body).await
}

async fn agent_not_ready(
    settings: Settings,
    agent: Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Value> {
    set_agent(settings, agent, false, body).await
}

async fn set_agent(
    State(settings): Settings,
    Path(agent): Path<String>,
    ready: bool,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Value> {
    let AgentOrder { reason, request_id } = read(body, "{\"reason\": \"...\"}")?;
    if reason.as_ref().is_some_and(|reason| reason.contains(char::is_control)) {
        return Err(Refusal::wrong("the reason has control characters", "say it in one line of letters"));
    }
    let request = request_id.map_or_else(draw, |id| Ok(hash64(id.as_bytes())))?;
    let order = ControlRequest::SetAgent { request, agent, ready, reason };
    match servers::ask_primary(&settings.folder, &settings.routing, &order).await {
        Ok(ControlReply::Refused(trouble)) => Err(Refusal::refused(trouble)),
        Ok(_) => Ok(Json(json!({}))),
        Err(trouble) => Err(Refusal::unavailable(trouble)),
    }
}

async fn switchover(State(settings): Settings, Path(name): Path<String>) -> Answer<Value> {
    let pair = pair(&settings, &name)?;
    servers::switch_over(&settings.folder, pair, draw()?).await.map_err(Refusal::refused)?;
    Ok(Json(json!({})))
}

/// What an operator says who accepts a loss.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Promotion {
    #[serde(default)]
    accept_loss: bool,
}

async fn promote(
    State(settings): Settings,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Value> {
    let Promotion { accept_loss } = read(body, "{\"accept_loss\": true}")?;
    let pair = pair(&settings, &name)?;
    let doubted = servers::promote(&settings.folder, pair, accept_loss).await.map_err(Refusal::refused)?;
    let doubted: Vec<String> = doubted.iter().map(ToString::to_string).collect();
    Ok(Json(json!({ "in_doubt": doubted })))
}

fn pair<'a>(settings: &'a ControlSettings, name: &str) -> Result<&'a Pair, Refusal> {
    let pairs = [&settings.sip, &settings.routing];
    pairs.into_iter().find(|pair| pair.name == name).ok_or_else(|| {
        let known = pairs.map(|pair| pair.name.as_str()).join(", ");
        Refusal::unknown(format!("there is no pair \"{name}\""), format!("the pairs are {known}"))
    })
}

async fn stop(State(settings): Settings) -> Result<(StatusCode, Json<Value>), Refusal> {
    servers::stop_all(&settings.folder).await.map_err(|error| {
        let what = format!("the local control agent, which ends everything, does not answer: {error}");
        Refusal::unavailable(Trouble::new(what, "`everline up` starts it again; then try again"))
    })?;
    Ok((StatusCode::ACCEPTED, Json(json!({}))))
}

async fn no_such_path(path: Uri) -> Refusal {
    Refusal::unknown(format!("there is nothing at {}", path.path()), "GET /v1/status lists the applications")
}

async fn no_such_method() -> Refusal {
    let refusal = Refusal::wrong("this path does not take this method", "ask by GET, give orders by POST");
    refusal.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// The applications as they stand now. Without the local control agent they are asked themselves.
async fn applications(settings: &Arc<ControlSettings>) -> Vec<Application> {
    let elsewhere: Vec<_> = settings
        .others
        .iter()
        .map(|other| tokio::spawn(of_another_host(Arc::clone(settings), other.clone())))
        .collect();
    let mut all = of_this_host(settings).await;
    for host in elsewhere {
        for row in host.await.unwrap_or_default() {
            // Without our own agent nothing tells us what runs elsewhere; the other host does.
            all.retain(|known| row.pair.is_none() || known.name != row.name);
            all.push(row);
        }
    }
    // The same from every host.
    all.sort_by(|one, other| one.host.cmp(&other.host));
    all
}

async fn of_this_host(settings: &Arc<ControlSettings>) -> Vec<Application> {
    let (mut rows, lca) = match servers::applications(&settings.folder, "lca").await {
        Ok((rows, pid)) => (rows, Some(pid)),
        Err(_) => (settings.rows(), None),
    };
    let asked = ask_all(settings, &rows);
    let mut reports = Vec::new();
    for (row, report) in rows.iter_mut().zip(asked) {
        let report = report.await.ok().flatten();
        if let (None, Some((_, pid))) = (lca, &report) {
            (row.state, row.pid) = ("started".into(), Some(*pid));
        }
        reports.push(report.map(|(report, _)| report));
    }
    rows.push(ApplicationRow { pid: lca, ..row("lca", None, lca.is_some()) });
    let reports = reports.into_iter().chain([None]);
    rows.into_iter().zip(reports).map(|(row, report)| Application::new(row, report, &settings.host)).collect()
}

/// What runs on another host: that its agent cannot be reached is all that is known of it otherwise.
async fn of_another_host(settings: Arc<ControlSettings>, other: OtherHost) -> Vec<Application> {
    let found = servers::applications(&settings.folder, &other.agent).await;
    let away = || {
        let what = format!("{} cannot be reached, and what runs there is not known", other.name);
        Trouble::new(what, "see whether it has power, `everline host run` runs there, and its networks are whole")
    };
    let agent = ApplicationRow { trouble: found.is_err().then(away), ..row("lca", None, found.is_ok()) };
    let rows = found.map_or_else(|_| Vec::new(), |(rows, _)| rows);
    let mut all = Vec::new();
    for (row, report) in rows.iter().zip(ask_all(&settings, &rows)) {
        let report = report.await.ok().flatten().map(|(report, _)| report);
        all.push(Application::new(row.clone(), report, &other.name));
    }
    all.push(Application::new(agent, None, &other.name));
    all
}

/// Asks every server among the applications how it stands, all at once.
fn ask_all(settings: &Arc<ControlSettings>, rows: &[ApplicationRow]) -> Vec<JoinHandle<Option<(ServerReport, u32)>>> {
    let ask = |row: &ApplicationRow| {
        let (settings, name, is_server) = (Arc::clone(settings), row.name.clone(), row.pair.is_some());
        tokio::spawn(async move { if is_server { servers::status(&settings.folder, &name).await } else { None } })
    };
    rows.iter().map(ask).collect()
}

impl ControlSettings {
    /// The applications, as far as they are known without the local control agent.
    fn rows(&self) -> Vec<ApplicationRow> {
        let me =
            ApplicationRow { pid: Some(std::process::id()), run: self.me.run, ..row(&self.me.application, None, true) };
        let servers = |pair: &'_ Pair| {
            let name = pair.name.clone();
            pair.members.iter().map(move |member| row(member, Some(name.clone()), false)).collect::<Vec<_>>()
        };
        [me].into_iter().chain(servers(&self.sip)).chain(servers(&self.routing)).collect()
    }
}

fn row(name: &str, pair: Option<String>, is_started: bool) -> ApplicationRow {
    let state = if is_started { "started" } else { "failed" }.to_owned();
    ApplicationRow { name: name.into(), pair, run: 0, state, pid: None, report: None, trouble: None }
}

/// The order in a body; an empty one says nothing besides.
fn read<T: DeserializeOwned + Default>(body: Result<Bytes, BytesRejection>, expected: &str) -> Result<T, Refusal> {
    let body = body.map_err(|rejection| {
        let refusal = Refusal::wrong(rejection.body_text(), format!("a body has {MOST_BODY} bytes at most"));
        refusal.with_status(rejection.status())
    })?;
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::wrong(format!("the body is not as expected: {error}"), format!("send {expected}, or nothing"))
    })
}

/// A name for an order that has none.
fn draw() -> Result<u64, Refusal> {
    getrandom::u64().map_err(|error| {
        let what = format!("the system gives no random numbers: {error}");
        Refusal::unavailable(Trouble::new(what, "name the order by a \"request_id\""))
    })
}
