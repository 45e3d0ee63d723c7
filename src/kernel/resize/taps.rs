//! Separable filters with a fixed number of taps: linear, cubic, Lanczos, and AREA where an axis grows.
//!
//! Source rows are resampled along x once, kept in a ring of as many rows as the filter is high, and blended along y.
//! u8 sources are summed in integers along x. Linear keeps 7 fractional bits in i16 and blends with 11-bit weights,
//! which is OpenCV's arithmetic to the bit; the others keep the whole sum as f32.

use super::axis::Taps;
use crate::image::{Plane, RowsMut, Sample};
#[cfg(target_arch = "x86_64")]
use crate::kernel::x86::resize::Shuffle;
use crate::simd;

/// Bytes past a line that a vector load may touch.
pub(super) const SLACK: usize = 64;

/// How a source row becomes a line in which every tap of every output pixel is present, clamped ones included.
#[derive(Debug)]
enum Fetch {
    /// Columns `lo..hi`, clamped.
    Span { lo: i32, hi: i32 },
    /// The taps of each output pixel, pair after pair: the filter skips most columns.
    Pairs,
}

/// Weights along x for u8 lines: fixed point, `k` for each output pixel.
#[derive(Debug)]
struct Fixed {
    w: Vec<i32>,
    /// The weights as the hand-written kernels read them, with their shuffle.
    #[cfg(target_arch = "x86_64")]
    fast: Option<(Shuffle, Vec<i32>, bool)>,
    /// Linear: the sum is shifted to 7 fractional bits.
    narrow: bool,
}

/// The filter with its tables and row ring.
#[derive(Debug)]
pub(super) struct Filter {
    src: (usize, usize),
    c: usize,
    x: Taps,
    y: Taps,
    fetch: Fetch,
    /// Where tap 0 of each output pixel lies in the line.
    off: Vec<u32>,
    /// From a pair of taps to the next in the line.
    pair: usize,
    fixed: Option<Fixed>,
    line8: Vec<u8>,
    line32: Vec<f32>,
    /// Which source row each slot of the ring holds.
    tags: [usize; 8],
    ring16: Vec<i16>,
    ring32: Vec<f32>,
}

impl Filter {
    /// `one` is the fixed-point weight 1 for u8 sources (0: float sources); `narrow` keeps i16 rows.
    pub fn new(src: (usize, usize), c: usize, x: Taps, mut y: Taps, one: i32, narrow: bool) -> Filter {
        let n = x.first.len();
        let (lo, hi) = x.span();
        let (fetch, off, pair): (_, Vec<u32>, _) = if ((hi - lo) as usize) < 3 * n + 16 {
            (Fetch::Span { lo, hi }, x.first.iter().map(|s| (s - lo) as u32 * c as u32).collect(), 2 * c)
        } else {
            (Fetch::Pairs, (0..n as u32).map(|i| i * 2 * c as u32).collect(), 2 * c * n)
        };
        let fixed = (one > 0).then(|| {
            let fix = |w: f32| (w * one as f32).round_ties_even() as i32;
            if !narrow {
                // The lines carry the factor `one`; Lanczos rounds its weights along y as those along x.
                let fine = one > 1 << 14;
                y.w.iter_mut().for_each(|w| *w = if fine { *w } else { fix(*w) as f32 / one as f32 } / one as f32);
            }
            let w: Vec<i32> = x.w.iter().map(|w| fix(*w)).collect();
            Fixed {
                #[cfg(target_arch = "x86_64")]
                fast: Shuffle::new(simd::level(), &off, c, narrow).map(|s| {
                    let split = one > 1 << 14;
                    let w = s.weights(&w, x.k, narrow, split);
                    (s, w, split)
                }),
                w,
                narrow,
            }
        });
        Filter {
            src,
            c,
            x,
            y,
            fetch,
            off,
            pair,
            fixed,
            line8: Vec::new(),
            line32: Vec::new(),
            tags: [usize::MAX; 8],
            ring16: Vec::new(),
            ring32: Vec::new(),
        }
    }

    /// Forgets the rows of the plane before.
    pub fn start(&mut self) {
        self.tags = [usize::MAX; 8];
    }

    /// Elements of one ring row: those of an output row, padded to whole vectors.
    fn n(&self) -> usize {
        (self.x.first.len() * self.c).next_multiple_of(64)
    }

    /// Brings the source rows of output row `y` into the ring; returns their slots.
    fn rows_of<T: Sample>(
        &mut self,
        src: &Plane<T>,
        y: usize,
        line: fn(&mut Filter, &Plane<T>, usize, usize),
    ) -> [usize; 8] {
        let k = self.y.k;
        let mut slots = [0; 8];
        for (t, slot) in slots.iter_mut().enumerate().take(k) {
            let sy = (self.y.first[y] + t as i32).clamp(0, self.src.1 as i32 - 1) as usize;
            *slot = sy % k;
            if self.tags[sy % k] != sy {
                line(self, src, sy, sy % k);
                self.tags[sy % k] = sy;
            }
        }
        slots
    }

