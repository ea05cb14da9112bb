//! Which bytes of a file have arrived.

use std::collections::BTreeMap;

/// Ranges that neither overlap nor touch: what joins them is one range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds bytes `start..end`.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let (mut first, mut last) = (start, end);
        // From behind: all that begin in the new range or touch its end, then the one that reaches into it.
        while let Some((&begin, &reached)) = self.0.range(..=last).next_back()
            && reached >= first
        {
            self.0.remove(&begin);
            (first, last) = (first.min(begin), last.max(reached));
        }
        self.0.insert(first, last);
    }

    /// Whether all bytes of a file of this size are there.
    pub(super) fn cover(&self, size: u64) -> bool {
        size == 0 || self.0.get(&0).is_some_and(|end| *end >= size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_hold_what_was_added(
            added in proptest::collection::vec((0_usize..40, 0_usize..12), 0..20),
        ) {
            let (mut ranges, mut bytes) = (Ranges::default(), [false; 64]);
            for (start, length) in added {
                ranges.add(start as u64, (start + length) as u64);
                bytes[start..start + length].fill(true);
                let mut expected = Ranges::default();
                let mut i = 0;
                while let Some(start) = (i..64).find(|i| bytes[*i]) {
                    i = (start..64).find(|i| !bytes[*i]).unwrap_or(64);
                    expected.0.insert(start as u64, i as u64);
                }
                prop_assert_eq!(&ranges, &expected);
                let whole = bytes.iter().take_while(|there| **there).count() as u64;
                prop_assert!(ranges.cover(whole) && !ranges.cover(whole + 1));
            }
        }
    }
}
