//! Channels mixed and moved: gray, matrices, permutations.

use super::normalize::merge3;
use super::planes::{BLOCK, Planes};
use crate::image::{Element, Sample};
use crate::math::pow_row;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};
use std::{cmp::Ordering, sync::OnceLock};

/// How a colour becomes gray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gray {
    /// Luma: .299 R + .587 G + .114 B. Three channels.
    Weighted,
    /// L of CIELAB. Three channels.
    Lab,
    /// (max + min)/2, truncated for bytes.
    Desaturation,
    /// The mean, truncated for bytes.
    Average,
    /// The largest channel.
    Max,
}

simd! {
    /// OpenCV's (9798 R + 19235 G + 3735 B + 2¹⁴) >> 15 into the first plane.
    ///
    /// The weights are split into high and low bytes, so that every sum fits 16 bits; the low sum reaches the result only
    /// through its floor over 256, which keeps the shift exact.
    pub(crate) fn gray_planes(p: [&mut [u8]; 3]) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            let (x, y, z) = (r[i] as i16, g[i] as i16, b[i] as i16);
            let high = 38 * x + 75 * y + 15 * z;
            let low = 35 * (2 * x + y - 3 * z);
            r[i] = ((high + 64).wrapping_add(low >> 8) as u16 >> 7) as u8;
        }
    }
}

simd! {
    fn desaturate_planes(p: [&mut [u8]; 3]) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            let (hi, lo) = (r[i].max(g[i]).max(b[i]), r[i].min(g[i]).min(b[i]));
            r[i] = ((hi as u16 + lo as u16) >> 1) as u8;
        }
    }
}

simd! {
    fn average_planes(p: [&mut [u8]; 3]) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            // 21846/65536 exceeds a third by less than what could reach the next integer below 768.
            let sum = r[i] as u16 + g[i] as u16 + b[i] as u16;
            r[i] = ((sum as u32 * 21846) >> 16) as u8;
        }
    }
}

simd! {
    fn max_planes(p: [&mut [u8]; 3]) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            r[i] = r[i].max(g[i]).max(b[i]);
        }
    }
}

/// The tables of OpenCV's 8-bit L: linear light of each channel times its weight, and L by the sum.
struct LabTables {
    light: [[u32; 256]; 3],
    l: [u8; 3073],
}

fn lab_tables() -> &'static LabTables {
    static TABLES: OnceLock<Box<LabTables>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let light: [u32; 256] = std::array::from_fn(|i| {
            let x = i as f64 / 255.0;
            let y = if x <= 0.04045 { x / 12.92 } else { libm::pow((x + 0.055) / 1.055, 2.4) };
            (y * 2040.0).round_ties_even() as u32
        });
        // The Y row of the sRGB matrix in 12 bits, f(Y) and L in 15.
        let weights = [871, 2929, 296];
        let l = std::array::from_fn(|i| {
            let y = i as f64 / 2040.0;
            let f = if y < 0.008856 { y * 7.787 + 16.0 / 116.0 } else { libm::cbrt(y) };
            let f = (f * 32768.0).round_ties_even() as i32;
            ((296 * f - 1_336_934 + (1 << 14)) >> 15).clamp(0, 255) as u8
        });
        Box::new(LabTables { light: weights.map(|w| light.map(|v| v * w)), l })
    })
}

fn lab_planes(p: [&mut [u8]; 3]) {
    let t = lab_tables();
    let [r, g, b] = p;
    for i in 0..r.len() {
        let sum = t.light[0][r[i] as usize] + t.light[1][g[i] as usize] + t.light[2][b[i] as usize];
        r[i] = t.l[(sum as usize + 2048) >> 12];
    }
}

/// Gray values into pixels of `out_c` equal channels.
fn replicate<E: Element>(gray: &[E], dst: &mut [E], out_c: usize) {
    match out_c {
        1 => dst.copy_from_slice(gray),
        3 => merge3([gray, gray, gray], dst),
        _ => {
            for (px, v) in dst.chunks_exact_mut(out_c).zip(gray) {
                px.fill(*v);
            }
        }
    }
}

