//! Walks a tree folder by folder.

use super::node::Node;
use super::path::RemotePath;
use super::snapshot::Tree;

/// One folder of a walk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WalkStep {
    /// Its path.
    pub path: RemotePath,
    /// The folder.
    pub folder: Node,
    /// Its sub-folders, in the order of names.
    pub folders: Vec<Node>,
    /// Its files, in the order of names.
    pub files: Vec<Node>,
}

/// Gives each folder before the folders in it.
#[derive(Clone, Debug)]
pub struct Walk {
    tree: Tree,
    pending: Vec<(RemotePath, Node)>,
}

impl Walk {
    pub(super) fn new(tree: Tree, start: Option<Node>, path: RemotePath) -> Self {
        Self { tree, pending: start.map(|node| (path, node)).into_iter().collect() }
    }
}

impl Iterator for Walk {
    type Item = WalkStep;

    fn next(&mut self) -> Option<WalkStep> {
        let (path, folder) = self.pending.pop()?;
        let (files, folders): (Vec<Node>, Vec<Node>) =
            self.tree.children(&folder).into_iter().partition(Node::is_file);
        for folder in folders.iter().rev() {
            let below = match folder.name() {
                Some(name) => path.join(name),
                None => RemotePath::handle(folder.handle()),
            };
            self.pending.push((below, folder.clone()));
        }
        Some(WalkStep { path, folder, folders, files })
    }
}
