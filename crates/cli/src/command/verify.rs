//! `verify`: a local tree against a remote one, by what the local bytes' MACs would be. Nothing is downloaded.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use serde_json::json;
use supermega::name::{System, for_terminal};
use supermega::transfer::{DownloadPlan, PlannedDownload, TargetState};
use supermega::{Error, Session};

use super::summary::Summary;
use crate::arguments::Verify;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::name_of;

/// Files that are read at the same time.
const FILES: usize = 4;

/// Compares, and says what differs.
pub async fn run(arguments: Verify, context: &Context) -> Result<Exit> {
    let found = context.find(&arguments.remote).await?;
    let local = PathBuf::from(&arguments.local);
    let metadata =
        std::fs::metadata(&local).map_err(|source| Error::Local { path: local.clone(), source })?;
    if metadata.is_file() != found.node.is_file() {
        let text = format!("{} and {} are not of one kind", arguments.local, arguments.remote);
        return Err(CommandError::Local(text));
    }
    let plan = {
        let (tree, node, local) = (found.tree, found.node, local.clone());
        let plan = move || DownloadPlan::new(&tree, &node, &local, System::current());
        tokio::task::spawn_blocking(plan).await.map_err(CommandError::local)??
    };
    let mut report = Report { context, differ: 0, same: 0, unknown: Summary::default() };
    for node in &plan.unreadable {
        report.say(Path::new(&name_of(node)), "unreadable")?;
    }
    for error in plan.failed {
        report.fail(error)?;
    }
    report.extra(&local, &plan.files, &plan.folders)?;
    let mut comparing = futures_util::stream::iter(plan.files)
        .map(|file| compare(&found.session, file))
        .buffered(FILES);
    while let Some((path, compared)) = comparing.next().await {
        report.take(&path, compared)?;
    }
    Ok(report.end())
}

async fn compare(session: &Session, file: PlannedDownload) -> (PathBuf, Result<&'static str>) {
    let state = match file.state {
        TargetState::Absent => Ok("missing"),
        _ => same_or_not(session, &file).await,
    };
    (file.path, state)
}

async fn same_or_not(session: &Session, file: &PlannedDownload) -> Result<&'static str> {
    let same = session.download(&file.node)?.matches(&file.path).await?;
    Ok(if same { "same" } else { "different" })
}

/// Counts and prints what became of each file.
struct Report<'a> {
    context: &'a Context,
    differ: usize,
    same: usize,
    /// Those of which nothing is known, since they cannot be read.
    unknown: Summary,
}

impl Report<'_> {
    /// What a comparison gave. One that failed is said, and the others go on.
    fn take(&mut self, path: &Path, compared: Result<&str>) -> Result<()> {
        match compared {
            Ok(state) => self.say(path, state),
            Err(error) => {
                self.context.output.object(|| object(&path.display().to_string(), "failed"))?;
                self.unknown.add::<()>(self.context, Err(error))
            }
        }
    }

    /// Says why nothing can be at a target, or why nothing is known of it.
    fn fail(&mut self, error: Error) -> Result<()> {
        if is_unknown(&error) {
            return self.unknown.add::<()>(self.context, Err(error.into()));
        }
        self.context.output.problem(&error.into());
        self.differ += 1;
        Ok(())
    }

    /// Says what it came to.
    fn end(self) -> Exit {
        let Self { context, same, differ, unknown } = self;
        let unread = match unknown.failed() {
            0 => String::new(),
            failed => format!(", {failed} not read"),
        };
        context.output.note(&format!("{same} the same, {differ} not{unread}"));
        match (differ, unknown.failed()) {
            (0, 0) => Exit::Done,
            (0, _) if same > 0 => Exit::Partly,
            (0, _) => unknown.exit(context),
            _ => Exit::Integrity,
        }
    }

    fn say(&mut self, path: &Path, state: &str) -> Result<()> {
        let text = path.display().to_string();
        if state == "same" {
            self.same += 1;
            return self.context.output.object(|| object(&text, state));
        }
        self.differ += 1;
        let line = format!("{state} {}", for_terminal(&text));
        self.context.output.data(&line, || object(&text, state))
    }

    /// Says which local files and folders are not there.
    fn extra(&mut self, top: &Path, files: &[PlannedDownload], folders: &[PathBuf]) -> Result<()> {
        let known: BTreeSet<&Path> = files
            .iter()
            .map(|file| file.path.as_path())
            .chain(folders.iter().map(PathBuf::as_path))
            .collect();
        if !top.is_dir() {
            return Ok(());
        }
        let mut pending = vec![top.to_owned()];
        while let Some(folder) = pending.pop() {
            let entries = match listed(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.take(&folder, Err(error))?;
                    continue;
                }
            };
            for path in entries {
                if !known.contains(path.as_path()) {
                    self.say(&path, "extra")?;
                } else if path.is_dir() {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }
}

/// Whether a target might be there all the same: one whose name is too long is not.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Local { source, .. } if source.kind() != ErrorKind::InvalidFilename)
}

/// What lies in a folder.
fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Local { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    Ok(entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<_, Error>>()?)
}

fn object(path: &str, state: &str) -> serde_json::Value {
    json!({ "type": "file", "path": path, "state": state })
}
