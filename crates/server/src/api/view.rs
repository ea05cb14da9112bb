//! Nodes as a reader gets them: the same node has other keys for its owner than in a folder link
//! (`protocol-api.md` 6.4).

use std::collections::{HashMap, HashSet};
use std::fmt::{Display, Write};

use rusqlite::Connection;
use supermega_encoding::NodeHandle;
use supermega_protocol::packet::NodeSet;
use supermega_protocol::tree::{Node as WireNode, NodeKeys, NodeType};
use supermega_protocol::{Timestamp, Verbatim};

use crate::store::events::Stream;
use crate::store::nodes::{self, Node};
use crate::store::shares::{self, Share};
use crate::store::{links, share_keys};

/// How one reader sees nodes.
pub(super) struct View<'a> {
    db: &'a Connection,
    reader: Stream,
    /// The root of the folder link, if it is one that reads.
    link_root: Option<NodeHandle>,
    /// What is shared with the reader.
    incoming: HashMap<NodeHandle, Share>,
}

impl<'a> View<'a> {
    pub(super) fn new(db: &'a Connection, reader: Stream) -> rusqlite::Result<Self> {
        let (link_root, incoming) = match reader {
            Stream::User(user) => (None, shares::incoming(db, user)?),
            Stream::Link(link) => (links::node_of(db, link)?, HashMap::new()),
        };
        Ok(Self { db, reader, link_root, incoming })
    }

    /// A node as the reader gets it.
    pub(super) fn node(&self, node: &Node) -> rusqlite::Result<WireNode> {
        let share = self.incoming.get(&node.handle);
        Ok(WireNode {
            h: node.handle,
            p: node.parent,
            u: Some(node.owner),
            t: node.kind,
            a: Verbatim(node.a.clone()),
            k: NodeKeys(self.keys(node)?),
            s: node.size,
            ts: Some(Timestamp(node.ts)),
            // On anything but a file this would make official clients drop the node.
            fa: node.fa.clone().filter(|_| node.kind == NodeType::File),
            su: share.map(|_| node.owner),
            r: share.map(|share| share.level),
            sk: share.and_then(|share| share.key.clone().map(Verbatim)),
            sts: share.map(|share| Timestamp(share.ts)),
            i: None,
        })
    }

    /// The entries that the reader can use. An owner's own comes first and a share's comes first to those
    /// with whom it is shared, since some clients look at no other (`protocol-api.md` 6.4).
    fn keys(&self, node: &Node) -> rusqlite::Result<String> {
        if node.kind.is_root() {
            return Ok(String::new());
        }
        let mut keys = String::new();
        let mut add = |of: &dyn Display, key: &str| {
            let slash = if keys.is_empty() { "" } else { "/" };
            // Writing to a text does not fail.
            let _ = write!(keys, "{slash}{of}:{key}");
        };
        let is_owner = self.reader == Stream::User(node.owner);
        if is_owner && !node.k.is_empty() {
            add(&node.owner, &node.k);
        }
        for (share, key) in &share_keys::of_node(self.db, node.handle)? {
            if is_owner || self.link_root == Some(*share) || self.incoming.contains_key(share) {
                add(share, key);
            }
        }
        if let (Stream::User(user), false) = (self.reader, is_owner)
            && let Some(key) = share_keys::of_user(self.db, node.handle, user)?
        {
            add(&user, &key);
        }
        Ok(keys)
    }

    /// Nodes with old versions apart: those are nodes below a file.
    pub(super) fn set(&self, all: &[Node]) -> rusqlite::Result<NodeSet> {
        let mut set = NodeSet::default();
        let mut files = HashSet::new();
        for node in all {
            if node.kind == NodeType::File {
                files.insert(node.handle);
            }
        }
        for node in all {
            let is_version = match node.parent {
                Some(parent) => files.contains(&parent) || self.is_file(parent)?,
                None => false,
            };
            let list = if is_version { &mut set.f2 } else { &mut set.f };
            list.nodes.push(self.node(node)?);
        }
        Ok(set)
    }

    fn is_file(&self, node: NodeHandle) -> rusqlite::Result<bool> {
        Ok(nodes::get(self.db, node)?.is_some_and(|node| node.kind == NodeType::File))
    }
}
