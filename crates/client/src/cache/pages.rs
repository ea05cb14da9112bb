//! Rows that lie in a file: found by handle and by what they hang on, read when somebody looks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use supermega_crypto::CacheKey;
use supermega_encoding::NodeHandle;

use super::facts::handle;
use super::file::{File, Trouble, proved};
use super::head::Head;
use super::{Damaged, part};
use crate::tree::{Id, Outline, Reader, Row, Segment, Tree, Work, number, on_all_cores};

/// Bytes of the head of a row: handle, parent, three places, the end of the row.
pub(super) const HEAD_LEN: usize = 28;
/// Bytes of a handle with its row.
pub(super) const INDEX_LEN: usize = 10;
/// Parts that stay in memory when they have been read: some megabytes.
const REMEMBERED: usize = 128;

/// Loads the tree from the service. Called at most once for a file, on whatever thread looks; it blocks.
pub(crate) type Loader = Box<dyn Fn() -> Option<Tree> + Send + Sync>;

/// The rows of a file.
pub(crate) struct Pages {
    key: CacheKey,
    head: Head,
    map: Map,
    reader: Mutex<Parts>,
    load: Option<Loader>,
    /// What was loaded in the place of these rows.
    instead: OnceLock<Option<Tree>>,
}

/// The parts of a file, all as they were when it was opened.
struct Parts {
    file: File,
    remembered: HashMap<(u32, u32), Arc<Vec<u8>>>,
}

/// Where everything is.
#[derive(Default)]
pub(super) struct Map {
    /// The number of each page's first row.
    pub pages: Vec<u32>,
    /// The first handle of each part of the index.
    pub indices: Vec<NodeHandle>,
    /// Rows that hang on nothing: they come first.
    pub tops: Vec<Top>,
    pub strays: Vec<NodeHandle>,
    pub incoming: Vec<NodeHandle>,
}

/// A row that hangs on nothing, and what it names as its parent.
pub(super) struct Top {
    pub parent: NodeHandle,
    pub row: Id,
}

/// A row in a page.
struct Place {
    page: Arc<Vec<u8>>,
    /// Its head.
    head: [u8; HEAD_LEN],
    /// Where its bytes are.
    range: std::ops::Range<usize>,
}

impl Pages {
    pub(super) fn open(file: File, head: &Head) -> Result<Self, Trouble> {
        let map = Map::read(&file.part(head, part::MAP, 0)?).ok_or(Damaged)?;
        if map.pages.len() != head.pages as usize || map.indices.len() != head.indices as usize {
            return Err(Damaged.into());
        }
        let key = file.key.clone();
        let reader = Mutex::new(Parts { file, remembered: HashMap::new() });
        let (head, instead) = (head.clone(), OnceLock::new());
        Ok(Self { key, head, map, reader, load: None, instead })
    }

    pub(super) fn on_damage(&mut self, load: Loader) {
        self.load = Some(load);
    }

    pub(crate) fn instead(&self) -> Option<&Tree> {
        self.instead.get()?.as_ref()
    }

    pub(crate) fn load_instead(&self) -> Option<&Tree> {
        self.instead.get_or_init(|| self.load.as_ref()?()).as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.head.rows as usize
    }

    pub(crate) fn strays(&self) -> &[NodeHandle] {
        &self.map.strays
    }

    pub(crate) fn incoming(&self) -> &[NodeHandle] {
        &self.map.incoming
    }

    pub(crate) fn find(&self, handle: NodeHandle) -> Result<Option<Id>, Damaged> {
        let after = self.map.indices.partition_point(|first| *first <= handle);
        let Some(number) = after.checked_sub(1) else { return Ok(None) };
        let index = self.part(part::INDEX, number)?;
        let (entries, rest) = index.as_chunks::<INDEX_LEN>();
        if !rest.is_empty() {
            return Err(Damaged);
        }
        let found = entries.binary_search_by(|entry| entry[..6].cmp(handle.as_bytes()));
        let row = found.ok().map(|at| be(&entries[at][6..])).transpose()?;
        Ok(row)
    }

    pub(crate) fn row(&self, id: Id) -> Result<Row, Damaged> {
        let place = self.place(id)?;
        Row::read(place.handle(), place.parent(), place.bytes()?).ok_or(Damaged)
    }

    pub(crate) fn outline(&self, id: Id) -> Result<Outline, Damaged> {
        let place = self.place(id)?;
        let (kind, size) = Row::peek(place.bytes()?).ok_or(Damaged)?;
        Ok(Outline { handle: place.handle(), kind, size })
    }

    /// The rows that hang on a node, even if there is no such node.
    pub(crate) fn below(&self, parent: NodeHandle) -> Result<Vec<Id>, Damaged> {
        let Some(id) = self.find(parent)? else {
            let tops = self.map.tops.iter().filter(|top| top.parent == parent);
            return Ok(tops.map(|top| top.row).collect());
        };
        let place = self.place(id)?;
        let (begin, end) = (be(&place.head[12..16])?, be(&place.head[16..20])?);
        if end > self.head.rows {
            return Err(Damaged);
        }
        Ok((begin..end).collect())
    }

    /// All rows but those that are not wanted.
    pub(crate) fn segment(&self, wanted: impl Fn(NodeHandle) -> bool) -> Result<Segment, Damaged> {
        let mut segment = Segment::default();
        for id in 0..self.head.rows {
            let place = self.place(id)?;
            if wanted(place.handle()) {
                let row = Row::read(place.handle(), place.parent(), place.bytes()?);
                segment.push(&row.ok_or(Damaged)?);
            }
        }
        Ok(segment)
    }

