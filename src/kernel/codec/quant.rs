//! Quality to divisors, and division as two multiplications.

/// Divisors of one block, as they are and as multipliers; row by row.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct Quant {
    /// ⌈2^(16+s) / d⌉ for d = 8 · divisor, of which the DCT leaves 8 in its result.
    pub recip: [u16; 64],
    /// 2^(16−s) with s = ⌊log₂ d⌋, one less if d is a power of two.
    pub scale: [u16; 64],
    /// ⌊d / 2⌋: halves go away from zero.
    pub half: [u16; 64],
    /// The divisors that the file names.
    pub divisors: [u8; 64],
}

impl Quant {
    /// `base` scaled to a quality from 1 to 100 as libjpeg scales it, kept within a byte.
    pub fn of_quality(base: &[u8; 64], quality: u8) -> Self {
        let quality = i32::from(quality.clamp(1, 100));
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        Self::new(base.map(|b| ((i32::from(b) * percent + 50) / 100).clamp(1, 255) as u8))
    }

    /// Of given divisors, each at least 1.
    pub fn new(divisors: [u8; 64]) -> Self {
        let parts = divisors.map(|divisor| {
            let d = 8 * u32::from(divisor);
            let log = d.ilog2();
            // a power of two would need 2^16: half the reciprocal and one place less
            let s = if d.is_power_of_two() { log - 1 } else { log };
            ((1_u32 << (16 + s)).div_ceil(d) as u16, (1_u32 << (16 - s)) as u16, (d / 2) as u16)
        });
        Quant { recip: parts.map(|p| p.0), scale: parts.map(|p| p.1), half: parts.map(|p| p.2), divisors }
    }

    /// Coefficient `i` over its divisor. Exact for all |v| that a DCT of bytes can give: |v| + d/2 < 2¹⁵, and the
    /// reciprocal is too large by less than one part in 2¹⁵.
    #[inline(always)]
    pub(crate) fn divide(v: i16, recip: u16, scale: u16, half: u16) -> i16 {
        let high = |a: u16, b: u16| ((u32::from(a) * u32::from(b)) >> 16) as u16;
        let sign = v >> 15;
        let size = ((v ^ sign).wrapping_sub(sign) as u16).wrapping_add(half);
        (high(high(size, recip), scale) as i16 ^ sign).wrapping_sub(sign)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{CHROMA, LUMA};
    use super::Quant;

    #[test]
    fn quality_50_is_the_standard_and_95_a_tenth() {
        assert_eq!(Quant::of_quality(&LUMA, 50).divisors, LUMA);
        assert_eq!(Quant::of_quality(&CHROMA, 50).divisors, CHROMA);
        let first = |q| Quant::of_quality(&LUMA, q).divisors[..8].to_vec();
        assert_eq!(first(95), [2, 1, 1, 2, 2, 4, 5, 6]);
        assert_eq!(first(10), [80, 55, 50, 80, 120, 200, 255, 255]);
        assert_eq!(Quant::of_quality(&LUMA, 100).divisors, [1; 64]);
        assert_eq!(Quant::of_quality(&LUMA, 1).divisors, [255; 64]);
    }

    #[test]
    fn the_multiplications_divide_exactly() {
        for divisor in 1..=255_u8 {
            let q = Quant::new([divisor; 64]);
            let d = 8 * i32::from(divisor);
            for v in -16_384..=16_384_i32 {
                let want = (v.abs() + d / 2) / d * v.signum();
                let got = Quant::divide(v as i16, q.recip[0], q.scale[0], q.half[0]);
                assert_eq!(i32::from(got), want, "{v} / {d}");
            }
        }
    }
}
