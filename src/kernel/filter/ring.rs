//! Prepared source rows, kept for the output rows that follow.

use super::number::Number;
use crate::image::{Border, Plane, Sample};

/// What the rows in a ring belong to; another frame or window means other rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// First pixel of the window.
    pub x0: usize,
    /// Pixels of the window.
    pub w: usize,
    /// Size of the source: pixels, rows, components.
    pub source: (usize, usize, usize),
}

/// For each column tile as many rows as one output row reads, and one row of what lies outside a constant border.
#[derive(Clone, Debug)]
pub struct Ring<N> {
    frame: Option<Frame>,
    /// Rows of a tile.
    slots: usize,
    /// Values from a row to the next.
    stride: usize,
    /// Where the first row begins: on a cache line.
    lead: usize,
    values: Vec<N>,
    /// The source row in each slot.
    tags: Vec<usize>,
}

const EMPTY: usize = usize::MAX;

impl<N: Number> Ring<N> {
    /// An empty ring.
    pub fn new() -> Ring<N> {
        Ring { frame: None, slots: 0, stride: 0, lead: 0, values: Vec::new(), tags: Vec::new() }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.tags.fill(EMPTY);
    }

    /// Makes room for `tiles` tiles of `slots` rows of `width` values; keeps the rows if the frame is the same.
    pub fn bind(&mut self, frame: Frame, tiles: usize, slots: usize, width: usize) {
        if self.frame == Some(frame) {
            return;
        }
        self.frame = Some(frame);
        let line = 64 / size_of::<N>();
        (self.slots, self.stride) = (slots, width.next_multiple_of(line));
        let rows = tiles * slots + 1;
        self.values.clear();
        self.values.resize(rows * self.stride + line, N::ZERO);
        self.lead = (self.values.as_ptr() as usize).next_multiple_of(64) - self.values.as_ptr() as usize;
        self.lead /= size_of::<N>();
        self.tags.clear();
        self.tags.resize(tiles * slots, EMPTY);
    }

    /// Where the row begins that stands for source row `y` (`None`: outside) in a tile; `fill` is called if it is not
    /// there yet.
    #[inline]
    pub fn line(&mut self, tile: usize, y: Option<usize>, fill: impl FnOnce(usize, &mut [N])) -> usize {
        let Some(y) = y else { return self.lead + self.tags.len() * self.stride };
        let slot = tile * self.slots + y % self.slots;
        let start = self.lead + slot * self.stride;
        if std::mem::replace(&mut self.tags[slot], y) != y {
            fill(y, &mut self.values[start..start + self.stride]);
        }
        start
    }

    /// What lines are places in.
    pub fn values(&self) -> &[N] {
        &self.values
    }
}

/// Slots that one output row of a kernel of that height needs at once.
pub fn slots(taps: usize, h: usize, border: Border) -> usize {
    // All other borders read only rows within the kernel's height of each other.
    if border == Border::Wrap { h } else { taps.min(h) }
}

/// Pixels a tile, for frames of `w` pixels and rings of `rows` rows: equal tiles, about as wide as the first-level cache
/// has room for, or as the second has if rows are many.
pub fn tile_width<N>(rows: usize, w: usize, c: usize) -> usize {
    let most = (36_864 / (rows * size_of::<N>())).max(768);
    let tiles = (w * c + most / 2) / most;
    w.div_ceil(tiles.max(1))
}

/// Prepares pixels `x ..` of a source row, `out.len()` samples, some of them perhaps outside the row.
pub fn prepare_row<T: Sample, N: Number>(src: &Plane<T>, y: usize, x: isize, border: Border, out: &mut [N]) {
    let (c, w) = (src.c, src.w as isize);
    let row = src.row(y);
    let n = (out.len() / c) as isize;
    let first = x.clamp(0, w);
    let last = (x + n).clamp(first, w);
    let at = |p: isize| (p - x) as usize * c;
    if last > first {
        N::prepare_row(&row[first as usize * c..last as usize * c], &mut out[at(first)..at(last)]);
    }
    for p in (x..first.min(x + n)).chain(last.max(x)..x + n) {
        let (to, from) = (at(p), border.fold(p, src.w));
        match from {
            // Most often what was prepared just now.
            Some(i) if (first..last).contains(&(i as isize)) => {
                let from = at(i as isize);
                for k in 0..c {
                    out[to + k] = out[from + k];
                }
            }
            Some(i) => (0..c).for_each(|k| out[to + k] = N::prepare(row[i * c + k])),
            None => out[to..to + c].fill(N::ZERO),
        }
    }
}
