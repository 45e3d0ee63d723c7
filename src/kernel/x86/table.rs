//! Table lookup by byte shuffles: 64 bytes of four 64-byte tables with VBMI, else 16 tables of 16 bytes. And, for AVX2,
//! lines in fixed point.

use super::chw::{gather_index, lanes_bits, scatter_index};
use crate::kernel::table::Line;
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
        // Stores that straddle cache lines cost twice: a long row starts with what brings `dst` to a line.
        let mut i = 0;
        let head = (dst as usize).wrapping_neg() % 64;
        if head > 0 && n >= 512 && src != dst {
            let x = _mm512_loadu_si512(src.cast());
            _mm512_mask_storeu_epi8(dst.cast(), (1 << head) - 1, look(x));
            i = head;
        }
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
            macro_rules! next {
                ($k:expr) => {{
                    lo = _mm512_subs_epi8(lo, step);
                    hi = _mm512_subs_epi8(hi, step);
                    (_mm512_shuffle_epi8(d[$k], lo), _mm512_shuffle_epi8(d[$k + 8], hi))
                }};
            }
            macro_rules! two {
                ($k:expr) => {{
                    let ((p, q), (r, s)) = (next!($k), next!($k + 1));
                    a = _mm512_ternarylogic_epi32::<0x96>(a, p, r);
                    b = _mm512_ternarylogic_epi32::<0x96>(b, q, s);
                }};
            }
            two!(1);
            two!(3);
            two!(5);
            let (p, q) = next!(7);
            a = _mm512_xor_si512(a, p);
            // a ^ p | b ^ q, of which one side is zero.
            _mm512_storeu_si512(dst.add(i).cast(), _mm512_ternarylogic_epi32::<0x96>(a, b, q));
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

/// Three interleaved channels through three tables, from `src` to `dst`; needs VBMI.
pub fn map3_into(src: &[u8], dst: &mut [u8], t: [&[u8; 256]; 3]) {
    assert!(src.len() == dst.len() && level() == Level::Vbmi);
    // SAFETY: sizes and level were checked, and the two do not overlap.
    let done = unsafe { map3_vbmi(src.as_ptr(), dst.as_mut_ptr(), src.len(), t) };
    for (s, d) in src[done..].chunks_exact(3).zip(dst[done..].chunks_exact_mut(3)) {
        for k in 0..3 {
            d[k] = t[k][s[k] as usize];
        }
    }
}

/// As [`map3_into`], in place.
pub fn map3(row: &mut [u8], t: [&[u8; 256]; 3]) {
    assert!(level() == Level::Vbmi);
    let (at, n) = (row.as_mut_ptr(), row.len());
    // SAFETY: the level was checked; every vector is stored after it and all that belong to it were loaded.
    let done = unsafe { map3_vbmi(at, at, n, t) };
    for px in row[done..].chunks_exact_mut(3) {
        for k in 0..3 {
            px[k] = t[k][px[k] as usize];
        }
    }
}

/// 64 pixels at a time: split into planes, looked up, merged, all in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn map3_vbmi(src: *const u8, dst: *mut u8, n: usize, t: [&[u8; 256]; 3]) -> usize {
    const SPLIT: [[u8; 64]; 3] = [gather_index(0), gather_index(1), gather_index(2)];
    const MERGE: [[u8; 64]; 3] = [scatter_index(0), scatter_index(1), scatter_index(2)];
    let mut i = 0;
    // SAFETY (whole body): i + 192 ≤ n bounds every load and store; tables have 256 bytes.
    unsafe {
        macro_rules! quarter {
            ($k:literal, $q:literal) => {
                _mm512_loadu_si512(t[$k].as_ptr().add(64 * $q).cast())
            };
        }
        macro_rules! table {
            ($k:literal) => {
                [quarter!($k, 0), quarter!($k, 1), quarter!($k, 2), quarter!($k, 3)]
            };
        }
        let tables = [table!(0), table!(1), table!(2)];
        while i + 192 <= n {
            let v = [
                _mm512_loadu_si512(src.add(i).cast()),
                _mm512_loadu_si512(src.add(i + 64).cast()),
                _mm512_loadu_si512(src.add(i + 128).cast()),
            ];
            macro_rules! plane {
                ($c:literal) => {{
                    let at = _mm512_loadu_si512(SPLIT[$c].as_ptr().cast());
                    let x = _mm512_mask_mov_epi8(v[0], const { lanes_bits($c, 1) }, v[1]);
                    let x = _mm512_mask_mov_epi8(x, const { lanes_bits($c, 2) }, v[2]);
                    let x = _mm512_permutexvar_epi8(at, x);
                    let [t0, t1, t2, t3] = tables[$c];
                    let lo = _mm512_permutex2var_epi8(t0, x, t1);
                    let hi = _mm512_permutex2var_epi8(t2, x, t3);
                    let y = _mm512_mask_mov_epi8(lo, _mm512_movepi8_mask(x), hi);
                    _mm512_permutexvar_epi8(_mm512_loadu_si512(MERGE[$c].as_ptr().cast()), y)
                }};
            }
            let p = [plane!(0), plane!(1), plane!(2)];
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm512_mask_mov_epi8(p[0], const { lanes_bits(1, $k) }, p[1]);
                    let a = _mm512_mask_mov_epi8(a, const { lanes_bits(2, $k) }, p[2]);
                    _mm512_storeu_si512(dst.add(i + 64 * $k).cast(), a);
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
            i += 192;
        }
    }
    i
}

