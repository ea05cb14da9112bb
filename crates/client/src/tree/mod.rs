//! What an account or a folder link looks like: nodes, paths, walks.

mod arena;
mod load;
mod node;
mod path;
mod row;
mod snapshot;
mod state;
mod walk;

pub(crate) use load::{LinkRoot, NodeSieve, load};
pub use node::{Node, NodeKind, Problem};
pub use path::{RemotePath, RemoteRoot};
pub(crate) use row::Row;
pub use snapshot::{Tree, Usage};
pub use walk::{Walk, WalkStep};
