//! Noise added to bytes: truncated to integers by the conversion, saturated by the packs.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Beyond what any byte tells apart, within what converts to an integer.
const FAR: f32 = 1e6;

/// `row ← sat(row + trunc(noise·scale + shift))` for whole vectors; the number of bytes done. Needs V3.
pub fn add(row: &mut [u8], noise: &[f32], scale: f32, shift: f32) -> usize {
    let n = row.len();
    assert!(noise.len() >= n && level() >= Level::V3);
    // SAFETY: both have `n` elements; the level says what the CPU has.
    unsafe {
        let (r, s) = (row.as_mut_ptr(), noise.as_ptr());
        if level() >= Level::V4 { add_v4(r, s, n, scale, shift) } else { add_v3(r, s, n, scale, shift) }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn add_v4(row: *mut u8, noise: *const f32, n: usize, scale: f32, shift: f32) -> usize {
    let (scale, shift, far) = (_mm512_set1_ps(scale), _mm512_set1_ps(shift), _mm512_set1_ps(FAR));
    // Packs work within 128-bit lanes: one shuffle puts 8-byte groups back in order.
    let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    let mut i = 0;
    while i + 64 <= n {
        // SAFETY: i + 64 ≤ n.
        unsafe {
            macro_rules! half {
                ($at:literal) => {{
                    // The limit goes first: of a NaN the second operand stays, which converts to the lowest integer.
                    let whole = |p: *const f32| {
                        let y = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(p), scale), shift);
                        _mm512_cvttps_epi32(_mm512_min_ps(far, y))
                    };
                    let p = noise.add(i + $at);
                    let y = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(whole(p), whole(p.add(16))));
                    let x = _mm512_cvtepu8_epi16(_mm256_loadu_si256(row.add(i + $at).cast()));
                    _mm512_adds_epi16(x, y)
                }};
            }
            let y = _mm512_packus_epi16(half!(0), half!(32));
            _mm512_storeu_si512(row.add(i).cast(), _mm512_permutexvar_epi64(order, y));
        }
        i += 64;
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn add_v3(row: *mut u8, noise: *const f32, n: usize, scale: f32, shift: f32) -> usize {
    let (scale, shift, far) = (_mm256_set1_ps(scale), _mm256_set1_ps(shift), _mm256_set1_ps(FAR));
    let mut i = 0;
    while i + 32 <= n {
        // SAFETY: i + 32 ≤ n.
        unsafe {
            macro_rules! half {
                ($at:literal) => {{
                    let whole = |p: *const f32| {
                        let y = _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(p), scale), shift);
                        _mm256_cvttps_epi32(_mm256_min_ps(far, y))
                    };
                    let p = noise.add(i + $at);
                    let y = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(whole(p), whole(p.add(8))));
                    let x = _mm256_cvtepu8_epi16(_mm_loadu_si128(row.add(i + $at).cast()));
                    _mm256_adds_epi16(x, y)
                }};
            }
            let y = _mm256_packus_epi16(half!(0), half!(16));
            _mm256_storeu_si256(row.add(i).cast(), _mm256_permute4x64_epi64::<0xd8>(y));
        }
        i += 32;
    }
    i
}
