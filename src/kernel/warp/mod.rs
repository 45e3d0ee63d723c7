//! Resampling: output pixels read the source at given positions.
//!
//! **Positions** ([`Coords`]) are pixel centres. Each kind defines the position of a pixel by its absolute index alone,
//! so any window, band or tile of the output has the bytes of the whole.
//!
//! | source | filter | position | arithmetic |
//! |---|---|---|---|
//! | any | nearest | rounded half to even | moved |
//! | u8 | linear | Q16, folded by the border | 7-bit × 15-bit weights, integer |
//! | u8 | cubic | Q16, folded by the border | 10-bit weight table in Q14, integer |
//! | f32 | linear, cubic | Q32 or f64 | f32, columns of taps first, then along the row |
//! | u8 | Lanczos | 1/32 grid, as OpenCV's, folded by the border | Q15 × Q14 weights, integer |
//! | f32 | Lanczos | 1/32 grid | f32, as above |
//!
//! **Borders.** A constant border takes part in the blend at the edges; a pixel none of whose taps is in the image is
//! the fill itself. For the others a position is folded into the image before its taps are chosen (the mirrored signal
//! is the same from both sides), so that all but a thin edge takes the fast way.
//!
//! **Speed.** A row is cut into chunks of at most [`CHUNK`] pixels; each chunk goes through passes over small arrays in
//! L1: positions, fold, addresses and weights, then the taps. Pixels that the last pass cannot take (at the edges) are
//! marked and done one by one with the same arithmetic.

mod chunk;
mod coords;
mod cubic;
mod fold;
mod lanczos;
mod linear;
mod nearest;
mod taps;
#[cfg(test)]
mod tests;
mod tile;
mod weights;

#[cfg(target_arch = "x86_64")]
pub(crate) use {
    chunk::Taps,
    cubic::Cubic,
    lanczos::Lanczos,
    linear::Linear,
    weights::{CUBIC, Cubic as CubicWeights, Lanczos as LanczosWeights, NEGATIVE, lanczos},
};

use crate::image::{Border, Element, Interp, Plane, RowsMut, Sample};

/// Pixels that go through the passes together.
pub(crate) const CHUNK: usize = BLOCK * BLOCKS;

/// Pixels that a pass takes at once. Passes work on whole blocks; what they make of the pixels past the end is unused.
const BLOCK: usize = 16;
const BLOCKS: usize = 16;

/// One number of each pixel of a block.
type Block = [i32; BLOCK];

/// Positions x and y of a chunk.
type Positions = [[Block; BLOCKS]; 2];

/// Longest side of a source: one more and Q16 positions around it would not fit an i32.
pub const MAX_SIDE: usize = 32_766;

/// Source position of each output pixel, in pixel-centre coordinates.
#[derive(Clone, Copy, Debug)]
pub enum Coords<'a> {
    /// Inverse matrix: sx = m0 x + m1 y + m2, sy = m3 x + m4 y + m5.
    Affine([f64; 6]),
    /// Inverse homography, row-major: sx = (h0 x + h1 y + h2) / (h6 x + h7 y + h8), sy likewise.
    Homography([f64; 9]),
    /// Separable: source (xs\[x\], ys\[y\]).
    Axes {
        /// Source x of each output column.
        xs: &'a [f32],
        /// Source y of each output row.
        ys: &'a [f32],
    },
    /// Full planes of positions.
    Planes {
        /// Source x of each output pixel.
        xs: &'a [f32],
        /// Source y of each output pixel.
        ys: &'a [f32],
        /// Values from a row to the next.
        stride: usize,
    },
}

/// A resampling: where to read, how to interpolate, what lies outside.
#[derive(Clone, Copy, Debug)]
pub struct Warp<'a> {
    /// Source positions.
    pub coords: Coords<'a>,
    /// Filter. Area and LinearExact act as Linear, NearestExact as Nearest.
    pub interp: Interp,
    /// What is read outside the source.
    pub border: Border,
}

/// Writes output pixels (x0.., y0..) of the warp into `out` (out.w × out.n pixels). `fill` has src.c values.
///
/// Panics if a side of the source is 0 or over [`MAX_SIDE`], or if axes or planes are too short.
pub fn warp_rows<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, out: &mut RowsMut<T>) {
    if warp.interp.is_nearest() {
        return nearest_rows(src, warp, fill, x0, y0, out);
    }
    check(src, fill, out);
    if out.n == 0 || out.w == 0 {
        return;
    }
    let (n, w, c, stride) = (out.n, out.w, out.c, out.stride);
    match (T::bytes(src.data), T::bytes(fill), T::bytes_mut(out.data)) {
        (Some(data), Some(fill), Some(bytes)) => {
            let src = Plane { data, w: src.w, h: src.h, c: src.c, stride: src.stride };
            let mut out = RowsMut { data: bytes, n, w, c, stride };
            match warp.interp {
                Interp::Cubic => cubic::rows(&src, warp, fill, x0, y0, &mut out),
                Interp::Lanczos4 => lanczos::rows(&src, warp, fill, x0, y0, &mut out),
                _ => linear::rows(&src, warp, fill, x0, y0, &mut out),
            }
        }
        _ => match warp.interp {
            Interp::Cubic => taps::cubic(src, warp, fill, x0, y0, out),
            Interp::Lanczos4 => taps::lanczos(src, warp, fill, x0, y0, out),
            _ => taps::linear(src, warp, fill, x0, y0, out),
        },
    }
}

/// Nearest neighbour for any element type (masks). Otherwise as [`warp_rows`]; `warp.interp` is not read.
pub fn nearest_rows<E: Element>(src: &Plane<E>, warp: &Warp, fill: &[E], x0: usize, y0: usize, out: &mut RowsMut<E>) {
    check(src, fill, out);
    if out.n > 0 && out.w > 0 {
        nearest::rows(src, warp, fill, x0, y0, out);
    }
}

fn check<E: Element>(src: &Plane<E>, fill: &[E], out: &RowsMut<E>) {
    assert!((1..=MAX_SIDE).contains(&src.w) && (1..=MAX_SIDE).contains(&src.h), "warp: side of the source");
    assert!(src.c > 0 && out.c == src.c && fill.len() == src.c, "warp: channels");
    assert!(src.stride >= src.w * src.c && src.data.len() >= (src.h - 1) * src.stride + src.w * src.c);
}
