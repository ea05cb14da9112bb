//! Share keys that come beside incoming shares, of accounts without a key container (`protocol-auth.md` 4.6, 4.15).
//!
//! Nothing proves whose they are: whoever stores them could have made them. So they are read with and never
//! written with, and they count for nothing where there is a container.

use supermega_crypto::ShareKey;
use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::packet::{ActionPacket, PacketBody};
use supermega_protocol::tree::{self as wire, OwnerKey};

use super::{AccountKeys, KeyRing, LONGEST_SYMMETRIC};

const LENGTH: usize = 16;

/// The key beside the root of an incoming share. It has no proof, by which it is told from an owner's.
pub(crate) fn beside(node: &wire::Node) -> Option<OwnerKey> {
    node.su?;
    Some(OwnerKey { h: node.h, ha: None, k: node.sk.clone()? })
}

/// The keys that packets bring with shares for this user.
pub(crate) fn in_packets(packets: &[ActionPacket], own: Option<UserHandle>) -> Vec<OwnerKey> {
    let mut keys = Vec::new();
    for packet in packets {
        match &packet.body {
            PacketBody::Nodes(new) => keys.extend(new.t.f.nodes.iter().filter_map(beside)),
            PacketBody::Share(share) => {
                let with_me = own.is_some() && share.u == own.map(|own| own.to_string());
                if let Some(k) = share.k.clone().filter(|_| with_me && share.o != own) {
                    keys.push(OwnerKey { h: share.n, ha: None, k });
                }
            }
            _ => {}
        }
    }
    keys
}

/// Unwraps one: it is under the master key or the RSA key, which its length tells.
pub(super) fn unwrap(account: &AccountKeys, entry: &OwnerKey) -> Option<ShareKey> {
    let wrapped = entry.k.decode().ok()?;
    if entry.k.0.len() <= LONGEST_SYMMETRIC {
        return account.master.unwrap_share_key(&wrapped.try_into().ok()?).ok();
    }
    let key = account.rsa.as_ref()?.decrypt(&wrapped, LENGTH).ok()?;
    ShareKey::from_bytes(key[..].try_into().ok()?).ok()
}

impl KeyRing {
    /// The keys that only the service vouches for.
    pub(crate) fn offered(&self) -> impl Iterator<Item = (NodeHandle, &ShareKey)> {
        self.offered.iter().map(|(handle, key)| (*handle, key))
    }

    /// The key to give others what is put below a share. Below somebody else's it must have come from him.
    pub(crate) fn share_to_write(&self, root: NodeHandle, is_incoming: bool) -> Option<&ShareKey> {
        let is_trusted = || self.store.manager().is_some_and(|store| store.is_trusted(root));
        self.share(root).filter(|_| !is_incoming || self.link.is_some() || is_trusted())
    }
}
