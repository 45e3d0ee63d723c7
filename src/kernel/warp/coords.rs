//! Source positions along one output row, each a function of the pixel's absolute index alone.

use super::{BLOCK, Block, CHUNK, Coords};
use crate::simd;

/// Positions beyond ± this many pixels are the same: far outside. Keeps all later i64 arithmetic exact.
const FAR: f64 = (1u64 << 40) as f64;

/// What a chunk of positions may hold as Q16 in an i32, in pixels.
pub(super) const LIMIT: i32 = 32_767;

/// `v` rounded half to even; not a number is far outside.
#[inline(always)]
fn round(v: f64) -> i64 {
    let v = if v > -FAR { v } else { -FAR };
    let v = if v < FAR { v } else { FAR };
    whole(v) as i64
}

/// `v` rounded half to even, |v| < 2⁶³. The baseline has no instruction for it.
#[inline(always)]
fn whole(v: f64) -> f64 {
    const M: f64 = (3u64 << 51) as f64;
    if v.abs() < (1u64 << 50) as f64 { (v + M) - M } else { v.round_ties_even() }
}

/// Start and step of a linear function of the column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ramp {
    pub base: f64,
    pub step: f64,
}

impl Ramp {
    #[inline(always)]
    fn at(self, x: usize) -> f64 {
        self.step * x as f64 + self.base
    }
    /// Start and step in f32 from column `tile` on: near a tile's start an f32 has digits enough.
    fn within(self, tile: usize) -> (f32, f32) {
        (self.at(tile) as f32, self.step as f32)
    }
    /// Q32 start and step, if every column up to 2¹⁷ stays within an i64.
    fn q32(self) -> Option<(i64, i64)> {
        let q = |v: f64| whole(v * 4_294_967_296.0) as i64;
        (self.step.abs() < 8_192.0 && self.base.abs() < 268_435_456.0).then(|| (q(self.base), q(self.step)))
    }
}

/// Source y of a row of value positions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ys<'a> {
    One(f32),
    Each(&'a [f32]),
}

/// Positions along one output row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// x and y in Q32: start and step; and the same as f64.
    Affine { x: (i64, i64), y: (i64, i64), ramps: [Ramp; 2] },
    /// x/d and y/d.
    Ratio { x: Ramp, y: Ramp, d: Ramp },
    /// Listed.
    Values { xs: &'a [f32], ys: Ys<'a> },
}

/// Positions of a chunk for float weights: pixel and fraction in 0..=1, of each axis.
pub(super) struct Exact {
    pub i: [[i32; CHUNK]; 2],
    pub f: [[f32; CHUNK]; 2],
}