fn replicate_u8(gray: &[u8], dst: &mut [u8], out_c: usize) {
    #[cfg(target_arch = "x86_64")]
    if out_c == 3 && level() >= Level::V3 {
        return x86::channels::spread3(gray, dst);
    }
    replicate(gray, dst, out_c);
}

/// Gray values of a row of pixels, block by block: `three` leaves those of three planes in the first of them, `pixel`
/// makes one of any other number of channels, `spread` writes `out_c` equal channels.
#[inline(always)]
fn gray_blocks<E: Element>(
    src: &[E],
    dst: &mut [E],
    [c, out_c]: [usize; 2],
    three: impl Fn([&mut [E]; 3]),
    pixel: impl Fn(&[E]) -> E,
    spread: impl Fn(&[E], &mut [E], usize),
) {
    let mut planes = Planes([[E::default(); BLOCK]; 3]);
    for (s, d) in src.chunks(BLOCK * c).zip(dst.chunks_mut(BLOCK * out_c)) {
        if c == 3 {
            let whole = planes.load(s);
            three(planes.first(whole));
        } else {
            for (v, px) in planes.0[0].iter_mut().zip(s.chunks_exact(c)) {
                *v = pixel(px);
            }
        }
        spread(&planes.0[0][..s.len() / c], d, out_c);
    }
}

fn check_gray(src: usize, dst: usize, method: Gray, c: usize, out_c: usize) {
    assert!(src.is_multiple_of(c) && dst == src / c * out_c);
    assert!(c == 3 || !matches!(method, Gray::Weighted | Gray::Lab));
}

/// Gray bytes of a row of `c` channels, written to `out_c` equal channels.
pub fn gray_row(src: &[u8], dst: &mut [u8], method: Gray, c: usize, out_c: usize) {
    check_gray(src.len(), dst.len(), method, c, out_c);
    let (mut src, mut dst) = (src, dst);
    #[cfg(target_arch = "x86_64")]
    if method == Gray::Weighted && (out_c == 1 || out_c == 3) && level() == Level::Vbmi {
        let done = x86::gray::gray(src, dst);
        (src, dst) = (&src[3 * done..], &mut dst[out_c * done..]);
    }
    let three = |p: [&mut [u8]; 3]| match method {
        Gray::Weighted => gray_planes(p),
        Gray::Lab => lab_planes(p),
        Gray::Desaturation => desaturate_planes(p),
        Gray::Average => average_planes(p),
        Gray::Max => max_planes(p),
    };
    let pixel = |px: &[u8]| {
        let (mut hi, mut lo, mut sum) = (0, 255, 0);
        for v in px {
            hi = hi.max(*v);
            lo = lo.min(*v);
            sum += *v as u32;
        }
        match method {
            Gray::Desaturation => ((hi as u16 + lo as u16) >> 1) as u8,
            Gray::Average => (sum / c as u32) as u8,
            _ => hi,
        }
    };
    gray_blocks(src, dst, [c, out_c], three, pixel, replicate_u8);
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

simd! {
    fn gray_planes_f32(p: [&mut [f32]; 3], method: Gray) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        match method {
            Gray::Desaturation => {
                for i in 0..n {
                    r[i] = (larger(larger(r[i], g[i]), b[i]) + smaller(smaller(r[i], g[i]), b[i])) * 0.5;
                }
            }
            Gray::Average => {
                for i in 0..n {
                    r[i] = (r[i] + g[i] + b[i]) / 3.0;
                }
            }
            Gray::Max => {
                for i in 0..n {
                    r[i] = larger(larger(r[i], g[i]), b[i]);
                }
            }
            Gray::Weighted | Gray::Lab => {
                for i in 0..n {
                    r[i] = r[i] * 0.299 + g[i] * 0.587 + b[i] * 0.114;
                }
            }
        }
    }
}

