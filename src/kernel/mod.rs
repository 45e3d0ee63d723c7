//! LOOPS: rows in, rows out. Kernels know pixels, borders and numbers; they know no op, plan, target or Python.
//!
//! Every kernel has one plain text that defines its bytes. Faster forms (`simd!` recompiles the text; `x86` holds the
//! hand-written ones) must give the same bytes, and a test holds each against the plain text.

pub mod blend;
pub mod codec;
pub mod color;
pub mod copy;
pub mod filter;
pub mod histogram;
pub mod hsv;
pub mod noise;
pub mod normalize;
pub mod paint;
pub(crate) mod planes;
pub mod project;
pub mod resize;
pub mod table;
pub mod warp;
#[cfg(target_arch = "x86_64")]
pub mod x86;
pub mod ycrcb;
