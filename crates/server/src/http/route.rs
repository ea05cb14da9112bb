//! Which path means what (`protocol-api.md` 1.1).

use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;

use super::{Reply, commands, polls};
use crate::admin;
use crate::event::Poll;
use crate::fault::{Action, Place, Proof, instead, spoil};
use crate::state::State;
use crate::storage::{self, Access, Part};

/// Answers one request.
pub(super) async fn answer(state: &Arc<State>, request: http::Request<Incoming>) -> Reply {
    let begin = Instant::now();
    let path = request.uri().path().to_owned();
    let path = path.trim_start_matches('/');
    let reply = match path {
        "cs" => commands::answer(state, request).await,
        "sc" | "wsc" | "sc/wsc" => polls::answer(state, request, Poll::Now).await,
        "pf" => Reply::json("0".into()),
        // A client that gets 200 here asks again at once, for ever (`protocol-observed.md` 5).
        "cs/rs" => Reply::status(404),
        other => match other.split_once('/') {
            Some(("admin", rest)) => admin::answer(state, rest, request).await,
            Some(("w", token)) => polls::wait(state, token, request).await,
            Some(("dl", rest)) => download(state, rest).await,
            Some(("fa", rest)) => attribute(state, rest, request).await,
            Some(("ul", rest)) => upload(state, rest, request).await,
            _ => Reply::status(404),
        },
    };
    // Tokens in paths are secrets: only the kind of a path is logged.
    let kind = path.split('/').next().filter(|kind| kind.len() <= 5).unwrap_or_default();
    let micros = begin.elapsed().as_micros();
    if kind != "cs" {
        tracing::info!(kind, status = reply.status_code(), micros, "answered");
    }
    reply
}

async fn download(state: &Arc<State>, rest: &str) -> Reply {
    let token = rest.split('/').next().unwrap_or_default();
    let part = match state.downloads.find(token) {
        Access::Granted(download) => download.part.map(Part::number),
        Access::Ended | Access::Unknown => None,
    };
    let actions = state.faults.hit(|place| match place {
        Place::Download | Place::Storage => true,
        Place::Part(number) => part == Some(*number),
        _ => false,
    });
    if actions.contains(&Action::Expired) {
        state.downloads.expire(token);
    }
    if let Some(reply) = instead(state, &actions, Proof::None).await {
        return reply;
    }
    let reply = storage::download(state, rest, &actions).await;
    if actions.contains(&Action::Lost) { Reply::none() } else { reply }
}

async fn attribute(state: &Arc<State>, rest: &str, request: http::Request<Incoming>) -> Reply {
    let actions = state.faults.hit(|place| matches!(place, Place::Attribute | Place::Storage));
    if actions.contains(&Action::Expired) {
        state.attributes.expire(rest.split('/').next().unwrap_or_default());
    }
    if let Some(reply) = instead(state, &actions, Proof::None).await {
        return reply;
    }
    let reply = storage::attribute(state, rest, request.into_body()).await;
    if actions.contains(&Action::Lost) { Reply::none() } else { spoil(state, &actions, 0, reply) }
}

async fn upload(state: &Arc<State>, rest: &str, request: http::Request<Incoming>) -> Reply {
    let actions = state.faults.hit(|place| matches!(place, Place::Upload | Place::Storage));
    if actions.contains(&Action::Expired) {
        storage::abandon(state, rest).await;
    }
    if let Some(reply) = instead(state, &actions, Proof::None).await {
        return reply;
    }
    let query = request.uri().query().map(str::to_owned);
    let body = request.into_body();
    let reply = storage::upload(state, rest, query.as_deref(), body, &actions).await;
    if actions.contains(&Action::Lost) { Reply::none() } else { reply }
}
