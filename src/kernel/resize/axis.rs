//! Where each output index of one axis reads, and with which weights. Numbers follow OpenCV's, rounding included.

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

/// How many source pixels one output pixel stands for: OpenCV takes the reciprocal of the reciprocal.
pub(super) fn scale(n: usize, m: usize) -> f64 {
    1.0 / (m as f64 / n as f64)
}

/// The whole number that `scale` is to within f64's precision, if it is one.
pub(super) fn whole_scale(n: usize, m: usize) -> Option<usize> {
    let s = scale(n, m);
    let r = s.round_ties_even();
    (r >= 1.0 && (s - r).abs() < f64::EPSILON).then_some(r as usize)
}

/// Source position of the centre of output pixel `d`, as index and fraction. `narrow` rounds the position to f32 first,
/// as OpenCV's integer filters do; its float filters (and its cubic) do not.
fn centre(n: usize, m: usize, d: usize, narrow: bool) -> (i32, f64) {
    let p = (d as f64 + 0.5) * (n as f64 / m as f64) - 0.5;
    let p = if narrow { p as f32 as f64 } else { p };
    let s = p.floor();
    (s as i32, p - s)
}

/// Two taps at pixel centres. `snap` reads the edge pixel alone beyond the centre of the first or last pixel (OpenCV
/// does so along x); otherwise the two clamped taps share its weight.
pub(super) fn linear(n: usize, m: usize, win: (usize, usize), narrow: bool, snap: bool) -> Taps {
    let mut t = Taps { k: 2, first: Vec::with_capacity(win.1), w: Vec::with_capacity(2 * win.1) };
    for d in win.0..win.0 + win.1 {
        let (s, f) = centre(n, m, d, narrow);
        t.push_linear(s, f as f32, n, snap);
    }
    t
}

/// Two taps of OpenCV's AREA where an axis grows: the boxes of the output pixels, stretched, meet the source pixels.
pub(super) fn area_up(n: usize, m: usize, win: (usize, usize), snap: bool) -> Taps {
    let mut t = Taps { k: 2, first: Vec::with_capacity(win.1), w: Vec::with_capacity(2 * win.1) };
    let (step, inv) = (scale(n, m), m as f64 / n as f64);
    for d in win.0..win.0 + win.1 {
        let s = (d as f64 * step).floor();
        let f = ((d as f64 + 1.0) - (s + 1.0) * inv) as f32;
        let f = if f <= 0.0 { 0.0 } else { f - f.floor() };
        t.push_linear(s as i32, f, n, snap);
    }
    t
}

impl Taps {
    fn push_linear(&mut self, s: i32, f: f32, n: usize, snap: bool) {
        let last = n as i32 - 1;
        let (s, f) = match snap {
            true if s < 0 => (0, 0.0),
            true if s >= last => (last, 0.0),
            _ => (s, f),
        };
        self.first.push(s);
        self.w.extend([1.0 - f, f]);
    }

    /// Span of source indices that are read, clamped ones included: first and one past the last.
    pub fn span(&self) -> (i32, i32) {
        let lo = self.first.iter().copied().min().unwrap_or(0);
        let hi = self.first.iter().copied().max().unwrap_or(0);
        (lo, hi + self.k as i32)
    }
}

/// Four taps of Keys' cubic with a = −0.75.
pub(super) fn cubic(n: usize, m: usize, win: (usize, usize)) -> Taps {
    let mut t = Taps { k: 4, first: Vec::with_capacity(win.1), w: Vec::with_capacity(4 * win.1) };
    const A: f64 = -0.75;
    for d in win.0..win.0 + win.1 {
        let (s, x) = centre(n, m, d, false);
        let y = 1.0 - x;
        let far = |t: f64| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
        let near = |t: f64| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
        let w = [far(x + 1.0), near(x), near(y)];
        t.first.push(s - 1);
        t.w.extend([w[0] as f32, w[1] as f32, w[2] as f32, (1.0 - w[0] - w[1] - w[2]) as f32]);
    }
    t
}

/// Eight taps of sinc(t)·sinc(t/4), normalised.
pub(super) fn lanczos(n: usize, m: usize, win: (usize, usize)) -> Taps {
    let mut t = Taps { k: 8, first: Vec::with_capacity(win.1), w: Vec::with_capacity(8 * win.1) };
    const H: f64 = std::f64::consts::FRAC_1_SQRT_2;
    // sin(π(x + 3 − i)/4), with the sine and cosine of πx/4 turned by multiples of 45°.
    const TURN: [(f64, f64); 8] =
        [(1.0, 0.0), (-H, H), (0.0, -1.0), (H, H), (-1.0, 0.0), (H, -H), (0.0, 1.0), (-H, -H)];
    for d in win.0..win.0 + win.1 {
        let (s, x) = centre(n, m, d, true);
        let mut w = [0.0; 8];
        if x == 0.0 {
            w[3] = 1.0;
        } else {
            let a = (x + 3.0) * std::f64::consts::FRAC_PI_4;
            let (sin, cos) = (libm::sin(a), libm::cos(a));
            // sinc(t)·sinc(t/4) is sin(πt)·sin(πt/4)/t² but for a factor; sin(πt) alternates in sign from tap to tap,
            // which the table holds.
            for (i, (w, turn)) in w.iter_mut().zip(TURN).enumerate() {
                let t = x + 3.0 - i as f64;
                *w = (turn.0 * sin + turn.1 * cos) / (t * t);
            }
            let sum: f64 = w.iter().sum();
            w.iter_mut().for_each(|w| *w /= sum);
        }
        t.first.push(s - 3);
        t.w.extend(w.map(|w| w as f32));
    }
    t
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
pub(super) fn area(n: usize, m: usize, win: (usize, usize)) -> Boxes {
    let mut b = Boxes { first: Vec::with_capacity(win.1), at: Vec::with_capacity(win.1 + 1), w: Vec::new() };
    b.at.push(0);
    let step = scale(n, m);
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
pub(super) fn nearest(n: usize, m: usize, win: (usize, usize)) -> Vec<u32> {
    let step = scale(n, m);
    (win.0..win.0 + win.1).map(|d| ((d as f64 * step).floor() as usize).min(n - 1) as u32).collect()
}

/// floor((d + ½) · in/out), where the position is summed up step by step: OpenCV's ties depend on that.
pub(super) fn nearest_exact(n: usize, m: usize, win: (usize, usize)) -> Vec<u32> {
    let step = n as f64 / m as f64;
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
