//! The metadata: SQLite with a write-ahead log, one transaction a request.

pub(crate) mod answers;
pub(crate) mod attributes;
pub(crate) mod backups;
pub(crate) mod blobs;
pub(crate) mod contact_links;
pub(crate) mod contacts;
pub(crate) mod events;
pub(crate) mod file_attributes;
pub(crate) mod links;
pub(crate) mod mail_codes;
pub(crate) mod nodes;
pub(crate) mod outbox;
pub(crate) mod second_factors;
pub(crate) mod session_history;
pub(crate) mod sessions;
pub(crate) mod share_keys;
pub(crate) mod shares;
pub(crate) mod signups;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod waiting_keys;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};
use supermega_crypto::CryptoError;
use supermega_protocol::ErrorCode;

use crate::error::ServerError;

const SCHEMA: &str = include_str!("schema.sql");
/// Counts up when the tables change: data of another format are refused.
const VERSION: i64 = 2;

/// How many idle connections for reading are kept: to open one takes longer than most requests.
const READERS: usize = 128;

/// How long another process may hold the database until clients are told to come again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The database: one connection that writes, and as many as are needed that read what is committed.
/// Its methods block: call them off the async threads.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens or makes the database; `durable` says whether it is to survive a power cut.
    pub(crate) fn open(path: &Path, durable: bool) -> Result<Self, ServerError> {
        let db = Connection::open(path)?;
        db.busy_timeout(PATIENCE)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", if durable { "NORMAL" } else { "OFF" })?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        db.pragma_update(None, "recursive_triggers", "OFF")?;
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != 0 && version != VERSION {
            return Err(ServerError::Format { found: version, known: VERSION });
        }
        db.execute_batch(SCHEMA)?;
        db.pragma_update(None, "user_version", VERSION)?;
        db.set_prepared_statement_cache_capacity(128);
        Ok(Self { path: path.to_owned(), writer: Mutex::new(db), readers: Mutex::default() })
    }

    /// Reads one committed state, however long it takes, beside whoever writes.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut db = match idle {
            Some(db) => db,
            None => self.reader()?,
        };
        let value = {
            let tx = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            read(&tx)?
        };
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(db);
        }
        Ok(value)
    }

    fn reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.path, flags)?;
        db.busy_timeout(PATIENCE)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(db)
    }

    /// Writes in a transaction, which is undone if `write` gives an error.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = write(&tx)?;
        tx.commit()?;
        Ok(value)
    }
}

/// What a client is told of an error: to come again, if the same may succeed a little later
/// (`protocol-api.md` 1.12).
pub(crate) fn code_of(error: &rusqlite::Error) -> ErrorCode {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, FileLockingProtocolFailed};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked | FileLockingProtocolFailed) => ErrorCode::Again,
        _ => ErrorCode::Internal,
    }
}

/// The server's own secret, which `new` becomes if there is none yet.
pub(crate) fn secret(
    db: &Connection,
    new: Result<[u8; 32], CryptoError>,
) -> rusqlite::Result<Result<[u8; 32], CryptoError>> {
    let known = db
        .query_row("SELECT value FROM server WHERE name = 'secret'", [], |row| row.get(0))
        .optional()?;
    match (known, new) {
        (Some(secret), _) => Ok(Ok(secret)),
        (None, Ok(new)) => {
            db.execute("INSERT INTO server (name, value) VALUES ('secret', ?1)", [new])?;
            Ok(Ok(new))
        }
        (None, Err(error)) => Ok(Err(error)),
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    age.map_or(0, |age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
}

/// Ends all sessions and removes what users stored, but not their accounts and roots; gives the blobs that
/// nobody needs any more.
pub(crate) fn reset(db: &Transaction<'_>) -> rusqlite::Result<Vec<i64>> {
    db.execute_batch(
        "DELETE FROM nodes WHERE type < 2;
         DELETE FROM uploads; DELETE FROM sessions; DELETE FROM answers; DELETE FROM packets;
         DELETE FROM attributes; DELETE FROM contacts; DELETE FROM contact_requests;
         DELETE FROM contact_links; DELETE FROM waiting_keys; DELETE FROM backups;
         DELETE FROM mail_codes; DELETE FROM signups; DELETE FROM outbox; DELETE FROM file_attributes;",
    )?;
    db.prepare("DELETE FROM blobs RETURNING id")?.query_map([], |row| row.get(0))?.collect()
}
