//! Random fields: values that depend on seed and place alone, and their addition to rows.
//!
//! A row of a field is numbered 0, 1, 2, …; number i of row y is a function of (seed, y, i), whatever part of the row is
//! asked for. One Philox block gives four uniform or eight normal numbers. Blocks are taken [`LANES`] at a time and their
//! words regrouped, so that every step is a loop over contiguous arrays of one type.

use crate::image::{DType, Sample};
use crate::rng::{PHILOX_M, PHILOX_W, key_words};
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

mod field;
pub use field::{Dist, Layout, Noise};

/// Blocks that are computed together.
const LANES: usize = 32;
/// Their words, and the uniform numbers of one group.
const UNIFORM: usize = 4 * LANES;
/// Normal numbers of one group.
const NORMAL: usize = 2 * UNIFORM;

/// Scratch on cache-line boundaries: vectors that straddle two lines cost twice.
#[repr(align(64))]
struct Aligned<T>(T);

/// The words of group `group` of row `y`: the first words of all its blocks, then the second ones, …
#[inline(always)]
fn words(key: [u32; 2], y: u32, group: u32, out: &mut [u32; UNIFORM]) {
    const LOW: u64 = 0xffff_ffff;
    let first = group.wrapping_mul(LANES as u32);
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V4 {
        return x86::noise::words(key, y, first, out);
    }
    for l in 0..LANES {
        // Words live in 64-bit lanes, because that is what a product of two needs.
        let (mut a, mut b, mut c, mut d) = (first.wrapping_add(l as u32) as u64, y as u64, 0u64, 0u64);
        let [mut k, mut m] = key;
        for _ in 0..10 {
            let p = (a & LOW) * PHILOX_M[0] as u64;
            let q = (c & LOW) * PHILOX_M[1] as u64;
            (a, b, c, d) = ((q >> 32) ^ b ^ k as u64, q, (p >> 32) ^ d ^ m as u64, p);
            k = k.wrapping_add(PHILOX_W[0]);
            m = m.wrapping_add(PHILOX_W[1]);
        }
        out[l] = a as u32;
        out[LANES + l] = b as u32;
        out[2 * LANES + l] = c as u32;
        out[3 * LANES + l] = d as u32;
    }
}

#[inline(always)]
fn normal_group(key: [u32; 2], y: u32, group: u32, scale: f32, out: &mut [f32; NORMAL]) {
    let mut w = Aligned([0; UNIFORM]);
    words(key, y, group, &mut w.0);
    let w = &w.0;
    let (mut sines, mut cosines) = (Aligned([0.0; UNIFORM]), Aligned([0.0; UNIFORM]));
    bell(w, &waves(scale), &mut sines.0, &mut cosines.0);
    weave(&sines.0, &cosines.0, out);
}

/// The square of the radius is `Q(m) − STEP·bits` of the float whose bits and mantissa 1 ≤ m < 2 are taken: the bits of
/// a float are nearly its logarithm, and Q makes up for the difference (by 2e-4 at most). It is never below 0.
pub(crate) const Q: [f32; 5] = [221.153_56, -4.312_58, 2.993_578_2, -0.916_505_93, 0.116_492_495];
/// 2·ln 2 for each step of the exponent.
pub(crate) const STEP: f32 = 1.652_591_7e-7;

/// Polynomials of the sine (odd) and the cosine (even) of t half right angles, |t| ≤ 1, within 2e-4, times `scale`.
#[inline(always)]
fn waves(scale: f32) -> [f32; 7] {
    // t is an integer below 2¹⁵.
    const T: f32 = 1.0 / 32_768.0;
    const S: [f32; 3] = [1.570_437 * T, -0.642_708_3 * (T * T * T), 0.072_431_66 * (T * T * T * T * T)];
    const C: [f32; 4] = [
        0.999_993_26,
        -1.233_484_5 * (T * T),
        0.252_580_14 * (T * T * T * T),
        -0.019_095_648 * (T * T * T * T * T * T),
    ];
    [S[0] * scale, S[1] * scale, S[2] * scale, C[0] * scale, C[1] * scale, C[2] * scale, C[3] * scale]
}

