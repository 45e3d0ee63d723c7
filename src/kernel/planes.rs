//! Three channels as planes, a block at a time: the form in which per-pixel arithmetic vectorises on every level.

use super::normalize::{merge3, split3};
use crate::image::Element;

/// Pixels in a block: three planes and what is computed from them stay in the first-level cache.
pub(crate) const BLOCK: usize = 256;

/// A block of pixels of three channels, each plane aligned for any vector.
#[repr(align(64))]
pub(crate) struct Planes<E>(pub [[E; BLOCK]; 3]);

impl<E: Element> Planes<E> {
    /// Takes up to [`BLOCK`] pixels. Gives back the length to compute on: whole vectors, of which the last pixels hold
    /// what was there before.
    #[inline(always)]
    pub fn load(&mut self, px: &[E]) -> usize {
        let n = px.len() / 3;
        let [p, q, r] = &mut self.0;
        split3(px, [&mut p[..n], &mut q[..n], &mut r[..n]]);
        n.next_multiple_of(64)
    }

    /// Writes the pixels back.
    #[inline(always)]
    pub fn store(&self, px: &mut [E]) {
        let n = px.len() / 3;
        let [p, q, r] = &self.0;
        merge3([&p[..n], &q[..n], &r[..n]], px);
    }

    /// The first `n` elements of each plane.
    #[inline(always)]
    pub fn first(&mut self, n: usize) -> [&mut [E]; 3] {
        let [p, q, r] = &mut self.0;
        [&mut p[..n], &mut q[..n], &mut r[..n]]
    }

    /// Runs `f` over a row of pixels, block by block, in place.
    #[inline(always)]
    pub fn over(row: &mut [E], mut f: impl FnMut([&mut [E]; 3])) {
        assert!(row.len().is_multiple_of(3));
        let mut planes = Planes([[E::default(); BLOCK]; 3]);
        let mut rest = row;
        while !rest.is_empty() {
            let (px, tail) = rest.split_at_mut(rest.len().min(3 * BLOCK));
            let n = planes.load(px);
            f(planes.first(n));
            planes.store(px);
            rest = tail;
        }
    }

    /// As [`Planes::over`], into another row.
    #[inline(always)]
    pub fn from_to(src: &[E], dst: &mut [E], mut f: impl FnMut([&mut [E]; 3])) {
        assert!(src.len().is_multiple_of(3) && src.len() == dst.len());
        let mut planes = Planes([[E::default(); BLOCK]; 3]);
        let (mut src, mut dst) = (src, dst);
        while !src.is_empty() {
            let len = src.len().min(3 * BLOCK);
            let n = planes.load(&src[..len]);
            f(planes.first(n));
            let (px, tail) = dst.split_at_mut(len);
            planes.store(px);
            (src, dst) = (&src[len..], tail);
        }
    }
}
