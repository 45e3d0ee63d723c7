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
fn normal_group(key: [u32; 2], y: u32, group: u32, out: &mut [f32; NORMAL]) {
    let mut w = Aligned([0; UNIFORM]);
    words(key, y, group, &mut w.0);
    let w = &w.0;
    bell(w, out);
}

/// Box–Muller: 16 bits of a word give the radius, 14 an angle within a right one, two the signs. That bounds the numbers
/// by 4.86 and puts 2³² points on the plane, far closer together than an image can show. The polynomials (errors below
/// 2e-6) belong to the definition of the noise.
#[inline(always)]
fn bell(words: &[u32; UNIFORM], out: &mut [f32; NORMAL]) {
    let (cosines, sines) = out.split_at_mut(UNIFORM);
    let (cosines, sines) = (&mut cosines[..UNIFORM], &mut sines[..UNIFORM]);
    for i in 0..UNIFORM {
        let w = words[i];
        let r = half_square_radius(w).sqrt();
        // The middle of a step, in right angles from the diagonal: half a right angle to either side.
        let t = ((w << 16) as i32 >> 18) as f32 * (1.0 / 16_384.0) + 1.0 / 32_768.0;
        let z = t * t;
        let s = t * (1.570_794_1 + z * (-0.645_801_84 + z * 0.077_955_03));
        let c = 1.0 + z * (-1.233_697 + z * (0.253_598_63 + z * -0.020_408_353));
        // The turn by half a right angle leaves a factor √½, which the radius lacks.
        cosines[i] = signed(r * (c - s), w << 30);
        sines[i] = signed(r * (c + s), w << 31);
    }
}

/// −ln u, where u is the middle of the step of 2⁻¹⁶ that the upper half of the word stands for.
#[inline(always)]
fn half_square_radius(w: u32) -> f32 {
    // u·2¹⁷, an odd integer, as 2^k · (1.5 + f).
    let x = (w >> 15 | 1) as i32 as f32;
    let k = (x.to_bits() >> 23) as i32 - (127 + 17);
    let f = f32::from_bits(x.to_bits() & 0x7f_ffff | 0x3f80_0000) - 1.5;
    let p = 0.048_928_99 + f * (-0.025_862_273 + f * (0.017_414_2 + f * -0.010_483_967));
    let p = -0.405_465_3 + f * (-0.666_665_73 + f * (0.222_245_4 + f * (-0.098_804_88 + f * p)));
    k as f32 * -std::f32::consts::LN_2 + p
}

/// Flips the sign if the top bit of `sign` is set.
#[inline(always)]
fn signed(v: f32, sign: u32) -> f32 {
    f32::from_bits(v.to_bits() ^ (sign & 0x8000_0000))
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
    normal_row, normal_group, NORMAL
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
    /// [`normal_row`] and [`add_row`] in one, without a row of noise in between.
    pub fn add_normal_row[T: Sample][T](row: &mut [T], seed: u64, y: u32, first: usize, scale: f32, shift: f32) {
        let key = key_words(seed);
        let mut values = Aligned([0.0; NORMAL]);
        let values = &mut values.0;
        let mut number = (first / NORMAL) as u32;
        let mut skip = first % NORMAL;
        let mut rest = row;
        while !rest.is_empty() {
            normal_group(key, y, number, values);
            let (part, next) = rest.split_at_mut(rest.len().min(NORMAL - skip));
            if let Ok(whole) = <&mut [T; NORMAL]>::try_from(&mut *part) {
                add_samples(whole, values, scale, shift);
            } else {
                add_samples(part, &values[skip..], scale, shift);
            }
            rest = next;
            number += 1;
            skip = 0;
        }
    }
}

#[cfg(test)]
mod tests;
