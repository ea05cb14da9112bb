//! A node as it was received, in few bytes: what the tree keeps of each node, still encrypted.
//!
//! Names and keys are opened when somebody looks at a node. The bytes begin with a byte of flags and one of the
//! kind; numbers have a length that depends on their size; texts and bytes come behind their length.

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::tree::{Node as WireNode, NodeKeys, NodeType};
use supermega_protocol::{Timestamp, Verbatim};

use super::base::Outline;
use super::node::NodeKind;

/// A node as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub handle: NodeHandle,
    pub parent: Option<NodeHandle>,
    pub kind: NodeKind,
    pub owner: Option<UserHandle>,
    pub size: u64,
    pub created: Option<i64>,
    pub sharer: Option<UserHandle>,
    pub access: Option<u8>,
    /// The encrypted attributes; nothing if they are no base64url.
    pub attributes: Vec<u8>,
    /// The key string.
    pub keys: String,
    /// Thumbnails and the like.
    pub file_attributes: String,
}

/// What of a row can be read where it is.
pub(crate) struct RowView<'a> {
    pub kind: NodeKind,
    pub size: u64,
    pub attributes: &'a [u8],
    pub keys: &'a str,
}

const OWNER: u8 = 1;
const CREATED: u8 = 2;
const SHARER: u8 = 4;
const ACCESS: u8 = 8;
const PARENT: u8 = 16;

impl From<&WireNode> for Row {
    fn from(node: &WireNode) -> Self {
        Self {
            handle: node.h,
            parent: node.p,
            kind: match node.t {
                NodeType::File => NodeKind::File,
                NodeType::Root => NodeKind::Root,
                NodeType::Vault => NodeKind::Vault,
                NodeType::Trash => NodeKind::Trash,
                _ => NodeKind::Folder,
            },
            owner: node.u,
            size: node.s.unwrap_or(0),
            created: node.ts.map(|Timestamp(ts)| ts),
            sharer: node.su,
            access: node.r,
            attributes: node.a.decode().unwrap_or_default(),
            keys: node.k.0.clone(),
            file_attributes: node.fa.clone().unwrap_or_default(),
        }
    }
}

impl Row {
    /// A folder of which nothing is known.
    #[cfg(test)]
    pub(crate) fn folder(handle: NodeHandle) -> Self {
        Self {
            handle,
            parent: None,
            kind: NodeKind::Folder,
            owner: None,
            size: 0,
            created: None,
            sharer: None,
            access: None,
            attributes: Vec::new(),
            keys: String::new(),
            file_attributes: String::new(),
        }
    }

    /// What can be told without reading the rest.
    pub(crate) fn outline(&self) -> Outline {
        Outline { handle: self.handle, kind: self.kind, size: self.size }
    }

    /// The key string, to be read entry by entry.
    pub(crate) fn node_keys(&self) -> NodeKeys {
        NodeKeys(self.keys.clone())
    }

    /// The type on the wire, as far as keys depend on it.
    pub(crate) fn node_type(&self) -> NodeType {
        match self.kind {
            NodeKind::File => NodeType::File,
            _ => NodeType::Folder,
        }
    }

