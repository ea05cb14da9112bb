//! One element of `p`: where a new node's content comes from, and what is wrong with it
//! (`protocol-api.md` 2.6).

use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::file_attribute::FileAttributes;
use supermega_protocol::put::{NewNode, NodeSource};
use supermega_protocol::tree::NodeType;
use supermega_protocol::{ErrorCode, Verbatim};

use super::call::{ApiError, Call, Caller};
use super::file_attribute;
use super::link;
use crate::store::nodes::{self, Node};
use crate::store::users::User;
use crate::store::{now, share_keys, uploads};

/// Greatest length of encrypted attributes in bytes.
const ATTRIBUTES: usize = 64 << 10;
/// Greatest length of a node key under an RSA key in bytes.
const RSA_KEY: usize = 1024;

/// Whom the key of an element is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyOf {
    /// It is under the master key of whoever makes the node.
    Maker,
    /// It is under the RSA key of the node's new owner (`protocol-auth.md` 4.7).
    Recipient,
}

/// Who makes nodes.
pub(super) struct Maker {
    pub user: UserHandle,
    pub keys: KeyOf,
}

/// Makes the node that an element describes below `parent`.
pub(super) fn make(
    call: &Call<'_>,
    maker: &Maker,
    owner: &User,
    parent: NodeHandle,
    element: &NewNode,
) -> Result<Node, ApiError> {
    let user = maker.user;
    match (&element.k, call.caller) {
        (Some(key), _) if maker.keys == KeyOf::Recipient => check_rsa_key(key)?,
        (Some(key), _) => check_key(key, element.t)?,
        // Whoever writes through a folder link has no master key.
        (None, Caller::Link { .. }) => {}
        (None, _) => return Err(ErrorCode::Arguments.into()),
    }
    let key = element.k.as_ref().map(|key| key.0.as_str());
    // What somebody else makes has no key of the owner's, who reads it by the share's.
    let is_own = matches!(call.caller, Caller::Session(_)) && user == owner.handle;
    let is_for_owner = is_own || maker.keys == KeyOf::Recipient;
    check_attributes(&element.a)?;
    let content = match element.t {
        NodeType::Folder => Content::default(),
        NodeType::File => content(call, user, element)?,
        _ => return Err(ErrorCode::Arguments.into()),
    };
    let free = owner.quota.saturating_sub(nodes::used(call.db, owner.handle)?);
    if content.size.is_some_and(|size| size > free) {
        let code = if is_own { ErrorCode::OverQuota } else { ErrorCode::ShareOverQuota };
        return Err(code.into());
    }
    let node = Node {
        handle: nodes::new_handle(call.db)?,
        parent: Some(parent),
        owner: owner.handle,
        kind: element.t,
        a: element.a.0.clone(),
        k: key.filter(|_| is_for_owner).unwrap_or_default().to_owned(),
        size: content.size,
        ts: now(),
        fa: content.fa,
        blob: content.blob,
    };
    nodes::insert(call.db, &node)?;
    if let (Some(key), false, Caller::Session(_)) = (key, is_for_owner, call.caller) {
        share_keys::set_of_user(call.db, node.handle, user, key)?;
    }
    Ok(node)
}

#[derive(Default)]
struct Content {
    size: Option<u64>,
    blob: Option<i64>,
    fa: Option<String>,
}

/// The content of a new file: that of an upload, of another node, or of a public one.
fn content(call: &Call<'_>, user: UserHandle, element: &NewNode) -> Result<Content, ApiError> {
    let source = match (&element.ph, &element.h) {
        (Some(public), _) => link::node(call, *public)?,
        (None, Some(NodeSource::Node(handle))) => match link::shown(call.db, *handle)? {
            Some(public) => public,
            None => call.readable_node(*handle)?,
        },
        (None, Some(NodeSource::Upload(token))) => {
            let found = uploads::find_complete(call.db, user, token)?;
            let (blob, size) = found.ok_or(ErrorCode::NotFound)?;
            let fa = element.fa.as_deref().unwrap_or_default();
            let fa = fa.parse().map_err(|_| ErrorCode::Arguments)?;
            let fa = file_attribute::attach(call, FileAttributes::default(), fa)?;
            let fa = (!fa.0.is_empty()).then(|| fa.to_string());
            return Ok(Content { size: Some(size), blob: Some(blob), fa });
        }
        (None, None) => return Err(ErrorCode::Arguments.into()),
    };
    match source.kind {
        NodeType::File => Ok(Content { size: source.size, blob: source.blob, fa: source.fa }),
        _ => Err(ErrorCode::Arguments.into()),
    }
}

/// A key is of the right length, and not one that encrypts with zeros (`protocol-auth.md` 4.2).
pub(super) fn check_key(key: &Verbatim, kind: NodeType) -> Result<(), ErrorCode> {
    let key = key.decode().map_err(|_| ErrorCode::Arguments)?;
    let expected = if kind == NodeType::File { 32 } else { 16 };
    if key.len() != expected {
        return Err(ErrorCode::Arguments);
    }
    if key.iter().all(|byte| *byte == 0) { Err(ErrorCode::Key) } else { Ok(()) }
}

/// A key under an RSA key is longer than one under a master key, by which readers tell them apart.
fn check_rsa_key(key: &Verbatim) -> Result<(), ErrorCode> {
    match key.decode() {
        Ok(bytes) if (33..=RSA_KEY).contains(&bytes.len()) => Ok(()),
        _ => Err(ErrorCode::Arguments),
    }
}

/// Attributes are base64url, since readers take them as they are, and short enough.
pub(super) fn check_attributes(attributes: &Verbatim) -> Result<(), ErrorCode> {
    match base64::decode(&attributes.0) {
        Ok(bytes) if bytes.len() <= ATTRIBUTES => Ok(()),
        _ => Err(ErrorCode::Arguments),
    }
}
