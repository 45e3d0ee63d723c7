//! Rows of pixels copied or reversed (pixels of 1, 2, 3, 4, 6, 8 and 12 bytes), the loop over rows included: small images
//! have rows so short that a call for each costs as much as its bytes.

use super::{Rect, rect};
use crate::image::Element;
use crate::kernel::copy::Walk;
use crate::simd::Level;
use std::arch::x86_64::*;

/// Writes `ny` rows of `nx` pixels whose source pixels are neighbours, in the same order (`dx = c`) or in reverse
/// (`dx = −c`). False if this level or pixel size has no fast form. `l` must be a level that the CPU has.
pub(crate) fn rows<E: Element>(
    l: Level,
    src: &[E],
    walk: Walk,
    out: &mut [E],
    stride: usize,
    ny: usize,
    nx: usize,
) -> bool {
    let c = walk.c as isize;
    let back = walk.dx == -c;
    if !back && walk.dx != c {
        return false;
    }
    let r = rect(src, walk, out, stride, ny, nx);
    // SAFETY: the level has AVX2, at `V4` AVX-512 BW and VL, at `Vbmi` VBMI; `rect` has checked that `ny` rows of
    // `nx · size` bytes can be read and written; the readers of reversed rows start at the row's first byte.
    unsafe {
        let r = if back { r.starting_at(nx - 1) } else { r };
        match (r.size, l) {
            _ if !back && l >= Level::V4 => copy_v4(r),
            _ if !back => copy_v3(r),
            (1, Level::Vbmi) => mirror_vbmi::<1>(r),
            (2, Level::Vbmi) => mirror_vbmi::<2>(r),
            (3, Level::Vbmi) => mirror_vbmi::<3>(r),
            (4, Level::Vbmi) => mirror_vbmi::<4>(r),
            (6, Level::Vbmi) => mirror_vbmi::<6>(r),
            (8, Level::Vbmi) => mirror_vbmi::<8>(r),
            (12, Level::Vbmi) => mirror_vbmi::<12>(r),
            (1, _) => mirror_v3::<1>(r),
            (2, _) => mirror_v3::<2>(r),
            (3, _) => mirror_v3::<3>(r),
            (4, _) => mirror_v3::<4>(r),
            (6, _) => mirror_v3::<6>(r),
            (8, _) => mirror_v3::<8>(r),
            (12, _) => mirror_v3::<12>(r),
            _ => return false,
        }
    }
    true
}

/// Bytes of a row from which on the C library's copy is at least as fast.
const LONG: usize = 4096;

/// # Safety
/// Needs AVX-512 BW; all of `r` is readable and writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn copy_v4(r: Rect) {
    let n = r.nx * r.size;
    let full = n / 64 * 64;
    let mask = !(u64::MAX << (n - full));
    for y in 0..r.ny {
        // SAFETY: whole vectors up to `full ≤ n`, then a mask of the bytes that remain.
        unsafe {
            let (s, d) = (r.line(y, 0), r.row(y, 0));
            if n >= LONG {
                std::ptr::copy_nonoverlapping(s, d, n);
                continue;
            }
            let mut o = 0;
            while o < full {
                _mm512_storeu_si512(d.add(o).cast(), _mm512_loadu_si512(s.add(o).cast()));
                o += 64;
            }
            if mask != 0 {
                _mm512_mask_storeu_epi8(d.add(o).cast(), mask, _mm512_maskz_loadu_epi8(mask, s.add(o).cast()));
            }
        }
    }
}

/// # Safety
/// Needs AVX2; all of `r` is readable and writable.
#[target_feature(enable = "avx2")]
unsafe fn copy_v3(r: Rect) {
    let n = r.nx * r.size;
    for y in 0..r.ny {
        // SAFETY: vectors that end at `n` or before; the last one overlaps the one before.
        unsafe {
            let (s, d) = (r.line(y, 0), r.row(y, 0));
            if !(32..LONG).contains(&n) {
                std::ptr::copy_nonoverlapping(s, d, n);
                continue;
            }
            let mut o = 0;
            while o + 32 <= n {
                _mm256_storeu_si256(d.add(o).cast(), _mm256_loadu_si256(s.add(o).cast()));
                o += 32;
            }
            _mm256_storeu_si256(d.add(n - 32).cast(), _mm256_loadu_si256(s.add(n - 32).cast()));
        }
    }
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
/// Needs AVX-512 BW and VBMI; all of `r` is readable and writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn mirror_vbmi<const B: usize>(r: Rect) {
    let used = 64 / B * B;
    let n = r.nx * B;
    // SAFETY: a constant of 64 bytes.
    let index = unsafe { _mm512_loadu_si512(const { &reversal::<B, 64>() }.as_ptr().cast()) };
    for y in 0..r.ny {
        // SAFETY: full blocks write 64 bytes at `o ≤ n − 64` and read 64 from `n − o − used ≥ 0` on, which end within the
        // row from the second block on; the first block and the tail are masked to the bytes that exist.
        unsafe {
            let (s, d) = (r.line(y, 0), r.row(y, 0));
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
}

/// # Safety
/// Needs AVX2; all of `r` is readable and writable.
#[target_feature(enable = "avx2")]
unsafe fn mirror_v3<const B: usize>(r: Rect) {
    let used = 16 / B * B;
    let n = r.nx * B;
    // SAFETY: a constant of 16 bytes.
    let index = unsafe { _mm_loadu_si128(const { &reversal::<B, 16>() }.as_ptr().cast()) };
    let both = _mm256_broadcastsi128_si256(index);
    for y in 0..r.ny {
        // SAFETY: each step checks that its loads start at 0 or later and that its stores end at `n` or before.
        unsafe {
            let (s, d) = (r.line(y, 0), r.row(y, 0));
            let mut o = 0;
            if used < 16 && n >= 16 {
                // 16 bytes from the last `used` on would end behind the row: load the last 16 and shift the index.
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
}
