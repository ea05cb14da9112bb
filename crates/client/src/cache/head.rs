//! The head of a file: which one it is, how much is in it, and up to where.

use supermega_crypto::{CryptoError, random};
use supermega_encoding::EventCursor;

use crate::tree::{Reader, number};

/// What the other parts must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Drawn whenever all rows are written: a part of another time is not one of this.
    pub(super) build: [u8; 16],
    /// Where packets go on from here.
    pub cursor: EventCursor,
    /// Whether the account has to be asked for anew.
    pub stale: bool,
    pub(super) rows: u32,
    pub(super) pages: u32,
    pub(super) indices: u32,
    /// The numbers of the parts that say what packets have changed: the first, and the one behind the last.
    /// No number is used twice, so that no part can stand for a later one.
    pub(super) changes: (u32, u32),
    /// How many rows are in them.
    pub(super) changed: u32,
    /// The number of the part with the account.
    pub(super) account: u32,
    /// The number of the part with the facts.
    pub(super) facts: u32,
}

impl Head {
    /// The head of a file that is about to be written.
    pub(super) fn new(cursor: EventCursor) -> Result<Self, CryptoError> {
        Ok(Self {
            build: random::array()?,
            cursor,
            stale: false,
            rows: 0,
            pages: 0,
            indices: 0,
            changes: (0, 0),
            changed: 0,
            account: 0,
            facts: 0,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.build.to_vec();
        bytes.extend_from_slice(self.cursor.as_bytes());
        bytes.push(u8::from(self.stale));
        let counts = [self.rows, self.pages, self.indices, self.changes.0, self.changes.1];
        for count in counts.into_iter().chain([self.changed, self.account, self.facts]) {
            number(&mut bytes, count.into());
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let build = reader.take(16)?.try_into().ok()?;
        let cursor = EventCursor::from_bytes(reader.take(8)?.try_into().ok()?);
        let stale = reader.byte()? != 0;
        let mut count = || reader.number().and_then(|count| u32::try_from(count).ok());
        let head = Self {
            build,
            cursor,
            stale,
            rows: count()?,
            pages: count()?,
            indices: count()?,
            changes: (count()?, count()?),
            changed: count()?,
            account: count()?,
            facts: count()?,
        };
        reader.0.is_empty().then_some(head)
    }
}
