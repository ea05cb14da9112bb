//! Where chunks begin and end (`protocol-auth.md` 6.3).

const UNIT: u64 = 128 * 1024;
const FULL: u64 = 8 * UNIT;
/// Chunks grow by one unit each until they are full.
const GROWING: u64 = 8;
/// Where the first chunk lies that follows the growing ones.
const GROWN: u64 = UNIT * GROWING * (GROWING + 1) / 2;

/// A part of a file that has a MAC of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its length in bytes: never 0, at most 1 MiB.
    pub len: u64,
}

impl Chunk {
    /// Chunk `index` of a file of `size` bytes, if the file is that long.
    #[must_use]
    pub fn at(index: u64, size: u64) -> Option<Self> {
        let offset = start(index).filter(|offset| *offset < size)?;
        let len = UNIT * (index + 1).min(GROWING);
        Some(Self { index, offset, len: len.min(size - offset) })
    }

    /// The chunk of a file of `size` bytes that byte `offset` lies in.
    #[must_use]
    pub fn containing(offset: u64, size: u64) -> Option<Self> {
        if offset >= size {
            return None;
        }
        let index = if offset >= GROWN {
            GROWING + (offset - GROWN) / FULL
        } else {
            (1..GROWING).take_while(|i| start(*i).is_some_and(|s| s <= offset)).count() as u64
        };
        Self::at(index, size)
    }

    /// Where it ends in the file.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.len
    }
}

fn start(index: u64) -> Option<u64> {
    if index < GROWING {
        Some(UNIT * index * (index + 1) / 2)
    } else {
        (index - GROWING).checked_mul(FULL)?.checked_add(GROWN)
    }
}

/// The chunks of a file of `size` bytes, in order. An empty file has none.
///
/// ```
/// let sizes: Vec<u64> = supermega_crypto::chunks(1_000_000).map(|chunk| chunk.len).collect();
/// assert_eq!(sizes, [131_072, 262_144, 393_216, 213_568]);
/// ```
pub fn chunks(size: u64) -> impl Iterator<Item = Chunk> {
    (0..).map_while(move |index| Chunk::at(index, size))
}

/// How many chunks a file of `size` bytes has.
#[must_use]
pub fn chunk_count(size: u64) -> u64 {
    size.checked_sub(1).and_then(|last| Chunk::containing(last, size)).map_or(0, |c| c.index + 1)
}

/// Cuts a buffer that begins at `offset` of a file into the lengths of its chunks.
pub(super) fn lengths(offset: u64, len: usize) -> impl Iterator<Item = usize> {
    let mut rest = len as u64;
    let mut offset = offset;
    std::iter::from_fn(move || {
        if rest == 0 {
            return None;
        }
        // Beyond the last offset that a chunk can have, all is one piece.
        let piece =
            Chunk::containing(offset, u64::MAX).map_or(rest, |c| rest.min(c.end() - offset));
        rest -= piece;
        offset = offset.saturating_add(piece);
        usize::try_from(piece).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_file_has_no_chunk() {
        assert_eq!(chunks(0).count(), 0);
        assert_eq!(chunk_count(0), 0);
        assert_eq!(Chunk::containing(0, 0), None);
    }

    #[test]
    fn the_largest_file_has_an_end() {
        let last = Chunk::containing(u64::MAX - 1, u64::MAX).unwrap();
        assert_eq!(last.end(), u64::MAX);
        assert_eq!(Chunk::at(u64::MAX, u64::MAX), None);
        assert_eq!(lengths(u64::MAX, 5).collect::<Vec<_>>(), [5]);
        assert_eq!(lengths(u64::MAX - 3, 5).sum::<usize>(), 5);
    }

    proptest! {
        #[test]
        fn chunks_cover_the_file(size in 0..40_000_000u64) {
            let mut end = 0;
            for (index, chunk) in chunks(size).enumerate() {
                prop_assert_eq!(chunk.index, index as u64);
                prop_assert_eq!(chunk.offset, end);
                for offset in [chunk.offset, chunk.end() - 1] {
                    prop_assert_eq!(Chunk::containing(offset, size), Some(chunk));
                }
                end = chunk.end();
            }
            prop_assert_eq!(end, size);
            prop_assert_eq!(chunks(size).count() as u64, chunk_count(size));
        }

        #[test]
        fn no_place_panics(index: u64, offset: u64, size: u64, len: usize) {
            let _ = (Chunk::at(index, size), Chunk::containing(offset, size), chunk_count(size));
            prop_assert!(lengths(offset, len).take(3).sum::<usize>() <= len);
        }
    }
}
