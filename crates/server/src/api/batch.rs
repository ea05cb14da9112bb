//! A batch of commands: carried out in one transaction, answered in the client's grammar.

use serde_json::value::RawValue;
use supermega_protocol::tree::FetchNodes;
use supermega_protocol::wire::{self, Grammar};
use supermega_protocol::{
    Command, ErrorCode, Failure, account, backup, contact, contact_link, file_attribute, key, link,
    node, put, recovery, second_factor, service, session, session_list, share, signup, transfer,
    user_attribute,
};

use super::answer::{Answer, Part};
use super::call::{ApiError, Call, Caller, Client, Handle};
use super::result_fault;
use super::session::caller;
use super::tree::Snapshot;
use crate::fault::Action;
use crate::state::State;
use crate::store::{self, answers, session_history};

/// More commands than this are not taken at once: official clients send no more
/// (`protocol-api.md` 1.8).
const BATCH: usize = 10_000;
/// Longer answers are not kept: those of commands that change something are short.
const KEPT: usize = 1 << 20;

/// How much of a command that is not supported is logged.
const LOGGED: usize = 2000;

/// A request to `cs`.
pub(crate) struct Request<'a> {
    pub sid: Option<&'a str>,
    /// A folder link's handle.
    pub link: Option<&'a str>,
    /// By which the client knows its request when it sends it again.
    pub id: Option<&'a str>,
    /// All commands, or none.
    pub atomic: bool,
    pub grammar: Grammar,
    /// Scheme, host and port that the client reached us by.
    pub base: &'a str,
    pub client: Client<'a>,
    pub body: &'a str,
    pub commands: &'a [Box<RawValue>],
    /// What goes wrong with the result of each command, if anything does.
    pub faults: &'a [Vec<Action>],
}

/// Commands that change nothing: a batch of them alone is carried out beside whoever writes.
const READING: [&str; 17] = [
    "clg",
    "erv",
    "f",
    "g",
    "gmf",
    "mfag",
    "pli",
    "qbq",
    "sf",
    "ufa",
    "uga",
    "uge",
    "uk",
    "uq",
    "usl",
    "whyamiblocked",
    "wmip",
];

/// Carries out a batch; the answer is given only when its transaction stands. Blocks.
pub(crate) fn answer(state: &State, request: &Request<'_>) -> Answer {
    if request.commands.len() > BATCH {
        return Answer::failure(ErrorCode::TooMany);
    }
    let reads = |command: &RawValue| {
        wire::command_name(command.get()).is_ok_and(|name| READING.contains(&name.as_str()))
    };
    let done = if request.commands.iter().all(|command| reads(command)) {
        state.store.read(|db| carry_out(state, db, request))
    } else {
        state.store.write(|tx| {
            if let Ok(Caller::Session(session)) = caller(tx, request.sid, request.link)? {
                session_history::used(tx, &session)?;
            }
            carry_out(state, tx, request)
        })
    };
    match done {
        Ok(outcome) => {
            state.remove_blobs(&outcome.unused);
            if outcome.announced {
                state.announce();
            }
            outcome.answer
        }
        Err(error) => {
            tracing::error!(%error, "a transaction was undone");
            Answer::failure(store::code_of(&error))
        }
    }
}

/// What is left to do when the transaction stands.
struct Outcome {
    answer: Answer,
    unused: Vec<i64>,
    announced: bool,
}

impl Outcome {
    fn only(answer: Answer) -> Self {
        Self { answer, unused: Vec::new(), announced: false }
    }
}

fn carry_out(
    state: &State,
    db: &rusqlite::Connection,
    request: &Request<'_>,
) -> rusqlite::Result<Outcome> {
    let key = match (request.sid, request.id) {
        (Some(sid), Some(id)) => Some(answers::key(sid, id, request.body)),
        _ => None,
    };
    if let Some(key) = &key
        && let Some(body) = answers::get(db, key)?
    {
        return Ok(Outcome::only(Answer::Text(body)));
    }
    let caller = match caller(db, request.sid, request.link)? {
        Ok(caller) => caller,
        Err(failure) => return Ok(Outcome::only(Answer::failure(failure))),
    };
    let mut call = Call {
        state,
        db,
        caller,
        grammar: request.grammar,
        base: request.base,
        client: request.client,
        originator: None,
        tag: None,
        acknowledged: false,
        unused: Vec::new(),
        announced: false,
    };
    let before = db.total_changes();
    let answer = Answer::new(all(&mut call, request)?);
    // What changed nothing is better carried out anew than answered from memory.
    if let (Some(key), Caller::Session(session)) = (&key, caller)
        && db.total_changes() > before
        && let Answer::Text(body) = &answer
        && body.len() <= KEPT
    {
        answers::put(db, key, &session.hash, body)?;
    }
    Ok(Outcome { answer, unused: call.unused, announced: call.announced })
}

fn all(call: &mut Call<'_>, request: &Request<'_>) -> rusqlite::Result<Vec<Part>> {
    call.db.execute_batch("SAVEPOINT batch")?;
    let mut results = Vec::with_capacity(request.commands.len());
    for (i, command) in request.commands.iter().enumerate() {
        let faults = request.faults.get(i).map_or(&[][..], Vec::as_slice);
        results.push(match result_fault::instead(command.get(), faults) {
            Some(result) => result,
            None => one(call, command.get())?.map(|part| result_fault::spoil(part, faults)),
        });
    }
    if request.atomic && results.iter().any(Result::is_err) {
        call.db.execute_batch("ROLLBACK TO batch")?;
        call.unused.clear();
        call.announced = false;
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(ErrorCode::RolledBack.into());
        }
    }
    call.db.execute_batch("RELEASE batch")?;
    let failed = |failure| Part::Text(wire::encode_failure(failure));
    Ok(results.into_iter().map(|result| result.unwrap_or_else(failed)).collect())
}

