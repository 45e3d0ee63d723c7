//! The words of noise, and noise added to bytes: truncated to integers by the conversion, saturated by the packs.

use crate::rng::{PHILOX_M, PHILOX_W};
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

/// The words of 32 Philox blocks from `first` on of row `y`: the first words of all, then the second ones, …; needs V4.
pub fn words(key: [u32; 2], y: u32, first: u32, out: &mut [u32; 128]) {
    assert!(level() >= Level::V4);
    // SAFETY: the level says what the CPU has.
    unsafe { words_v4(key, y, first, out) }
}

/// All blocks go round together, four vectors of words in 64-bit lanes: a round waits for its products. Upper halves come
/// down by shuffles, since shifts share the port of the multiply.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn words_v4(key: [u32; 2], y: u32, first: u32, out: &mut [u32; 128]) {
    let wide = |v: u32| _mm512_set1_epi64(v as i64);
    let (p, q) = (wide(PHILOX_M[0]), wide(PHILOX_M[1]));
    let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    let [mut k, mut m] = key;
    // Only the lower halves of lanes count: what the upper ones hold is never read.
    let start = |at: u32| _mm512_add_epi64(wide(first.wrapping_add(at)), lanes);
    let zero = _mm512_setzero_si512();
    let mut a = [start(0), start(8), start(16), start(24)];
    let mut b = [wide(y); 4];
    let mut c = [zero; 4];
    let mut d = [zero; 4];
    for _ in 0..10 {
        let (kk, mm) = (wide(k), wide(m));
        for v in 0..4 {
            let x = _mm512_mul_epu32(a[v], p);
            let z = _mm512_mul_epu32(c[v], q);
            a[v] = _mm512_ternarylogic_epi64::<0x96>(_mm512_shuffle_epi32::<0xf5>(z), b[v], kk);
            c[v] = _mm512_ternarylogic_epi64::<0x96>(_mm512_shuffle_epi32::<0xf5>(x), d[v], mm);
            b[v] = z;
            d[v] = x;
        }
        k = k.wrapping_add(PHILOX_W[0]);
        m = m.wrapping_add(PHILOX_W[1]);
    }
    // Lower halves of two vectors side by side.
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let (quarters, _) = out.as_chunks_mut::<32>();
    for (words, out) in [a, b, c, d].into_iter().zip(quarters) {
        let (lo, hi) = out.split_at_mut(16);
        // SAFETY: both halves have 16 words.
        unsafe {
            _mm512_storeu_si512(lo.as_mut_ptr().cast(), _mm512_permutex2var_epi32(words[0], even, words[1]));
            _mm512_storeu_si512(hi.as_mut_ptr().cast(), _mm512_permutex2var_epi32(words[2], even, words[3]));
        }
    }
}
