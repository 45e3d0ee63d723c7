//! RGB ↔ YCrCb (ITU-R BT.601 luma, full range), with OpenCV's 14-bit integers for bytes.

use crate::simd;

const SHIFT: i32 = 14;
const HALF: i32 = 1 << (SHIFT - 1);

simd! {
    /// RGB → Y, Cr, Cb in place: Y as the weighted gray, Cr = (R − Y)·0.713 + 128, Cb = (B − Y)·0.564 + 128.
    pub fn ycrcb_from_rgb_row(row: &mut [u8]) {
        for p in row.as_chunks_mut::<3>().0 {
            let [r, g, b] = p.map(i32::from);
            let y = (4899 * r + 9617 * g + 1868 * b + HALF) >> SHIFT;
            let cr = ((r - y) * 11682 + (128 << SHIFT) + HALF) >> SHIFT;
            let cb = ((b - y) * 9241 + (128 << SHIFT) + HALF) >> SHIFT;
            *p = [y, cr, cb].map(|v| v.clamp(0, 255) as u8);
        }
    }
}

simd! {
    /// Y, Cr, Cb → RGB in place.
    pub fn rgb_from_ycrcb_row(row: &mut [u8]) {
        for p in row.as_chunks_mut::<3>().0 {
            let [y, cr, cb] = p.map(i32::from);
            let (cr, cb) = (cr - 128, cb - 128);
            let r = y + ((22987 * cr + HALF) >> SHIFT);
            let g = y + ((-11698 * cr - 5636 * cb + HALF) >> SHIFT);
            let b = y + ((29049 * cb + HALF) >> SHIFT);
            *p = [r, g, b].map(|v| v.clamp(0, 255) as u8);
        }
    }
}

simd! {
    /// RGB → Y, Cr, Cb of floats in 0..=1, in place; the chroma planes are centred at 0.5.
    pub fn ycrcb_from_rgb_f32_row(row: &mut [f32]) {
        for p in row.as_chunks_mut::<3>().0 {
            let [r, g, b] = *p;
            let y = (0.299 * r + 0.587 * g) + 0.114 * b;
            *p = [y, (r - y) * 0.713 + 0.5, (b - y) * 0.564 + 0.5];
        }
    }
}

simd! {
    /// Y, Cr, Cb → RGB of floats, in place.
    pub fn rgb_from_ycrcb_f32_row(row: &mut [f32]) {
        for p in row.as_chunks_mut::<3>().0 {
            let [y, cr, cb] = *p;
            let (cr, cb) = (cr - 0.5, cb - 0.5);
            *p = [y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_and_gray() {
        let mut row = [255u8, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90];
        ycrcb_from_rgb_row(&mut row);
        assert_eq!(row, [76, 255, 85, 150, 21, 43, 29, 107, 255, 90, 128, 128]);
    }

    #[test]
    fn there_and_back_is_within_rounding() {
        for seed in 0..5000u32 {
            let s = seed.wrapping_mul(2_654_435_761);
            let rgb = [s as u8, (s >> 8) as u8, (s >> 16) as u8];
            let mut row = rgb;
            ycrcb_from_rgb_row(&mut row);
            rgb_from_ycrcb_row(&mut row);
            for (a, b) in rgb.iter().zip(row) {
                assert!(a.abs_diff(b) <= 2, "{rgb:?} {row:?}");
            }
        }
    }
}
