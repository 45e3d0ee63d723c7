//! Hand-written x86-64 forms of kernels that a bench row showed to need them. Each has the signature and the bytes of
//! its plain text, and is entered only when `simd::level()` says that the CPU has what it uses.
#![allow(unsafe_code)]

pub mod warp_coords;
pub mod warp_cubic;
pub mod warp_linear;
pub mod warp_nearest;
pub mod warp_taps;
