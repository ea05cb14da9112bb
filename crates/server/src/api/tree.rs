//! The tree: `f` (`protocol-api.md` 2.5).

use std::io::Write;

use rusqlite::Connection;
use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::tree::{FetchNodes, Node, NodeType, Tree};
use supermega_protocol::{ErrorCode, is_set};

use super::answer::WriteError;
use super::call::{ApiError, Call, Caller};
use super::view::View;
use super::{link, tree_lists};
use crate::store::events::{self, Stream};
use crate::store::{nodes, shares};

/// What a reader is to get: read and written node by node, since a tree may be larger than memory.
pub(crate) struct Snapshot {
    reader: Stream,
    /// The top of a folder link or of a partial tree.
    top: Option<NodeHandle>,
    /// Whether there is nothing but that: it is a public file.
    is_alone: bool,
}

impl Snapshot {
    pub(super) fn of(call: &Call<'_>, request: &FetchNodes) -> Result<Self, ApiError> {
        if let (true, Some(public)) = (is_set(request.f), request.p) {
            let file = link::node(call, public)?;
            if file.kind != NodeType::File {
                return Err(ErrorCode::Access.into());
            }
            let reader = Stream::Link(public);
            return Ok(Self { reader, top: Some(file.handle), is_alone: true });
        }
        let part = request.n.filter(|_| is_set(request.part));
        let part = part.map(|top| call.readable_node(top).map(|node| node.handle)).transpose()?;
        match call.caller {
            Caller::Link { handle, root, .. } => {
                let top = Some(part.unwrap_or(root));
                Ok(Self { reader: Stream::Link(handle), top, is_alone: false })
            }
            Caller::Session(session) => {
                Ok(Self { reader: Stream::User(session.user), top: part, is_alone: false })
            }
            Caller::Anonymous => Err(ErrorCode::Session.into()),
        }
    }

    /// Writes a [`Tree`], whose nodes come from the database one by one.
    pub(super) fn write(&self, db: &Connection, out: &mut dyn Write) -> Result<(), WriteError> {
        let (head, tail) = frame(db, self.reader)?;
        out.write_all(head.as_bytes())?;
        let view = View::new(db, self.reader)?;
        let mut list = List::default();
        let mut versions = Vec::new();
        for top in self.tops(db)? {
            nodes::each_below(db, top, |node, is_version| {
                if is_version && self.is_alone {
                    return Ok(());
                }
                if is_version {
                    versions.push(node.handle);
                    return Ok(());
                }
                list.push(&view.node(node)?, out)
            })?;
        }
        out.write_all(b"]")?;
        if !versions.is_empty() {
            out.write_all(b",\"f2\":[")?;
            let mut list = List::default();
            for version in versions {
                if let Some(node) = nodes::get(db, version)? {
                    list.push(&view.node(&node)?, out)?;
                }
            }
            out.write_all(b"]")?;
        }
        Ok(out.write_all(tail.as_bytes())?)
    }

    /// Where the trees that the reader gets begin.
    fn tops(&self, db: &Connection) -> rusqlite::Result<Vec<NodeHandle>> {
        match (self.top, self.reader) {
            (Some(top), _) => Ok(vec![top]),
            (None, Stream::Link(_)) => Ok(Vec::new()),
            (None, Stream::User(user)) => own_tops(db, user),
        }
    }
}

/// The nodes that a user's tree hangs from: his three roots, and the outermost folders of what is shared
/// with him.
fn own_tops(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<NodeHandle>> {
    let mut tops = Vec::new();
    for kind in [NodeType::Root, NodeType::Vault, NodeType::Trash] {
        tops.push(nodes::root(db, user, kind)?.handle);
    }
    let incoming = shares::incoming(db, user)?;
    for root in incoming.keys() {
        let above = nodes::ancestors(db, *root)?;
        if !above[1..].iter().any(|above| incoming.contains_key(above)) {
            tops.push(*root);
        }
    }
    Ok(tops)
}

/// The elements of a JSON array as they are written.
#[derive(Default)]
struct List {
    is_begun: bool,
}

impl List {
    fn push(&mut self, node: &Node, out: &mut dyn Write) -> Result<(), WriteError> {
        if std::mem::replace(&mut self.is_begun, true) {
            out.write_all(b",")?;
        }
        Ok(serde_json::to_writer(out, node)?)
    }
}

/// What comes before the first node, and what comes behind the last.
fn frame(db: &Connection, reader: Stream) -> Result<(String, String), WriteError> {
    let mut tree = match reader {
        Stream::User(user) => tree_lists::of_user(db, user)?,
        Stream::Link(_) => Tree::default(),
    };
    tree.st = Some(events::current_tag(db)?);
    tree.sn = Some(events::head(db)?);
    let text = serde_json::to_string(&tree)?;
    // A tree without nodes has this member, and none before it has one of this name.
    let (head, tail) = text
        .split_once("\"f\":[]")
        .ok_or_else(|| WriteError::Broken("a tree without a list of nodes".into()))?;
    Ok((format!("{head}\"f\":["), tail.to_owned()))
}
