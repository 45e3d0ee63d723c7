//! The last pass of the bilinear sampler for 1, 3 and 4 components of u8.
//!
//! A pixel's taps are loaded as 8 bytes a row (two pixels and a rest), two output pixels a 128-bit lane, so that weights
//! spread within lanes and packing brings pixels back in order. With AVX-512 the loads are gathers; with AVX2 they are
//! single loads, because gathers are slow on part of the CPUs of that level.

use crate::kernel::warp::{CHUNK, Linear};
use std::arch::x86_64::*;

/// Panics unless `load` bytes at both rows of taps of `n` pixels lie in the source.
#[inline(always)]
fn check(data: &[u8], down: usize, load: usize, lin: &Linear, n: usize) {
    assert!(n <= CHUNK);
    let top = lin.off[..n].iter().fold(0, |a, &b| a.max(b));
    assert!(top as usize + down + load <= data.len() && top <= i32::MAX as u32, "taps lie in the source");
}

sampler!(Linear: linear1_v3 => half1, linear3_v3 => half3, linear4_v3 => half4);
sampler!(Linear: linear1_v4 => wide1, linear3_v4 => wide3, linear4_v4 => wide4);

/// Bytes of a lane: two pixels' left and right taps side by side, component by component.
const TAPS3: [i8; 16] = [0, 3, 1, 4, 2, 5, 0, 3, 8, 11, 9, 12, 10, 13, 8, 11];
const TAPS4: [i8; 16] = [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15];

/// For each 128-bit lane, which two of eight words fill its halves.
const fn spread<const N: usize>(words: [[u8; 2]; 4]) -> [u8; N] {
    let mut t = [0; N];
    let mut i = 0;
    while i < N {
        t[i] = 2 * words[i / 16][i / 8 % 2] + (i % 2) as u8;
        i += 1;
    }
    t
}

static SPREAD_WIDE: [u8; 64] = spread([[0, 1], [2, 3], [4, 5], [6, 7]]);
static SPREAD_FIRST: [u8; 32] = spread([[0, 1], [4, 5], [0, 0], [0, 0]]);
static SPREAD_SECOND: [u8; 32] = spread([[2, 3], [6, 7], [0, 0], [0, 0]]);

/// Writes the first `n` of `v`'s bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn store(out: &mut [u8], at: usize, n: usize, v: __m512i) {
    let n = n.min(out.len() - at).min(64);
    let mask = if n == 64 { u64::MAX } else { (1 << n) - 1 };
    // SAFETY: the mask ends with `out`.
    unsafe { _mm512_mask_storeu_epi8(out.as_mut_ptr().add(at).cast(), mask, v) }
}

