//! New nodes: `p` (`protocol-api.md` 2.6).

use std::collections::{BTreeMap, HashMap};

use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::contact::UserName;
use supermega_protocol::packet::{NewNodes, PacketBody};
use supermega_protocol::put::{
    ElementErrors, MadeNode, NewNode, NodeSource, PutNodes, PutNodesReply, PutTarget,
};
use supermega_protocol::share::ShareNodeKeys;
use supermega_protocol::tree::{NodeList, NodeType};
use supermega_protocol::wire::Grammar;
use supermega_protocol::{ErrorCode, Flag};

use super::access::Access;
use super::call::{ApiError, Call, Caller, Handle};
use super::element::{self, KeyOf, Maker};
use super::node::removed;
use super::view::View;
use super::{contact, share};
use crate::store::nodes::{self, Node};
use crate::store::{attributes, users};

/// Old versions of a file beyond this many are dropped, the oldest first (`protocol-api.md` 2.6).
const VERSIONS: usize = 101;

/// What a request made of its elements so far.
#[derive(Default)]
struct Made {
    /// The new nodes, each with the index of its element.
    nodes: Vec<(usize, Node)>,
    /// Files that became old versions.
    old: Vec<Node>,
    errors: BTreeMap<usize, ErrorCode>,
}

impl Handle for PutNodes {
    fn handle(self, call: &mut Call<'_>) -> Result<PutNodesReply, ApiError> {
        if self.n.is_empty() {
            return Err(ErrorCode::Arguments.into());
        }
        let (target, keys) = match &self.t {
            PutTarget::Folder(folder) => (folder_for(call, *folder, &self)?, KeyOf::Maker),
            PutTarget::User(user) => inbox(call, &UserName::Handle(*user))?,
            PutTarget::Address(address) => inbox(call, &UserName::Address(address.clone()))?,
        };
        let user = call.actor(target.owner);
        let keep = keeps_versions(call, user, self.vb)?;
        let made = make(call, &Maker { user, keys }, &target, &self.n, keep)?;
        if let Some(keys) = &self.cr {
            let handles: HashMap<usize, NodeHandle> =
                made.nodes.iter().map(|(i, node)| (*i, node.handle)).collect();
            share::store_node_keys(call, keys, |i| {
                handles.get(&element_index(keys, &self.n, i)?).copied()
            })?;
        }
        // With nothing made, the last reason is the whole answer's.
        if let (true, Some(code)) = (made.nodes.is_empty(), made.errors.values().next_back()) {
            return Err((*code).into());
        }
        tell(call, &target, &made)?;
        reply(call, made)
    }
}

/// The folder that takes new nodes. Uploads whose folder is gone meanwhile go to the rubbish bin of whoever made
/// them, rather than being lost (`protocol-api.md` 2.6).
fn folder_for(call: &Call<'_>, folder: NodeHandle, request: &PutNodes) -> Result<Node, ApiError> {
    let is_upload = |element: &NewNode| matches!(element.h, Some(NodeSource::Upload(_)));
    let target = match nodes::get(call.db, folder)? {
        None if matches!(call.caller, Caller::Session(_)) && request.n.iter().all(is_upload) => {
            nodes::root(call.db, call.user()?, NodeType::Trash)?
        }
        _ => call.changeable_node(folder, Access::Write, request.vw)?,
    };
    if target.kind == NodeType::File { Err(ErrorCode::Access.into()) } else { Ok(target) }
}

/// Where a user finds what others put for him.
fn inbox(call: &Call<'_>, name: &UserName) -> Result<(Node, KeyOf), ApiError> {
    call.user()?;
    let recipient = contact::find(call, name)?;
    Ok((nodes::root(call.db, recipient.handle, NodeType::Vault)?, KeyOf::Recipient))
}

/// The element that a key's index stands for: elements are counted, or named by their `h` in a list of
/// their own.
fn element_index(keys: &ShareNodeKeys, elements: &[NewNode], index: usize) -> Option<usize> {
    if keys.1.is_empty() {
        return Some(index);
    }
    let name = keys.1.get(index)?;
    elements.iter().position(|element| element.h.as_ref() == Some(name))
}

fn keeps_versions(call: &Call<'_>, user: UserHandle, vb: Option<Flag>) -> Result<bool, ApiError> {
    if let Some(keep) = vb {
        return Ok(keep.0);
    }
    let disabled = attributes::get(call.db, user, "^!dv")?;
    let disabled = disabled.and_then(|attribute| base64::decode(&attribute.value).ok());
    Ok(disabled.as_deref() != Some(b"1"))
}

