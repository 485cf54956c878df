//! Which ranges of an arena are free.

use std::collections::BTreeMap;
use std::ops::Range;

/// Free ranges by their start, no two of them touching. The first that is long enough is taken: batches are few, live
/// shortly and are alike, so holes do not stay.
pub(crate) struct Free {
    ranges: BTreeMap<usize, usize>,
}

impl Free {
    pub(crate) fn new(all: Range<usize>) -> Self {
        let mut free = Self { ranges: BTreeMap::new() };
        free.give(all);
        free
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let (&start, &end) = self.ranges.iter().find(|&(start, end)| end - start >= length)?;
        self.ranges.remove(&start);
        if end - start > length {
            self.ranges.insert(start + length, end);
        }
        Some(start..start + length)
    }

    pub(crate) fn give(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let mut joined = range.clone();
        if let Some((&start, &end)) = self.ranges.range(..range.start).next_back()
            && end == range.start
        {
            self.ranges.remove(&start);
            joined.start = start;
        }
        if let Some(end) = self.ranges.remove(&range.end) {
            joined.end = end;
        }
        self.ranges.insert(joined.start, joined.end);
    }
}
