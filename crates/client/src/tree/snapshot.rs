//! A snapshot of a tree: consistent, cheap to clone, untouched by later changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use super::node::{Node, NodeKind};
use super::path::{RemotePath, RemoteRoot};
use super::walk::Walk;
use crate::error::{Error, Result};

/// All nodes of an account or a folder link, as they were when it was asked for.
#[derive(Clone, Default)]
pub struct Tree(Arc<Arena>);

#[derive(Clone, Default)]
struct Arena {
    nodes: HashMap<NodeHandle, Node>,
    children: HashMap<NodeHandle, Vec<NodeHandle>>,
    root: Option<NodeHandle>,
    trash: Option<NodeHandle>,
    strays: Vec<NodeHandle>,
    users: HashMap<String, UserHandle>,
    shared: HashSet<NodeHandle>,
    links: HashMap<NodeHandle, PublicHandle>,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.0.nodes.len()).finish_non_exhaustive()
    }
}

impl Tree {
    /// The root of the cloud drive, or of the folder link.
    pub fn root(&self) -> Result<Node> {
        self.named_root(self.0.root, "the root folder")
    }

    /// The rubbish bin.
    pub fn trash(&self) -> Result<Node> {
        self.named_root(self.0.trash, "the rubbish bin")
    }

    fn named_root(&self, handle: Option<NodeHandle>, what: &str) -> Result<Node> {
        handle.and_then(|handle| self.node(handle)).ok_or_else(|| Error::not_found(what))
    }

    /// The node with this handle.
    #[must_use]
    pub fn node(&self, handle: NodeHandle) -> Option<Node> {
        self.0.nodes.get(&handle).cloned()
    }

