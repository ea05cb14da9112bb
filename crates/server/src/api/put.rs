//! New nodes: `p` (`protocol-api.md` 2.6).

use std::collections::{BTreeMap, HashMap};

use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::packet::{NewNodes, NodeSet, PacketBody};
use supermega_protocol::put::{
    ElementErrors, MadeNode, NewNode, NodeSource, PutNodes, PutNodesReply, PutTarget,
};
use supermega_protocol::tree::{NodeList, NodeType};
use supermega_protocol::wire::Grammar;
use supermega_protocol::{ErrorCode, Verbatim};

use super::call::{ApiError, Call, Handle};
use super::{share, view};
use crate::store::events::Stream;
use crate::store::nodes::{self, Node};
use crate::store::{attributes, links, now, uploads, users};

/// Greatest length of encrypted attributes in bytes.
const ATTRIBUTES: usize = 64 << 10;

/// The nodes that a request made, with the index of the element of each.
struct Made {
    nodes: Vec<(usize, Node)>,
    /// Files that became old versions.
    old: Vec<Node>,
}

impl Handle for PutNodes {
    fn handle(self, call: &mut Call<'_>) -> Result<PutNodesReply, ApiError> {
        let user = call.user()?;
        let PutTarget::Folder(target) = self.t else { return Err(ErrorCode::Access.into()) };
        let target = call.own_node(target)?;
        if target.kind == NodeType::File {
            return Err(ErrorCode::Access.into());
        }
        if self.n.is_empty() {
            return Err(ErrorCode::Arguments.into());
        }
        let quota = users::by_handle(call.db, user)?.ok_or(ErrorCode::Session)?.quota;
        let keeps_versions = keeps_versions(call, user, &self)?;
        let mut made = Made { nodes: Vec::new(), old: Vec::new() };
        let mut errors = BTreeMap::new();
        let mut known = HashMap::new();
        for (i, element) in self.n.iter().enumerate() {
            let parent = match element.p {
                None => target.handle,
                Some(temporary) => {
                    let Some(parent) = known.get(&temporary) else {
                        errors.insert(i, ErrorCode::NotFound);
                        continue;
                    };
                    *parent
                }
            };
            match one(call, user, quota, parent, element) {
                Ok(node) => {
                    if let Some(NodeSource::Node(temporary)) = element.h {
                        known.insert(temporary, node.handle);
                    }
                    replace(call, element, &node, keeps_versions, &mut made.old)?;
                    made.nodes.push((i, node));
                }
                Err(ApiError::Refused(failure)) => {
                    errors.insert(i, failure.code);
                }
                Err(broken) => return Err(broken),
            }
        }
        if let Some(keys) = &self.cr {
            let handles: HashMap<usize, NodeHandle> =
                made.nodes.iter().map(|(i, node)| (*i, node.handle)).collect();
            share::store_keys(call, keys, |i| handles.get(&i).copied())?;
        }
        // With nothing made, the one reason is the whole answer's.
        if let (true, Some(code)) = (made.nodes.is_empty(), errors.values().next_back()) {
            return Err((*code).into());
        }
        tell(call, user, target.handle, &made)?;
        reply(call, &made, errors)
    }
}

fn keeps_versions(call: &Call<'_>, user: UserHandle, put: &PutNodes) -> Result<bool, ApiError> {
    if let Some(keep) = put.vb {
        return Ok(keep.0);
    }
    let disabled = attributes::get(call.db, user, "^!dv")?;
    let disabled = disabled.and_then(|attribute| base64::decode(&attribute.value).ok());
    Ok(disabled.as_deref() != Some(b"1"))
}

fn one(
    call: &Call<'_>,
    user: UserHandle,
    quota: u64,
    parent: NodeHandle,
    element: &NewNode,
) -> Result<Node, ApiError> {
    let key = element.k.as_ref().ok_or(ErrorCode::Arguments)?;
    let length = key.decode().map_err(|_| ErrorCode::Arguments)?.len();
    let expected = if element.t == NodeType::File { 32 } else { 16 };
    if length != expected || !fit(&element.a) {
        return Err(ErrorCode::Arguments.into());
    }
    let (size, blob, fa) = match element.t {
        NodeType::Folder => (None, None, None),
        NodeType::File => content(call, user, element)?,
        _ => return Err(ErrorCode::Arguments.into()),
    };
    if size.is_some_and(|size| nodes::used(call.db, user).is_ok_and(|used| used + size > quota)) {
        return Err(ErrorCode::OverQuota.into());
    }
    let node = Node {
        handle: nodes::new_handle(call.db)?,
        parent: Some(parent),
        owner: user,
        kind: element.t,
        a: element.a.0.clone(),
        k: key.0.clone(),
        size,
        ts: now(),
        fa,
        blob,
    };
    nodes::insert(call.db, &node)?;
    Ok(node)
}

