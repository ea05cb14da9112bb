//! The nodes of a whole tree in few bytes: rows as they were received, found by handle and by parent.

use std::collections::HashSet;

use supermega_encoding::NodeHandle;

use super::base::Outline;
use super::node::NodeKind;
use super::row::Row;

/// Rows in a run, in the order in which they came.
#[derive(Default)]
pub(crate) struct Segment {
    bytes: Vec<u8>,
    heads: Vec<Head>,
}

/// Where a row is, and what it is found by. A node without parent has itself for one.
#[derive(Clone, Copy)]
struct Head {
    handle: [u8; 6],
    parent: [u8; 6],
    segment: u32,
    at: u32,
    length: u32,
}

impl Segment {
    pub(crate) fn push(&mut self, row: &Row) {
        let at = self.bytes.len();
        row.write(&mut self.bytes);
        let handle = *row.handle.as_bytes();
        // A segment holds what one chunk of an answer held: far less than 4 GiB.
        let place = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.heads.push(Head {
            handle,
            parent: row.parent.map_or(handle, |parent| *parent.as_bytes()),
            segment: 0,
            at: place(at),
            length: place(self.bytes.len() - at),
        });
    }

    pub(crate) fn first(&self) -> Option<NodeHandle> {
        self.heads.first().map(|head| NodeHandle::from_bytes(head.handle))
    }
}

impl FromIterator<Row> for Segment {
    fn from_iter<T: IntoIterator<Item = Row>>(rows: T) -> Self {
        let mut segment = Self::default();
        rows.into_iter().for_each(|row| segment.push(&row));
        segment
    }
}

/// The number of a row.
pub(crate) type Id = u32;

/// All rows of a tree, which do not change any more.
#[derive(Default)]
pub(crate) struct Arena {
    segments: Vec<Box<[u8]>>,
    heads: Vec<Head>,
    /// Rows by handle; of namesakes the last.
    by_handle: Vec<Id>,
    /// Rows that have a parent, by it.
    by_parent: Vec<Id>,
    /// For each row, where its children are in `by_parent`.
    children: Vec<(u32, u32)>,
    /// Rows that hang on nothing, and those where a circle is cut: everything hangs on them.
    #[cfg(feature = "cache")]
    tops: Vec<Id>,
    /// Those among them that should hang on something, by handle.
    strays: Vec<NodeHandle>,
    /// Those among them that hang on each other.
    cut: HashSet<Id>,
}

fn key(handle: [u8; 6]) -> u64 {
    handle.iter().fold(0, |key, byte| key << 8 | u64::from(*byte))
}

impl Arena {
    /// Puts rows in order. Takes a while for large trees.
    pub(super) fn build(segments: Vec<Segment>) -> Self {
        let mut arena = Self::default();
        arena.heads.reserve_exact(segments.iter().map(|segment| segment.heads.len()).sum());
        for (number, segment) in segments.into_iter().enumerate() {
            let segment_number = u32::try_from(number).unwrap_or(u32::MAX);
            let heads = segment.heads.into_iter();
            arena.heads.extend(heads.map(|head| Head { segment: segment_number, ..head }));
            arena.segments.push(segment.bytes.into_boxed_slice());
        }
        arena.order();
        arena.find_strays();
        arena
    }

