//! Nodes as a reader gets them: the same node has other keys for its owner than in a folder link.

use supermega_encoding::NodeHandle;
use supermega_protocol::tree::{Node as WireNode, NodeKeys, NodeType};
use supermega_protocol::{Timestamp, Verbatim};

use super::call::ApiError;
use crate::store::events::Stream;
use crate::store::links;
use crate::store::nodes::{self, Node};

/// Writes a node for a reader. The reader's own key comes first: some clients look at no other
/// (`protocol-api.md` 6.4).
pub(super) fn node(
    db: &rusqlite::Connection,
    reader: Stream,
    node: &Node,
) -> Result<WireNode, ApiError> {
    let keys = match reader {
        _ if node.kind.is_root() => String::new(),
        Stream::User(_) => {
            let mut keys = format!("{}:{}", node.owner, node.k);
            for (share, key) in nodes::share_keys(db, node.handle)? {
                keys.extend(["/", &share.to_string(), ":", &key]);
            }
            keys
        }
        Stream::Link(link) => {
            let root = links::node_of(db, link)?;
            let keys = nodes::share_keys(db, node.handle)?;
            let own = keys.iter().find(|(share, _)| Some(*share) == root);
            own.map(|(share, key)| format!("{share}:{key}")).unwrap_or_default()
        }
    };
    Ok(WireNode {
        h: node.handle,
        p: node.parent,
        u: Some(node.owner),
        t: node.kind,
        a: Verbatim(node.a.clone()),
        k: NodeKeys(keys),
        s: node.size,
        ts: Some(Timestamp(node.ts)),
        fa: node.fa.clone().filter(|_| node.kind == NodeType::File),
        su: None,
        r: None,
        sk: None,
        sts: None,
        i: None,
    })
}

/// Whether a node of `nodes` is an old version: its parent is a file.
pub(super) fn versions(nodes: &[Node]) -> impl Fn(&Node) -> bool + use<> {
    let files: std::collections::HashSet<NodeHandle> =
        nodes.iter().filter(|node| node.kind == NodeType::File).map(|node| node.handle).collect();
    move |node| node.parent.is_some_and(|parent| files.contains(&parent))
}
