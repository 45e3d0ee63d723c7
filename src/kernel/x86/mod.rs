//! Hand-written x86-64 forms of kernels that a bench row showed to need them. Each has the signature and the bytes of
//! its plain text, and is entered only when `simd::level()` says that the CPU has what it uses.
#![allow(unsafe_code)]

pub mod channels;
pub mod chw;
pub mod mix;
pub mod table;

use crate::image::Element;

/// Elements as the bytes they are stored in.
#[inline(always)]
pub fn bytes_of<E: Element>(v: &[E]) -> &[u8] {
    // SAFETY: `Element` is sealed to plain data without padding.
    unsafe { std::slice::from_raw_parts(v.as_ptr().cast(), size_of_val(v)) }
}

/// Elements as the bytes they are stored in, to write.
#[inline(always)]
pub fn bytes_of_mut<E: Element>(v: &mut [E]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; any bytes are a valid element, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(v.as_mut_ptr().cast(), size_of_val(v)) }
}
