//! Which path means what (`protocol-api.md` 1.1), and which faults hit it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use supermega_protocol::wire::{self, Grammar, encode_failure};
use supermega_protocol::{ErrorCode, Failure};

use super::Reply;
use crate::api::{self, Caller, Idempotence, Request};
use crate::event::{self, Poll};
use crate::fault::{Action, BodyFault, Place};
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::storage;

/// Larger batches are not taken.
const BODY: usize = 64 << 20;

/// Answers one request.
pub(super) async fn answer(state: &Arc<State>, request: http::Request<Incoming>) -> Reply {
    let begin = Instant::now();
    let path = request.uri().path().to_owned();
    let reply = match path.trim_start_matches('/') {
        "cs" => commands(state, request).await,
        "sc" | "wsc" | "sc/wsc" => events(state, request, Poll::Now).await,
        "pf" => Reply::json("0".into()),
        // A client that gets 200 here asks again at once, for ever (`protocol-observed.md` 5).
        "cs/rs" => Reply::status(404),
        rest => match rest.split_once('/') {
            Some(("w", token)) => wait(state, token, request).await,
            Some(("dl", rest)) => download(state, rest).await,
            Some(("ul", rest)) => upload(state, rest, request).await,
            _ => Reply::status(404),
        },
    };
    // Tokens in paths are secrets: only what kind of path it was is logged.
    let kind = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    tracing::debug!(kind, micros = begin.elapsed().as_micros(), "answered");
    reply
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// Scheme, host and port that the client reached us by.
fn base(request: &http::Request<Incoming>) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

async fn commands(state: &Arc<State>, request: http::Request<Incoming>) -> Reply {
    let base = base(&request);
    let query = request.uri().query().unwrap_or_default().to_owned();
    if parameter(&query, "wlt").is_some() {
        return Reply::json("1".into());
    }
    let hashcash = request.headers().get("X-Hashcash");
    let hashcash = hashcash.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = match Limited::new(request.into_body(), BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Reply::json(encode_failure(ErrorCode::TooMany.into())),
    };
    let Ok(text) = String::from_utf8(body.to_vec()) else {
        return Reply::json(encode_failure(ErrorCode::Arguments.into()));
    };
    let names = names(&text);
    state.log.add(LoggedRequest::Api(names.clone()));
    let actions = state.faults.hit(|place| match place {
        Place::Api => true,
        Place::Command(name) => names.contains(name),
        _ => false,
    });
    if let Some(reply) = misbehave(state, &actions, hashcash).await {
        return reply;
    }
    let reply = once(state, query, base, text).await;
    if actions.contains(&Action::Lost) { Reply::cut() } else { Reply::json(reply) }
}

fn names(body: &str) -> Vec<String> {
    let commands = wire::decode_batch(body).unwrap_or_default();
    commands.iter().filter_map(|command| wire::command_name(command.get()).ok()).collect()
}

/// Carries a batch out, once: the same request later gets the same answer.
async fn once(state: &Arc<State>, query: String, base: String, body: String) -> String {
    let session = parameter(&query, "sid").or(parameter(&query, "n")).unwrap_or_default();
    let slot =
        parameter(&query, "id").map(|id| state.idempotence.slot(session, id, body.as_bytes()));
    let Some(slot) = slot else { return carry_out(state, query, base, body).await };
    let mut known = slot.lock().await;
    if let Some(reply) = known.as_ref() {
        return reply.clone();
    }
    // A client that goes away does not undo what it asked for: the answer is kept for its next try.
    let state = state.clone();
    let reply = tokio::spawn(async move { carry_out(&state, query, base, body).await });
    let reply = reply.await.unwrap_or_else(|_| encode_failure(ErrorCode::Internal.into()));
    if Idempotence::keeps(&reply) {
        *known = Some(reply.clone());
    }
    reply
}

async fn carry_out(state: &Arc<State>, query: String, base: String, body: String) -> String {
    let state = state.clone();
    let work = move || {
        let caller = match caller(&state, &query) {
            Ok(caller) => caller,
            Err(failure) => return encode_failure(failure),
        };
        let grammar =
            if parameter(&query, "v") == Some("3") { Grammar::V3 } else { Grammar::Legacy };
        api::answer(&state, &Request { caller, grammar, base: &base, body: &body })
    };
    let answer = tokio::task::spawn_blocking(work).await;
    answer.unwrap_or_else(|_| encode_failure(ErrorCode::Internal.into()))
}

fn caller(state: &State, query: &str) -> Result<Caller, Failure> {
    let (sid, n) = (parameter(query, "sid"), parameter(query, "n"));
    match state.store.read(|db| Ok(api::caller(db, sid, n))) {
        Ok(Ok(caller)) => Ok(caller),
        Ok(Err(error)) => Err(error.into_failure()),
        Err(_) => Err(ErrorCode::Internal.into()),
    }
}

async fn events(state: &Arc<State>, request: http::Request<Incoming>, mode: Poll) -> Reply {
    let (base, query) = (base(&request), request.uri().query().unwrap_or_default().to_owned());
    state.log.add(LoggedRequest::Event);
    let actions = state.faults.hit(|place| *place == Place::Event);
    if let Some(reply) = misbehave(state, &actions, None).await {
        return reply;
    }
    let shared = state.clone();
    let looked_up = query.clone();
    let caller = tokio::task::spawn_blocking(move || caller(&shared, &looked_up)).await;
    let stream = match caller {
        Ok(Ok(caller)) => caller.stream(),
        Ok(Err(failure)) => return Reply::json(encode_failure(failure)),
        Err(_) => return Reply::status(500),
    };
    let Some(stream) = stream else {
        return Reply::json(encode_failure(ErrorCode::Session.into()));
    };
    match parameter(&query, "sn").map(str::parse) {
        Some(Ok(from)) => Reply::json(event::poll(state, stream, from, mode, &base).await),
        Some(Err(_)) => Reply::json(encode_failure(ErrorCode::TooMany.into())),
        None if parameter(&query, "c").is_some() => Reply::json(alerts(state).await),
        None => Reply::json(encode_failure(ErrorCode::Arguments.into())),
    }
}

/// The history of alerts, which this server does not keep.
async fn alerts(state: &Arc<State>) -> String {
    let state = state.clone();
    let head = move || state.store.read(crate::store::events::head);
    match tokio::task::spawn_blocking(head).await {
        Ok(Ok(head)) => {
            format!("{{\"c\":[],\"u\":[],\"fsn\":\"{head}\",\"lsn\":\"{head}\",\"ltd\":0}}")
        }
        _ => encode_failure(ErrorCode::Internal.into()),
    }
}

async fn wait(state: &Arc<State>, token: &str, request: http::Request<Incoming>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    if parameter(query, "sn").is_some()
        && parameter(query, "sid").or(parameter(query, "n")).is_some()
    {
        return events(state, request, Poll::Wait).await;
    }
    state.log.add(LoggedRequest::Event);
    let Some((stream, from)) = event::read_token(state, token) else { return Reply::status(404) };
    match parameter(query, "sn").map(str::parse) {
        Some(Ok(from)) => {
            let base = base(&request);
            Reply::json(event::poll(state, stream, from, Poll::Wait, &base).await)
        }
        _ => Reply::json(event::wait(state, stream, from).await),
    }
}

async fn download(state: &Arc<State>, rest: &str) -> Reply {
    let actions = state.faults.hit(|place| *place == Place::Download);
    if actions.contains(&Action::Expired) {
        state.downloads.expire(rest.split('/').next().unwrap_or_default());
        return Reply::status(403);
    }
    if let Some(reply) = misbehave(state, &actions, None).await {
        return reply;
    }
    let body = actions.iter().filter_map(|action| BodyFault::of(*action)).collect();
    storage::download(state, rest, body).await
}

async fn upload(state: &Arc<State>, rest: &str, request: http::Request<Incoming>) -> Reply {
    let actions = state.faults.hit(|place| *place == Place::Upload);
    if actions.contains(&Action::Expired) {
        return Reply::status(403);
    }
    if let Some(reply) = misbehave(state, &actions, None).await {
        return reply;
    }
    let query = request.uri().query().map(str::to_owned);
    let reply = storage::upload(state, rest, query.as_deref(), request.into_body()).await;
    if actions.contains(&Action::Lost) { Reply::cut() } else { reply }
}

/// What the faults answer instead of the server, after the delays that they ask for.
async fn misbehave(
    state: &Arc<State>,
    actions: &[Action],
    hashcash: Option<String>,
) -> Option<Reply> {
    let mut answered = false;
    for action in actions {
        match *action {
            Action::Delay { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            Action::Again => return Some(number(3)),
            Action::RateLimit => return Some(number(4)),
            Action::Error { number: n } => return Some(number(n)),
            Action::Status { code } => return Some(Reply::status(code)),
            Action::Quota { seconds } => {
                let reply = Reply::status(509);
                return Some(reply.header("X-MEGA-Time-Left", seconds.to_string()));
            }
            Action::Hashcash { easiness } if !answered => {
                let (shared, header) = (state.clone(), hashcash.clone());
                let check = move || header.is_some_and(|h| shared.challenges.is_answered(&h));
                answered = tokio::task::spawn_blocking(check).await.unwrap_or(false);
                if !answered {
                    let challenge = state.challenges.ask(easiness).ok()?;
                    return Some(Reply::status(402).header("X-Hashcash", challenge));
                }
            }
            _ => {}
        }
    }
    None
}

fn number(n: u32) -> Reply {
    Reply::json(format!("-{n}"))
}
