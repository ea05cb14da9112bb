//! Trees that stand on a file, and what a file needs of a tree.

use std::sync::Arc;

use super::Arena;
use super::base::Base;
use super::snapshot::Tree;
use super::state::{Changes, Facts, State};
use crate::cache::Pages;
use crate::keys::KeyRing;

impl Tree {
    /// The tree of what a file holds and what has changed since that was written.
    pub(crate) fn kept(keys: Arc<KeyRing>, pages: Pages, changes: Changes, facts: Facts) -> Self {
        let mut tree = Self::new(keys, Base::Pages(Box::new(pages)), facts);
        let state = tree.state();
        for (handle, row) in changes {
            state.change(handle, row);
        }
        tree
    }

    /// Whether all rows are in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(&*self.now().base, Base::Arena(_))
    }

    /// The same with all rows in memory.
    pub(crate) fn in_memory(&self) -> Self {
        let mut tree = self.clone();
        // What cannot be read stays where it is.
        let _ = tree.state().put_in_order();
        tree
    }

    /// Stands on another tree's rows from now on. These must be what this tree stood on, with changes that this
    /// tree has, too.
    pub(crate) fn stand_on(&mut self, other: &Self) {
        let base = other.now().base.clone();
        self.state().base = base;
    }

    /// Notes from now on which nodes change.
    pub(crate) fn begin_journal(&mut self) {
        self.state().journal = Some(std::collections::HashSet::new());
    }

    /// What has changed since; nothing where that is not known, because the tree was loaded anew.
    pub(crate) fn end_journal(&mut self) -> Option<Changes> {
        let journal = self.state().journal.take()?;
        let state = self.now();
        let row = |handle| Some((handle, state.row(handle).ok()?));
        journal.into_iter().map(row).collect()
    }

    /// What is known beside the nodes.
    pub(crate) fn known(&self) -> &Facts {
        &self.now().facts
    }

    /// Shows all rows in order, which takes a while if they are not.
    pub(crate) fn with_arena<T>(&self, look: impl FnOnce(&Arena, &Facts) -> T) -> Option<T> {
        let state = self.now();
        if let (Base::Arena(arena), true) = (&*state.base, state.changed.is_empty()) {
            return Some(look(arena, &state.facts));
        }
        let mut whole: State = state.clone();
        whole.put_in_order().ok()?;
        match &*whole.base {
            Base::Arena(arena) => Some(look(arena, &whole.facts)),
            Base::Pages(_) => None,
        }
    }
}
