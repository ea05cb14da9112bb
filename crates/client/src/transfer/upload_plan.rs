//! What the upload of a folder will do, before it does it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::upload::local_name;
use super::{TargetState, part_file};
use crate::error::{Error, Result};
use crate::name::{System, to_remote};
use crate::tree::{Node, RemotePath, Tree};

/// Folders to make and files to send, each with its remote path.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct UploadPlan {
    /// Folders that do not exist yet, outer ones first.
    pub folders: Vec<RemotePath>,
    /// Files to send.
    pub files: Vec<PlannedUpload>,
    /// What is neither file nor folder, or an unfinished download, and stays behind.
    pub skipped: Vec<PathBuf>,
    /// Why other things cannot be sent: their names are not Unicode, or taken by something else.
    pub failed: Vec<Error>,
}

/// A file to send.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedUpload {
    /// The local file.
    pub local: PathBuf,
    /// Where it goes.
    pub remote: RemotePath,
    /// Its size in bytes.
    pub size: u64,
    /// The file that has its name now.
    pub existing: Option<Node>,
    /// How that compares.
    pub state: TargetState,
}

/// A folder that has to be looked into.
struct Folder {
    local: PathBuf,
    remote: RemotePath,
    existing: Option<Node>,
}

impl UploadPlan {
    /// Plans to send `local` as `remote`; a folder is sent with everything below it. Symbolic links are
    /// followed at the top only.
    ///
    /// Looks at what is there and changes nothing. May block.
    pub fn new(tree: &Tree, local: &Path, remote: &RemotePath) -> Result<Self> {
        let mut plan = Self::default();
        let metadata = std::fs::metadata(local).map_err(Error::local(local))?;
        let existing = match tree.at(remote) {
            Ok(node) => Some(node),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut pending = Vec::new();
        if let Some(top) = plan.add(local, remote.clone(), &metadata, existing)? {
            plan.enter(tree, top, &mut pending)?;
        }
        // Deep folders need no deep stack.
        while let Some(folder) = pending.pop() {
            if let Err(error) = plan.enter(tree, folder, &mut pending) {
                plan.failed.push(error);
            }
        }
        Ok(plan)
    }

    /// The whole size of the files that are not there yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let wanted = self.files.iter().filter(|file| file.state != TargetState::Same);
        wanted.map(|file| file.size).sum()
    }

    /// Takes what there is at a path; gives a folder, to be entered.
    fn add(
        &mut self,
        local: &Path,
        remote: RemotePath,
        metadata: &std::fs::Metadata,
        existing: Option<Node>,
    ) -> Result<Option<Folder>> {
        let local = local.to_owned();
        if metadata.is_dir() {
            return Ok(Some(Folder { local, remote, existing }));
        }
        let name = local.file_name().and_then(std::ffi::OsStr::to_str);
        if !metadata.is_file() || name.is_some_and(part_file::is_part_name) {
            self.skipped.push(local);
            return Ok(None);
        }
        let state = match &existing {
            None => TargetState::Absent,
            Some(node) if !node.is_file() => {
                return Err(Error::AlreadyExists { path: remote.to_string() });
            }
            Some(node) => TargetState::compare(metadata, node.size(), node.mtime()),
        };
        let size = metadata.len();
        self.files.push(PlannedUpload { local, remote, size, existing, state });
        Ok(None)
    }

    fn add_entry(
        &mut self,
        path: &Path,
        folder: &RemotePath,
        there: &mut HashMap<String, Vec<Node>>,
    ) -> Result<Option<Folder>> {
        let metadata = std::fs::symlink_metadata(path).map_err(Error::local(path))?;
        let name = to_remote(&local_name(path)?, System::current()).into_owned();
        let remote = folder.join(&name);
        let mut namesakes = there.remove(&name).unwrap_or_default();
        if namesakes.len() > 1 {
            return Err(Error::Ambiguous {
                path: remote.to_string(),
                handles: namesakes.iter().map(Node::handle).collect(),
            });
        }
        self.add(path, remote, &metadata, namesakes.pop())
    }

    /// Takes what is in a folder; the folders in it are to be entered too.
    fn enter(&mut self, tree: &Tree, folder: Folder, pending: &mut Vec<Folder>) -> Result<()> {
        let Folder { local, remote, existing } = folder;
        match &existing {
            Some(node) if node.is_file() => {
                return Err(Error::AlreadyExists { path: remote.to_string() });
            }
            Some(_) => {}
            None => self.folders.push(remote.clone()),
        }
        let entries = std::fs::read_dir(&local).map_err(Error::local(&local))?;
        let mut entries =
            entries.collect::<std::io::Result<Vec<_>>>().map_err(Error::local(&local))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        // Looked up once: each name that is read has to be decrypted.
        let mut there: HashMap<String, Vec<Node>> = HashMap::new();
        for node in existing.map(|folder| tree.children(&folder)).unwrap_or_default() {
            if let Some(name) = node.name() {
                there.entry(name.to_owned()).or_default().push(node);
            }
        }
        let first = pending.len();
        for entry in entries {
            match self.add_entry(&entry.path(), &remote, &mut there) {
                Ok(inner) => pending.extend(inner),
                Err(error) => self.failed.push(error),
            }
        }
        pending[first..].reverse();
        Ok(())
    }
}
