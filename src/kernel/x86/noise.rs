//! The words of noise, and noise added to bytes: truncated to integers by the conversion, saturated by the packs.

use crate::kernel::noise::{Q, STEP};
use crate::rng::{PHILOX_M, PHILOX_W};
use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Beyond what any byte tells apart, within what converts to an integer.
pub const FAR: f32 = 1e6;

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

/// `row ← sat(row + trunc(noise + shift))` with the normal numbers of 32 Philox blocks from `first` on, whose sines and
/// cosines have the coefficients `waves`. |noise + shift| must stay below [`FAR`]. Needs V4.
pub fn add_normal(row: &mut [u8; 256], key: [u32; 2], y: u32, first: u32, waves: &[f32; 7], shift: f32) {
    assert!(level() >= Level::V4);
    // SAFETY: the level says what the CPU has.
    unsafe {
        if shift == 0.0 {
            add_normal_v4::<false>(row, key, y, first, waves, shift)
        } else {
            add_normal_v4::<true>(row, key, y, first, waves, shift)
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn add_normal_v4<const SHIFT: bool>(
    row: &mut [u8; 256],
    key: [u32; 2],
    y: u32,
    first: u32,
    waves: &[f32; 7],
    shift: f32,
) {
    let mut words = [0; 128];
    words_v4(key, y, first, &mut words);
    let all = |v: f32| _mm512_set1_ps(v);
    let [s0, s1, s2, c0, c1, c2, c3] = waves.map(all);
    let [q0, q1, q2, q3, q4] = Q.map(all);
    let (step, shift, one) = (all(STEP), all(shift), all(1.0));
    let (low31, low23, top) =
        (_mm512_set1_epi32(0x7fff_ffff), _mm512_set1_epi32(0x7f_ffff), _mm512_set1_epi32(1 << 31));
    let (odd, low16) = (_mm512_set1_epi32(1), _mm512_set1_epi32(1));
    let zero = _mm512_setzero_si512();
    let add = |a, b| _mm512_add_ps(a, b);
    let mul = |a, b| _mm512_mul_ps(a, b);
    // Integers of the sines and the cosines of 16 words.
    let bell = |w: __m512i| {
        // 0xea: a & b | c; 0x78: a ^ (b & c).
        let x = _mm512_cvtepi32_ps(_mm512_ternarylogic_epi32::<0xea>(w, low31, odd));
        let bits = _mm512_castps_si512(x);
        let m = _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xea>(bits, low23, _mm512_castps_si512(one)));
        let q = add(q0, mul(m, add(q1, mul(m, add(q2, mul(m, add(q3, mul(m, q4))))))));
        let r = _mm512_sqrt_ps(_mm512_sub_ps(q, mul(_mm512_cvtepi32_ps(bits), step)));
        let r = _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0x78>(_mm512_castps_si512(r), w, top));
        // The product with 1 and 0 is the lower half with its sign.
        let t = _mm512_cvtepi32_ps(_mm512_madd_epi16(w, low16));
        let z = mul(t, t);
        let s = mul(r, mul(t, add(s0, mul(z, add(s1, mul(z, s2))))));
        let c = mul(r, add(c0, mul(z, add(c1, mul(z, add(c2, mul(z, c3)))))));
        let whole = |v| _mm512_cvttps_epi32(if SHIFT { add(v, shift) } else { v });
        _mm512_packs_epi32(whole(s), whole(c))
    };
    let (rows, _) = row.as_chunks_mut::<64>();
    let (words, _) = words.as_chunks::<32>();
    for (row, words) in rows.iter_mut().zip(words) {
        // SAFETY: 32 words and 64 bytes.
        unsafe {
            let p = words.as_ptr();
            let (a, b) = (bell(_mm512_loadu_si512(p.cast())), bell(_mm512_loadu_si512(p.add(16).cast())));
            let x = _mm512_loadu_si512(row.as_ptr().cast());
            let lo = _mm512_adds_epi16(_mm512_unpacklo_epi8(x, zero), a);
            let hi = _mm512_adds_epi16(_mm512_unpackhi_epi8(x, zero), b);
            _mm512_storeu_si512(row.as_mut_ptr().cast(), _mm512_packus_epi16(lo, hi));
        }
    }
}

/// All blocks go round together, four vectors of words in 64-bit lanes: a round waits for its products. Upper halves come
/// down by shuffles, since shifts share the port of the multiply.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn words_v4(key: [u32; 2], y: u32, first: u32, out: &mut [u32; 128]) {
    let wide = |v: u32| _mm512_set1_epi64(v as i64);
    let (p, q) = (wide(PHILOX_M[0]), wide(PHILOX_M[1]));
    let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    let [k0, m0] = key;
    let [k1, m1] = [k0.wrapping_add(PHILOX_W[0]), m0.wrapping_add(PHILOX_W[1])];
    let [mut k, mut m] = [k1.wrapping_add(PHILOX_W[0]), m1.wrapping_add(PHILOX_W[1])];
    // Two words of the counter are 0 and one is the same in all lanes: after two rounds this is what is left of them.
    // Only the lower halves of lanes count: what the upper ones hold is never read.
    let alike = (y ^ k0) as u64 * PHILOX_M[0] as u64;
    let mut a = [wide(k1); 4];
    let mut b = [wide(m0); 4];
    let mut c = [wide((alike >> 32) as u32 ^ m1); 4];
    let mut d = [wide(alike as u32); 4];
    for v in 0..4 {
        let x = _mm512_mul_epu32(_mm512_add_epi64(wide(first.wrapping_add(8 * v as u32)), lanes), p);
        let z = _mm512_mul_epu32(_mm512_xor_si512(_mm512_shuffle_epi32::<0xf5>(x), b[v]), q);
        a[v] = _mm512_xor_si512(_mm512_shuffle_epi32::<0xf5>(z), a[v]);
        b[v] = z;
        c[v] = _mm512_xor_si512(x, c[v]);
    }
    for _ in 2..10 {
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
