//! RGB ↔ HSV and the shift between them.
//!
//! u8: H in 0..180, S and V in 0..256. Forward is OpenCV's integer form (12-bit reciprocals) exactly; back truncates, as
//! OpenCV 5's vector code does, and equals it in all but 5 of 10⁵ values (those use a fused multiply there).
//! f32: H in 0..360, S and V in 0..=1, nothing is rounded to bytes.

use super::planes::Planes;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

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

simd! {
    /// RGB planes → HSV planes, in place.
    fn forward(p: [&mut [u8]; 3]) {
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
            let (x, y, z) = (r[i] as i32, g[i] as i32, b[i] as i32);
            let v = x.max(y).max(z);
            let d = v - x.min(y).min(z);
            // Reciprocals as OpenCV's tables hold them: 255·4096/v and 180·4096/(6·d), rounded to integers by the sum with
            // 1.5·2²³. For v = 0 or d = 0 any finite number will do, since it is multiplied by 0.
            let over_v = (1_044_480.0 / v.max(1) as f32 + 12_582_912.0).to_bits() as i32 - 0x4b40_0000;
            let over_d = (122_880.0 / d.max(1) as f32 + 12_582_912.0).to_bits() as i32 - 0x4b40_0000;
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
    fn shift(p: [&mut [u8]; 3], by: HsvShift) {
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
    fn back(p: [&mut [u8]; 3]) {
        let [h, s, v] = p;
        let n = h.len();
        let (s, v) = (&mut s[..n], &mut v[..n]);
        for i in 0..n {
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
    // The nearest integer, by the sum with 1.5·2²³, or the one below if that lies above.
    let down = (y + 12_582_912.0) - 12_582_912.0;
    let down = if down > y { down - 1.0 } else { down };
    (down + 12_582_912.0).to_bits() as u8
}

/// RGB → HSV, bytes.
pub fn hsv_from_rgb_row(src: &[u8], dst: &mut [u8]) {
    Planes::from_to(src, dst, forward);
}

/// HSV → RGB, bytes.
pub fn rgb_from_hsv_row(src: &[u8], dst: &mut [u8]) {
    Planes::from_to(src, dst, back);
}

/// Shifts a row of HSV bytes in place.
pub fn hsv_shift_row(row: &mut [u8], by: HsvShift) {
    Planes::over(row, |p| shift(p, by));
}

/// RGB → HSV, shift, → RGB in one pass: the bytes of the three in sequence.
pub fn hsv_shift_rgb_row(row: &mut [u8], by: HsvShift) {
    #[cfg(target_arch = "x86_64")]
    let row = match level() {
        Level::Vbmi => {
            let done = x86::hsv::shift_rgb(row, by);
            &mut row[done..]
        }
        _ => row,
    };
    Planes::over(row, |[p, q, r]| {
        forward([p, q, r]);
        shift([p, q, r], by);
        back([p, q, r]);
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

simd! {
    fn forward_f32(p: [&mut [f32]; 3]) {
        const TINY: f32 = f32::EPSILON;
        let [r, g, b] = p;
        let n = r.len();
        let (g, b) = (&mut g[..n], &mut b[..n]);
        for i in 0..n {
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
    fn shift_f32(p: [&mut [f32]; 3], by: HsvShiftF32) {
        let [h, s, v] = p;
        let unit = |x: f32| { let x = if x > 0.0 { x } else { 0.0 }; if x < 1.0 { x } else { 1.0 } };
        let n = h.len();
        let (s, v) = (&mut s[..n], &mut v[..n]);
        for i in 0..n {
            let x = h[i] + by.hue;
            h[i] = if x >= 360.0 { x - 360.0 } else { x };
            let x = unit(s[i] + by.sat);
            s[i] = if s[i] == 0.0 { 0.0 } else { x };
            v[i] = unit(v[i] + by.val);
        }
    }
}

simd! {
    fn back_f32(p: [&mut [f32]; 3]) {
        let [h, s, v] = p;
        let n = h.len();
        let (s, v) = (&mut s[..n], &mut v[..n]);
        for i in 0..n {
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

/// RGB → HSV, f32, in place.
pub fn hsv_from_rgb_f32_row(row: &mut [f32]) {
    Planes::over(row, forward_f32);
}

/// HSV → RGB, f32, in place.
pub fn rgb_from_hsv_f32_row(row: &mut [f32]) {
    Planes::over(row, back_f32);
}

/// Shifts a row of f32 HSV in place.
pub fn hsv_shift_f32_row(row: &mut [f32], by: HsvShiftF32) {
    Planes::over(row, |p| shift_f32(p, by));
}

/// RGB → HSV, shift, → RGB of f32 in one pass: the bytes of the three in sequence.
pub fn hsv_shift_rgb_f32_row(row: &mut [f32], by: HsvShiftF32) {
    Planes::over(row, |[p, q, r]| {
        forward_f32([p, q, r]);
        shift_f32([p, q, r], by);
        back_f32([p, q, r]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    /// Every 5th colour and all that are nearly gray, with a tail shorter than any block.
    fn colours() -> Vec<u8> {
        let mut out = Vec::new();
        for r in (0..256).step_by(5) {
            for g in (0..256).step_by(5) {
                for b in (0..256).step_by(5) {
                    out.extend([r as u8, g as u8, b as u8]);
                }
            }
        }
        for v in 0..=255u8 {
            for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1)] {
                out.extend([v, v.saturating_add(i), v.saturating_sub(j)]);
                out.extend([v.saturating_add(i), v.saturating_sub(j), v]);
            }
        }
        out
    }

    fn naive_forward(px: &[u8]) -> [u8; 3] {
        let [r, g, b] = [px[0] as i32, px[1] as i32, px[2] as i32];
        let v = r.max(g).max(b);
        let d = v - r.min(g).min(b);
        let over = |k: f64, x: i32| if x == 0 { 0 } else { (k / x as f64).round_ties_even() as i32 };
        let s = (d * over(255.0 * 4096.0, v) + 2048) >> 12;
        let side = if v == r {
            g - b
        } else if v == g {
            b - r + 2 * d
        } else {
            r - g + 4 * d
        };
        let h = (side * over(30.0 * 4096.0, d) + 2048) >> 12;
        [(if h < 0 { h + 180 } else { h }) as u8, s as u8, v as u8]
    }

    /// The exact value of each channel, times 7650.
    fn exact_back(px: &[u8]) -> [i32; 3] {
        let [h, s, v] = [px[0] as i32 % 180, px[1] as i32, px[2] as i32];
        [5, 3, 1].map(|n| {
            let k = (h + 30 * n) % 180;
            let down = k.min(120 - k).clamp(0, 30);
            v * 7650 - v * s * down
        })
    }

    fn naive_shift(px: &[u8], hue: f64, sat: f64, val: f64) -> [u8; 3] {
        let h = (px[0] as f64 + hue).rem_euclid(180.0) as u8;
        let s = if px[1] == 0 { 0 } else { (px[1] as i32 + sat as i32).clamp(0, 255) as u8 };
        [h, s, (px[2] as i32 + val as i32).clamp(0, 255) as u8]
    }

    #[test]
    fn bytes_are_the_same_on_every_level() {
        let _guard = crate::simd::level_lock();
        let rgb = colours();
        let want: Vec<u8> = rgb.chunks_exact(3).flat_map(naive_forward).collect();
        let shifts =
            [(13.7, -20.9, 15.2), (-37.2, 300.0, -300.0), (0.0, 0.0, 0.0), (179.5, 1.0, -1.0), (-180.0, -5.6, 5.6)];
        let mut first: Vec<Vec<u8>> = Vec::new();
        for level in Level::ALL {
            set_level(level);
            let mut hsv = vec![0; rgb.len()];
            hsv_from_rgb_row(&rgb, &mut hsv);
            assert_eq!(hsv, want, "{level:?}");
            let mut outs = Vec::new();
            for (hue, sat, val) in shifts {
                let by = HsvShift::new(hue, sat, val);
                let mut shifted = hsv.clone();
                hsv_shift_row(&mut shifted, by);
                for (a, b) in shifted.chunks_exact(3).zip(hsv.chunks_exact(3)) {
                    assert_eq!(a, naive_shift(b, hue, sat, val), "{level:?} {b:?} {hue} {sat} {val}");
                }
                let mut back = vec![0; rgb.len()];
                rgb_from_hsv_row(&shifted, &mut back);
                for (a, b) in back.chunks_exact(3).zip(shifted.chunks_exact(3)) {
                    for (a, e) in a.iter().zip(exact_back(b)) {
                        // The floor, or one less where the exact value is whole.
                        let floor = e / 7650;
                        assert!(*a as i32 == floor || e % 7650 == 0 && (*a as i32 - floor).abs() == 1, "{b:?} {a} {e}");
                    }
                }
                let mut fused = rgb.clone();
                hsv_shift_rgb_row(&mut fused, by);
                assert_eq!(fused, back, "{level:?}");
                let mut parts = rgb.clone();
                let cut = 3 * 1001;
                hsv_shift_rgb_row(&mut parts[..cut], by);
                hsv_shift_rgb_row(&mut parts[cut..], by);
                assert_eq!(parts, back);
                outs.push(back);
            }
            if first.is_empty() {
                first = outs;
            } else {
                assert_eq!(first, outs, "{level:?}");
            }
        }
    }

    #[test]
    fn hues_beyond_the_circle_are_taken_modulo() {
        let mut row: Vec<u8> = (0..=255).flat_map(|h| [h, 10, 20]).collect();
        let before = row.clone();
        hsv_shift_row(&mut row, HsvShift::new(100.0, 0.0, 0.0));
        for (a, b) in row.chunks_exact(3).zip(before.chunks_exact(3)) {
            assert_eq!(a, [((b[0] as u32 + 100) % 180) as u8, b[1], b[2]]);
        }
    }

    #[test]
    fn floats_follow_the_definition_on_every_level() {
        let _guard = crate::simd::level_lock();
        let rgb: Vec<f32> = colours().iter().map(|v| *v as f32 / 255.0).collect();
        let (hue, sat, val) = (-27.4, 0.1, -0.05);
        let by = HsvShiftF32::new(hue, sat, val);
        let mut first: Option<Vec<f32>> = None;
        for level in Level::ALL {
            set_level(level);
            let mut hsv = rgb.clone();
            hsv_from_rgb_f32_row(&mut hsv);
            let mut three = hsv.clone();
            hsv_shift_f32_row(&mut three, by);
            rgb_from_hsv_f32_row(&mut three);
            let mut fused = rgb.clone();
            hsv_shift_rgb_f32_row(&mut fused, by);
            assert_eq!(fused, three);
            assert_eq!(first.get_or_insert(fused.clone()), &fused, "{level:?}");
            let mut back = hsv.clone();
            rgb_from_hsv_f32_row(&mut back);
            for ((px, hsv), (back, shifted)) in
                rgb.chunks_exact(3).zip(hsv.chunks_exact(3)).zip(back.chunks_exact(3).zip(fused.chunks_exact(3)))
            {
                let [r, g, b] = [px[0] as f64, px[1] as f64, px[2] as f64];
                let v = r.max(g).max(b);
                let d = v - r.min(g).min(b);
                let h = if d == 0.0 {
                    0.0
                } else if v == r {
                    60.0 * (g - b) / d
                } else if v == g {
                    60.0 * (b - r) / d + 120.0
                } else {
                    60.0 * (r - g) / d + 240.0
                };
                let h = h.rem_euclid(360.0);
                let s = if v == 0.0 { 0.0 } else { d / v };
                let turn = (hsv[0] as f64 - h).abs();
                assert!(turn.min(360.0 - turn) < 3e-3, "{px:?} {hsv:?} {h}");
                assert!((hsv[1] as f64 - s).abs() < 4e-5 && hsv[2] as f64 == v, "{px:?} {hsv:?} {s}");
                assert!(px.iter().zip(back).all(|(a, b)| (a - b).abs() < 2e-5), "{px:?} {back:?}");
                let (h, s, v) = (
                    (h + hue).rem_euclid(360.0),
                    if s == 0.0 { 0.0 } else { (s + sat).clamp(0.0, 1.0) },
                    (v + val).clamp(0.0, 1.0),
                );
                for (n, got) in [5.0, 3.0, 1.0].into_iter().zip(shifted) {
                    let k = (h / 60.0 + n) % 6.0;
                    let want = v - v * s * k.min(4.0 - k).clamp(0.0, 1.0);
                    assert!((want - *got as f64).abs() < 5e-5, "{px:?} {shifted:?} {want}");
                }
            }
        }
    }
}