/// Box–Muller: a word gives a point on the plane. Its lower 31 bits give the radius, the lower half the angle within half
/// a circle, the top bit which half. Bits that both use decide less than 2⁻¹⁵ of the number behind the radius: only for
/// one word in 2¹⁵, radii beyond 4.5, does that show, and then as the order of far outliers (up to 6.6). The polynomials
/// belong to the definition of the noise.
#[inline(always)]
fn bell(words: &[u32; UNIFORM], waves: &[f32; 7], sines: &mut [f32; UNIFORM], cosines: &mut [f32; UNIFORM]) {
    let [s0, s1, s2, c0, c1, c2, c3] = *waves;
    for i in 0..UNIFORM {
        let w = words[i];
        let r = signed(square_radius(w).sqrt(), w);
        let t = w as i16 as f32;
        let z = t * t;
        sines[i] = r * (t * (s0 + z * (s1 + z * s2)));
        cosines[i] = r * (c0 + z * (c1 + z * (c2 + z * c3)));
    }
}

/// −2·ln u, where u is the middle of the step of 2⁻³⁰ that the lower 31 bits of the word stand for.
#[inline(always)]
fn square_radius(w: u32) -> f32 {
    let x = (w & 0x7fff_ffff | 1) as i32 as f32;
    let m = f32::from_bits(x.to_bits() & 0x7f_ffff | 0x3f80_0000);
    (Q[0] + m * (Q[1] + m * (Q[2] + m * (Q[3] + m * Q[4])))) - x.to_bits() as i32 as f32 * STEP
}

/// Flips the sign if the top bit of `sign` is set.
#[inline(always)]
fn signed(v: f32, sign: u32) -> f32 {
    f32::from_bits(v.to_bits() ^ (sign & 0x8000_0000))
}

/// The order of the numbers: of 32 words the sines of the first half, their cosines, the sines and the cosines of the
/// second half, and of these four by turns four at a time. Packing four vectors of integers to one of bytes gives this order.
#[inline(always)]
fn weave(sines: &[f32; UNIFORM], cosines: &[f32; UNIFORM], out: &mut [f32; NORMAL]) {
    let (sines, _) = sines.as_chunks::<4>();
    let (cosines, _) = cosines.as_chunks::<4>();
    let (out, _) = out.as_chunks_mut::<4>();
    for g in 0..NORMAL / 64 {
        for l in 0..4 {
            out[16 * g + 4 * l] = sines[8 * g + l];
            out[16 * g + 4 * l + 1] = cosines[8 * g + l];
            out[16 * g + 4 * l + 2] = sines[8 * g + 4 + l];
            out[16 * g + 4 * l + 3] = cosines[8 * g + 4 + l];
        }
    }
}

#[inline(always)]
fn unit_normal_group(key: [u32; 2], y: u32, group: u32, out: &mut [f32; NORMAL]) {
    normal_group(key, y, group, 1.0, out);
}

