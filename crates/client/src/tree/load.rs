//! Builds a tree of what the service sends (`protocol-api.md` 2.5).

use std::sync::Arc;

use supermega_protocol::tree as wire;

use super::node::{Node, NodeKind, Record};
use super::snapshot::Tree;
use crate::keys::KeyRing;

/// Opens one node; one that cannot be opened is kept with the reason.
pub(crate) fn decode_node(keys: &KeyRing, node: &wire::Node) -> Node {
    Node(Arc::new(Record {
        handle: node.h,
        parent: node.p,
        kind: match node.t {
            wire::NodeType::File => NodeKind::File,
            wire::NodeType::Root => NodeKind::Root,
            wire::NodeType::Vault => NodeKind::Vault,
            wire::NodeType::Trash => NodeKind::Trash,
            _ => NodeKind::Folder,
        },
        owner: node.u,
        size: node.s.unwrap_or(0),
        created: node.ts.map(|ts| ts.0),
        sharer: node.su,
        access: node.r,
        content: keys.open(node),
    }))
}

/// Builds the tree of an account (`link_root` is nothing) or of a folder link.
pub(crate) fn load(
    keys: &KeyRing,
    snapshot: &wire::Tree,
    link_root: Option<supermega_encoding::NodeHandle>,
) -> Tree {
    let mut tree = Tree::default();
    for node in &snapshot.f.nodes {
        tree.insert(decode_node(keys, node));
    }
    if let Some(root) = link_root {
        tree.set_root(root);
    }
    for share in snapshot.s.iter().flatten() {
        tree.set_shared(share.h);
    }
    for key in snapshot.ok0.iter().chain(&snapshot.ok).flatten() {
        tree.set_shared(key.h);
    }
    for link in snapshot.ph.iter().flatten() {
        tree.set_link(link.h, Some(link.ph));
        // An exported folder is a share with everybody.
        let folder = tree.node(link.h).is_some_and(|node| !node.is_file());
        if folder {
            tree.set_shared(link.h);
        }
    }
    for user in snapshot.u.iter().flatten() {
        if let Some(email) = &user.m {
            tree.add_user(email.clone(), user.u);
        }
    }
    tree.find_strays();
    tree
}