    fn order(&mut self) {
        let ids = 0..Id::try_from(self.heads.len()).unwrap_or(Id::MAX);
        let mut handles: Vec<(u64, Id)> = ids.map(|id| (key(self.head(id).handle), id)).collect();
        handles.sort_unstable();
        // Of namesakes the last is at the end.
        handles.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = later.1;
            }
            same
        });
        self.by_handle = handles.iter().map(|(_, id)| *id).collect();
        let mut parents: Vec<(u64, Id)> = Vec::with_capacity(handles.len());
        for (handle, id) in &handles {
            let parent = key(self.head(*id).parent);
            if parent != *handle {
                parents.push((parent, *id));
            }
        }
        parents.sort_unstable();
        self.by_parent = parents.iter().map(|(_, id)| *id).collect();
        self.children = vec![(0, 0); self.heads.len()];
        let mut at = 0;
        for (handle, id) in handles {
            while parents.get(at).is_some_and(|(parent, _)| *parent < handle) {
                at += 1;
            }
            let begin = at;
            while parents.get(at).is_some_and(|(parent, _)| *parent == handle) {
                at += 1;
            }
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            self.children[id as usize] = (place(begin), place(at));
        }
    }

    /// Finds the nodes that hang on nothing. A circle is cut, so that whoever goes down from a node comes to
    /// an end.
    fn find_strays(&mut self) {
        let mut reached = vec![false; self.heads.len()];
        let mut strays = Vec::new();
        let mut pending = Vec::new();
        for id in self.ids() {
            let head = self.head(id);
            let hangs = head.parent != head.handle
                && self.find(NodeHandle::from_bytes(head.parent)).is_some();
            if !hangs {
                pending.push(id);
                if !self.is_top(id) {
                    strays.push(self.handle(id));
                }
            }
        }
        #[cfg(feature = "cache")]
        self.tops.clone_from(&pending);
        self.reach(pending, &mut reached);
        for id in self.by_handle.clone() {
            if !reached[id as usize] {
                let stray = self.on_circle_above(id);
                self.cut.insert(stray);
                #[cfg(feature = "cache")]
                self.tops.push(stray);
                strays.push(self.handle(stray));
                self.reach(vec![stray], &mut reached);
            }
        }
        strays.sort_unstable();
        self.strays = strays;
    }

    /// Whether a node without a known parent is where it belongs.
    fn is_top(&self, id: Id) -> bool {
        let bytes = self.bytes(id);
        let kind = Row::peek(bytes).map(|(kind, _)| kind);
        Row::is_incoming(bytes)
            || matches!(kind, Some(NodeKind::Root | NodeKind::Vault | NodeKind::Trash))
    }

    /// Marks everything that hangs on some nodes, and these themselves.
    fn reach(&self, mut pending: Vec<Id>, reached: &mut [bool]) {
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut reached[id as usize], true) {
                pending.extend(self.children(id));
            }
        }
    }

    /// A node of the circle that a climb from here ends in.
    fn on_circle_above(&self, mut id: Id) -> Id {
        let mut seen = HashSet::new();
        while seen.insert(id) {
            let parent = NodeHandle::from_bytes(self.head(id).parent);
            id = self.find(parent).unwrap_or(id);
        }
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.by_handle.len()
    }

    pub(crate) fn strays(&self) -> &[NodeHandle] {
        &self.strays
    }

    /// All rows, by handle.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> {
        self.by_handle.iter().copied()
    }

    pub(super) fn find(&self, handle: NodeHandle) -> Option<Id> {
        let wanted = *handle.as_bytes();
        let at = self.by_handle.binary_search_by(|id| self.head(*id).handle.cmp(&wanted)).ok()?;
        Some(self.by_handle[at])
    }

    /// Rows on which all others hang.
    #[cfg(feature = "cache")]
    pub(crate) fn tops(&self) -> &[Id] {
        &self.tops
    }

    /// A number that is greater than that of every row.
    #[cfg(feature = "cache")]
    pub(crate) fn capacity(&self) -> usize {
        self.heads.len()
    }

    /// Handle and parent of a row, and the row itself. One without parent has itself for one.
    pub(crate) fn raw(&self, id: Id) -> (NodeHandle, NodeHandle, &[u8]) {
        let head = self.head(id);
        let parent = NodeHandle::from_bytes(head.parent);
        (NodeHandle::from_bytes(head.handle), parent, self.bytes(id))
    }

    /// What hangs on a row.
    pub(crate) fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        let (begin, end) = self.children[id as usize];
        let all = self.by_parent[begin as usize..end as usize].iter().copied();
        all.filter(|child| self.cut.is_empty() || !self.cut.contains(child))
    }

    /// What hangs on a node, even if there is no such node.
    pub(super) fn below(&self, parent: NodeHandle) -> Vec<Id> {
        if let Some(id) = self.find(parent) {
            return self.children(id).collect();
        }
        let wanted = key(*parent.as_bytes());
        let parent_of = |id: &Id| key(self.head(*id).parent);
        let begin = self.by_parent.partition_point(|id| parent_of(id) < wanted);
        let below = self.by_parent[begin..].iter().take_while(|id| parent_of(id) == wanted);
        below.copied().collect()
    }

    /// The roots of what others share.
    pub(crate) fn incoming(&self) -> Vec<NodeHandle> {
        let incoming = self.ids().filter(|id| Row::is_incoming(self.bytes(*id)));
        incoming.map(|id| self.handle(id)).collect()
    }

    pub(crate) fn handle(&self, id: Id) -> NodeHandle {
        NodeHandle::from_bytes(self.head(id).handle)
    }

    pub(crate) fn row(&self, id: Id) -> Option<Row> {
        let head = self.head(id);
        let (handle, parent) =
            (NodeHandle::from_bytes(head.handle), NodeHandle::from_bytes(head.parent));
        Row::read(handle, parent, self.bytes(id))
    }

    pub(super) fn outline(&self, id: Id) -> Option<Outline> {
        let (kind, size) = Row::peek(self.bytes(id))?;
        Some(Outline { handle: self.handle(id), kind, size })
    }

    fn head(&self, id: Id) -> &Head {
        &self.heads[id as usize]
    }

    fn bytes(&self, id: Id) -> &[u8] {
        let head = self.head(id);
        let (at, length) = (head.at as usize, head.length as usize);
        self.segments[head.segment as usize].get(at..at + length).unwrap_or_default()
    }
}