    /// How many nodes there are, roots among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.nodes.len()
    }

    /// Whether there is no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.nodes.is_empty()
    }

    /// What lies in a folder, in the order of names; nodes without a name come last.
    #[must_use]
    pub fn children(&self, folder: &Node) -> Vec<Node> {
        self.sorted_children(folder, |_| true)
    }

    /// The children of this name: none, one, or namesakes.
    #[must_use]
    pub fn children_named(&self, folder: &Node, name: &str) -> Vec<Node> {
        self.sorted_children(folder, |node| node.name() == Some(name))
    }

    fn sorted_children(&self, folder: &Node, wanted: impl Fn(&Node) -> bool) -> Vec<Node> {
        let handles = self.0.children.get(&folder.handle()).map_or(&[][..], Vec::as_slice);
        let known = handles.iter().filter_map(|handle| self.0.nodes.get(handle));
        let mut nodes: Vec<Node> = known.filter(|node| wanted(node)).cloned().collect();
        nodes.sort_by(|a, b| {
            let nameless = a.name().is_none().cmp(&b.name().is_none());
            nameless.then_with(|| a.name().cmp(&b.name())).then_with(|| a.handle().cmp(&b.handle()))
        });
        nodes
    }

    /// Nodes that hang on nothing: the parent is unknown, or they are their own ancestors. They can be
    /// reached by handle.
    #[must_use]
    pub fn strays(&self) -> Vec<Node> {
        self.0.strays.iter().filter_map(|handle| self.node(*handle)).collect()
    }

    /// The roots of what others share with this account.
    #[must_use]
    pub fn incoming(&self) -> Vec<Node> {
        let mut roots: Vec<Node> =
            self.0.nodes.values().filter(|node| node.sharer().is_some()).cloned().collect();
        roots.sort_by_key(Node::handle);
        roots
    }

    /// The node at a path.
    pub fn at(&self, path: &RemotePath) -> Result<Node> {
        let start = match path.start() {
            RemoteRoot::Cloud => self.root()?,
            RemoteRoot::Trash => self.trash()?,
            RemoteRoot::Handle(handle) => {
                self.node(*handle).ok_or_else(|| Error::not_found(path.to_string()))?
            }
            RemoteRoot::Incoming(sharer) => return self.at_incoming(sharer, path),
        };
        self.below(start, path.names(), path)
    }

    fn at_incoming(&self, sharer: &str, path: &RemotePath) -> Result<Node> {
        let user = self.0.users.get(sharer).copied().or_else(|| sharer.parse().ok());
        let Some((first, rest)) = path.names().split_first() else {
            let text = format!("{path}: name one of the folders that {sharer} shares");
            return Err(Error::Input(text));
        };
        let mut roots = self.incoming();
        roots.retain(|root| root.sharer() == user && root.name() == Some(first));
        self.below(only(&roots, path)?, rest, path)
    }

    /// Follows names down from a node.
    fn below(&self, mut node: Node, names: &[String], path: &RemotePath) -> Result<Node> {
        for name in names {
            node = only(&self.children_named(&node, name), path)?;
        }
        Ok(node)
    }

    /// The path of a node, by handle where a name on the way cannot be told or is no path.
    #[must_use]
    pub fn path_of(&self, node: &Node) -> RemotePath {
        let mut names = Vec::new();
        let mut current = node.clone();
        // A node that is its own ancestor would be climbed for ever.
        for _ in 0..self.len() {
            if self.0.root == Some(current.handle()) {
                return names
                    .iter()
                    .rev()
                    .fold(RemotePath::root(), |path, name: &String| path.join(name));
            }
            if self.0.trash == Some(current.handle()) {
                let trash = RemotePath::trash();
                return names.iter().rev().fold(trash, |path, name: &String| path.join(name));
            }
            let Some(parent) = current.parent().and_then(|parent| self.node(parent)) else { break };
            match current.name() {
                Some(name)
                    if self.children_named(&parent, name).len() == 1 && !name.contains('/') =>
                {
                    names.push(name.to_owned());
                }
                _ => break,
            }
            current = parent;
        }
        let start = RemotePath::handle(current.handle());
        names.iter().rev().fold(start, |path, name| path.join(name))
    }

    /// Walks the whole tree from its root: each step gives a folder, its sub-folders and its files.
    #[must_use]
    pub fn walk(&self) -> Walk {
        Walk::new(self.clone(), self.root().ok(), RemotePath::root())
    }

    /// Walks a part of the tree.
    #[must_use]
    pub fn walk_from(&self, folder: &Node) -> Walk {
        Walk::new(self.clone(), Some(folder.clone()), self.path_of(folder))
    }

    /// The public link of a node, if it has one.
    #[must_use]
    pub fn link_of(&self, node: &Node) -> Option<PublicHandle> {
        self.0.links.get(&node.handle()).copied()
    }

    /// Whether a folder is shared with others or has a folder link.
    #[must_use]
    pub fn is_shared(&self, node: &Node) -> bool {
        self.0.shared.contains(&node.handle())
    }

    /// A node and the folders around it, from the inside out.
    pub fn ancestors(&self, node: &Node) -> impl Iterator<Item = Node> {
        let parent = |node: &Node| node.parent().and_then(|parent| self.node(parent));
        // A node that is its own ancestor would be climbed for ever.
        std::iter::successors(Some(node.clone()), parent).take(self.len() + 1)
    }

    /// The shares and folder links around a node, itself included, from the inside out.
    pub(crate) fn shares_around(&self, node: &Node) -> Vec<NodeHandle> {
        let shares = self.ancestors(node).filter(|n| self.is_shared(n) || n.sharer().is_some());
        shares.map(|node| node.handle()).collect()
    }

    /// Whether `node` lies below `ancestor` or is it.
    #[must_use]
    pub fn is_within(&self, node: &Node, ancestor: NodeHandle) -> bool {
        self.ancestors(node).any(|node| node.handle() == ancestor)
    }

    /// Everything below a node and itself.
    pub(crate) fn subtree(&self, node: &Node) -> Vec<Node> {
        let mut nodes = vec![node.clone()];
        let mut next = 0;
        while let Some(here) = nodes.get(next).cloned() {
            nodes.extend(self.children(&here));
            next += 1;
        }
        nodes
    }

    pub(crate) fn insert(&mut self, node: Node) {
        let arena = Arc::make_mut(&mut self.0);
        arena.detach(node.handle());
        match node.kind() {
            NodeKind::Root => arena.root = Some(node.handle()),
            NodeKind::Trash => arena.trash = Some(node.handle()),
            _ => {}
        }
        if let Some(parent) = node.parent() {
            arena.children.entry(parent).or_default().push(node.handle());
        }
        arena.nodes.insert(node.handle(), node);
    }

    /// Replaces a node that stays where it is.
    pub(crate) fn replace(&mut self, node: Node) {
        Arc::make_mut(&mut self.0).nodes.insert(node.handle(), node);
    }

    pub(crate) fn remove(&mut self, node: &Node) {
        let gone = self.subtree(node);
        let arena = Arc::make_mut(&mut self.0);
        arena.detach(node.handle());
        for node in gone {
            arena.nodes.remove(&node.handle());
            arena.children.remove(&node.handle());
            arena.links.remove(&node.handle());
            arena.shared.remove(&node.handle());
        }
    }

    pub(crate) fn set_link(&mut self, node: NodeHandle, link: Option<PublicHandle>) {
        let arena = Arc::make_mut(&mut self.0);
        match link {
            Some(link) => arena.links.insert(node, link),
            None => arena.links.remove(&node),
        };
    }

    pub(crate) fn set_shared(&mut self, node: NodeHandle) {
        Arc::make_mut(&mut self.0).shared.insert(node);
    }

    pub(crate) fn add_user(&mut self, email: String, user: UserHandle) {
        Arc::make_mut(&mut self.0).users.insert(email, user);
    }

    /// Makes `handle` the root, as a folder link has one that is an ordinary folder.
    pub(crate) fn set_root(&mut self, handle: NodeHandle) {
        Arc::make_mut(&mut self.0).root = Some(handle);
    }

    /// Finds the nodes that hang on nothing, after all have been inserted. A circle is cut, so that whoever
    /// goes down from a node comes to an end.
    pub(crate) fn find_strays(&mut self) {
        let arena = Arc::make_mut(&mut self.0);
        let known = |parent| arena.nodes.contains_key(&parent);
        let tops = arena.nodes.values().filter(|node| !node.parent().is_some_and(known));
        let tops: Vec<NodeHandle> = tops.map(Node::handle).collect();
        let mut strays = tops.clone();
        strays.retain(|handle| !arena.is_top(*handle));
        let mut reached = HashSet::new();
        arena.reach(tops, &mut reached);
        let mut rest: Vec<NodeHandle> = arena.nodes.keys().copied().collect();
        rest.retain(|handle| !reached.contains(handle));
        rest.sort_unstable();
        for handle in rest {
            if !reached.contains(&handle) {
                let stray = arena.on_circle_above(handle);
                arena.detach(stray);
                strays.push(stray);
                arena.reach(vec![stray], &mut reached);
            }
        }
        strays.sort_unstable();
        arena.strays = strays;
    }
}