/// L/100 of CIELAB in f32, with D65 and the sRGB curve; values outside 0..=1 are clipped first.
fn lab_planes_f32(mut p: [&mut [f32]; 3]) {
    let n = p[0].len();
    let mut curve = [0.0; BLOCK];
    for plane in p.iter_mut() {
        curve[..n].copy_from_slice(plane);
        for v in &mut curve[..n] {
            *v = (v.clamp(0.0, 1.0) + 0.055) / 1.055;
        }
        pow_row(&mut curve[..n], 2.4);
        for (v, power) in plane[..n].iter_mut().zip(&curve) {
            let x = v.clamp(0.0, 1.0);
            *v = if x <= 0.04045 { x / 12.92 } else { *power };
        }
    }
    let [r, g, b] = p;
    for i in 0..n {
        r[i] = r[i] * 0.212_671 + g[i] * 0.715_16 + b[i] * 0.072_169;
    }
    curve[..n].copy_from_slice(r);
    pow_row(&mut curve[..n], 1.0 / 3.0);
    for (v, root) in r.iter_mut().zip(&curve) {
        *v = if *v > 0.008856 { 1.16 * root - 0.16 } else { 9.033 * *v };
    }
}

/// Gray f32 of a row of `c` channels, written to `out_c` equal channels. Sums go in channel order.
pub fn gray_f32_row(src: &[f32], dst: &mut [f32], method: Gray, c: usize, out_c: usize) {
    check_gray(src.len(), dst.len(), method, c, out_c);
    let three = |p: [&mut [f32]; 3]| match method {
        Gray::Lab => lab_planes_f32(p),
        _ => gray_planes_f32(p, method),
    };
    let pixel = |px: &[f32]| {
        let (mut hi, mut lo, mut sum) = (px[0], px[0], px[0]);
        for v in &px[1..] {
            hi = larger(hi, *v);
            lo = smaller(lo, *v);
            sum += *v;
        }
        match method {
            Gray::Desaturation => (hi + lo) * 0.5,
            Gray::Average => sum / c as f32,
            _ => hi,
        }
    };
    gray_blocks(src, dst, [c, out_c], three, pixel, replicate);
}

/// Fraction bits of a byte matrix.
pub const MATRIX_SHIFT: u32 = 14;

/// A matrix for bytes: weights in steps of 2⁻¹⁴ from −2 up to 2, offsets with the half that rounds.
#[derive(Clone, Copy, Debug)]
pub struct MatrixU8 {
    /// Weights of R, G and B in each row.
    pub weights: [[i16; 3]; 3],
    /// What is added before the shift.
    pub offsets: [i32; 3],
}

impl MatrixU8 {
    /// The matrix in fixed point, if it fits.
    fn new(m: &[[f32; 4]; 3]) -> Option<MatrixU8> {
        let one = (1 << MATRIX_SHIFT) as f32;
        let mut out = MatrixU8 { weights: [[0; 3]; 3], offsets: [0; 3] };
        for (k, row) in m.iter().enumerate() {
            for (w, q) in row.iter().zip(&mut out.weights[k]) {
                // NaN fails the comparison.
                if !matches!(w.abs().partial_cmp(&1.9999), Some(Ordering::Less)) {
                    return None;
                }
                // Half to even, by the sum with 1.5·2²³.
                *q = (w * one + 12_582_912.0).to_bits() as i16;
            }
            if !matches!(row[3].abs().partial_cmp(&4096.0), Some(Ordering::Less)) {
                return None;
            }
            out.offsets[k] = (row[3] * one) as i32 + (1 << (MATRIX_SHIFT - 1));
        }
        Some(out)
    }
}

simd! {
    fn matrix_u8_planes(p: [&mut [u8]; 3], m: &MatrixU8, from: usize) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in from..n {
            let (x, y, z) = (r[i] as i32, g[i] as i32, b[i] as i32);
            let out = |k: usize| {
                let w = m.weights[k];
                let sum = x * w[0] as i32 + y * w[1] as i32 + z * w[2] as i32 + m.offsets[k];
                (sum >> MATRIX_SHIFT).clamp(0, 255) as u8
            };
            (r[i], g[i], b[i]) = (out(0), out(1), out(2));
        }
    }
}

