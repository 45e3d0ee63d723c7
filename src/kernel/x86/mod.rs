//! Hand-written x86-64 forms of kernels that a bench row showed to need them. Each has the signature and the bytes of
//! its plain text, and is entered only when `simd::level()` says that the CPU has what it uses.
#![allow(unsafe_code)]

/// Entries to the last pass of a sampler: bytes, those from a row to the next, addresses and weights, output. The number
/// in a name is that of the components, then comes the level.
macro_rules! sampler {
    ($taps:ty: $($name:ident => $body:expr),+) => {$(
        #[doc = concat!("See `", stringify!($body), "`.")]
        pub(crate) fn $name(data: &[u8], stride: usize, taps: &$taps, out: &mut [u8]) {
            // SAFETY: the sampler takes this entry from its level on only.
            unsafe { $body(data, stride, taps, out) }
        }
    )+};
}

pub mod channels;
pub mod chw;
pub mod flip;
pub mod gauss;
pub mod gray;
pub mod hsv;
pub mod jpeg;
pub mod jpeg_color;
pub mod mix;
pub mod noise;
pub mod resize;
pub mod resize_float;
pub mod resize_move;
pub mod resize_rows;
pub mod table;
pub mod transpose;
pub mod warp_coords;
pub mod warp_cubic;
pub mod warp_lanczos;
pub mod warp_linear;
pub mod warp_nearest;
pub mod warp_taps;

pub(crate) use crate::image::view::{bytes_of, bytes_of_mut};

use crate::image::Element;
use crate::kernel::copy::Walk;

/// Pixels to move, as addresses: pixel p of source line q, and of output row q, by bytes.
#[derive(Clone, Copy)]
struct Rect {
    src: *const u8,
    /// Bytes from an output row's source to the next row's.
    src_dy: isize,
    /// Bytes from an output pixel's source to the next pixel's.
    src_dx: isize,
    dst: *mut u8,
    /// Bytes from an output row to the next.
    dst_dy: isize,
    /// Bytes of a pixel.
    size: usize,
    ny: usize,
    nx: usize,
}

/// The rectangle of `ny` rows of `nx` pixels, all of which the two slices hold (or it panics).
fn rect<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) -> Rect {
    let e = size_of::<E>();
    let (lo, hi) = walk.extent(ny, nx);
    assert!(
        lo >= 0 && (hi as usize) < src.len() && nx * walk.c <= stride && (ny - 1) * stride + nx * walk.c <= out.len()
    );
    Rect {
        // SAFETY: `first` is between the two ends of the extent.
        src: unsafe { src.as_ptr().add(walk.first) }.cast(),
        src_dy: walk.dy * e as isize,
        src_dx: walk.dx * e as isize,
        dst: out.as_mut_ptr().cast(),
        dst_dy: (stride * e) as isize,
        size: walk.c * e,
        ny,
        nx,
    }
}

impl Rect {
    /// Address of byte `at` of the source of row `y`.
    ///
    /// # Safety
    /// The byte must be in the source.
    #[inline(always)]
    unsafe fn line(&self, y: usize, at: usize) -> *const u8 {
        // SAFETY: by the caller.
        unsafe { self.src.offset(y as isize * self.src_dy + at as isize) }
    }

    /// Address of byte `at` of output row `y`.
    ///
    /// # Safety
    /// The byte must be in the output.
    #[inline(always)]
    unsafe fn row(&self, y: usize, at: usize) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { self.dst.offset(y as isize * self.dst_dy + at as isize) }
    }

    /// The same with sources that start at output pixel `x`.
    ///
    /// # Safety
    /// `x < nx`.
    #[inline(always)]
    unsafe fn starting_at(self, x: usize) -> Rect {
        // SAFETY: by the caller.
        Rect { src: unsafe { self.src.offset(x as isize * self.src_dx) }, ..self }
    }
}
