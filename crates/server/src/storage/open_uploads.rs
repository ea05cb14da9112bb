//! Uploads under way: what has arrived of each, and how long its address is good.
//!
//! What is here is a copy: of the upload's row, which is written when it is made and when it is complete, and of
//! its journal, which every piece goes to. So an upload may be dropped here at any time that nobody
//! works on it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::journal::{self, Journal};
use super::ranges::Ranges;
use super::receive::Turn;
use crate::store::Store;
use crate::store::uploads;

/// When there are more than this many, those that nobody works on are dropped.
const KEPT: usize = 1024;
/// How often the database learns that an upload is still in use.
const NOTED: Duration = Duration::from_hours(12);

/// All uploads that somebody came back for.
#[derive(Debug)]
pub(crate) struct OpenUploads {
    /// How long an address is good when nobody uses it.
    life: Duration,
    open: Mutex<HashMap<String, Arc<OpenUpload>>>,
}

/// One upload.
#[derive(Debug)]
pub(super) struct OpenUpload {
    token: String,
    pub blob: i64,
    pub size: u64,
    pub turn: Turn,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    ranges: Ranges,
    used: SystemTime,
    /// When the database was last told that the upload is in use.
    noted: SystemTime,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Open(Journal),
    Complete(Vec<u8>),
    Abandoned,
}

/// What became of an upload.
pub(super) enum Settled {
    /// All has arrived; this is the token.
    Complete(Vec<u8>),
    Partial,
    /// There is no such upload any more.
    Abandoned,
}

/// Why an upload could not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    #[error("{0}")]
    File(#[from] std::io::Error),
}

impl OpenUploads {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, open: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<OpenUpload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The upload of this token, if there is one; `folder` holds the blobs. Blocks.
    pub(super) fn find(
        &self,
        store: &Store,
        folder: &Path,
        token: &str,
    ) -> Result<Option<Arc<OpenUpload>>, UploadError> {
        let mut all = self.all();
        if let Some(upload) = all.get(token) {
            return Ok(Some(upload.clone()));
        }
        // Nobody else must open the same one meanwhile, and find its journal shorter than it is.
        let Some(upload) = OpenUpload::load(store, folder, token)? else { return Ok(None) };
        if all.len() >= KEPT {
            all.retain(|_, upload| Arc::strong_count(upload) > 1);
        }
        let upload = Arc::new(upload);
        all.insert(token.to_owned(), upload.clone());
        Ok(Some(upload))
    }

    /// Whether the address of an upload is still good; if so, it is for another life.
    pub(super) fn use_address(&self, upload: &OpenUpload) -> bool {
        upload.progress().use_at(SystemTime::now(), self.life)
    }

    /// Forgets an upload that is not complete.
    pub(crate) fn forget(&self, token: &str) {
        if let Some(upload) = self.all().remove(token) {
            upload.end();
        }
    }

    /// Forgets all uploads.
    pub(crate) fn forget_all(&self) {
        self.all().drain().for_each(|(_, upload)| upload.end());
    }
}

impl OpenUpload {
    fn load(store: &Store, folder: &Path, token: &str) -> Result<Option<Self>, UploadError> {
        let Some(row) = store.read(|db| uploads::get(db, token))? else { return Ok(None) };
        let noted = SystemTime::UNIX_EPOCH + Duration::from_secs(row.used.max(0).cast_unsigned());
        let mut progress =
            Progress { ranges: Ranges::default(), used: noted, noted, stage: Stage::Abandoned };
        progress.stage = if let Some(completion) = row.completion {
            Stage::Complete(completion)
        } else {
            let path = folder.join(row.blob.to_string());
            // The last piece that was noted is the last use.
            let written = std::fs::metadata(journal::path(&path)).and_then(|file| file.modified());
            progress.used = written.map_or(noted, |modified| modified.max(noted));
            let (journal, ranges) = Journal::open(&path, row.size)?;
            File::options().create(true).append(true).open(path)?;
            progress.ranges = ranges;
            Stage::Open(journal)
        };
        let (token, progress) = (token.to_owned(), Mutex::new(progress));
        Ok(Some(Self { token, blob: row.blob, size: row.size, turn: Turn::default(), progress }))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.progress().stage = Stage::Abandoned;
    }

    /// The token, once everything has arrived.
    pub(super) fn completion(&self) -> Option<Vec<u8>> {
        match &self.progress().stage {
            Stage::Complete(completion) => Some(completion.clone()),
            Stage::Open(_) | Stage::Abandoned => None,
        }
    }

    /// Notes that bytes `start..end` have arrived; when those are the last, the upload gets its token.
    /// Blocks.
    pub(super) fn settle(
        &self,
        store: &Store,
        folder: &Path,
        start: u64,
        end: u64,
    ) -> Result<Settled, UploadError> {
        let mut progress = self.progress();
        match &mut progress.stage {
            Stage::Abandoned => return Ok(Settled::Abandoned),
            Stage::Complete(completion) => return Ok(Settled::Complete(completion.clone())),
            Stage::Open(journal) => journal.add(start, end)?,
        }
        progress.ranges.add(start, end);
        let now = SystemTime::now();
        progress.used = now;
        if !progress.ranges.cover(self.size) {
            if now.duration_since(progress.noted).is_ok_and(|age| age >= NOTED) {
                store.write(|tx| uploads::touch(tx, &self.token))?;
                progress.noted = now;
            }
            return Ok(Settled::Partial);
        }
        let Some(completion) = store.write(|tx| uploads::complete(tx, &self.token))? else {
            progress.stage = Stage::Abandoned;
            return Ok(Settled::Abandoned);
        };
        progress.stage = Stage::Complete(completion.clone());
        // What stays behind is removed at the next start.
        let _ = std::fs::remove_file(journal::path(&folder.join(self.blob.to_string())));
        Ok(Settled::Complete(completion))
    }
}

impl Progress {
    fn use_at(&mut self, now: SystemTime, life: Duration) -> bool {
        // A clock that was set back makes nothing older.
        let is_good = now.duration_since(self.used).unwrap_or_default() < life;
        if is_good {
            self.used = now;
        }
        is_good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lives_as_long_as_it_is_used() {
        let (hour, mut now) = (Duration::from_hours(1), SystemTime::now());
        let stage = Stage::Abandoned;
        let mut progress = Progress { ranges: Ranges::default(), used: now, noted: now, stage };
        for _ in 0..3 {
            now += hour * 2 / 3;
            assert!(progress.use_at(now, hour));
        }
        now += hour;
        assert!(!progress.use_at(now, hour) && !progress.use_at(now, hour));
        assert!(progress.use_at(now - hour * 2, hour));
        assert!(!progress.use_at(now, Duration::ZERO));
    }
}
