//! The DCT against the textbook's sum, the file against a decoder, every level against the plain text.

use super::dct::{Strip, forward_plain, forward_rows};
use super::quant::Quant;
use super::tables::ZIGZAG;
use super::{Sampling, encode_jpeg};
use crate::simd::{Level, level_lock, set_level};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

fn noise(n: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..n).map(|_| next()).collect()
}

/// A soft picture, so that a decoder gives back nearly what went in.
fn ramps(w: usize, h: usize, c: usize) -> Vec<u8> {
    let value = |x: usize, y: usize, k: usize| 60 + (2 * x + 3 * y + 20 * k) % 128;
    (0..h).flat_map(|y| (0..w).flat_map(move |x| (0..c).map(move |k| value(x, y, k) as u8))).collect()
}

/// The orthonormal transform of one block, row by row.
fn textbook(block: &[u8; 64]) -> [f64; 64] {
    // cos(n π / 16) for n = 0 … 8
    const COS: [f64; 9] = [
        1.0,
        0.980_785_280_403_230_4,
        0.923_879_532_511_286_7,
        0.831_469_612_302_545_2,
        std::f64::consts::FRAC_1_SQRT_2,
        0.555_570_233_019_602_2,
        0.382_683_432_365_089_8,
        0.195_090_322_016_128_27,
        0.0,
    ];
    let cos = |n: usize| match n % 32 {
        n @ 0..=8 => COS[n],
        n @ 9..=16 => -COS[16 - n],
        n @ 17..=24 => -COS[n - 16],
        n => COS[32 - n],
    };
    let norm = |k: usize| if k == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
    std::array::from_fn(|i| {
        let (v, u) = (i / 8, i % 8);
        let terms = (0..64).map(|j| {
            let (y, x) = (j / 8, j % 8);
            (f64::from(block[j]) - 128.0) * cos((2 * y + 1) * v) * cos((2 * x + 1) * u)
        });
        terms.sum::<f64>() * norm(u) * norm(v) / 4.0
    })
}

#[test]
fn the_dct_is_the_textbooks_to_one() {
    let samples = noise(64 * 64, 7);
    let mut strip = Strip::new(64);
    forward_plain(&samples, 512, &Quant::new([1; 64]), &mut strip);
    for (b, (got, nonzero)) in strip.zigzag.iter().zip(&strip.nonzero).enumerate() {
        let want = textbook(&std::array::from_fn(|i| samples[i / 8 * 512 + 8 * b + i % 8]));
        for (k, at) in ZIGZAG.iter().enumerate() {
            let want = want[usize::from(*at)];
            assert!((f64::from(got[k]) - want).abs() <= 1.0, "block {b}, {k}: {} for {want}", got[k]);
            assert_eq!(nonzero >> k & 1 == 1, got[k] != 0);
        }
    }
}

#[test]
fn extreme_blocks_fit_sixteen_bits() {
    // each basis function's signs give its largest coefficient
    let sign = |n: usize, k: usize| textbook(&std::array::from_fn(|i| if i == n { 255 } else { 128 }))[k] >= 0.0;
    for k in 0..64 {
        for flip in [false, true] {
            let block: [u8; 64] = std::array::from_fn(|n| if sign(n, k) != flip { 255 } else { 0 });
            let mut samples = vec![0; 8 * 64];
            for (i, s) in samples.iter_mut().enumerate() {
                *s = block[i / 64 * 8 + i % 8];
            }
            let (want, mut got, mut plain) = (textbook(&block), Strip::new(8), Strip::new(8));
            forward_rows(&samples, 64, &Quant::new([1; 64]), &mut got);
            forward_plain(&samples, 64, &Quant::new([1; 64]), &mut plain);
            assert_eq!(got.zigzag, plain.zigzag);
            for (j, at) in ZIGZAG.iter().enumerate() {
                assert!((f64::from(got.zigzag[0][j]) - want[usize::from(*at)]).abs() <= 1.5);
            }
        }
    }
}

fn decode(file: &[u8], c: usize) -> (Vec<u8>, usize, usize) {
    let space = if c == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    let pixels = decoder.decode().expect("a whole file");
    let (w, h) = decoder.dimensions().expect("a size");
    (pixels, w, h)
}

#[test]
fn every_small_size_decodes_to_itself() {
    for n in 1..=33_u16 {
        for (w, h) in [(n, n), (n, 17), (40, n)] {
            for (c, sampling) in [(1, Sampling::Halved), (3, Sampling::Full), (3, Sampling::Halved)] {
                let (x, y) = (usize::from(w), usize::from(h));
                let pixels = ramps(x, y, c);
                let file = encode_jpeg((w, h), c, &pixels, x * c, 98, sampling);
                let (back, bw, bh) = decode(&file, c);
                assert_eq!((bw, bh, back.len()), (x, y, pixels.len()));
                let off = back.iter().zip(&pixels).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
                // halved chroma loses the steps of the ramps
                let allowed = if c == 3 && sampling == Sampling::Halved { 12.0 } else { 2.0 };
                assert!(off / back.len() as f64 <= allowed, "{w}x{h}x{c} {sampling:?}: {}", off / back.len() as f64);
            }
        }
    }
}

#[test]
fn rows_may_lie_apart() {
    let (w, h) = (21, 19);
    let wide = noise(h * 100, 3);
    let packed: Vec<u8> = wide.chunks(100).flat_map(|row| &row[..3 * w]).copied().collect();
    for sampling in [Sampling::Full, Sampling::Halved] {
        let apart = encode_jpeg((21, 19), 3, &wide[..18 * 100 + 3 * w], 100, 80, sampling);
        assert_eq!(apart, encode_jpeg((21, 19), 3, &packed, 3 * w, 80, sampling));
    }
}

#[test]
fn each_level_writes_the_same_file() {
    let _one = level_lock();
    for (w, h) in [(1, 1), (7, 40), (64, 16), (131, 33), (300, 20)] {
        for quality in [1, 60, 95, 100] {
            for (c, sampling) in [(1, Sampling::Full), (3, Sampling::Full), (3, Sampling::Halved)] {
                for pixels in [noise(w * h * c, 9), ramps(w, h, c)] {
                    let encode = || encode_jpeg((w as u16, h as u16), c, &pixels, w * c, quality, sampling);
                    set_level(Level::Baseline);
                    let want = encode();
                    for wanted in Level::ALL {
                        if set_level(wanted) == wanted {
                            assert_eq!(encode(), want, "{wanted:?} {w}x{h}x{c} q{quality} {sampling:?}");
                        }
                    }
                }
            }
        }
    }
    set_level(Level::Vbmi);
}
