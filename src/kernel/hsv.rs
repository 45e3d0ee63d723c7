//! RGB ↔ HSV and the shift between them.
//!
//! u8: H in 0..180, S and V in 0..256. Forward is OpenCV's integer form (12-bit reciprocals) exactly; back truncates, as
//! OpenCV 5's vector code does, and equals it in all but 5 of 10⁵ values (those use a fused multiply there).
//! f32: H in 0..360, S and V in 0..=1, nothing is rounded to bytes.

use super::normalize::{merge3, split3};
use crate::simd;

/// Pixels that go through planes at a time.
const BLOCK: usize = 256;

/// A shift of hue, saturation and value of bytes, reduced to whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HsvShift {
    /// Added to H modulo 180, in 0..180.
    pub hue: u8,
    /// Added to S, which stays 0 where it was 0.
    pub sat: i16,
    /// Added to V.
    pub val: i16,
}

impl HsvShift {
    /// H = floor((H + hue) mod 180), S = sat(S + trunc(sat)), V = sat(V + trunc(val)).
    pub fn new(hue: f64, sat: f64, val: f64) -> HsvShift {
        // Whole steps suffice: for a whole H, floor(H + hue) = H + floor(hue). Beyond ±255 nothing changes any more.
        HsvShift {
            hue: hue.floor().rem_euclid(180.0) as u8,
            sat: sat.clamp(-255.0, 255.0) as i16,
            val: val.clamp(-255.0, 255.0) as i16,
        }
    }
}

/// Three planes of bytes.
type Planes = [[u8; BLOCK]; 3];

simd! {
    /// RGB planes → HSV planes, in place.
    fn forward(p: &mut Planes) {
        let [r, g, b] = p;
        for i in 0..BLOCK {
            let (x, y, z) = (r[i] as i32, g[i] as i32, b[i] as i32);
            let v = x.max(y).max(z);
            let d = v - x.min(y).min(z);
            // Reciprocals as OpenCV's tables hold them: 255·4096/v and 180·4096/(6·d), rounded half to even. The sum with
            // 1.5·2²³ rounds; for v = 0 or d = 0 any finite number will do, since it is multiplied by 0.
            let over_v = (1_044_480.0f32 / v.max(1) as f32 + 12_582_912.0).to_bits() as i32 - 0x4b40_0000;
            let over_d = (122_880.0f32 / d.max(1) as f32 + 12_582_912.0).to_bits() as i32 - 0x4b40_0000;
            let s = (d * over_v + 2048) >> 12;
            let side = if v == x { y - z } else if v == y { z - x + 2 * d } else { x - y + 4 * d };
            let h = (side * over_d + 2048) >> 12;
            let h = if h < 0 { h + 180 } else { h };
            r[i] = h as u8;
            g[i] = s as u8;
            b[i] = v as u8;
        }
    }
}

simd! {
    /// HSV planes shifted in place.
    fn shift(p: &mut Planes, by: HsvShift) {
        let [h, s, v] = p;
        let wrap = 180 - by.hue;
        for h in h.iter_mut() {
            // H + hue − 180 if that is not negative; hues from 180 to 255 (which no conversion makes) lose 180 first.
            let x = if *h >= 180 { *h - 180 } else { *h };
            *h = if x >= wrap { x - wrap } else { x + by.hue };
        }
        let (up, down) = (by.sat.max(0) as u8, (-by.sat).max(0) as u8);
        for s in s.iter_mut() {
            let x = s.saturating_add(up).saturating_sub(down);
            *s = if *s == 0 { 0 } else { x };
        }
        let (up, down) = (by.val.max(0) as u8, (-by.val).max(0) as u8);
        for v in v.iter_mut() {
            *v = v.saturating_add(up).saturating_sub(down);
        }
    }
}

