//! Weights as data.

use std::sync::OnceLock;

/// Steps of a pixel in the cubic table.
const STEPS: usize = 1024;

/// Cubic weights (Keys, a = −0.75) in Q14 at 1/1024 pixel, both ends included. The outer two are never positive, the
/// inner two never negative, and the four add up to 2¹⁴.
pub(crate) struct Cubic {
    /// As they are, for taps along the row.
    pub x: [[i16; 4]; STEPS + 1],
    /// Magnitudes, each twice so that one 4-byte load serves a vector of words; for taps along the column.
    pub y: [[u16; 8]; STEPS + 1],
}

/// The table.
pub(crate) static CUBIC: Cubic = build();

/// Index into [`CUBIC`] of a Q16 fraction.
#[inline(always)]
pub(crate) fn cubic_step(q: i32) -> u32 {
    (((q & 0xffff) + 32) >> 6) as u32
}

const fn build() -> Cubic {
    let mut table = Cubic { x: [[0; 4]; STEPS + 1], y: [[0; 8]; STEPS + 1] };
    let mut k = 0;
    while k <= STEPS {
        let t = k as f64 / STEPS as f64;
        let u = 1.0 - t;
        let outer0 = (0.75 * t * u * u * 16_384.0 + 0.5) as i16;
        let outer3 = (0.75 * t * t * u * 16_384.0 + 0.5) as i16;
        let inner1 = ((1.0 - t * t * (2.25 - 1.25 * t)) * 16_384.0 + 0.5) as i16;
        let inner2 = (16_384 + outer0 as i32 + outer3 as i32 - inner1 as i32) as i16;
        table.x[k] = [-outer0, inner1, inner2, -outer3];
        let mut i = 0;
        while i < 8 {
            table.y[k][i] = table.x[k][i / 2].unsigned_abs();
            i += 1;
        }
        k += 1;
    }
    table
}

/// Cubic weights at fraction `t` in f32.
#[inline(always)]
pub(crate) fn cubic_f32(t: f32) -> [f32; 4] {
    let u = 1.0 - t;
    [-0.75 * t * u * u, 1.0 - t * t * (2.25 - 1.25 * t), 1.0 - u * u * (2.25 - 1.25 * u), -0.75 * t * t * u]
}

/// Lanczos weights of the 8 taps −3..=4 at each 1/32 pixel, adding up to 1.
fn lanczos_exact(k: usize) -> [f64; 8] {
    let sinc = |v: f64| if v == 0.0 { 1.0 } else { libm::sin(v) / v };
    let w: [f64; 8] = std::array::from_fn(|i| {
        let t = std::f64::consts::PI * (k as f64 / 32.0 + 3.0 - i as f64);
        // At whole pixels the sine must vanish exactly, so that an unmoved image stays itself.
        if k == 0 { f64::from(u8::from(i == 3)) } else { sinc(t) * sinc(t / 4.0) }
    });
    let sum: f64 = w.iter().sum();
    w.map(|v| v / sum)
}

/// Lanczos weights in f32.
pub(crate) fn lanczos_f32() -> &'static [[f32; 8]; 32] {
    static TABLE: OnceLock<[[f32; 8]; 32]> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|k| lanczos_exact(k).map(|v| v as f32)))
}

/// Lanczos weights in integers at each 1/32 pixel. A step's weights are those of the step as far from the other end,
/// reversed, so that a mirrored position gives the same bytes.
pub(crate) struct Lanczos {
    /// Q14, for taps along the row; they add up to 2¹⁴.
    pub x: [[i16; 8]; 32],
    /// Magnitudes in Q15, each twice so that one 4-byte load serves a vector of words; for taps along the column. They
    /// add up to 2¹⁵, those of [`NEGATIVE`] taps subtracted.
    pub y: [[[u16; 2]; 8]; 32],
}

/// Taps whose Lanczos weights are never positive; those of the others are never negative.
pub(crate) const NEGATIVE: [bool; 8] = [true, false, true, false, false, true, false, true];

