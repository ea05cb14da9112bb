//! Whether content has the checksum of a fingerprint, in either of the forms in which it was taken
//! (`protocol-auth.md` 5.4).

use std::collections::BTreeMap;
use std::ops::Range;

use super::{DENSE, FingerprintHasher, SPARSE_BLOCK, SPARSE_BLOCKS, WORDS};

/// The bytes of a content that its checksum counts, 16 KiB at most. They may come in any order and any pieces.
///
/// Older official clients took them from other places of large contents, since they computed with 32 bits. A
/// checksum of either form is right.
///
/// ```
/// use supermega_crypto::{ContentSample, FingerprintHasher};
///
/// let mut hasher = FingerprintHasher::new(5);
/// hasher.update(b"hello");
/// let crc = hasher.finish(0).crc;
///
/// let mut sample = ContentSample::new(5);
/// sample.take(2, b"llo");
/// sample.take(0, b"he");
/// assert!(sample.has_checksum(&crc));
/// sample.take(4, b"!");
/// assert!(!sample.has_checksum(&crc));
/// ```
#[derive(Clone)]
pub struct ContentSample {
    size: u64,
    /// Where each block begins, and what it holds.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl ContentSample {
    /// Of a content of `size` bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        let blocks = match size {
            0 => BTreeMap::new(),
            1..=DENSE => BTreeMap::from([(0, vec![0; usize::try_from(size).unwrap_or(0)])]),
            _ => {
                let block = vec![0; usize::try_from(SPARSE_BLOCK).unwrap_or(0)];
                let mut hasher = FingerprintHasher::new(size);
                let mut starts: Vec<u64> = older_starts(size).collect();
                while let Some(range) = hasher.next_range() {
                    starts.push(range.start);
                    hasher.skip_to(range.end);
                }
                starts.into_iter().map(|start| (start, block.clone())).collect()
            }
        };
        Self { size, blocks }
    }

    /// The places that count. They may overlap.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        self.blocks.iter().map(|(start, block)| *start..start + block.len() as u64)
    }

    /// Takes bytes that lie at an offset, as far as they count.
    pub fn take(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset.saturating_add(bytes.len() as u64);
        for (start, block) in self.blocks.range_mut(offset.saturating_sub(DENSE)..end) {
            let from = offset.max(*start);
            let until = end.min(start + block.len() as u64);
            if from < until {
                block[between(*start, from)..between(*start, until)]
                    .copy_from_slice(&bytes[between(offset, from)..between(offset, until)]);
            }
        }
    }

    /// Whether all that was taken has this checksum.
    #[must_use]
    pub fn has_checksum(&self, crc: &[u8; 16]) -> bool {
        self.current() == *crc || (self.size > DENSE && self.older() == *crc)
    }

    fn current(&self) -> [u8; 16] {
        let mut hasher = FingerprintHasher::new(self.size);
        while let Some(range) = hasher.next_range() {
            hasher.skip_to(range.start);
            let block = self.blocks.range(..=range.start).next_back();
            let Some((start, block)) = block else { break };
            hasher.update(&block[between(*start, range.start)..between(*start, range.end)]);
        }
        hasher.finish(0).crc
    }

    fn older(&self) -> [u8; 16] {
        let mut words: [crc32fast::Hasher; WORDS] = Default::default();
        for (place, start) in older_starts(self.size).enumerate() {
            if let Some(block) = self.blocks.get(&start) {
                words[place * WORDS / SPARSE_BLOCKS].update(block);
            }
        }
        let mut crc = [0; 16];
        for (out, word) in crc.chunks_mut(4).zip(words) {
            out.copy_from_slice(&word.finalize().to_be_bytes());
        }
        crc
    }
}

impl std::fmt::Debug for ContentSample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentSample(of {} bytes)", self.size)
    }
}

/// Where the blocks of a large content begin for clients that computed with 32 bits.
fn older_starts(size: u64) -> impl Iterator<Item = u64> {
    let last = size.saturating_sub(SPARSE_BLOCK);
    let low = u32::try_from(last & u64::from(u32::MAX)).unwrap_or(0);
    (0u32..)
        .take(SPARSE_BLOCKS)
        .map(move |place| u64::from(low.wrapping_mul(place) / 127).min(last))
}

/// How far `to` lies behind `from`, within a piece in memory.
fn between(from: u64, to: u64) -> usize {
    usize::try_from(to - from).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte(at: u64) -> u8 {
        at.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0]
    }

    fn bytes(range: Range<u64>) -> Vec<u8> {
        range.map(byte).collect()
    }

    fn sample(size: u64) -> ContentSample {
        let mut sample = ContentSample::new(size);
        let ranges: Vec<Range<u64>> = sample.ranges().collect();
        for range in ranges {
            sample.take(range.start, &bytes(range));
        }
        sample
    }

    fn crc(size: u64) -> [u8; 16] {
        let mut hasher = FingerprintHasher::new(size);
        while let Some(range) = hasher.next_range() {
            hasher.skip_to(range.start);
            hasher.update(&bytes(range));
        }
        hasher.finish(0).crc
    }

    #[test]
    fn both_forms_of_a_large_content_are_right() {
        // The last size at which the two forms agree, and sizes behind it.
        let limit = u64::from(u32::MAX) / 127 + 64;
        assert_eq!(crc(limit), sample(limit).older());
        for size in [limit + 1, 100 << 20, 5 << 30, 1 << 40] {
            let mut words = [0; 16];
            for (word, out) in words.chunks_mut(4).enumerate() {
                let mut hasher = crc32fast::Hasher::new();
                for block in 0..32 {
                    let product = u128::from(size - 64) * (32 * word as u128 + block);
                    let start = u64::try_from(product % (1 << 32)).unwrap() / 127;
                    hasher.update(&bytes(start..start + 64));
                }
                out.copy_from_slice(&hasher.finalize().to_be_bytes());
            }
            assert_ne!(words, crc(size), "{size}");
            assert!(sample(size).has_checksum(&words) && sample(size).has_checksum(&crc(size)));
            assert!(!sample(size).has_checksum(&crc(size - 1)));
        }
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(size in 0..300_000u64, mut cuts in proptest::collection::vec(0..300_000u64, 0..5)) {
            cuts.extend([0, size]);
            cuts.sort_unstable();
            let mut sample = ContentSample::new(size);
            for cut in cuts.windows(2).rev() {
                sample.take(cut[0], &bytes(cut[0]..cut[1]));
            }
            prop_assert!(sample.has_checksum(&crc(size)));
        }

        #[test]
        fn nothing_that_is_taken_panics(size: u64, offset: u64, bytes: Vec<u8>, crc: [u8; 16]) {
            let mut sample = ContentSample::new(size);
            sample.take(offset, &bytes);
            let _ = sample.has_checksum(&crc);
        }
    }
}
