//! What a snapshot holds: rows that do not change any more, and beside them what did.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use supermega_encoding::{EventCursor, NodeHandle, PublicHandle, UserHandle};

use super::arena::{Arena, Segment};
use super::node::{Node, NodeKind};
use super::row::Row;
use crate::keys::KeyRing;
use crate::share::Access;

/// Changes are put in order with the rest when there are more than so many, and more than a quarter of it.
pub(super) const CHANGES: usize = 10_000;

/// A tree as it is now.
#[derive(Clone)]
pub(super) struct State {
    pub(super) keys: Arc<KeyRing>,
    pub(super) arena: Arc<Arena>,
    /// What differs from the arena; nothing stands for nodes that are gone.
    pub(super) changed: HashMap<NodeHandle, Option<Row>>,
    /// Changed nodes, by parent.
    pub(super) changed_children: HashMap<NodeHandle, Vec<NodeHandle>>,
    pub(super) facts: Facts,
}

/// What is known of a tree beside its nodes.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    pub root: Option<NodeHandle>,
    pub trash: Option<NodeHandle>,
    /// What a folder link allows, if this is the tree of one.
    pub link: Option<Access>,
    pub vault: Option<NodeHandle>,
    pub users: HashMap<String, UserHandle>,
    pub shared: HashSet<NodeHandle>,
    pub links: HashMap<NodeHandle, PublicHandle>,
    /// Where packets go on from here.
    pub cursor: Option<EventCursor>,
}

impl State {
    pub(super) fn row(&self, handle: NodeHandle) -> Option<Row> {
        match self.changed.get(&handle) {
            Some(changed) => changed.clone(),
            None => self.arena.row(self.arena.find(handle)?),
        }
    }

    /// Kind and size of a node.
    pub(super) fn peek(&self, handle: NodeHandle) -> Option<(NodeKind, u64)> {
        match self.changed.get(&handle) {
            Some(changed) => changed.as_ref().map(|row| (row.kind, row.size)),
            None => self.arena.peek(self.arena.find(handle)?),
        }
    }

    pub(super) fn open(&self, row: Row) -> Node {
        Node::open(&self.keys, row)
    }

    /// What hangs directly on a node.
    pub(super) fn below(&self, node: NodeHandle) -> Vec<NodeHandle> {
        let mut below = self.arena.below(node);
        below.retain(|handle| !self.changed.contains_key(handle));
        below.extend(self.changed_children.get(&node).into_iter().flatten());
        below
    }

    /// A node and all that hangs on it, from the top down.
    pub(super) fn all_below(&self, node: NodeHandle) -> Vec<NodeHandle> {
        let (mut all, mut seen) = (vec![node], HashSet::from([node]));
        let mut next = 0;
        while let Some(here) = all.get(next) {
            // Changes may have made a circle.
            let below = self.below(*here);
            all.extend(below.into_iter().filter(|handle| seen.insert(*handle)));
            next += 1;
        }
        all
    }

    /// Takes a changed node from its parent's list.
    pub(super) fn detach(&mut self, handle: NodeHandle) {
        let Some(Some(row)) = self.changed.get(&handle) else { return };
        if let Some(siblings) = row.parent.and_then(|parent| self.changed_children.get_mut(&parent))
        {
            siblings.retain(|sibling| *sibling != handle);
        }
    }

    /// Puts changes in order with the rest when they have become many.
    pub(super) fn settle(&mut self) {
        if self.changed.len() <= CHANGES.max(self.arena.len() / 4) {
            return;
        }
        let kept =
            self.arena.ids().filter(|id| !self.changed.contains_key(&self.arena.handle(*id)));
        let kept: Segment = kept.filter_map(|id| self.arena.row(id)).collect();
        let changed: Segment = self.changed.drain().filter_map(|(_, row)| row).collect();
        self.changed_children.clear();
        self.arena = Arc::new(Arena::build(vec![kept, changed]));
    }
}