simd! {
    /// HSV planes → RGB planes, in place.
    fn back(p: &mut Planes) {
        let [h, s, v] = p;
        for i in 0..BLOCK {
            let sector = h[i] as f32 * (6.0 / 180.0);
            let sat = s[i] as f32 * (1.0 / 255.0);
            let val = v[i] as f32 * (1.0 / 255.0);
            // How far each channel goes down from V to V·(1 − S): a trapezoid over the six sectors of the hue.
            let unit = |x: f32| { let x = if x > 0.0 { x } else { 0.0 }; if x < 1.0 { x } else { 1.0 } };
            let wr = 1.0 - unit((sector - 3.0).abs() - 1.0);
            let wg = unit((sector - 2.0).abs() - 1.0);
            let wb = unit((sector - 4.0).abs() - 1.0);
            let channel = |w: f32| val * (1.0 - sat * w) * 255.0;
            h[i] = floor_u8(channel(wr));
            s[i] = floor_u8(channel(wg));
            v[i] = floor_u8(channel(wb));
        }
    }
}

/// The integer part of a number in 0..256.
#[inline(always)]
fn floor_u8(y: f32) -> u8 {
    // At 2¹⁵ the last eight bits of an f32 are the fraction; above them stands the integer.
    let down = (y + 12_582_912.0) - 12_582_912.0;
    let down = if down > y { down - 1.0 } else { down };
    (down + 12_582_912.0).to_bits() as u8
}

/// Runs `f` over a row in blocks of planes.
#[inline(always)]
fn by_planes(src: &[u8], dst: &mut [u8], f: impl Fn(&mut Planes)) {
    assert!(src.len() == dst.len() && src.len().is_multiple_of(3));
    for (s, d) in src.chunks(3 * BLOCK).zip(dst.chunks_mut(3 * BLOCK)) {
        let n = s.len() / 3;
        let mut planes: Planes = [[0; BLOCK]; 3];
        let [p, q, r] = &mut planes;
        split3(s, [&mut p[..n], &mut q[..n], &mut r[..n]]);
        f(&mut planes);
        let [p, q, r] = &planes;
        merge3([&p[..n], &q[..n], &r[..n]], d);
    }
}

/// As [`by_planes`], in place.
#[inline(always)]
fn by_planes_in_place(row: &mut [u8], f: impl Fn(&mut Planes)) {
    assert!(row.len().is_multiple_of(3));
    for px in row.chunks_mut(3 * BLOCK) {
        let n = px.len() / 3;
        let mut planes: Planes = [[0; BLOCK]; 3];
        let [p, q, r] = &mut planes;
        split3(px, [&mut p[..n], &mut q[..n], &mut r[..n]]);
        f(&mut planes);
        let [p, q, r] = &planes;
        merge3([&p[..n], &q[..n], &r[..n]], px);
    }
}

/// RGB → HSV, bytes.
pub fn hsv_from_rgb_row(src: &[u8], dst: &mut [u8]) {
    by_planes(src, dst, |p| forward(p));
}

/// HSV → RGB, bytes.
pub fn rgb_from_hsv_row(src: &[u8], dst: &mut [u8]) {
    by_planes(src, dst, |p| back(p));
}

/// Shifts a row of HSV bytes in place.
pub fn hsv_shift_row(row: &mut [u8], by: HsvShift) {
    by_planes_in_place(row, |p| shift(p, by));
}

/// RGB → HSV, shift, → RGB in one pass: the bytes of the three in sequence.
pub fn hsv_shift_rgb_row(row: &mut [u8], by: HsvShift) {
    by_planes_in_place(row, |p| {
        forward(p);
        shift(p, by);
        back(p);
    });
}

/// A shift of hue, saturation and value of f32 pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HsvShiftF32 {
    /// Added to H modulo 360, in 0..360.
    pub hue: f32,
    /// Added to S, which stays 0 where it was 0; clipped to 0..=1.
    pub sat: f32,
    /// Added to V; clipped to 0..=1.
    pub val: f32,
}

impl HsvShiftF32 {
    /// H = (H + hue) mod 360 in degrees, S + sat, V + val on the scale of 0 to 1.
    ///
    /// The shift that bytes know as (hue, sat, val) is (2·hue, sat/255, val/255) here.
    pub fn new(hue: f64, sat: f64, val: f64) -> HsvShiftF32 {
        HsvShiftF32 { hue: hue.rem_euclid(360.0) as f32, sat: sat as f32, val: val as f32 }
    }
}

