//! Stencils: weighted sums over a neighbourhood, as correlation (kernels are not flipped) with the anchor in the centre.
//!
//! Both kinds keep a ring of prepared source rows. A row is prepared once (widened, with its border; for separable
//! kernels also filtered along x) and used by as many output rows as the kernel is high. Frames are cut into column
//! tiles small enough for the ring of one tile to stay in cache. Every sample is a sum in one fixed order, so tiles,
//! windows and SIMD levels cannot show.

mod conv;
mod number;
mod ring;
mod separable;
mod weights;

pub use conv::Conv;
pub use separable::Separable;
pub use weights::{gauss_kernel, opencv_gauss_kernel};

#[cfg(test)]
mod tests;
