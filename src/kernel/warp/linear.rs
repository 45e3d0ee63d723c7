//! Bilinear sampling of u8 in integers.
//!
//! A tap is taken as p − 128, so that a row of two taps with weights a/128 fits an i16 in Q7 whatever the weights:
//! h = (p − 128)(128 − a) + (q − 128)a. The two rows are blended with a Q15 weight, rounding once there and once at the
//! end. A weight of a whole pixel is allowed, so the last column and row need no case of their own.

use super::chunk::Kernel;
use super::coords::Line;
use super::fold::clamp;
use super::{BLOCK, BLOCKS, Block, CHUNK, Positions, Warp, tile};
use crate::image::{Border, Plane, RowsMut};
use crate::simd;

/// Addresses and weights of a chunk.
#[repr(align(64))]
pub(crate) struct Linear {
    /// First byte of the upper left tap.
    pub off: [u32; CHUNK],
    /// Weights of the left and right taps as bytes: 128 − a, a.
    pub wa: [u16; CHUNK],
    /// Weight of the lower row, Q15.
    pub wb: [i16; CHUNK],
    /// 1 where the pixel cannot be done this way; its address is that of some other then.
    pub bad: [u8; CHUNK],
}

/// What a chunk needs to know of the source.
#[derive(Clone, Copy)]
struct Frame {
    /// Position of the last column and row, Q16.
    last: [u32; 2],
    /// Greatest position that has a tap on either side: one step before the last. Its weights are those of the last.
    most: [u32; 2],
    /// Bytes from a row to the next.
    stride: u32,
    /// Components.
    c: u32,
    /// Bytes from the upper row of taps to the lower: 0 if there is one row only.
    down: usize,
    /// Greatest address at which the taps of both rows can be loaded.
    limit: u32,
}

impl Frame {
    /// `load`: bytes that are read at a pair of taps. None if no pixel can be done in chunks.
    fn new(src: &Plane<u8>, load: usize) -> Option<Frame> {
        let down = if src.h > 1 { src.stride } else { 0 };
        if src.w < 2 || src.data.len() > i32::MAX as usize || src.data.len() < load + down {
            return None;
        }
        let last = [(src.w as u32 - 1) << 16, (src.h as u32 - 1) << 16];
        Some(Frame {
            last,
            most: [last[0] - 1, last[1].saturating_sub(1)],
            stride: src.stride as u32,
            c: src.c as u32,
            down,
            limit: (src.data.len() - load - down) as u32,
        })
    }
}

/// Weight of the right tap, of 128.
#[inline(always)]
fn weight_x(fraction: i32) -> i32 {
    (fraction + 256) >> 9
}

/// Weight of the lower row, of 32768. A whole pixel lacks 1, which the final rounding absorbs.
#[inline(always)]
fn weight_y(fraction: i32) -> i32 {
    (fraction >> 1).min(32_767)
}

/// One component of one pixel: taps of the upper and the lower row.
#[inline(always)]
fn blend(p: [u8; 4], a: i32, b: i32) -> u8 {
    let p = p.map(|v| v as i32 - 128);
    let upper = p[0] * (128 - a) + p[1] * a;
    let lower = p[2] * (128 - a) + p[3] * a;
    let v = upper + (((lower - upper) * b + 0x4000) >> 15);
    (((v + 64) >> 7) + 128) as u8
}