/// Carries out one command; what it wrote is undone if it fails.
fn one(call: &mut Call<'_>, command: &str) -> rusqlite::Result<Result<Part, Failure>> {
    call.db.execute_batch("SAVEPOINT command")?;
    (call.originator, call.tag, call.acknowledged) = (originator(command), None, false);
    let (unused, announced) = (call.unused.len(), call.announced);
    let result = dispatch(call, command).map_err(ApiError::into_failure);
    if result.is_err() {
        call.unused.truncate(unused);
        call.announced = announced;
        call.db.execute_batch("ROLLBACK TO command")?;
    }
    call.db.execute_batch("RELEASE command")?;
    Ok(result)
}

fn originator(command: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        i: Option<String>,
    }
    serde_json::from_str::<Head>(command).ok().and_then(|head| head.i)
}

macro_rules! dispatch {
    ($call:expr, $name:expr, $command:expr; $($type:ty),* $(,)?) => {
        match $name {
            $(<$type as Command>::NAME => run::<$type>($call, $command).map(Part::Text),)*
            FetchNodes::NAME => fetch($call, $command).map(Part::Tree),
            other => unsupported(other, $command).map(Part::Text),
        }
    };
}

fn dispatch(call: &mut Call<'_>, command: &str) -> Result<Part, ApiError> {
    let Ok(name) = wire::command_name(command) else { return Err(ErrorCode::Arguments.into()) };
    dispatch!(call, name.as_str(), command;
        session::Prelogin,
        session::Login,
        session::Logout,
        session_list::ListSessions,
        session_list::EndSessions,
        account::FetchUser,
        account::FetchQuota,
        account::UpdateUser,
        account::UpgradeAccount,
        signup::RequestSignup,
        signup::ConfirmSignup,
        signup::CancelSignup,
        second_factor::FetchSecondFactor,
        second_factor::SetSecondFactor,
        second_factor::RemoveSecondFactor,
        recovery::RequestMail,
        recovery::FetchMailCode,
        recovery::UseMailCode,
        recovery::RequestEmailChange,
        recovery::ConfirmEmailChange,
        service::FetchFlags,
        service::FetchBlockReason,
        service::FetchAddress,
        service::QueryTransferQuota,
        backup::ListBackups,
        backup::PutBackup,
        backup::PutHeartbeat,
        backup::RemoveBackup,
        user_attribute::FetchAttribute,
        user_attribute::RemoveAttribute,
        user_attribute::PutAttributes,
        user_attribute::PutVersionedAttributes,
        put::PutNodes,
        node::SetAttributes,
        node::MoveNode,
        node::DeleteNode,
        node::DeleteVersions,
        node::EmptyTrash,
        link::SetLink,
        link::FetchLink,
        share::SetShare,
        key::HandOverKeys,
        key::SetKeys,
        contact::Invite,
        contact::AnswerInvitation,
        contact::SetContact,
        contact::SetContactOld,
        contact::FetchPublicKey,
        contact::FetchAddress,
        contact_link::MakeContactLink,
        contact_link::RenewContactLink,
        contact_link::FetchContactLink,
        contact_link::RemoveContactLink,
        transfer::RequestDownload,
        transfer::RequestUpload,
        file_attribute::RequestFileAttributes,
        file_attribute::PutFileAttributes,
    )
}

fn run<C: Handle>(call: &mut Call<'_>, command: &str) -> Result<String, ApiError> {
    let response = decode::<C>(command)?.handle(call)?;
    let tag = call.tag.as_ref().filter(|_| call.acknowledged);
    Ok(wire::encode_result::<C>(&Ok(response), tag, call.grammar)?)
}

fn fetch(call: &Call<'_>, command: &str) -> Result<Snapshot, ApiError> {
    Snapshot::of(call, &decode(command)?)
}

fn decode<C: Command>(command: &str) -> Result<C, ApiError> {
    let decoded = match wire::decode_command::<C>(command) {
        Ok(decoded) => decoded,
        Err(error) => {
            tracing::warn!(command = C::NAME, path = error.path, "departs from the schema");
            return Err(ErrorCode::Arguments.into());
        }
    };
    for drift in &decoded.drift {
        tracing::warn!(command = C::NAME, path = drift.path, "departs from the schema");
    }
    Ok(decoded.value)
}

/// Statistics are taken and thrown away. Everything else that is not known is refused item by item: some
/// clients crash on 0 for a command that has a result (`protocol-observed.md` 6.1).
fn unsupported(name: &str, command: &str) -> Result<String, ApiError> {
    match name {
        "log" | "clog" | "sla" => return Ok("0".into()),
        // Nobody has ever paid anything here.
        "utt" | "utp" => return Ok("[]".into()),
        _ => {}
    }
    let body: String = command.chars().take(LOGGED).collect();
    tracing::warn!(body = body.escape_debug().to_string(), "not supported");
    let code = if matches!(name, "gpsa" | "ftz" | "stp") {
        ErrorCode::NotFound
    } else {
        ErrorCode::Arguments
    };
    Err(code.into())
}
