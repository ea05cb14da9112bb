//! `get`: files and folders down, as `cp -r` copies.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt;
use serde_json::json;
use supermega::name::{System, for_terminal, to_local};
use supermega::transfer::{Download, DownloadPlan, Existing, Progress, TargetState};
use supermega::{Error, Link, Node, PublicFile};

use super::cat::write_out;
use super::lanes::Lanes;
use super::overwrite::{Pair, Verdict, decide};
use super::summary::Summary;
use super::tally::Tally;
use crate::arguments::{Choice, Get, Pace};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::name_of;
use crate::place::Place;
use crate::secret;
use crate::selection::{Selection, folders_around};

/// A file to fetch.
struct Job {
    download: Download,
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    state: TargetState,
}

/// What an argument turned out to be.
pub enum Source {
    /// A node of the account or of a folder link.
    Node(Box<Found>),
    /// A file behind a link.
    File(Box<PublicFile>),
}

/// Downloads each source to the target.
pub async fn run(arguments: Get, context: &Context) -> Result<Exit> {
    let context = &context.paced(&arguments.pace);
    let selection = Selection::new(&arguments.choice)?;
    let (sources, target) = match arguments.paths.as_slice() {
        [only] => (std::slice::from_ref(only), "."),
        [sources @ .., target] => (sources, target.as_str()),
        [] => return Err(CommandError::Usage("name what to download".into())),
    };
    let several = sources.len() > 1;
    let mut summary = Summary::default();
    let mut found = Vec::with_capacity(sources.len());
    for source in sources {
        match find(context, source, arguments.link_password_stdin).await {
            Ok(source) => found.push(source),
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    if target == "-" {
        to_stdout(context, found, &arguments.pace).await?;
        return Ok(summary.exit(context));
    }
    let target = Target::new(target, several)?;
    let mut jobs = Vec::new();
    for source in found {
        let planned = tokio::task::block_in_place(|| {
            plan(context, &target, source, &arguments.choice, &selection, &mut summary)
        });
        match planned {
            Ok(planned) => jobs.extend(planned),
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    let mut tally = Tally::begin();
    let jobs = settle(context, jobs, &arguments, &mut summary, &mut tally).await?;
    if arguments.choice.dry_run {
        tell(context, &jobs, &mut summary)?;
    } else {
        fetch(context, jobs, &arguments.pace, &mut summary, &mut tally).await?;
        tally.tell(context, "downloaded", &summary)?;
    }
    Ok(summary.exit(context))
}

/// Finds what an argument names.
pub async fn find(context: &Context, text: &str, password_stdin: bool) -> Result<Source> {
    let link = match Place::read(text)? {
        Place::Path { .. } => return Ok(Source::Node(Box::new(context.find(text).await?))),
        Place::Link(link, _) => secret::unlock(link, password_stdin).await?,
    };
    match link {
        Link::Folder { .. } => Ok(Source::Node(Box::new(context.open_folder(&link, None).await?))),
        link => Ok(Source::File(Box::new(context.client()?.open_file(&link).await?))),
    }
}

/// Where things go: into a folder under their own names, or to this very path.
struct Target {
    path: PathBuf,
    is_folder: bool,
}

impl Target {
    fn new(text: &str, several: bool) -> Result<Self> {
        let path = PathBuf::from(text);
        let is_folder = path.is_dir();
        if !is_folder && (several || text.ends_with('/')) {
            return Err(CommandError::Local(format!("{text}: is not a folder")));
        }
        Ok(Self { path, is_folder })
    }

    /// The local path of a source of this name.
    fn of(&self, context: &Context, name: Option<&str>) -> PathBuf {
        let Some(name) = name.filter(|_| self.is_folder) else { return self.path.clone() };
        let local = to_local(name, System::current());
        let path = self.path.join(local.as_ref());
        if local != name {
            // Whoever closed standard output is told by the first file.
            let _ = say_renamed(context, name, &path);
        }
        path
    }
}

/// Plans one source and makes its folders.
fn plan(
    context: &Context,
    target: &Target,
    source: Source,
    choice: &Choice,
    selection: &Selection,
    summary: &mut Summary,
) -> Result<Vec<Job>> {
    let found = match source {
        Source::File(file) => {
            let path = target.of(context, Some(file.name().unwrap_or_default()));
            let state = TargetState::of(&path, file.size(), file.modified())?;
            let (download, size, modified) = (file.download()?, file.size(), file.modified_at());
            return Ok(vec![Job { download, path, size, modified, state }]);
        }
        Source::Node(found) => found,
    };
    if found.node.problem().is_some() {
        return Err(unreadable(&found.node));
    }
    let top = target.of(context, found.node.name());
    let mut plan = DownloadPlan::new(&found.tree, &found.node, &top, System::current())?;
    let below = |path: &Path| path.strip_prefix(&top).unwrap_or(path).to_owned();
    plan.files.retain(|file| selection.has_file(&below(&file.path)));
    let files: Vec<PathBuf> = plan.files.iter().map(|file| below(&file.path)).collect();
    let holding = folders_around(&files);
    plan.folders.retain(|folder| selection.has_folder(&below(folder), &holding));
    for renamed in &plan.renamed {
        say_renamed(context, &renamed.name, &renamed.path)?;
    }
    for node in &plan.unreadable {
        summary.add::<()>(context, Err(unreadable(node)))?;
    }
    for error in plan.failed.drain(..) {
        summary.add::<()>(context, Err(error.into()))?;
    }
    if !choice.dry_run {
        plan.make_folders()?;
    }
    let job = |file: supermega::transfer::PlannedDownload| {
        let download = found.session.download(&file.node)?;
        let (size, modified) = (file.node.size(), file.node.modified());
        Ok(Job { download, path: file.path, size, modified, state: file.state })
    };
    plan.files.into_iter().map(job).collect()
}

/// Decides what happens to files that are there, and gives those to fetch.
async fn settle(
    context: &Context,
    jobs: Vec<Job>,
    arguments: &Get,
    summary: &mut Summary,
    tally: &mut Tally,
) -> Result<Vec<Job>> {
    let mut wanted = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        if arguments.choice.checksum && job.state != TargetState::Absent {
            let same = job.download.matches(&job.path).await?;
            job.state = if same { TargetState::Same } else { TargetState::Different };
        }
        let pair = Pair {
            state: job.state,
            source: job.modified,
            target: std::fs::metadata(&job.path).and_then(|found| found.modified()).ok(),
        };
        let shown = shown(&job.path);
        match decide(&context.output, arguments.overwrite, pair, &shown).await? {
            Verdict::Transfer => {
                if job.state != TargetState::Absent {
                    job.download = job.download.existing(Existing::Replace);
                }
                wanted.push(job);
            }
            Verdict::Skip => {
                context.output.note(&format!("{shown} stays as it is"));
                // A run that was killed may have left what is of no use any more.
                let kept = Download::forget(&job.path).await.map_err(CommandError::from);
                let kept = kept.and(report(context, &job.path, job.size, "skipped"));
                summary.add(context, kept)?;
                tally.skipped();
            }
            Verdict::Undecided => {
                let error = CommandError::Different(job.path.display().to_string());
                summary.add::<()>(context, Err(error))?;
            }
        }
    }
    Ok(wanted)
}

/// Says what would be fetched.
fn tell(context: &Context, jobs: &[Job], summary: &mut Summary) -> Result<()> {
    for job in jobs {
        context.output.note(&format!("{} would be downloaded", shown(&job.path)));
        summary.add(context, report(context, &job.path, job.size, "would_download"))?;
    }
    Ok(())
}

async fn fetch(
    context: &Context,
    jobs: Vec<Job>,
    pace: &Pace,
    summary: &mut Summary,
    tally: &mut Tally,
) -> Result<()> {
    let several = jobs.len() > 1;
    let bars: Arc<dyn Progress> =
        Arc::new(context.output.bars(jobs.len(), jobs.iter().map(|job| job.size).sum()));
    let lanes = &Lanes::new(pace.transfers.get());
    let mut running = futures_util::stream::iter(jobs)
        .map(|job| {
            let download = paced(job.download, pace).progress(bars.clone());
            async move {
                let _lane = lanes.enter(job.size).await;
                let fetched = download.to_path(&job.path).await;
                (job.path, job.size, fetched)
            }
        })
        .buffer_unordered(lanes.count());
    while let Some((path, size, fetched)) = running.next().await {
        let done = match fetched {
            Ok(()) => {
                tally.transferred(size);
                report(context, &path, size, "downloaded")
            }
            Err(error) if several => Err(CommandError::of(error, &path.display().to_string())),
            Err(error) => Err(error.into()),
        };
        summary.add(context, done)?;
    }
    Ok(())
}

fn paced(download: Download, pace: &Pace) -> Download {
    download.connections(pace.connections.get().into()).on_quota(pace.on_quota.into())
}

fn report(context: &Context, path: &Path, size: u64, state: &str) -> Result<()> {
    context.output.object(|| {
        json!({ "type": "file", "path": path.display().to_string(), "size": size, "state": state })
    })
}

/// Writes files to standard output, one after the other, **before** each is verified as a whole: a failure
/// shows in the exit code only.
async fn to_stdout(context: &Context, sources: Vec<Source>, pace: &Pace) -> Result<()> {
    for source in sources {
        let (download, size) = source.download()?;
        let mut download = paced(download, pace);
        // On a terminal a bar would stand amid the file.
        if !std::io::stdout().is_terminal() {
            download = download.progress(Arc::new(context.output.bars(1, size)));
        }
        write_out(download.chunks()).await?;
    }
    Ok(())
}

/// The error of what no key opens.
pub fn unreadable(node: &Node) -> CommandError {
    let why = "it cannot be decrypted";
    Error::Integrity { what: name_of(node), why }.into()
}

fn say_renamed(context: &Context, name: &str, path: &Path) -> Result<()> {
    context.output.note(&format!("{:?} becomes {}", for_terminal(name), shown(path)));
    let path = path.display().to_string();
    context.output.object(|| json!({ "type": "renamed", "name": name, "path": path }))
}

fn shown(path: &Path) -> String {
    for_terminal(&path.display().to_string()).into_owned()
}
