//! `put`: files and folders up, as `cp -r` copies.

use std::collections::HashSet;
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
    let several = sources.len() > 1;
    let path = Place::path(target)?;
    let session = context.session().await?;
    let is_folder = match session.tree().await?.at(&path) {
        Ok(node) if !node.is_file() => true,
        Ok(_) if several => return Err(Error::AlreadyExists { path: path.to_string() }.into()),
        Ok(_) => false,
        Err(Error::NotFound { .. }) if !several && !target.ends_with('/') => false,
        Err(error) => return Err(error.into()),
    };
    let spool = tempfile::tempdir()?;
    let target = Target { path, is_folder, spool: spool.path() };
    let (mut summary, mut files) = (Summary::default(), Vec::new());
    for source in sources {
        match prepare(context, &session, source, &target, &mut summary).await {
            Ok(planned) => files.extend(planned),
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    let files = each_once(context, files, &mut summary)?;
    send(context, &session, files, &mut summary).await?;
    Ok(summary.exit(context))
}

/// Where things go: into a folder under their own names, or to this very path.
struct Target<'a> {
    path: RemotePath,
    is_folder: bool,
    /// A local folder for what comes through a pipe.
    spool: &'a Path,
}

/// Plans one source and makes its folders. Those of the sources before it are there by then.
async fn prepare(
    context: &Context,
    session: &Session,
    source: &str,
    target: &Target<'_>,
    summary: &mut Summary,
) -> Result<Vec<PlannedUpload>> {
    let (local, remote) = match source {
        "-" if target.is_folder => {
            let text = "standard input has no name: name the remote file itself";
            return Err(CommandError::Usage(text.into()));
        }
        "-" => (spool_stdin(target.spool).await?, target.path.clone()),
        text if target.is_folder => {
            (PathBuf::from(text), target.path.join(&name_of(Path::new(text))?))
        }
        text => (PathBuf::from(text), target.path.clone()),
    };
    let tree = session.tree().await?;
    let plan = tokio::task::block_in_place(|| plan(&tree, &local, &remote))?;
    for path in &plan.skipped {
        let path = path.display().to_string();
        context.output.note(&format!("{} is no file and stays behind", for_terminal(&path)));
    }
    for error in plan.failed {
        summary.add::<()>(context, Err(error.into()))?;
    }
    for folder in &plan.folders {
        session.make_folder(folder).await?;
    }
    Ok(plan.files)
}

/// Plans one source; the folder around its target must exist.
fn plan(tree: &Tree, local: &Path, remote: &RemotePath) -> Result<UploadPlan> {
    if let Some(parent) = remote.parent() {
        tree.at(&parent)?;
    }
    Ok(UploadPlan::new(tree, local, remote)?)
}

/// Two sources for one target would race: the first wins.
fn each_once(
    context: &Context,
    files: Vec<PlannedUpload>,
    summary: &mut Summary,
) -> Result<Vec<PlannedUpload>> {
    let mut taken = HashSet::new();
    let mut once = Vec::with_capacity(files.len());
    for file in files {
        if taken.insert(file.remote.clone()) {
            once.push(file);
        } else {
            let text = format!("{}: {} goes there already", file.local.display(), file.remote);
            summary.add::<()>(context, Err(CommandError::Local(text)))?;
        }
    }
    Ok(once)
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
        let remote = file.remote.to_string();
        context.output.note(&format!("{} stays as it is", for_terminal(&remote)));
        summary.add(context, report(context, &file, None, "skipped"))?;
    }
    let several = wanted.len() > 1;
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
        let done = match sent {
            Ok(node) => report(context, &file, Some(&node), "uploaded"),
            Err(error) if several => Err(CommandError::of(error, &file.remote.to_string())),
            Err(error) => Err(error.into()),
        };
        summary.add(context, done)?;
    }
    Ok(())
}

async fn one(
    session: &Session,
    file: &PlannedUpload,
    bars: Arc<dyn Progress>,
) -> Result<Node, Error> {
    let (Some(parent), Some(name)) = (file.remote.parent(), file.remote.file_name()) else {
        return replace_by_handle(session, file, bars).await;
    };
    let parent = session.tree().await?.at(&parent)?;
    let mut upload = session.upload(&parent).name(name).progress(bars);
    if let Some(existing) = &file.existing {
        upload = upload.replacing(existing);
    }
    upload.from_path(&file.local).await
}

/// The target is a file named by its handle: the new version keeps its name and place.
async fn replace_by_handle(
    session: &Session,
    file: &PlannedUpload,
    bars: Arc<dyn Progress>,
) -> Result<Node, Error> {
    let missing = || Error::NotFound { what: file.remote.to_string() };
    let existing = file.existing.as_ref().ok_or_else(missing)?;
    let tree = session.tree().await?;
    let parent = existing.parent().and_then(|parent| tree.node(parent)).ok_or_else(missing)?;
    let name = existing.name().ok_or_else(missing)?;
    let upload = session.upload(&parent).name(name).replacing(existing).progress(bars);
    upload.from_path(&file.local).await
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
