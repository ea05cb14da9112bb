//! `cp`: between here and there, or within the account, where no byte travels.

use std::collections::VecDeque;

use serde_json::json;
use supermega::name::for_terminal;
use supermega::transfer::TargetState;
use supermega::{Error, Node, RemotePath, Session, Tree};

use super::get::unreadable;
use super::import::must_be_free;
use super::overwrite::{Pair, Verdict, decide};
use super::patience::Patience;
use super::summary::Summary;
use super::tally::Tally;
use super::{get, put};
use crate::arguments::{Choice, Cp, Get, OnQuota, Overwrite, Put};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::place::is_remote;

/// Copies each source to the target, the way that their prefixes say.
pub async fn run(arguments: Cp, context: &Context) -> Result<Exit> {
    let Cp { paths, overwrite, no_thumbnails, choice, pace } = arguments;
    let Some((target, sources)) = paths.split_last() else {
        return Err(CommandError::Usage("name what to copy, and where to".into()));
    };
    let remote = sources.iter().filter(|source| is_remote(source)).count();
    match (remote == sources.len(), remote == 0, is_remote(target)) {
        (true, _, true) => {
            within(context, sources, target, overwrite, &choice, pace.on_quota).await
        }
        (true, _, false) => {
            let overwrite = overwrite.unwrap_or(Overwrite::Ask);
            let get = Get { paths, overwrite, choice, pace, link_password_stdin: false };
            get::run(get, context).await
        }
        (_, true, true) => {
            let overwrite = overwrite.unwrap_or(Overwrite::Different);
            put::run(Put { paths, overwrite, no_thumbnails, choice, pace }, context).await
        }
        (_, true, false) => Err(CommandError::Usage(
            "mega: or the name of a profile must stand before a remote path; nothing here has it"
                .into(),
        )),
        _ => Err(CommandError::Usage("the sources are partly here and partly there".into())),
    }
}

async fn within(
    context: &Context,
    sources: &[String],
    target: &str,
    overwrite: Option<Overwrite>,
    choice: &Choice,
    on_quota: OnQuota,
) -> Result<Exit> {
    if choice.is_selective() {
        let text =
            "within the account all of a folder is copied: --dry-run is the only choice here";
        return Err(CommandError::Usage(text.into()));
    }
    let (session, path) = context.enter(target).await?;
    let several = sources.len() > 1;
    let folder = match session.tree().await?.at(&path) {
        Ok(node) if !node.is_file() => Some(node),
        Ok(_) if several => return Err(Error::AlreadyExists { path: path.to_string() }.into()),
        Ok(_) => None,
        Err(Error::NotFound { .. }) if !several && !target.ends_with('/') => None,
        Err(error) => return Err(error.into()),
    };
    let copying = Copying {
        context,
        session: &session,
        overwrite: overwrite.unwrap_or(Overwrite::Different),
        dry_run: choice.dry_run,
    };
    let patience = Patience::new(context, on_quota);
    let mut done = Done { summary: Summary::default(), tally: Tally::begin(), patience };
    for source in sources {
        let copied = copying.take(source, folder.as_ref(), &path, &mut done).await;
        if let Err(error) = copied {
            done.summary.fail(context, error, several)?;
        }
    }
    if !choice.dry_run {
        done.tally.tell(context, "copied", &done.summary)?;
    }
    Ok(done.summary.exit(context))
}

/// What became of everything so far.
struct Done<'a> {
    summary: Summary,
    tally: Tally,
    patience: Patience<'a>,
}

/// What a node comes to with everything in it. It is counted before anything changes: a snapshot that is held while
/// the tree changes is copied.
#[derive(Clone, Copy)]
struct Amount {
    files: u64,
    bytes: u64,
}

impl Amount {
    fn of(tree: &Tree, node: &Node) -> Self {
        let usage = tree.usage(node);
        Self { files: usage.files, bytes: usage.bytes }
    }

    fn without(self, part: Self) -> Self {
        let files = self.files.saturating_sub(part.files);
        Self { files, bytes: self.bytes.saturating_sub(part.bytes) }
    }
}

/// Copies within one account.
struct Copying<'a> {
    context: &'a Context,
    session: &'a Session,
    overwrite: Overwrite,
    dry_run: bool,
}

