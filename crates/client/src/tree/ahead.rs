//! What results of own commands have told of a tree before the packets told it (`protocol-api.md` 1.5).
//!
//! Results and packets come by different ways, and packets that tell of earlier changes may come after a result.

use std::collections::HashMap;

use supermega_encoding::NodeHandle;
use supermega_protocol::SequenceTag;

use super::row::Row;
use super::snapshot::Tree;

/// How far packets have come, and what own commands have taken away before them.
#[derive(Clone, Default)]
pub(super) struct Ahead {
    /// What packets and the tree's own text have told goes so far.
    passed: Option<SequenceTag>,
    /// With the folder that it was removed from, unless that is gone too.
    removed: HashMap<NodeHandle, Option<NodeHandle>>,
    /// The last of what was removed.
    until: Option<SequenceTag>,
}

impl Ahead {
    fn pass(&mut self, tag: &SequenceTag) {
        if self.until.as_ref().is_some_and(|until| until <= tag) {
            self.removed.clear();
            self.until = None;
        }
        if self.passed.as_ref().is_none_or(|passed| passed < tag) {
            self.passed = Some(tag.clone());
        }
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
    pub(crate) fn remove_ahead(&mut self, node: NodeHandle, tag: Option<&SequenceTag>) {
        let from = self.node(node).and_then(|node| node.parent());
        let gone = self.remove(node);
        if let Some(tag) = tag {
            let ahead = &mut self.state().ahead;
            ahead.removed.extend(gone.into_iter().map(|handle| (handle, None)));
            ahead.removed.insert(node, from);
            ahead.until = Some(tag.clone()).max(ahead.until.take());
        }
    }

    /// Parts what a packet shows from what it puts into a folder that has been removed since.
    pub(crate) fn part_removed(&mut self, rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
        if self.now().ahead.removed.is_empty() {
            return (rows, Vec::new());
        }
        let removed = &mut self.state().ahead.removed;
        // What comes with the folder around it was moved out before the removal; what comes where it was removed from
        // had only just been made.
        for row in &rows {
            if removed.get(&row.handle).is_some_and(|from| from.is_none() || *from != row.parent) {
                removed.remove(&row.handle);
            }
        }
        let is_there = |row: &Row| {
            let around_is_gone = row.parent.is_some_and(|parent| removed.contains_key(&parent));
            if around_is_gone {
                removed.entry(row.handle).or_insert(None);
            }
            !removed.contains_key(&row.handle)
        };
        rows.into_iter().partition(is_there)
    }
}
