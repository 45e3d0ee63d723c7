//! Where each output index of one axis reads, and with which weights. Numbers follow OpenCV's, rounding included.

use crate::simd;

/// `k` consecutive source indices and their weights for each output index.
#[derive(Debug)]
pub(super) struct Taps {
    /// Taps of one output index, even.
    pub k: usize,
    /// First source index of each output index; it and the following ones are clamped to the axis by the reader.
    pub first: Vec<i32>,
    /// Weights, `k` for each output index.
    pub w: Vec<f32>,
}

/// How an axis of `n` pixels scales. OpenCV takes the reciprocal of the reciprocal in some places and not in others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    /// Source length.
    pub n: usize,
    /// Output pixels a source pixel.
    inverse: f64,
    /// Source pixels an output pixel, as the reciprocal of `inverse`.
    step: f64,
    /// The same, directly.
    direct: f64,
}

impl Ratio {
    /// From `n` to `m` pixels, by `factor` if it is not that of the lengths.
    pub fn new(n: usize, m: usize, factor: Option<f64>) -> Ratio {
        let inverse = factor.unwrap_or(m as f64 / n as f64);
        let step = 1.0 / inverse;
        Ratio { n, inverse, step, direct: if factor.is_some() { step } else { n as f64 / m as f64 } }
    }

    /// The whole number of source pixels of an output pixel, to within f64's precision, if it is one and `m` output
    /// pixels find them all.
    pub fn whole(&self, m: usize) -> Option<usize> {
        let r = self.step.round_ties_even();
        let k = r as usize;
        (r >= 1.0 && (self.step - r).abs() < f64::EPSILON && m * k <= self.n).then_some(k)
    }
}

/// Largest number added to an f64 below 2³¹ so that the low bits of the sum are its value rounded half to even.
const ROUND: f64 = 6_755_399_441_055_744.0;

simd! {
    /// Source position of the centre of each output pixel from `lo` on, as index and fraction. `narrow` rounds the
    /// position to f32 first, as OpenCV's integer filters do; its float filters (and its cubic) do not.
    fn centres(step: f64, lo: usize, narrow: bool, first: &mut [i32], frac: &mut [f64]) {
        for (i, (s, f)) in first.iter_mut().zip(frac).enumerate() {
            let p = ((lo + i) as u32 as f64 + 0.5) * step - 0.5;
            let p = if narrow { p as f32 as f64 } else { p };
            let whole = p.floor();
            *s = (whole + ROUND).to_bits() as i32;
            *f = p - whole;
        }
    }
}

simd! {
    /// Index and fraction where an axis grows under AREA: the boxes of the output pixels, stretched, meet the source
    /// pixels.
    fn stretched(step: f64, inv: f64, lo: usize, first: &mut [i32], frac: &mut [f64]) {
        for (i, (s, f)) in first.iter_mut().zip(frac).enumerate() {
            let d = (lo + i) as u32 as f64;
            let whole = (d * step).floor();
            let over = ((d + 1.0) - (whole + 1.0) * inv) as f32;
            *s = (whole + ROUND).to_bits() as i32;
            *f = if over <= 0.0 { 0.0 } else { over - over.floor() } as f64;
        }
    }
}

simd! {
    /// Weights times `one`, rounded half to even.
    pub(super) fn fix(w: &[f32], one: i32, out: &mut [i32]) {
        let (n, one) = (w.len(), one as f64);
        let out = &mut out[..n];
        for i in 0..n {
            out[i] = (w[i] as f64 * one + ROUND).to_bits() as i32;
        }
    }
}

/// Two taps at pixel centres. `snap` reads the edge pixel alone beyond the centre of the first or last pixel (OpenCV
/// does so along x); otherwise the two clamped taps share its weight.
pub(super) fn linear(r: Ratio, win: (usize, usize), narrow: bool, snap: bool) -> Taps {
    let (mut first, mut frac) = (vec![0; win.1], vec![0.0; win.1]);
    centres(r.direct, win.0, narrow, &mut first, &mut frac);
    Taps::linear(first, &frac, r.n, snap)
}

