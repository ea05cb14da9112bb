//! Names of many nodes, read without opening the nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use supermega_crypto::{Attributes, NodeKeyUnwrapper};
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
        let shares = ring.shares().map(|(root, key)| (root.to_string(), key.unwrapper()));
        Self { ring, own, shares: shares.collect() }
    }

    /// The name of a node, if it has one that can be read. Every node that has this name when it is opened has it
    /// here, too.
    pub(crate) fn name<'b>(
        &self,
        row: &RowView<'_>,
        buffer: &'b mut Vec<u8>,
    ) -> Option<Cow<'b, str>> {
        // The usual case: one key, which is the account's or that of a share.
        let entry = Some(row.keys).filter(|keys| !keys.contains('/'));
        let kind = if row.kind == NodeKind::File { NodeType::File } else { NodeType::Folder };
        if let Some((owner, text)) = entry.and_then(|entry| entry.split_once(':'))
            && text.len() <= LONGEST_SYMMETRIC
            && let Some(unwrapper) = self.unwrapper(owner)
        {
            let mut wrapped = [0; 32];
            let wrapped = base64::decode_into(text, &mut wrapped).ok()?;
            let key = unwrapper.unwrap(wrapped).ok().filter(|key| fits(key, kind))?;
            return Attributes::peek_name(&key.attribute_key(), row.attributes, buffer);
        }
        let keys = NodeKeys(row.keys.to_owned());
        let (_, attributes) = self.ring.open(&keys, kind, row.attributes).ok()?;
        attributes.name().map(|name| Cow::Owned(name.to_owned()))
    }

    fn unwrapper(&self, owner: &str) -> Option<&NodeKeyUnwrapper> {
        match &self.own {
            Some((own, key)) if own == owner => Some(key),
            _ => self.shares.get(owner),
        }
    }
}
