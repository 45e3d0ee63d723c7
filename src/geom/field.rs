//! Fields: a source position for every output pixel, as two planes of f32; and the axis tables of GridDistortion.
//!
//! A field has no forward formula, so rows are found by looking for the output pixels that read them. One scan notes
//! the bounds of the source positions in blocks of a row; each row then looks only into blocks that can matter.

use super::boxes::BoxRow;
use super::points::{HALF, Point, centre_from_edge, edge_from_centre};
use crate::error::{Error, Result};
use std::sync::OnceLock;

/// Output pixels of a row whose source bounds are noted together.
const BLOCK: usize = 64;

/// A field, borrowed.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    xs: &'a [f32],
    ys: &'a [f32],
    to: [usize; 2],
    from: [usize; 2],
    index: OnceLock<Index>,
}

/// Bounds x0, y0, x1, y1 of source positions; NaN is never part of one.
#[derive(Clone, Debug)]
struct Index {
    /// Of each block, row by row.
    blocks: Vec<[f32; 4]>,
    /// Of each row.
    rows: Vec<[f32; 4]>,
}

const NOTHING: [f32; 4] = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];

/// Least and greatest of values.
fn range(values: &[f32]) -> [f32; 2] {
    // Eight running pairs, so that the compiler may keep them in vector registers.
    let (mut low, mut high) = ([f32::INFINITY; 8], [f32::NEG_INFINITY; 8]);
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for k in 0..8 {
            low[k] = low[k].min(eight[k]);
            high[k] = high[k].max(eight[k]);
        }
    }
    let low = low.iter().chain(rest).copied().fold(f32::INFINITY, f32::min);
    [low, high.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)]
}

/// The least and the greatest f32 that round (half to even) into the integers low ..= high.
fn rounds_into(low: f64, high: f64) -> [f32; 2] {
    let (a, b) = ((low - 0.5) as f32, (high + 0.5) as f32);
    let is_odd = |v: f64| v % 2.0 != 0.0;
    [if is_odd(low) { a.next_up() } else { a }, if is_odd(high) { b.next_down() } else { b }]
}

/// Where a field shows a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    /// Output position in edge coordinates.
    pub(crate) to: [f64; 2],
    /// The source position shown there, in edge coordinates: the one asked for, unless that lies outside.
    pub(crate) from: [f64; 2],
}

/// The end of a run of equal sources, and the source of the pixel behind it.
type Side = (usize, [f64; 2]);

