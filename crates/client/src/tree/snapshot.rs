//! A snapshot of a tree: consistent, cheap to clone, untouched by later changes.

use std::collections::HashSet;
use std::sync::Arc;

use supermega_encoding::{EventCursor, NodeHandle, PublicHandle};

use super::arena::{Arena, Segment};
use super::base::{Base, Damaged, Outline};
use super::node::{Node, NodeKind};
use super::path::{RemotePath, RemoteRoot};
use super::row::Row;
use super::state::{Facts, State};
use super::walk::Walk;
use crate::error::{Error, Result};
use crate::keys::KeyRing;
use crate::share::Access;

/// All nodes of an account or a folder link, as they were when it was asked for.
///
/// Names and keys are opened when a node is looked at: a tree costs about two hundred bytes a node.
#[derive(Clone)]
pub struct Tree(Arc<State>);

/// How much lies somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Bytes of current files.
    pub bytes: u64,
    /// Current files.
    pub files: u64,
    /// Folders, without the one that was asked about.
    pub folders: u64,
    /// Bytes of old versions.
    pub version_bytes: u64,
    /// Old versions.
    pub versions: u64,
}

impl Usage {
    fn count(&mut self, node: Outline, is_version: bool) {
        match (node.kind, is_version) {
            (NodeKind::File, false) => {
                self.files += 1;
                self.bytes += node.size;
            }
            (NodeKind::File, true) => {
                self.versions += 1;
                self.version_bytes += node.size;
            }
            _ => self.folders += 1,
        }
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("nodes", &self.0.base.len()).finish_non_exhaustive()
    }
}

impl Tree {
    /// Puts nodes in order. Takes a while for large trees: call it off the async threads.
    pub(crate) fn build(keys: Arc<KeyRing>, segments: Vec<Segment>, mut facts: Facts) -> Self {
        let arena = Arena::build(segments);
        for id in arena.ids() {
            match arena.outline(id) {
                Some(Outline { kind: NodeKind::Root, handle, .. }) => facts.root = Some(handle),
                Some(Outline { kind: NodeKind::Trash, handle, .. }) => facts.trash = Some(handle),
                Some(Outline { kind: NodeKind::Vault, handle, .. }) => facts.vault = Some(handle),
                _ => {}
            }
        }
        Self::new(keys, Base::Arena(Box::new(arena)), facts)
    }

    pub(super) fn new(keys: Arc<KeyRing>, base: Base, facts: Facts) -> Self {
        Self(Arc::new(State::new(keys, base, facts)))
    }

    /// The state, or what was loaded in its place.
    pub(super) fn now(&self) -> &State {
        match self.0.base.instead() {
            Some(instead) => &instead.0,
            None => &self.0,
        }
    }

    /// Looks at the state. Where what was kept turns out to be damaged, the tree is loaded anew.
    pub(super) fn read<T: Default>(&self, read: impl Fn(&State) -> Result<T, Damaged>) -> T {
        read(self.now()).unwrap_or_else(|damaged| {
            let instead = self.0.base.load_instead(damaged);
            instead.and_then(|instead| read(&instead.0).ok()).unwrap_or_default()
        })
    }

    /// The state, to be changed.
    pub(super) fn state(&mut self) -> &mut State {
        if let Some(instead) = self.0.base.instead() {
            self.0 = instead.0.clone();
        }
        Arc::make_mut(&mut self.0)
    }

    /// The root of the cloud drive, or of the folder link.
    pub fn root(&self) -> Result<Node> {
        self.named_root(self.now().facts.root, "the root folder")
    }

    /// The rubbish bin.
    pub fn trash(&self) -> Result<Node> {
        self.named_root(self.now().facts.trash, "the rubbish bin")
    }

    /// The vault, which holds backups; once it was the inbox.
    pub fn vault(&self) -> Result<Node> {
        self.named_root(self.now().facts.vault, "the vault")
    }