/// Two taps of OpenCV's AREA where an axis grows; `snap` as in `linear`.
pub(super) fn area_up(r: Ratio, win: (usize, usize), snap: bool) -> Taps {
    let (mut first, mut frac) = (vec![0; win.1], vec![0.0; win.1]);
    stretched(r.step, r.inverse, win.0, &mut first, &mut frac);
    Taps::linear(first, &frac, r.n, snap)
}

impl Taps {
    fn linear(mut first: Vec<i32>, frac: &[f64], n: usize, snap: bool) -> Taps {
        let mut w = vec![0.0; 2 * first.len()];
        let last = n as i32 - 1;
        for ((w, s), f) in w.as_chunks_mut::<2>().0.iter_mut().zip(&mut first).zip(frac) {
            let f = if snap && (*s < 0 || *s >= last) { 0.0 } else { *f as f32 };
            *s = if snap { (*s).clamp(0, last) } else { *s };
            *w = [1.0 - f, f];
        }
        Taps { k: 2, first, w }
    }

    /// Source indices that are read, those to be clamped included: first and one past the last.
    pub fn span(&self) -> (i32, i32) {
        (self.first[0], self.first[self.first.len() - 1] + self.k as i32)
    }
}

simd! {
    fn keys(first: &mut [i32], frac: &[f64], w: &mut [f32]) {
        const A: f64 = -0.75;
        for ((w, s), &x) in w.as_chunks_mut::<4>().0.iter_mut().zip(first).zip(frac) {
            let (t, y) = (x + 1.0, 1.0 - x);
            let w0 = ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
            let w1 = ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
            let w2 = ((A + 2.0) * y - (A + 3.0)) * y * y + 1.0;
            *w = [w0 as f32, w1 as f32, w2 as f32, (1.0 - w0 - w1 - w2) as f32];
            *s -= 1;
        }
    }
}

/// Four taps of Keys' cubic with a = −0.75.
pub(super) fn cubic(r: Ratio, win: (usize, usize)) -> Taps {
    let (mut first, mut frac) = (vec![0; win.1], vec![0.0; win.1]);
    centres(r.direct, win.0, false, &mut first, &mut frac);
    let mut w = vec![0.0; 4 * win.1];
    keys(&mut first, &frac, &mut w);
    Taps { k: 4, first, w }
}

/// Eight taps of sinc(t)·sinc(t/4), normalised.
pub(super) fn lanczos(r: Ratio, win: (usize, usize)) -> Taps {
    const H: f64 = std::f64::consts::FRAC_1_SQRT_2;
    // sin(π(x + 3 − i)/4) is the sine of π(x + 3)/4 turned back by multiples of 45°; sin(π(x + 3 − i)) changes its sign
    // from tap to tap, which is in the table, and its size is the same for all taps, which the sum takes out.
    const TURN: [(f64, f64); 8] =
        [(1.0, 0.0), (-H, H), (0.0, -1.0), (H, H), (-1.0, 0.0), (H, -H), (0.0, 1.0), (-H, -H)];
    let (mut first, mut frac) = (vec![0; win.1], vec![0.0; win.1]);
    centres(r.direct, win.0, true, &mut first, &mut frac);
    let mut w = vec![0.0; 8 * win.1];
    for ((w, s), &x) in w.as_chunks_mut::<8>().0.iter_mut().zip(&mut first).zip(&frac) {
        *s -= 3;
        if x == 0.0 {
            w[3] = 1.0;
            continue;
        }
        let a = (x + 3.0) * std::f64::consts::FRAC_PI_4;
        let (sin, cos) = (crate::math::sin(a), crate::math::cos(a));
        let tap: [f64; 8] = std::array::from_fn(|i| {
            let t = x + 3.0 - i as f64;
            (TURN[i].0 * sin + TURN[i].1 * cos) / (t * t)
        });
        let sum: f64 = tap.iter().sum();
        *w = tap.map(|t| (t / sum) as f32);
    }
    Taps { k: 8, first, w }
}