#[inline(always)]
fn uniform_group(key: [u32; 2], y: u32, group: u32, out: &mut [f32; UNIFORM]) {
    let mut w = Aligned([0; UNIFORM]);
    words(key, y, group, &mut w.0);
    let w = &w.0;
    for i in 0..UNIFORM {
        out[i] = (w[i] >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
    }
}

/// Defines a row function that computes all groups which `first .. first + out.len()` touches and copies what is asked
/// for. A macro, as a closure would not take over the features of the level.
macro_rules! row_of_groups {
    ($(#[$m:meta])* $name:ident, $group:ident, $n:ident) => {
        simd! {
            $(#[$m])*
            pub fn $name(seed: u64, y: u32, first: usize, out: &mut [f32]) {
                let key = key_words(seed);
                let mut number = (first / $n) as u32;
                let mut skip = first % $n;
                let mut rest = out;
                while !rest.is_empty() {
                    let (part, next) = rest.split_at_mut(rest.len().min($n - skip));
                    if let Ok(whole) = <&mut [f32; $n]>::try_from(&mut *part) {
                        $group(key, y, number, whole);
                    } else {
                        let mut values = [0.0; $n];
                        $group(key, y, number, &mut values);
                        part.copy_from_slice(&values[skip..skip + part.len()]);
                    }
                    rest = next;
                    number += 1;
                    skip = 0;
                }
            }
        }
    };
}

row_of_groups! {
    /// Standard normal numbers `first ..` of row `y`.
    normal_row, unit_normal_group, NORMAL
}

row_of_groups! {
    /// Uniform numbers of [0, 1), `first ..` of row `y`.
    uniform_row, uniform_group, UNIFORM
}

/// v + noise: u8 truncates the noise toward zero and saturates, f32 is clipped to 0..1.
#[inline(always)]
fn add<T: Sample>(v: T, noise: f32) -> T {
    if T::DTYPE == DType::U8 {
        // Rounds the size to an integer (beyond 2²³ it is one); one less where that went up.
        let size = noise.abs();
        let near = (size + 8_388_608.0) - 8_388_608.0;
        let whole = if near > size { near - 1.0 } else { near };
        T::from_f32(v.to_f32() + whole.copysign(noise))
    } else {
        let s = v.to_f32() + noise;
        let s = if s > 0.0 { s } else { 0.0 };
        T::from_f32(if s < 1.0 { s } else { 1.0 })
    }
}

#[inline(always)]
fn add_samples<T: Sample>(row: &mut [T], noise: &[f32], scale: f32, shift: f32) {
    let n = row.len();
    let noise = &noise[..n];
    #[cfg(target_arch = "x86_64")]
    let done = match T::bytes_mut(row) {
        Some(bytes) if level() >= Level::V3 => x86::noise::add(bytes, noise, scale, shift),
        _ => 0,
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for i in done..n {
        row[i] = add(row[i], noise[i] * scale + shift);
    }
}

simd! {
    /// Adds `noise · scale + shift` to a row, both in the row's own units: u8 truncates the sum toward zero and
    /// saturates, f32 is clipped to 0..1.
    pub fn add_row[T: Sample][T](row: &mut [T], noise: &[f32], scale: f32, shift: f32) {
        add_samples(row, noise, scale, shift);
    }
}

simd! {
    /// Adds `shift` and normal numbers of standard deviation `scale` to a row, as [`add_row`] does with its noise.
    pub fn add_normal_row[T: Sample][T](row: &mut [T], seed: u64, y: u32, first: usize, scale: f32, shift: f32) {
        let key = key_words(seed);
        let mut number = (first / NORMAL) as u32;
        let mut skip = first % NORMAL;
        let mut rest = row;
        while !rest.is_empty() {
            let (part, next) = rest.split_at_mut(rest.len().min(NORMAL - skip));
            add_group(part, skip, key, y, number, scale, shift);
            rest = next;
            number += 1;
            skip = 0;
        }
    }
}

/// The part of a group from number `skip` on.
#[inline(always)]
fn add_group<T: Sample>(part: &mut [T], skip: usize, key: [u32; 2], y: u32, group: u32, scale: f32, shift: f32) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V4
        && scale.abs() * 8.0 + shift.abs() < x86::noise::FAR
        && let Some(bytes) = T::bytes_mut(part)
    {
        let first = group.wrapping_mul(LANES as u32);
        if let Ok(whole) = <&mut [u8; NORMAL]>::try_from(&mut *bytes) {
            x86::noise::add_normal(whole, key, y, first, &waves(scale), shift);
        } else {
            let mut whole = Aligned([0; NORMAL]);
            let mine = skip..skip + bytes.len();
            whole.0[mine.clone()].copy_from_slice(bytes);
            x86::noise::add_normal(&mut whole.0, key, y, first, &waves(scale), shift);
            bytes.copy_from_slice(&whole.0[mine]);
        }
        return;
    }
    let mut values = Aligned([0.0; NORMAL]);
    normal_group(key, y, group, scale, &mut values.0);
    if let Ok(whole) = <&mut [T; NORMAL]>::try_from(&mut *part) {
        add_samples(whole, &values.0, 1.0, shift);
    } else {
        add_samples(part, &values.0[skip..], 1.0, shift);
    }
}

#[cfg(test)]
mod tests;