simd! {
    fn matrix_planes[T: Sample][T](p: [&mut [T]; 3], m: &[[f32; 4]; 3], lo: f32, hi: f32) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            let (x, y, z) = (r[i].to_f32(), g[i].to_f32(), b[i].to_f32());
            let out = |m: &[f32; 4]| {
                let v = x * m[0] + y * m[1] + z * m[2] + m[3];
                let v = if v < lo { lo } else { v };
                T::from_f32(if v > hi { hi } else { v })
            };
            (r[i], g[i], b[i]) = (out(&m[0]), out(&m[1]), out(&m[2]));
        }
    }
}

/// Three channels of bytes through three rows of weights and an offset, in place; rounded and saturated.
///
/// Weights below 2 are rounded to 2⁻¹⁴ (OpenCV has 2⁻¹⁰), which moves a sum by less than 0.03; others are taken as they are.
pub fn matrix_row(row: &mut [u8], m: &[[f32; 4]; 3]) {
    match MatrixU8::new(m) {
        Some(m) => Planes::over(row, |p| {
            #[cfg(target_arch = "x86_64")]
            let (mut p, done) = (p, 0);
            #[cfg(target_arch = "x86_64")]
            let done = if level() >= Level::V3 { x86::mix::matrix(&mut p, &m) } else { done };
            #[cfg(not(target_arch = "x86_64"))]
            let done = 0;
            if done < p[0].len() {
                matrix_u8_planes(p, &m, done);
            }
        }),
        None => Planes::over(row, |p| matrix_planes(p, m, 0.0, 255.0)),
    }
}

/// Three channels of f32 through three rows of weights and an offset, in place: ((m₀R + m₁G) + m₂B) + m₃, clipped to 0..=1
/// if `clip` says so.
pub fn matrix_f32_row(row: &mut [f32], m: &[[f32; 4]; 3], clip: bool) {
    let (lo, hi) = if clip { (0.0, 1.0) } else { (f32::NEG_INFINITY, f32::INFINITY) };
    Planes::over(row, |p| matrix_planes(p, m, lo, hi));
}