/// Any number of source indices and their weights for each output index.
#[derive(Debug)]
pub(super) struct Boxes {
    /// First source index.
    pub first: Vec<u32>,
    /// Where the weights of each output index start; one more entry ends the last.
    pub at: Vec<u32>,
    /// Weights.
    pub w: Vec<f32>,
}

impl Boxes {
    /// Weights of output index `i`.
    #[inline(always)]
    pub fn weights(&self, i: usize) -> &[f32] {
        &self.w[self.at[i] as usize..self.at[i + 1] as usize]
    }

    /// Source indices that are read: first and one past the last.
    pub fn span(&self) -> (usize, usize) {
        let last = self.first.len() - 1;
        (self.first[0] as usize, self.first[last] as usize + self.weights(last).len())
    }
}

impl Boxes {
    /// The same as taps, if there are no more than `most` for each output index.
    pub fn taps(&self, most: usize) -> Option<Taps> {
        let k = self.at.windows(2).map(|a| a[1] - a[0]).max()? as usize;
        let k = k.next_multiple_of(2);
        if k > most {
            return None;
        }
        let mut w = vec![0.0; k * self.first.len()];
        for (i, w) in w.chunks_exact_mut(k).enumerate() {
            let from = self.weights(i);
            w[..from.len()].copy_from_slice(from);
        }
        Some(Taps { k, first: self.first.iter().map(|s| *s as i32).collect(), w })
    }
}

/// Boxes of `k` whole pixels, each with weight 1.
pub(super) fn whole_boxes(k: usize, n: usize, win: (usize, usize)) -> Boxes {
    let mut b = Boxes { first: Vec::with_capacity(win.1), at: vec![0], w: Vec::new() };
    for d in win.0..win.0 + win.1 {
        debug_assert!((d + 1) * k <= n);
        b.first.push((d * k) as u32);
        b.w.resize(b.w.len() + k, 1.0);
        b.at.push(b.w.len() as u32);
    }
    b
}

/// The pixels under each output pixel, those at the rim with the covered part; weights sum to 1.
pub(super) fn area(r: Ratio, win: (usize, usize)) -> Boxes {
    let mut b = Boxes { first: Vec::with_capacity(win.1), at: Vec::with_capacity(win.1 + 1), w: Vec::new() };
    b.at.push(0);
    let (n, step) = (r.n, r.step);
    for d in win.0..win.0 + win.1 {
        let lo = d as f64 * step;
        let hi = lo + step;
        let cell = step.min(n as f64 - lo);
        let s2 = hi.floor().min(n as f64 - 1.0);
        let s1 = lo.ceil().min(s2);
        // Slivers are left out as OpenCV leaves them out.
        let head = s1 - lo > 1e-3;
        b.first.push(s1 as u32 - head as u32);
        if head {
            b.w.push(((s1 - lo) / cell) as f32);
        }
        b.w.resize(b.w.len() + (s2 - s1) as usize, (1.0 / cell) as f32);
        if hi - s2 > 1e-3 {
            b.w.push(((hi - s2).min(1.0).min(cell) / cell) as f32);
        }
        b.at.push(b.w.len() as u32);
    }
    b
}

/// floor(d · in/out).
pub(super) fn nearest(r: Ratio, win: (usize, usize)) -> Vec<u32> {
    let (n, step) = (r.n, r.step);
    (win.0..win.0 + win.1).map(|d| ((d as f64 * step).floor() as usize).min(n - 1) as u32).collect()
}

/// floor((d + ½) · in/out), where the position is summed up step by step: OpenCV's ties depend on that.
pub(super) fn nearest_exact(r: Ratio, win: (usize, usize)) -> Vec<u32> {
    let (n, step) = (r.n, r.direct);
    let mut p = step * 0.5;
    let mut out = Vec::with_capacity(win.1);
    for d in 0..win.0 + win.1 {
        if d >= win.0 {
            out.push((p as usize).min(n - 1) as u32);
        }
        p += step;
    }
    out
}
