//! The order in which output pixels are made, and the fill.

use super::coords::Line;
use super::fold::{fold_all, fold_q16};
use super::{BLOCK, CHUNK, Coords, Positions, Warp};
use crate::image::{Border, Element, Plane, RowsMut};

/// Sources over this many bytes are read in column tiles: a row of a turned image would touch more lines than L2 holds.
const TILED: usize = 1 << 20;

/// Calls `f(line, first column, pixels)` for segments that cover the rows of `out`, whose first pixel is `origin`. No
/// segment crosses a multiple of [`CHUNK`]. Pixels that lie `margin` or more outside a constant border are filled instead.
pub(super) fn segments<'a, E: Element>(
    src: &Plane<E>,
    warp: &Warp<'a>,
    margin: i64,
    fill_with: &[E],
    origin: (usize, usize),
    out: &mut RowsMut<E>,
    mut f: impl FnMut(&Line<'a>, usize, &mut [E]),
) {
    let (c, w) = (out.c, out.w);
    // Listed positions come by the row themselves, and seldom turn the image.
    let turned = matches!(warp.coords, Coords::Affine(_) | Coords::Homography(_));
    let tile = if large(src) && turned { CHUNK } else { w };
    for left in (0..w).step_by(tile) {
        let right = (left + tile).min(w);
        for i in 0..out.n {
            let row = out.row(i);
            let line = Line::new(&warp.coords, origin.1 + i);
            let (from, to) = match warp.border {
                Border::Constant => line.span(origin.0 + left, origin.0 + right, src.w, src.h, margin),
                _ => (origin.0 + left, origin.0 + right),
            };
            let (from, to) = (from - origin.0, to - origin.0);
            fill(&mut row[left * c..from * c], fill_with);
            fill(&mut row[to * c..right * c], fill_with);
            let mut a = from;
            while a < to {
                let x = origin.0 + a;
                let b = (a + CHUNK - x % CHUNK).min(to);
                f(&line, x, &mut row[a * c..b * c]);
                a = b;
            }
        }
    }
}

/// Positions of columns `x..x + n` of a line in Q16, folded, in whole blocks.
pub(super) fn positions(line: &Line, x: usize, n: usize, (w, h): (usize, usize), border: Border, s: &mut Positions) {
    let [sx, sy] = s;
    if !line.q16_chunk(x, n, sx, sy) {
        for (i, (sx, sy)) in sx.as_flattened_mut().iter_mut().zip(sy.as_flattened_mut()).take(n).enumerate() {
            let (qx, qy) = line.q16(x + i);
            (*sx, *sy) = (fold_q16(qx, w, border), fold_q16(qy, h, border));
        }
    }
    // The ends of an affine chunk tell whether there is anything to fold.
    let inside = |(lo, hi): (i32, i32), n: usize| lo >= 0 && hi <= (n as i32 - 1) << 16;
    if line.ramps(x, n).is_some_and(|(_, [rx, ry])| inside(rx, w) && inside(ry, h)) {
        return;
    }
    let m = n.div_ceil(BLOCK);
    fold_all(&mut sx[..m], w, border);
    fold_all(&mut sy[..m], h, border);
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

/// Calls `f` with each index below `n` whose mark is set.
#[inline(always)]
pub(super) fn each_marked(marks: &[u8; CHUNK], n: usize, mut f: impl FnMut(usize)) {
    for (k, word) in marks[..n.next_multiple_of(16)].as_chunks::<16>().0.iter().enumerate() {
        if u128::from_ne_bytes(*word) != 0 {
            for (j, &mark) in word.iter().enumerate().take(n - 16 * k) {
                if mark != 0 {
                    f(16 * k + j);
                }
            }
        }
    }
}