    fn named_root(&self, handle: Option<NodeHandle>, what: &str) -> Result<Node> {
        handle.and_then(|handle| self.node(handle)).ok_or_else(|| Error::not_found(what))
    }

    /// The node with this handle.
    #[must_use]
    pub fn node(&self, handle: NodeHandle) -> Option<Node> {
        self.row(handle).map(|row| self.now().open(row))
    }

    /// The node as it was received.
    fn row(&self, handle: NodeHandle) -> Option<Row> {
        self.read(|state| state.row(handle))
    }

    /// How many nodes there are, roots and old versions among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|state| {
            state.changed.iter().try_fold(state.base.len(), |sum, (handle, row)| {
                Ok(match (state.base.contains(*handle)?, row.is_some()) {
                    (true, false) => sum - 1,
                    (false, true) => sum + 1,
                    _ => sum,
                })
            })
        })
    }

    /// Whether there is no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        if folder.is_file() {
            return Vec::new();
        }
        let rows = self.read(|state| state.rows_below(folder.handle())).into_iter();
        let mut nodes: Vec<Node> = rows.map(|row| self.now().open(row)).filter(wanted).collect();
        nodes.sort_by(|a, b| {
            let nameless = a.name().is_none().cmp(&b.name().is_none());
            nameless.then_with(|| a.name().cmp(&b.name())).then_with(|| a.handle().cmp(&b.handle()))
        });
        nodes
    }

    /// The old versions of a file, the newest first.
    #[must_use]
    pub fn versions(&self, file: &Node) -> Vec<Node> {
        let mut versions: Vec<Node> = Vec::new();
        let mut newer = file.handle();
        // What is its own old version would be followed for ever.
        while let Some(older) = self.read(|state| state.rows_below(newer)).into_iter().next() {
            let older = self.now().open(older);
            if !file.is_file() || versions.iter().any(|known| known.handle() == older.handle()) {
                break;
            }
            newer = older.handle();
            versions.push(older);
        }
        versions
    }

    /// Nodes that hung on nothing when the tree came: the parent is unknown, or they are their own
    /// ancestors. They can be reached by handle.
    #[must_use]
    pub fn strays(&self) -> Vec<Node> {
        let strays = self.now().base.strays().iter();
        let strays = strays.filter(|stray| Some(**stray) != self.now().facts.root);
        strays.filter_map(|handle| self.node(*handle)).collect()
    }

    /// The roots of what others share with this account.
    #[must_use]
    pub fn incoming(&self) -> Vec<Node> {
        let changed = self.now().changed.iter();
        let changed =
            changed.filter(|(_, row)| row.as_ref().is_some_and(|row| row.sharer.is_some()));
        let mut all: HashSet<NodeHandle> = self.now().base.incoming().into_iter().collect();
        all.extend(changed.map(|(handle, _)| *handle));
        let mut roots: Vec<Node> = all.into_iter().filter_map(|root| self.node(root)).collect();
        roots.retain(|root| root.sharer().is_some());
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
        self.follow(start, path.names(), path)
    }

    fn at_incoming(&self, sharer: &str, path: &RemotePath) -> Result<Node> {
        let user = self.now().facts.users.get(sharer).copied().or_else(|| sharer.parse().ok());
        let Some((first, rest)) = path.names().split_first() else {
            let text = format!("{path}: name one of the folders that {sharer} shares");
            return Err(Error::Input(text));
        };
        let mut roots = self.incoming();
        roots.retain(|root| root.sharer() == user && root.name() == Some(first));
        self.follow(only(&roots, path)?, rest, path)
    }

    /// Follows names down from a node.
    fn follow(&self, mut node: Node, names: &[String], path: &RemotePath) -> Result<Node> {
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
            let start = match Some(current.handle()) {
                here if here == self.now().facts.root => RemotePath::root(),
                here if here == self.now().facts.trash => RemotePath::trash(),
                _ => {
                    let parent = current.parent().and_then(|parent| self.node(parent));
                    match (current.name(), parent) {
                        (Some(name), Some(parent))
                            if !name.contains('/')
                                && self.children_named(&parent, name).len() == 1 =>
                        {
                            names.push(name.to_owned());
                            current = parent;
                            continue;
                        }
                        _ => break,
                    }
                }
            };
            return names.iter().rev().fold(start, |path, name: &String| path.join(name));
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

    /// Counts everything below a node, or a file itself. Nothing is decrypted for that.
    #[must_use]
    pub fn usage(&self, node: &Node) -> Usage {
        self.read(|state| {
            let mut usage = Usage::default();
            let start = state.outline(node.handle())?;
            let mut pending: Vec<_> = start.into_iter().map(|start| (start, false)).collect();
            let mut seen = HashSet::new();
            while let Some((here, is_version)) = pending.pop() {
                if !seen.insert(here.handle) {
                    continue;
                }
                usage.count(here, is_version);
                let is_file = here.kind == NodeKind::File;
                let below = state.outlines_below(here.handle)?;
                pending.extend(below.into_iter().map(|below| (below, is_file)));
            }
            // The folder that was asked about is not counted.
            usage.folders -= u64::from(usage.folders > 0 && !node.is_file());
            Ok(usage)
        })
    }

    /// The public link of a node, if it has one.
    #[must_use]
    pub fn link_of(&self, node: &Node) -> Option<PublicHandle> {
        self.now().facts.links.get(&node.handle()).copied()
    }

    /// Whether a folder is shared with others or has a folder link.
    #[must_use]
    pub fn is_shared(&self, node: &Node) -> bool {
        self.now().facts.shared.contains(&node.handle())
    }

    /// A node and the folders around it, from the inside out.
    pub fn ancestors(&self, node: &Node) -> impl Iterator<Item = Node> {
        let parent = |node: &Node| node.parent().and_then(|parent| self.node(parent));
        // A node that is its own ancestor would be climbed for ever.
        let mut seen = HashSet::new();
        std::iter::successors(Some(node.clone()), parent)
            .take_while(move |node| seen.insert(node.handle()))
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

    /// Everything below a node and itself, old versions too.
    pub(crate) fn subtree(&self, node: &Node) -> Vec<Node> {
        let all = self.read(|state| state.all_below(node.handle()));
        all.into_iter().filter_map(|handle| self.node(handle)).collect()
    }

    /// The same for nodes whose rows are wanted: only those are opened.
    pub(crate) fn subtree_where(&self, node: &Node, wanted: impl Fn(&Row) -> bool) -> Vec<Node> {
        let all = self.read(|state| state.all_below(node.handle()));
        let rows = all.into_iter().filter_map(|handle| self.row(handle));
        rows.filter(wanted).map(|row| self.now().open(row)).collect()
    }

    /// The folders that are shared with others or have a folder link.
    pub(crate) fn shared_roots(&self) -> Vec<Node> {
        self.now().facts.shared.iter().filter_map(|handle| self.node(*handle)).collect()
    }

    /// Adds a node, or puts another in the place of one with its handle.
    pub(crate) fn insert(&mut self, row: Row) {
        let state = self.state();
        match row.kind {
            NodeKind::Root => state.facts.root = Some(row.handle),
            NodeKind::Trash => state.facts.trash = Some(row.handle),
            NodeKind::Vault => state.facts.vault = Some(row.handle),
            _ => {}
        }
        state.change(row.handle, Some(row));
        state.settle();
    }

    /// Removes a node with everything below it, and gives what that was.
    pub(crate) fn remove(&mut self, node: NodeHandle) -> Vec<NodeHandle> {
        let gone = self.read(|state| state.all_below(node));
        let state = self.state();
        for handle in &gone {
            state.change(*handle, None);
            state.facts.links.remove(handle);
            state.facts.shared.remove(handle);
        }
        state.settle();
        gone
    }

    /// Removes a node, but not what hangs on it.
    pub(crate) fn remove_alone(&mut self, node: NodeHandle) {
        let state = self.state();
        state.change(node, None);
        state.settle();
    }

    /// What the folder link allows, if this is the tree of one.
    pub(crate) fn link_access(&self) -> Option<Access> {
        self.now().facts.link
    }

    /// Where packets go on from here, if the service has any.
    pub(crate) fn cursor(&self) -> Option<EventCursor> {
        self.now().facts.cursor
    }

    /// Changes what is known beside the nodes.
    pub(crate) fn facts(&mut self) -> &mut Facts {
        &mut self.state().facts
    }

    /// Opens nodes with other keys from now on.
    pub(crate) fn set_keys(&mut self, keys: Arc<KeyRing>) {
        self.state().keys = keys;
    }

    pub(crate) fn set_link(&mut self, node: NodeHandle, link: Option<PublicHandle>) {
        match link {
            Some(link) => self.facts().links.insert(node, link),
            None => self.facts().links.remove(&node),
        };
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::tree::state::CHANGES;

    fn handle(number: u32) -> NodeHandle {
        let mut bytes = [9; 6];
        bytes[2..].copy_from_slice(&number.to_be_bytes());
        NodeHandle::from_bytes(bytes)
    }

    fn row(node: u32, parent: u32) -> Row {
        Row { parent: Some(handle(parent)), ..Row::folder(handle(node)) }
    }

    fn tree(rows: impl IntoIterator<Item = Row>) -> Tree {
        let segment = rows.into_iter().collect();
        Tree::build(Arc::new(KeyRing::none()), vec![segment], Facts::default())
    }

    #[test]
    fn a_circle_is_cut_and_everything_in_it_can_be_reached() {
        let pairs = [(1, 3), (2, 1), (3, 2), (4, 2), (5, 9)];
        let tree = tree(pairs.map(|(node, parent)| row(node, parent)));
        let strays = tree.strays();
        assert_eq!(strays.len(), 2, "{strays:?}");
        assert_eq!(strays[1].handle(), handle(5));
        let mut below: Vec<NodeHandle> =
            tree.subtree(&strays[0]).iter().map(Node::handle).collect();
        below.sort_unstable();
        assert_eq!(below, [1, 2, 3, 4].map(handle));
        assert_eq!(tree.walk_from(&strays[0]).count(), 4);
        assert_eq!(tree.ancestors(&strays[0]).count(), 3);
    }

    #[test]
    fn of_two_nodes_with_one_handle_the_last_counts() {
        let tree = tree([row(1, 0), row(2, 0), row(1, 2)]);
        assert_eq!(tree.len(), 2);
        assert_eq!(tree.node(handle(1)).unwrap().parent(), Some(handle(2)));
        assert_eq!(tree.subtree(&tree.node(handle(2)).unwrap()).len(), 2);
    }

    #[test]
    fn many_changes_leave_the_same_tree_as_few() {
        let mut changing = tree((1..=100).map(|n| row(n, n / 10)));
        let before = changing.clone();
        let mut expected: HashMap<u32, u32> = (1..=100).map(|n| (n, n / 10)).collect();
        for n in 101..=u32::try_from(CHANGES).unwrap() + 500 {
            changing.insert(row(n, n / 10));
            expected.insert(n, n / 10);
        }
        // Everything below 5 goes, and 6 moves below 7.
        changing.remove(handle(5));
        let below_five = |mut n: u32| {
            while n > 5 {
                n /= 10;
            }
            n == 5
        };
        expected.retain(|n, _| !below_five(*n));
        changing.insert(row(6, 7));
        expected.insert(6, 7);
        assert_eq!(changing.len(), expected.len());
        for (node, parent) in expected {
            let seen = changing.node(handle(node)).unwrap();
            assert_eq!(seen.parent(), Some(handle(parent)), "{node}");
            let below = changing.0.outlines_below(handle(parent)).unwrap();
            assert!(below.iter().any(|outline| outline.handle == handle(node)), "{node}");
        }
        assert!(changing.node(handle(51)).is_none());
        assert_eq!(before.len(), 100);
        assert!(before.node(handle(5)).is_some());
    }
}
