//! Segments: runs of whole chunks that travel in one request.

use supermega_crypto::{Chunk, chunks};

use super::SEGMENT;

/// Bytes `start..end` of a file, from the start of a chunk to the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub start: u64,
    pub end: u64,
}

impl Segment {
    pub(super) fn len(self) -> usize {
        usize::try_from(self.end - self.start).unwrap_or(usize::MAX)
    }
}

/// The segments of a file of `size` bytes, in order; an empty file has none.
pub(super) fn segments(size: u64) -> impl Iterator<Item = Segment> + Send {
    segments_of(size, |_| true)
}

/// The segments that consist of certain chunks only.
pub(super) fn segments_of(
    size: u64,
    wanted: impl Fn(&Chunk) -> bool + Send,
) -> impl Iterator<Item = Segment> + Send {
    let mut chunks = chunks(size).filter(wanted).peekable();
    std::iter::from_fn(move || {
        let first = chunks.next()?;
        let mut segment = Segment { start: first.offset, end: first.end() };
        while let Some(next) = chunks
            .next_if(|next| next.offset == segment.end && next.end() - segment.start <= SEGMENT)
        {
            segment.end = next.end();
        }
        Some(segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_each_other_and_are_bounded() {
        for size in [1, 131_072, 131_073, 4_718_592, 50 << 20, (50 << 20) + 1] {
            let mut end = 0;
            for segment in segments(size) {
                assert_eq!(segment.start, end);
                assert!(segment.len() as u64 <= SEGMENT);
                end = segment.end;
            }
            assert_eq!(end, size);
        }
        assert_eq!(segments(0).count(), 0);
    }

    #[test]
    fn what_is_not_wanted_is_left_out() {
        let size = 50 << 20;
        let odd: Vec<Segment> = segments_of(size, |chunk| chunk.index % 2 == 1).collect();
        let even: Vec<Segment> = segments_of(size, |chunk| chunk.index % 2 == 0).collect();
        let mut all = [odd, even].concat();
        all.sort_by_key(|segment| segment.start);
        assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(all.last().map(|segment| segment.end), Some(size));
        assert_eq!(all.len() as u64, supermega_crypto::chunk_count(size));
    }
}
