//! Addresses of a chunk whose taps lie inside: what all filters of several taps an axis share.

use super::{Block, CHUNK};
use crate::image::Plane;
use crate::simd;

/// Addresses and weights of a chunk of bytes. `I` counts the steps of a table of weights.
#[repr(align(64))]
pub(crate) struct Taps<I> {
    /// First byte of the upper left tap.
    pub off: [u32; CHUNK],
    /// Indices into the table of weights.
    pub kx: [I; CHUNK],
    /// As `kx`, for y.
    pub ky: [I; CHUNK],
    /// 1 where the pixel cannot be done this way; its address is that of some other then.
    pub bad: [u8; CHUNK],
}

impl<I: Copy + Default> Taps<I> {
    /// No pixel can be done.
    pub fn new() -> Taps<I> {
        Taps { off: [0; CHUNK], kx: [I::default(); CHUNK], ky: [I::default(); CHUNK], bad: [1; CHUNK] }
    }
}

/// Does the taps of a chunk: bytes, those from a row to the next, addresses and weights, output.
pub(super) type Run<A> = fn(&[u8], usize, &A, &mut [u8]);

/// What does the taps of a chunk.
pub(super) struct Kernel<A> {
    /// Bytes read at a row of taps.
    pub load: usize,
    pub run: Run<A>,
}

/// What a chunk needs to know of the source, in elements.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Pixels that are a first tap inside.
    firsts: [u32; 2],
    stride: u32,
    c: u32,
    /// Greatest address at which all rows of taps can be loaded.
    limit: u32,
}

impl Frame {
    /// `taps` an axis, `load` elements being read at each row of them. None if no pixel has all its taps inside.
    pub fn new<T>(src: &Plane<T>, taps: usize, load: usize) -> Option<Frame> {
        let (len, reach) = (src.data.len(), (taps - 1) * src.stride + load);
        if src.w < taps || src.h < taps || len > i32::MAX as usize || len < reach {
            return None;
        }
        Some(Frame {
            firsts: [(src.w - taps) as u32 + 1, (src.h - taps) as u32 + 1],
            stride: src.stride as u32,
            c: src.c as u32,
            limit: (len - reach) as u32,
        })
    }
}

simd! {
    /// Addresses of pixels at positions with `SHIFT` bits of fraction, whose first tap lies `BEFORE` pixels before.
    pub(super) fn addresses[const SHIFT: u32, const BEFORE: i32][SHIFT, BEFORE](
        f: Frame,
        sx: &[Block],
        sy: &[Block],
        off: &mut [u32; CHUNK],
        bad: &mut [u8; CHUNK]
    ) {
        for (((&x, &y), o), b) in sx.as_flattened().iter().zip(sy.as_flattened()).zip(off).zip(bad) {
            let (x, y) = ((x >> SHIFT).wrapping_sub(BEFORE) as u32, (y >> SHIFT).wrapping_sub(BEFORE) as u32);
            let at = y.wrapping_mul(f.stride).wrapping_add(x.wrapping_mul(f.c));
            *o = at.min(f.limit);
            *b = u8::from((x >= f.firsts[0]) | (y >= f.firsts[1]) | (at > f.limit));
        }
    }
}
