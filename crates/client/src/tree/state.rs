//! What a snapshot holds: rows that do not change any more, and beside them what did.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use supermega_encoding::{EventCursor, NodeHandle, PublicHandle, UserHandle};

use super::ahead::Ahead;
use super::arena::{Arena, Segment};
use super::base::{Base, Damaged, Outline};
use super::node::Node;
use super::row::Row;
use crate::keys::KeyRing;
use crate::share::Access;

/// Changes are put in order with the rest when there are more than so many, and more than a quarter of it.
pub(super) const CHANGES: usize = 10_000;

/// Rows that differ from others; nothing stands for nodes that are gone.
pub(crate) type Changes = HashMap<NodeHandle, Option<Row>>;

/// A tree as it is now.
#[derive(Clone)]
pub(super) struct State {
    pub(super) keys: Arc<KeyRing>,
    pub(super) base: Arc<Base>,
    /// What differs from the base.
    pub(super) changed: Changes,
    /// Changed nodes, by parent.
    pub(super) changed_children: HashMap<NodeHandle, Vec<NodeHandle>>,
    pub(super) facts: Facts,
    pub(super) ahead: Ahead,
    /// What changes, while somebody wants to know.
    pub(super) journal: Option<HashSet<NodeHandle>>,
}

/// What is known of a tree beside its nodes.
#[derive(Clone, Default, PartialEq, Eq)]
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
    pub(super) fn new(keys: Arc<KeyRing>, base: Base, facts: Facts) -> Self {
        Self {
            keys,
            base: Arc::new(base),
            changed: HashMap::new(),
            changed_children: HashMap::new(),
            facts,
            ahead: Ahead::default(),
            journal: None,
        }
    }

    pub(super) fn row(&self, handle: NodeHandle) -> Result<Option<Row>, Damaged> {
        match self.changed.get(&handle) {
            Some(changed) => Ok(changed.clone()),
            None => self.base.row(handle),
        }
    }

    /// Kind and size of a node.
    pub(super) fn outline(&self, handle: NodeHandle) -> Result<Option<Outline>, Damaged> {
        match self.changed.get(&handle) {
            Some(changed) => Ok(changed.as_ref().map(Row::outline)),
            None => self.base.outline(handle),
        }
    }

    pub(super) fn open(&self, row: Row) -> Node {
        Node::open(&self.keys, row)
    }

    /// What hangs directly on a node.
    pub(super) fn rows_below(&self, node: NodeHandle) -> Result<Vec<Row>, Damaged> {
        let mut below = self.base.rows_below(node)?;
        below.retain(|row| !self.changed.contains_key(&row.handle));
        below.extend(self.changed_below(node).cloned());
        Ok(below)
    }

    /// The same, without reading the nodes.
    pub(super) fn outlines_below(&self, node: NodeHandle) -> Result<Vec<Outline>, Damaged> {
        let mut below = self.base.outlines_below(node)?;
        below.retain(|outline| !self.changed.contains_key(&outline.handle));
        below.extend(self.changed_below(node).map(Row::outline));
        Ok(below)
    }

    fn changed_below(&self, node: NodeHandle) -> impl Iterator<Item = &Row> {
        let changed = self.changed_children.get(&node).into_iter().flatten();
        changed.filter_map(|handle| self.changed.get(handle)?.as_ref())
    }

    /// A node and all that hangs on it, from the top down.
    pub(super) fn all_below(&self, node: NodeHandle) -> Result<Vec<NodeHandle>, Damaged> {
        let (mut all, mut seen) = (vec![node], HashSet::from([node]));
        let mut next = 0;
        while let Some(here) = all.get(next) {
            // Changes may have made a circle.
            let below = self.outlines_below(*here)?.into_iter().map(|outline| outline.handle);
            all.extend(below.filter(|handle| seen.insert(*handle)));
            next += 1;
        }
        Ok(all)
    }

    /// Puts a row, or the lack of one, in the place of what was there.
    pub(super) fn change(&mut self, handle: NodeHandle, row: Option<Row>) {
        if let Some(Some(row)) = self.changed.get(&handle)
            && let Some(siblings) =
                row.parent.and_then(|parent| self.changed_children.get_mut(&parent))
        {
            siblings.retain(|sibling| *sibling != handle);
        }
        if let Some(parent) = row.as_ref().and_then(|row| row.parent) {
            self.changed_children.entry(parent).or_default().push(handle);
        }
        self.changed.insert(handle, row);
        if let Some(journal) = &mut self.journal {
            journal.insert(handle);
        }
    }

    /// Puts changes in order with the rest when they have become many.
    pub(super) fn settle(&mut self) {
        if self.changed.len() > CHANGES.max(self.base.len() / 4) {
            // Changes go on lying beside what cannot be read.
            let _ = self.put_in_order();
        }
    }

    /// Puts all rows in order in memory.
    pub(super) fn put_in_order(&mut self) -> Result<(), Damaged> {
        let kept = self.base.segment(|handle| !self.changed.contains_key(&handle))?;
        let changed: Segment = self.changed.drain().filter_map(|(_, row)| row).collect();
        self.changed_children.clear();
        self.base = Arc::new(Base::Arena(Box::new(Arena::build(vec![kept, changed]))));
        Ok(())
    }
}
