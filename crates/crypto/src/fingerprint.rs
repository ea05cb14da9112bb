//! Fingerprints: a file's sparse checksum and modification time, the attribute `c`
//! (`protocol-auth.md` 5.4).

mod sample;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use supermega_encoding::base64;

use crate::CryptoError;

pub use sample::ContentSample;

const WORDS: usize = 4;
/// Up to here the checksum is the content itself.
const VERBATIM: u64 = 16;
/// Up to here every byte counts.
const DENSE: u64 = 8192;
const SPARSE_BLOCK: u64 = 64;
const SPARSE_BLOCKS: usize = 128;
/// Modification times this many seconds apart count as the same.
const TOLERANCE: u64 = 2;

/// What tells two contents apart without reading them whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The content's checksum; for 16 bytes and less, the content.
    pub crc: [u8; 16],
    /// Modification time in seconds since 1970.
    pub mtime: i64,
}

impl Fingerprint {
    /// The text form, as in the attribute `c`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = self.crc.to_vec();
        let mtime = self.mtime.to_le_bytes();
        let len = (1..=8u8).rev().find(|len| mtime[usize::from(*len) - 1] != 0).unwrap_or(0);
        bytes.push(len);
        bytes.extend_from_slice(&mtime[..usize::from(len)]);
        base64::encode(&bytes)
    }

    /// Whether both belong to the same content, given that the sizes are equal: the times may
    /// be 2 seconds apart.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.crc == other.crc && self.mtime.abs_diff(other.mtime) <= TOLERANCE
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl FromStr for Fingerprint {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let bytes = base64::decode(text)?;
        let short = CryptoError::Length { what: "Fingerprint", expected: 17, actual: bytes.len() };
        let Some((crc, [len, rest @ ..])) = bytes.split_first_chunk::<16>() else {
            return Err(short);
        };
        let len = usize::from(*len);
        let mut mtime = [0; 8];
        match (mtime.get_mut(..len), rest.get(..len)) {
            (Some(mtime), Some(given)) => mtime.copy_from_slice(given),
            _ => return Err(short),
        }
        Ok(Self { crc: *crc, mtime: i64::from_le_bytes(mtime) })
    }
}

/// Takes the fingerprint of content that passes by in order.
///
/// Large contents count only in parts. Who can seek asks [`next_range`](Self::next_range) and
/// reads no more than that, 8 KiB of any file.
///
/// ```
/// use supermega_crypto::FingerprintHasher;
///
/// let mut hasher = FingerprintHasher::new(5);
/// hasher.update(&[3, 10, 17, 24, 31]);
/// let fingerprint = hasher.finish(1_700_000_000);
/// assert_eq!(fingerprint.to_string(), "AwoRGB8AAAAAAAAAAAAAAAQA8VNl");
/// ```
#[derive(Clone)]
pub struct FingerprintHasher {
    size: u64,
    /// Where the next byte of [`update`](Self::update) lies.
    position: u64,
    /// The part that the position lies in or before.
    part: usize,
    verbatim: [u8; 16],
    words: [crc32fast::Hasher; WORDS],
}

impl FingerprintHasher {
    /// Begins at the start of a content of `size` bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, position: 0, part: 0, verbatim: [0; 16], words: Default::default() }
    }

    /// Takes the next bytes. Those beyond the size count for nothing.
    pub fn update(&mut self, bytes: &[u8]) {
        let start = self.position;
        self.position = start.saturating_add(bytes.len() as u64);
        while let Some(range) = self.range(self.part) {
            let cut = |at: u64| {
                usize::try_from(at.saturating_sub(start))
                    .map_or(bytes.len(), |i| i.min(bytes.len()))
            };
            self.take(range.start.max(start), &bytes[cut(range.start)..cut(range.end)]);
            if self.position < range.end {
                break;
            }
            self.part += 1;
        }
    }

    /// The next bytes that count, or `None` when the rest does not.
    #[must_use]
    pub fn next_range(&self) -> Option<Range<u64>> {
        let range = self.range(self.part)?;
        let range = range.start.max(self.position)..range.end;
        (!range.is_empty()).then_some(range)
    }

    /// Passes over bytes that do not count, up to `offset`. Going back, or over bytes that
    /// count, gives a wrong fingerprint, as if those bytes were missing.
    pub fn skip_to(&mut self, offset: u64) {
        self.position = self.position.max(offset);
        while self.range(self.part).is_some_and(|range| range.end <= self.position) {
            self.part += 1;
        }
    }

    /// The fingerprint of all that passed by.
    #[must_use]
    pub fn finish(self, mtime: i64) -> Fingerprint {
        let mut crc = self.verbatim;
        if self.size > VERBATIM {
            for (out, word) in crc.chunks_mut(4).zip(self.words) {
                out.copy_from_slice(&word.finalize().to_be_bytes());
            }
        }
        Fingerprint { crc, mtime }
    }

    fn take(&mut self, at: u64, bytes: &[u8]) {
        if self.size <= VERBATIM {
            let places = usize::try_from(at).ok().and_then(|at| self.verbatim.get_mut(at..));
            for (place, byte) in places.into_iter().flatten().zip(bytes) {
                *place = *byte;
            }
        } else {
            let parts_of_a_word = if self.size <= DENSE { 1 } else { SPARSE_BLOCKS / WORDS };
            self.words[self.part / parts_of_a_word].update(bytes);
        }
    }

    /// Where the parts lie that count. They come in order and do not overlap.
    fn range(&self, part: usize) -> Option<Range<u64>> {
        let size = self.size;
        let place = part as u64;
        if size <= VERBATIM {
            (part == 0).then_some(0..size)
        } else if size <= DENSE {
            let edge = |place| place * size / WORDS as u64;
            (part < WORDS).then(|| edge(place)..edge(place + 1))
        } else {
            let span = u128::from(size - SPARSE_BLOCK) * u128::from(place);
            let start = u64::try_from(span / (SPARSE_BLOCKS as u128 - 1)).ok()?;
            (part < SPARSE_BLOCKS).then(|| start..start + SPARSE_BLOCK)
        }
    }
}