impl<'a> Line<'a> {
    /// The positions of output row `y`.
    pub fn new(coords: &Coords<'a>, y: usize) -> Line<'a> {
        let yf = y as f64;
        match *coords {
            Coords::Affine(m) => {
                let rx = Ramp { base: m[1] * yf + m[2], step: m[0] };
                let ry = Ramp { base: m[4] * yf + m[5], step: m[3] };
                match (rx.q32(), ry.q32()) {
                    (Some(x), Some(y)) => Line::Affine { x, y, ramps: [rx, ry] },
                    _ => Line::Ratio { x: rx, y: ry, d: Ramp { base: 1.0, step: 0.0 } },
                }
            }
            Coords::Homography(h) => {
                let ramp = |k: usize| Ramp { base: h[k + 1] * yf + h[k + 2], step: h[k] };
                Line::Ratio { x: ramp(0), y: ramp(3), d: ramp(6) }
            }
            Coords::Axes { xs, ys } => Line::Values { xs, ys: Ys::One(ys[y]) },
            Coords::Planes { xs, ys, stride } => {
                Line::Values { xs: &xs[y * stride..], ys: Ys::Each(&ys[y * stride..]) }
            }
        }
    }

    /// x or y in f32, for the u8 kernels.
    #[inline(always)]
    fn values(&self, x: usize) -> (f32, f32) {
        match self {
            Line::Values { xs, ys: Ys::One(y) } => (xs[x], *y),
            Line::Values { xs, ys: Ys::Each(ys) } => (xs[x], ys[x]),
            Line::Ratio { x: rx, y: ry, d } => {
                let tile = x - x % CHUNK;
                let at = |r: &Ramp| {
                    let (base, step) = r.within(tile);
                    step * (x - tile) as f32 + base
                };
                let r = 1.0 / at(d);
                (at(rx) * r, at(ry) * r)
            }
            Line::Affine { .. } => unreachable!("affine positions are Q32"),
        }
    }

    /// Q16 position of column `x`.
    #[inline(always)]
    pub fn q16(&self, x: usize) -> (i64, i64) {
        match self {
            Line::Affine { x: (bx, dx), y: (by, dy), .. } => ((bx + dx * x as i64) >> 16, (by + dy * x as i64) >> 16),
            _ => {
                let (sx, sy) = self.values(x);
                (round(sx as f64 * 65_536.0), round(sy as f64 * 65_536.0))
            }
        }
    }

    /// Nearest pixel to the position of column `x`: half to even.
    #[inline(always)]
    pub fn nearest(&self, x: usize) -> (i64, i64) {
        match self {
            Line::Affine { .. } => {
                let (qx, qy) = self.q16(x);
                (nearest_q16(qx), nearest_q16(qy))
            }
            _ => {
                let (sx, sy) = self.values(x);
                (round(sx as f64), round(sy as f64))
            }
        }
    }

    /// Positions of columns `x..x + n` on the 1/32 grid, in whole blocks. OpenCV rounds the parts of an affine position
    /// by themselves.
    pub fn grid_chunk(&self, x: usize, n: usize, gx: &mut [Block], gy: &mut [Block]) {
        let m = n.div_ceil(BLOCK);
        let (gx, gy) = (&mut gx[..m], &mut gy[..m]);
        match self {
            Line::Affine { ramps: [rx, ry], .. } => {
                affine_grid(*rx, x as u32, gx);
                affine_grid(*ry, x as u32, gy);
            }
            Line::Ratio { x: rx, y: ry, d } => ratio_grid(*rx, *ry, *d, x as u32, gx, gy),
            Line::Values { xs, ys } => {
                values_grid(&xs[x..x + n], gx);
                match ys {
                    Ys::Each(ys) => values_grid(&ys[x..x + n], gy),
                    Ys::One(y) => gy.fill([on_grid(f64::from(*y) * 32.0); BLOCK]),
                }
            }
        }
    }

    /// Positions of columns `x..x + n` for float weights.
    pub fn exact_chunk(&self, x: usize, n: usize, e: &mut Exact) {
        let ([ix, iy], [fx, fy]) = (&mut e.i, &mut e.f);
        let (ix, iy, fx, fy) = (&mut ix[..n], &mut iy[..n], &mut fx[..n], &mut fy[..n]);
        match self {
            Line::Affine { x: (bx, dx), y: (by, dy), .. } => {
                ramp_exact(bx + dx * x as i64, *dx, ix, fx);
                ramp_exact(by + dy * x as i64, *dy, iy, fy);
            }
            Line::Ratio { x: rx, y: ry, d } => {
                ratio_exact(*rx, *d, x as u32, ix, fx);
                ratio_exact(*ry, *d, x as u32, iy, fy);
            }
            Line::Values { xs, ys } => {
                split(&xs[x..x + n], ix, fx);
                match ys {
                    Ys::Each(ys) => split(&ys[x..x + n], iy, fy),
                    Ys::One(y) => {
                        split(&[*y], &mut iy[..1], &mut fy[..1]);
                        iy.fill(iy[0]);
                        fy.fill(fy[0]);
                    }
                }
            }
        }
    }

    /// Columns `a..b` within `from..to` that may lie inside `-margin < s < n + margin − 1` on both axes, with margins
    /// in pixels; exact for affine positions, everything for the others.
    pub fn span(&self, from: usize, to: usize, w: usize, h: usize, margin: i64) -> (usize, usize) {
        let Line::Affine { x, y, .. } = self else { return (from, to) };
        let (mut a, mut b) = (from as i64, to as i64);
        for (&(base, step), n) in [(x, w), (y, h)] {
            // lo ≤ base + step·x ≤ hi
            let (lo, hi) = (((-margin) << 32) + 1, ((n as i64 + margin - 1) << 32) - 1);
            let (p, q) = (lo - base, hi - base);
            match step.signum() {
                0 if p > 0 || q < 0 => return (from, from),
                0 => {}
                1 => {
                    a = a.max(-(-p).div_euclid(step));
                    b = b.min(q.div_euclid(step) + 1);
                }
                _ => {
                    a = a.max(-q.div_euclid(-step));
                    b = b.min((-p).div_euclid(-step) + 1);
                }
            }
        }
        if a >= b { (from, from) } else { (a as usize, b as usize) }
    }

    /// For affine positions within ± LIMIT over columns `x..x + n`: their ramps, and the Q16 range of each axis.
    pub fn ramps(&self, x: usize, n: usize) -> Option<Ramps> {
        let Line::Affine { x: rx, y: ry, .. } = self else { return None };
        let ends = |(base, step): (i64, i64)| (base + step * x as i64, base + step * (x + n - 1) as i64);
        let (ex, ey) = (ends(*rx), ends(*ry));
        let fits = |q: i64| (q >> 32).abs() < LIMIT as i64;
        if ![ex.0, ex.1, ey.0, ey.1].into_iter().all(fits) {
            return None;
        }
        let range = |(a, b): (i64, i64)| ((a.min(b) >> 16) as i32, (a.max(b) >> 16) as i32);
        Some(([Halves::new(ex.0, rx.1), Halves::new(ey.0, ry.1)], [range(ex), range(ey)]))
    }

    /// Q16 positions of columns `x..x + n`, in whole blocks. False if one of them is not within ± LIMIT pixels: then
    /// the content is void.
    pub fn q16_chunk(&self, x: usize, n: usize, sx: &mut [Block], sy: &mut [Block]) -> bool {
        let m = n.div_ceil(BLOCK);
        let (sx, sy) = (&mut sx[..m], &mut sy[..m]);
        match self {
            Line::Affine { .. } => {
                let Some(([rx, ry], _)) = self.ramps(x, n) else { return false };
                ramp_q16(rx, sx);
                ramp_q16(ry, sy);
                true
            }
            _ => self.rounded(x, n, 65_536.0, sx, sy),
        }
    }

    /// Pixels nearest to the positions of columns `x..x + n`, in whole blocks. False if one is not within ± LIMIT: then
    /// the content is void.
    pub fn nearest_chunk(&self, x: usize, n: usize, ix: &mut [Block], iy: &mut [Block]) -> bool {
        let m = n.div_ceil(BLOCK);
        let (ix, iy) = (&mut ix[..m], &mut iy[..m]);
        match self {
            Line::Affine { .. } => {
                if !self.q16_chunk(x, n, ix, iy) {
                    return false;
                }
                round_q16(ix);
                round_q16(iy);
                true
            }
            _ => self.rounded(x, n, 1.0, ix, iy),
        }
    }

    /// Positions times `scale`, rounded; affine ones have their own text.
    fn rounded(&self, x: usize, n: usize, scale: f32, sx: &mut [Block], sy: &mut [Block]) -> bool {
        match self {
            Line::Ratio { x: rx, y: ry, d } => {
                let tile = x - x % CHUNK;
                let (mut u, mut v) = ([0.0; CHUNK], [0.0; CHUNK]);
                let (u, v) = (&mut u[..n], &mut v[..n]);
                quotients(rx.within(tile), ry.within(tile), d.within(tile), (x - tile) as u32, u, v);
                round_all(u, scale, sx) & round_all(v, scale, sy)
            }
            Line::Values { xs, ys: Ys::One(y) } => {
                let q = round(*y as f64 * scale as f64);
                if q.abs() >= LIMIT as i64 * scale as i64 {
                    return false;
                }
                sy.fill([q as i32; BLOCK]);
                round_all(&xs[x..x + n], scale, sx)
            }
            Line::Values { xs, ys: Ys::Each(ys) } => {
                round_all(&xs[x..x + n], scale, sx) & round_all(&ys[x..x + n], scale, sy)
            }
            Line::Affine { .. } => unreachable!("affine positions are Q32"),
        }
    }
}

/// Ramps and Q16 ranges of x and y.
pub(super) type Ramps = ([Halves; 2], [(i32, i32); 2]);

/// A Q32 ramp whose Q16 is run in 32 bits: in a chunk neither half overflows where the sum does not.
#[derive(Clone, Copy)]
pub(super) struct Halves {
    high: i32,
    low: u32,
    high_step: i32,
    low_step: u32,
}

impl Halves {
    fn new(base: i64, step: i64) -> Halves {
        let [(high, low), (high_step, low_step)] = [base, step].map(|q| ((q >> 16) as i32, (q & 0xffff) as u32));
        Halves { high, low, high_step, low_step }
    }

