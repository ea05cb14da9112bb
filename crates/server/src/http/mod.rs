//! HTTP/1 as MEGA's clients read it: header names in title case, sized bodies, connections kept alive.

mod commands;
mod header_case;
mod polls;
mod query;
mod reply;
mod route;
mod streamed;

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

pub(crate) use reply::{Pieces, Reply, ReplyBody};
pub(crate) use streamed::written;

use crate::fault::{Action, Place};
use crate::state::State;
use header_case::HeaderCase;
use query::{OverTls, Peer};
use reply::Cut;

/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 2048;
/// How long a client may take for the head of a request, and how long a connection may be idle.
const HEAD: Duration = Duration::from_mins(2);
/// How much of a request is read at once.
const BUFFER: usize = 1 << 20;
/// How long requests under way may take once the server is to stop.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);

/// Where clients come in.
pub(crate) struct Door {
    pub listener: TcpListener,
    pub tls: Option<TlsAcceptor>,
}

/// Serves until told to stop, then lets requests under way finish.
pub(crate) async fn serve(doors: Vec<Door>, state: Arc<State>) {
    let case = header_case::learn().await;
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let doors = doors.into_iter().map(|door| admit(door, &state, &case, &permits));
    futures_util::future::join_all(doors).await;
}

/// Takes the connections that come in by one door.
async fn admit(door: Door, state: &Arc<State>, case: &HeaderCase, permits: &Arc<Semaphore>) {
    let Door { listener, tls } = door;
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            (permit, accepted) = accepted => match accepted {
                Ok((stream, _)) => (permit, stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = state.stopped() => break,
        };
        state.connected();
        let (state, case, tls) = (state.clone(), case.clone(), tls.clone());
        connections.spawn(async move {
            let _permit = permit;
            welcome(stream, tls, &state, case).await;
        });
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, rest).await;
}

/// Does to a new connection what faults ask for, and agrees on keys if it is one with TLS.
async fn welcome(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    state: &Arc<State>,
    case: HeaderCase,
) {
    for action in state.faults.hit(|place| *place == Place::Connection) {
        match action {
            Action::Delay { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            Action::Stall { .. } => state.stopped().await,
            _ => return,
        }
    }
    let _ = stream.set_nodelay(true);
    let Ok(address) = stream.peer_addr() else { return };
    let peer = Peer(address.ip());
    let Some(tls) = tls else { return converse(stream, peer, None, state, case).await };
    match tokio::time::timeout(HEAD, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, peer, Some(OverTls), state, case).await,
        Ok(Err(error)) => tracing::info!(%error, "no TLS was agreed on"),
        Err(_) => tracing::info!("no TLS was agreed on in time"),
    }
}

/// Answers the requests of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    tls: Option<OverTls>,
    state: &Arc<State>,
    case: HeaderCase,
) {
    let service = service_fn(|mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        if let Some(tls) = tls {
            request.extensions_mut().insert(tls);
        }
        respond(state.clone(), case.clone(), request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .title_case_headers(true)
        .preserve_header_case(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = state.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn respond(
    state: Arc<State>,
    case: HeaderCase,
    request: http::Request<Incoming>,
) -> Result<http::Response<ReplyBody>, Cut> {
    route::answer(&state, request).await.into_response(&case)
}