/// Three planes of f32.
type PlanesF32 = [[f32; BLOCK]; 3];

simd! {
    fn forward_f32(p: &mut PlanesF32) {
        const TINY: f32 = f32::EPSILON;
        let [r, g, b] = p;
        for i in 0..BLOCK {
            let (x, y, z) = (r[i], g[i], b[i]);
            let max = |a: f32, b: f32| if a > b { a } else { b };
            let min = |a: f32, b: f32| if a < b { a } else { b };
            let v = max(max(x, y), z);
            let d = v - min(min(x, y), z);
            let s = d / (v.abs() + TINY);
            let k = 60.0 / (d + TINY);
            let h = if v == x { (y - z) * k } else if v == y { (z - x) * k + 120.0 } else { (x - y) * k + 240.0 };
            r[i] = if h < 0.0 { h + 360.0 } else { h };
            g[i] = s;
            b[i] = v;
        }
    }
}

simd! {
    fn shift_f32(p: &mut PlanesF32, by: HsvShiftF32) {
        let [h, s, v] = p;
        let unit = |x: f32| { let x = if x > 0.0 { x } else { 0.0 }; if x < 1.0 { x } else { 1.0 } };
        for i in 0..BLOCK {
            let x = h[i] + by.hue;
            h[i] = if x >= 360.0 { x - 360.0 } else { x };
            let x = unit(s[i] + by.sat);
            s[i] = if s[i] == 0.0 { 0.0 } else { x };
            v[i] = unit(v[i] + by.val);
        }
    }
}

simd! {
    fn back_f32(p: &mut PlanesF32) {
        let [h, s, v] = p;
        for i in 0..BLOCK {
            let (sector, sat, val) = (h[i] * (6.0 / 360.0), s[i], v[i]);
            let unit = |x: f32| { let x = if x > 0.0 { x } else { 0.0 }; if x < 1.0 { x } else { 1.0 } };
            let wr = 1.0 - unit((sector - 3.0).abs() - 1.0);
            let wg = unit((sector - 2.0).abs() - 1.0);
            let wb = unit((sector - 4.0).abs() - 1.0);
            h[i] = val * (1.0 - sat * wr);
            s[i] = val * (1.0 - sat * wg);
            v[i] = val * (1.0 - sat * wb);
        }
    }
}

#[inline(always)]
fn by_planes_f32(row: &mut [f32], f: impl Fn(&mut PlanesF32)) {
    assert!(row.len().is_multiple_of(3));
    for px in row.chunks_mut(3 * BLOCK) {
        let n = px.len() / 3;
        let mut planes: PlanesF32 = [[0.0; BLOCK]; 3];
        let [p, q, r] = &mut planes;
        split3(px, [&mut p[..n], &mut q[..n], &mut r[..n]]);
        f(&mut planes);
        let [p, q, r] = &planes;
        merge3([&p[..n], &q[..n], &r[..n]], px);
    }
}

/// RGB → HSV, f32, in place.
pub fn hsv_from_rgb_f32_row(row: &mut [f32]) {
    by_planes_f32(row, |p| forward_f32(p));
}

/// HSV → RGB, f32, in place.
pub fn rgb_from_hsv_f32_row(row: &mut [f32]) {
    by_planes_f32(row, |p| back_f32(p));
}

/// Shifts a row of f32 HSV in place.
pub fn hsv_shift_f32_row(row: &mut [f32], by: HsvShiftF32) {
    by_planes_f32(row, |p| shift_f32(p, by));
}

/// RGB → HSV, shift, → RGB of f32 in one pass: the bytes of the three in sequence.
pub fn hsv_shift_rgb_f32_row(row: &mut [f32], by: HsvShiftF32) {
    by_planes_f32(row, |p| {
        forward_f32(p);
        shift_f32(p, by);
        back_f32(p);
    });
}
