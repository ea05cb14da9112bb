//! Clears away journals of uploads that no later run can go on with.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::locked_file;
use super::source_file::SourceFile;
use super::upload_journal::{self, Left};
use crate::blocking::blocking;
use crate::error::{Error, Result};

/// Addresses and tokens of uploads live for two days (`protocol-api.md` 4.5); what nobody has worked at for longer
/// leads nowhere.
const LIFE: Duration = Duration::from_hours(3 * 24);

/// Removes the journals in a folder ([`Upload::journal_in`](super::Upload::journal_in)) that are of no use any more:
/// the local file has changed or gone, or nobody has worked at the upload for so long that its address is dead.
/// Gives their number. Journals that another upload works with are left alone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// let swept = supermega::transfer::sweep_journals(dir.path().join("uploads")).await?;
/// assert_eq!(swept, 0);
/// # Ok(())
/// # }
/// ```
pub async fn sweep_journals(folder: impl AsRef<Path>) -> Result<usize> {
    let folder = folder.as_ref().to_owned();
    blocking(move || sweep(&folder, SystemTime::now())).await
}

fn sweep(folder: &Path, now: SystemTime) -> Result<usize> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(Error::local(folder))?,
    };
    let mut swept = 0;
    for entry in entries {
        let path = entry.map_err(Error::local(folder))?.path();
        // What another upload works with it may also have removed meanwhile.
        if upload_journal::is_journal(&path) && sweep_one(&path, now).unwrap_or(false) {
            swept += 1;
        }
    }
    Ok(swept)
}

/// Removes a journal if it is of no use, and says whether it was.
fn sweep_one(path: &Path, now: SystemTime) -> std::io::Result<bool> {
    let Some(mut file) = locked_file::open_free(path)? else { return Ok(false) };
    let left = upload_journal::read_from(&mut file)?;
    let age = now.duration_since(file.metadata()?.modified()?).unwrap_or_default();
    // The lock is held meanwhile: whoever waits for it sees that the file has gone, and makes another.
    let useless = age > LIFE || left.is_none_or(|left| is_source_gone(&left));
    if useless {
        std::fs::remove_file(path)?;
    }
    Ok(useless)
}

/// Whether the local file is another one now. One whose folder has gone, too, may come back with its disk.
fn is_source_gone(left: &Left) -> bool {
    let Some(from) = &left.from else { return false };
    match std::fs::metadata(from) {
        Ok(found) if found.is_file() => {
            SourceFile::open(from).is_ok_and(|source| source.identity() != left.identity)
        }
        Ok(_) => true,
        Err(error) => {
            let is_absent = error.kind() == std::io::ErrorKind::NotFound;
            is_absent && from.parent().is_some_and(Path::is_dir)
        }
    }
}

#[cfg(test)]
mod tests {
    use supermega_protocol::StorageUrl;

    use super::super::upload_journal::UploadJournal;
    use super::*;

    #[test]
    fn only_what_is_of_no_use_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (sources, journals) = (dir.path().join("sources"), dir.path().join("journals"));
        std::fs::create_dir(&sources).unwrap();
        let begin = |name: &str| {
            let source = sources.join(name);
            std::fs::write(&source, name).unwrap();
            let path = upload_journal::path(&journals, &[name.as_bytes()]);
            let (journal, _) = UploadJournal::open(path).unwrap();
            let url = StorageUrl::new("http://127.0.0.1/ul/x".into());
            journal.begin(&SourceFile::open(&source).unwrap(), &[9; 32], &url).unwrap();
            journal
        };
        let busy = begin("gone and busy");
        for name in ["kept", "gone", "changed"] {
            drop(begin(name));
        }
        let elsewhere = dir.path().join("disk");
        std::fs::create_dir(&elsewhere).unwrap();
        std::fs::write(journals.join("notes.txt"), "not ours").unwrap();
        std::fs::write(upload_journal::path(&journals, &[b"torn"]), "source x").unwrap();
        std::fs::remove_file(sources.join("gone")).unwrap();
        std::fs::remove_file(sources.join("gone and busy")).unwrap();
        std::fs::write(sources.join("changed"), "something else").unwrap();
        let there = |name: &str| upload_journal::path(&journals, &[name.as_bytes()]).exists();
        assert_eq!(sweep(&journals, SystemTime::now()).unwrap(), 3);
        assert!(there("kept") && there("gone and busy"));
        assert!(!there("gone") && !there("changed") && !there("torn"));
        // A disk that is not there now.
        std::fs::rename(&sources, elsewhere.join("sources")).unwrap();
        drop(busy);
        assert_eq!(sweep(&journals, SystemTime::now()).unwrap(), 0);
        assert_eq!(sweep(&journals, SystemTime::now() + 2 * LIFE).unwrap(), 2);
        assert!(journals.join("notes.txt").exists());
        assert_eq!(sweep(&dir.path().join("nowhere"), SystemTime::now()).unwrap(), 0);
    }
}