/// `dst[k] = src[index[k]]` for each pixel; a negative index gives `fill[k]`. `src` has `c` channels, `dst` one for each
/// index.
pub fn channels_row<E: Element>(src: &[E], dst: &mut [E], c: usize, index: &[i32], fill: &[E]) {
    let out_c = index.len();
    assert!(src.len().is_multiple_of(c) && dst.len() == src.len() / c * out_c);
    assert!(index.iter().all(|i| *i < c as i32) && fill.len() == out_c);
    match (c, index) {
        (1, [0]) => dst.copy_from_slice(src),
        (1, [0, 0, 0]) => merge3([src, src, src], dst),
        #[cfg(target_arch = "x86_64")]
        (3, &[i, j, k]) if size_of::<E>() == 1 && level() >= Level::V3 => {
            let (src, fill) = (x86::bytes_of(src), x86::bytes_of(fill));
            x86::channels::permute3(src, x86::bytes_of_mut(dst), [i, j, k], [fill[0], fill[1], fill[2]]);
        }
        (3, &[i, j, k]) => {
            let pick = |s: &[E; 3], k: usize, i: i32| if i < 0 { fill[k] } else { s[i as usize] };
            for (s, d) in src.as_chunks::<3>().0.iter().zip(dst.as_chunks_mut::<3>().0) {
                *d = [pick(s, 0, i), pick(s, 1, j), pick(s, 2, k)];
            }
        }
        _ => {
            for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact_mut(out_c)) {
                for k in 0..out_c {
                    d[k] = if index[k] < 0 { fill[k] } else { s[index[k] as usize] };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    fn row(n: usize) -> Vec<u8> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).chain([255; 12]).chain([0; 12]).collect()
    }

    const ALL: [Gray; 5] = [Gray::Weighted, Gray::Lab, Gray::Desaturation, Gray::Average, Gray::Max];

    fn naive(px: &[u8], method: Gray) -> f64 {
        let p = |k: usize| px[k] as i64;
        let (hi, lo) = (*px.iter().max().unwrap() as i64, *px.iter().min().unwrap() as i64);
        let whole = match method {
            Gray::Weighted => (9798 * p(0) + 19235 * p(1) + 3735 * p(2) + (1 << 14)) >> 15,
            Gray::Desaturation => (hi + lo) / 2,
            Gray::Average => px.iter().map(|v| *v as i64).sum::<i64>() / px.len() as i64,
            Gray::Max => hi,
            Gray::Lab => {
                let light = |v: i64| {
                    let x = v as f64 / 255.0;
                    if x <= 0.04045 { x / 12.92 } else { libm::pow((x + 0.055) / 1.055, 2.4) }
                };
                let y = 0.212671 * light(p(0)) + 0.715160 * light(p(1)) + 0.072169 * light(p(2));
                return 2.55 * if y > 0.008856 { 116.0 * libm::cbrt(y) - 16.0 } else { 903.3 * y };
            }
        };
        whole as f64
    }

    #[test]
    fn gray_bytes_follow_the_formulas() {
        let _guard = crate::simd::level_lock();
        for level in Level::ALL {
            set_level(level);
            for (c, out_c) in [(3, 1), (3, 3), (3, 2), (1, 3), (4, 1), (5, 4)] {
                let mut src = row(c * 700);
                src.truncate(src.len() / c * c);
                for method in ALL.into_iter().filter(|m| c == 3 || !matches!(m, Gray::Weighted | Gray::Lab)) {
                    let mut dst = vec![0; src.len() / c * out_c];
                    gray_row(&src, &mut dst, method, c, out_c);
                    for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact(out_c)) {
                        let slack = if method == Gray::Lab { 1.5 } else { 0.0 };
                        assert!(
                            d.iter().all(|v| (*v as f64 - naive(s, method)).abs() <= slack),
                            "{method:?} {s:?} {d:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn gray_of_every_sum_of_weights_is_exact() {
        for z in [0u8, 1, 127, 128, 254, 255] {
            let src: Vec<u8> = (0..=255u8).flat_map(|x| (0..=255u8).flat_map(move |y| [x, y, z])).collect();
            let mut dst = vec![0; src.len() / 3];
            gray_row(&src, &mut dst, Gray::Weighted, 3, 1);
            for (s, d) in src.chunks_exact(3).zip(dst) {
                assert_eq!(d as f64, naive(s, Gray::Weighted), "{s:?}");
            }
        }
    }

    #[test]
    fn gray_floats_follow_the_formulas() {
        let _guard = crate::simd::level_lock();
        for c in [3, 4] {
            let bytes = row(c * 300);
            let src: Vec<f32> = bytes[..c * 300].iter().map(|v| *v as f32 / 255.0).collect();
            for method in ALL.into_iter().filter(|m| c == 3 || !matches!(m, Gray::Weighted | Gray::Lab)) {
                let mut first: Option<Vec<f32>> = None;
                for level in Level::ALL {
                    set_level(level);
                    let mut dst = vec![0.0; 600];
                    gray_f32_row(&src, &mut dst, method, c, 2);
                    assert_eq!(first.get_or_insert(dst.clone()), &dst);
                    for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact(2)) {
                        let s64: Vec<f64> = s.iter().map(|v| *v as f64).collect();
                        let (hi, lo) =
                            (s64.iter().fold(0.0, |a: f64, b| a.max(*b)), s64.iter().fold(1.0, |a: f64, b| a.min(*b)));
                        let bytes: Vec<u8> = s.iter().map(|v| (v * 255.0).round() as u8).collect();
                        let want = match method {
                            Gray::Weighted => 0.299 * s64[0] + 0.587 * s64[1] + 0.114 * s64[2],
                            Gray::Lab => naive(&bytes, method) / 255.0,
                            Gray::Desaturation => (hi + lo) / 2.0,
                            Gray::Average => s64.iter().sum::<f64>() / c as f64,
                            Gray::Max => hi,
                        };
                        assert!((d[0] as f64 - want).abs() < 2e-6 && d[0] == d[1], "{method:?} {s:?} {d:?} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn matrices_round_and_saturate() {
        let _guard = crate::simd::level_lock();
        let m = [[0.393, 0.769, 0.189, 0.0], [1.5, -0.686, 0.168, -3.5], [0.0, 0.0, -1.0, 255.0]];
        let src = row(3 * 400);
        let floats: Vec<f32> = src.iter().map(|v| *v as f32 / 255.0).collect();
        let large = [[2.5, -0.7, 0.0, 0.0], [0.0, 1.0, 0.0, -1e5], [0.25, 0.25, 0.25, 0.5]];
        for level in Level::ALL {
            set_level(level);
            let (mut clipped, mut free) = (floats.clone(), floats.clone());
            matrix_f32_row(&mut clipped, &m, true);
            matrix_f32_row(&mut free, &m, false);
            let of = |m: &[f32; 4], px: &[f32]| px[0] * m[0] + px[1] * m[1] + px[2] * m[2] + m[3];
            for (i, px) in floats.chunks_exact(3).enumerate() {
                for k in 0..3 {
                    let y = of(&m[k], px);
                    assert_eq!((free[3 * i + k], clipped[3 * i + k]), (y, y.clamp(0.0, 1.0)));
                }
            }
            let (mut small, mut wide) = (src.clone(), src.clone());
            matrix_row(&mut small, &m);
            matrix_row(&mut wide, &large);
            for (i, px) in src.chunks_exact(3).enumerate() {
                let px = [px[0] as f32, px[1] as f32, px[2] as f32];
                for k in 0..3 {
                    let q = m[k].map(|w| (w as f64 * 16384.0).round_ties_even() as i64);
                    let sum = px[0] as i64 * q[0] + px[1] as i64 * q[1] + px[2] as i64 * q[2] + q[3];
                    assert_eq!(small[3 * i + k] as i64, ((sum + 8192) >> 14).clamp(0, 255));
                    assert!((small[3 * i + k] as f32 - of(&m[k], &px).clamp(0.0, 255.0)).abs() < 0.53);
                    assert_eq!(wide[3 * i + k], of(&large[k], &px).round_ties_even().clamp(0.0, 255.0) as u8);
                }
            }
        }
    }

    fn moved<E: Element + std::fmt::Debug>(src: &[E], fill: &[E]) {
        for (c, index) in [
            (1, &[0][..]),
            (1, &[0, 0, 0]),
            (3, &[2, 0, 1]),
            (3, &[0, -1, 1]),
            (3, &[1]),
            (4, &[3, 2, -1, 0]),
            (2, &[1, 1, 0, 0, 1]),
        ] {
            let src = &src[..src.len() / c * c];
            let mut dst = vec![E::default(); src.len() / c * index.len()];
            channels_row(src, &mut dst, c, index, &fill[..index.len()]);
            for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact(index.len())) {
                for (k, i) in index.iter().enumerate() {
                    assert_eq!(d[k], if *i < 0 { fill[k] } else { s[*i as usize] });
                }
            }
        }
    }

    #[test]
    fn channels_move_whatever_they_hold() {
        let _guard = crate::simd::level_lock();
        let src = row(3 * 333);
        for level in Level::ALL {
            set_level(level);
            moved(&src, &[1, 2, 3, 4, 5]);
            moved(&src.iter().map(|v| *v as u16 * 7).collect::<Vec<_>>(), &[1, 2, 3, 4, 5]);
            moved(&src.iter().map(|v| *v as f32).collect::<Vec<_>>(), &[1.0, 2.0, 3.0, 4.0, 5.0]);
            moved(&src.iter().map(|v| *v as u64).collect::<Vec<_>>(), &[1, 2, 3, 4, 5]);
        }
    }
}