    /// Appends the bytes of this row, without handle and parent, which are kept beside them.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        let flag = |is_there: bool, flag| if is_there { flag } else { 0 };
        to.push(
            flag(self.owner.is_some(), OWNER)
                | flag(self.created.is_some(), CREATED)
                | flag(self.sharer.is_some(), SHARER)
                | flag(self.access.is_some(), ACCESS)
                | flag(self.parent.is_some(), PARENT),
        );
        to.push(self.kind.number());
        to.extend(self.access);
        for user in [self.owner, self.sharer].iter().flatten() {
            to.extend_from_slice(user.as_bytes());
        }
        if let Some(created) = self.created {
            // Times before 1970 take as much space as they need.
            number(to, created.cast_unsigned());
        }
        number(to, self.size);
        for bytes in [&self.attributes[..], self.keys.as_bytes(), self.file_attributes.as_bytes()] {
            number(to, bytes.len() as u64);
            to.extend_from_slice(bytes);
        }
    }

    /// Reads a row back; nothing if these are not the bytes of one.
    pub(crate) fn read(handle: NodeHandle, parent: NodeHandle, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let flags = reader.byte()?;
        let kind = NodeKind::from_number(reader.byte()?)?;
        let has = |flag| flags & flag != 0;
        let access = if has(ACCESS) { Some(reader.byte()?) } else { None };
        let owner = if has(OWNER) { Some(reader.user()?) } else { None };
        let sharer = if has(SHARER) { Some(reader.user()?) } else { None };
        let created = if has(CREATED) { Some(reader.number()?.cast_signed()) } else { None };
        let size = reader.number()?;
        let attributes = reader.bytes()?.to_vec();
        let keys = reader.text()?;
        let file_attributes = reader.text()?;
        reader.0.is_empty().then_some(Self {
            handle,
            parent: has(PARENT).then_some(parent),
            kind,
            owner,
            size,
            created,
            sharer,
            access,
            attributes,
            keys,
            file_attributes,
        })
    }

    /// The size and kind of a row, without reading the rest.
    pub(crate) fn peek(bytes: &[u8]) -> Option<(NodeKind, u64)> {
        let mut reader = Reader(bytes);
        let flags = reader.byte()?;
        let kind = NodeKind::from_number(reader.byte()?)?;
        for (flag, length) in [(ACCESS, 1), (OWNER, 8), (SHARER, 8)] {
            if flags & flag != 0 {
                reader.take(length)?;
            }
        }
        if flags & CREATED != 0 {
            reader.number()?;
        }
        Some((kind, reader.number()?))
    }

    /// What of a row can be read where it is.
    pub(crate) fn view(bytes: &[u8]) -> Option<RowView<'_>> {
        let mut reader = Reader(bytes);
        let flags = reader.byte()?;
        let kind = NodeKind::from_number(reader.byte()?)?;
        for (flag, length) in [(ACCESS, 1), (OWNER, 8), (SHARER, 8)] {
            if flags & flag != 0 {
                reader.take(length)?;
            }
        }
        if flags & CREATED != 0 {
            reader.number()?;
        }
        let size = reader.number()?;
        let attributes = reader.bytes()?;
        let keys = std::str::from_utf8(reader.bytes()?).ok()?;
        Some(RowView { kind, size, attributes, keys })
    }

    /// Whether a row is the root of what somebody shares.
    pub(crate) fn is_incoming(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|flags| flags & SHARER != 0)
    }

    /// The same with other attributes, as they are sent.
    pub(crate) fn with_attributes(mut self, attributes: &Verbatim) -> Self {
        self.attributes = attributes.decode().unwrap_or_default();
        self
    }
}

/// Seven bits a byte, the least first; the highest bit says that more follow.
pub(crate) fn number(to: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return to.push(low & 0x7f);
        }
        to.push(low | 0x80);
    }
}

/// Reads what stands one behind another; nothing where there is too little.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    pub(crate) fn user(&mut self) -> Option<UserHandle> {
        self.take(8)?.try_into().ok().map(UserHandle::from_bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> impl Strategy<Value = Row> {
        let user = proptest::option::of(any::<[u8; 8]>().prop_map(UserHandle::from_bytes));
        let handle = any::<[u8; 6]>().prop_map(NodeHandle::from_bytes);
        let kind = (0..5u8).prop_map(|n| NodeKind::from_number(n).unwrap());
        let numbers = (any::<u64>(), any::<Option<i64>>(), any::<Option<u8>>());
        let texts = (any::<Vec<u8>>(), ".{0,20}", ".{0,5}");
        (handle.clone(), proptest::option::of(handle), kind, user.clone(), user, numbers, texts)
            .prop_map(|(handle, parent, kind, owner, sharer, numbers, texts)| {
                let (size, created, access) = numbers;
                let (attributes, keys, file_attributes) = texts;
                Row {
                    handle,
                    parent,
                    kind,
                    owner,
                    size,
                    created,
                    sharer,
                    access,
                    attributes,
                    keys,
                    file_attributes,
                }
            })
    }

    proptest! {
        #[test]
        fn a_row_comes_back(row in row(), cut: prop::sample::Index) {
            let mut bytes = Vec::new();
            row.write(&mut bytes);
            let parent = row.parent.unwrap_or(row.handle);
            prop_assert_eq!(Row::read(row.handle, parent, &bytes), Some(row.clone()));
            prop_assert_eq!(Row::peek(&bytes), Some((row.kind, row.size)));
            let view = Row::view(&bytes).unwrap();
            prop_assert_eq!((view.kind, view.size), (row.kind, row.size));
            prop_assert_eq!((view.attributes, view.keys), (&row.attributes[..], &*row.keys));
            prop_assert_eq!(Row::is_incoming(&bytes), row.sharer.is_some());
            let short = &bytes[..cut.index(bytes.len())];
            prop_assert_eq!(Row::read(row.handle, parent, short), None);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let handle = NodeHandle::from_bytes([0; 6]);
            let _ = (Row::read(handle, handle, &bytes), Row::peek(&bytes));
            let _ = Row::view(&bytes);
        }
    }
}
