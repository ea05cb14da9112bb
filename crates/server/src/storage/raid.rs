//! `CloudRAID`: a file in five data parts and one of parity (`protocol-api.md` 3.7). Parts are not kept:
//! they are made of the file when somebody asks for them.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// Bytes that go to one part before the next one's turn comes.
const SECTOR: usize = 16;
/// Data parts.
const DATA: usize = 5;
/// Bytes of the file that are one sector of each part.
const LINE: usize = SECTOR * DATA;

/// One of the six parts: 0 is parity, 1 to 5 are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part(u8);

impl Part {
    /// All six, in the order of their addresses.
    pub(crate) const ALL: [Self; 6] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];

    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// How long this part of a file is.
    pub(crate) fn size(self, file: u64) -> u64 {
        // Parity is as long as the longest part.
        let before = SECTOR as u64 * u64::from(self.0.saturating_sub(1));
        let rest = (file % LINE as u64).saturating_sub(before);
        file / LINE as u64 * SECTOR as u64 + rest.min(SECTOR as u64)
    }

    /// Fills the buffer from `start` on with this part of a file of `size` bytes. Blocks.
    pub(crate) fn read(
        self,
        mut file: &File,
        size: u64,
        start: u64,
        into: &mut [u8],
    ) -> std::io::Result<()> {
        let end = start + into.len() as u64;
        if end > self.size(size) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if into.is_empty() {
            return Ok(());
        }
        let first = start / SECTOR as u64 * LINE as u64;
        let last = (end.div_ceil(SECTOR as u64) * LINE as u64).min(size);
        file.seek(SeekFrom::Start(first))?;
        let mut lines = Vec::with_capacity(usize::try_from(last - first).unwrap_or(0));
        file.take(last - first).read_to_end(&mut lines)?;
        if lines.len() as u64 != last - first {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut part = Vec::with_capacity(into.len() + 2 * SECTOR);
        for line in lines.chunks(LINE) {
            self.take(line, &mut part);
        }
        // What lies before `start` in its sector goes, and what lies behind the end.
        let skip = usize::try_from(start % SECTOR as u64).unwrap_or(0);
        into.copy_from_slice(&part[skip..skip + into.len()]);
        Ok(())
    }

    /// Appends this part's sector of a line, which may be short.
    fn take(self, line: &[u8], part: &mut Vec<u8>) {
        let mut sectors = line.chunks(SECTOR);
        if let Some(data) = self.0.checked_sub(1) {
            part.extend_from_slice(sectors.nth(data.into()).unwrap_or_default());
            return;
        }
        let begin = part.len();
        part.extend_from_slice(sectors.next().unwrap_or_default());
        for sector in sectors {
            for (parity, byte) in part[begin..].iter_mut().zip(sector) {
                *parity ^= byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// The parts as the reference describes them, sector by sector.
    fn parts(bytes: &[u8]) -> [Vec<u8>; 6] {
        let mut parts: [Vec<u8>; 6] = Default::default();
        for (k, sector) in bytes.chunks(16).enumerate() {
            parts[1 + k % 5].extend_from_slice(sector);
        }
        parts[0] = parts[1].clone();
        for data in 2..6 {
            for i in 0..parts[data].len() {
                parts[0][i] ^= parts[data][i];
            }
        }
        parts
    }

    proptest! {
        #[test]
        fn any_range_of_any_part_is_read(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            ends: (prop::sample::Index, prop::sample::Index),
        ) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let size = bytes.len() as u64;
            for (part, expected) in Part::ALL.into_iter().zip(parts(&bytes)) {
                prop_assert_eq!(part.size(size), expected.len() as u64);
                let (a, b) = (ends.0.index(expected.len() + 1), ends.1.index(expected.len() + 1));
                let (start, end) = (a.min(b), a.max(b));
                let mut read = vec![0; end - start];
                part.read(&file, size, start as u64, &mut read).unwrap();
                prop_assert_eq!(&read[..], &expected[start..end]);
                prop_assert!(part.read(&file, size, 1, &mut vec![0; expected.len()]).is_err());
            }
        }
    }

    #[test]
    fn sizes_are_those_of_the_reference() {
        for size in [0_u64, 1, 16, 17, 79, 80, 81, 96, 160, 1_000_003] {
            let reference = |part: u64| {
                let r = size % 80;
                (size - r) / 5 + r.saturating_sub(16 * (part.max(1) - 1)).min(16)
            };
            for part in Part::ALL {
                assert_eq!(part.size(size), reference(part.number().into()), "{size} {part:?}");
            }
            let data: u64 = Part::ALL[1..].iter().map(|part| part.size(size)).sum();
            assert_eq!(data, size);
        }
    }
}