/// Every byte through the line of its channel (one line, or three), in place; needs V3.
pub fn lines(row: &mut [u8], of: &[Line]) {
    assert!(level() >= Level::V3 && (of.len() == 1 || of.len() == 3));
    let (at, n) = (row.as_mut_ptr(), row.len());
    // SAFETY: `at` is valid for `n` bytes to read and write.
    let done = unsafe { lines_v3(at, at, n, of) };
    for (i, v) in row.iter_mut().enumerate().skip(done) {
        *v = of[i % of.len()].at(*v);
    }
}

/// As [`lines`], into another row.
pub fn lines_into(src: &[u8], dst: &mut [u8], of: &[Line]) {
    assert!(src.len() == dst.len() && level() >= Level::V3 && (of.len() == 1 || of.len() == 3));
    // SAFETY: both are valid for that length and do not overlap.
    let done = unsafe { lines_v3(src.as_ptr(), dst.as_mut_ptr(), src.len(), of) };
    for (i, (s, d)) in src.iter().zip(dst).enumerate().skip(done) {
        *d = of[i % of.len()].at(*s);
    }
}

#[target_feature(enable = "avx2")]
unsafe fn lines_v3(src: *const u8, dst: *mut u8, n: usize, of: &[Line]) -> usize {
    let k = |i: usize| of[i % of.len()];
    // Eight dwords from component 0, 8 and 16 on: after 24 components three channels start again.
    let (mut a, mut b) = ([[0i32; 8]; 3], [[0i32; 8]; 3]);
    for v in 0..3 {
        for j in 0..8 {
            let line = k((8 * v + j) % 3);
            (a[v][j], b[v][j]) = (line.a, line.b);
        }
    }
    let mut i = 0;
    // SAFETY (whole body): i + 96 ≤ n bounds every load and store.
    unsafe {
        let a = [
            _mm256_loadu_si256(a[0].as_ptr().cast()),
            _mm256_loadu_si256(a[1].as_ptr().cast()),
            _mm256_loadu_si256(a[2].as_ptr().cast()),
        ];
        let b = [
            _mm256_loadu_si256(b[0].as_ptr().cast()),
            _mm256_loadu_si256(b[1].as_ptr().cast()),
            _mm256_loadu_si256(b[2].as_ptr().cast()),
        ];
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        while i + 96 <= n {
            macro_rules! eight {
                ($at:expr, $k:expr) => {{
                    let x = _mm256_cvtepu8_epi32(_mm_loadl_epi64(src.add(i + $at).cast()));
                    let y = _mm256_add_epi32(_mm256_mullo_epi32(x, a[$k % 3]), b[$k % 3]);
                    _mm256_srai_epi32::<{ Line::SHIFT as i32 }>(y)
                }};
            }
            macro_rules! vector {
                ($at:literal) => {{
                    // The packs saturate, which is the clip.
                    let p = _mm256_packs_epi32(eight!($at, $at / 8), eight!($at + 8, $at / 8 + 1));
                    let q = _mm256_packs_epi32(eight!($at + 16, $at / 8 + 2), eight!($at + 24, $at / 8 + 3));
                    let y = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(p, q), order);
                    _mm256_storeu_si256(dst.add(i + $at).cast(), y);
                }};
            }
            vector!(0);
            vector!(32);
            vector!(64);
            i += 96;
        }
    }
    i
}
