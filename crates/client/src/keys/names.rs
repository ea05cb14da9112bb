//! Names of many nodes, read without opening the nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use supermega_crypto::{AttributeKey, Attributes, NodeKeyUnwrapper};
use supermega_encoding::base64;
use supermega_protocol::tree::{NodeKeys, NodeType};

use super::{KeyRing, LONGEST_SYMMETRIC, fits};
use crate::tree::{NodeKind, RowView};

/// Reads names with the keys of a ring, whose schedules are made once.
pub(crate) struct NameReader<'a> {
    ring: &'a KeyRing,
    /// The account's own handle as key strings have it, and its key.
    own: Option<(String, NodeKeyUnwrapper)>,
    /// Keys of shares, each under the root's handle as key strings have it.
    shares: HashMap<String, NodeKeyUnwrapper>,
}

impl<'a> NameReader<'a> {
    pub(crate) fn new(ring: &'a KeyRing) -> Self {
        let account = ring.account();
        let own = account.map(|account| (account.user.to_string(), account.master.unwrapper()));
        let shares = ring
            .offered()
            .chain(ring.shares())
            .map(|(root, key)| (root.to_string(), key.unwrapper()));
        Self { ring, own, shares: shares.collect() }
    }

    /// The name of a node, if it has one that can be read. Every node that has this name when it is opened has it
    /// here, too.
    pub(crate) fn name<'b>(
        &self,
        row: &RowView<'_>,
        buffer: &'b mut Vec<u8>,
    ) -> Option<Cow<'b, str>> {
        let kind = if row.kind == NodeKind::File { NodeType::File } else { NodeType::Folder };
        let keys = row.keys.split('/').filter_map(|entry| self.attribute_key(entry, kind));
        for key in keys {
            // Whose key opens them does not matter.
            if Attributes::decrypt_json(&key, row.attributes, buffer).is_ok() {
                return Attributes::name_in(buffer);
            }
        }
        let keys = NodeKeys(row.keys.to_owned());
        let (_, attributes) = self.ring.open(&keys, kind, row.attributes).ok()?;
        attributes.name().map(|name| Cow::Owned(name.to_owned()))
    }

    /// The key in one entry of a key string, if it is an ordinary one.
    fn attribute_key(&self, entry: &str, kind: NodeType) -> Option<AttributeKey> {
        let (owner, text) = entry.split_once(':')?;
        if text.len() > LONGEST_SYMMETRIC {
            return None;
        }
        let mut wrapped = [0; 32];
        let wrapped = base64::decode_into(text, &mut wrapped).ok()?;
        let key = self.unwrapper(owner)?.unwrap(wrapped).ok()?;
        fits(&key, kind).then(|| key.attribute_key())
    }

    fn unwrapper(&self, owner: &str) -> Option<&NodeKeyUnwrapper> {
        match &self.own {
            Some((own, key)) if own == owner => Some(key),
            _ => self.shares.get(owner),
        }
    }
}
