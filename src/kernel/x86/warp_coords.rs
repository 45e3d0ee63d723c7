//! Positions to integers: the conversion instruction rounds half to even and marks what does not fit.

use std::arch::x86_64::*;

/// `out = round(v · scale)` from level V4 on. False if one does not fit an i32 or is not a number.
pub(crate) fn round_v4(v: &[f32], scale: f32, out: &mut [i32]) -> bool {
    // SAFETY: taken from level V4 on only.
    unsafe { wide(v, scale, out) }
}

/// As `round_v4`, at level V3.
pub(crate) fn round_v3(v: &[f32], scale: f32, out: &mut [i32]) -> bool {
    // SAFETY: taken from level V3 on only.
    unsafe { half(v, scale, out) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn wide(v: &[f32], scale: f32, out: &mut [i32]) -> bool {
    let n = v.len().min(out.len());
    let (scale, mut least) = (_mm512_set1_ps(scale), _mm512_set1_epi32(0));
    for i in (0..n).step_by(16) {
        let mask = if n - i < 16 { (1u16 << (n - i)) - 1 } else { u16::MAX };
        // SAFETY: the mask ends with both slices.
        unsafe {
            let q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, v.as_ptr().add(i)), scale));
            least = _mm512_min_epi32(least, q);
            _mm512_mask_storeu_epi32(out.as_mut_ptr().add(i), mask, q);
        }
    }
    _mm512_cmpeq_epi32_mask(least, _mm512_set1_epi32(i32::MIN)) == 0
}

#[target_feature(enable = "avx2")]
fn half(v: &[f32], scale: f32, out: &mut [i32]) -> bool {
    let n = v.len().min(out.len());
    let (s, mut least) = (_mm256_set1_ps(scale), _mm256_setzero_si256());
    let (whole, rest) = v[..n].as_chunks::<8>();
    for (k, v) in whole.iter().enumerate() {
        // SAFETY: 8 k + 8 ≤ n.
        unsafe {
            let q = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(v.as_ptr()), s));
            least = _mm256_min_epi32(least, q);
            _mm256_storeu_si256(out.as_mut_ptr().add(8 * k).cast(), q);
        }
    }
    let mut fits = _mm256_movemask_epi8(_mm256_cmpeq_epi32(least, _mm256_set1_epi32(i32::MIN))) == 0;
    for (v, o) in rest.iter().zip(&mut out[8 * whole.len()..]) {
        *o = _mm_cvtss_si32(_mm_set_ss(v * scale));
        fits &= *o != i32::MIN;
    }
    fits
}