/// Sixteen pixels of four components from pixel `i`, in order.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn wide(data: *const u8, down: usize, lin: &Linear, i: usize, taps: __m512i) -> __m512i {
    let sign = _mm512_set1_epi8(-128);
    // SAFETY: a plain load of a constant.
    let spread = unsafe { _mm512_loadu_si512(SPREAD_WIDE.as_ptr().cast()) };
    let group = |k: usize| {
        // SAFETY: k + 8 ≤ CHUNK, and `check` saw every tap.
        let (t, b, wa, wb) = unsafe {
            let off = _mm256_load_si256(lin.off.as_ptr().add(k).cast());
            (
                _mm512_i32gather_epi64(off, data.cast(), 1),
                _mm512_i32gather_epi64(off, data.add(down).cast(), 1),
                _mm_load_si128(lin.wa.as_ptr().add(k).cast()),
                _mm_load_si128(lin.wb.as_ptr().add(k).cast()),
            )
        };
        let t = _mm512_xor_si512(_mm512_shuffle_epi8(t, taps), sign);
        let b = _mm512_xor_si512(_mm512_shuffle_epi8(b, taps), sign);
        let wa = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(wa), spread);
        let wb = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(wb), spread);
        let h0 = _mm512_maddubs_epi16(wa, t);
        let h1 = _mm512_maddubs_epi16(wa, b);
        let v = _mm512_add_epi16(h0, _mm512_mulhrs_epi16(_mm512_sub_epi16(h1, h0), wb));
        _mm512_mulhrs_epi16(v, _mm512_set1_epi16(256))
    };
    let v = _mm512_packs_epi16(group(i), group(i + 8));
    _mm512_xor_si512(_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v), sign)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn wide3(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len() / 3;
    check(data, down, 8, lin, n.next_multiple_of(16));
    // SAFETY: a plain load of a constant.
    let taps = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(TAPS3.as_ptr().cast()) });
    let drop = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    let close = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
    for i in (0..n).step_by(16) {
        let v = wide(data.as_ptr(), down, lin, i, taps);
        store(out, 3 * i, 48, _mm512_permutexvar_epi32(close, _mm512_shuffle_epi8(v, drop)));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn wide4(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len() / 4;
    check(data, down, 8, lin, n.next_multiple_of(16));
    // SAFETY: a plain load of a constant.
    let taps = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(TAPS4.as_ptr().cast()) });
    for i in (0..n).step_by(16) {
        store(out, 4 * i, 64, wide(data.as_ptr(), down, lin, i, taps));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn wide1(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len();
    check(data, down, 4, lin, n.next_multiple_of(16));
    for i in (0..n).step_by(16) {
        // SAFETY: i + 16 ≤ CHUNK, and `check` saw every tap.
        let (t, b, wa, wb) = unsafe {
            let off = _mm512_load_si512(lin.off.as_ptr().add(i).cast());
            (
                _mm512_i32gather_epi32(off, data.as_ptr().cast(), 1),
                _mm512_i32gather_epi32(off, data.as_ptr().add(down).cast(), 1),
                _mm512_cvtepu16_epi32(_mm256_load_si256(lin.wa.as_ptr().add(i).cast())),
                _mm512_cvtepu16_epi32(_mm256_load_si256(lin.wb.as_ptr().add(i).cast())),
            )
        };
        // A double word a pixel: upper taps in the low word, lower taps in the high one.
        let p = _mm512_mask_blend_epi16(0xaaaa_aaaa, t, _mm512_slli_epi32(b, 16));
        let p = _mm512_xor_si512(p, _mm512_set1_epi8(-128));
        let h0 = _mm512_maddubs_epi16(_mm512_or_si512(wa, _mm512_slli_epi32(wa, 16)), p);
        let h1 = _mm512_srli_epi32(h0, 16);
        let v = _mm512_add_epi16(h0, _mm512_mulhrs_epi16(_mm512_sub_epi16(h1, h0), wb));
        let v = _mm512_mulhrs_epi16(v, _mm512_set1_epi16(256));
        let v = _mm512_cvtepi32_epi8(_mm512_xor_si512(v, _mm512_set1_epi32(128)));
        let mask = if n - i < 16 { (1u16 << (n - i)) - 1 } else { u16::MAX };
        // SAFETY: the mask ends with the row.
        unsafe { _mm_mask_storeu_epi8(out.as_mut_ptr().add(i).cast(), mask, v) }
    }
}

/// Eight pixels of four components from pixel `i`, in order.
#[target_feature(enable = "avx2")]
#[inline]
fn half(data: *const u8, down: usize, lin: &Linear, i: usize, taps: __m256i) -> __m256i {
    let sign = _mm256_set1_epi8(-128);
    // SAFETY: i + 8 ≤ CHUNK.
    let (wa, wb) = unsafe {
        (
            _mm256_broadcastsi128_si256(_mm_load_si128(lin.wa.as_ptr().add(i).cast())),
            _mm256_broadcastsi128_si256(_mm_load_si128(lin.wb.as_ptr().add(i).cast())),
        )
    };
    let group = |k: usize, spread: &[u8; 32]| {
        // SAFETY: `check` saw every tap; the rest is plain loads.
        let (t, b, spread) = unsafe {
            let pair = |p: *const u8, k: usize| {
                let low = _mm_loadl_epi64(p.add(lin.off[k] as usize).cast());
                let both = _mm_loadh_pd(_mm_castsi128_pd(low), p.add(lin.off[k + 1] as usize).cast());
                _mm_castpd_si128(both)
            };
            let quad = |p: *const u8| _mm256_inserti128_si256(_mm256_castsi128_si256(pair(p, k)), pair(p, k + 4), 1);
            (quad(data), quad(data.add(down)), _mm256_loadu_si256(spread.as_ptr().cast()))
        };
        let t = _mm256_xor_si256(_mm256_shuffle_epi8(t, taps), sign);
        let b = _mm256_xor_si256(_mm256_shuffle_epi8(b, taps), sign);
        let (wa, wb) = (_mm256_shuffle_epi8(wa, spread), _mm256_shuffle_epi8(wb, spread));
        let h0 = _mm256_maddubs_epi16(wa, t);
        let h1 = _mm256_maddubs_epi16(wa, b);
        let v = _mm256_add_epi16(h0, _mm256_mulhrs_epi16(_mm256_sub_epi16(h1, h0), wb));
        _mm256_mulhrs_epi16(v, _mm256_set1_epi16(256))
    };
    let v = _mm256_packs_epi16(group(i, &SPREAD_FIRST), group(i + 2, &SPREAD_SECOND));
    _mm256_xor_si256(v, sign)
}

#[target_feature(enable = "avx2")]
fn half3(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len() / 3;
    check(data, down, 8, lin, n.next_multiple_of(8));
    // SAFETY: a plain load of a constant.
    let taps = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(TAPS3.as_ptr().cast()) });
    let drop = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    let close = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 3);
    for (k, o) in out.chunks_mut(24).enumerate() {
        let v = half(data.as_ptr(), down, lin, 8 * k, taps);
        let v = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(v, drop), close);
        let mut bytes = [0u8; 32];
        // SAFETY: the array holds a vector; o.len() is 24 in the first branch.
        unsafe {
            if o.len() == 24 {
                _mm_storeu_si128(o.as_mut_ptr().cast(), _mm256_castsi256_si128(v));
                _mm_storel_epi64(o.as_mut_ptr().add(16).cast(), _mm256_extracti128_si256(v, 1));
            } else {
                _mm256_storeu_si256(bytes.as_mut_ptr().cast(), v);
                o.copy_from_slice(&bytes[..o.len()]);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn half4(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len() / 4;
    check(data, down, 8, lin, n.next_multiple_of(8));
    // SAFETY: a plain load of a constant.
    let taps = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(TAPS4.as_ptr().cast()) });
    for (k, o) in out.chunks_mut(32).enumerate() {
        let v = half(data.as_ptr(), down, lin, 8 * k, taps);
        let mut bytes = [0u8; 32];
        // SAFETY: both places hold a vector.
        unsafe {
            if o.len() == 32 {
                _mm256_storeu_si256(o.as_mut_ptr().cast(), v);
            } else {
                _mm256_storeu_si256(bytes.as_mut_ptr().cast(), v);
                o.copy_from_slice(&bytes[..o.len()]);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn half1(data: &[u8], down: usize, lin: &Linear, out: &mut [u8]) {
    let n = out.len();
    check(data, down, 2, lin, n);
    // Upper taps in the low word, lower taps in the high one.
    let mut taps = [0u32; CHUNK];
    for (t, &at) in taps[..n].iter_mut().zip(&lin.off) {
        // SAFETY: `check` saw both rows of taps.
        *t = unsafe {
            let p = data.as_ptr().add(at as usize);
            let pair = |p: *const u8| u32::from(p.cast::<u16>().read_unaligned());
            pair(p) | pair(p.add(down)) << 16
        };
    }
    for (k, o) in out.chunks_mut(16).enumerate() {
        let group = |i: usize| {
            // SAFETY: i + 8 ≤ CHUNK.
            let (p, wa, wb) = unsafe {
                (
                    _mm256_loadu_si256(taps.as_ptr().add(i).cast()),
                    _mm256_cvtepu16_epi32(_mm_load_si128(lin.wa.as_ptr().add(i).cast())),
                    _mm256_cvtepu16_epi32(_mm_load_si128(lin.wb.as_ptr().add(i).cast())),
                )
            };
            let p = _mm256_xor_si256(p, _mm256_set1_epi8(-128));
            let h0 = _mm256_maddubs_epi16(_mm256_or_si256(wa, _mm256_slli_epi32(wa, 16)), p);
            let h1 = _mm256_srli_epi32(h0, 16);
            let v = _mm256_add_epi16(h0, _mm256_mulhrs_epi16(_mm256_sub_epi16(h1, h0), wb));
            let v = _mm256_mulhrs_epi16(v, _mm256_set1_epi16(256));
            _mm256_srai_epi32(_mm256_slli_epi32(v, 16), 16)
        };
        let v = _mm256_packs_epi32(group(16 * k), group(16 * k + 8));
        let v = _mm256_xor_si256(_mm256_packs_epi16(v, v), _mm256_set1_epi8(-128));
        let v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5));
        let mut bytes = [0u8; 16];
        // SAFETY: the array holds the vector.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm256_castsi256_si128(v)) };
        if o.len() == 16 {
            o.copy_from_slice(&bytes);
        } else {
            o.copy_from_slice(&bytes[..o.len()]);
        }
    }
}
