//! Trees between runs: one SQLite file an account or folder link, as it was received.
//!
//! A file holds all rows of a tree, put in order once (`layout`), and what packets have changed since. Every part
//! of it has a keyed hash ([`supermega_crypto::CacheKey`]) that also says which part of which file it is, and the
//! head says how many parts there are: what is missing, damaged, of another account, service or format is
//! noticed, set aside and made anew. Whoever opens a file reads the head; rows are read when somebody looks.

mod change;
mod facts;
mod file;
mod head;
mod inspect;
mod layout;
mod pages;
mod place;

use std::sync::{Arc, Mutex, PoisonError};

use supermega_crypto::CacheKey;
use supermega_encoding::{EventCursor, NodeHandle};

use crate::keys::KeyRing;
use crate::tree::{Arena, Changes, Facts, Tree};

use self::file::{File, Trouble};
use self::head::Head;
use self::place::Place;

pub use self::inspect::KeptTrees;
pub(crate) use self::pages::{Loader, Pages};
pub(crate) use self::place::CacheDir;

/// What was kept is not what was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damaged;

/// The file of one account or folder link.
pub(crate) struct Cache {
    place: Place,
    key: CacheKey,
    /// The connection that writes.
    writer: Mutex<Option<File>>,
}

/// What a file held.
pub(crate) struct Kept {
    pub head: Head,
    /// What the service said of the account; see `session::cached`.
    pub account: Vec<u8>,
    facts: Facts,
    changes: Changes,
    pages: Pages,
}

impl Kept {
    /// The root of the account or of the folder link.
    pub(crate) fn root(&self) -> Option<NodeHandle> {
        self.facts.root
    }

    /// The tree as it was when the file was written last. `load` is called where it turns out to be damaged.
    pub(crate) fn tree(mut self, keys: Arc<KeyRing>, load: Loader) -> Tree {
        self.pages.on_damage(load);
        self.facts.cursor = Some(self.head.cursor);
        Tree::kept(keys, self.pages, self.changes, self.facts)
    }
}

/// What packets have changed.
pub(crate) struct Batch<'a> {
    /// The cursor that they were asked for with.
    pub from: EventCursor,
    /// The cursor behind them.
    pub to: EventCursor,
    pub changes: &'a Changes,
    /// Set if they have changed.
    pub facts: Option<&'a Facts>,
    /// Whether the account has to be asked for anew.
    pub stale: bool,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is in the file.
    Yes,
    /// It is, and changes are so many that the file should be written anew.
    Crowded,
    /// The file is not where the packets begin: another process was quicker.
    Elsewhere,
}

impl Cache {
    pub(crate) fn new(dir: &CacheDir, key: CacheKey) -> Self {
        Self { place: Place::new(dir, &key.name()), key, writer: Mutex::default() }
    }

    /// What the file holds, if it is there and good. A bad one is set aside.
    pub(crate) fn open(&self) -> Option<Kept> {
        match self.try_open() {
            Ok(kept) => Some(kept),
            Err(Trouble::Missing) => None,
            Err(trouble) => {
                self.trouble("cannot be used", &trouble);
                None
            }
        }
    }

    fn try_open(&self) -> Result<Kept, Trouble> {
        let file = File::open(&self.place, self.key.clone())?;
        file.begin_reading()?;
        let head = file.head()?;
        let facts = facts::read(&file.part(&head, part::FACTS, head.facts)?).ok_or(Damaged)?;
        let account = file.part(&head, part::ACCOUNT, head.account)?;
        let changes = change::read_all(&file, &head)?;
        let pages = Pages::open(file, &head)?;
        Ok(Kept { head, account, facts, changes, pages })
    }

