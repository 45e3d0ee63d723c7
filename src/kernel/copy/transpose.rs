//! Rows whose pixels do not lie along source rows: transposes, quarter turns and their 3-D kin, in square tiles.

use crate::image::Element;

/// Where output pixels lie in the source, in elements: pixel (x, y) reads `c` elements from `first + y·dy + x·dx` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub first: usize,
    pub dy: isize,
    pub dx: isize,
    pub c: usize,
}

impl Walk {
    /// Lowest and highest element that `ny` rows of `nx` pixels read.
    pub fn extent(&self, ny: usize, nx: usize) -> (isize, isize) {
        let (fy, fx) = (self.dy * (ny as isize - 1), self.dx * (nx as isize - 1));
        let first = self.first as isize;
        (first + fy.min(0) + fx.min(0), first + fy.max(0) + fx.max(0) + self.c as isize - 1)
    }
}

/// Writes `ny` rows of `nx` pixels, `stride` elements apart, read along `walk`.
pub(crate) fn strided_rows<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    #[cfg(target_arch = "x86_64")]
    if crate::kernel::x86::transpose::strided_rows(src, walk, out, stride, ny, nx) {
        return;
    }
    plain(src, walk, out, stride, ny, nx);
}

/// The text that defines the bytes.
pub(crate) fn plain<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
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

/// Side of a tile in pixels: the source lines and the output lines of one tile stay in the first-level cache.
const TILE: usize = 16;

fn tiles<E: Element, const C: usize>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    for y0 in (0..ny).step_by(TILE) {
        for x0 in (0..nx).step_by(TILE) {
            let n = TILE.min(nx - x0);
            for y in y0..ny.min(y0 + TILE) {
                let row = &mut out[y * stride + x0 * C..][..n * C];
                let mut s = walk.first.wrapping_add_signed(y as isize * walk.dy + x0 as isize * walk.dx);
                for pixel in row.as_chunks_mut::<C>().0 {
                    pixel.copy_from_slice(&src[s..s + C]);
                    s = s.wrapping_add_signed(walk.dx);
                }
            }
        }
    }
}