fn make(
    call: &mut Call<'_>,
    maker: &Maker,
    target: &Node,
    elements: &[NewNode],
    keep: bool,
) -> Result<Made, ApiError> {
    let owner = users::by_handle(call.db, target.owner)?.ok_or(ErrorCode::NotFound)?;
    let mut made = Made::default();
    // Nodes by the temporary handles that their elements have.
    let mut known: HashMap<NodeHandle, (NodeHandle, NodeType)> = HashMap::new();
    for (i, element) in elements.iter().enumerate() {
        let parent = match element.p {
            None => Ok(target.handle),
            Some(temporary) => match known.get(&temporary) {
                // Below a file there are its old versions and nothing else.
                Some((_, NodeType::File)) if element.t != NodeType::File => Err(ErrorCode::Access),
                Some((parent, _)) => Ok(*parent),
                None => Err(ErrorCode::NotFound),
            },
        };
        let node = match parent {
            Ok(parent) => element::make(call, maker, &owner, parent, element),
            Err(code) => Err(code.into()),
        };
        match node {
            Ok(node) => {
                if let Some(NodeSource::Node(temporary)) = element.h {
                    known.insert(temporary, (node.handle, node.kind));
                }
                replace(call, element, &node, keep, &mut made.old)?;
                made.nodes.push((i, node));
            }
            Err(ApiError::Refused(failure)) => {
                made.errors.insert(i, failure.code);
            }
            Err(broken) => return Err(broken),
        }
    }
    Ok(made)
}

/// Lets a new file take the place of the one beside it that it replaces.
fn replace(
    call: &mut Call<'_>,
    element: &NewNode,
    node: &Node,
    keep: bool,
    old: &mut Vec<Node>,
) -> Result<(), ApiError> {
    let Some(replaced) = element.ov else { return Ok(()) };
    // A file that is not kept as a version is deleted.
    let needed = if keep { Access::Write } else { Access::Full };
    let Ok(mut replaced) = call.node(replaced, needed) else { return Ok(()) };
    let are_files = replaced.kind == NodeType::File && node.kind == NodeType::File;
    if !are_files || replaced.parent != node.parent {
        return Ok(());
    }
    if keep {
        nodes::set_parent(call.db, replaced.handle, node.handle)?;
        replaced.parent = Some(node.handle);
        old.push(replaced);
        let too_old = nodes::versions(call.db, node.handle)?.into_iter().skip(VERSIONS);
        let too_old: Vec<Node> = too_old.collect();
        return drop_nodes(call, node, &too_old);
    }
    // The older versions hang on to the new file.
    if let Some(mut older) = nodes::older_version(call.db, replaced.handle)? {
        nodes::set_parent(call.db, older.handle, node.handle)?;
        older.parent = Some(node.handle);
        old.push(older);
    }
    drop_nodes(call, node, &[replaced])
}

/// Removes files that a new one, `for_node`, leaves no place for.
fn drop_nodes(call: &mut Call<'_>, for_node: &Node, gone: &[Node]) -> Result<(), ApiError> {
    for node in gone {
        let body = removed(node.handle, call.actor(node.owner), None, None);
        call.tell(node.owner, for_node.handle, true, |_| Ok(body.clone()))?;
    }
    call.unused.extend(nodes::remove(call.db, gone)?);
    Ok(())
}

fn tell(call: &mut Call<'_>, target: &Node, made: &Made) -> Result<(), ApiError> {
    let by = call.actor(target.owner);
    let index: HashMap<NodeHandle, usize> =
        made.nodes.iter().map(|(i, node)| (node.handle, *i)).collect();
    let nodes: Vec<Node> =
        made.nodes.iter().map(|(_, node)| node).chain(&made.old).cloned().collect();
    call.tell(target.owner, target.handle, true, |view| {
        let mut t = view.set(&nodes)?;
        for node in t.f.nodes.iter_mut().chain(&mut t.f2.nodes) {
            node.i = index.get(&node.h).map(|i| *i as u64);
        }
        Ok(PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) }))
    })
}

fn reply(call: &Call<'_>, made: Made) -> Result<PutNodesReply, ApiError> {
    if call.grammar == Grammar::V3 {
        let fh = made.nodes.iter().map(|(_, node)| MadeNode {
            handle: node.handle,
            file_id: base64::encode(&node.blob.unwrap_or(0).to_be_bytes()),
        });
        return Ok(PutNodesReply {
            fh: Some(fh.collect()),
            e: Some(ElementErrors(made.errors)),
            ..PutNodesReply::default()
        });
    }
    let reader = call.own_stream().ok_or(ErrorCode::Session)?;
    let view = View::new(call.db, reader)?;
    let nodes = made.nodes.iter().map(|(_, node)| view.node(node));
    let nodes = nodes.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(PutNodesReply { f: Some(NodeList::from(nodes)), ..PutNodesReply::default() })
}
