//! Thumbnails, previews and media properties: `ufa`, `pfa` (`protocol-api.md` 4.7).

use supermega_encoding::NodeHandle;
use supermega_protocol::ErrorCode;
use supermega_protocol::file_attribute::{
    FileAttribute, FileAttributes, FileAttributesUrl, MAX_SIZE, PutFileAttributes,
    RequestFileAttributes,
};
use supermega_protocol::packet::{ChangedFileAttributes, PacketBody};
use supermega_protocol::tree::NodeType;

use super::access::Access;
use super::call::{ApiError, Call, Caller, Handle};
use super::transfer::url;
use crate::storage::AttributeAccess;
use crate::store::file_attributes;
use crate::store::nodes::{self, Node};

/// All attributes lie in one cluster.
const CLUSTER: u32 = 1;
/// Greatest length of all entries of a node.
const LENGTH: usize = 64 << 10;

impl Handle for RequestFileAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<FileAttributesUrl, ApiError> {
        let access = match (self.s, self.fah) {
            // Whoever knows its handle may have it, as with public files: it is encrypted.
            (None, Some(handle)) => {
                file_attributes::size(call.db, handle)?.ok_or(ErrorCode::NotFound)?;
                AttributeAccess::Download
            }
            (Some(size), _) if size > MAX_SIZE => return Err(ErrorCode::Range.into()),
            (Some(size), _) => {
                may_upload(call, self.h)?;
                AttributeAccess::Upload { size }
            }
            (None, None) => return Err(ErrorCode::Arguments.into()),
        };
        let token = call.state.attributes.issue(access)?;
        Ok(FileAttributesUrl { p: url(call, "fa", &token), ip: None })
    }
}

impl Handle for PutFileAttributes {
    fn handle(self, call: &mut Call<'_>) -> Result<FileAttributes, ApiError> {
        let node = attributable_node(call, self.n)?;
        if node.kind != NodeType::File {
            return Err(ErrorCode::Arguments.into());
        }
        let before = node.fa.as_deref().unwrap_or_default();
        let all = attach(call, before.parse().unwrap_or_default(), self.fa)?;
        let fa = all.to_string();
        nodes::set_file_attributes(call.db, node.handle, &fa)?;
        let body = PacketBody::FileAttributes(ChangedFileAttributes {
            n: node.handle,
            fa,
            ou: Some(call.actor(node.owner)),
        });
        call.tell(node.owner, node.handle, true, |_| Ok(body.clone()))?;
        Ok(all)
    }
}

fn may_upload(call: &Call<'_>, node: Option<NodeHandle>) -> Result<(), ApiError> {
    match (node, call.caller) {
        (Some(node), _) => attributable_node(call, node).map(drop),
        (None, Caller::Session(_)) => Ok(()),
        (None, Caller::Link { access, .. }) if access >= Access::Write => Ok(()),
        (None, Caller::Link { .. }) => Err(ErrorCode::Access.into()),
        (None, Caller::Anonymous) => Err(ErrorCode::Session.into()),
    }
}

/// A node that the caller may give attributes to: his own, or one of a folder link that he may write in.
/// Whoever has a share may not, however much else he may.
fn attributable_node(call: &Call<'_>, node: NodeHandle) -> Result<Node, ApiError> {
    match call.caller {
        Caller::Link { .. } => call.node(node, Access::Write),
        Caller::Session(_) | Caller::Anonymous => call.node(node, Access::Owner),
    }
}

/// The entries of a node once it got new ones, each in place of an older one of the same type. Those that
/// name an attribute must name one that was uploaded.
pub(super) fn attach(
    call: &Call<'_>,
    before: FileAttributes,
    new: FileAttributes,
) -> Result<FileAttributes, ApiError> {
    let FileAttributes(mut all) = before;
    for entry in new.0 {
        let says_all_itself = matches!(entry.kind, 8 | 9);
        if !says_all_itself {
            let handle = entry.handle().ok_or(ErrorCode::Arguments)?;
            file_attributes::size(call.db, handle)?.ok_or(ErrorCode::NotFound)?;
        }
        let entry = FileAttribute { cluster: Some(CLUSTER), ..entry };
        match all.iter_mut().find(|known| known.kind == entry.kind) {
            Some(known) => *known = entry,
            None => all.push(entry),
        }
    }
    let all = FileAttributes(all);
    if all.to_string().len() < LENGTH { Ok(all) } else { Err(ErrorCode::Arguments.into()) }
}
