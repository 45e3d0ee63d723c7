//! Rows in reverse, by pixels of 1, 2, 3, 4, 6, 8 and 12 bytes.

use super::{bytes, bytes_mut};
use crate::image::Element;
use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Writes the pixels of `src` in reverse order into `out`. False if this level or pixel size has no fast form.
#[inline]
pub(crate) fn mirror_row<E: Element>(src: &[E], out: &mut [E], c: usize) -> bool {
    let l = level();
    if l < Level::V3 {
        return false;
    }
    mirror_row_at(l, src, out, c)
}

/// [`mirror_row`] at a level that the CPU has.
pub(crate) fn mirror_row_at<E: Element>(l: Level, src: &[E], out: &mut [E], c: usize) -> bool {
    let (src, out) = (bytes(src), bytes_mut(out));
    assert!(src.len() == out.len());
    let size = c * size_of::<E>();
    // SAFETY: the caller's level has AVX2, and for `Vbmi` AVX-512 VBMI; the slices are equally long, whole pixels.
    unsafe {
        match (size, l) {
            (1, Level::Vbmi) => vbmi::<1>(src, out),
            (2, Level::Vbmi) => vbmi::<2>(src, out),
            (3, Level::Vbmi) => vbmi::<3>(src, out),
            (4, Level::Vbmi) => vbmi::<4>(src, out),
            (6, Level::Vbmi) => vbmi::<6>(src, out),
            (8, Level::Vbmi) => vbmi::<8>(src, out),
            (12, Level::Vbmi) => vbmi::<12>(src, out),
            (1, _) => v3::<1>(src, out),
            (2, _) => v3::<2>(src, out),
            (3, _) => v3::<3>(src, out),
            (4, _) => v3::<4>(src, out),
            (6, _) => v3::<6>(src, out),
            (8, _) => v3::<8>(src, out),
            (12, _) => v3::<12>(src, out),
            _ => return false,
        }
    }
    true
}

/// Byte indices that reverse the `len / B` pixels of the first `len` bytes; the rest repeat what they would be next.
const fn reversal<const B: usize, const N: usize>() -> [u8; N] {
    let used = N / B * B;
    let mut t = [0; N];
    let mut i = 0;
    while i < used {
        t[i] = (used - B - i / B * B + i % B) as u8;
        i += 1;
    }
    t
}

/// # Safety
/// Needs AVX-512 BW and VBMI; `src` and `out` equally long, a multiple of `B`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn vbmi<const B: usize>(src: &[u8], out: &mut [u8]) {
    let used = 64 / B * B;
    let n = src.len();
    // SAFETY: full blocks write 64 bytes at `o ≤ n − 64` and read 64 from `n − o − used ≥ 0` on, at most to `n − o + 64 −
    // used`; the first block, which would end behind the slice, and the tail are masked to the bytes that exist.
    unsafe {
        let (s, d) = (src.as_ptr(), out.as_mut_ptr());
        let index = _mm512_loadu_si512(const { &reversal::<B, 64>() }.as_ptr().cast());
        let mut o = 0;
        if n >= 64 {
            let v = _mm512_maskz_loadu_epi8(u64::MAX >> (64 - used), s.add(n - used).cast());
            _mm512_storeu_si512(d.cast(), _mm512_permutexvar_epi8(index, v));
            o = used;
        }
        while o + 64 <= n {
            let v = _mm512_loadu_si512(s.add(n - o - used).cast());
            _mm512_storeu_si512(d.add(o).cast(), _mm512_permutexvar_epi8(index, v));
            o += used;
        }
        while o < n {
            let m = (n - o).min(used);
            let mask = u64::MAX >> (64 - m);
            let v = _mm512_maskz_loadu_epi8(mask, s.add(n - o - m).cast());
            let back = _mm512_sub_epi8(index, _mm512_set1_epi8((used - m) as i8));
            _mm512_mask_storeu_epi8(d.add(o).cast(), mask, _mm512_permutexvar_epi8(back, v));
            o += m;
        }
    }
}

/// # Safety
/// Needs AVX2; `src` and `out` equally long, a multiple of `B`.
#[target_feature(enable = "avx2")]
unsafe fn v3<const B: usize>(src: &[u8], out: &mut [u8]) {
    let used = 16 / B * B;
    let n = src.len();
    // SAFETY: each step checks that its loads start at 0 or later and that its stores end at `n` or before.
    unsafe {
        let (s, d) = (src.as_ptr(), out.as_mut_ptr());
        let index = _mm_loadu_si128(const { &reversal::<B, 16>() }.as_ptr().cast());
        let both = _mm256_broadcastsi128_si256(index);
        let mut o = 0;
        if used < 16 && n >= 16 {
            // A load of 16 bytes that starts at the last `used` would end behind the slice: take it from `16 − used`
            // bytes earlier.
            let v = _mm_loadu_si128(s.add(n - 16).cast());
            let v = _mm_shuffle_epi8(v, _mm_add_epi8(index, _mm_set1_epi8((16 - used) as i8)));
            _mm_storeu_si128(d.cast(), v);
            o = used;
        }
        while o + used + 16 <= n {
            let lo = _mm_loadu_si128(s.add(n - o - used).cast());
            let hi = _mm_loadu_si128(s.add(n - o - 2 * used).cast());
            let v = _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1), both);
            _mm_storeu_si128(d.add(o).cast(), _mm256_castsi256_si128(v));
            _mm_storeu_si128(d.add(o + used).cast(), _mm256_extracti128_si256(v, 1));
            o += 2 * used;
        }
        while o < n {
            if o + 16 <= n {
                let v = _mm_shuffle_epi8(_mm_loadu_si128(s.add(n - o - used).cast()), index);
                _mm_storeu_si128(d.add(o).cast(), v);
                o += used;
            } else {
                std::ptr::copy_nonoverlapping(s.add(n - o - B), d.add(o), B);
                o += B;
            }
        }
    }
}
