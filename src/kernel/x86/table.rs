//! Table lookup by byte shuffles: 64 bytes of four 64-byte tables with VBMI, else 16 tables of 16 bytes.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Every byte of `row` through `t`; needs V3.
pub fn map(row: &mut [u8], t: &[u8; 256]) {
    let (at, n) = (row.as_mut_ptr(), row.len());
    // SAFETY: `at` is valid for `n` bytes to read and write.
    let done = unsafe { dispatch(at, at, n, t) };
    for v in &mut row[done..] {
        *v = t[*v as usize];
    }
}

/// Every byte of `src` through `t`; needs V3.
pub fn map_into(src: &[u8], dst: &mut [u8], t: &[u8; 256]) {
    assert_eq!(src.len(), dst.len());
    // SAFETY: both are valid for that length and do not overlap.
    let done = unsafe { dispatch(src.as_ptr(), dst.as_mut_ptr(), src.len(), t) };
    for (s, d) in src[done..].iter().zip(&mut dst[done..]) {
        *d = t[*s as usize];
    }
}

/// The number of bytes done. `src` and `dst` are the same or apart.
unsafe fn dispatch(src: *const u8, dst: *mut u8, n: usize, t: &[u8; 256]) -> usize {
    // Below two vectors the set-up costs more than the loop saves.
    if n < 64 {
        return 0;
    }
    // SAFETY: the level says what the CPU has; the callers vouch for the pointers.
    unsafe {
        match level() {
            Level::Vbmi => vbmi(src, dst, n, t),
            Level::V4 => v4(src, dst, n, t),
            Level::V3 => v3(src, dst, n, t),
            Level::Baseline => 0,
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn vbmi(src: *const u8, dst: *mut u8, n: usize, t: &[u8; 256]) -> usize {
    // SAFETY (whole body): the table has 256 bytes; i + 128 ≤ n, i + 64 ≤ n or the mask bound loads and stores.
    unsafe {
        let at = t.as_ptr();
        let t = [
            _mm512_loadu_si512(at.cast()),
            _mm512_loadu_si512(at.add(64).cast()),
            _mm512_loadu_si512(at.add(128).cast()),
            _mm512_loadu_si512(at.add(192).cast()),
        ];
        let look = |x: __m512i| {
            let lo = _mm512_permutex2var_epi8(t[0], x, t[1]);
            let hi = _mm512_permutex2var_epi8(t[2], x, t[3]);
            _mm512_mask_mov_epi8(lo, _mm512_movepi8_mask(x), hi)
        };
        let mut i = 0;
        while i + 128 <= n {
            let (x, y) = (_mm512_loadu_si512(src.add(i).cast()), _mm512_loadu_si512(src.add(i + 64).cast()));
            _mm512_storeu_si512(dst.add(i).cast(), look(x));
            _mm512_storeu_si512(dst.add(i + 64).cast(), look(y));
            i += 128;
        }
        if i + 64 <= n {
            _mm512_storeu_si512(dst.add(i).cast(), look(_mm512_loadu_si512(src.add(i).cast())));
            i += 64;
        }
        if i < n {
            let mask = (1u64 << (n - i)) - 1;
            let x = _mm512_maskz_loadu_epi8(mask, src.add(i).cast());
            _mm512_mask_storeu_epi8(dst.add(i).cast(), mask, look(x));
        }
    }
    n
}

/// Table `k` of 16 bytes in each half, as the difference from the one before: shuffles of an index that has fallen
/// below zero give 0, so the xor of all shuffles up to the index's own table is that table's entry.
fn differences(t: &[u8; 256]) -> [[u8; 16]; 16] {
    let mut out = [[0; 16]; 16];
    for k in 0..16 {
        for j in 0..16 {
            let before = if k % 8 == 0 { 0 } else { t[16 * (k - 1) + j] };
            out[k][j] = t[16 * k + j] ^ before;
        }
    }
    out
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn v4(src: *const u8, dst: *mut u8, n: usize, t: &[u8; 256]) -> usize {
    let d = differences(t);
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds every load and store.
    unsafe {
        let mut shuffles = [_mm512_setzero_si512(); 16];
        for k in 0..16 {
            shuffles[k] = _mm512_broadcast_i32x4(_mm_loadu_si128(d[k].as_ptr().cast()));
        }
        let d = shuffles;
        let step = _mm512_set1_epi8(16);
        while i + 64 <= n {
            let mut lo = _mm512_loadu_si512(src.add(i).cast());
            let mut hi = _mm512_xor_si512(lo, _mm512_set1_epi8(-128));
            let mut a = _mm512_shuffle_epi8(d[0], lo);
            let mut b = _mm512_shuffle_epi8(d[8], hi);
            for k in 1..8 {
                lo = _mm512_subs_epi8(lo, step);
                hi = _mm512_subs_epi8(hi, step);
                a = _mm512_xor_si512(a, _mm512_shuffle_epi8(d[k], lo));
                b = _mm512_xor_si512(b, _mm512_shuffle_epi8(d[k + 8], hi));
            }
            _mm512_storeu_si512(dst.add(i).cast(), _mm512_or_si512(a, b));
            i += 64;
        }
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn v3(src: *const u8, dst: *mut u8, n: usize, t: &[u8; 256]) -> usize {
    let d = differences(t);
    let mut i = 0;
    // SAFETY (whole body): i + 32 ≤ n bounds every load and store.
    unsafe {
        let mut shuffles = [_mm256_setzero_si256(); 16];
        for k in 0..16 {
            shuffles[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128(d[k].as_ptr().cast()));
        }
        let d = shuffles;
        let step = _mm256_set1_epi8(16);
        while i + 32 <= n {
            let mut lo = _mm256_loadu_si256(src.add(i).cast());
            let mut hi = _mm256_xor_si256(lo, _mm256_set1_epi8(-128));
            let mut a = _mm256_shuffle_epi8(d[0], lo);
            let mut b = _mm256_shuffle_epi8(d[8], hi);
            for k in 1..8 {
                lo = _mm256_subs_epi8(lo, step);
                hi = _mm256_subs_epi8(hi, step);
                a = _mm256_xor_si256(a, _mm256_shuffle_epi8(d[k], lo));
                b = _mm256_xor_si256(b, _mm256_shuffle_epi8(d[k + 8], hi));
            }
            _mm256_storeu_si256(dst.add(i).cast(), _mm256_or_si256(a, b));
            i += 32;
        }
    }
    i
}
