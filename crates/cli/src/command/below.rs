//! What lies below a node, each with a path that names it and nothing else.

use std::cmp::Ordering;
use std::collections::HashSet;

use supermega::{Node, NodeHandle, RemotePath, Tree};

use crate::arguments::Sort;

/// A node that was come across.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The node.
    pub node: Node,
    /// Names it alone: by its handle, where a path would not.
    pub path: RemotePath,
    /// How far down from the top it lies.
    pub depth: usize,
}

impl Entry {
    /// The top of what is looked at.
    pub fn top(tree: &Tree, node: &Node) -> Self {
        Self { node: node.clone(), path: tree.path_of(node), depth: 0 }
    }

    /// Whether nothing but its handle names it.
    pub fn needs_handle(&self) -> bool {
        self.path.names().is_empty() && self.node.name().is_some()
    }

    /// What lies in it, in the order of names; nothing below a file.
    pub fn children(&self, tree: &Tree) -> Vec<Self> {
        let nodes = tree.children(&self.node);
        let name = |i: Option<usize>| i.and_then(|i| nodes.get(i)).and_then(Node::name);
        let path = |i: usize| match name(Some(i)) {
            // Namesakes lie side by side.
            Some(text)
                if !text.is_empty()
                    && !text.contains('/')
                    && name(i.checked_sub(1)) != Some(text)
                    && name(i.checked_add(1)) != Some(text) =>
            {
                self.path.join(text)
            }
            _ => RemotePath::handle(nodes[i].handle()),
        };
        let paths: Vec<RemotePath> = (0..nodes.len()).map(path).collect();
        let entries = nodes.into_iter().zip(paths);
        entries.map(|(node, path)| Self { node, path, depth: self.depth + 1 }).collect()
    }
}

/// Goes through everything below a node and that itself, each folder before what lies in it.
#[derive(Debug)]
pub struct Below {
    tree: Tree,
    pending: Vec<Entry>,
    /// Folders that were entered: one that lies in itself is entered once.
    seen: HashSet<NodeHandle>,
    depth: usize,
    /// The folders to enter, if not all.
    within: Option<HashSet<NodeHandle>>,
}

impl Below {
    /// So many levels down; deep trees need no deep stack.
    pub fn new(tree: &Tree, top: Entry, depth: Option<usize>) -> Self {
        let (seen, depth) = (HashSet::new(), depth.unwrap_or(usize::MAX));
        Self { tree: tree.clone(), pending: vec![top], seen, depth, within: None }
    }

    /// Enters these folders only.
    pub fn within(mut self, folders: HashSet<NodeHandle>) -> Self {
        self.within = Some(folders);
        self
    }
}

impl Iterator for Below {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let entry = self.pending.pop()?;
        let node = &entry.node;
        let enters = self.within.as_ref().is_none_or(|within| within.contains(&node.handle()));
        if entry.depth < self.depth && enters && !node.is_file() && self.seen.insert(node.handle())
        {
            self.pending.extend(entry.children(&self.tree).into_iter().rev());
        }
        Some(entry)
    }
}

/// Puts entries in order; those that are alike stay in the order of names.
pub fn sort(entries: &mut [Entry], order: Sort, reverse: bool) {
    let time = |entry: &Entry| entry.node.modified().or_else(|| entry.node.created());
    entries.sort_by(|a, b| match order {
        Sort::Size => b.node.size().cmp(&a.node.size()),
        Sort::Time => time(b).cmp(&time(a)),
        // They come in the order of names.
        Sort::Name | Sort::None => Ordering::Equal,
    });
    if reverse {
        entries.reverse();
    }
}
