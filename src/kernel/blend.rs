//! Weighted sums of two rows, and of a row with its gray.

use super::color::gray_planes;
use super::planes::{BLOCK, Planes};
use crate::image::Sample;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

simd! {
    fn lerp_clipped[T: Sample][T](kept: &[T], new: &mut [T], a: f32, b: f32, max: f32) {
        let n = new.len();
        let kept = &kept[..n];
        for i in 0..n {
            let y = kept[i].to_f32() * a + new[i].to_f32() * b;
            let y = if y < 0.0 { 0.0 } else { y };
            new[i] = T::from_f32(if y > max { max } else { y });
        }
    }
}

simd! {
    fn lerp_free[T: Sample][T](kept: &[T], new: &mut [T], a: f32, b: f32) {
        let n = new.len();
        let kept = &kept[..n];
        for i in 0..n {
            new[i] = T::from_f32(kept[i].to_f32() * a + new[i].to_f32() * b);
        }
    }
}

/// `new ← kept·a + new·b`, computed in f32 with three roundings. u8 rounds half to even and saturates; f32 is clipped to
/// 0..=1 if `clip` says so (albucore clips; NaN stays NaN).
pub fn lerp_row<T: Sample>(kept: &[T], new: &mut [T], a: f32, b: f32, clip: bool) {
    assert_eq!(kept.len(), new.len());
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3
        && a.abs().max(b.abs()) < 1e6
        && let Some(bytes) = x86::chw::as_u8(kept)
    {
        let done = x86::mix::lerp(bytes, x86::bytes_of_mut(new), a, b);
        return lerp_free(&kept[done..], &mut new[done..], a, b);
    }
    match clip {
        true => lerp_clipped(kept, new, a, b, T::MAX),
        false => lerp_free(kept, new, a, b),
    }
}

/// [`lerp_row`] into a third row.
pub fn lerp_row_into<T: Sample>(kept: &[T], new: &[T], dst: &mut [T], a: f32, b: f32, clip: bool) {
    dst.copy_from_slice(new);
    lerp_row(kept, dst, a, b, clip);
}

/// A row of RGB bytes blended with its weighted gray: each channel becomes itself·a + gray·b, with the bytes that
/// [`super::color::gray_row`] and [`lerp_row`] give.
pub fn saturate_row(row: &mut [u8], a: f32, b: f32) {
    Planes::over(row, |p| {
        #[cfg(target_arch = "x86_64")]
        let mut p = p;
        #[cfg(target_arch = "x86_64")]
        if level() >= Level::V3 && a.abs().max(b.abs()) < 1e6 {
            // Blocks are whole vectors.
            let done = x86::mix::saturate(&mut p, a, b);
            debug_assert_eq!(done, p[0].len());
            return;
        }
        let [x, y, z] = p;
        let mut gray = [0; BLOCK];
        let gray = &mut gray[..x.len()];
        gray.copy_from_slice(x);
        gray_planes([gray, y, z]);
        for plane in [x, y, z] {
            lerp_row(gray, plane, b, a, true);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    #[test]
    fn bytes_round_half_to_even_and_saturate() {
        let _guard = crate::simd::level_lock();
        let kept: Vec<u8> = (0..=255).collect();
        let weights = [(0.5, 0.5), (0.3, 0.7), (1.2, -0.2), (2.0, 1.0), (-1.0, 0.1), (1e9, 0.0), (f32::NAN, 1.0)];
        for ((a, b), level) in weights.into_iter().flat_map(|w| Level::ALL.map(|l| (w, l))) {
            set_level(level);
            for shift in [0u8, 1, 100] {
                let new: Vec<u8> = kept.iter().map(|v| v.wrapping_mul(7).wrapping_add(shift)).collect();
                let mut got = new.clone();
                lerp_row(&kept, &mut got, a, b, true);
                for i in 0..256 {
                    let y = kept[i] as f32 * a + new[i] as f32 * b;
                    assert_eq!(got[i], y.round_ties_even().clamp(0.0, 255.0) as u8);
                }
                let mut free = new.clone();
                lerp_row(&kept, &mut free, a, b, false);
                assert_eq!(free, got);
            }
        }
    }

    #[test]
    fn saturation_is_gray_and_blend_in_one() {
        use crate::kernel::color::{Gray, gray_row};
        let _guard = crate::simd::level_lock();
        let src: Vec<u8> = (0..3 * 700u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8)
            .chain([255; 12])
            .chain([0; 12])
            .collect();
        let weights = [(1.3, -0.3), (0.0, 1.0), (0.537, 0.463), (2.0, -1.0), (1e9, 0.0), (f32::NAN, 1.0)];
        for ((a, b), level) in weights.into_iter().flat_map(|w| Level::ALL.map(|l| (w, l))) {
            set_level(level);
            let mut want = vec![0; src.len()];
            gray_row(&src, &mut want, Gray::Weighted, 3, 3);
            lerp_row(&src, &mut want, a, b, true);
            let mut got = src.clone();
            saturate_row(&mut got, a, b);
            assert_eq!(got, want, "{level:?} {a} {b}");
        }
    }

    #[test]
    fn floats_clip_if_asked() {
        let (kept, new) = ([0.5f32, 0.9, 0.1], [0.25f32, 0.0, 1.0]);
        let mut got = [0.0; 3];
        lerp_row_into(&kept, &new, &mut got, 1.5, -0.5, true);
        assert_eq!(got, [0.625, 1.0, 0.0]);
        lerp_row_into(&kept, &new, &mut got, 1.5, -0.5, false);
        assert_eq!(got, [0.625, 0.9 * 1.5, 0.1 * 1.5 - 0.5]);
    }
}
