//! Pixels of a row in reverse.

use super::Walk;
use crate::image::Element;

/// Writes the pixels of `src` in reverse order into `out`; the `c` components of a pixel keep their order.
pub fn mirror_row<E: Element>(src: &[E], out: &mut [E], c: usize) {
    assert!(src.len() == out.len() && src.len().is_multiple_of(c));
    let nx = src.len() / c;
    if nx > 0 {
        let walk = Walk { first: src.len() - c, dy: 0, dx: -(c as isize), c };
        super::move_rows(src, walk, out, src.len(), 1, nx);
    }
}

/// The text that defines the bytes.
pub(super) fn plain<E: Element>(src: &[E], out: &mut [E], c: usize) {
    match c {
        1 => pixels::<E, 1>(src, out),
        2 => pixels::<E, 2>(src, out),
        3 => pixels::<E, 3>(src, out),
        4 => pixels::<E, 4>(src, out),
        _ => {
            for (o, s) in out.chunks_exact_mut(c).zip(src.rchunks_exact(c)) {
                o.copy_from_slice(s);
            }
        }
    }
}

#[inline(always)]
fn pixels<E: Element, const C: usize>(src: &[E], out: &mut [E]) {
    let (src, out) = (src.as_chunks::<C>().0, out.as_chunks_mut::<C>().0);
    for (o, s) in out.iter_mut().zip(src.iter().rev()) {
        *o = *s;
    }
}