    /// Output rows of a u8 plane.
    pub fn rows_u8(&mut self, src: &Plane<u8>, y0: usize, out: &mut RowsMut<u8>) {
        let (n, k) = (self.n(), self.y.k);
        let narrow = self.fixed.as_ref().expect("built for u8").narrow;
        if narrow {
            self.ring16.resize(k * n, 0);
        } else {
            self.ring32.resize(k * n, 0.0);
        }
        for i in 0..out.n {
            let y = y0 + i;
            let slots = self.rows_of(src, y, Filter::line_u8);
            let w = &self.y.w[y * k..(y + 1) * k];
            if narrow {
                let fix = |w: f32| (w * 2048.0).round_ties_even() as i16;
                let [a, b] = [slots[0], slots[1]].map(|s| &self.ring16[s * n..(s + 1) * n]);
                blend_i16(a, b, fix(w[0]), fix(w[1]), out.row(i));
            } else {
                blend(&self.ring32, n, &slots[..k], w, out.row(i));
            }
        }
    }

    /// Output rows of a float plane.
    pub fn rows_f32(&mut self, src: &Plane<f32>, y0: usize, out: &mut RowsMut<f32>) {
        let (n, k) = (self.n(), self.y.k);
        self.ring32.resize(k * n, 0.0);
        for i in 0..out.n {
            let y = y0 + i;
            let slots = self.rows_of(src, y, Filter::line_f32);
            blend(&self.ring32, n, &slots[..k], &self.y.w[y * k..(y + 1) * k], out.row(i));
        }
    }

    fn line_u8(&mut self, src: &Plane<u8>, sy: usize, slot: usize) {
        let (n, c) = (self.n(), self.c);
        fetch(&self.fetch, &self.x, src.row(sy), c, &mut self.line8);
        let fixed = self.fixed.as_ref().expect("built for u8");
        let at = slot * n..(slot + 1) * n;
        #[cfg(target_arch = "x86_64")]
        if let Some((shuffle, w, split)) = &fixed.fast {
            return match fixed.narrow {
                true => shuffle.narrow(&self.line8, w, &mut self.ring16[at]),
                false => shuffle.whole(&self.line8, self.pair, w, self.x.k, *split, &mut self.ring32[at]),
            };
        }
        if fixed.narrow {
            match c {
                1 => narrow::<1>(&self.line8, &self.off, &fixed.w, c, &mut self.ring16[at]),
                3 => narrow::<3>(&self.line8, &self.off, &fixed.w, c, &mut self.ring16[at]),
                4 => narrow::<4>(&self.line8, &self.off, &fixed.w, c, &mut self.ring16[at]),
                _ => narrow::<0>(&self.line8, &self.off, &fixed.w, c, &mut self.ring16[at]),
            }
        } else {
            let (pair, out) = (self.pair, &mut self.ring32[at]);
            match (self.x.k, c) {
                (4, 1) => wide::<4, 1>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (4, 3) => wide::<4, 3>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (4, 4) => wide::<4, 4>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (4, _) => wide::<4, 0>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (_, 1) => wide::<8, 1>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (_, 3) => wide::<8, 3>(&self.line8, &self.off, pair, &fixed.w, c, out),
                (_, 4) => wide::<8, 4>(&self.line8, &self.off, pair, &fixed.w, c, out),
                _ => wide::<8, 0>(&self.line8, &self.off, pair, &fixed.w, c, out),
            }
        }
    }

    fn line_f32(&mut self, src: &Plane<f32>, sy: usize, slot: usize) {
        let (n, c) = (self.n(), self.c);
        fetch(&self.fetch, &self.x, src.row(sy), c, &mut self.line32);
        let (pair, out) = (self.pair, &mut self.ring32[slot * n..(slot + 1) * n]);
        let (line, off, w) = (&self.line32, &self.off, &self.x.w);
        match (self.x.k, c) {
            (2, 1) => float::<2, 1>(line, off, pair, w, c, out),
            (2, 3) => float::<2, 3>(line, off, pair, w, c, out),
            (2, 4) => float::<2, 4>(line, off, pair, w, c, out),
            (2, _) => float::<2, 0>(line, off, pair, w, c, out),
            (4, 1) => float::<4, 1>(line, off, pair, w, c, out),
            (4, 3) => float::<4, 3>(line, off, pair, w, c, out),
            (4, 4) => float::<4, 4>(line, off, pair, w, c, out),
            (4, _) => float::<4, 0>(line, off, pair, w, c, out),
            (_, 1) => float::<8, 1>(line, off, pair, w, c, out),
            (_, 3) => float::<8, 3>(line, off, pair, w, c, out),
            (_, 4) => float::<8, 4>(line, off, pair, w, c, out),
            _ => float::<8, 0>(line, off, pair, w, c, out),
        }
    }
}

