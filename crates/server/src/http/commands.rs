//! `cs`: batches of commands.

use std::sync::Arc;
use std::time::Instant;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::value::RawValue;
use supermega_protocol::put::PutNodes;
use supermega_protocol::wire::{self, Grammar, encode_failure};
use supermega_protocol::{Command, ErrorCode};

use super::query::{Peer, base, parameter};
use super::{Reply, streamed};
use crate::api::{self, Answer, Client, Request};
use crate::fault::{Action, Place, Proof, instead, spoil};
use crate::hold::HoldPoint;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::answers;

/// Larger batches are not taken.
const BODY: usize = 64 << 20;
/// Longer names of clients are cut.
const AGENT: usize = 500;
/// Smaller ones are read on the spot.
const SMALL: usize = 64 << 10;

/// Who sends a batch, and to which of the server's names.
struct Sender {
    base: String,
    agent: String,
    ip: String,
}

impl Sender {
    fn of(request: &http::Request<Incoming>) -> Self {
        let agent = request.headers().get(http::header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let agent = agent.chars().take(AGENT).collect();
        let peer = request.extensions().get::<Peer>();
        let ip = peer.map(|peer| peer.0.to_string()).unwrap_or_default();
        Self { base: base(request), agent, ip }
    }
}

/// Answers one batch.
pub(super) async fn answer(state: &Arc<State>, request: http::Request<Incoming>) -> Reply {
    let begin = Instant::now();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if parameter(&query, "wlt").is_some() {
        // No request is ever lost between here and an answer: whoever asks should send it again.
        return Reply::json("1".into());
    }
    let sender = Sender::of(&request);
    let proof = request.headers().get("X-Hashcash").and_then(|value| value.to_str().ok());
    let proof = proof.map(str::to_owned);
    let body = match Limited::new(request.into_body(), BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Reply::json(encode_failure(ErrorCode::TooMany.into()));
        }
        Err(_) => return Reply::none(),
    };
    let (body, commands) = if body.len() <= SMALL {
        read(&body)
    } else {
        let read = tokio::task::spawn_blocking(move || read(&body)).await;
        read.unwrap_or_default()
    };
    let names: Vec<String> = commands.iter().flatten().map(|command| name(command)).collect();
    // A batch that holds nothing, or cannot be read, is a request too.
    let hits = state
        .faults
        .hit_at(|place| *place == Place::Api || names.iter().any(|name| concerns(place, name)));
    let actions: Vec<Action> = hits.iter().map(|(_, action)| *action).collect();
    state.log.add(LoggedRequest::Api(names.clone()));
    let proof = check(state, proof).await;
    if let Some(reply) = instead(state, &actions, proof).await {
        return reply;
    }
    if actions.contains(&Action::Forget) {
        forget_answers(state).await;
    }
    let faults = of_results(&names, &hits);
    if names.iter().any(|name| name == PutNodes::NAME) {
        state.holds.pass(state, HoldPoint::PutArrived).await;
    }
    let answer = carry_out(state, query, sender, body, commands, faults).await;
    let micros = begin.elapsed().as_micros();
    tracing::info!(commands = names.join(","), micros, "cs");
    if state.holds.is_held(HoldPoint::PutCommitted) && has_put(&names, &answer) {
        state.holds.pass(state, HoldPoint::PutCommitted).await;
    }
    let reply = match answer {
        _ if actions.contains(&Action::Lost) => return Reply::none(),
        Answer::Text(text) => Reply::json(text),
        answer @ Answer::Parts(_) => streamed::reply(state, answer).await,
    };
    spoil(state, &actions, 0, reply)
}

/// Whether a place describes a request with a command of this name.
fn concerns(place: &Place, name: &str) -> bool {
    match place {
        Place::Api => true,
        Place::Command(command) => command == name,
        _ => false,
    }
}

/// The faults of each command's result, if there are any at all.
fn of_results(names: &[String], hits: &[(Place, Action)]) -> Vec<Vec<Action>> {
    let hits: Vec<_> = hits.iter().filter(|(_, action)| action.is_of_result()).collect();
    if hits.is_empty() {
        return Vec::new();
    }
    let of_name = |name: &String| {
        let hits = hits.iter().filter(|(place, _)| concerns(place, name));
        hits.map(|(_, action)| *action).collect()
    };
    names.iter().map(of_name).collect()
}

async fn forget_answers(state: &Arc<State>) {
    let state = state.clone();
    let forget = move || state.store.write(|tx| answers::clear(tx));
    if let Ok(Err(error)) = tokio::task::spawn_blocking(forget).await {
        tracing::error!(%error, "answers could not be forgotten");
    }
}

/// Whether a batch made nodes.
fn has_put(names: &[String], answer: &Answer) -> bool {
    let Answer::Text(text) = answer else { return false };
    let results: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    let mut puts = names.iter().zip(results).filter(|(name, _)| *name == PutNodes::NAME);
    puts.any(|(_, result)| result.get().starts_with(['[', '{']))
}

/// The body as text, and the commands in it, if it is a batch.
fn read(body: &[u8]) -> (String, Option<Vec<Box<RawValue>>>) {
    let Ok(text) = std::str::from_utf8(body) else { return Default::default() };
    (text.to_owned(), wire::decode_batch(text).ok())
}

/// The name of a command, if it is one that may stand in a log.
fn name(command: &RawValue) -> String {
    let name = wire::command_name(command.get()).unwrap_or_default();
    let plain = name.len() <= 20 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain && !name.is_empty() { name } else { "?".into() }
}

async fn check(state: &Arc<State>, header: Option<String>) -> Proof {
    let Some(header) = header else { return Proof::None };
    let state = state.clone();
    let check = tokio::task::spawn_blocking(move || state.challenges.check(&header)).await;
    check.unwrap_or(Proof::None)
}

async fn carry_out(
    state: &Arc<State>,
    query: String,
    sender: Sender,
    body: String,
    commands: Option<Vec<Box<RawValue>>>,
    faults: Vec<Vec<Action>>,
) -> Answer {
    let Some(commands) = commands else {
        return Answer::Text(encode_failure(ErrorCode::Arguments.into()));
    };
    let state = state.clone();
    // A client that goes away does not undo what it asked for: this runs to its end.
    let work = tokio::task::spawn_blocking(move || {
        let grammar =
            if parameter(&query, "v") == Some("3") { Grammar::V3 } else { Grammar::Legacy };
        let request = Request {
            sid: parameter(&query, "sid"),
            link: parameter(&query, "n"),
            id: parameter(&query, "id"),
            atomic: parameter(&query, "bc") == Some("1"),
            grammar,
            base: &sender.base,
            client: Client { agent: &sender.agent, ip: &sender.ip },
            body: &body,
            commands: &commands,
            faults: &faults,
        };
        api::answer(&state, &request)
    });
    work.await.unwrap_or_else(|_| Answer::Text(encode_failure(ErrorCode::Internal.into())))
}
