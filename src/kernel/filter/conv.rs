//! Kernels that do not separate.

use super::number::Number;
use super::ring::{Frame, Line, Ring, slots, tile_width, widen_row};
use crate::image::{Border, Plane, RowsMut, Sample};

/// Two taps of equal weight: (row, column) of each, counted from the first tap, and the weight. A single tap is a pair
/// with itself at half the weight.
type Pair = ((usize, usize), (usize, usize), f32);

/// A k×k correlation kernel, computed in f32; bytes round half to even and saturate.
#[derive(Clone, Debug)]
pub struct Conv {
    border: Border,
    /// Rows and columns to either side of the centre, without those whose weights are all 0.
    radius: (usize, usize),
    pairs: Vec<Pair>,
    ring: Ring<f32>,
    acc: Vec<f32>,
    lines: Vec<Line>,
}

impl Conv {
    /// `k`² weights, row by row; k is odd.
    pub fn new(k: usize, weights: &[f64], border: Border) -> Self {
        assert!(k % 2 == 1 && weights.len() == k * k, "a kernel of {} weights is not {k}×{k}", weights.len());
        let centre = k / 2;
        let taps: Vec<(usize, usize, f64)> =
            (0..k * k).filter(|&i| weights[i] != 0.0).map(|i| (i / k, i % k, weights[i])).collect();
        let reach = |f: &dyn Fn(&(usize, usize, f64)) -> usize| taps.iter().map(|t| f(t).abs_diff(centre)).max();
        let radius = (reach(&|t| t.0).unwrap_or(0), reach(&|t| t.1).unwrap_or(0));
        Conv {
            border,
            radius,
            pairs: pairs(&taps, centre - radius.0, centre - radius.1),
            ring: Ring::new(),
            acc: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Forgets the source; to be called before the first rows of another one.
    pub fn start(&mut self) {
        self.ring.clear();
    }

    /// Filters the window of the frame whose top-left pixel is (x0, y0) and whose size is `out`'s.
    pub fn rows<T: Sample>(&mut self, src: &Plane<T>, x0: usize, y0: usize, out: &mut RowsMut<T>) {
        let (w, c, h) = (out.w, out.c, src.h);
        assert!(x0 + w <= src.w && y0 + out.n <= h && c == src.c);
        let (ry, rx) = self.radius;
        let tile = tile_width::<f32>(2 * ry + 1, c).min(w);
        let frame = Frame { x0, w, source: (src.w, h, c) };
        self.ring.bind(frame, w.div_ceil(tile), slots(2 * ry + 1, h, self.border), (tile + 2 * rx) * c);
        self.acc.resize(tile * c, 0.0);
        for (t, x) in (x0..x0 + w).step_by(tile).enumerate() {
            let n = tile.min(x0 + w - x) * c;
            for i in 0..out.n {
                self.lines.clear();
                for k in 0..2 * ry + 1 {
                    let line = self.border.fold((y0 + i + k) as isize - ry as isize, h).map(|y| {
                        let (slot, missing) = self.ring.claim(t, y);
                        if missing {
                            let row = &mut self.ring.row_mut(slot)[..n + 2 * rx * c];
                            widen_row(src, y, x as isize - rx as isize, self.border, row);
                        }
                        slot
                    });
                    self.lines.push(line);
                }
                let (ring, lines, pairs) = (&self.ring, &self.lines[..], &self.pairs[..]);
                let acc = &mut self.acc[..n];
                let out = &mut out.row(i)[(x - x0) * c..][..n];
                f32::sum_to(out, acc, 0.0, pairs.len(), |p| {
                    let (a, b, w) = pairs[p];
                    (&ring.line(lines[a.0])[a.1 * c..][..n], &ring.line(lines[b.0])[b.1 * c..][..n], w)
                });
            }
        }
    }
}

/// Joins taps of equal weight two by two, in the order of the first ones.
fn pairs(taps: &[(usize, usize, f64)], top: usize, left: usize) -> Vec<Pair> {
    let mut used = vec![false; taps.len()];
    let mut out = Vec::new();
    for i in 0..taps.len() {
        if std::mem::replace(&mut used[i], true) {
            continue;
        }
        let (y, x, w) = taps[i];
        let a = (y - top, x - left);
        // The mirrored tap is the likeliest partner and is looked for first.
        let other = (i + 1..taps.len()).rev().find(|&j| !used[j] && taps[j].2 == w);
        match other {
            Some(j) => {
                used[j] = true;
                out.push((a, (taps[j].0 - top, taps[j].1 - left), w as f32));
            }
            None => out.push((a, a, (w * 0.5) as f32)),
        }
    }
    out
}
