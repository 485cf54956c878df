//! How the levels of a transform are shared out among passes through memory.

/// Logarithm of the most elements of a tile: `TRANSFORM_TILE` of `kernels/proving/transform.h`.
const TILE_LOG_MAX: u32 = 10;

/// Logarithm of the fewest elements of a tile, unless the transform has less.
const TILE_LOG_MIN: u32 = 6;

/// Logarithm of the neighbours that the rows of a tile have at least, where rows lie apart: 128 bytes.
const COLUMNS_LOG_MIN: u32 = 2;

/// A pass: which levels it carries out, and the shape of its tiles, as `kernels/proving/transform.h` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// The lowest level.
    pub(super) low: u32,
    /// How many levels; 2^levels rows in a tile.
    pub(super) levels: u32,
    /// Logarithm of a row's length.
    pub(super) columns: u32,
}

impl Pass {
    /// Logarithm of a tile's elements.
    pub(super) const fn tile_log(&self) -> u32 {
        self.levels + self.columns
    }
}

/// The passes of a transform of 2^`log_size` elements with tiles of 2^`tile_log` at most, from level 0 upwards. The first
/// takes as many levels as a tile has, so that the roots it needs are few; the others share the rest evenly, in even numbers
/// where they can, since two levels are one step.
pub(super) fn passes(log_size: u32, tile_log: u32) -> Vec<Pass> {
    let first = log_size.min(tile_log);
    let mut passes = vec![Pass { low: 0, levels: first, columns: 0 }];
    let levels_max = tile_log - COLUMNS_LOG_MIN;
    let (mut low, mut left) = (first, (log_size - first).div_ceil(levels_max));
    while left > 0 {
        let even_share = (log_size - low).div_ceil(left);
        let levels = if left > 1 { even_share.next_multiple_of(2).min(levels_max) } else { even_share };
        passes.push(Pass { low, levels, columns: low.min(tile_log - levels) });
        (low, left) = (low + levels, left - 1);
    }
    passes
}

/// The size of tiles for so many transforms at once: the largest, unless smaller ones give a device with few tiles more
/// groups and need no more passes.
pub(super) fn tile_log(log_size: u32, polynomials: usize, compute_units: u32) -> u32 {
    let passes_min = passes(log_size, TILE_LOG_MAX).len();
    let mut tile_log = TILE_LOG_MAX;
    let tiles = |tile_log: u32| polynomials << log_size.saturating_sub(tile_log);
    while tile_log > TILE_LOG_MIN
        && tiles(tile_log) < 2 * compute_units as usize
        && passes(log_size, tile_log - 1).len() == passes_min
    {
        tile_log -= 1;
    }
    tile_log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_have_all_levels_once_and_tiles_that_fit() {
        for tile_log in COLUMNS_LOG_MIN + 1..=TILE_LOG_MAX {
            for log_size in 1..=28 {
                let mut low = 0;
                for pass in passes(log_size, tile_log) {
                    assert_eq!(pass.low, low, "{log_size}, {tile_log}");
                    assert!(pass.levels > 0 && pass.tile_log() <= tile_log && pass.columns <= low);
                    assert!(low == 0 || pass.columns >= COLUMNS_LOG_MIN);
                    low += pass.levels;
                }
                assert_eq!(low, log_size, "{tile_log}");
            }
        }
    }

    #[test]
    fn three_passes_are_enough() {
        for (log_size, count) in [(1, 1), (10, 1), (11, 2), (18, 2), (19, 3), (26, 3)] {
            assert_eq!(passes(log_size, TILE_LOG_MAX).len(), count, "2^{log_size}");
        }
    }

    #[test]
    fn small_transforms_have_small_tiles_on_large_devices() {
        assert_eq!(tile_log(14, 3, 132), 8);
        assert_eq!(tile_log(14, 300, 132), 10);
        assert_eq!(tile_log(22, 3, 132), 10);
        assert_eq!(tile_log(14, 3, 1), 10);
        assert_eq!(tile_log(10, 3, 132), 10);
        assert_eq!(tile_log(4, 3, 132), 6);
    }
}
