//! `put`: files and folders up, as `cp -r` copies.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use serde_json::json;
use supermega::name::{System, for_terminal, to_remote};
use supermega::transfer::{PlannedUpload, Progress, TargetState, UploadPlan};
use supermega::{Error, Node, RemotePath, Session, Tree};

use super::summary::Summary;
use crate::arguments::Put;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::place::Place;

/// Files at the same time.
const FILES: usize = 4;

/// Uploads each source to the target.
pub async fn run(arguments: Put, context: &Context) -> Result<Exit> {
    let (sources, target) = match arguments.paths.as_slice() {
        [only] => (std::slice::from_ref(only), "/"),
        [sources @ .., target] => (sources, target.as_str()),
        [] => return Err(CommandError::Usage("name what to upload".into())),
    };
    let target = Place::path(target)?;
    let session = context.session().await?;
    let tree = session.tree().await?;
    let folder = match tree.at(&target) {
        Ok(node) if !node.is_file() => true,
        Ok(_) if sources.len() == 1 => false,
        Ok(_) => return Err(Error::AlreadyExists { path: target.to_string() }.into()),
        Err(Error::NotFound { .. }) if sources.len() == 1 => false,
        Err(error) => return Err(error.into()),
    };
    let spool = tempfile::tempdir()?;
    let mut plans = Vec::with_capacity(sources.len());
    for source in sources {
        let (local, remote) = match source.as_str() {
            "-" if folder => {
                let text = "standard input has no name: name the remote file itself";
                return Err(CommandError::Usage(text.into()));
            }
            "-" => (spool_stdin(spool.path()).await?, target.clone()),
            text if folder => (PathBuf::from(text), target.join(&name_of(Path::new(text))?)),
            text => (PathBuf::from(text), target.clone()),
        };
        plans.push(tokio::task::block_in_place(|| plan(&tree, &local, &remote))?);
    }
    let mut summary = Summary::default();
    for plan in &plans {
        for path in &plan.skipped {
            context.output.note(&format!("{} is no file and stays behind", path.display()));
        }
        for folder in &plan.folders {
            session.make_folder(folder).await?;
        }
    }
    let files = plans.into_iter().flat_map(|plan| plan.files).collect();
    send(context, &session, files, &mut summary).await?;
    Ok(summary.exit(context))
}

/// Plans one source; the folder around its target must exist.
fn plan(tree: &Tree, local: &Path, remote: &RemotePath) -> Result<UploadPlan> {
    if let Some(parent) = remote.parent() {
        tree.at(&parent)?;
    }
    Ok(UploadPlan::new(tree, local, remote)?)
}

/// The remote name of a local path: `.` and the like are called as the folder they mean.
fn name_of(path: &Path) -> Result<String> {
    let path = match path.file_name() {
        Some(_) => path.to_owned(),
        None => std::fs::canonicalize(path)
            .map_err(|source| Error::Local { path: path.to_owned(), source })?,
    };
    let name = path.file_name().and_then(std::ffi::OsStr::to_str).ok_or_else(|| {
        CommandError::Usage(format!("{}: a name on MEGA must be Unicode", path.display()))
    })?;
    Ok(to_remote(name, System::current()).into_owned())
}

/// The service must know the size beforehand, so that standard input goes to a file first.
async fn spool_stdin(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("stdin");
    let target = path.clone();
    let copy = move || {
        let mut file = std::fs::File::create(target)?;
        std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
        file.flush()
    };
    tokio::task::spawn_blocking(copy).await.map_err(CommandError::local)??;
    Ok(path)
}

async fn send(
    context: &Context,
    session: &Session,
    files: Vec<PlannedUpload>,
    summary: &mut Summary,
) -> Result<()> {
    let (same, wanted): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.state == TargetState::Same);
    for file in same {
        context
            .output
            .note(&format!("{} is there already", for_terminal(&file.remote.to_string())));
        report(context, &file, None, "skipped")?;
        summary.add::<()>(context, Ok(()));
    }
    let bytes = wanted.iter().map(|file| file.size).sum();
    let bars: Arc<dyn Progress> = Arc::new(context.output.bars(bytes));
    let mut running = futures_util::stream::iter(wanted)
        .map(|file| {
            let bars = bars.clone();
            async move {
                let sent = one(session, &file, bars).await;
                (file, sent)
            }
        })
        .buffer_unordered(FILES);
    while let Some((file, sent)) = running.next().await {
        if let Ok(node) = &sent {
            report(context, &file, Some(node), "uploaded")?;
        }
        summary.add(context, sent);
    }
    Ok(())
}

async fn one(session: &Session, file: &PlannedUpload, bars: Arc<dyn Progress>) -> Result<Node> {
    let (Some(parent), Some(name)) = (file.remote.parent(), file.remote.file_name()) else {
        return replace_by_handle(session, file, bars).await;
    };
    let parent = session.tree().await?.at(&parent)?;
    let mut upload = session.upload(&parent).name(name).progress(bars);
    if let Some(existing) = &file.existing {
        upload = upload.replacing(existing);
    }
    Ok(upload.from_path(&file.local).await?)
}

/// The target is a file named by its handle: the new version keeps its name and place.
async fn replace_by_handle(
    session: &Session,
    file: &PlannedUpload,
    bars: Arc<dyn Progress>,
) -> Result<Node> {
    let missing = || Error::NotFound { what: file.remote.to_string() };
    let existing = file.existing.as_ref().ok_or_else(missing)?;
    let tree = session.tree().await?;
    let parent = existing.parent().and_then(|parent| tree.node(parent)).ok_or_else(missing)?;
    let name = existing.name().ok_or_else(missing)?;
    let upload = session.upload(&parent).name(name).replacing(existing).progress(bars);
    Ok(upload.from_path(&file.local).await?)
}

fn report(context: &Context, file: &PlannedUpload, node: Option<&Node>, state: &str) -> Result<()> {
    context.output.object(|| {
        json!({
            "type": "file",
            "path": file.remote.to_string(),
            "size": file.size,
            "handle": node.or(file.existing.as_ref()).map(|node| node.handle().to_string()),
            "state": state,
        })
    })
}
