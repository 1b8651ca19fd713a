//! One connection to one member of etcd. It never connects again by itself: what was checked of the member holds for
//! as long as the connection does.

use std::fs;
use std::io;
use std::path::Path;

use http::uri::{PathAndQuery, Uri};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

use super::messages::{WATCH, WatchProgressRequest, WatchRequest, WatchResponse, Wish};
use super::problem::Problem;
use crate::coordinator::member::TlsFiles;
use crate::wire::Trouble;

/// Requests on one watch that wait to be sent at most.
const MOST_WISHES: usize = 8;

/// A connection to a member.
#[derive(Clone, Debug)]
pub(super) struct Connection(Channel);

/// A running watch.
#[derive(Debug)]
pub(super) struct Watch {
    wishes: mpsc::Sender<WatchRequest>,
    answers: Streaming<WatchResponse>,
}

impl Connection {
    /// Connects to the member at `address`, `HOST:PORT`.
    pub(super) async fn open(address: &str, tls: Option<&TlsFiles>) -> Result<Self, Problem> {
        let cannot = |error: &dyn std::error::Error| Problem::lost(format!("cannot connect: {}", deepest(error)));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(|error| cannot(&error))?;
        if let Some(tls) = tls {
            endpoint = endpoint.tls_config(read(tls)?).map_err(|error| cannot(&error))?;
        }
        let socket = TcpStream::connect(address).await.map_err(|error| cannot(&error))?;
        socket.set_nodelay(true).map_err(|error| cannot(&error))?;
        let mut once = Some(TokioIo::new(socket));
        let connector = tower::service_fn(move |_: Uri| {
            let socket = once.take().ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted));
            async { socket }
        });
        endpoint.connect_with_connector(connector).await.map(Self).map_err(|error| cannot(&error))
    }

    /// One question, one answer.
    pub(super) async fn ask<Q, A>(&self, path: &'static str, question: Q) -> Result<A, Problem>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.ready().await?;
        let codec = ProstCodec::<Q, A>::default();
        let answer = grpc.unary(Request::new(question), PathAndQuery::from_static(path), codec).await?;
        Ok(answer.into_inner())
    }

    /// Begins a watch; the first answer says whether it stands. It ends when the member loses its leader.
    pub(super) async fn watch(&self, wish: Wish) -> Result<Watch, Problem> {
        let mut grpc = self.ready().await?;
        let (wishes, sent) = mpsc::channel(MOST_WISHES);
        send(&wishes, wish)?;
        let mut request = Request::new(ReceiverStream::new(sent));
        // `rpctypes/metadatafields.go` of etcd 3.4: a member that is cut off would be silent otherwise, as if nothing changed.
        request.metadata_mut().insert("hasleader", AsciiMetadataValue::from_static("true"));
        let codec = ProstCodec::<WatchRequest, WatchResponse>::default();
        let answers = grpc.streaming(request, PathAndQuery::from_static(WATCH), codec).await?.into_inner();
        Ok(Watch { wishes, answers })
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Problem> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await.map_err(|error| Problem::lost(format!("the connection is lost: {}", deepest(&error))))?;
        Ok(grpc)
    }
}

impl Watch {
    /// Asks for an answer now, whether something has happened or not.
    pub(super) fn nudge(&self) -> Result<(), Problem> {
        send(&self.wishes, Wish::Progress(WatchProgressRequest {}))
    }

    /// The next answer; nothing is lost if this is given up and called again.
    pub(super) async fn next(&mut self) -> Result<WatchResponse, Problem> {
        let answer = self.answers.message().await?;
        answer.ok_or_else(|| Problem::lost("the member has ended the watch"))
    }
}

fn send(wishes: &mpsc::Sender<WatchRequest>, wish: Wish) -> Result<(), Problem> {
    let request = WatchRequest { request: Some(wish) };
    wishes.try_send(request).map_err(|_| Problem::lost("the connection takes nothing any more"))
}

/// What has happened, without the layers that it came through.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// The files as they are now: a certificate that was renewed counts from the next session on.
fn read(files: &TlsFiles) -> Result<ClientTlsConfig, Problem> {
    let read = |path: &Path| fs::read(path).map_err(|error| Problem::Refused(Trouble::of_file("read", path, &error)));
    let identity = Identity::from_pem(read(&files.certificate)?, read(&files.key)?);
    let authority = Certificate::from_pem(read(&files.authority)?);
    Ok(ClientTlsConfig::new().ca_certificate(authority).identity(identity))
}