/// The one node of a lookup.
fn only(nodes: &[Node], path: &RemotePath) -> Result<Node> {
    match nodes {
        [] => Err(Error::not_found(path.to_string())),
        [node] => Ok(node.clone()),
        nodes => Err(Error::Ambiguous {
            path: path.to_string(),
            handles: nodes.iter().map(Node::handle).collect(),
        }),
    }
}

impl Arena {
    /// Whether a node without a known parent is where it belongs.
    fn is_top(&self, handle: NodeHandle) -> bool {
        self.root == Some(handle)
            || self.nodes.get(&handle).is_some_and(|node| {
                node.sharer().is_some()
                    || matches!(node.kind(), NodeKind::Root | NodeKind::Vault | NodeKind::Trash)
            })
    }

    /// Adds everything that hangs on some nodes, and these themselves.
    fn reach(&self, mut pending: Vec<NodeHandle>, reached: &mut HashSet<NodeHandle>) {
        while let Some(handle) = pending.pop() {
            if reached.insert(handle) {
                pending.extend(self.children.get(&handle).into_iter().flatten());
            }
        }
    }

    /// A node of the circle that a climb from here ends in.
    fn on_circle_above(&self, mut handle: NodeHandle) -> NodeHandle {
        let mut seen = HashSet::new();
        while seen.insert(handle) {
            let parent = self.nodes.get(&handle).and_then(Node::parent);
            handle = parent.unwrap_or(handle);
        }
        handle
    }

    fn detach(&mut self, handle: NodeHandle) {
        let parent = self.nodes.get(&handle).and_then(Node::parent);
        if let Some(siblings) = parent.and_then(|parent| self.children.get_mut(&parent)) {
            siblings.retain(|sibling| *sibling != handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::new_record;

    fn handle(n: u8) -> NodeHandle {
        NodeHandle::from_bytes([n; 6])
    }

    #[test]
    fn a_circle_is_cut_and_everything_in_it_can_be_reached() {
        let mut tree = Tree::default();
        for (node, parent) in [(1, 3), (2, 1), (3, 2), (4, 2), (5, 9)] {
            let record = new_record(handle(node), handle(parent), NodeKind::Folder);
            tree.insert(Node(Arc::new(record)));
        }
        tree.find_strays();
        let strays = tree.strays();
        assert_eq!(strays.len(), 2, "{strays:?}");
        assert_eq!(strays[1].handle(), handle(5));
        let mut below: Vec<NodeHandle> =
            tree.subtree(&strays[0]).iter().map(Node::handle).collect();
        below.sort_unstable();
        assert_eq!(below, [1, 2, 3, 4].map(handle));
        assert_eq!(tree.walk_from(&strays[0]).count(), 4);
        assert!(tree.ancestors(&strays[0]).count() <= tree.len() + 1);
    }
}