simd! {
    fn address(f: Frame, sx: &[Block], sy: &[Block], lin: &mut Linear) {
        let m = sx.len();
        let sy = &sy[..m];
        let (off, wa) = (lin.off.as_chunks_mut::<BLOCK>().0, lin.wa.as_chunks_mut::<BLOCK>().0);
        let (wb, bad) = (lin.wb.as_chunks_mut::<BLOCK>().0, lin.bad.as_chunks_mut::<BLOCK>().0);
        let (off, wa, wb, bad) = (&mut off[..m], &mut wa[..m], &mut wb[..m], &mut bad[..m]);
        for k in 0..m {
            let (sx, sy): ([u32; BLOCK], [u32; BLOCK]) = (sx[k].map(|v| v as u32), sy[k].map(|v| v as u32));
            let (mut x, mut y, mut at, mut outside) = ([0; BLOCK], [0; BLOCK], [0; BLOCK], [0; BLOCK]);
            for i in 0..BLOCK {
                (x[i], y[i]) = (sx[i].min(f.most[0]), sy[i].min(f.most[1]));
                at[i] = ((y[i] >> 16).wrapping_mul(f.stride)).wrapping_add((x[i] >> 16).wrapping_mul(f.c));
                outside[i] = u32::from((sx[i] > f.last[0]) | (sy[i] > f.last[1]) | (at[i] > f.limit));
            }
            off[k] = at.map(|v| v.min(f.limit));
            bad[k] = outside.map(|v| v as u8);
            wa[k] = x.map(|v| (weight_x((v & 0xffff) as i32) * 255 + 128) as u16);
            wb[k] = y.map(|v| weight_y((v & 0xffff) as i32) as i16);
        }
    }
}

simd! {
    /// The taps of a chunk with `C` components.
    fn sample[const C: usize][C](data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
        for (i, o) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let (at, a, b) = (lin.off[i] as usize, (lin.wa[i] >> 8) as i32, lin.wb[i] as i32);
            let (upper, lower) = (&data[at..at + 2 * C], &data[at + down..at + down + 2 * C]);
            for k in 0..C {
                o[k] = blend([upper[k], upper[C + k], lower[k], lower[C + k]], a, b);
            }
        }
    }
}

/// As `sample`, for any number of components.
fn sample_any(data: &[u8], down: usize, lin: &Linear, c: usize, out: &mut [u8]) {
    for (i, o) in out.chunks_exact_mut(c).enumerate() {
        let at = lin.off[i] as usize;
        sample_pixel(&data[at..at + 2 * c], &data[at + down..at + down + 2 * c], lin.wa[i] >> 8, lin.wb[i], o);
    }
}

simd! {
    fn sample_pixel(upper: &[u8], lower: &[u8], a: u16, b: i16, out: &mut [u8]) {
        let c = out.len();
        let ((p, q), (r, s)) = (upper.split_at(c), lower.split_at(c));
        let (p, q, r, s) = (&p[..c], &q[..c], &r[..c], &s[..c]);
        for k in 0..c {
            out[k] = blend([p[k], q[k], r[k], s[k]], a as i32, b as i32);
        }
    }
}

/// The taps of a chunk with one component: collected first, so that the arithmetic is one loop over arrays.
fn sample1(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len();
    let mut taps = [[0u8; 4]; CHUNK];
    for (t, at) in taps[..n].iter_mut().zip(&lin.off) {
        let at = *at as usize;
        let (upper, lower) = (&data[at..at + 2], &data[at + down..at + down + 2]);
        *t = [upper[0], upper[1], lower[0], lower[1]];
    }
    blend1(&taps[..n], &lin.wa[..n], &lin.wb[..n], out);
}

simd! {
    fn blend1(taps: &[[u8; 4]], wa: &[u16], wb: &[i16], out: &mut [u8]) {
        let n = out.len();
        let (taps, wa, wb) = (&taps[..n], &wa[..n], &wb[..n]);
        for i in 0..n {
            out[i] = blend(taps[i], (wa[i] >> 8) as i32, wb[i] as i32);
        }
    }
}