/// The table.
pub(crate) fn lanczos() -> &'static Lanczos {
    static TABLE: OnceLock<Lanczos> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut t = Lanczos { x: [[0; 8]; 32], y: [[[0; 2]; 8]; 32] };
        for k in 0..32 {
            let x = lanczos_fixed(k, 14).map(|v| v as i16);
            let y = lanczos_fixed(k, 15).map(|v| [v.unsigned_abs() as u16; 2]);
            (t.x[k], t.y[k]) = (x, y);
        }
        t
    })
}

/// The weights of step `k` with that many fractional bits, adding up to 1.
fn lanczos_fixed(k: usize, bits: u32) -> [i32; 8] {
    if k > 16 {
        let mut w = lanczos_fixed(32 - k, bits);
        w.reverse();
        return w;
    }
    let one = 1i32 << bits;
    let mut w = lanczos_exact(k).map(|v| (v * f64::from(one)).round() as i32);
    if k == 16 {
        // Both halves alike.
        let (left, right) = w.split_at_mut(4);
        right.iter_mut().zip(left.iter().rev()).for_each(|(r, l)| *r = *l);
    }
    // What rounding left over goes to the greatest weights.
    let rest = one - w.iter().sum::<i32>();
    let second = if k == 16 { rest / 2 } else { 0 };
    w[4] += second;
    w[3] += rest - second;
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cubic_weights_add_up_and_keep_their_signs() {
        for (k, w) in CUBIC.x.iter().enumerate() {
            assert_eq!(w.iter().map(|&v| v as i32).sum::<i32>(), 16_384);
            assert!(w[0] <= 0 && w[3] <= 0 && w[1] >= 0 && w[2] >= 0, "{k} {w:?}");
            for (a, b) in w.iter().zip(cubic_f32(k as f32 / 1024.0)) {
                assert!((*a as f32 / 16_384.0 - b).abs() < 2e-4);
            }
        }
        assert_eq!((CUBIC.x[0], CUBIC.x[1024]), ([0, 16_384, 0, 0], [0, 0, 16_384, 0]));
    }

    #[test]
    fn lanczos_weights_are_symmetric_and_add_up() {
        let t = lanczos_f32();
        assert_eq!(t[0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        for k in 1..32 {
            assert!((t[k].iter().sum::<f32>() - 1.0).abs() < 1e-6);
            for i in 0..8 {
                assert!((t[k][i] - t[32 - k][7 - i]).abs() < 1e-7);
            }
        }
        assert!((t[16][3] - 0.6186).abs() < 1e-3, "{}", t[16][3]);
    }

    #[test]
    #[allow(clippy::needless_range_loop)] // both indices name taps in three tables
    fn lanczos_integers_are_the_floats_rounded() {
        let (t, f) = (lanczos(), lanczos_f32());
        let y = |k: usize, i: usize| {
            assert_eq!(t.y[k][i][0], t.y[k][i][1]);
            let v = t.y[k][i][0] as i32;
            if NEGATIVE[i] { -v } else { v }
        };
        for k in 0..32 {
            assert_eq!(t.x[k].iter().map(|&v| v as i32).sum::<i32>(), 1 << 14, "{k}");
            assert_eq!((0..8).map(|i| y(k, i)).sum::<i32>(), 1 << 15, "{k}");
            for i in 0..8 {
                assert!((t.x[k][i] as f32 / 16_384.0 - f[k][i]).abs() < 2e-4, "{k} {i}");
                assert!((y(k, i) as f32 / 32_768.0 - f[k][i]).abs() < 1e-4, "{k} {i}");
                if k > 0 {
                    assert_eq!((t.x[k][i], y(k, i)), (t.x[32 - k][7 - i], y(32 - k, 7 - i)), "{k} {i}");
                }
            }
        }
        assert_eq!((t.x[0][3], t.y[0][3][0]), (1 << 14, 1 << 15));
    }
}
