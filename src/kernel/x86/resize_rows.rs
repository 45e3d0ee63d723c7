//! Resize kernels that take whole rows: halving, and the blend of float rows to u8.

use crate::simd::{self, Level};
use std::arch::x86_64::*;

/// For each number of components up to four: the bytes of pixels 0 and 1, 2 and 3 … side by side.
const NEIGHBOURS: [[u8; 64]; 5] = {
    let mut t = [[0; 64]; 5];
    let mut c = 1;
    while c < 5 {
        let mut j = 0;
        while j < 32 / c * c {
            let first = j / c * 2 * c + j % c;
            t[c][2 * j] = first as u8;
            t[c][2 * j + 1] = (first + c) as u8;
            j += 1;
        }
        c += 1;
    }
    t
};

/// Halves both axes of two u8 rows: the mean of four pixels, half rounded up. Returns how many components of `out` were
/// written; the rest is the caller's.
pub fn half(a: &[u8], b: &[u8], c: usize, out: &mut [u8]) -> usize {
    assert!(a.len() >= 2 * out.len() && b.len() >= 2 * out.len());
    // SAFETY: the level has been probed; the lengths were checked.
    unsafe {
        match (simd::level(), c) {
            (Level::Vbmi, 1..=4) => half_vbmi(a, b, c, out),
            (Level::V3 | Level::V4, 1 | 2 | 4) => half_v3(a, b, c, out),
            (Level::V3 | Level::V4, 3) => half3_v3(a, b, out),
            _ => 0,
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn half_vbmi(a: &[u8], b: &[u8], c: usize, out: &mut [u8]) -> usize {
    // Whole pixels only: 30 components of three, 32 otherwise.
    let step = 32 / c * c;
    let (ones, two) = (_mm512_set1_epi8(1), _mm512_set1_epi16(2));
    let n = out.len();
    // SAFETY: masked loads and stores touch 2m and m bytes from 2x and x on, x + m ≤ n.
    unsafe {
        let pick = _mm512_loadu_si512(NEIGHBOURS[c].as_ptr().cast());
        let mut x = 0;
        while x < n {
            let m = step.min(n - x);
            let (load, store) = (u64::MAX >> (64 - 2 * m), u32::MAX >> (32 - m));
            let a = _mm512_maskz_loadu_epi8(load, a.as_ptr().add(2 * x).cast());
            let b = _mm512_maskz_loadu_epi8(load, b.as_ptr().add(2 * x).cast());
            let a = _mm512_maddubs_epi16(_mm512_permutexvar_epi8(pick, a), ones);
            let b = _mm512_maddubs_epi16(_mm512_permutexvar_epi8(pick, b), ones);
            let sum = _mm512_add_epi16(_mm512_add_epi16(a, b), two);
            let v = _mm512_cvtepi16_epi8(_mm512_srli_epi16::<2>(sum));
            _mm256_mask_storeu_epi8(out.as_mut_ptr().add(x).cast(), store, v);
            x += m;
        }
    }
    n
}

#[target_feature(enable = "avx2")]
unsafe fn half_v3(a: &[u8], b: &[u8], c: usize, out: &mut [u8]) -> usize {
    let (ones, two) = (_mm256_set1_epi8(1), _mm256_set1_epi16(2));
    let n = out.len() / 32 * 32;
    // SAFETY: each step reads 64 bytes from 2x on and writes 32 from x on, x + 32 ≤ out.len().
    unsafe {
        let pick = _mm256_broadcastsi128_si256(_mm_loadu_si128(NEIGHBOURS[c].as_ptr().cast()));
        for x in (0..n).step_by(32) {
            let sum = |at: usize| {
                let a = _mm256_loadu_si256(a.as_ptr().add(2 * x + at).cast());
                let b = _mm256_loadu_si256(b.as_ptr().add(2 * x + at).cast());
                let a = _mm256_maddubs_epi16(_mm256_shuffle_epi8(a, pick), ones);
                let b = _mm256_maddubs_epi16(_mm256_shuffle_epi8(b, pick), ones);
                _mm256_srli_epi16::<2>(_mm256_add_epi16(_mm256_add_epi16(a, b), two))
            };
            let v = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(sum(0), sum(32)));
            _mm256_storeu_si256(out.as_mut_ptr().add(x).cast(), v);
        }
    }
    n
}

#[target_feature(enable = "avx2")]
unsafe fn half3_v3(a: &[u8], b: &[u8], out: &mut [u8]) -> usize {
    let (ones, two) = (_mm256_set1_epi8(1), _mm256_set1_epi16(2));
    // 12 bytes of a lane to pairs of neighbouring pixels; then 6 + 6 bytes of a lane to 12.
    let pick = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1));
    let join = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1));
    let mut x = 0;
    // SAFETY: a step reads 52 bytes from 2x on, of which 48 count, and writes 28 from x on, of which 24 count.
    unsafe {
        while x + 28 <= out.len() {
            let row = |r: &[u8], at: usize| {
                let p = r.as_ptr().add(2 * x + at);
                let v = _mm256_castsi128_si256(_mm_loadu_si128(p.cast()));
                let v = _mm256_inserti128_si256::<1>(v, _mm_loadu_si128(p.add(24).cast()));
                _mm256_maddubs_epi16(_mm256_shuffle_epi8(v, pick), ones)
            };
            let sum = |at: usize| {
                let sum = _mm256_add_epi16(_mm256_add_epi16(row(a, at), row(b, at)), two);
                _mm256_srli_epi16::<2>(sum)
            };
            let v = _mm256_shuffle_epi8(_mm256_packus_epi16(sum(0), sum(12)), join);
            _mm_storeu_si128(out.as_mut_ptr().add(x).cast(), _mm256_castsi256_si128(v));
            _mm_storeu_si128(out.as_mut_ptr().add(x + 12).cast(), _mm256_extracti128_si256::<1>(v));
            x += 24;
        }
    }
    x
}

