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

/// For each column tile as many rows as one output row reads.
#[derive(Clone, Debug)]
pub struct Ring<N> {
    frame: Option<Frame>,
    /// Rows of a tile.
    slots: usize,
    /// Values of a row.
    width: usize,
    rows: Vec<N>,
    /// The source row in each slot.
    tags: Vec<usize>,
    /// What a row outside a constant border reads.
    outside: Vec<N>,
}

/// A row of a tile: its slot, or outside.
pub type Line = Option<usize>;

const EMPTY: usize = usize::MAX;

impl<N: Number> Ring<N> {
    /// An empty ring.
    pub fn new() -> Ring<N> {
        Ring { frame: None, slots: 0, width: 0, rows: Vec::new(), tags: Vec::new(), outside: Vec::new() }
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
        (self.slots, self.width) = (slots, width);
        self.rows.resize(tiles * slots * width, N::default());
        self.outside.clear();
        self.outside.resize(width, N::default());
        self.tags.clear();
        self.tags.resize(tiles * slots, EMPTY);
    }

    /// The slot of source row `y` in a tile, and whether it must be filled first.
    #[inline]
    pub fn claim(&mut self, tile: usize, y: usize) -> (usize, bool) {
        let slot = tile * self.slots + y % self.slots;
        (slot, std::mem::replace(&mut self.tags[slot], y) != y)
    }

    /// The values of a slot, to fill.
    pub fn row_mut(&mut self, slot: usize) -> &mut [N] {
        &mut self.rows[slot * self.width..][..self.width]
    }

    /// The values of a line.
    #[inline(always)]
    pub fn line(&self, line: Line) -> &[N] {
        match line {
            Some(slot) => &self.rows[slot * self.width..][..self.width],
            None => &self.outside,
        }
    }
}

/// Slots that one output row of a kernel of that height needs at once.
pub fn slots(taps: usize, h: usize, border: Border) -> usize {
    // All other borders read only rows within the kernel's height of each other.
    if border == Border::Wrap { h } else { taps.min(h) }
}

/// Pixels a tile, for rings of `rows` rows.
pub fn tile_width<N>(rows: usize, c: usize) -> usize {
    // About the first-level cache for few rows; for many rows the second level has to do.
    let values = (32_768 / (rows * size_of::<N>())).max(512);
    (values / c).max(16)
}

/// Prepares pixels `x ..` of a source row, `out.len()` samples, some of them perhaps outside the row.
pub fn widen_row<T: Sample, N: Number>(src: &Plane<T>, y: usize, x: isize, border: Border, out: &mut [N]) {
    let (c, w) = (src.c, src.w as isize);
    let row = src.row(y);
    let n = (out.len() / c) as isize;
    let first = x.clamp(0, w);
    let last = (x + n).clamp(first, w);
    let at = |p: isize| (p - x) as usize * c;
    if last > first {
        N::widen(&row[first as usize * c..last as usize * c], &mut out[at(first)..at(last)]);
    }
    for p in (x..first.min(x + n)).chain(last.max(x)..x + n) {
        let pixel = &mut out[at(p)..at(p) + c];
        match border.fold(p, src.w) {
            Some(i) => N::widen(&row[i * c..(i + 1) * c], pixel),
            None => pixel.fill(N::default()),
        }
    }
}
