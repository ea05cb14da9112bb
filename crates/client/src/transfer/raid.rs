//! `CloudRAID`: a file in five data parts and one of parity, any five of which give it back
//! (`protocol-api.md` 3.7).

use std::ops::Range;

use super::segment::Segment;

/// Parts of a file: 0 is parity, the others are data.
pub(super) const PARTS: usize = 6;
const DATA: usize = PARTS - 1;
/// Bytes that go to one part before the next one's turn comes.
const SECTOR: usize = 16;
/// Bytes of the file that are one sector of each data part.
const LINE: usize = DATA * SECTOR;

/// How long a part of a file of `size` bytes is.
fn part_size(part: usize, size: u64) -> u64 {
    let (line, sector) = (LINE as u64, SECTOR as u64);
    // Parity is as long as the longest part.
    let before = part.saturating_sub(1) as u64 * sector;
    size / line * sector + (size % line).saturating_sub(before).min(sector)
}

/// The bytes of a part that a segment is made of: those of all lines that it touches.
pub(super) fn part_range(part: usize, segment: Segment, size: u64) -> Range<u64> {
    let (line, sector) = (LINE as u64, SECTOR as u64);
    let end = part_size(part, size);
    (segment.start / line * sector).min(end)..(segment.end.div_ceil(line) * sector).min(end)
}

/// Puts a segment together from five of its parts, each of which has the bytes of its range. `whole` is as long as the
/// segment, and zero.
pub(super) fn join(parts: &[Option<impl AsRef<[u8]>>; PARTS], segment: Segment, whole: &mut [u8]) {
    let skip = usize::try_from(segment.start % LINE as u64).unwrap_or(0);
    let part = |number: usize| parts[number].as_ref().map(AsRef::as_ref);
    for data in 1..PARTS {
        // What is missing is the sum of all others; short or missing sectors count as zeros.
        let sum = if part(data).is_some() { data..data + 1 } else { 0..PARTS };
        for part in sum.filter_map(part) {
            for (line, sector) in part.chunks(SECTOR).enumerate() {
                let at = line * LINE + (data - 1) * SECTOR;
                let (place, sector) = overlap(whole, skip, at, sector);
                for (out, byte) in place.iter_mut().zip(sector) {
                    *out ^= byte;
                }
            }
        }
    }
}

/// Where a sector lies in a segment that begins `skip` bytes behind the start of a line, and what of the sector does.
fn overlap<'a>(
    whole: &'a mut [u8],
    skip: usize,
    at: usize,
    sector: &'a [u8],
) -> (&'a mut [u8], &'a [u8]) {
    let sector = &sector[skip.saturating_sub(at).min(sector.len())..];
    let place = at.saturating_sub(skip).min(whole.len());
    let length = sector.len().min(whole.len() - place);
    (&mut whole[place..place + length], &sector[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parts as the reference describes them, sector by sector.
    fn split(bytes: &[u8]) -> [Vec<u8>; PARTS] {
        let mut parts: [Vec<u8>; PARTS] = Default::default();
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
        fn any_five_parts_give_any_segment_back(
            bytes in proptest::collection::vec(any::<u8>(), 1..700),
            ends: (prop::sample::Index, prop::sample::Index),
            missing in 0..PARTS,
        ) {
            let (a, b) = (ends.0.index(bytes.len()), ends.1.index(bytes.len()));
            let (start, end) = (a.min(b), a.max(b) + 1);
            let segment = Segment { start: start as u64, end: end as u64 };
            let whole = split(&bytes);
            let parts = std::array::from_fn(|part| {
                let range = part_range(part, segment, bytes.len() as u64);
                let range = [range.start, range.end].map(|at| usize::try_from(at).unwrap());
                (part != missing).then(|| whole[part][range[0]..range[1]].to_vec())
            });
            let mut joined = vec![0; segment.len()];
            join(&parts, segment, &mut joined);
            prop_assert_eq!(joined, &bytes[start..end]);
        }
    }
}
