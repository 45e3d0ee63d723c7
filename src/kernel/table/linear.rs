//! `v·a + b` and `v^g`: as byte tables, and as arithmetic on f32 rows.

use crate::kernel::normalize::{PERIOD, periodic};
use crate::simd;
use std::sync::OnceLock;

/// How a byte table comes from real values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero, as albucore's byte tables do.
    Truncate,
    /// Half to even.
    Nearest,
}

simd! {
    /// The 256 entries of `v·a + b`, computed in f32 with two roundings, clipped to 0..=255.
    pub fn linear_table(a: f64, b: f64, rounding: Rounding) -> [u8; 256] {
        let (a, b) = (a as f32, b as f32);
        // Truncation of a clipped value is its floor: the nearest integer, or the one below if that lies above.
        let mut out = [0; 256];
        for (v, out) in out.iter_mut().enumerate() {
            let y = v as f32 * a + b;
            let y = if y > 0.0 { y } else { 0.0 };
            let y = if y < 255.0 { y } else { 255.0 };
            let near = (y + 12_582_912.0) - 12_582_912.0;
            let near = if rounding == Rounding::Truncate && near > y { near - 1.0 } else { near };
            *out = (near + 12_582_912.0).to_bits() as u8;
        }
        out
    }
}

/// log2(i·(1/255)); entry 0 stands for a value whose every power is 0.
fn log2_table() -> &'static [f64; 256] {
    static TABLE: OnceLock<[f64; 256]> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|i| if i == 0 { -1e6 } else { libm::log2(i as f64 * (1.0 / 255.0)) }))
}

/// ln(2)^k / k!: 2^f as a polynomial, to 4·10⁻¹⁸ for |f| ≤ ½.
const EXP2: [f64; 14] = {
    let mut c = [1.0; 14];
    let mut k = 1;
    while k < 14 {
        c[k] = c[k - 1] * std::f64::consts::LN_2 / k as f64;
        k += 1;
    }
    c
};

simd! {
    fn power_table(log2: &[f64; 256], g: f64) -> [u8; 256] {
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let mut out = [0; 256];
        let mut y = [0.0f64; 256];
        for i in 0..256 {
            let e = g * log2[i];
            let e = if e > -1000.0 { e } else { -1000.0 };
            let k = (e + ROUND) - ROUND;
            let f = e - k;
            let mut p = EXP2[13];
            let mut j = 13;
            while j > 0 {
                j -= 1;
                p = p * f + EXP2[j];
            }
            // 2^k from the integer that the rounding left in the low bits.
            let scale = f64::from_bits(((e + ROUND).to_bits() << 52).wrapping_add(1023 << 52));
            y[i] = p * scale * 255.0;
        }
        for i in 0..256 {
            let near = (y[i] + ROUND) - ROUND;
            let floor = if near > y[i] { near - 1.0 } else { near };
            out[i] = (floor + ROUND).to_bits() as u8;
        }
        out
    }
}

/// The table of `trunc((v/255)^g·255)` for `g` > 0, where v/255 is v·(1/255) in f64 as Albumentations has it.
///
/// The power is good to some 2⁻⁴⁹: enough for every exponent but 1, where the exact power decides.
pub fn gamma_table(g: f64) -> [u8; 256] {
    if g == 1.0 {
        return std::array::from_fn(|i| (i as f64 * (1.0 / 255.0) * 255.0) as u8);
    }
    power_table(log2_table(), g)
}

simd! {
    fn linear_periodic(row: &mut [f32], a: &[f64; PERIOD], b: &[f64; PERIOD], lo: f64, hi: f64) {
        let mut px = row.chunks_exact_mut(PERIOD);
        for px in &mut px {
            for i in 0..PERIOD {
                let y = px[i] as f64 * a[i] + b[i];
                let y = if y < lo { lo } else { y };
                px[i] = (if y > hi { hi } else { y }) as f32;
            }
        }
        for (i, v) in px.into_remainder().iter_mut().enumerate() {
            let y = *v as f64 * a[i] + b[i];
            let y = if y < lo { lo } else { y };
            *v = (if y > hi { hi } else { y }) as f32;
        }
    }
}