type Content = (Option<u64>, Option<i64>, Option<String>);

/// Size, blob and file attributes of a new file: those of an upload, of another node, or of a public one.
fn content(call: &Call<'_>, user: UserHandle, element: &NewNode) -> Result<Content, ApiError> {
    let source = match (&element.ph, &element.h) {
        (Some(link), _) => {
            let node = links::node_of(call.db, *link)?.ok_or(ErrorCode::NotFound)?;
            nodes::get(call.db, node)?.ok_or(ErrorCode::NotFound)?
        }
        (None, Some(NodeSource::Node(handle))) => call.own_node(*handle)?,
        (None, Some(NodeSource::Upload(token))) => {
            let found = uploads::find_complete(call.db, user, token)?;
            let (blob, size) = found.ok_or(ErrorCode::NotFound)?;
            return Ok((Some(size), Some(blob), element.fa.clone()));
        }
        (None, None) => return Err(ErrorCode::Arguments.into()),
    };
    match source.kind {
        NodeType::File => Ok((source.size, source.blob, source.fa)),
        _ => Err(ErrorCode::Arguments.into()),
    }
}

/// Lets the new node take the place of the one that it replaces.
fn replace(
    call: &mut Call<'_>,
    element: &NewNode,
    node: &Node,
    keep: bool,
    old: &mut Vec<Node>,
) -> Result<(), ApiError> {
    let Some(replaced) = element.ov else { return Ok(()) };
    let Ok(replaced) = call.own_node(replaced) else { return Ok(()) };
    if replaced.kind != NodeType::File || node.kind != NodeType::File {
        return Ok(());
    }
    if keep {
        nodes::set_parent(call.db, replaced.handle, node.handle)?;
        old.push(Node { parent: Some(node.handle), ..replaced });
        return Ok(());
    }
    // The older versions hang on to the new file.
    if let Some(older) = nodes::older_version(call.db, replaced.handle)? {
        nodes::set_parent(call.db, older.handle, node.handle)?;
        old.push(Node { parent: Some(node.handle), ..older });
    }
    let unused = nodes::remove(call.db, std::slice::from_ref(&replaced))?;
    call.unused.extend(unused);
    let body = super::node::removed(replaced.handle, replaced.owner, false);
    call.tell(replaced.owner, node.handle, true, |_| Ok(body.clone()))
}

fn tell(
    call: &mut Call<'_>,
    user: UserHandle,
    target: NodeHandle,
    made: &Made,
) -> Result<(), ApiError> {
    let db = call.db;
    call.tell(user, target, true, |reader| {
        let mut current = Vec::with_capacity(made.nodes.len());
        for (i, node) in &made.nodes {
            let mut node = view::node(db, reader, node)?;
            node.i = Some(*i as u64);
            current.push(node);
        }
        let old = made.old.iter().map(|node| view::node(db, reader, node));
        let old = old.collect::<Result<Vec<_>, _>>()?;
        let t = NodeSet { f: NodeList::from(current), f2: NodeList::from(old), u: None };
        Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(user) }))
    })
}

fn reply(
    call: &Call<'_>,
    made: &Made,
    errors: BTreeMap<usize, ErrorCode>,
) -> Result<PutNodesReply, ApiError> {
    if call.grammar == Grammar::V3 {
        let fh = made.nodes.iter().map(|(_, node)| MadeNode {
            handle: node.handle,
            file_id: base64::encode(&node.blob.unwrap_or(0).to_be_bytes()),
        });
        return Ok(PutNodesReply {
            e: Some(ElementErrors(errors)),
            fh: Some(fh.collect()),
            ..PutNodesReply::default()
        });
    }
    let reader = Stream::User(call.user()?);
    let wire = made.nodes.iter().map(|(_, node)| view::node(call.db, reader, node));
    let nodes = wire.collect::<Result<Vec<_>, _>>()?;
    Ok(PutNodesReply { f: Some(NodeList::from(nodes)), ..PutNodesReply::default() })
}

/// Whether attributes are short enough to be stored.
pub(super) fn fit(attributes: &Verbatim) -> bool {
    attributes.0.len() / 4 * 3 <= ATTRIBUTES
}
