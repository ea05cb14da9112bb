//! What results of own commands have told of a tree before the packets told it (`protocol-api.md` 1.5).
//!
//! Results and packets come by different ways, and packets that tell of earlier changes may come after a result.

use std::collections::HashMap;

use supermega_encoding::NodeHandle;
use supermega_protocol::SequenceTag;

use super::row::Row;
use super::snapshot::Tree;

/// How far packets have come, and what own commands have changed before them.
#[derive(Clone, Default)]
pub(super) struct Ahead {
    /// What packets and the tree's own text have told goes so far.
    passed: Option<SequenceTag>,
    removed: HashMap<NodeHandle, Removal>,
    changed: HashMap<(NodeHandle, Aspect), SequenceTag>,
    /// The last of what was removed or changed.
    until: Option<SequenceTag>,
}

/// How a node was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// By its own handle, wherever it was.
    Itself,
    /// With all that was in this folder.
    From(NodeHandle),
    /// With a folder somewhere above it.
    Below,
}

/// What of a node a result tells anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aspect {
    Place,
    Attributes,
    FileAttributes,
}

impl Ahead {
    fn pass(&mut self, tag: &SequenceTag) {
        if self.until.as_ref().is_some_and(|until| until <= tag) {
            self.removed.clear();
            self.changed.clear();
            self.until = None;
        }
        if self.passed.as_ref().is_none_or(|passed| passed < tag) {
            self.passed = Some(tag.clone());
        }
    }

    fn expect(&mut self, tag: &SequenceTag) {
        self.until = Some(tag.clone()).max(self.until.take());
    }
}

impl Tree {
    /// Whether it holds what a result with this tag tells.
    pub(crate) fn has_passed(&self, tag: &SequenceTag) -> bool {
        self.now().ahead.passed.as_ref().is_some_and(|passed| passed >= tag)
    }

    /// Notes that packets have told it what this tag stands for, and all before.
    pub(crate) fn pass(&mut self, tag: &SequenceTag) {
        self.state().ahead.pass(tag);
    }

    /// Removes a node with everything below it, as the result with this tag tells.
    pub(crate) fn remove_ahead(
        &mut self,
        node: NodeHandle,
        how: Removal,
        tag: Option<&SequenceTag>,
    ) {
        let gone = self.remove(node);
        if let Some(tag) = tag {
            let ahead = &mut self.state().ahead;
            ahead.removed.extend(gone.into_iter().map(|handle| (handle, Removal::Below)));
            ahead.removed.insert(node, how);
            ahead.expect(tag);
        }
    }

    /// Puts a node into the tree of which the result with this tag tells something anew.
    pub(crate) fn insert_ahead(&mut self, row: Row, what: Aspect, tag: Option<&SequenceTag>) {
        if let Some(tag) = tag {
            let ahead = &mut self.state().ahead;
            ahead.changed.insert((row.handle, what), tag.clone());
            ahead.expect(tag);
        }
        self.insert(row);
    }

    /// What a packet with this tag shows, but for what later results have told.
    pub(crate) fn with_later(&self, mut row: Row, tag: Option<&SequenceTag>) -> Row {
        let changed = &self.now().ahead.changed;
        let Some(tag) = tag.filter(|_| !changed.is_empty()) else { return row };
        let Some(known) = self.node(row.handle) else { return row };
        let is_later = |what| changed.get(&(row.handle, what)).is_some_and(|later| later > tag);
        let [place, attributes, file_attributes] =
            [Aspect::Place, Aspect::Attributes, Aspect::FileAttributes].map(is_later);
        if place {
            row.parent = known.row().parent;
        }
        if attributes {
            row.attributes.clone_from(&known.row().attributes);
        }
        if file_attributes {
            row.file_attributes.clone_from(&known.row().file_attributes);
        }
        row
    }

    /// Parts what a packet shows from what has been removed since.
    pub(crate) fn part_removed(&mut self, rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
        if self.now().ahead.removed.is_empty() {
            return (rows, Vec::new());
        }
        let removed = &mut self.state().ahead.removed;
        // What is elsewhere was moved there before the removal, and is still there.
        for row in &rows {
            let is_gone = |how: &Removal| match how {
                Removal::Itself => true,
                Removal::From(folder) => row.parent == Some(*folder),
                Removal::Below => false,
            };
            if !removed.get(&row.handle).is_some_and(is_gone) {
                removed.remove(&row.handle);
            }
        }
        let is_there = |row: &Row| {
            let around_is_gone = row.parent.is_some_and(|parent| removed.contains_key(&parent));
            if around_is_gone {
                removed.entry(row.handle).or_insert(Removal::Below);
            }
            !removed.contains_key(&row.handle)
        };
        rows.into_iter().partition(is_there)
    }
}
