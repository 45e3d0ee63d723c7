//! Rows whose pixels do not lie along source rows: transposes, quarter turns and their 3-D kin, in square tiles.

use super::Walk;
use crate::image::Element;

/// The text that defines the bytes.
pub(super) fn plain<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    match walk.c {
        1 => tiles::<E, 1>(src, walk, out, stride, ny, nx),
        2 => tiles::<E, 2>(src, walk, out, stride, ny, nx),
        3 => tiles::<E, 3>(src, walk, out, stride, ny, nx),
        4 => tiles::<E, 4>(src, walk, out, stride, ny, nx),
        c => {
            for y in 0..ny {
                let row = &mut out[y * stride..y * stride + nx * c];
                let first = walk.first.wrapping_add_signed(y as isize * walk.dy);
                for (x, pixel) in row.chunks_exact_mut(c).enumerate() {
                    let s = first.wrapping_add_signed(x as isize * walk.dx);
                    pixel.copy_from_slice(&src[s..s + c]);
                }
            }
        }
    }
}

/// Side of a tile in pixels.
const TILE: usize = 16;

fn tiles<E: Element, const C: usize>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    for y0 in (0..ny).step_by(TILE) {
        for x0 in (0..nx).step_by(TILE) {
            let (h, w) = (TILE.min(ny - y0), TILE.min(nx - x0));
            let first = walk.first.wrapping_add_signed(y0 as isize * walk.dy + x0 as isize * walk.dx);
            let out = &mut out[y0 * stride + x0 * C..];
            if (h, w) == (TILE, TILE) && walk.dy.unsigned_abs() == C {
                full_tile::<E, C>(src, Walk { first, ..walk }, out, stride);
                continue;
            }
            for y in 0..h {
                let mut s = first.wrapping_add_signed(y as isize * walk.dy);
                for pixel in out[y * stride..][..w * C].as_chunks_mut::<C>().0 {
                    pixel.copy_from_slice(&src[s..s + C]);
                    s = s.wrapping_add_signed(walk.dx);
                }
            }
        }
    }
}

/// A tile whose columns are neighbours on source lines: whole pieces of lines are fetched, then turned in a local array
/// where no index needs a check.
#[inline(always)]
fn full_tile<E: Element, const C: usize>(src: &[E], walk: Walk, out: &mut [E], stride: usize) {
    let mut tile = [[[E::default(); C]; TILE]; TILE];
    let up = walk.dy < 0;
    let low = if up { walk.first - (TILE - 1) * C } else { walk.first };
    for (x, line) in tile.iter_mut().enumerate() {
        let s = low.wrapping_add_signed(x as isize * walk.dx);
        line.copy_from_slice(&src[s..s + TILE * C].as_chunks::<C>().0[..TILE]);
    }
    for y in 0..TILE {
        let row = &mut out[y * stride..][..TILE * C].as_chunks_mut::<C>().0[..TILE];
        let p = if up { TILE - 1 - y } else { y };
        for (pixel, line) in row.iter_mut().zip(&tile) {
            *pixel = line[p];
        }
    }
}
