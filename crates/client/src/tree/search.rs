//! Looks at all nodes at once, on all cores, to find where a walk has to go.

use std::cell::RefCell;
use std::collections::HashSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use supermega_encoding::NodeHandle;

use super::arena::Arena;
use super::base::{Base, Damaged};
use super::node::{Node, NodeKind};
use super::row::{Row, RowView};
use super::snapshot::Tree;
use super::state::State;
use crate::keys::NameReader;

/// Rows of a tree in memory that one core looks at before it takes more.
const BUNCH: usize = 4096;

/// A node that is looked at in passing.
pub struct Glance<'a> {
    row: RowView<'a>,
    names: &'a NameReader<'a>,
    buffer: &'a RefCell<Vec<u8>>,
}

impl std::fmt::Debug for Glance<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Glance").field("kind", &self.row.kind).finish_non_exhaustive()
    }
}

impl Glance<'_> {
    /// Whether it is a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.row.kind == NodeKind::File
    }

    /// Size in bytes; 0 for folders.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// Whether it has a name, and that is so. Decrypts the name.
    pub fn is_named(&self, wanted: impl FnOnce(&str) -> bool) -> bool {
        let mut buffer = self.buffer.borrow_mut();
        self.names.name(&self.row, &mut buffer).is_some_and(|name| wanted(&name))
    }
}

impl Tree {
    /// The folders below a folder, itself included, in which something wanted lies at any depth: a walk that goes
    /// nowhere else passes all of it. There may be more of them.
    ///
    /// All nodes are looked at, on all cores, without being opened, which is much quicker than to walk. Blocks.
    ///
    /// ```
    /// # use supermega_server::Server;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Server::builder().user("me@example.org", "secret").spawn().await?;
    /// # let client = supermega::Client::builder().api_url(server.url()).build()?;
    /// # let session = client.login("me@example.org", "secret").await?;
    /// session.make_folders(&"/a/b/c".parse()?).await?;
    /// let b = session.make_folders(&"/x/y".parse()?).await?;
    /// let tree = session.tree().await?;
    /// let folders = tree.folders_with(&tree.root()?, |node| node.is_named(|name| name == "y"));
    /// assert!(folders.contains(&b.parent().unwrap()));
    /// assert!(!folders.contains(&tree.at(&"/a/b".parse()?)?.handle()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn folders_with(
        &self,
        top: &Node,
        wanted: impl Fn(&Glance<'_>) -> bool + Sync,
    ) -> HashSet<NodeHandle> {
        self.read(|state| {
            let holders = holders(state, top.handle(), &wanted)?;
            around(state, holders)
        })
    }
}

/// What the wanted nodes hang on.
#[cfg_attr(
    not(feature = "cache"),
    expect(unused_variables, reason = "only what is kept can be read in part")
)]
fn holders(
    state: &State,
    top: NodeHandle,
    wanted: &(impl Fn(&Glance<'_>) -> bool + Sync),
) -> Result<HashSet<NodeHandle>, Damaged> {
    let names = NameReader::new(&state.keys);
    let found = Mutex::new(HashSet::new());
    let gather = |rows: &mut dyn FnMut(&mut Look<'_>) -> Result<(), Damaged>,
                  passes: &dyn Fn(NodeHandle) -> bool| {
        let (buffer, mut holders) = (RefCell::new(Vec::new()), HashSet::new());
        let outcome = rows(&mut |handle, parent, bytes| {
            let Some(row) = Row::view(bytes) else { return };
            let glance = Glance { row, names: &names, buffer: &buffer };
            if passes(handle) && wanted(&glance) {
                holders.insert(parent);
            }
        });
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(holders);
        outcome
    };
    let work = |rows: &mut dyn FnMut(&mut Look<'_>) -> Result<(), Damaged>| {
        gather(rows, &|handle| !state.changed.contains_key(&handle))
    };
    match &*state.base {
        Base::Arena(arena) => look_through(arena, work)?,
        #[cfg(feature = "cache")]
        Base::Pages(pages) => {
            // What has changed may have brought anything below the top.
            let top = Some(top).filter(|_| state.changed.is_empty());
            pages.look_through(top, work)?;
        }
    }
    let mut bytes = Vec::new();
    let mut changed = |look: &mut Look<'_>| {
        for row in state.changed.values().flatten() {
            bytes.clear();
            row.write(&mut bytes);
            if let Some(parent) = row.parent {
                look(row.handle, parent, &bytes);
            }
        }
        Ok(())
    };
    gather(&mut changed, &|_| true)?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What looks at a row: its handle, its parent, its bytes.
pub(crate) type Look<'a> = dyn FnMut(NodeHandle, NodeHandle, &[u8]) + 'a;

/// Work on rows: it is given what shows it rows, and is done on each core.
pub(crate) trait Work:
    Fn(&mut dyn FnMut(&mut Look<'_>) -> Result<(), Damaged>) -> Result<(), Damaged> + Sync
{
}

impl<T> Work for T where
    T: Fn(&mut dyn FnMut(&mut Look<'_>) -> Result<(), Damaged>) -> Result<(), Damaged> + Sync
{
}

fn look_through(arena: &Arena, work: impl Work) -> Result<(), Damaged> {
    let bunches = arena.len().div_ceil(BUNCH);
    on_all_cores(bunches, work, |number, look| {
        for id in arena.ids().skip(number * BUNCH).take(BUNCH) {
            let (handle, parent, bytes) = arena.raw(id);
            look(handle, parent, bytes);
        }
        Ok(())
    })
}

/// Does work on each core; `show` shows it the rows of one of so many bunches after another.
pub(crate) fn on_all_cores(
    bunches: usize,
    work: impl Work,
    show: impl Fn(usize, &mut Look<'_>) -> Result<(), Damaged> + Sync,
) -> Result<(), Damaged> {
    let next = AtomicUsize::new(0);
    let one = || {
        work(&mut |look| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= bunches {
                    return Ok(());
                }
                show(number, look)?;
            }
        })
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get).min(bunches.max(1));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(one)).collect();
        let mut outcome = one();
        for other in others {
            match other.join() {
                Ok(done) => outcome = outcome.and(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcome
    })
}

/// Some folders, with all that are around them.
fn around(state: &State, mut folders: HashSet<NodeHandle>) -> Result<HashSet<NodeHandle>, Damaged> {
    let mut pending: Vec<NodeHandle> = folders.iter().copied().collect();
    while let Some(folder) = pending.pop() {
        if let Some(parent) = state.row(folder)?.and_then(|row| row.parent)
            && folders.insert(parent)
        {
            pending.push(parent);
        }
    }
    Ok(folders)
}
