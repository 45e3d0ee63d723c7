//! Bilinear sampling of u8 in integers.
//!
//! A tap is taken as p − 128, so that a row of two taps with weights a/128 fits an i16 in Q7 whatever the weights:
//! h = (p − 128)(128 − a) + (q − 128)a. The two rows are blended with a Q15 weight, rounding once there and once at the
//! end. A weight of a whole pixel is allowed, so the last column and row need no case of their own.

use super::coords::Line;
use super::fold::{fold_all, fold_q16};
use super::{CHUNK, Warp, tile};
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
    /// Not 0 where the pixel cannot be done this way; its address is 0 then.
    pub bad: [u32; CHUNK],
}

/// What a chunk needs to know of the source.
#[derive(Clone, Copy)]
struct Frame {
    /// Position of the last column and row, Q16.
    last: [u32; 2],
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
        if src.w < 2 || src.data.len() > u32::MAX as usize || src.data.len() < load + down {
            return None;
        }
        Some(Frame {
            last: [(src.w as u32 - 1) << 16, (src.h as u32 - 1) << 16],
            stride: src.stride as u32,
            c: src.c as u32,
            down,
            limit: (src.data.len() - load - down) as u32,
        })
    }
}

/// Weight of the right tap, of 128. The clamp tames pixels that are done elsewhere.
#[inline(always)]
fn weight_x(fraction: i32) -> i32 {
    ((fraction + 256) >> 9).clamp(0, 128)
}

/// Weight of the lower row, of 32768. A whole pixel lacks 1, which the final rounding absorbs.
#[inline(always)]
fn weight_y(fraction: i32) -> i32 {
    (fraction >> 1).clamp(0, 32_767)
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
    fn address(f: Frame, sx: &[i32], sy: &[i32], lin: &mut Linear) -> bool {
        let n = sx.len();
        let (sx, sy) = (&sx[..n], &sy[..n]);
        let (off, wa, wb, bad) = (&mut lin.off[..n], &mut lin.wa[..n], &mut lin.wb[..n], &mut lin.bad[..n]);
        let (right, low) = ((f.last[0] >> 16) as i32 - 1, ((f.last[1] >> 16) as i32 - 1).max(0));
        let mut any = 0;
        for i in 0..n {
            let (ix, iy) = ((sx[i] >> 16).min(right), (sy[i] >> 16).min(low));
            let at = (iy as u32).wrapping_mul(f.stride).wrapping_add((ix as u32).wrapping_mul(f.c));
            let ok = (sx[i] as u32 <= f.last[0]) & (sy[i] as u32 <= f.last[1]) & (at <= f.limit);
            off[i] = if ok { at } else { 0 };
            bad[i] = if ok { 0 } else { 1 };
            any |= bad[i];
        }
        for i in 0..n {
            let fx = sx[i].wrapping_sub((sx[i] >> 16).min(right) << 16);
            let a = weight_x(fx);
            wa[i] = ((128 - a) | (a << 8)) as u16;
        }
        for i in 0..n {
            let fy = sy[i].wrapping_sub((sy[i] >> 16).min(low) << 16);
            wb[i] = weight_y(fy) as i16;
        }
        any != 0
    }
}

simd! {
    /// The taps of a chunk. `C` 0 stands for `c` components.
    fn sample[const C: usize][C](data: &[u8], down: usize, lin: &Linear, c: usize, out: &mut [u8]) {
        let c = if C > 0 { C } else { c };
        for (i, o) in out.chunks_exact_mut(c).enumerate() {
            let (at, a, b) = (lin.off[i] as usize, (lin.wa[i] >> 8) as i32, lin.wb[i] as i32);
            let (upper, lower) = (&data[at..at + 2 * c], &data[at + down..at + down + 2 * c]);
            for k in 0..c {
                o[k] = blend([upper[k], upper[c + k], lower[k], lower[c + k]], a, b);
            }
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

/// Brings positions to where the taps are: two in a row, none outside but for Constant and Wrap.
fn fold(s: &mut [i32], n: usize, border: Border) {
    fold_all(s, n, border);
    if matches!(border, Border::Replicate | Border::Reflect) {
        let last = (n as i32 - 1) << 16;
        s.iter_mut().for_each(|v| *v = (*v).clamp(0, last));
    }
}

/// Positions of columns `x..x + n` of a line, folded.
fn positions(line: &Line, x: usize, src: &Plane<u8>, border: Border, n: usize, s: &mut [[i32; CHUNK]; 2]) {
    let [sx, sy] = s;
    if !line.q16_chunk(x, n, sx, sy) {
        for i in 0..n {
            let (qx, qy) = line.q16(x + i);
            (sx[i], sy[i]) = (fold_q16(qx, src.w, border), fold_q16(qy, src.h, border));
        }
    }
    fold(&mut sx[..n], src.w, border);
    fold(&mut sy[..n], src.h, border);
}

/// See [`super::warp_rows`].
pub(super) fn rows(src: &Plane<u8>, warp: &Warp, fill: &[u8], x0: usize, y0: usize, out: &mut RowsMut<u8>) {
    let c = src.c;
    let kernel = kernel(c);
    let frame = Frame::new(src, kernel.load(c));
    let mut lin = Linear { off: [0; CHUNK], wa: [0; CHUNK], wb: [0; CHUNK], bad: [0; CHUNK] };
    let mut s = [[0; CHUNK]; 2];
    tile::segments(src, out, |row, col, o| {
        let line = Line::new(&warp.coords, y0 + row);
        let (x, n) = (x0 + col, o.len() / c);
        let (a, b) = match warp.border {
            Border::Constant => line.span(x, x + n, src.w, src.h, 1),
            _ => (x, x + n),
        };
        tile::fill(&mut o[..(a - x) * c], fill);
        tile::fill(&mut o[(b - x) * c..], fill);
        let o = &mut o[(a - x) * c..(b - x) * c];
        let n = b - a;
        positions(&line, a, src, warp.border, n, &mut s);
        let Some(frame) = frame else {
            for (i, p) in o.chunks_exact_mut(c).enumerate() {
                pixel(src, s[0][i], s[1][i], warp.border, fill, p);
            }
            return;
        };
        let any = address(frame, &s[0][..n], &s[1][..n], &mut lin);
        kernel.run(src, frame.down, &lin, o);
        if any {
            for (i, p) in o.chunks_exact_mut(c).enumerate() {
                if lin.bad[i] != 0 {
                    pixel(src, s[0][i], s[1][i], warp.border, fill, p);
                }
            }
        }
    });
}

/// Which text does the taps.
#[derive(Clone, Copy)]
enum Kernel {
    Plain,
}

fn kernel(_c: usize) -> Kernel {
    Kernel::Plain
}

impl Kernel {
    /// Bytes read at a pair of taps.
    fn load(self, c: usize) -> usize {
        match self {
            Kernel::Plain => 2 * c,
        }
    }

    fn run(self, src: &Plane<u8>, down: usize, lin: &Linear, out: &mut [u8]) {
        match (self, src.c) {
            (Kernel::Plain, 1) => sample::<1>(src.data, down, lin, 1, out),
            (Kernel::Plain, 3) => sample::<3>(src.data, down, lin, 3, out),
            (Kernel::Plain, 4) => sample::<4>(src.data, down, lin, 4, out),
            (Kernel::Plain, c) => sample::<0>(src.data, down, lin, c, out),
        }
    }
}