/// `v·a + b` in f64, clipped, rounded once to f32: what Albumentations computes for float images. NaN stays NaN.
///
/// `a` and `b` have one entry, or one for each of the `c` channels.
pub fn linear_row(row: &mut [f32], a: &[f32], b: &[f32], clip: Option<(f32, f32)>, c: usize) {
    assert!(row.len().is_multiple_of(c));
    let (lo, hi) = clip.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
    let (lo, hi) = (lo as f64, hi as f64);
    if PERIOD.is_multiple_of(c) || a.len() == 1 && b.len() == 1 {
        return linear_periodic(row, &periodic(a, c).map(f64::from), &periodic(b, c).map(f64::from), lo, hi);
    }
    let at = |v: &[f32], k: usize| v[if v.len() == 1 { 0 } else { k }] as f64;
    for px in row.chunks_exact_mut(c) {
        for (k, v) in px.iter_mut().enumerate() {
            let y = *v as f64 * at(a, k) + at(b, k);
            let y = if y < lo { lo } else { y };
            *v = (if y > hi { hi } else { y }) as f32;
        }
    }
}

/// `v^g` for each value, with the exponent rounded to f32 first; a negative base gives NaN, as in NumPy.
pub fn gamma_row(row: &mut [f32], g: f64) {
    crate::math::pow_row(row, g as f32 as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_tables_truncate_or_round() {
        let t = linear_table(1.2, -10.0, Rounding::Truncate);
        let r = linear_table(1.2, -10.0, Rounding::Nearest);
        for v in 0..256 {
            let y = (v as f32 * 1.2f32 - 10.0).clamp(0.0, 255.0);
            assert_eq!(t[v], y as u8, "{v}");
            assert_eq!(r[v], y.round_ties_even() as u8, "{v}");
        }
        assert_eq!(linear_table(-1.0, 255.0, Rounding::Truncate)[3], 252);
        assert_eq!(linear_table(f64::INFINITY, 0.0, Rounding::Truncate)[3], 255);
    }

    #[test]
    fn gamma_tables_equal_the_power() {
        let mut g = 0.3;
        let mut exponents = vec![0.01, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 1000.0];
        while g < 3.0 {
            exponents.push(g);
            g += 0.013_37;
        }
        for g in exponents {
            let t = gamma_table(g);
            for (v, t) in t.iter().enumerate() {
                let want = (libm::pow(v as f64 * (1.0 / 255.0), g) * 255.0) as u8;
                assert_eq!(*t, want, "{v}^{g}");
            }
        }
    }

    #[test]
    fn gamma_one_drops_what_the_reference_drops() {
        let table = gamma_table(1.0);
        let dropped: Vec<usize> = (0..256).filter(|&v| table[v] as usize != v).collect();
        assert_eq!(
            dropped,
            [33, 37, 41, 45, 49, 53, 57, 61, 66, 74, 82, 90, 98, 106, 114, 122, 132, 148, 164, 180, 196, 212, 228, 244]
        );
    }

    #[test]
    fn linear_row_is_exact_to_one_rounding_for_any_channel_count() {
        for c in [1, 3, 4, 5, 7] {
            let row: Vec<f32> = (0..c * 37).map(|i| (i % 101) as f32 / 80.0 - 0.1).collect();
            let a: Vec<f32> = (0..c).map(|k| 0.8 + 0.1 * k as f32).collect();
            let b: Vec<f32> = (0..c).map(|k| 0.05 * k as f32 - 0.1).collect();
            let mut got = row.clone();
            linear_row(&mut got, &a, &b, Some((0.0, 1.0)), c);
            let mut free = row.clone();
            linear_row(&mut free, &a[..1], &b, None, c);
            for (i, v) in row.iter().enumerate() {
                let (a0, a, b) = (a[0] as f64, a[i % c] as f64, b[i % c] as f64);
                assert_eq!(got[i], (*v as f64 * a + b).clamp(0.0, 1.0) as f32);
                assert_eq!(free[i], (*v as f64 * a0 + b) as f32);
            }
        }
    }
}