impl<'a> Field<'a> {
    /// The field of planes `xs`, `ys` (w × h of the output `to`) that read a frame of size `from`.
    pub fn new(xs: &'a [f32], ys: &'a [f32], to: [usize; 2], from: [usize; 2]) -> Field<'a> {
        assert!(xs.len() == to[0] * to[1] && ys.len() == xs.len(), "planes of the size of the output");
        Field { xs, ys, to, from, index: OnceLock::new() }
    }

    /// Output width and height.
    pub fn to(&self) -> [usize; 2] {
        self.to
    }

    /// Source width and height.
    pub fn from(&self) -> [usize; 2] {
        self.from
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let w = self.to[0].max(1);
            let mut index = Index { blocks: Vec::new(), rows: Vec::with_capacity(self.to[1]) };
            for (xs, ys) in self.xs.chunks(w).zip(self.ys.chunks(w)) {
                let first = index.blocks.len();
                index.blocks.extend(xs.chunks(BLOCK).zip(ys.chunks(BLOCK)).map(|(xs, ys)| {
                    let (x, y) = (range(xs), range(ys));
                    [x[0], y[0], x[1], y[1]]
                }));
                index.rows.push(
                    index.blocks[first..]
                        .iter()
                        .fold(NOTHING, |a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]),
                );
            }
            index
        })
    }

    /// Source positions of output row `row`, block `k` of it, and the column of the first.
    fn block(&self, row: usize, k: usize) -> (usize, &[f32], &[f32]) {
        let (w, x) = (self.to[0], k * BLOCK);
        let range = row * w + x..row * w + w.min(x + BLOCK);
        (x, &self.xs[range.clone()], &self.ys[range])
    }

    /// The output pixel whose source is nearest to a centre position; the first one of equals.
    fn nearest(&self, p: [f64; 2]) -> Option<(usize, usize)> {
        let Index { blocks, rows } = self.index();
        let across = self.to[0].div_ceil(BLOCK);
        let square = |x: f32, y: f32| {
            let (dx, dy) = (f64::from(x) - p[0], f64::from(y) - p[1]);
            dx * dx + dy * dy
        };
        let beyond = |v: f64, low: f32, high: f32| {
            let (low, high) = (f64::from(low), f64::from(high));
            if v < low {
                low - v
            } else if v > high {
                v - high
            } else {
                0.0
            }
        };
        // No pixel within the bounds is nearer.
        let near = |b: &[f32; 4]| {
            let (dx, dy) = (beyond(p[0], b[0], b[2]), beyond(p[1], b[1], b[3]));
            dx * dx + dy * dy
        };
        let likely = |list: &[[f32; 4]]| {
            let least =
                list.iter().map(near).enumerate().fold((0, f64::INFINITY), |m, v| if v.1 < m.1 { v } else { m });
            least.0
        };
        if blocks.is_empty() {
            return None;
        }
        // A likely block gives a bound for the search proper.
        let row = likely(rows);
        let (_, xs, ys) = self.block(row, likely(&blocks[row * across..(row + 1) * across]));
        let mut best = xs.iter().zip(ys).fold(f64::INFINITY, |m, (&x, &y)| m.min(square(x, y)));
        let mut hit = None;
        for (row, bound) in rows.iter().enumerate() {
            if near(bound) > best {
                continue;
            }
            for (k, b) in blocks[row * across..(row + 1) * across].iter().enumerate() {
                if near(b) > best {
                    continue;
                }
                let (start, xs, ys) = self.block(row, k);
                for (i, (&x, &y)) in xs.iter().zip(ys).enumerate() {
                    let d = square(x, y);
                    if d < best || (d == best && hit.is_none()) {
                        best = d;
                        hit = Some((start + i, row));
                    }
                }
            }
        }
        hit
    }

    fn source(&self, x: usize, y: usize) -> [f64; 2] {
        let i = y * self.to[0] + x;
        [f64::from(self.xs[i]), f64::from(self.ys[i])]
    }

    /// Source steps to the next output pixel in x and in y, one-sided at the frame.
    fn steps(&self, x: usize, y: usize) -> [[f64; 2]; 2] {
        let step = |n: usize, at: usize, along: &dyn Fn(usize) -> [f64; 2]| {
            let (low, high) = (at.saturating_sub(1), (at + 1).min(n - 1));
            if low == high {
                return [0.0, 0.0];
            }
            let (a, b, n) = (along(low), along(high), (high - low) as f64);
            [(b[0] - a[0]) / n, (b[1] - a[1]) / n]
        };
        [step(self.to[0], x, &|x| self.source(x, y)), step(self.to[1], y, &|y| self.source(x, y))]
    }

    /// The boxes of 2.0.8: a box is the pixels from its rounded first to its rounded last edge, both included; the new
    /// box spans the indices of the output pixels that read one of them. Without any the box goes (2.0.8 left it where
    /// it was).
    pub(crate) fn boxes(&self, rows: &mut Vec<BoxRow>) {
        let clamp = |v: f64, n: usize| v.round_ties_even().clamp(0.0, n as f64 - 1.0);
        rows.retain_mut(|row| {
            let [x0, y0, x1, y1] = row.edges;
            let x = [clamp(x0, self.from[0]), clamp(x1, self.from[0])];
            let y = [clamp(y0, self.from[1]), clamp(y1, self.from[1])];
            let span = self.span(x, y);
            row.edges = span.unwrap_or_default().map(|v| v as f64);
            span.is_some()
        });
    }

    /// The boxes of 2.0.8's meshes: pixels from the truncated first edge to before the truncated last one; the new box
    /// ends behind the last output pixel.
    pub(crate) fn half_open_boxes(&self, rows: &mut Vec<BoxRow>) {
        let clamp = |v: f64, n: usize| v.trunc().clamp(0.0, n as f64);
        rows.retain_mut(|row| {
            let [x0, y0, x1, y1] = row.edges;
            let x = [clamp(x0, self.from[0]), clamp(x1, self.from[0]) - 1.0];
            let y = [clamp(y0, self.from[1]), clamp(y1, self.from[1]) - 1.0];
            let span = if x[0] <= x[1] && y[0] <= y[1] { self.span(x, y) } else { None };
            let [x0, y0, x1, y1] = span.unwrap_or_default();
            row.edges = [x0, y0, x1 + 1, y1 + 1].map(|v| v as f64);
            span.is_some()
        });
    }

    /// First and last column and row, as x0, y0, x1, y1, of the output pixels whose rounded source lies in the columns
    /// and rows x[0] ..= x[1], y[0] ..= y[1].
    fn span(&self, x: [f64; 2], y: [f64; 2]) -> Option<[usize; 4]> {
        let Index { blocks, rows } = self.index();
        let across = self.to[0].div_ceil(BLOCK);
        let (x, y) = (rounds_into(x[0], x[1]), rounds_into(y[0], y[1]));
        let holds = |u: f32, v: f32| u >= x[0] && u <= x[1] && v >= y[0] && v <= y[1];
        let meets = |b: &[f32; 4]| b[0] <= x[1] && b[2] >= x[0] && b[1] <= y[1] && b[3] >= y[0];
        let mut span: Option<[usize; 4]> = None;
        for at in (0..rows.len()).filter(|&at| meets(&rows[at])) {
            for (k, _) in blocks[at * across..(at + 1) * across].iter().enumerate().filter(|(_, b)| meets(b)) {
                let (start, xs, ys) = self.block(at, k);
                let inside = |&i: &usize| holds(xs[i], ys[i]);
                let Some(first) = (0..xs.len()).find(inside) else { continue };
                let last = (0..xs.len()).rfind(inside).unwrap_or(first);
                let [x0, y0, x1, _] = span.unwrap_or([usize::MAX, at, 0, at]);
                span = Some([x0.min(start + first), y0, x1.max(start + last), at]);
            }
        }
        span
    }

    /// A keypoint goes to the output pixel whose source is nearest, and from there by up to half a pixel to where its own
    /// source would lie: a whole pixel errs by half a one, and by more with each further transform. It is lost when it
    /// lay outside the source or when that pixel reads a place further off than its neighbours are (or than 2.0.8's disc
    /// of radius 1 reaches).
    pub(crate) fn points(&self, rows: &mut Vec<Point>) {
        rows.retain_mut(|p| {
            let inside = |v: f64, n: usize| v.round_ties_even() >= 0.0 && v < n as f64;
            if !inside(p.x, self.from[0]) || !inside(p.y, self.from[1]) {
                return false;
            }
            let Some((x, y)) = self.nearest([p.x, p.y]) else { return false };
            if !self.reaches(x, y, [p.x, p.y]) {
                return false;
            }
            [p.x, p.y] = self.between(x, y, [p.x, p.y]);
            true
        });
    }

    /// True if output pixel (x, y) may be said to show source position p.
    fn reaches(&self, x: usize, y: usize, p: [f64; 2]) -> bool {
        let s = self.source(x, y);
        let whole = |k: usize| (s[k].round_ties_even() - p[k].round_ties_even()).abs();
        let square = |v: [f64; 2]| v[0] * v[0] + v[1] * v[1];
        // Half the diagonal of the widest cell between neighbours, squared.
        let cell: f64 = self
            .beside(x, y)
            .iter()
            .map(|a| a.iter().flatten().map(|(_, to)| square([to[0] - s[0], to[1] - s[1]])).fold(0.0, f64::max) / 4.0)
            .sum();
        whole(0) + whole(1) <= 1.0 || square([s[0] - p[0], s[1] - p[1]]) <= cell
    }

    /// For x and y, before and behind output pixel (x, y): where the run of pixels with its source ends (cells of
    /// GridDistortion meet in two such pixels), and the source of the next pixel, unless that lies outside the frame.
    fn beside(&self, x: usize, y: usize) -> [[Option<Side>; 2]; 2] {
        let s = self.source(x, y);
        [0, 1].map(|k| {
            let (at, n) = ([x, y][k], self.to[k]);
            let source = |v: usize| if k == 0 { self.source(v, y) } else { self.source(x, v) };
            let before = (0..at).rev().map(|v| (v + 1, source(v))).find(|(_, q)| *q != s);
            [before, (at + 1..n).map(|v| (v - 1, source(v))).find(|(_, q)| *q != s)]
        })
    }

    /// Where source position p lies about output pixel (x, y), whose source is the nearest: by the slope on its own side,
    /// from the end of a run of equal sources, in whose middle it is if nothing tells a side. Never outside the pixel
    /// centres.
    fn between(&self, x: usize, y: usize, p: [f64; 2]) -> [f64; 2] {
        let s = self.source(x, y);
        let toward = self.step(x, y, p);
        let (mut from, mut slopes) = ([x as f64, y as f64], self.steps(x, y));
        for (k, [before, behind]) in self.beside(x, y).into_iter().enumerate() {
            let (next, sign) = if toward[k] > 0.0 { (behind, 1.0) } else { (before, -1.0) };
            if toward[k] == 0.0 {
                let end = |side: Option<Side>| side.map_or(from[k], |(end, _)| end as f64);
                from[k] = (end(before) + end(behind)) / 2.0;
            } else if let Some((end, q)) = next {
                from[k] = end as f64;
                slopes[k] = [(q[0] - s[0]) * sign, (q[1] - s[1]) * sign];
            }
        }
        let step = solve(slopes, [p[0] - s[0], p[1] - s[1]]);
        [0, 1].map(|k| (from[k] + step[k].clamp(-HALF, HALF)).clamp(0.0, self.to[k] as f64 - 1.0))
    }

    /// How far beside output pixel (x, y) the source position p would lie by the local slope; 0 where there is none.
    fn step(&self, x: usize, y: usize, p: [f64; 2]) -> [f64; 2] {
        let s = self.source(x, y);
        solve(self.steps(x, y), [p[0] - s[0], p[1] - s[1]])
    }

    /// Output position of an edge point: the nearest output pixel, then a step along the local slope of the field, of
    /// at most a pixel and never out of the frame. `None` if the field is empty.
    pub(crate) fn edge(&self, e: [f64; 2]) -> Option<Hit> {
        let p = centre_from_edge(e);
        let (x, y) = self.nearest(p)?;
        let s = self.source(x, y);
        let [a, b] = self.steps(x, y);
        let step = self.step(x, y, p);
        let within = |v: f64, at: usize, n: usize| {
            let (low, high) = (if at == 0 { -HALF } else { -1.0 }, if at + 1 == n { HALF } else { 1.0 });
            v.clamp(low, high)
        };
        let step = [within(step[0], x, self.to[0]), within(step[1], y, self.to[1])];
        let from = [s[0] + a[0] * step[0] + b[0] * step[1], s[1] + a[1] * step[0] + b[1] * step[1]];
        Some(Hit { to: edge_from_centre([x as f64 + step[0], y as f64 + step[1]]), from: edge_from_centre(from) })
    }
}

