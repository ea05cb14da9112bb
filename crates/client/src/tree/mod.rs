//! What an account or a folder link looks like: nodes, paths, walks.

mod ahead;
mod arena;
mod base;
#[cfg(feature = "cache")]
mod kept;
mod load;
mod node;
mod path;
mod row;
mod search;
mod snapshot;
mod state;
mod walk;

pub(crate) use ahead::{Aspect, Removal};
#[cfg(feature = "cache")]
pub(crate) use arena::{Arena, Id, Segment};
#[cfg(feature = "cache")]
pub(crate) use base::Outline;
pub(crate) use load::{LinkRoot, NodeSieve, load};
pub use node::{Node, NodeKind, Problem};
pub use path::{RemotePath, RemoteRoot};
#[cfg(feature = "cache")]
pub(crate) use row::{Reader, number};
pub(crate) use row::{Row, RowView};
pub use search::Glance;
#[cfg(feature = "cache")]
pub(crate) use search::{Work, on_all_cores};
pub use snapshot::{Tree, Usage};
#[cfg(feature = "cache")]
pub(crate) use state::Changes;
#[cfg(any(feature = "cache", test))]
pub(crate) use state::Facts;
pub use walk::{Walk, WalkStep};
