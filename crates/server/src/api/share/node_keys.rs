//! Node keys under share keys: `cr` (`protocol-api.md` 2.2, 6.4).

use supermega_encoding::NodeHandle;
use supermega_protocol::ErrorCode;
use supermega_protocol::share::ShareNodeKeys;

use crate::api::access::Access;
use crate::api::call::{ApiError, Call};
use crate::store::{nodes, share_keys};

/// Keeps keys of nodes that the caller may write to; `node` finds a node by its index. Keys that are
/// there already only the owner may replace: others could make his nodes unreadable.
pub(in crate::api) fn store(
    call: &Call<'_>,
    keys: &ShareNodeKeys,
    node: impl Fn(usize) -> Option<NodeHandle>,
) -> Result<(), ApiError> {
    for triple in &keys.2.0 {
        let share = keys.0.get(triple.share).ok_or(ErrorCode::Arguments)?;
        // An element that was refused has no node.
        let Some(node) = node(triple.node) else { continue };
        let node = call.node(node, Access::Write)?;
        let length = triple.key.decode().map_err(|_| ErrorCode::Arguments)?.len();
        let inside = nodes::ancestors(call.db, node.handle)?.contains(share);
        if !inside || !matches!(length, 16 | 32) {
            continue;
        }
        let replaces = call.access(&node)? == Some(Access::Owner);
        share_keys::set(call.db, node.handle, *share, &triple.key.0, replaces)?;
    }
    Ok(())
}
