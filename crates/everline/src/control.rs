//! Requests to the control server: HTTP/1.1 with JSON over `run/control.sock`.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use node::wire::Trouble;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::failure::{Failure, Kind};
use crate::folder::Folder;
use crate::output::remark;

/// How long a command waits for a control server that is being started or restarted.
const CONNECT: Duration = Duration::from_secs(10);

/// Pause between two attempts.
const RETRY: Duration = Duration::from_millis(20);

/// How long a command waits for an answer.
const ANSWER: Duration = Duration::from_secs(30);

/// How long somebody waits who asks again and again: shorter than [`PATIENCE`], so that nothing is said about it.
const BRIEFLY: Duration = Duration::from_millis(800);

/// After this long a command says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The largest answer that is read, in bytes: a listing of a million calls.
const ANSWER_MAX: usize = 256 << 20;

/// The control server of the solution in one folder.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    folder: &'a Folder,
}

/// How long and how often something is asked for.
#[derive(Clone, Copy, Debug)]
struct Persistence {
    /// How long a control server that is away is waited for.
    wait: Duration,
    /// Whether it may be asked for again although it may have been done already.
    repeats: bool,
    /// How long an answer is waited for.
    answer: Duration,
}

/// Why there is no answer.
enum Broken {
    /// Nobody listens: nothing was asked.
    Unheard(io::Error),
    /// It was asked, and what became of it is not known.
    Unanswered(String),
}

impl<'a> Control<'a> {
    /// The control server of `folder`.
    pub(crate) const fn new(folder: &'a Folder) -> Self {
        Self { folder }
    }

    /// Asks for a listing; asked again if the control server ends meanwhile.
    ///
    /// # Errors
    /// [`Kind::Absent`] if nothing is running; [`Kind::Failed`] if there is no answer, or a refusal.
    pub(crate) fn get(&self, path: &str) -> Result<String, Failure> {
        self.request(Method::GET, path, String::new(), Persistence { wait: CONNECT, repeats: true, answer: ANSWER })
    }