/// One pixel at a folded position, with any taps outside.
fn pixel(src: &Plane<u8>, sx: i32, sy: i32, border: Border, fill: &[u8], out: &mut [u8]) {
    // Taps of an axis and the fraction between them.
    let axis = |s: i32, n: usize| {
        let mut i = s >> 16;
        if i == n as i32 - 1 && s & 0xffff == 0 && n > 1 {
            i -= 1;
        }
        (border.fold(i as isize, n), border.fold(i as isize + 1, n), s - (i << 16))
    };
    let (l, r, fx) = axis(sx, src.w);
    let (t, b, fy) = axis(sy, src.h);
    if (l.is_none() && r.is_none()) || (t.is_none() && b.is_none()) {
        return out.copy_from_slice(fill);
    }
    let (wx, wy) = (weight_x(fx), weight_y(fy));
    let tap = |x: Option<usize>, y: Option<usize>, k: usize| match (x, y) {
        (Some(x), Some(y)) => src.data[y * src.stride + x * src.c + k],
        _ => fill[k],
    };
    for (k, o) in out.iter_mut().enumerate() {
        *o = blend([tap(l, t, k), tap(r, t, k), tap(l, b, k), tap(r, b, k)], wx, wy);
    }
}

/// Positions of columns `x..x + n` of a line, brought to where the taps are: two in a row, none outside but for
/// Constant and Wrap.
fn positions(line: &Line, x: usize, n: usize, src: &Plane<u8>, border: Border, s: &mut Positions) {
    tile::positions(line, x, n, (src.w, src.h), border, s);
    if matches!(border, Border::Replicate | Border::Reflect) {
        let m = n.div_ceil(BLOCK);
        for (s, side) in s.iter_mut().zip([src.w, src.h]) {
            clamp(&mut s[..m], 0, (side as i32 - 1) << 16);
        }
    }
}

/// See [`super::warp_rows`].
pub(super) fn rows(src: &Plane<u8>, warp: &Warp, fill: &[u8], x0: usize, y0: usize, out: &mut RowsMut<u8>) {
    let (c, border) = (src.c, warp.border);
    let kernel = kernel(c);
    let frame = Frame::new(src, kernel.as_ref().map_or(2 * c, |k| k.load));
    let mut lin = Linear { off: [0; CHUNK], wa: [0; CHUNK], wb: [0; CHUNK], bad: [0; CHUNK] };
    let mut s = [[[0; BLOCK]; BLOCKS]; 2];
    tile::segments(src, warp, 1, fill, (x0, y0), out, |line, x, o| {
        let n = o.len() / c;
        positions(line, x, n, src, border, &mut s);
        let [sx, sy] = &s;
        let one = |i: usize, o: &mut [u8]| {
            pixel(src, sx.as_flattened()[i], sy.as_flattened()[i], border, fill, &mut o[i * c..][..c]);
        };
        let Some(frame) = frame else {
            return (0..n).for_each(|i| one(i, o));
        };
        let m = n.div_ceil(BLOCK);
        address(frame, &sx[..m], &sy[..m], &mut lin);
        match &kernel {
            Some(k) => (k.run)(src.data, frame.down, &lin, o),
            None => sample_any(src.data, frame.down, &lin, c, o),
        }
        tile::each_marked(&lin.bad, n, |i| one(i, o));
    });
}

/// None if the number of components has no kernel of its own.
fn kernel(c: usize) -> Option<Kernel<Linear>> {
    #[cfg(target_arch = "x86_64")]
    {
        use crate::kernel::x86::warp_linear as x86;
        use crate::simd::{Level, level};
        let wide = level() >= Level::V4;
        match c {
            1 if wide => return Some(Kernel { load: 4, run: x86::linear1_v4 }),
            3 if wide => return Some(Kernel { load: 8, run: x86::linear3_v4 }),
            4 if wide => return Some(Kernel { load: 8, run: x86::linear4_v4 }),
            1 if level() == Level::V3 => return Some(Kernel { load: 2, run: x86::linear1_v3 }),
            3 if level() == Level::V3 => return Some(Kernel { load: 8, run: x86::linear3_v3 }),
            4 if level() == Level::V3 => return Some(Kernel { load: 8, run: x86::linear4_v3 }),
            _ => {}
        }
    }
    match c {
        1 => Some(Kernel { load: 2, run: sample1 }),
        3 => Some(Kernel { load: 6, run: sample::<3> }),
        4 => Some(Kernel { load: 8, run: sample::<4> }),
        _ => None,
    }
}
