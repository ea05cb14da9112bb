//! What an account or a folder link looks like: nodes, paths, walks.

mod load;
mod node;
mod path;
mod snapshot;
mod walk;

pub(crate) use load::load;
pub(crate) use node::new_record;
pub use node::{Node, NodeKind, Problem};
pub use path::{RemotePath, RemoteRoot};
pub use snapshot::Tree;
pub use walk::{Walk, WalkStep};
