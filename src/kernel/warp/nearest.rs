//! Nearest neighbour: indices in passes, then copies.

use super::coords::{Halves, Line};
use super::fold::{fold_index, fold_indices};
use super::{BLOCK, BLOCKS, Block, CHUNK, Positions, Warp, tile};
use crate::image::{Border, Element, Plane, RowsMut};
use crate::simd;

simd! {
    /// Indices to addresses of pixels, with a mark where the pixel is outside or may not be loaded.
    fn address(f: Frame, ix: &[Block], iy: &[Block], off: &mut [u32; CHUNK], bad: &mut [u8; CHUNK]) {
        let (ix, iy) = (ix.as_flattened(), iy.as_flattened());
        for (((o, b), &x), &y) in off.iter_mut().zip(bad).zip(ix).zip(iy) {
            let (x, y) = (x as u32, y as u32);
            let at = y.wrapping_mul(f.stride).wrapping_add(x.wrapping_mul(f.c));
            *o = at.min(f.limit);
            *b = u8::from((x >= f.w) | (y >= f.h) | (at > f.limit));
        }
    }
}

simd! {
    /// As `address`, straight from affine positions.
    fn ramp_address(f: Frame, rx: Halves, ry: Halves, off: &mut [u32], bad: &mut [u8]) {
        let (mut rx, mut ry) = (rx, ry);
        for (o, b) in off.iter_mut().zip(bad) {
            let [x, y] = [rx.next(), ry.next()].map(|q| (q.wrapping_add(0x7fff + ((q >> 16) & 1)) >> 16) as u32);
            let at = y.wrapping_mul(f.stride).wrapping_add(x.wrapping_mul(f.c));
            *o = at.min(f.limit);
            *b = u8::from((x >= f.w) | (y >= f.h) | (at > f.limit));
        }
    }
}

/// What a chunk needs to know of the source; addresses count bytes or elements, as the copy wants.
#[derive(Clone, Copy)]
struct Frame {
    w: u32,
    h: u32,
    stride: u32,
    c: u32,
    /// Greatest address.
    limit: u32,
}

/// Copies the pixels at the addresses. The number is the bytes of a pixel.
type Copy<E> = fn(&[E], &[u32; CHUNK], usize, &mut [E]);

/// A fast copy, if there is one; its addresses count bytes, and it reads 4 at each.
fn fast<E: Element>(src: &Plane<E>) -> Option<Copy<E>> {
    #[cfg(target_arch = "x86_64")]
    {
        use crate::kernel::x86::warp_nearest::{nearest_v3, nearest_v4};
        use crate::simd::{Level, level};
        let bytes = size_of_val(src.data);
        if src.c * size_of::<E>() <= 4 && (4..=i32::MAX as usize).contains(&bytes) {
            match level() {
                Level::Vbmi | Level::V4 => return Some(nearest_v4),
                Level::V3 => return Some(nearest_v3),
                Level::Baseline => {}
            }
        }
    }
    let _ = src;
    None
}

/// Copies of pixels of `C` elements.
#[inline(always)]
fn copy<E: Element, const C: usize>(data: &[E], off: &[u32], out: &mut [E]) {
    for (o, at) in out.as_chunks_mut::<C>().0.iter_mut().zip(off) {
        let at = *at as usize;
        if let Some(p) = data.get(at..at + C) {
            o.copy_from_slice(p);
        }
    }
}

/// See [`super::nearest_rows`].
pub(super) fn rows<E: Element>(src: &Plane<E>, warp: &Warp, fill: &[E], x0: usize, y0: usize, out: &mut RowsMut<E>) {
    let (c, border) = (src.c, warp.border);
    let len = src.data.len();
    let fast = fast(src);
    let (unit, limit) = match fast {
        Some(_) => (size_of::<E>(), size_of_val(src.data) - 4),
        None => (1, len - c),
    };
    let small = len <= u32::MAX as usize;
    let (stride, step) = ((src.stride * unit) as u32, (c * unit) as u32);
    let frame = Frame { w: src.w as u32, h: src.h as u32, stride, c: step, limit: limit as u32 };
    let (mut off, mut bad) = ([0; CHUNK], [0; CHUNK]);
    let mut s: Positions = [[[0; BLOCK]; BLOCKS]; 2];
    tile::segments(src, warp, 1, fill, (x0, y0), out, |line, x, o| {
        let n = o.len() / c;
        let one = |i: usize, o: &mut [E]| {
            let (jx, jy) = line.nearest(x + i);
            let (ix, iy) = (fold_index(jx, src.w, border), fold_index(jy, src.h, border));
            let inside = (ix as u32) < frame.w && (iy as u32) < frame.h;
            let p = if inside { &src.row(iy as usize)[ix as usize * c..][..c] } else { fill };
            o[i * c..][..c].copy_from_slice(p);
        };
        if !small {
            return (0..n).for_each(|i| one(i, o));
        }
        let m = n.div_ceil(BLOCK);
        let free = |(lo, hi): (i32, i32), n: usize| border == Border::Constant || lo >= 0 && hi < (n as i32 - 1) << 16;
        match line.ramps(x, n) {
            Some(([rx, ry], [ex, ey])) if free(ex, src.w) && free(ey, src.h) => {
                ramp_address(frame, rx, ry, &mut off[..m * BLOCK], &mut bad[..m * BLOCK]);
            }
            _ => {
                indices(line, x, n, (src.w, src.h), border, &mut s);
                address(frame, &s[0][..m], &s[1][..m], &mut off, &mut bad);
            }
        }
        match (fast, c) {
            (Some(f), _) => f(src.data, &off, c * size_of::<E>(), o),
            (_, 1) => copy::<E, 1>(src.data, &off, o),
            (_, 2) => copy::<E, 2>(src.data, &off, o),
            (_, 3) => copy::<E, 3>(src.data, &off, o),
            (_, 4) => copy::<E, 4>(src.data, &off, o),
            _ => {
                for (p, &at) in o.chunks_exact_mut(c).zip(&off) {
                    p.copy_from_slice(&src.data[at as usize..at as usize + c]);
                }
            }
        }
        tile::each_marked(&bad, n, |i| one(i, o));
    });
}

/// Folded indices of columns `x..x + n` of a line, in whole blocks.
fn indices(line: &Line, x: usize, n: usize, (w, h): (usize, usize), border: Border, s: &mut Positions) {
    let [ix, iy] = s;
    if !line.nearest_chunk(x, n, ix, iy) {
        for (i, (ix, iy)) in ix.as_flattened_mut().iter_mut().zip(iy.as_flattened_mut()).take(n).enumerate() {
            let (jx, jy) = line.nearest(x + i);
            (*ix, *iy) = (fold_index(jx, w, border), fold_index(jy, h, border));
        }
    }
    let m = n.div_ceil(BLOCK);
    fold_indices(&mut ix[..m], w, border);
    fold_indices(&mut iy[..m], h, border);
}