/// The multiples of a and b that add up to d; none if they do not span the plane.
fn solve([a, b]: [[f64; 2]; 2], d: [f64; 2]) -> [f64; 2] {
    let det = a[0] * b[1] - a[1] * b[0];
    if det.abs() > 1e-6 { [(d[0] * b[1] - d[1] * b[0]) / det, (a[0] * d[1] - a[1] * d[0]) / det] } else { [0.0, 0.0] }
}

/// The steps of GridDistortion scaled so that an axis of `side` pixels stays within itself: the last one by the share of
/// a cell that is left over, then all so that they add up to the axis.
pub fn normalise_steps(steps: &mut [f64], side: usize) -> Result<()> {
    let (n, cell) = cells(steps, side)?;
    let last = side.min((n + 1) * cell) - n * cell;
    if let Some(v) = steps.last_mut() {
        *v *= last as f64 / cell as f64;
    }
    let sum: f64 = steps.iter().sum();
    let factor = side as f64 / cell as f64 / sum;
    steps.iter_mut().for_each(|v| *v *= factor);
    Ok(())
}

/// Source position of each pixel of an axis of `side` pixels, from one step more than there are cells. As in 2.0.8 each
/// cell includes both its ends, so positions repeat where cells meet, even if no step differs from 1.
pub fn axis_table(steps: &[f64], side: usize) -> Result<Vec<f32>> {
    let (_, cell) = cells(steps, side)?;
    let mut out = vec![0.0f32; side];
    let mut from = 0.0f64;
    for (values, step) in out.chunks_mut(cell).zip(steps) {
        let to = from + cell as f64 * step;
        let count = values.len();
        let each = (to - from) / (count - 1).max(1) as f64;
        for (i, v) in values.iter_mut().enumerate() {
            *v = if i > 0 && i + 1 == count { to as f32 } else { (i as f64 * each + from) as f32 };
        }
        from = to;
    }
    Ok(out)
}

/// Number of cells and pixels of a cell.
fn cells(steps: &[f64], side: usize) -> Result<(usize, usize)> {
    let n = steps.len().saturating_sub(1);
    if n == 0 || n > side {
        return Err(Error::value(format!("num_steps ({n}) must be from 1 to the shorter side of the image ({side})")));
    }
    Ok((n, side / n))
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
