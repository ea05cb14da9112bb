//! One SQLite file of parts, each with its keyed hash.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use supermega_crypto::{CacheKey, CryptoError};

use super::Damaged;
use super::head::Head;
use super::place::Place;

/// Tells these files from other databases: "SMGC".
pub(super) const APPLICATION: i32 = 0x534d_4743;
/// The format. Files of another one are made anew.
pub(super) const FORMAT: i32 = 1;
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// What SQLite reads and writes at once: about a part.
pub(super) const PAGE_SIZE: usize = 32 << 10;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// There is none.
    #[error("there is none")]
    Missing,
    /// The system says no: the disk is full, the directory cannot be written.
    #[error("{0}")]
    System(String),
    /// The file itself is not what was written.
    #[error("{0}")]
    Unusable(&'static str),
}

impl From<Damaged> for Trouble {
    fn from(_: Damaged) -> Self {
        Self::Unusable("it is damaged, or another one's")
    }
}

impl From<CryptoError> for Trouble {
    fn from(error: CryptoError) -> Self {
        Self::System(error.to_string())
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
            | None => Self::Unusable("it is no database of this kind, or damaged"),
            _ => Self::System(error.to_string()),
        }
    }
}

/// An open file.
pub(super) struct File {
    connection: Connection,
    pub(super) key: CacheKey,
}

impl File {
    /// Opens a file that is there.
    pub(super) fn open(place: &Place, key: CacheKey) -> Result<Self, Trouble> {
        if !place.path().try_exists().unwrap_or(true) {
            return Err(Trouble::Missing);
        }
        let file = Self::connect(place.path(), key)?;
        let pragma = |name| {
            file.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0))
        };
        if pragma("application_id")? != APPLICATION {
            return Err(Trouble::Unusable("it is no cache"));
        }
        if pragma("user_version")? != FORMAT {
            return Err(Trouble::Unusable("it has another format"));
        }
        // What a crash of the machine takes is loaded again.
        file.connection.execute_batch("PRAGMA synchronous = OFF")?;
        Ok(file)
    }

    /// Makes a file of one that is empty.
    pub(super) fn create(path: &Path, key: CacheKey) -> Result<Self, Trouble> {
        let file = Self::connect(path, key)?;
        file.connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE_SIZE};
             PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {FORMAT};
             PRAGMA journal_mode = OFF;
             PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA synchronous = OFF;
             CREATE TABLE parts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
             BEGIN;"
        ))?;
        Ok(file)
    }

    /// Ends the making of a file: from now on several processes may use it.
    pub(super) fn finish(self) -> Result<(), Trouble> {
        self.connection.execute_batch(
            "COMMIT;
             PRAGMA locking_mode = NORMAL;
             PRAGMA journal_mode = WAL;",
        )?;
        self.connection.close().map_err(|(_, error)| error.into())
    }

    fn connect(path: &Path, key: CacheKey) -> Result<Self, Trouble> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(Self { connection, key })
    }

    /// From now on, what is read is as it is now.
    pub(super) fn begin_reading(&self) -> Result<(), Trouble> {
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    /// Does some work, all of it or nothing, while nobody else writes.
    pub(super) fn exclusively<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|done| {
            self.connection.execute_batch("COMMIT")?;
            Ok(done)
        });
        if done.is_err() {
            // Where this fails, the connection is closed, which does the same.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        done
    }

    /// The head, which says what all other parts must be.
    pub(super) fn head(&self) -> Result<Head, Trouble> {
        let bytes = self.bytes(0)?.ok_or(Damaged)?;
        let (content, tag) = split(&bytes)?;
        if !self.key.has_tagged(&[b"head", content], tag) {
            return Err(Damaged.into());
        }
        Ok(Head::read(content).ok_or(Damaged)?)
    }

    pub(super) fn put_head(&self, head: &Head) -> Result<(), Trouble> {
        let content = head.to_bytes();
        let tag = self.key.tag(&[b"head", &content]);
        self.put_bytes(0, &[content, tag.to_vec()].concat())
    }

    /// A part, if it is the one that was written.
    pub(super) fn part(&self, head: &Head, kind: u32, number: u32) -> Result<Vec<u8>, Trouble> {
        let bytes = self.unproved(kind, number)?;
        Ok(proved(&self.key, head, kind, number, bytes)?)
    }

    /// A part with its tag, whatever it may be.
    pub(super) fn unproved(&self, kind: u32, number: u32) -> Result<Vec<u8>, Trouble> {
        Ok(self.bytes(id(kind, number))?.ok_or(Damaged)?)
    }

    pub(super) fn put(
        &self,
        head: &Head,
        kind: u32,
        number: u32,
        content: &[u8],
    ) -> Result<(), Trouble> {
        let id = id(kind, number);
        let tag = self.key.tag(&[&head.build, &id.to_be_bytes(), content]);
        self.put_bytes(id, &[content, &tag].concat())
    }

    /// Removes all parts of a kind.
    pub(super) fn remove(&self, kind: u32) -> Result<(), Trouble> {
        let range = params![id(kind, 0), id(kind, u32::MAX)];
        self.connection.execute("DELETE FROM parts WHERE id BETWEEN ?1 AND ?2", range)?;
        Ok(())
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), Trouble> {
        self.connection.execute("DELETE FROM parts", [])?;
        Ok(())
    }

    fn bytes(&self, id: i64) -> Result<Option<Vec<u8>>, Trouble> {
        let mut statement =
            self.connection.prepare_cached("SELECT bytes FROM parts WHERE id = ?1")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }

    fn put_bytes(&self, id: i64, bytes: &[u8]) -> Result<(), Trouble> {
        let text = "INSERT OR REPLACE INTO parts (id, bytes) VALUES (?1, ?2)";
        self.connection.prepare_cached(text)?.execute(params![id, bytes])?;
        Ok(())
    }
}

/// A part without its tag, if it is the one that was written.
pub(super) fn proved(
    key: &CacheKey,
    head: &Head,
    kind: u32,
    number: u32,
    mut bytes: Vec<u8>,
) -> Result<Vec<u8>, Damaged> {
    let (content, tag) = split(&bytes)?;
    if !key.has_tagged(&[&head.build, &id(kind, number).to_be_bytes(), content], tag) {
        return Err(Damaged);
    }
    bytes.truncate(bytes.len() - CacheKey::TAG_LEN);
    Ok(bytes)
}

/// The number of a part in the table.
fn id(kind: u32, number: u32) -> i64 {
    i64::from(kind) << 32 | i64::from(number)
}

fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Damaged> {
    let at = bytes.len().checked_sub(CacheKey::TAG_LEN).ok_or(Damaged)?;
    Ok(bytes.split_at(at))
}
