//! What the download of a folder will do, before it does it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::TargetState;
use crate::error::{Error, Result};
use crate::name::{LONGEST, System, to_local};
use crate::tree::{Node, Tree};

/// Folders to make and files to fetch, each with its local path.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DownloadPlan {
    /// Folders to make, outer ones first.
    pub folders: Vec<PathBuf>,
    /// Files to fetch.
    pub files: Vec<PlannedDownload>,
    /// Names that were mapped, because the local system cannot hold them or they are taken.
    pub renamed: Vec<RenamedLocally>,
    /// Nodes that cannot be decrypted, and so not fetched.
    pub unreadable: Vec<Node>,
    /// Why other nodes cannot be fetched: their local names or paths are too long, lead elsewhere, or cannot be looked at.
    pub failed: Vec<Error>,
}

/// A file to fetch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedDownload {
    /// The file.
    pub node: Node,
    /// Where it goes.
    pub path: PathBuf,
    /// What is there now.
    pub state: TargetState,
}

/// A name that is another one locally.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenamedLocally {
    /// The remote name.
    pub name: String,
    /// The local path.
    pub path: PathBuf,
}

impl DownloadPlan {
    /// Plans to fetch `node` as `target`; a folder is fetched with everything below it.
    ///
    /// Looks at what is there and changes nothing. A symbolic link where a folder must go is refused,
    /// since it would lead out of the target. May block: on an async thread, call it through
    /// `spawn_blocking`.
    pub fn new(tree: &Tree, node: &Node, target: &Path, system: System) -> Result<Self> {
        let mut plan = Self::default();
        if node.is_file() {
            plan.add_file(node, target.to_owned())?;
            return Ok(plan);
        }
        let mut pending = vec![(node.clone(), target.to_owned())];
        // Changes may have made a circle of folders.
        let mut seen = HashSet::from([node.handle()]);
        while let Some((folder, path)) = pending.pop() {
            if let Err(error) = must_be_usable(&path, path == target) {
                if path == target {
                    return Err(error);
                }
                plan.failed.push(error);
                continue;
            }
            let mut taken = HashSet::new();
            for child in tree.children(&folder) {
                let local = match plan.local_name(&child, &path, &mut taken, system) {
                    Ok(Some(local)) => local,
                    Ok(None) => continue,
                    Err(error) => {
                        plan.failed.push(error);
                        continue;
                    }
                };
                if child.is_file() {
                    if let Err(error) = plan.add_file(&child, local) {
                        plan.failed.push(error);
                    }
                } else if seen.insert(child.handle()) {
                    pending.push((child, local));
                }
            }
            plan.folders.push(path);
        }
        plan.files.sort_by(|a, b| a.path.cmp(&b.path));
        plan.folders.sort();
        Ok(plan)
    }

    /// The whole size of the files that are not there yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let wanted = self.files.iter().filter(|file| file.state != TargetState::Same);
        wanted.map(|file| file.node.size()).sum()
    }

    /// Makes the folders. May block.
    pub fn make_folders(&self) -> Result<()> {
        self.folders.iter().try_for_each(|folder| match std::fs::create_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                must_be_usable(folder, false)
            }
            made => made.map_err(Error::local(folder)),
        })
    }

    fn local_name(
        &mut self,
        node: &Node,
        folder: &Path,
        taken: &mut HashSet<String>,
        system: System,
    ) -> Result<Option<PathBuf>> {
        let Some(name) = node.name() else {
            self.unreadable.push(node.clone());
            return Ok(None);
        };
        let mut local = to_local(name, system).into_owned();
        if taken.contains(&*system.folded(&local)) {
            local = numbered(&local, &node.handle().to_string());
        }
        let path = folder.join(&local);
        if local.len() > LONGEST {
            let source = std::io::Error::from(std::io::ErrorKind::InvalidFilename);
            return Err(Error::Local { path, source });
        }
        if local != name {
            self.renamed.push(RenamedLocally { name: name.to_owned(), path: path.clone() });
        }
        taken.insert(system.folded(&local).into_owned());
        Ok(Some(path))
    }

    fn add_file(&mut self, node: &Node, path: PathBuf) -> Result<()> {
        if node.problem().is_some() {
            self.unreadable.push(node.clone());
            return Ok(());
        }
        let state = TargetState::of(&path, node.size(), node.mtime())?;
        self.files.push(PlannedDownload { node: node.clone(), path, state });
        Ok(())
    }
}

/// The name of a namesake: its handle goes before the extension.
fn numbered(name: &str, handle: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} (H~{handle}).{extension}"),
        _ => format!("{name} (H~{handle})"),
    }
}

fn must_be_usable(folder: &Path, is_top: bool) -> Result<()> {
    // The caller named the top himself: there a link to a folder is as good as a folder.
    let metadata =
        if is_top { std::fs::metadata(folder) } else { std::fs::symlink_metadata(folder) };
    match metadata {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) if found.is_symlink() => Err(Error::Refused(format!(
            "{} is a symbolic link, which may lead out of the target folder",
            folder.display()
        ))),
        Ok(_) => Err(Error::AlreadyExists { path: folder.display().to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::local(folder)(error)),
    }
}
