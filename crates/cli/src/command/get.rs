//! `get`: files and folders down, as `cp -r` copies.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use supermega::name::{System, for_terminal, to_local};
use supermega::transfer::{Download, DownloadPlan, Existing, Progress, TargetState};
use supermega::{Error, Link, PublicFile, Session};

use super::summary::Summary;
use crate::arguments::{Get, Overwrite};
use crate::context::{Context, Found, read_secret};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::name_of;
use crate::place::Place;

/// Files at the same time.
const FILES: usize = 4;

/// A file to fetch.
struct Job {
    download: Download,
    path: PathBuf,
    size: u64,
    state: TargetState,
}

/// What an argument turned out to be.
enum Source {
    Node(Box<Found>),
    File(PublicFile),
}

/// Downloads each source to the target.
pub async fn run(arguments: Get, context: &Context) -> Result<Exit> {
    let (sources, target) = match arguments.paths.as_slice() {
        [only] => (std::slice::from_ref(only), "."),
        [sources @ .., target] => (sources, target.as_str()),
        [] => return Err(CommandError::Usage("name what to download".into())),
    };
    let mut session = None;
    let mut found = Vec::with_capacity(sources.len());
    for source in sources {
        found.push(find(context, &mut session, source, arguments.link_password_stdin).await?);
    }
    if target == "-" {
        return to_stdout(found).await;
    }
    let mut summary = Summary::default();
    let target = Target::new(target, sources.len() > 1)?;
    let mut jobs = Vec::new();
    for source in found {
        let planned = tokio::task::block_in_place(|| plan(context, &target, source, &mut summary));
        jobs.extend(planned?);
    }
    let (jobs, same) = settle(context, jobs, arguments.overwrite).await?;
    for path in same {
        report(context, &path, 0, "skipped")?;
        summary.add::<()>(context, Ok(()));
    }
    fetch(context, jobs, &mut summary).await?;
    Ok(summary.exit(context))
}

async fn find(
    context: &Context,
    session: &mut Option<Session>,
    text: &str,
    password_stdin: bool,
) -> Result<Source> {
    let mut link = match Place::read(text)? {
        Place::Path(_) => {
            return Ok(Source::Node(Box::new(context.find(session, text).await?)));
        }
        Place::Link(link) => link,
    };
    if let Link::Protected(protected) = &link {
        let variable = Some("SUPERMEGA_LINK_PASSWORD");
        let password = read_secret("Password of the link: ", password_stdin, variable).await?;
        let protected = protected.clone();
        let open = tokio::task::spawn_blocking(move || protected.open(&password));
        link = open.await.map_err(CommandError::local)?.map_err(Error::from)?;
    }
    match link {
        Link::Folder { .. } => Ok(Source::Node(Box::new(context.open_folder(&link).await?))),
        link => Ok(Source::File(context.client()?.open_file(&link).await?)),
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

    fn of(&self, name: Option<&str>) -> PathBuf {
        match name.filter(|_| self.is_folder) {
            Some(name) => self.path.join(to_local(name, System::current()).as_ref()),
            None => self.path.clone(),
        }
    }
}

/// Plans one source and makes its folders.
fn plan(
    context: &Context,
    target: &Target,
    source: Source,
    summary: &mut Summary,
) -> Result<Vec<Job>> {
    let found = match source {
        Source::File(file) => {
            let path = target.of(Some(file.name().unwrap_or_default()));
            let state = TargetState::of(&path, file.size(), file.modified())?;
            let (download, size) = (file.download()?, file.size());
            return Ok(vec![Job { download, path, size, state }]);
        }
        Source::Node(found) => found,
    };
    if let Some(problem) = found.node.problem() {
        let text = format!("{}: {problem}", name_of(&found.node));
        return Err(CommandError::Local(text));
    }
    let path = target.of(found.node.name());
    let plan = DownloadPlan::new(&found.tree, &found.node, &path, System::current())?;
    for renamed in &plan.renamed {
        let name = for_terminal(&renamed.name).into_owned();
        context.output.note(&format!("{name:?} becomes {}", shown(&renamed.path)));
    }
    for node in &plan.unreadable {
        let text = format!("{} cannot be decrypted", name_of(node));
        summary.add::<()>(context, Err(CommandError::Local(text)));
    }
    plan.make_folders()?;
    let job = |file: supermega::transfer::PlannedDownload| {
        let download = found.session.download(&file.node)?;
        Ok(Job { download, path: file.path, size: file.node.size(), state: file.state })
    };
    plan.files.into_iter().map(job).collect()
}

/// Decides what happens to files that are there: gives those to fetch, and those that stay.
async fn settle(
    context: &Context,
    jobs: Vec<Job>,
    overwrite: Overwrite,
) -> Result<(Vec<Job>, Vec<PathBuf>)> {
    let (mut wanted, mut stay) = (Vec::new(), Vec::new());
    for mut job in jobs {
        let replace = match (job.state, overwrite) {
            (TargetState::Absent, _) => true,
            (TargetState::Same, _) | (TargetState::Different, Overwrite::Never) => false,
            (TargetState::Different, Overwrite::Always) => true,
            (TargetState::Different, Overwrite::Ask) => ask(context, &job.path).await?,
        };
        if !replace {
            stay.push(job.path);
            continue;
        }
        if job.state == TargetState::Different {
            job.download = job.download.existing(Existing::Replace);
        }
        wanted.push(job);
    }
    Ok((wanted, stay))
}

async fn ask(context: &Context, path: &Path) -> Result<bool> {
    if context.output.is_json() || !std::io::stdin().is_terminal() {
        let path = path.display().to_string();
        return Err(Error::AlreadyExists { path }.into());
    }
    let question = format!("{} is there and different. Replace it? [y/N] ", shown(path));
    let answer = tokio::task::spawn_blocking(move || {
        eprint!("{question}");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.map_err(CommandError::local)??;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn fetch(context: &Context, jobs: Vec<Job>, summary: &mut Summary) -> Result<()> {
    let bars: Arc<dyn Progress> =
        Arc::new(context.output.bars(jobs.iter().map(|job| job.size).sum()));
    let mut running = futures_util::stream::iter(jobs)
        .map(|job| {
            let bars = bars.clone();
            async move {
                let fetched = job.download.progress(bars).to_path(&job.path).await;
                (job.path, job.size, fetched)
            }
        })
        .buffer_unordered(FILES);
    while let Some((path, size, fetched)) = running.next().await {
        if fetched.is_ok() {
            report(context, &path, size, "downloaded")?;
        }
        summary.add(context, fetched.map_err(Into::into));
    }
    Ok(())
}

fn report(context: &Context, path: &Path, size: u64, state: &str) -> Result<()> {
    if state == "skipped" {
        context.output.note(&format!("{} is there already", shown(path)));
    }
    context.output.object(|| {
        json!({ "type": "file", "path": path.display().to_string(), "size": size, "state": state })
    })
}

async fn to_stdout(sources: Vec<Source>) -> Result<Exit> {
    for source in sources {
        let download = match source {
            Source::File(file) => file.download()?,
            Source::Node(found) => found.session.download(&found.node)?,
        };
        let mut chunks = download.chunks();
        while let Some(chunk) = chunks.try_next().await? {
            std::io::stdout().lock().write_all(&chunk)?;
        }
    }
    std::io::stdout().lock().flush()?;
    Ok(Exit::Done)
}

fn shown(path: &Path) -> String {
    for_terminal(&path.display().to_string()).into_owned()
}