    /// Shows all rows below a node, or all that there are, on all cores.
    pub(crate) fn look_through(
        &self,
        top: Option<NodeHandle>,
        work: impl Work,
    ) -> Result<(), Damaged> {
        let mut rows = 0..self.head.rows;
        if let Some(top) = top.map(|top| self.find(top)).transpose()?.flatten() {
            let place = self.place(top)?;
            rows = be(&place.head[12..16])?..be(&place.head[20..24])?;
        }
        let first = self.map.pages.partition_point(|first| *first <= rows.start).saturating_sub(1);
        let end = self.map.pages.partition_point(|first| *first < rows.end);
        on_all_cores(end.saturating_sub(first), work, |number, look| {
            let (page, heads) = self.page(first + number)?;
            let mut begin = size_of_val(heads.as_slice());
            let start = begin;
            for head in &heads {
                let end = start + be(&head[24..])? as usize;
                let bytes = page.get(begin..end).ok_or(Damaged)?;
                look(handle_at(head, 0), handle_at(head, 6), bytes);
                begin = end;
            }
            Ok(())
        })
    }

    fn place(&self, id: Id) -> Result<Place, Damaged> {
        let after = self.map.pages.partition_point(|first| *first <= id);
        let number = after.checked_sub(1).ok_or(Damaged)?;
        let first = self.map.pages[number];
        let end = self.map.pages.get(after).copied().unwrap_or(self.head.rows);
        if id >= end {
            return Err(Damaged);
        }
        let page = self.part(part::PAGE, number)?;
        let (rows, slot) = ((end - first) as usize, (id - first) as usize);
        let (heads, _) = page.as_chunks::<HEAD_LEN>();
        let head = *heads.get(..rows).and_then(|heads| heads.get(slot)).ok_or(Damaged)?;
        let begin = match slot.checked_sub(1) {
            Some(before) => be(&heads[before][24..])?,
            None => 0,
        };
        let start = rows * HEAD_LEN;
        let range = start + begin as usize..start + be(&head[24..])? as usize;
        Ok(Place { page, head, range })
    }

    /// A page that is read once, with the heads of its rows.
    fn page(&self, number: usize) -> Result<(Vec<u8>, Vec<[u8; HEAD_LEN]>), Damaged> {
        let page = self.read(part::PAGE, u32::try_from(number).map_err(|_| Damaged)?)?;
        let first = *self.map.pages.get(number).ok_or(Damaged)?;
        let end = self.map.pages.get(number + 1).copied().unwrap_or(self.head.rows);
        let rows = end.checked_sub(first).ok_or(Damaged)? as usize;
        let heads = page.as_chunks().0.get(..rows).ok_or(Damaged)?.to_vec();
        Ok((page, heads))
    }

    /// A part that may be looked at again soon.
    fn part(&self, kind: u32, number: usize) -> Result<Arc<Vec<u8>>, Damaged> {
        let number = u32::try_from(number).map_err(|_| Damaged)?;
        if let Some(part) = self.parts().remembered.get(&(kind, number)) {
            return Ok(part.clone());
        }
        let part = Arc::new(self.read(kind, number)?);
        let mut parts = self.parts();
        if parts.remembered.len() >= REMEMBERED {
            parts.remembered.clear();
        }
        parts.remembered.insert((kind, number), part.clone());
        Ok(part)
    }

    /// Reads a part. Others may read while its tag is compared.
    fn read(&self, kind: u32, number: u32) -> Result<Vec<u8>, Damaged> {
        let bytes = self.parts().file.unproved(kind, number).map_err(|trouble| {
            tracing::warn!(%trouble, "a part of the cache cannot be read");
            Damaged
        })?;
        proved(&self.key, &self.head, kind, number, bytes)
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn handle(&self) -> NodeHandle {
        handle_at(&self.head, 0)
    }

    /// The parent; a row without one has itself for one.
    fn parent(&self) -> NodeHandle {
        handle_at(&self.head, 6)
    }

    fn bytes(&self) -> Result<&[u8], Damaged> {
        self.page.get(self.range.clone()).ok_or(Damaged)
    }
}

fn handle_at(head: &[u8; HEAD_LEN], at: usize) -> NodeHandle {
    let mut handle = [0; 6];
    handle.copy_from_slice(&head[at..at + 6]);
    NodeHandle::from_bytes(handle)
}

fn be(bytes: &[u8]) -> Result<u32, Damaged> {
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| Damaged)
}

impl Map {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        number(&mut bytes, self.pages.len() as u64);
        bytes.extend(self.pages.iter().flat_map(|first| first.to_be_bytes()));
        for handles in [&self.indices, &self.strays, &self.incoming] {
            number(&mut bytes, handles.len() as u64);
            bytes.extend(handles.iter().flat_map(|handle| *handle.as_bytes()));
        }
        number(&mut bytes, self.tops.len() as u64);
        for top in &self.tops {
            bytes.extend_from_slice(top.parent.as_bytes());
            bytes.extend_from_slice(&top.row.to_be_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let handles = |reader: &mut Reader<'_>| -> Option<Vec<NodeHandle>> {
            (0..reader.number()?).map(|_| handle(reader)).collect()
        };
        let row = |reader: &mut Reader<'_>| be(reader.take(4)?).ok();
        let pages = (0..reader.number()?).map(|_| row(&mut reader)).collect::<Option<_>>()?;
        let [indices, strays, incoming] =
            [handles(&mut reader)?, handles(&mut reader)?, handles(&mut reader)?];
        let tops = (0..reader.number()?)
            .map(|_| Some(Top { parent: handle(&mut reader)?, row: row(&mut reader)? }));
        let tops = tops.collect::<Option<_>>()?;
        reader.0.is_empty().then_some(Self { pages, indices, tops, strays, incoming })
    }
}