    /// Removes the file.
    pub(crate) fn remove(&self) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.place.remove();
    }

    /// Sets the file aside.
    pub(crate) fn reject(&self, why: &'static str) {
        self.trouble("cannot be used", &Trouble::Unusable(why));
    }

    /// Writes a whole tree, in the place of whatever was there; `stale` says whether the account has to be asked
    /// for anew.
    pub(crate) fn write(&self, arena: &Arena, facts: &Facts, account: &[u8], stale: bool) {
        let Some(cursor) = facts.cursor else { return };
        let write = |file: &File| {
            let mut head = Head::new(cursor)?;
            head.stale = stale;
            layout::write(file, head, arena, facts, account)
        };
        let written = self.with_writer(|file| {
            let Some(file) = file else { return Ok(false) };
            file.exclusively(write)?;
            Ok(true)
        });
        let written = match written {
            Ok(false) | Err(Trouble::Unusable(_)) => {
                if let Err(trouble) = &written {
                    self.trouble("cannot be used", trouble);
                }
                let key = self.key.clone();
                self.place.make(|path| {
                    let file = File::create(path, key)?;
                    write(&file)?;
                    file.finish()
                })
            }
            written => written.map(|_| ()),
        };
        if let Err(trouble) = written {
            self.trouble("cannot be written", &trouble);
        }
    }

    /// Writes all rows anew, if the file is still where this tree is.
    pub(crate) fn rewrite(&self, arena: &Arena, facts: &Facts) {
        let written = self.with_writer(|file| {
            let Some(file) = file else { return Ok(()) };
            file.exclusively(|file| {
                let old = file.head()?;
                if Some(old.cursor) != facts.cursor {
                    return Ok(());
                }
                let account = file.part(&old, part::ACCOUNT, old.account)?;
                let mut head = Head::new(old.cursor)?;
                head.stale = old.stale;
                layout::write(file, head, arena, facts, &account)
            })
        });
        if let Err(trouble) = written {
            self.trouble("cannot be written", &trouble);
        }
    }

    /// Adds what packets have changed, if the file is where they begin.
    pub(crate) fn add(&self, batch: &Batch<'_>) -> Option<Added> {
        let added = self.with_writer(|file| {
            let Some(file) = file else { return Ok(None) };
            file.exclusively(|file| change::add(file, batch)).map(Some)
        });
        added.unwrap_or_else(|trouble| {
            self.trouble("cannot be written", &trouble);
            None
        })
    }

    /// Puts what the service says of the account in the place of what it said before.
    pub(crate) fn set_account(&self, account: &[u8]) {
        let set = self.with_writer(|file| {
            let Some(file) = file else { return Ok(()) };
            file.exclusively(|file| {
                let mut head = file.head()?;
                file.remove(part::ACCOUNT)?;
                head.account += 1;
                file.put(&head, part::ACCOUNT, head.account, account)?;
                head.stale = false;
                file.put_head(&head)
            })
        });
        if let Err(trouble) = set {
            self.trouble("cannot be written", &trouble);
        }
    }

    /// Works with the connection that writes, if there is a file.
    fn with_writer<T>(
        &self,
        work: impl FnOnce(Option<&File>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            *writer = match File::open(&self.place, self.key.clone()) {
                Ok(file) => Some(file),
                Err(Trouble::Missing) => None,
                Err(trouble) => return Err(trouble),
            };
        }
        let done = work(writer.as_ref());
        if done.is_err() {
            *writer = None;
        }
        done
    }

    /// Says what is wrong with a file, and sets it aside if it is the file itself.
    fn trouble(&self, what: &str, trouble: &Trouble) {
        tracing::warn!(path = %self.place.path().display(), %trouble, "the cache {what}");
        if matches!(trouble, Trouble::Unusable(_)) {
            *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.place.set_aside();
        }
    }
}

/// The kinds of parts that a file has.
mod part {
    pub(super) const ACCOUNT: u32 = 1;
    pub(super) const FACTS: u32 = 2;
    /// Where everything is.
    pub(super) const MAP: u32 = 3;
    /// Rows.
    pub(super) const PAGE: u32 = 4;
    /// Handles, with the numbers of their rows.
    pub(super) const INDEX: u32 = 5;
    /// What packets have changed.
    pub(super) const CHANGE: u32 = 6;
}
