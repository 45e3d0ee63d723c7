//! A baseline JPEG encoder with the arithmetic of libjpeg, so that a file is the one that libjpeg writes, byte for byte.
//!
//! Written from ITU T.81 and from what the Independent JPEG Group documents of its library: the 16-bit colour matrix, the
//! pairwise means of chroma, the 13-bit forward DCT ("islow"), division with halves away from zero, the standard Huffman
//! tables. All of it is integer arithmetic: every SIMD level gives the same bytes.

pub mod color;
pub mod dct;
pub mod entropy;
pub mod jpeg;
pub mod quant;
pub mod tables;

pub use jpeg::{Sampling, encode_jpeg};

#[cfg(test)]
mod tests;
