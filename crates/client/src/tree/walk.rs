//! Walks a tree folder by folder.

use std::collections::HashSet;

use supermega_encoding::NodeHandle;

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
    /// Changes may have made a circle of folders.
    seen: HashSet<NodeHandle>,
}

impl Walk {
    pub(super) fn new(tree: Tree, start: Option<Node>, path: RemotePath) -> Self {
        let seen = start.iter().map(Node::handle).collect();
        Self { tree, pending: start.map(|node| (path, node)).into_iter().collect(), seen }
    }
}

impl Iterator for Walk {
    type Item = WalkStep;

    fn next(&mut self) -> Option<WalkStep> {
        let (path, folder) = self.pending.pop()?;
        let (files, folders): (Vec<Node>, Vec<Node>) =
            self.tree.children(&folder).into_iter().partition(Node::is_file);
        for folder in folders.iter().rev() {
            if !self.seen.insert(folder.handle()) {
                continue;
            }
            let below = match folder.name() {
                Some(name) => path.join(name),
                None => RemotePath::handle(folder.handle()),
            };
            self.pending.push((below, folder.clone()));
        }
        Some(WalkStep { path, folder, folders, files })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::keys::KeyRing;
    use crate::tree::row::Row;
    use crate::tree::state::Facts;

    #[test]
    fn a_circle_that_changes_have_made_is_walked_once() {
        let handle = |number| NodeHandle::from_bytes([number; 6]);
        let row = |node, parent| Row { parent: Some(handle(parent)), ..Row::folder(handle(node)) };
        let rows = [row(1, 9), row(2, 1), row(3, 2)].into_iter().collect();
        let mut tree = Tree::build(Arc::new(KeyRing::none()), vec![rows], Facts::default());
        tree.insert(row(1, 3));
        let top = tree.node(handle(2)).unwrap();
        let walked: Vec<NodeHandle> =
            tree.walk_from(&top).map(|step| step.folder.handle()).collect();
        assert_eq!(walked, [2, 3, 1].map(handle));
        assert_eq!(tree.ancestors(&top).count(), 3);
        assert_eq!((tree.usage(&top).folders, tree.subtree(&top).len()), (2, 3));
    }
}
