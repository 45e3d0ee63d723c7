//! Prepared source rows, kept for the output rows that follow.

use super::number::Number;
use crate::image::{Border, Sample};

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

/// Pixels a tile, for frames of `w` pixels and rings of `rows` rows: equal tiles, so narrow that the ring of one leaves
/// room in the second-level cache, so wide that rows are read in runs worth fetching.
pub fn tile_width<N>(rows: usize, w: usize, c: usize) -> usize {
    let most = (1_000_000 / (rows * size_of::<N>())).max(1024);
    let tiles = (w * c + most / 2) / most;
    w.div_ceil(tiles.max(1))
}

/// A run of pixels of source rows, some of which may lie outside.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Pixels of the row that are inside: from, to.
    inside: (usize, usize),
    /// Where the first of them goes.
    at: usize,
    /// What goes to the places outside: place and pixel of the row, if any.
    outside: Vec<(usize, Option<usize>)>,
    /// The same where all of it is in the run itself: to and from which value of it.
    copies: Vec<(usize, usize)>,
}

impl Run {
    /// Pixels `x .. x + n` of rows of `w` pixels of `c` components.
    pub fn set(&mut self, x: isize, n: usize, w: usize, c: usize, border: Border) {
        let end = x + n as isize;
        let first = x.clamp(0, w as isize);
        let last = end.clamp(first, w as isize);
        self.inside = (first as usize, last as usize);
        self.at = (first - x).min(n as isize) as usize;
        self.outside.clear();
        let outside = (x..first.min(end)).chain(last.max(x)..end);
        self.outside.extend(outside.map(|p| ((p - x) as usize, border.fold(p, w))));
        self.copies.clear();
        let (first, last) = self.inside;
        if self.outside.iter().all(|(_, from)| from.is_some_and(|i| (first..last).contains(&i))) {
            let at = self.at;
            let pixels = self.outside.iter().filter_map(|&(to, from)| Some((to, from? - first + at)));
            self.copies.extend(pixels.flat_map(|(to, from)| (0..c).map(move |k| (to * c + k, from * c + k))));
        }
    }

    /// Prepares the run of a row.
    pub fn prepare<T: Sample, N: Number>(&self, row: &[T], c: usize, out: &mut [N]) {
        let (first, last) = self.inside;
        let at = self.at * c;
        N::prepare_row(&row[first * c..last * c], &mut out[at..at + (last - first) * c]);
        if !self.copies.is_empty() {
            self.copies.iter().for_each(|&(to, from)| out[to] = out[from]);
            return;
        }
        for &(to, from) in &self.outside {
            let to = &mut out[to * c..(to + 1) * c];
            match from {
                Some(i) => {
                    for (to, from) in to.iter_mut().zip(&row[i * c..(i + 1) * c]) {
                        *to = N::prepare(*from);
                    }
                }
                None => to.fill(N::ZERO),
            }
        }
    }
}
