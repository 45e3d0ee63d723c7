//! Kernels that do not separate.

use super::number::{Tap, Term, sum_pairs_and_taps};
use super::ring::{Frame, Ring, Run, slots, tile_width};
use crate::image::{Border, Plane, RowsMut, Sample};

/// Row and column of a tap, counted from the first one.
type Place = (usize, usize);

/// A k×k correlation kernel, computed in f32; bytes round half to even and saturate.
#[derive(Clone, Debug)]
pub struct Conv {
    border: Border,
    /// Rows and columns to either side of the centre, without those whose weights are all 0.
    radius: (usize, usize),
    /// Two taps of equal weight, which cost one product.
    pairs: Vec<(Place, Place, f32)>,
    /// Taps without a partner.
    singles: Vec<(Place, f32)>,
    ring: Ring<f32>,
    acc: Vec<f32>,
    run: Run,
    /// Where the lines of an output row begin.
    lines: Vec<usize>,
    terms: Vec<Term<f32>>,
    taps: Vec<Tap>,
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
        let (pairs, singles) = pair_up(&taps, (centre - radius.0, centre - radius.1));
        Conv {
            border,
            radius,
            pairs,
            singles,
            ring: Ring::new(),
            acc: Vec::new(),
            run: Run::default(),
            lines: Vec::new(),
            terms: Vec::new(),
            taps: Vec::new(),
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
        let tile = tile_width::<f32>(2 * ry + 1, w, c);
        let frame = Frame { x0, w, source: (src.w, h, c) };
        self.ring.bind(frame, w.div_ceil(tile), slots(2 * ry + 1, h, self.border), (tile + 2 * rx) * c);
        self.acc.resize(tile * c, 0.0);
        for (t, x) in (x0..x0 + w).step_by(tile).enumerate() {
            let n = tile.min(x0 + w - x) * c;
            self.run.set(x as isize - rx as isize, n / c + 2 * rx, src.w, c, self.border);
            self.lines.clear();
            self.lines.resize(2 * ry + 1, 0);
            for i in 0..out.n {
                // From row to row the lines move up by one; only the last one is new.
                self.lines.rotate_left(1);
                for k in if i == 0 { 0 } else { 2 * ry }..2 * ry + 1 {
                    let y = self.border.fold((y0 + i + k) as isize - ry as isize, h);
                    self.lines[k] = self.ring.line(t, y, |y, line| {
                        let line = &mut line[..n + 2 * rx * c];
                        self.run.prepare(src.row(y), c, line);
                    });
                }
                let at = |(y, x): Place| self.lines[y] + x * c;
                self.terms.clear();
                self.terms.extend(self.pairs.iter().map(|&(a, b, w)| (at(a), at(b), w)));
                self.taps.clear();
                self.taps.extend(self.singles.iter().map(|&(a, w)| (at(a), w)));
                let out = &mut out.row(i)[(x - x0) * c..][..n];
                sum_pairs_and_taps(out, &mut self.acc[..n], self.ring.values(), &self.terms, &self.taps);
            }
        }
    }
}

/// Joins taps of equal weight two by two.
#[allow(clippy::type_complexity)]
fn pair_up(taps: &[(usize, usize, f64)], origin: Place) -> (Vec<(Place, Place, f32)>, Vec<(Place, f32)>) {
    let place = |t: &(usize, usize, f64)| (t.0 - origin.0, t.1 - origin.1);
    let mut waiting: Vec<&(usize, usize, f64)> = Vec::new();
    let mut pairs = Vec::new();
    for t in taps {
        match waiting.iter().position(|o| o.2 == t.2) {
            Some(i) => pairs.push((place(waiting.remove(i)), place(t), t.2 as f32)),
            None => waiting.push(t),
        }
    }
    (pairs, waiting.into_iter().map(|t| (place(t), t.2 as f32)).collect())
}
