//! A batch of commands: decoded, dispatched, answered in the client's grammar.

use supermega_protocol::wire::{self, Grammar};
use supermega_protocol::{
    Command, ErrorCode, account, link, node, put, session, share, transfer, tree, user_attribute,
};

use super::call::{ApiError, Call, Caller, Handle};
use crate::state::State;

/// More commands than this are not taken at once: official clients send no more.
const BATCH: usize = 10_000;

/// A request to `cs`, decoded from its query.
pub(crate) struct Request<'a> {
    pub caller: Caller,
    pub grammar: Grammar,
    /// Scheme, host and port that the client reached us by.
    pub base: &'a str,
    pub body: &'a str,
}

/// Carries out a batch in one transaction; the answer is given only when that stands. Blocks.
pub(crate) fn answer(state: &State, request: &Request<'_>) -> String {
    let commands = match wire::decode_batch(request.body) {
        Ok(commands) if commands.len() <= BATCH => commands,
        Ok(_) => return wire::encode_failure(ErrorCode::TooMany.into()),
        Err(error) => {
            tracing::warn!(%error, "no batch");
            return wire::encode_failure(ErrorCode::Arguments.into());
        }
    };
    let carried_out = state.store.write(|tx| {
        let mut call = Call {
            state,
            db: tx,
            caller: request.caller,
            grammar: request.grammar,
            base: request.base,
            originator: None,
            tag: None,
            unused: Vec::new(),
            announced: false,
        };
        let mut results = Vec::with_capacity(commands.len());
        for command in &commands {
            results.push(one(&mut call, command.get())?);
        }
        Ok((wire::encode_batch(&results), call.unused, call.announced))
    });
    match carried_out {
        Ok((body, unused, announced)) => {
            for blob in unused {
                let _ = std::fs::remove_file(state.blob_path(blob));
            }
            if announced {
                state.announce();
            }
            body
        }
        Err(error) => {
            tracing::error!(%error, "the transaction was undone");
            wire::encode_failure(ErrorCode::Internal.into())
        }
    }
}

/// Carries out one command; what it wrote is undone if it fails.
fn one(call: &mut Call<'_>, command: &str) -> rusqlite::Result<String> {
    call.db.execute_batch("SAVEPOINT command")?;
    (call.originator, call.tag) = (originator(command), None);
    let unused = call.unused.len();
    let failure = match dispatch(call, command) {
        Ok(result) => {
            call.db.execute_batch("RELEASE command")?;
            return Ok(result);
        }
        Err(error) => error.into_failure(),
    };
    call.unused.truncate(unused);
    call.db.execute_batch("ROLLBACK TO command; RELEASE command")?;
    Ok(wire::encode_failure(failure))
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
            $(<$type as Command>::NAME => run::<$type>($call, $command),)*
            other => unsupported(other),
        }
    };
}

fn dispatch(call: &mut Call<'_>, command: &str) -> Result<String, ApiError> {
    let name = match wire::command_name(command) {
        Ok(name) => name,
        Err(error) => {
            tracing::warn!(%error, "no command");
            return Err(ErrorCode::Arguments.into());
        }
    };
    dispatch!(call, name.as_str(), command;
        session::Prelogin,
        session::Login,
        session::Logout,
        account::FetchUser,
        account::FetchQuota,
        account::UpdateUser,
        user_attribute::FetchAttribute,
        user_attribute::PutAttributes,
        user_attribute::PutVersionedAttributes,
        tree::FetchNodes,
        put::PutNodes,
        node::SetAttributes,
        node::MoveNode,
        node::DeleteNode,
        link::SetLink,
        share::SetShare,
        transfer::RequestDownload,
        transfer::RequestUpload,
    )
}

fn run<C: Handle>(call: &mut Call<'_>, command: &str) -> Result<String, ApiError> {
    let decoded = match wire::decode_command::<C>(command) {
        Ok(decoded) => decoded,
        Err(error) => {
            tracing::warn!(%error, "a command departs from the schema");
            return Err(ErrorCode::Arguments.into());
        }
    };
    for drift in &decoded.drift {
        tracing::warn!(%drift, "a command departs from the schema");
    }
    let response = decoded.value.handle(call)?;
    Ok(wire::encode_result::<C>(&Ok(response), call.tag.as_ref(), call.grammar)?)
}

/// Statistics are taken and thrown away. Everything else that is not known is refused item by item: some
/// clients crash on 0 for a command that has a result (`protocol-observed.md` 6.1).
fn unsupported(name: &str) -> Result<String, ApiError> {
    if matches!(name, "log" | "clog" | "sla") {
        return Ok("0".into());
    }
    tracing::info!(name, "not supported");
    let code =
        if matches!(name, "pk" | "gpsa") { ErrorCode::NotFound } else { ErrorCode::Arguments };
    Err(code.into())
}
