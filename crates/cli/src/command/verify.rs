//! `verify`: a local tree against a remote one, by what the local bytes' MACs would be. Nothing is downloaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use serde_json::json;
use supermega::name::{System, for_terminal};
use supermega::transfer::{DownloadPlan, PlannedDownload, TargetState};
use supermega::{Error, Session};

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
    let mut report = Report { context, differ: 0, same: 0 };
    for node in &plan.unreadable {
        report.say(Path::new(&name_of(node)), "unreadable")?;
    }
    for error in plan.failed {
        context.output.problem(&error.into());
        report.differ += 1;
    }
    report.extra(&local, &plan.files, &plan.folders)?;
    let mut comparing = futures_util::stream::iter(plan.files)
        .map(|file| compare(&found.session, file))
        .buffered(FILES);
    while let Some(compared) = comparing.next().await {
        let (path, state) = compared?;
        report.say(&path, state)?;
    }
    let (same, differ) = (report.same, report.differ);
    context.output.note(&format!("{same} the same, {differ} not"));
    Ok(if differ == 0 { Exit::Done } else { Exit::Integrity })
}

async fn compare(session: &Session, file: PlannedDownload) -> Result<(PathBuf, &'static str)> {
    let state = match file.state {
        TargetState::Absent => "missing",
        _ if session.download(&file.node)?.matches(&file.path).await? => "same",
        _ => "different",
    };
    Ok((file.path, state))
}

/// Counts and prints what became of each file.
struct Report<'a> {
    context: &'a Context,
    differ: usize,
    same: usize,
}

impl Report<'_> {
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
            let failed = |source| Error::Local { path: folder.clone(), source };
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
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

fn object(path: &str, state: &str) -> serde_json::Value {
    json!({ "type": "file", "path": path, "state": state })
}
