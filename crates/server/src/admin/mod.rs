//! What whoever runs the server may ask of it while it runs: `/admin`, described in
//! `docs/testing-your-client.md`.
//!
//! Requests need the token in a header of its own and a loopback host, so that no page in a
//! browser can make them.

mod client;
mod dump;
mod order;

pub use client::{AccountOrder, AdminClient};

use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::Method;
use hyper::body::Incoming;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::http::{Reply, written};
use crate::state::State;
use order::Problem;

/// Carries the token.
pub(crate) const TOKEN_HEADER: &str = "X-Admin-Token";
/// Where the token is kept, in the data folder.
pub(crate) const TOKEN_FILE: &str = "admin-token";
/// Longer orders are not taken.
const BODY: usize = 1 << 20;

/// Answers a request to `/admin/…`.
pub(crate) async fn answer(
    state: &Arc<State>,
    path: &str,
    request: http::Request<Incoming>,
) -> Reply {
    if !is_local(&request) {
        return problem(403, "the host must be a loopback address");
    }
    if !has_token(state, &request) {
        return problem(401, "the header X-Admin-Token must hold the server's token");
    }
    let method = request.method().clone();
    let Ok(body) = Limited::new(request.into_body(), BODY).collect().await else {
        return problem(413, "the body is too long");
    };
    let body = body.to_bytes();
    match (method, path) {
        (Method::GET, "users") => listed(state, dump::users).await,
        (Method::GET, "state") => listed(state, dump::everything).await,
        (Method::GET, "outbox") => listed(state, dump::mails).await,
        (Method::DELETE, "outbox") => blocking(state, order::clear_outbox).await,
        (Method::POST, "takedown") => {
            blocking(state, move |state| order::take_down(state, &body)).await
        }
        (Method::GET, "log") => Reply::lines(dump::log(state)),
        (Method::DELETE, "log") => {
            state.log.clear();
            done(&json!({}))
        }
        (Method::GET, "faults") => Reply::lines(dump::faults(state)),
        (Method::DELETE, "faults") => {
            state.faults.clear();
            done(&json!({}))
        }
        (Method::POST, "faults") => result(order::fault(state, &body)),
        (Method::GET, "holds") => Reply::lines(dump::holds(state)),
        (Method::POST, "holds") => result(order::hold(state, &body)),
        (method, path) if let Some(id) = path.strip_prefix("holds/") => {
            held(state, &method, id).await
        }
        (Method::POST, "users") => blocking(state, move |state| order::user(state, &body)).await,
        (Method::POST, "generate") => {
            blocking(state, move |state| order::generate_tree(state, &body)).await
        }
        (Method::POST, "generate-file") => {
            blocking(state, move |state| order::generate_big_file(state, &body)).await
        }
        (Method::POST, "reset") => blocking(state, order::reset).await,
        _ => problem(404, "there is nothing here by this name and method"),
    }
}

/// A page in a browser that was led to this address by another name has another host.
fn is_local(request: &http::Request<Incoming>) -> bool {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn has_token(state: &State, request: &http::Request<Incoming>) -> bool {
    let given = request.headers().get(TOKEN_HEADER).map(http::HeaderValue::as_bytes);
    given.is_some_and(|given| given.ct_eq(state.admin_token.as_bytes()).into())
}

/// `GET holds/N` answers when a request has come to the point, `DELETE holds/N` lets it go on.
async fn held(state: &Arc<State>, method: &Method, id: &str) -> Reply {
    let Some(held) = id.parse().ok().and_then(|id| state.holds.find(id)) else {
        return problem(404, "there is no such hold");
    };
    match *method {
        Method::GET => {
            tokio::select! {
                () = held.reached() => done(&dump::hold(&held)),
                () = state.stopped() => problem(503, "the server stops"),
            }
        }
        Method::DELETE => {
            state.holds.release(held.id);
            done(&json!({}))
        }
        _ => problem(404, "a hold can be awaited with GET and released with DELETE"),
    }
}

async fn blocking(
    state: &Arc<State>,
    work: impl FnOnce(&State) -> Result<Value, Problem> + Send + 'static,
) -> Reply {
    let state = state.clone();
    match tokio::task::spawn_blocking(move || work(&state)).await {
        Ok(done) => result(done),
        Err(_) => problem(500, "the server failed"),
    }
}

/// Objects, a line each, as they are read.
async fn listed(state: &Arc<State>, list: dump::Dump) -> Reply {
    written(state, list).await.unwrap_or_else(|| problem(500, "the server failed"))
}

fn result(result: Result<Value, Problem>) -> Reply {
    match result {
        Ok(value) => done(&value),
        Err(Problem { status, text }) => problem(status, &text),
    }
}

fn done(value: &Value) -> Reply {
    Reply::json(value.to_string())
}

fn problem(status: u16, text: &str) -> Reply {
    Reply::json(json!({ "error": text }).to_string()).with_status(status)
}
