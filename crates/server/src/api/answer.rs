//! What a batch answers: texts, and trees, which are written while they are read.

use std::io;

use rusqlite::Connection;
use supermega_protocol::Failure;
use supermega_protocol::wire::{encode_batch, encode_failure};

use super::tree::Snapshot;
use crate::fault::drift::WithMember;

/// The result of one command.
pub(crate) enum Part {
    Text(String),
    /// What is read when the transaction stands: one command's result may be larger than memory.
    Tree(Snapshot),
    /// The same with a member that nobody knows, as a fault has it.
    TreeWithMember(Snapshot),
}

/// The answer to a batch.
pub(crate) enum Answer {
    Text(String),
    /// The results of a batch that holds trees.
    Parts(Vec<Part>),
}

/// Why an answer ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the client went away: {0}")]
    Gone(#[from] io::Error),
    #[error("{0}")]
    Broken(String),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for WriteError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() { Self::Gone(error.into()) } else { Self::Broken(error.to_string()) }
    }
}

impl Answer {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        if parts.iter().any(|part| !matches!(part, Part::Text(_))) {
            return Self::Parts(parts);
        }
        let texts = parts.into_iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Tree(_) | Part::TreeWithMember(_) => String::new(),
        });
        Self::Text(encode_batch(&texts.collect::<Vec<_>>()))
    }

    pub(super) fn failure(failure: impl Into<Failure>) -> Self {
        Self::Text(encode_failure(failure.into()))
    }

    /// Writes everything; trees are read from `db`, which must stand still meanwhile.
    pub(crate) fn write(&self, db: &Connection, out: &mut dyn io::Write) -> Result<(), WriteError> {
        let parts = match self {
            Self::Text(text) => return Ok(out.write_all(text.as_bytes())?),
            Self::Parts(parts) => parts,
        };
        for (i, part) in parts.iter().enumerate() {
            out.write_all(if i == 0 { b"[" } else { b"," })?;
            match part {
                Part::Text(text) => out.write_all(text.as_bytes())?,
                Part::Tree(snapshot) => snapshot.write(db, out)?,
                Part::TreeWithMember(snapshot) => {
                    snapshot.write(db, &mut WithMember::new(out))?;
                }
            }
        }
        Ok(out.write_all(b"]")?)
    }
}
