//! Keys after the fact: `pk` hands share keys over, `k` supplies node keys (`protocol-api.md` 2.9).

use std::collections::BTreeMap;

use supermega_encoding::NodeHandle;
use supermega_protocol::key::{HandOverKeys, HandOverReply, SetKeys, WaitingKeys};
use supermega_protocol::packet::{NewNodes, PacketBody, PendingKeys};
use supermega_protocol::share::ShareNodeKeys;
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Verbatim};

use super::call::{ApiError, Call, Handle};
use super::view::View;
use super::{element, share};
use crate::store::events::Stream;
use crate::store::{nodes, users, waiting_keys};

/// Longer keys are none.
const KEY: usize = 1024;

impl Handle for HandOverKeys {
    fn handle(self, call: &mut Call<'_>) -> Result<HandOverReply, ApiError> {
        let user = call.user()?;
        match self {
            Self { u: None, h: None, k: None, d: None } => fetch(call),
            Self { u: None, h: None, k: None, d: Some(token) } => {
                let id = token.parse().map_err(|_| ErrorCode::Arguments)?;
                waiting_keys::remove_until(call.db, user, id)?;
                Ok(HandOverReply::Done)
            }
            Self { u: Some(peer), h: Some(share), k: Some(key), d: None } => {
                if key.decode().map_or(true, |key| key.len() > KEY) {
                    return Err(ErrorCode::Arguments.into());
                }
                call.own_node(share)?;
                users::by_handle(call.db, peer)?.ok_or(ErrorCode::NotFound)?;
                waiting_keys::insert(call.db, peer, user, share, &key.0)?;
                let body = PacketBody::PendingKeys(PendingKeys {});
                call.send(Stream::User(peer), false, body)?;
                Ok(HandOverReply::Done)
            }
            _ => Err(ErrorCode::Arguments.into()),
        }
    }
}

fn fetch(call: &Call<'_>) -> Result<HandOverReply, ApiError> {
    let waiting = waiting_keys::of_user(call.db, call.user()?)?;
    // Official clients crash on 0 here.
    let last = waiting.last().ok_or(ErrorCode::NotFound)?.id;
    let mut keys: BTreeMap<String, BTreeMap<String, _>> = BTreeMap::new();
    for key in waiting {
        let of_sender = keys.entry(key.sender.to_string()).or_default();
        of_sender.insert(key.share.to_string(), Verbatim(key.key));
    }
    Ok(HandOverReply::Keys(WaitingKeys { d: last.to_string(), keys }))
}

impl Handle for SetKeys {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        call.user()?;
        for pair in self.nk.unwrap_or_default().chunks(2) {
            let [node, key] = pair else { return Err(ErrorCode::Arguments.into()) };
            let node: NodeHandle = node.parse().map_err(|_| ErrorCode::Arguments)?;
            let (node, key) = (call.own_node(node)?, Verbatim(key.clone()));
            element::check_key(&key, node.kind)?;
            nodes::set_key(call.db, node.handle, &key.0)?;
        }
        if let Some(keys) = &self.cr {
            share::store_node_keys(call, keys, |i| keys.node(i))?;
            show_again(call, keys)?;
        }
        Ok(Done)
    }
}

/// Shows nodes that got keys to those with whom the folders around them are shared, who could not open them
/// before and may have kept them as they came.
fn show_again(call: &mut Call<'_>, keys: &ShareNodeKeys) -> Result<(), ApiError> {
    for (number, share) in keys.0.iter().enumerate() {
        let Some(root) = nodes::get(call.db, *share)? else { continue };
        let mut supplied = Vec::new();
        for triple in keys.2.0.iter().filter(|triple| triple.share == number) {
            let Some(handle) = keys.node(triple.node) else { continue };
            if nodes::ancestors(call.db, handle)?.contains(share) {
                supplied.extend(nodes::get(call.db, handle)?);
            }
        }
        let (own, by) = (call.own_stream(), call.actor(root.owner));
        for stream in call.readers(root.owner, *share)? {
            if Some(stream) != own && !supplied.is_empty() {
                let t = View::new(call.db, stream)?.set(&supplied)?;
                call.send(stream, false, PacketBody::Nodes(NewNodes { t, u: None, ou: Some(by) }))?;
            }
        }
    }
    Ok(())
}
