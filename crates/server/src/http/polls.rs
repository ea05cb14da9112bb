//! `sc`, `wsc`, `sc/wsc` and wait addresses: polls for events (`protocol-api.md` 5.1).

use std::sync::Arc;

use hyper::body::Incoming;
use supermega_protocol::ErrorCode;
use supermega_protocol::wire::encode_failure;

use super::Reply;
use super::query::{base, parameter};
use crate::event::{self, Poll};
use crate::fault::{Action, Place, Proof, drift, instead, spoil};
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::events;

/// Answers a poll that names its session or its folder link.
pub(super) async fn answer(
    state: &Arc<State>,
    request: http::Request<Incoming>,
    mode: Poll,
) -> Reply {
    let (base, query) = (base(&request), request.uri().query().unwrap_or_default().to_owned());
    with_faults(state, async {
        let watcher = {
            let (state, query) = (state.clone(), query.clone());
            let find = move || {
                let (sid, link) = (parameter(&query, "sid"), parameter(&query, "n"));
                state.store.read(|db| event::watcher(db, sid, link))
            };
            tokio::task::spawn_blocking(find).await
        };
        let watcher = match watcher {
            Ok(Ok(Ok(watcher))) => watcher,
            Ok(Ok(Err(failure))) => return encode_failure(failure),
            _ => return encode_failure(ErrorCode::Again.into()),
        };
        match parameter(&query, "sn").map(str::parse) {
            Some(Ok(from)) => event::poll(state, watcher, from, mode, &base).await,
            Some(Err(_)) => encode_failure(ErrorCode::TooMany.into()),
            None if parameter(&query, "c").is_some() => alerts(state).await,
            None => encode_failure(ErrorCode::Arguments.into()),
        }
    })
    .await
}

/// Answers at a wait address. It is called as it is, and then only says when to poll; or with a cursor,
/// and then it is a poll itself.
pub(super) async fn wait(
    state: &Arc<State>,
    token: &str,
    request: http::Request<Incoming>,
) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let cursor = parameter(query, "sn").map(str::parse);
    if cursor.is_some() && (parameter(query, "sid").is_some() || parameter(query, "n").is_some()) {
        return answer(state, request, Poll::Wait).await;
    }
    let Some((watcher, from)) = event::read_token(state, token) else { return Reply::status(404) };
    let base = base(&request);
    with_faults(state, async {
        match cursor {
            Some(Ok(from)) => event::poll(state, watcher, from, Poll::Wait, &base).await,
            Some(Err(_)) => encode_failure(ErrorCode::TooMany.into()),
            None => {
                event::wait(state, watcher, from).await;
                "0".into()
            }
        }
    })
    .await
}

async fn with_faults(state: &Arc<State>, reply: impl Future<Output = String>) -> Reply {
    state.log.add(LoggedRequest::Event);
    let actions = state.faults.hit(|place| *place == Place::Event);
    if let Some(reply) = instead(state, &actions, Proof::None).await {
        return reply;
    }
    let mut reply = reply.await;
    if actions.contains(&Action::Lost) {
        return Reply::none();
    }
    if actions.contains(&Action::Drift) {
        reply = drift::with_member(&reply);
    }
    spoil(state, &actions, 0, Reply::json(reply))
}

/// The history of alerts, which this server does not keep.
async fn alerts(state: &Arc<State>) -> String {
    let state = state.clone();
    let head = tokio::task::spawn_blocking(move || state.store.read(events::head)).await;
    match head {
        Ok(Ok(head)) => {
            format!("{{\"c\":[],\"u\":[],\"fsn\":\"{head}\",\"lsn\":\"{head}\",\"ltd\":0}}")
        }
        _ => encode_failure(ErrorCode::Again.into()),
    }
}