/// Weighted sums of float rows, in order, times `gain`, rounded half to even. Returns how many elements of `out` were
/// written; the rest is the caller's.
pub fn blend<const K: usize>(rows: [&[f32]; K], w: [f32; K], gain: f32, out: &mut [u8]) -> usize {
    assert!(rows.iter().all(|r| r.len() >= out.len()));
    let level = simd::level();
    // SAFETY: the level has been probed; the lengths were checked.
    unsafe {
        match (level >= Level::V4, level >= Level::V3, gain == 1.0) {
            (true, _, true) => blend_v4::<K, false>(rows, w, gain, out),
            (true, _, false) => blend_v4::<K, true>(rows, w, gain, out),
            (_, true, true) => blend_v3::<K, false>(rows, w, gain, out),
            (_, true, false) => blend_v3::<K, true>(rows, w, gain, out),
            _ => 0,
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn blend_v4<const K: usize, const GAIN: bool>(
    rows: [&[f32]; K],
    w: [f32; K],
    gain: f32,
    out: &mut [u8],
) -> usize {
    let n = out.len() / 64 * 64;
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let mut weights = [_mm512_setzero_ps(); K];
    for t in 0..K {
        weights[t] = _mm512_set1_ps(w[t]);
    }
    for x in (0..n).step_by(64) {
        // SAFETY: x + 64 ≤ out.len() ≤ the length of each row.
        unsafe {
            let sum = |x: usize| {
                let mut sum = _mm512_mul_ps(_mm512_loadu_ps(rows[0].as_ptr().add(x)), weights[0]);
                for t in 1..K {
                    sum = _mm512_add_ps(sum, _mm512_mul_ps(_mm512_loadu_ps(rows[t].as_ptr().add(x)), weights[t]));
                }
                if GAIN {
                    sum = _mm512_mul_ps(sum, _mm512_set1_ps(gain));
                }
                _mm512_cvtps_epi32(sum)
            };
            let (a, b) = (_mm512_packs_epi32(sum(x), sum(x + 16)), _mm512_packs_epi32(sum(x + 32), sum(x + 48)));
            let v = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(a, b));
            _mm512_storeu_si512(out.as_mut_ptr().add(x).cast(), v);
        }
    }
    n
}

#[target_feature(enable = "avx2")]
unsafe fn blend_v3<const K: usize, const GAIN: bool>(
    rows: [&[f32]; K],
    w: [f32; K],
    gain: f32,
    out: &mut [u8],
) -> usize {
    let n = out.len() / 32 * 32;
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let mut weights = [_mm256_setzero_ps(); K];
    for t in 0..K {
        weights[t] = _mm256_set1_ps(w[t]);
    }
    for x in (0..n).step_by(32) {
        // SAFETY: x + 32 ≤ out.len() ≤ the length of each row.
        unsafe {
            let sum = |x: usize| {
                let mut sum = _mm256_mul_ps(_mm256_loadu_ps(rows[0].as_ptr().add(x)), weights[0]);
                for t in 1..K {
                    sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(rows[t].as_ptr().add(x)), weights[t]));
                }
                if GAIN {
                    sum = _mm256_mul_ps(sum, _mm256_set1_ps(gain));
                }
                _mm256_cvtps_epi32(sum)
            };
            let (a, b) = (_mm256_packs_epi32(sum(x), sum(x + 8)), _mm256_packs_epi32(sum(x + 16), sum(x + 24)));
            let v = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
            _mm256_storeu_si256(out.as_mut_ptr().add(x).cast(), v);
        }
    }
    n
}