impl Copying<'_> {
    /// Copies one source. What comes from a folder link is imported; from account to account nothing goes.
    async fn take(
        &self,
        source: &str,
        folder: Option<&Node>,
        path: &RemotePath,
        done: &mut Done<'_>,
    ) -> Result<()> {
        let Found { session, tree, node } = self.context.find(source).await?;
        if session.is_same(self.session) {
            let (node, folder, name) = place(source, &tree, node, folder, path)?;
            drop(tree);
            return self.copy(node, folder, name, done).await;
        }
        let Some(folder) = folder.filter(|_| session.is_folder_link()) else {
            let text = format!(
                "{source} cannot be copied to another login on the server: make a link and import \
                 it, or download it first"
            );
            return Err(Error::Refused(text).into());
        };
        let name = node.name().unwrap_or_default();
        must_be_free(&self.session.tree().await?, folder, name)?;
        if self.dry_run {
            let path = self.session.tree().await?.path_of(folder).join(name).to_string();
            return done.summary.add(self.context, self.would(&path, &node));
        }
        let copied = self.session.import_from(&session, &node, folder).await;
        let (copied, left_out) = match copied {
            Ok(copied) => (Ok(copied.node), copied.left_out),
            Err(error) => (Err(error), Vec::new()),
        };
        let missing = left_out.iter().map(|node| Amount::of(&tree, node));
        let amount = missing.fold(Amount::of(&tree, &node), Amount::without);
        self.copied(&node, amount, copied, done).await?;
        let told = |node| done.summary.add::<()>(self.context, Err(unreadable(node)));
        left_out.iter().try_for_each(told)
    }

    /// Copies what is not there; folders that are there are gone into.
    async fn copy(
        &self,
        node: Node,
        folder: Node,
        name: String,
        done: &mut Done<'_>,
    ) -> Result<()> {
        let mut pending = VecDeque::from([(node, folder, name)]);
        while let Some((node, folder, name)) = pending.pop_front() {
            let tree = self.session.tree().await?;
            let existing = tree.children_named(&folder, &name);
            match existing.as_slice() {
                [] if self.dry_run => {
                    let path = tree.path_of(&folder).join(&name).to_string();
                    done.summary.add(self.context, self.would(&path, &node))?;
                }
                [] => {
                    let amount = Amount::of(&tree, &node);
                    drop(tree);
                    let copied = self.session.copy(&node, &folder, &name).await;
                    let Some(copied) = done.patience.settle(copied).await else {
                        // Of a folder some may be there.
                        pending.push_front((node, folder, name));
                        continue;
                    };
                    self.copied(&node, amount, copied, done).await?;
                }
                [there] if !there.is_file() && !node.is_file() => {
                    for child in tree.children(&node) {
                        match child.name().map(str::to_owned) {
                            Some(name) => pending.push_back((child, there.clone(), name)),
                            None => {
                                done.summary.add::<()>(self.context, Err(unreadable(&child)))?;
                            }
                        }
                    }
                }
                [there] if there.is_file() && node.is_file() => {
                    self.over(tree, &node, there, done).await?;
                }
                _ => {
                    let path = tree.path_of(&folder).join(&name).to_string();
                    let error = Error::AlreadyExists { path }.into();
                    done.summary.add::<()>(self.context, Err(error))?;
                }
            }
        }
        Ok(())
    }

    async fn over(&self, tree: Tree, node: &Node, there: &Node, done: &mut Done<'_>) -> Result<()> {
        let same = node.size() == there.size() && node.fingerprint() == there.fingerprint();
        let state = if same { TargetState::Same } else { TargetState::Different };
        let pair = Pair { state, source: node.modified(), target: there.modified() };
        let path = tree.path_of(there).to_string();
        let amount = Amount::of(&tree, node);
        drop(tree);
        let shown = for_terminal(&path);
        let outcome = match decide(&self.context.output, self.overwrite, pair, &shown).await? {
            Verdict::Transfer if self.dry_run => self.would(&path, node),
            Verdict::Transfer => {
                let copied = loop {
                    let copied = self.session.copy_over(node, there).await;
                    if let Some(copied) = done.patience.settle(copied).await {
                        break copied;
                    }
                };
                return self.copied(node, amount, copied, done).await;
            }
            Verdict::Skip => {
                done.tally.skipped();
                self.context.output.note(&format!("{shown} stays as it is"));
                self.tell(there, node, "skipped").await
            }
            Verdict::Undecided => Err(CommandError::Different(path)),
        };
        done.summary.add(self.context, outcome)
    }

    /// Tells of a copy, and counts it.
    async fn copied(
        &self,
        node: &Node,
        amount: Amount,
        copied: supermega::Result<Node>,
        done: &mut Done<'_>,
    ) -> Result<()> {
        if let Ok(made) = &copied {
            done.tally.several(amount.files, amount.bytes);
            self.tell(made, node, "copied").await?;
        }
        done.summary.add(self.context, copied.map_err(CommandError::from))
    }

    fn would(&self, path: &str, node: &Node) -> Result<()> {
        self.context.output.note(&format!("{} would be copied", for_terminal(path)));
        self.context.output.object(|| object(path, node, node, "would_copy"))
    }

    async fn tell(&self, made: &Node, of: &Node, state: &str) -> Result<()> {
        let path = self.session.tree().await?.path_of(made).to_string();
        self.context.output.object(|| object(&path, made, of, state))
    }
}

/// What a source is, and the folder and name that it gets.
fn place(
    source: &str,
    tree: &Tree,
    node: Node,
    folder: Option<&Node>,
    path: &RemotePath,
) -> Result<(Node, Node, String)> {
    if node.problem().is_some() {
        return Err(unreadable(&node));
    }
    if let Some(folder) = folder {
        let name = node.name().ok_or_else(|| Error::NotFound { what: source.into() })?.to_owned();
        return Ok((node, folder.clone(), name));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::AlreadyExists { path: path.to_string() }.into());
    };
    Ok((node, tree.at(&parent)?, name.to_owned()))
}

fn object(path: &str, node: &Node, of: &Node, state: &str) -> serde_json::Value {
    json!({
        "type": if of.is_file() { "file" } else { "folder" },
        "path": path,
        "handle": node.handle().to_string(),
        "state": state,
    })
}
