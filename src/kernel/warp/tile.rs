//! The order in which output pixels are made, and the fill.

use super::CHUNK;
use crate::image::{Element, Plane, RowsMut};

/// Sources over this many bytes are read in column tiles: a row of a turned image would touch more lines than L2 holds.
const TILED: usize = 1 << 20;

/// Calls `f(row, first column, pixels)` for segments of at most [`CHUNK`] pixels that cover the rows of `out`.
pub(super) fn segments<E: Element>(src: &Plane<E>, out: &mut RowsMut<E>, mut f: impl FnMut(usize, usize, &mut [E])) {
    let (c, w) = (out.c, out.w);
    let tile = if large(src) { CHUNK } else { w };
    for left in (0..w).step_by(tile) {
        let right = (left + tile).min(w);
        for i in 0..out.n {
            let row = out.row(i);
            for a in (left..right).step_by(CHUNK) {
                let b = (a + CHUNK).min(right);
                f(i, a, &mut row[a * c..b * c]);
            }
        }
    }
}

/// True if the source is unlikely to stay in L2.
pub(super) fn large<E>(src: &Plane<E>) -> bool {
    size_of_val(src.data) > TILED
}

/// Writes `pixel` over and over.
pub(super) fn fill<E: Element>(out: &mut [E], pixel: &[E]) {
    match *pixel {
        [a] => out.fill(a),
        _ if pixel.iter().all(|v| *v == pixel[0]) => out.fill(pixel[0]),
        [a, b, c] => out.as_chunks_mut().0.fill([a, b, c]),
        [a, b, c, d] => out.as_chunks_mut().0.fill([a, b, c, d]),
        _ => out.chunks_exact_mut(pixel.len()).for_each(|p| p.copy_from_slice(pixel)),
    }
}
