//! Pixels of a row in reverse.

use crate::image::Element;

/// Writes the pixels of `src` in reverse order into `out`; the `c` components of a pixel keep their order.
#[inline]
pub fn mirror_row<E: Element>(src: &[E], out: &mut [E], c: usize) {
    assert!(src.len() == out.len() && src.len().is_multiple_of(c));
    #[cfg(target_arch = "x86_64")]
    if crate::kernel::x86::flip::mirror_row(src, out, c) {
        return;
    }
    plain(src, out, c);
}

/// The text that defines the bytes.
pub(crate) fn plain<E: Element>(src: &[E], out: &mut [E], c: usize) {
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
