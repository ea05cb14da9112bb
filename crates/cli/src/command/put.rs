//! `put`: files and folders up, as `cp -r` copies.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use supermega::name::{System, for_terminal, to_remote};
use supermega::transfer::{
    PlannedUpload, Progress, TargetState, Upload, UploadPlan, sweep_journals,
};
use supermega::{Error, Node, RemotePath, Session, Tree};

use super::lanes::Lanes;
use super::overwrite::{Pair, Verdict, decide};
use super::summary::Summary;
use super::tally::Tally;
use crate::arguments::{Choice, Put};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::selection::{Selection, folders_around};

/// Folders that are made at the same time, in one request.
const FOLDERS: usize = 500;

/// Uploads each source to the target.
pub async fn run(arguments: Put, context: &Context) -> Result<Exit> {
    let context = &context.paced(&arguments.pace);
    let selection = Selection::new(&arguments.choice)?;
    let (sources, target) = match arguments.paths.as_slice() {
        [only] => (std::slice::from_ref(only), "/"),
        [sources @ .., target] => (sources, target.as_str()),
        [] => return Err(CommandError::Usage("name what to upload".into())),
    };
    let several = sources.len() > 1;
    let (session, path) = context.enter(target).await?;
    let is_folder = match session.tree().await?.at(&path) {
        Ok(node) if !node.is_file() => true,
        Ok(_) if several => return Err(Error::AlreadyExists { path: path.to_string() }.into()),
        Ok(_) => false,
        Err(Error::NotFound { .. }) if !several && !target.ends_with('/') => false,
        Err(error) => return Err(error.into()),
    };
    if !arguments.choice.dry_run {
        // What cannot be cleared away now can be later.
        let _ = sweep_journals(context.journals()?).await;
    }
    let spool = tempfile::tempdir()?;
    let target = Target { path, is_folder, spool: spool.path() };
    let (mut summary, mut files) = (Summary::default(), Vec::new());
    for source in sources {
        let prepared = prepare(
            context,
            &session,
            source,
            &target,
            &arguments.choice,
            &selection,
            &mut summary,
        );
        match prepared.await {
            Ok(planned) => files.extend(planned),
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    let files = each_once(context, files, &mut summary)?;
    let sending = Sending {
        context,
        session: &session,
        arguments: &arguments,
        spool: spool.path(),
        folders: Mutex::default(),
    };
    let mut tally = Tally::begin();
    let wanted = sending.settle(files, &mut summary, &mut tally).await?;
    if arguments.choice.dry_run {
        sending.tell(&wanted, &mut summary)?;
    } else {
        sending.send(wanted, &mut summary, &mut tally).await?;
        tally.tell(context, "uploaded", &summary)?;
    }
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
    choice: &Choice,
    selection: &Selection,
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
    let mut plan = tokio::task::block_in_place(|| plan(&tree, &local, &remote))?;
    drop(tree);
    let below = |path: &Path| path.strip_prefix(&local).unwrap_or(path).to_owned();
    plan.files.retain(|file| selection.has_file(&below(&file.local)));
    let files: Vec<PathBuf> = plan.files.iter().map(|file| below(&file.local)).collect();
    for path in &plan.skipped {
        let path = path.display().to_string();
        context.output.note(&format!("{} is no file and stays behind", for_terminal(&path)));
    }
    for error in plan.failed {
        summary.add::<()>(context, Err(error.into()))?;
    }
    let (top, holding) = (remote.to_string(), folders_around(&files));
    plan.folders.retain(|folder| {
        let path = folder.to_string();
        let path = path.strip_prefix(&top).unwrap_or_default().trim_start_matches('/').to_owned();
        selection.has_folder(Path::new(&path), &holding)
    });
    if !choice.dry_run {
        make_folders(session, &plan.folders).await?;
    }
    Ok(plan.files)
}

/// Makes folders level by level: those of one level travel together.
async fn make_folders(session: &Session, folders: &[RemotePath]) -> Result<()> {
    let depth = |folder: &RemotePath| folder.names().len();
    let mut folders: Vec<&RemotePath> = folders.iter().collect();
    folders.sort_by_key(|folder| depth(folder));
    for level in folders.chunk_by(|a, b| depth(a) == depth(b)) {
        let mut making = futures_util::stream::iter(level)
            .map(|folder| session.make_folder(folder))
            .buffer_unordered(FOLDERS);
        while making.try_next().await?.is_some() {}
    }
    Ok(())
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

/// Files on their way.
struct Sending<'a> {
    context: &'a Context,
    session: &'a Session,
    arguments: &'a Put,
    spool: &'a Path,
    /// Folders that were looked up already.
    folders: Mutex<HashMap<RemotePath, Node>>,
}

impl Sending<'_> {
    /// Decides what happens to files that are there, and gives those to send.
    async fn settle(
        &self,
        files: Vec<PlannedUpload>,
        summary: &mut Summary,
        tally: &mut Tally,
    ) -> Result<Vec<PlannedUpload>> {
        let context = self.context;
        let unfinished = std::fs::read_dir(context.journals()?)
            .is_ok_and(|mut entries| entries.next().is_some());
        let mut wanted = Vec::with_capacity(files.len());
        for mut file in files {
            if let Some(existing) =
                file.existing.as_ref().filter(|_| self.arguments.choice.checksum)
            {
                let same = self.session.download(existing)?.matches(&file.local).await?;
                file.state = if same { TargetState::Same } else { TargetState::Different };
            }
            let pair = Pair {
                state: file.state,
                source: std::fs::metadata(&file.local).and_then(|found| found.modified()).ok(),
                target: file.existing.as_ref().and_then(Node::modified),
            };
            let remote = file.remote.to_string();
            let shown = for_terminal(&remote);
            match decide(&context.output, self.arguments.overwrite, pair, &shown).await? {
                Verdict::Transfer => wanted.push(file),
                Verdict::Skip => {
                    context.output.note(&format!("{shown} stays as it is"));
                    if unfinished {
                        // A run that was killed may have left a journal of what is done.
                        self.upload(&file).await?.forget(&file.local).await?;
                    }
                    summary.add(context, report(context, &file, None, "skipped"))?;
                    tally.skipped();
                }
                Verdict::Undecided => {
                    summary.add::<()>(context, Err(CommandError::Different(remote)))?;
                }
            }
        }
        Ok(wanted)
    }

    /// Says what would be sent.
    fn tell(&self, files: &[PlannedUpload], summary: &mut Summary) -> Result<()> {
        for file in files {
            let remote = file.remote.to_string();
            self.context.output.note(&format!("{} would be uploaded", for_terminal(&remote)));
            summary.add(self.context, report(self.context, file, None, "would_upload"))?;
        }
        Ok(())
    }

    async fn send(
        &self,
        files: Vec<PlannedUpload>,
        summary: &mut Summary,
        tally: &mut Tally,
    ) -> Result<()> {
        let several = files.len() > 1;
        let bytes = files.iter().map(|file| file.size).sum();
        let bars: Arc<dyn Progress> = Arc::new(self.context.output.bars(files.len(), bytes));
        let lanes = &Lanes::new(self.arguments.pace.transfers.get());
        let mut running = futures_util::stream::iter(files)
            .map(|file| {
                let bars = bars.clone();
                async move {
                    let _lane = lanes.enter(file.size).await;
                    let sent = match self.upload(&file).await {
                        Ok(upload) => upload.progress(bars).from_path(&file.local).await,
                        Err(error) => Err(error),
                    };
                    (file, sent)
                }
            })
            .buffer_unordered(lanes.count());
        while let Some((file, sent)) = running.next().await {
            let done = match sent {
                Ok(node) => {
                    tally.transferred(file.size);
                    report(self.context, &file, Some(&node), "uploaded")
                }
                Err(error) if several => Err(CommandError::of(error, &file.remote.to_string())),
                Err(error) => Err(error.into()),
            };
            summary.add(self.context, done)?;
        }
        Ok(())
    }

    /// The folder at a path. On the way there names have to be decrypted, which is done once.
    fn folder(&self, tree: &Tree, path: &RemotePath) -> Result<Node, Error> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = folders.get(path) {
            return Ok(folder.clone());
        }
        let folder = tree.at(path)?;
        folders.insert(path.clone(), folder.clone());
        Ok(folder)
    }

    /// Prepares the upload of a file. What comes through a pipe cannot be gone on with.
    async fn upload(&self, file: &PlannedUpload) -> Result<Upload, Error> {
        let tree = self.session.tree().await?;
        let missing = || Error::NotFound { what: file.remote.to_string() };
        let place = (file.remote.parent(), file.remote.file_name());
        let (parent, name) = if let (Some(parent), Some(name)) = place {
            (self.folder(&tree, &parent)?, name)
        } else {
            // A file named by its handle: the new version keeps its name and place.
            let existing = file.existing.as_ref().ok_or_else(missing)?;
            let parent = existing.parent().and_then(|parent| tree.node(parent));
            (parent.ok_or_else(missing)?, existing.name().ok_or_else(missing)?)
        };
        let pace = &self.arguments.pace;
        let mut upload = self.session.upload(&parent).name(name);
        if let Some(existing) = &file.existing {
            upload = upload.replacing(existing);
        }
        if !self.arguments.no_thumbnails {
            upload = upload.thumbnails();
        }
        if !file.local.starts_with(self.spool) {
            let journals = self.context.journals().map_err(|e| Error::Input(e.to_string()))?;
            upload = upload.journal_in(journals);
        }
        Ok(upload.connections(pace.connections.get().into()).on_quota(pace.on_quota.into()))
    }
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