    /// The same without waiting for a control server that is away.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn get_at_once(&self, path: &str) -> Result<String, Failure> {
        self.request(
            Method::GET,
            path,
            String::new(),
            Persistence { wait: Duration::ZERO, repeats: false, answer: ANSWER },
        )
    }

    /// The same for whoever asks again and again: an answer that does not come soon is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn get_briefly(&self, path: &str) -> Result<String, Failure> {
        let persistence = Persistence { wait: Duration::ZERO, repeats: false, answer: BRIEFLY };
        self.request(Method::GET, path, String::new(), persistence)
    }

    /// Gives an order that can be given in another way as well, so a control server that is away is not waited for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn post_at_once(&self, path: &str) -> Result<String, Failure> {
        self.request(
            Method::POST,
            path,
            "{}".into(),
            Persistence { wait: Duration::ZERO, repeats: false, answer: ANSWER },
        )
    }

    /// Gives an order. It is not repeated by itself: whether it was done may be unknown.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn post(&self, path: &str) -> Result<String, Failure> {
        self.request(Method::POST, path, "{}".into(), Persistence { wait: CONNECT, repeats: false, answer: ANSWER })
    }

    /// Gives an order that says something. It is not repeated by itself: whether it was done may be unknown.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn post_body(&self, path: &str, body: &serde_json::Value) -> Result<String, Failure> {
        self.request(
            Method::POST,
            path,
            body.to_string(),
            Persistence { wait: CONNECT, repeats: false, answer: ANSWER },
        )
    }

    /// Gives an order whose body names it (`request_id`), so that it is done once however often it is asked for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) fn post_named(&self, path: &str, body: &serde_json::Value) -> Result<String, Failure> {
        self.request(Method::POST, path, body.to_string(), Persistence { wait: CONNECT, repeats: true, answer: ANSWER })
    }

    /// Whether anything of the solution lives: the local control agent or the control server.
    ///
    /// # Errors
    /// If this user may not know.
    pub(crate) fn is_running(&self) -> Result<bool, Failure> {
        for name in ["lca", "control"] {
            match node::local::connect(&self.folder.socket(name)) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(self.barred()),
                Err(_) => {}
            }
        }
        Ok(false)
    }

    fn request(&self, method: Method, path: &str, body: String, persistence: Persistence) -> Result<String, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::failed(format!("the system has no resources left: {error}")))?;
        let is_heard = Cell::new(false);
        let (status, body) = runtime.block_on(async {
            let work = self.persist(method, path, body, persistence, &is_heard);
            tokio::pin!(work);
            if let Ok(answer) = timeout(PATIENCE, &mut work).await {
                return answer;
            }
            remark(if is_heard.get() {
                "Waiting for an answer of the servers ..."
            } else {
                "Waiting for the control server ..."
            });
            work.await
        })?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    }

    /// Asks, again and again while nobody listens although something runs; `is_heard` is true while somebody does.
    async fn persist(
        &self,
        method: Method,
        path: &str,
        body: String,
        persistence: Persistence,
        is_heard: &Cell<bool>,
    ) -> Result<(StatusCode, String), Failure> {
        let end = Instant::now() + persistence.wait;
        loop {
            match self.exchange(&method, path, body.clone(), persistence.answer, is_heard).await {
                Ok(answer) => return Ok(answer),
                Err(Broken::Unheard(_)) if !self.is_running()? => return Err(self.absent()),
                Err(Broken::Unheard(error)) if Instant::now() >= end => {
                    let what = format!("the control server does not answer: {error}");
                    let help = format!(
                        "it is restarted by itself; if it stays away, look into {}",
                        self.folder.log("control").display()
                    );
                    return Err(Failure::failed(what).help(help));
                }
                Err(Broken::Unanswered(why)) if !persistence.repeats || Instant::now() >= end => {
                    let what = format!("the control server did not answer: {why}");
                    let help = match path {
                        "/v1/configuration" => "whether it was done is not known; `everline config show` tells",
                        _ => "whether it was done is not known; `everline status` and `everline agents` tell",
                    };
                    return Err(Failure::failed(what).help(help));
                }
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    /// One request on a connection of its own.
    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: String,
        limit: Duration,
        is_heard: &Cell<bool>,
    ) -> Result<(StatusCode, String), Broken> {
        let stream = node::local::connect(&self.folder.socket("control"));
        is_heard.set(stream.is_ok());
        let stream = stream.map_err(Broken::Unheard)?;
        let stream = tokio::net::UnixStream::from_std(stream).map_err(Broken::Unheard)?;
        let unanswered = |error: hyper::Error| Broken::Unanswered(error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unanswered)?;
        let request = Request::builder().method(method).uri(path).header("host", "everline");
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| Broken::Unanswered(error.to_string()))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(unanswered)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
            let body = body.map_err(|error| Broken::Unanswered(error.to_string()))?.to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        // The connection is driven beside the answer, and ends with it.
        tokio::spawn(connection);
        timeout(limit, answer).await.unwrap_or_else(|_| Err(Broken::Unanswered("it takes too long".into())))
    }

    /// Whether something runs in this folder is for others to know.
    fn barred(&self) -> Failure {
        let what = format!("permission denied at {}", self.folder.path().join("run").display());
        Failure::failed(what).help("give orders as the user who started it (`sudo -u USER everline ...`), or as root")
    }

    /// Nothing runs in this folder.
    pub(crate) fn absent(&self) -> Failure {
        let folder = self.folder.path().display();
        let what = format!("nothing is running in the folder {folder}");
        let help = format!("start it with `everline up --dir {folder}`, or name another folder with --dir");
        Failure::new(Kind::Absent, what).help(help)
    }
}

/// What the control server says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: Trouble,
}

fn refusal(status: StatusCode, body: &str) -> Failure {
    match serde_json::from_str::<Refusal>(body) {
        Ok(Refusal { error }) => error.into(),
        Err(_) => Failure::failed(format!("the control server answers {status}: {}", body.trim())),
    }
}
