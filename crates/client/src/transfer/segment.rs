//! Segments: runs of whole chunks that travel in one request.

use supermega_crypto::chunks;

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
    let mut chunks = chunks(size).peekable();
    std::iter::from_fn(move || {
        let first = chunks.next()?;
        let mut segment = Segment { start: first.offset, end: first.offset + first.len };
        while let Some(next) = chunks.peek() {
            if next.offset + next.len - segment.start > SEGMENT {
                break;
            }
            segment.end = next.offset + next.len;
            chunks.next();
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
}