impl fmt::Debug for FingerprintHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintHasher({} of {})", self.position, self.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(size: u64) -> Vec<u8> {
        (0..size).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
    }

    fn whole(bytes: &[u8]) -> Fingerprint {
        let mut hasher = FingerprintHasher::new(bytes.len() as u64);
        hasher.update(bytes);
        hasher.finish(0)
    }

    #[test]
    fn two_seconds_are_the_same_time() {
        let fingerprint = Fingerprint { crc: [1; 16], mtime: 100 };
        assert!(fingerprint.matches(&Fingerprint { mtime: 102, ..fingerprint }));
        assert!(!fingerprint.matches(&Fingerprint { mtime: 97, ..fingerprint }));
        assert!(!fingerprint.matches(&Fingerprint { crc: [2; 16], ..fingerprint }));
        let extreme = |mtime| Fingerprint { mtime, ..fingerprint };
        assert!(!extreme(i64::MIN).matches(&extreme(i64::MAX)));
    }

    #[test]
    fn a_cut_text_is_refused() {
        for bytes in [&[0; 16][..], &[[0; 16].as_slice(), &[4, 1, 2, 3]].concat(), &[9; 26]] {
            assert!(base64::encode(bytes).parse::<Fingerprint>().is_err());
        }
    }

    #[test]
    fn the_largest_size_does_not_overflow() {
        let mut hasher = FingerprintHasher::new(u64::MAX);
        let mut read = 0;
        while let Some(range) = hasher.next_range() {
            assert!(range.end > range.start);
            hasher.skip_to(range.start);
            hasher.update(&[5; 64]);
            read += 1;
        }
        assert_eq!(read, 128);
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(size in 0..30_000u64, cuts in proptest::collection::vec(1..9000usize, 0..9)) {
            let bytes = content(size);
            let mut hasher = FingerprintHasher::new(size);
            let mut rest = &bytes[..];
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                hasher.update(piece);
                rest = after;
            }
            hasher.update(rest);
            prop_assert_eq!(hasher.finish(0), whole(&bytes));
        }

        #[test]
        fn what_does_not_count_need_not_be_read(size in 0..200_000u64) {
            let bytes = content(size);
            let mut hasher = FingerprintHasher::new(size);
            while let Some(range) = hasher.next_range() {
                hasher.skip_to(range.start);
                let range = [range.start, range.end].map(|at| usize::try_from(at).unwrap());
                hasher.update(&bytes[range[0]..range[1]]);
            }
            prop_assert_eq!(hasher.finish(0), whole(&bytes));
        }

        #[test]
        fn the_text_is_read_back(crc: [u8; 16], mtime: i64) {
            let fingerprint = Fingerprint { crc, mtime };
            prop_assert_eq!(fingerprint.to_text().parse::<Fingerprint>().unwrap(), fingerprint);
        }

        #[test]
        fn no_text_and_no_update_panics(text: String, size: u64, bytes: Vec<u8>, offset: u64) {
            let _ = text.parse::<Fingerprint>();
            let mut hasher = FingerprintHasher::new(size);
            hasher.update(&bytes);
            hasher.skip_to(offset);
            hasher.update(&bytes);
            let _ = hasher.finish(0);
        }
    }
}
