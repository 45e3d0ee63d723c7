//! The 13-bit forward DCT of 8 × 8 blocks, divided and put in zigzag order.
//!
//! Loeffler, Ligtenberg and Moschytz, with the rounding of libjpeg's "islow": rows first, kept to 2 more bits, then
//! columns. The result is 8 times the orthonormal transform.

use super::quant::Quant;
use super::tables::ZIGZAG;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// Blocks that are transformed together; rows of blocks are padded to a multiple of it.
pub const LANES: usize = 8;

/// A row of blocks: coefficients in zigzag order, and a bit for each that is not zero.
#[derive(Clone, Debug, Default)]
pub struct Strip {
    /// 64 a block.
    pub zigzag: Vec<[i16; 64]>,
    /// Bit k for the k-th in zigzag order.
    pub nonzero: Vec<u64>,
}

impl Strip {
    /// Room for so many blocks, and for the padding.
    pub fn new(blocks: usize) -> Self {
        let n = blocks.next_multiple_of(LANES);
        Strip { zigzag: vec![[0; 64]; n], nonzero: vec![0; n] }
    }
}

/// Transforms 8 rows of samples, `stride` apart, to a row of blocks; `stride` is a multiple of 8 · [`LANES`].
pub fn forward_rows(samples: &[u8], stride: usize, quant: &Quant, strip: &mut Strip) {
    assert!(stride == 8 * strip.zigzag.len() && strip.zigzag.len() == strip.nonzero.len());
    assert!(samples.len() == 8 * stride && stride.is_multiple_of(8 * LANES));
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3 {
        return x86::jpeg::forward_rows(samples, stride, quant, strip);
    }
    forward_plain(samples, stride, quant, strip);
}

/// One dimension. `ROWS` is the first pass, which keeps 2 bits more; the second takes them off.
///
/// Sums fit 16 bits: eight samples give at most 2¹⁵ once 2 bits are added. Products of 16 bits are cheap on every CPU.
#[inline(always)]
fn pass<const ROWS: bool>(x: [i16; 8]) -> [i16; 8] {
    let (add, sub) = (i16::wrapping_add, i16::wrapping_sub);
    let whole = |v: i16| if ROWS { v << 2 } else { add(v, 2) >> 2 };
    let bits = if ROWS { 11 } else { 15 };
    let part = |v: i32| ((v + (1 << (bits - 1))) >> bits) as i16;
    let mix = |a: i32, v: i16, b: i32, w: i16| a * i32::from(v) + b * i32::from(w);
    let (s0, s1, s2, s3) = (add(x[0], x[7]), add(x[1], x[6]), add(x[2], x[5]), add(x[3], x[4]));
    let (d0, d1, d2, d3) = (sub(x[0], x[7]), sub(x[1], x[6]), sub(x[2], x[5]), sub(x[3], x[4]));
    let (e0, e1, e2, e3) = (add(s0, s3), add(s1, s2), sub(s1, s2), sub(s0, s3));
    // of the odd half: sums of products share two rotations
    let (z3, z4) = (add(d3, d1), add(d2, d0));
    let (p, q) = (mix(-6_436, z3, 9_633, z4), mix(9_633, z3, 6_437, z4));
    [
        whole(add(e0, e1)),
        part(mix(-7_373, d3, 4_926, d0) + q),
        part(mix(4_433, e2, 10_703, e3)),
        part(mix(-20_995, d2, 4_177, d1) + p),
        whole(sub(e0, e1)),
        part(mix(-4_176, d2, -20_995, d1) + q),
        part(mix(-10_704, e2, 4_433, e3)),
        part(mix(-4_927, d3, -7_373, d0) + p),
    ]
}

/// Bit k for each value that is not 0.
#[inline(always)]
fn mask(values: &[i16; 64]) -> u64 {
    let flags = values.map(|v| u8::from(v != 0));
    let eight = |f: &[u8; 8]| {
        // the lowest bit of byte i comes to bit 56 + i
        u64::from_le_bytes(*f).wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    (0..).zip(flags.as_chunks().0).fold(0, |m, (i, f)| m | eight(f) << (8 * i))
}

simd! {
    /// The plain text: 8 blocks side by side, a lane each, so that no pass has to turn them.
    pub(crate) fn forward_plain(samples: &[u8], stride: usize, quant: &Quant, strip: &mut Strip) {
        let blocks = strip.zigzag.as_chunks_mut::<LANES>().0.iter_mut();
        for (at, (out, nonzero)) in blocks.zip(strip.nonzero.as_chunks_mut::<LANES>().0).enumerate() {
            // [y][8·x + block], then [y][8·u + block], then [v][8·u + block]
            let mut rows = [[0_i16; 64]; 8];
            for (y, row) in rows.iter_mut().enumerate() {
                let line: &[u8; 64] = samples[y * stride + 64 * at..].first_chunk().expect("whole groups");
                let mut turned = [0_i16; 64];
                for x in 0..8 {
                    for b in 0..LANES {
                        turned[8 * x + b] = i16::from(line[8 * b + x]) - 128;
                    }
                }
                for b in 0..LANES {
                    let f = pass::<true>(std::array::from_fn(|x| turned[8 * x + b]));
                    for u in 0..8 {
                        row[8 * u + b] = f[u];
                    }
                }
            }
            let mut all = [[0_i16; 64]; 8];
            for i in 0..64 {
                let f = pass::<false>(std::array::from_fn(|y| rows[y][i]));
                for v in 0..8 {
                    all[v][i] = f[v];
                }
            }
            let mut stored = [[0_i16; LANES]; 64];
            for (to, &natural) in stored.iter_mut().zip(&ZIGZAG) {
                let n = natural as usize;
                let lanes: &[i16; LANES] = all[n / 8][8 * (n % 8)..].first_chunk().expect("8 lanes");
                let (recip, scale, half) = (quant.recip[n], quant.scale[n], quant.half[n]);
                for b in 0..LANES {
                    to[b] = Quant::divide(lanes[b], recip, scale, half);
                }
            }
            for b in 0..LANES {
                for (to, from) in out[b].iter_mut().zip(&stored) {
                    *to = from[b];
                }
                nonzero[b] = mask(&out[b]);
            }
        }
    }
}
