//! Hand-written x86-64 forms of kernels that a bench row showed to need them. Each has the signature and the bytes of
//! its plain text, and is entered only when `simd::level()` says that the CPU has what it uses.
#![allow(unsafe_code)]

pub mod resize;
pub mod resize_float;
pub mod resize_move;
pub mod resize_rows;
