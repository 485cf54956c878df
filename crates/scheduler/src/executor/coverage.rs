//! Which answers of a job have come back.

use std::ops::Range;

/// Disjoint ranges, ascending.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    ranges: Vec<Range<usize>>,
}

impl Coverage {
    /// Marks a range. False, and nothing changes, where a part of it was there already: an engine that answers
    /// an item twice is at fault, and which answer is right nobody knows.
    pub(super) fn insert(&mut self, range: Range<usize>) -> bool {
        if range.is_empty() {
            return true;
        }
        let at = self.ranges.partition_point(|known| known.end <= range.start);
        if self.ranges.get(at).is_some_and(|next| next.start < range.end) {
            return false;
        }
        let joins_next = self.ranges.get(at).is_some_and(|next| next.start == range.end);
        let joins_last = at > 0 && self.ranges[at - 1].end == range.start;
        match (joins_last, joins_next) {
            (true, true) => self.ranges[at - 1].end = self.ranges.remove(at).end,
            (true, false) => self.ranges[at - 1].end = range.end,
            (false, true) => self.ranges[at].start = range.start,
            (false, false) => self.ranges.insert(at, range),
        }
        true
    }

    /// What is missing of `0..total`, ascending.
    pub(super) fn gaps(&self, total: usize) -> Vec<Range<usize>> {
        let mut gaps = Vec::new();
        let mut from = 0;
        for range in &self.ranges {
            if from < range.start {
                gaps.push(from..range.start);
            }
            from = range.end;
        }
        if from < total {
            gaps.push(from..total);
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overlaps_are_refused() {
        let mut coverage = Coverage::default();
        assert!(coverage.insert(5..8) && coverage.insert(0..2) && coverage.insert(2..4));
        for overlap in [0..1, 3..5, 7..9, 0..10] {
            assert!(!coverage.insert(overlap));
        }
        assert_eq!(coverage.gaps(10), [4..5, 8..10]);
        assert!(coverage.insert(4..5));
        assert_eq!(coverage.ranges.len(), 1, "neighbours are joined");
        assert!(coverage.gaps(8).is_empty());
    }

    proptest! {
        #[test]
        fn gaps_are_what_was_not_inserted(ranges in prop::collection::vec((0_usize..60, 1_usize..9), 0..30)) {
            let mut coverage = Coverage::default();
            let mut marked = [false; 70];
            for (start, length) in ranges {
                let free = marked[start..start + length].iter().all(|mark| !mark);
                prop_assert_eq!(coverage.insert(start..start + length), free);
                if free { marked[start..start + length].fill(true); }
            }
            let missing: Vec<usize> = coverage.gaps(70).into_iter().flatten().collect();
            let expected: Vec<usize> = (0..70).filter(|&i| !marked[i]).collect();
            prop_assert_eq!(missing, expected);
        }
    }
}
