//! Nearest neighbour: indices in passes, then copies.

use super::coords::Line;
use super::fold::{fold_index, fold_indices};
use super::{BLOCK, BLOCKS, Block, CHUNK, Positions, Warp, tile};
use crate::image::{Border, Element, Plane, RowsMut};
use crate::simd;

simd! {
    /// Indices to addresses of pixels; 0 and a mark where the index is outside.
    fn address(f: Frame, ix: &[Block], iy: &[Block], off: &mut [u32; CHUNK], bad: &mut [u8; CHUNK]) {
        let (ix, iy) = (ix.as_flattened(), iy.as_flattened());
        for ((o, &x), &y) in off.iter_mut().zip(ix).zip(iy) {
            let (x, y) = (x as u32, y as u32);
            let at = y.wrapping_mul(f.stride).wrapping_add(x.wrapping_mul(f.c));
            *o = if (x < f.w) & (y < f.h) { at } else { 0 };
        }
        for ((b, &x), &y) in bad.iter_mut().zip(ix).zip(iy) {
            *b = u8::from((x as u32 >= f.w) | (y as u32 >= f.h));
        }
    }
}

/// What a chunk needs to know of the source, in elements.
#[derive(Clone, Copy)]
struct Frame {
    w: u32,
    h: u32,
    stride: u32,
    c: u32,
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
    let small = src.data.len() <= u32::MAX as usize;
    let frame = Frame { w: src.w as u32, h: src.h as u32, stride: src.stride as u32, c: c as u32 };
    let (mut off, mut bad) = ([0; CHUNK], [0; CHUNK]);
    let mut s: Positions = [[[0; BLOCK]; BLOCKS]; 2];
    tile::segments(src, warp, 1, fill, (x0, y0), out, |line, x, o| {
        let n = o.len() / c;
        indices(line, x, n, (src.w, src.h), border, &mut s);
        let [ix, iy] = &s;
        if !small {
            let (ix, iy) = (ix.as_flattened(), iy.as_flattened());
            for (i, p) in o.chunks_exact_mut(c).enumerate() {
                let inside = (ix[i] as usize) < src.w && (iy[i] as usize) < src.h;
                p.copy_from_slice(if inside { &src.row(iy[i] as usize)[ix[i] as usize * c..][..c] } else { fill });
            }
            return;
        }
        let m = n.div_ceil(BLOCK);
        address(frame, &ix[..m], &iy[..m], &mut off, &mut bad);
        match c {
            1 => copy::<E, 1>(src.data, &off[..n], o),
            2 => copy::<E, 2>(src.data, &off[..n], o),
            3 => copy::<E, 3>(src.data, &off[..n], o),
            4 => copy::<E, 4>(src.data, &off[..n], o),
            _ => {
                for (p, &at) in o.chunks_exact_mut(c).zip(&off) {
                    p.copy_from_slice(&src.data[at as usize..at as usize + c]);
                }
            }
        }
        tile::each_marked(&bad, n, |i| o[i * c..][..c].copy_from_slice(fill));
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