    /// Q16 of the present pixel; moves on to the next.
    #[inline(always)]
    pub fn next(&mut self) -> i32 {
        let q = self.high.wrapping_add((self.low >> 16) as i32);
        self.high = self.high.wrapping_add(self.high_step);
        self.low = self.low.wrapping_add(self.low_step);
        q
    }
}

simd! {
    fn ramp_q16(ramp: Halves, out: &mut [Block]) {
        let mut ramp = ramp;
        for o in out.as_flattened_mut() {
            *o = ramp.next();
        }
    }
}

simd! {
    fn round_q16(s: &mut [Block]) {
        for q in s.as_flattened_mut() {
            *q = (q.wrapping_add(0x7fff) + ((*q >> 16) & 1)) >> 16;
        }
    }
}

simd! {
    fn quotients(x: (f32, f32), y: (f32, f32), d: (f32, f32), first: u32, u: &mut [f32], v: &mut [f32]) {
        for (i, (u, v)) in u.iter_mut().zip(v).enumerate() {
            let at = (first + i as u32) as i32 as f32;
            let r = 1.0 / (d.1 * at + d.0);
            *u = (x.1 * at + x.0) * r;
            *v = (y.1 * at + y.0) * r;
        }
    }
}

simd! {
    /// The Q32 ramp as whole pixels and fractions.
    fn ramp_exact(base: i64, step: i64, whole: &mut [i32], part: &mut [f32]) {
        let mut q = base;
        for (i, f) in whole.iter_mut().zip(part) {
            *i = (q >> 32) as i32;
            // 24 bits are what an f32 holds; cut, a fraction cannot round up to 1.
            *f = ((q as u32) >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
            q = q.wrapping_add(step);
        }
    }
}

/// `v` rounded half to even and clamped to ± 2²⁶, 2²¹ pixels of the 1/32 grid. Not a number is far outside.
#[inline(always)]
fn on_grid(v: f64) -> i32 {
    const M: f64 = (3u64 << 51) as f64;
    const EDGE: f64 = (1u32 << 26) as f64;
    let v = if v > -EDGE { v } else { -EDGE };
    let v = if v < EDGE { v } else { EDGE };
    (v + M).to_bits() as i32
}

simd! {
    /// (round(1024 base) + 16 + round(1024 step x)) >> 5, which stays exact below 2⁵⁰: the floor of a multiple of 1/32 is
    /// what it rounds to 31/64 lower.
    fn affine_grid(ramp: Ramp, x: u32, out: &mut [Block]) {
        const M: f64 = (3u64 << 51) as f64;
        let base = (ramp.base * 1024.0 + M) - M;
        for (k, g) in out.as_flattened_mut().iter_mut().enumerate() {
            let part = (ramp.step * f64::from((x + k as u32) as i32) * 1024.0 + M) - M;
            *g = on_grid((base + part + 0.5) * (1.0 / 32.0));
        }
    }
}

simd! {
    fn ratio_grid(u: Ramp, v: Ramp, d: Ramp, x: u32, gx: &mut [Block], gy: &mut [Block]) {
        for (k, (gx, gy)) in gx.as_flattened_mut().iter_mut().zip(gy.as_flattened_mut()).enumerate() {
            let at = f64::from((x + k as u32) as i32);
            let d = d.step * at + d.base;
            *gx = on_grid((u.step * at + u.base) / d * 32.0);
            *gy = on_grid((v.step * at + v.base) / d * 32.0);
        }
    }
}

simd! {
    fn values_grid(v: &[f32], out: &mut [Block]) {
        for (&v, g) in v.iter().zip(out.as_flattened_mut()) {
            *g = on_grid(f64::from(v) * 32.0);
        }
    }
}

/// Whole part by floor and the rest, of a position clamped to ± 2²¹. Adding 1.5·2⁵² leaves the nearest integer in the
/// low bits.
#[inline(always)]
fn floor(v: f64) -> (i32, f32) {
    const M: f64 = (3u64 << 51) as f64;
    const EDGE: f64 = (1u32 << 21) as f64;
    let v = if v > -EDGE { v } else { -EDGE };
    let v = if v < EDGE { v } else { EDGE };
    let near = v + M;
    let rest = v - (near - M);
    let down = if rest < 0.0 { 1.0 } else { 0.0 };
    ((near - down).to_bits() as i32, (rest + down) as f32)
}

simd! {
    fn ratio_exact(n: Ramp, d: Ramp, x: u32, whole: &mut [i32], part: &mut [f32]) {
        for (k, (i, f)) in whole.iter_mut().zip(part).enumerate() {
            let at = f64::from((x + k as u32) as i32);
            (*i, *f) = floor((n.step * at + n.base) / (d.step * at + d.base));
        }
    }
}

simd! {
    fn split(v: &[f32], whole: &mut [i32], part: &mut [f32]) {
        for ((&v, i), f) in v.iter().zip(whole).zip(part) {
            (*i, *f) = floor(f64::from(v));
        }
    }
}

/// Each `v` times `scale`, rounded. False if one is not well within an i32.
fn round_all(v: &[f32], scale: f32, out: &mut [Block]) -> bool {
    let out = out.as_flattened_mut();
    #[cfg(target_arch = "x86_64")]
    {
        use crate::kernel::x86::warp_coords::{round_v3, round_v4};
        use crate::simd::{Level, level};
        match level() {
            Level::Vbmi | Level::V4 => return round_v4(v, scale, out),
            Level::V3 => return round_v3(v, scale, out),
            Level::Baseline => {}
        }
    }
    round_plain(v, scale, out)
}

simd! {
    fn round_plain(v: &[f32], scale: f32, out: &mut [i32]) -> bool {
        // Adding 1.5·2²³ leaves the nearest integer, half to even, in the low bits. Both parts of `v` are exact.
        const M: f32 = 12_582_912.0;
        let low = |v: f32| v.to_bits().wrapping_sub(M.to_bits());
        let mut far = 0;
        for (o, &v) in out.iter_mut().zip(v) {
            let near = v.abs() < LIMIT as f32 - 1.0;
            far |= u32::from(!near);
            let i = v + M;
            let part = if scale == 1.0 { M } else { (v - (i - M)) * scale + M };
            *o = low(i).wrapping_mul(scale as u32).wrapping_add(low(part)) as i32;
        }
        far == 0
    }
}

/// The pixel nearest to a Q16 position, half to even.
#[inline(always)]
pub(super) fn nearest_q16(q: i64) -> i64 {
    (q + 0x7fff + ((q >> 16) & 1)) >> 16
}

#[cfg(test)]
mod tests {
    use super::super::BLOCKS;
    use super::*;

    #[test]
    fn chunks_hold_the_positions_of_their_pixels() {
        let xs: Vec<f32> = (0..300).map(|i| (i as f32 - 100.0) * 1.37 + 0.01 / (i as f32 + 1.0)).collect();
        let ys: Vec<f32> = (0..300).map(|i| (i as f32 * 77.7).sqrt() - 5.5).collect();
        for coords in [
            Coords::Affine([0.9, -0.3, 12.0, 0.3, 0.9, -7.0]),
            Coords::Homography([0.9, -0.3, 12.0, 0.3, 0.9, -7.0, 1e-3, -2e-4, 1.0]),
            Coords::Planes { xs: &xs, ys: &ys, stride: 0 },
            Coords::Axes { xs: &xs, ys: &ys },
        ] {
            let line = Line::new(&coords, 5);
            let mut s = [[[0; BLOCK]; BLOCKS]; 2];
            let [sx, sy] = &mut s;
            assert!(line.q16_chunk(17, 200, sx, sy));
            for i in 0..200 {
                let (qx, qy) = line.q16(17 + i);
                let (gx, gy) = (s[0].as_flattened()[i] as i64, s[1].as_flattened()[i] as i64);
                assert_eq!((gx, gy), (qx, qy), "{coords:?} {i}");
            }
            let [ix, iy] = &mut s;
            assert!(line.nearest_chunk(17, 200, ix, iy));
            for i in 0..200 {
                let (jx, jy) = line.nearest(17 + i);
                let (gx, gy) = (s[0].as_flattened()[i] as i64, s[1].as_flattened()[i] as i64);
                assert_eq!((gx, gy), (jx, jy), "{coords:?} {i}");
            }
        }
    }

    #[test]
    fn spans_are_exact() {
        for (k, m) in
            [[0.7, 0.2, -30.0, -0.4, 0.8, 25.0], [-100.0, 0.0, 900.0, 0.0, 1.0, 0.0], [0.0, 0.0, 3.0, 0.0, 0.0, 4.0]]
                .into_iter()
                .enumerate()
        {
            let line = Line::new(&Coords::Affine(m), 9);
            let (w, h) = (40, 30);
            let inside = |x: usize| {
                let (qx, qy) = line.q16(x);
                qx > -65_536 && qy > -65_536 && qx < (w as i64) << 16 && qy < (h as i64) << 16
            };
            let want: Vec<usize> = (3..200).filter(|&x| inside(x)).collect();
            let (a, b) = line.span(3, 200, w, h, 1);
            // The span is of Q32 positions, which may touch one pixel more than their Q16 floor.
            assert!(b - a >= want.len() && b - a <= want.len() + 1, "{k}: {a}..{b} {want:?}");
            assert!(want.iter().all(|x| (a..b).contains(x)));
        }
    }
}
