//! The rows that a snapshot stands on: all of them in memory, or kept in a file and read when somebody looks.
#![cfg_attr(
    not(feature = "cache"),
    allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "only what was kept can be damaged, and nothing is kept then"
    )
)]

use supermega_encoding::NodeHandle;

use super::arena::{Arena, Segment};
use super::node::NodeKind;
use super::row::Row;
use super::snapshot::Tree;
#[cfg(feature = "cache")]
use crate::cache::Pages;

/// What was kept is not what was written.
#[cfg(feature = "cache")]
pub(crate) use crate::cache::Damaged;
/// What is in memory does not break.
#[cfg(not(feature = "cache"))]
pub(crate) type Damaged = std::convert::Infallible;

/// Rows that do not change any more.
pub(super) enum Base {
    Arena(Box<Arena>),
    #[cfg(feature = "cache")]
    Pages(Box<Pages>),
}

/// What can be told of a node without reading it.
#[derive(Clone, Copy)]
pub(crate) struct Outline {
    pub handle: NodeHandle,
    pub kind: NodeKind,
    pub size: u64,
}

impl Base {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Arena(arena) => arena.len(),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.len(),
        }
    }

    pub(super) fn contains(&self, handle: NodeHandle) -> Result<bool, Damaged> {
        match self {
            Self::Arena(arena) => Ok(arena.find(handle).is_some()),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => Ok(pages.find(handle)?.is_some()),
        }
    }

    pub(super) fn row(&self, handle: NodeHandle) -> Result<Option<Row>, Damaged> {
        match self {
            Self::Arena(arena) => Ok(arena.find(handle).and_then(|id| arena.row(id))),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.find(handle)?.map(|id| pages.row(id)).transpose(),
        }
    }

    pub(super) fn outline(&self, handle: NodeHandle) -> Result<Option<Outline>, Damaged> {
        match self {
            Self::Arena(arena) => Ok(arena.find(handle).and_then(|id| arena.outline(id))),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.find(handle)?.map(|id| pages.outline(id)).transpose(),
        }
    }

    /// The rows that hang on a node, even if there is no such node.
    pub(super) fn rows_below(&self, parent: NodeHandle) -> Result<Vec<Row>, Damaged> {
        match self {
            Self::Arena(arena) => {
                Ok(arena.below(parent).into_iter().filter_map(|id| arena.row(id)).collect())
            }
            #[cfg(feature = "cache")]
            Self::Pages(pages) => {
                pages.below(parent)?.into_iter().map(|id| pages.row(id)).collect()
            }
        }
    }

    /// The same, without reading the rows.
    pub(super) fn outlines_below(&self, parent: NodeHandle) -> Result<Vec<Outline>, Damaged> {
        match self {
            Self::Arena(arena) => {
                Ok(arena.below(parent).into_iter().filter_map(|id| arena.outline(id)).collect())
            }
            #[cfg(feature = "cache")]
            Self::Pages(pages) => {
                pages.below(parent)?.into_iter().map(|id| pages.outline(id)).collect()
            }
        }
    }

    /// Nodes that should hang on something and do not, by handle.
    pub(super) fn strays(&self) -> &[NodeHandle] {
        match self {
            Self::Arena(arena) => arena.strays(),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.strays(),
        }
    }

    /// The roots of what others share.
    pub(super) fn incoming(&self) -> Vec<NodeHandle> {
        match self {
            Self::Arena(arena) => arena.incoming(),
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.incoming().to_vec(),
        }
    }

    /// All rows but those that are not wanted.
    pub(super) fn segment(&self, wanted: impl Fn(NodeHandle) -> bool) -> Result<Segment, Damaged> {
        match self {
            Self::Arena(arena) => {
                let ids = arena.ids().filter(|id| wanted(arena.handle(*id)));
                Ok(ids.filter_map(|id| arena.row(id)).collect())
            }
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.segment(wanted),
        }
    }

    /// The tree that was loaded in the place of these rows, when they turned out to be damaged.
    #[allow(clippy::unused_self, reason = "without the cache nothing is ever loaded instead")]
    pub(super) fn instead(&self) -> Option<&Tree> {
        match self {
            Self::Arena(_) => None,
            #[cfg(feature = "cache")]
            Self::Pages(pages) => pages.instead(),
        }
    }

    /// Loads the tree in the place of these rows.
    #[cfg(feature = "cache")]
    pub(super) fn load_instead(&self, _: Damaged) -> Option<&Tree> {
        match self {
            Self::Arena(_) => None,
            Self::Pages(pages) => pages.load_instead(),
        }
    }

    #[cfg(not(feature = "cache"))]
    pub(super) fn load_instead(&self, damaged: Damaged) -> Option<&Tree> {
        match damaged {}
    }
}
