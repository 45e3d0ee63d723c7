//! Random fields: values that depend on seed and place alone, and their addition to rows.
//!
//! A row of a field is numbered 0, 1, 2, …; number i of row y is a function of (seed, y, i), whatever part of the row is
//! asked for. One Philox block gives four numbers. Blocks are taken [`LANES`] at a time and their words regrouped, so
//! that every step is a loop over contiguous arrays of one type.

use crate::image::{DType, Sample};
use crate::math::{ln_f32, sin_cos_turn};
use crate::rng::{PHILOX_M, PHILOX_W, key_words};
use crate::simd;

mod field;
pub use field::{Dist, Layout, Noise};

/// Blocks that are computed together.
const LANES: usize = 32;
/// Numbers of one such group.
const GROUP: usize = 4 * LANES;

/// The words of blocks `first .. first + LANES` of row `y`, word by word.
#[inline(always)]
fn words(key: [u32; 2], y: u32, first: u32, out: &mut [[u32; LANES]; 4]) {
    const LOW: u64 = 0xffff_ffff;
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
        out[0][l] = a as u32;
        out[1][l] = b as u32;
        out[2][l] = c as u32;
        out[3][l] = d as u32;
    }
}

/// Box–Muller: one word gives the radius, one the angle.
#[inline(always)]
fn bell(radius: &[u32; LANES], angle: &[u32; LANES], cosines: &mut [f32], sines: &mut [f32]) {
    let (cosines, sines) = (&mut cosines[..LANES], &mut sines[..LANES]);
    for l in 0..LANES {
        // In (0, 1]; signed conversions are the ones that every level has.
        let u = (radius[l] >> 1) as i32 as f32 * (1.0 / 2_147_483_648.0) + 1.0 / 4_294_967_296.0;
        let r = (-2.0 * ln_f32(u)).max(0.0).sqrt();
        let (s, c) = sin_cos_turn(angle[l]);
        cosines[l] = r * c;
        sines[l] = r * s;
    }
}

#[inline(always)]
fn normal_group(key: [u32; 2], y: u32, group: u32, out: &mut [f32; GROUP]) {
    let mut w = [[0; LANES]; 4];
    words(key, y, group.wrapping_mul(LANES as u32), &mut w);
    let (a, b) = out.split_at_mut(2 * LANES);
    let (c, s) = a.split_at_mut(LANES);
    bell(&w[0], &w[1], c, s);
    let (c, s) = b.split_at_mut(LANES);
    bell(&w[2], &w[3], c, s);
}

#[inline(always)]
fn uniform_group(key: [u32; 2], y: u32, group: u32, out: &mut [f32; GROUP]) {
    let mut w = [[0; LANES]; 4];
    words(key, y, group.wrapping_mul(LANES as u32), &mut w);
    for (o, w) in out.chunks_exact_mut(LANES).zip(&w) {
        for l in 0..LANES {
            o[l] = (w[l] >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
        }
    }
}

#[inline(always)]
fn group_of<const NORMAL: bool>(key: [u32; 2], y: u32, group: u32, out: &mut [f32; GROUP]) {
    if NORMAL { normal_group(key, y, group, out) } else { uniform_group(key, y, group, out) }
}

/// Computes all groups that `first .. first + out.len()` touches and copies what is asked for.
// A constant says which, not a closure: closures do not take over the features of the level.
#[inline(always)]
fn by_groups<const NORMAL: bool>(seed: u64, y: u32, first: usize, out: &mut [f32]) {
    let key = key_words(seed);
    let skip = first % GROUP;
    let mut number = (first / GROUP) as u32;
    let head = if skip == 0 { 0 } else { out.len().min(GROUP - skip) };
    let mut part = [0.0; GROUP];
    let (start, rest) = out.split_at_mut(head);
    if head > 0 {
        group_of::<NORMAL>(key, y, number, &mut part);
        start.copy_from_slice(&part[skip..skip + head]);
        number += 1;
    }
    let (whole, tail) = rest.as_chunks_mut::<GROUP>();
    for o in whole {
        group_of::<NORMAL>(key, y, number, o);
        number += 1;
    }
    if !tail.is_empty() {
        group_of::<NORMAL>(key, y, number, &mut part);
        tail.copy_from_slice(&part[..tail.len()]);
    }
}

simd! {
    /// Standard normal numbers `first ..` of row `y`.
    pub fn normal_row(seed: u64, y: u32, first: usize, out: &mut [f32]) {
        by_groups::<true>(seed, y, first, out);
    }
}

simd! {
    /// Uniform numbers of [0, 1), `first ..` of row `y`.
    pub fn uniform_row(seed: u64, y: u32, first: usize, out: &mut [f32]) {
        by_groups::<false>(seed, y, first, out);
    }
}

/// v + noise: u8 truncates the noise toward zero and saturates, f32 is clipped to 0..1.
#[inline(always)]
fn add<T: Sample>(v: T, noise: f32) -> T {
    if T::DTYPE == DType::U8 {
        let bounded = if noise < 256.0 { noise } else { 256.0 };
        let bounded = if bounded > -256.0 { bounded } else { -256.0 };
        let size = bounded.abs();
        // Rounds to an integer; one less where that went up.
        let near = (size + 8_388_608.0) - 8_388_608.0;
        let whole = if near > size { near - 1.0 } else { near };
        T::from_f32(v.to_f32() + whole.copysign(bounded))
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
    for i in 0..n {
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
        let mut values = [0.0; GROUP];
        let mut number = (first / GROUP) as u32;
        let mut skip = first % GROUP;
        let mut rest = row;
        while !rest.is_empty() {
            normal_group(key, y, number, &mut values);
            let (part, next) = rest.split_at_mut(rest.len().min(GROUP - skip));
            if let Ok(whole) = <&mut [T; GROUP]>::try_from(&mut *part) {
                add_samples(whole, &values, scale, shift);
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
