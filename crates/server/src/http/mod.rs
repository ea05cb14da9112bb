//! HTTP/1 as MEGA's clients read it: header names in title case, sized bodies, connections kept alive.

mod header_case;
mod reply;
mod route;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

pub(crate) use reply::{Reply, ReplyBody};

use crate::state::State;
use header_case::HeaderCase;

/// Connections at the same time; more wait to be accepted.
const CONNECTIONS: usize = 2048;
/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_mins(1);
/// How long requests under way may take once the server is to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves until told to stop, then lets requests under way finish.
pub(crate) async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) {
    let case = header_case::learn().await;
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = told(&mut stop) => break,
        };
        let _ = stream.set_nodelay(true);
        let (state, case, mut stop) = (state.clone(), case.clone(), stop.clone());
        connections.spawn(async move {
            let _permit = permit;
            let service = service_fn(move |request| respond(state.clone(), case.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .title_case_headers(true)
                .preserve_header_case(true)
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = told(&mut stop) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, rest).await;
}

/// Returns when the server is to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn respond(
    state: Arc<State>,
    case: HeaderCase,
    request: http::Request<Incoming>,
) -> Result<http::Response<ReplyBody>, Infallible> {
    Ok(route::answer(&state, request).await.into_response(&case))
}
