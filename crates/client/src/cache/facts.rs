//! What is known of a tree beside its nodes, as bytes.

use supermega_encoding::{NodeHandle, PublicHandle};

use crate::tree::{Facts, Reader, number};

pub(super) fn write(facts: &Facts) -> Vec<u8> {
    let mut bytes = Vec::new();
    for root in [facts.root, facts.trash, facts.vault] {
        bytes.push(u8::from(root.is_some()));
        bytes.extend(root.iter().flat_map(|root| *root.as_bytes()));
    }
    number(&mut bytes, facts.users.len() as u64);
    for (email, user) in &facts.users {
        number(&mut bytes, email.len() as u64);
        bytes.extend_from_slice(email.as_bytes());
        bytes.extend_from_slice(user.as_bytes());
    }
    number(&mut bytes, facts.shared.len() as u64);
    bytes.extend(facts.shared.iter().flat_map(|folder| *folder.as_bytes()));
    number(&mut bytes, facts.links.len() as u64);
    for (node, link) in &facts.links {
        bytes.extend_from_slice(node.as_bytes());
        bytes.extend_from_slice(link.as_bytes());
    }
    bytes
}

/// Reads them back; the cursor stands elsewhere.
pub(super) fn read(bytes: &[u8]) -> Option<Facts> {
    let mut reader = Reader(bytes);
    let mut facts = Facts::default();
    for root in [&mut facts.root, &mut facts.trash, &mut facts.vault] {
        if reader.byte()? != 0 {
            *root = Some(handle(&mut reader)?);
        }
    }
    for _ in 0..reader.number()? {
        let email = reader.text()?;
        facts.users.insert(email, reader.user()?);
    }
    for _ in 0..reader.number()? {
        facts.shared.insert(handle(&mut reader)?);
    }
    for _ in 0..reader.number()? {
        let node = handle(&mut reader)?;
        facts.links.insert(node, PublicHandle::from_bytes(reader.take(6)?.try_into().ok()?));
    }
    reader.0.is_empty().then_some(facts)
}

pub(super) fn handle(reader: &mut Reader<'_>) -> Option<NodeHandle> {
    Some(NodeHandle::from_bytes(reader.take(6)?.try_into().ok()?))
}
