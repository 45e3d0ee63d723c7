//! Nearest neighbour: indices in passes, then copies.

use super::coords::Line;
use super::fold::{fold_index, fold_indices};
use super::{CHUNK, Warp, tile};
use crate::image::{Border, Element, Plane, RowsMut};
use crate::simd;

simd! {
    /// Indices to addresses of pixels; 0 and `bad` where the index is outside.
    fn address(w: u32, h: u32, stride: u32, c: u32, ix: &[i32], iy: &[i32], off: &mut [u32], bad: &mut [u32]) -> bool {
        let n = ix.len();
        let (iy, off, bad) = (&iy[..n], &mut off[..n], &mut bad[..n]);
        let mut any = 0;
        for i in 0..n {
            let at = (iy[i] as u32).wrapping_mul(stride).wrapping_add((ix[i] as u32).wrapping_mul(c));
            let ok = ((ix[i] as u32) < w) & ((iy[i] as u32) < h);
            off[i] = if ok { at } else { 0 };
            bad[i] = if ok { 0 } else { 1 };
            any |= bad[i];
        }
        any != 0
    }
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
    let c = src.c;
    let border = warp.border;
    let small = src.data.len() <= u32::MAX as usize;
    let [mut ix, mut iy] = [[0; CHUNK]; 2];
    let [mut off, mut bad] = [[0; CHUNK]; 2];
    tile::segments(src, out, |row, col, o| {
        let line = Line::new(&warp.coords, y0 + row);
        let (x, n) = (x0 + col, o.len() / c);
        let (a, b) = match border {
            Border::Constant => line.span(x, x + n, src.w, src.h, 1),
            _ => (x, x + n),
        };
        tile::fill(&mut o[..(a - x) * c], fill);
        tile::fill(&mut o[(b - x) * c..], fill);
        let o = &mut o[(a - x) * c..(b - x) * c];
        let n = b - a;
        if !line.nearest_chunk(a, n, &mut ix, &mut iy) {
            for i in 0..n {
                let (jx, jy) = line.nearest(a + i);
                (ix[i], iy[i]) = (fold_index(jx, src.w, border), fold_index(jy, src.h, border));
            }
        }
        fold_indices(&mut ix[..n], src.w, border);
        fold_indices(&mut iy[..n], src.h, border);
        if !small {
            for (i, p) in o.chunks_exact_mut(c).enumerate() {
                let inside = (0..src.w as i32).contains(&ix[i]) && (0..src.h as i32).contains(&iy[i]);
                let at = iy[i].max(0) as usize * src.stride + ix[i].max(0) as usize * c;
                p.copy_from_slice(if inside { &src.data[at..at + c] } else { fill });
            }
            return;
        }
        let (w, h, stride) = (src.w as u32, src.h as u32, src.stride as u32);
        let any = address(w, h, stride, c as u32, &ix[..n], &iy[..n], &mut off, &mut bad);
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
        if any {
            for (p, _) in o.chunks_exact_mut(c).zip(&bad).filter(|(_, b)| **b != 0) {
                p.copy_from_slice(fill);
            }
        }
    });
}