/// Fills the line from a source row.
fn fetch<T: Sample>(how: &Fetch, x: &Taps, row: &[T], c: usize, line: &mut Vec<T>) {
    let w = (row.len() / c) as i32;
    match *how {
        Fetch::Span { lo, hi } => {
            line.resize((hi - lo) as usize * c + SLACK, T::default());
            let (a, b) = (lo.clamp(0, w), hi.clamp(0, w));
            let (head, rest) = line.split_at_mut((a - lo) as usize * c);
            let (body, tail) = rest.split_at_mut((b - a) as usize * c);
            head.chunks_exact_mut(c).for_each(|p| p.copy_from_slice(&row[..c]));
            body.copy_from_slice(&row[a as usize * c..b as usize * c]);
            let last = &row[row.len() - c..];
            tail[..(hi - b) as usize * c].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(last));
        }
        Fetch::Pairs => {
            let n = x.first.len();
            line.resize(n * x.k * c + SLACK, T::default());
            for (i, plane) in line[..n * x.k * c].chunks_exact_mut(2 * c * n).enumerate() {
                match c {
                    1 => pairs::<T, 1>(row, &x.first, 2 * i as i32, w, c, plane),
                    3 => pairs::<T, 3>(row, &x.first, 2 * i as i32, w, c, plane),
                    4 => pairs::<T, 4>(row, &x.first, 2 * i as i32, w, c, plane),
                    _ => pairs::<T, 0>(row, &x.first, 2 * i as i32, w, c, plane),
                }
            }
        }
    }
}

/// Two neighbouring pixels for each output pixel. `C` is `c`, or 0 if only known at run time.
fn pairs<T: Sample, const C: usize>(row: &[T], first: &[i32], tap: i32, w: i32, c: usize, out: &mut [T]) {
    let c = if C > 0 { C } else { c };
    for (p, s) in out.chunks_exact_mut(2 * c).zip(first) {
        let s = s + tap;
        if s >= 0 && s + 1 < w {
            p.copy_from_slice(&row[s as usize * c..][..2 * c]);
        } else {
            let (a, b) = p.split_at_mut(c);
            a.copy_from_slice(&row[s.clamp(0, w - 1) as usize * c..][..c]);
            b.copy_from_slice(&row[(s + 1).clamp(0, w - 1) as usize * c..][..c]);
        }
    }
}

simd! {
    /// Two taps in 11-bit weights, kept with 7 fractional bits. `C` is `c`, or 0 if only known at run time.
    fn narrow[const C: usize][C](line: &[u8], off: &[u32], w: &[i32], c: usize, out: &mut [i16]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<2>().0) {
            let s = &line[o as usize..][..2 * c];
            for (i, p) in p.iter_mut().enumerate() {
                *p = ((s[i] as i32 * w[0] + s[c + i] as i32 * w[1]) >> 4) as i16;
            }
        }
    }
}

simd! {
    /// `K` taps in fixed point, kept whole.
    fn wide[const K: usize, const C: usize][K, C](line: &[u8], off: &[u32], pair: usize, w: &[i32], c: usize, out: &mut [f32]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<K>().0) {
            for (i, p) in p.iter_mut().enumerate() {
                let mut sum = 0;
                for t in 0..K {
                    sum += line[o as usize + t / 2 * pair + t % 2 * c + i] as i32 * w[t];
                }
                *p = sum as f32;
            }
        }
    }
}

simd! {
    /// `K` taps in f32, summed in order.
    fn float[const K: usize, const C: usize][K, C](line: &[f32], off: &[u32], pair: usize, w: &[f32], c: usize, out: &mut [f32]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<K>().0) {
            for (i, p) in p.iter_mut().enumerate() {
                let mut sum = line[o as usize + i] * w[0];
                for t in 1..K {
                    sum += line[o as usize + t / 2 * pair + t % 2 * c + i] * w[t];
                }
                *p = sum;
            }
        }
    }
}

simd! {
    /// Two rows of 7 fractional bits blended with 11-bit weights; each product loses its low 16 bits, as in OpenCV.
    fn blend_i16(a: &[i16], b: &[i16], wa: i16, wb: i16, out: &mut [u8]) {
        let n = out.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in 0..n {
            let p = (a[i] as i32 * wa as i32) >> 16;
            let q = (b[i] as i32 * wb as i32) >> 16;
            out[i] = ((p as i16 + q as i16 + 2) >> 2) as u8;
        }
    }
}

/// Weighted sum of ring rows, in order.
fn blend<T: Sample>(ring: &[f32], n: usize, slots: &[usize], w: &[f32], out: &mut [T]) {
    let row = |t: usize| &ring[slots[t] * n..(slots[t] + 1) * n];
    match slots.len() {
        2 => blend_f32([row(0), row(1)], [w[0], w[1]], out),
        4 => blend_f32([row(0), row(1), row(2), row(3)], [w[0], w[1], w[2], w[3]], out),
        _ => blend_f32(std::array::from_fn::<_, 8, _>(row), std::array::from_fn(|t| w[t]), out),
    }
}

simd! {
    fn blend_f32[T: Sample, const K: usize][T, K](rows: [&[f32]; K], w: [f32; K], out: &mut [T]) {
        let n = out.len();
        let rows = rows.map(|r| &r[..n]);
        for i in 0..n {
            let mut sum = rows[0][i] * w[0];
            for t in 1..K {
                sum += rows[t][i] * w[t];
            }
            out[i] = T::from_f32(sum);
        }
    }
}
