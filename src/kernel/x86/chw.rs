//! Splitting and merging three interleaved channels, with or without normalising.
//!
//! The wide forms work because 3 is odd: at each position of three consecutive vectors exactly one holds a given channel,
//! so two blends and one shuffle collect a plane, and the reverse puts it back. With AVX2, where a blend of bytes costs as
//! much as three shuffles, zeroing shuffles are or-ed instead.

use crate::image::{Element, Sample};
use crate::simd::{Level, level};
use std::any::TypeId;
use std::arch::x86_64::*;

/// An array of three, written out: a closure passed to `array::map` would not be inlined into code with more features.
macro_rules! three {
    ($k:ident => $e:expr) => {
        [
            {
                const $k: usize = 0;
                $e
            },
            {
                const $k: usize = 1;
                $e
            },
            {
                const $k: usize = 2;
                $e
            },
        ]
    };
}

/// The row as bytes, if that is what it holds.
#[inline(always)]
pub fn as_u8<T: Sample>(row: &[T]) -> Option<&[u8]> {
    // SAFETY: the types are equal.
    (TypeId::of::<T>() == TypeId::of::<u8>())
        .then(|| unsafe { std::slice::from_raw_parts(row.as_ptr().cast(), row.len()) })
}

/// The row as f32, if that is what it holds.
#[inline(always)]
pub fn as_f32<T: Sample>(row: &[T]) -> Option<&[f32]> {
    // SAFETY: the types are equal.
    (TypeId::of::<T>() == TypeId::of::<f32>())
        .then(|| unsafe { std::slice::from_raw_parts(row.as_ptr().cast(), row.len()) })
}

/// Position of plane `c`'s element number `i` among lanes of `L`: which of the three vectors, which lane.
const fn home(c: usize, i: usize, lanes: usize) -> (usize, usize) {
    ((3 * i + c) / lanes, (3 * i + c) % lanes)
}

/// For plane `c`: the lane at which its element `i` lies (whatever the vector).
pub const fn gather_index<const L: usize>(c: usize) -> [u8; L] {
    let mut out = [0; L];
    let mut i = 0;
    while i < L {
        out[i] = home(c, i, L).1 as u8;
        i += 1;
    }
    out
}

/// For plane `c`: which of its elements goes to lane `j` (of whichever vector takes it there).
pub const fn scatter_index<const L: usize>(c: usize) -> [u8; L] {
    let mut out = [0; L];
    let mut i = 0;
    while i < L {
        out[home(c, i, L).1] = i as u8;
        i += 1;
    }
    out
}

/// For plane `c` and vector `k`: 0x80 at the lanes that hold the plane.
const fn lanes_of<const L: usize>(c: usize, k: usize) -> [u8; L] {
    let mut out = [0; L];
    let mut i = 0;
    while i < L {
        let (v, lane) = home(c, i, L);
        if v == k {
            out[lane] = 0x80;
        }
        i += 1;
    }
    out
}

/// As `lanes_of`, as a mask.
pub const fn bits_of<const L: usize>(c: usize, k: usize) -> u64 {
    let lanes = lanes_of::<L>(c, k);
    let (mut out, mut i) = (0, 0);
    while i < L {
        out |= ((lanes[i] >> 7) as u64) << i;
        i += 1;
    }
    out
}

/// The bytes of a 64-byte vector `k` that belong to plane `c`.
pub const fn lanes_bits(c: usize, k: usize) -> u64 {
    bits_of::<64>(c, k)
}

/// Shuffle of a 16-byte vector `k`: plane `c`'s bytes to their places, 0 elsewhere.
const fn gather_from(c: usize, k: usize) -> [u8; 16] {
    let mut out = [0x80; 16];
    let mut i = 0;
    while i < 16 {
        let (v, lane) = home(c, i, 16);
        if v == k {
            out[i] = lane as u8;
        }
        i += 1;
    }
    out
}

/// Shuffle of plane `c`: its bytes to their places in vector `k`, 0 elsewhere.
const fn scatter_to(c: usize, k: usize) -> [u8; 16] {
    let mut out = [0x80; 16];
    let mut i = 0;
    while i < 16 {
        let (v, lane) = home(c, i, 16);
        if v == k {
            out[lane] = i as u8;
        }
        i += 1;
    }
    out
}

const fn widen<const L: usize>(v: [u8; L]) -> [u32; L] {
    let mut out = [0; L];
    let mut i = 0;
    while i < L {
        out[i] = v[i] as u32;
        i += 1;
    }
    out
}

/// [`crate::kernel::normalize::split_row`] for three channels of 1 or 4 bytes; needs V3.
pub fn split3<E: Element>(src: &[E], planes: [&mut [E]; 3]) {
    let n = src.len() / 3;
    assert!(planes.iter().all(|p| p.len() == n) && level() >= Level::V3);
    let [p, q, r] = planes;
    // SAFETY: sizes were checked, the level says what the CPU has, and an element of 1 or 4 bytes is plain data.
    let done = unsafe {
        let (s, p, q, r) = (src.as_ptr(), p.as_mut_ptr(), q.as_mut_ptr(), r.as_mut_ptr());
        match (size_of::<E>(), level()) {
            (1, Level::Vbmi) => split3_u8_vbmi(s.cast(), [p.cast(), q.cast(), r.cast()], n),
            (1, _) => split3_u8_v3(s.cast(), [p.cast(), q.cast(), r.cast()], n),
            (4, Level::Vbmi | Level::V4) => split3_u32_v4(s.cast(), [p.cast(), q.cast(), r.cast()], n),
            (4, _) => split3_u32_v3(s.cast(), [p.cast(), q.cast(), r.cast()], n),
            _ => 0,
        }
    };
    let p = [p, q, r];
    for (i, px) in src.chunks_exact(3).enumerate().skip(done) {
        (p[0][i], p[1][i], p[2][i]) = (px[0], px[1], px[2]);
    }
}

/// [`crate::kernel::normalize::merge_row`] for three channels of 1 or 4 bytes; needs V3.
pub fn merge3<E: Element>(planes: [&[E]; 3], dst: &mut [E]) {
    let n = dst.len() / 3;
    assert!(planes.iter().all(|p| p.len() == n) && level() >= Level::V3);
    // SAFETY: as in `split3`.
    let done = unsafe {
        let (p, q, r) = (planes[0].as_ptr(), planes[1].as_ptr(), planes[2].as_ptr());
        let d = dst.as_mut_ptr();
        match (size_of::<E>(), level()) {
            (1, Level::Vbmi) => merge3_u8_vbmi([p.cast(), q.cast(), r.cast()], d.cast(), n),
            (1, _) => merge3_u8_v3([p.cast(), q.cast(), r.cast()], d.cast(), n),
            (4, Level::Vbmi | Level::V4) => merge3_u32_v4([p.cast(), q.cast(), r.cast()], d.cast(), n),
            (4, _) => merge3_u32_v3([p.cast(), q.cast(), r.cast()], d.cast(), n),
            _ => 0,
        }
    };
    for i in done..n {
        for k in 0..3 {
            dst[3 * i + k] = planes[k][i];
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn split3_u8_vbmi(src: *const u8, planes: [*mut u8; 3], n: usize) -> usize {
    const INDEX: [[u8; 64]; 3] = [gather_index(0), gather_index(1), gather_index(2)];
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds every load and store.
    unsafe {
        let index: [__m512i; 3] = three!(K => _mm512_loadu_si512(INDEX[K].as_ptr().cast()));
        while i + 64 <= n {
            let v: [__m512i; 3] = three!(K => _mm512_loadu_si512(src.add(3 * i + 64 * K).cast()));
            macro_rules! plane {
                ($c:literal) => {{
                    let a = _mm512_mask_mov_epi8(v[0], const { lanes_bits($c, 1) }, v[1]);
                    let a = _mm512_mask_mov_epi8(a, const { lanes_bits($c, 2) }, v[2]);
                    _mm512_storeu_si512(planes[$c].add(i).cast(), _mm512_permutexvar_epi8(index[$c], a));
                }};
            }
            plane!(0);
            plane!(1);
            plane!(2);
            i += 64;
        }
    }
    i
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn merge3_u8_vbmi(planes: [*const u8; 3], dst: *mut u8, n: usize) -> usize {
    const INDEX: [[u8; 64]; 3] = [scatter_index(0), scatter_index(1), scatter_index(2)];
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds every load and store.
    unsafe {
        let index: [__m512i; 3] = three!(K => _mm512_loadu_si512(INDEX[K].as_ptr().cast()));
        while i + 64 <= n {
            let p: [__m512i; 3] =
                three!(K => _mm512_permutexvar_epi8(index[K], _mm512_loadu_si512(planes[K].add(i).cast())));
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm512_mask_mov_epi8(p[0], const { bits_of::<64>(1, $k) }, p[1]);
                    let a = _mm512_mask_mov_epi8(a, const { bits_of::<64>(2, $k) }, p[2]);
                    _mm512_storeu_si512(dst.add(3 * i + 64 * $k).cast(), a);
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
            i += 64;
        }
    }
    i
}

#[inline]
#[target_feature(enable = "avx2")]
fn both(v: [u8; 16]) -> __m256i {
    // SAFETY: the array has 16 bytes.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(v.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
unsafe fn split3_u8_v3(src: *const u8, planes: [*mut u8; 3], n: usize) -> usize {
    let mut i = 0;
    // SAFETY (whole body): i + 32 ≤ n bounds every load and store.
    unsafe {
        while i + 32 <= n {
            // Each 128-bit lane is a block of 16 pixels of its own.
            let v: [__m256i; 3] = three!(K => {
                let at = src.add(3 * i + 16 * K);
                let lo = _mm256_castsi128_si256(_mm_loadu_si128(at.cast()));
                _mm256_inserti128_si256::<1>(lo, _mm_loadu_si128(at.add(48).cast()))
            });
            macro_rules! plane {
                ($c:literal) => {{
                    let a = _mm256_shuffle_epi8(v[0], both(const { gather_from($c, 0) }));
                    let b = _mm256_shuffle_epi8(v[1], both(const { gather_from($c, 1) }));
                    let c = _mm256_shuffle_epi8(v[2], both(const { gather_from($c, 2) }));
                    _mm256_storeu_si256(planes[$c].add(i).cast(), _mm256_or_si256(_mm256_or_si256(a, b), c));
                }};
            }
            plane!(0);
            plane!(1);
            plane!(2);
            i += 32;
        }
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn merge3_u8_v3(planes: [*const u8; 3], dst: *mut u8, n: usize) -> usize {
    let mut i = 0;
    // SAFETY (whole body): i + 32 ≤ n bounds every load and store.
    unsafe {
        while i + 32 <= n {
            let p = three!(K => _mm256_loadu_si256(planes[K].add(i).cast()));
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm256_shuffle_epi8(p[0], both(const { scatter_to(0, $k) }));
                    let b = _mm256_shuffle_epi8(p[1], both(const { scatter_to(1, $k) }));
                    let c = _mm256_shuffle_epi8(p[2], both(const { scatter_to(2, $k) }));
                    let a = _mm256_or_si256(_mm256_or_si256(a, b), c);
                    let at = dst.add(3 * i + 16 * $k);
                    _mm_storeu_si128(at.cast(), _mm256_castsi256_si128(a));
                    _mm_storeu_si128(at.add(48).cast(), _mm256_extracti128_si256::<1>(a));
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
            i += 32;
        }
    }
    i
}

/// Three zmm of interleaved dwords → three planes of 16.
#[inline]
#[target_feature(enable = "avx512f")]
fn planes16(v: [__m512i; 3]) -> [__m512i; 3] {
    const INDEX: [[u32; 16]; 3] = [widen(gather_index(0)), widen(gather_index(1)), widen(gather_index(2))];
    macro_rules! plane {
        ($c:literal) => {{
            // SAFETY: the array has 64 bytes.
            let index = unsafe { _mm512_loadu_si512(INDEX[$c].as_ptr().cast()) };
            let a = _mm512_mask_mov_epi32(v[0], const { bits_of::<16>($c, 1) as u16 }, v[1]);
            let a = _mm512_mask_mov_epi32(a, const { bits_of::<16>($c, 2) as u16 }, v[2]);
            _mm512_permutexvar_epi32(index, a)
        }};
    }
    [plane!(0), plane!(1), plane!(2)]
}

/// Three ymm of interleaved dwords → three planes of 8.
#[inline]
#[target_feature(enable = "avx2")]
fn planes8(v: [__m256i; 3]) -> [__m256i; 3] {
    const INDEX: [[u32; 8]; 3] = [widen(gather_index(0)), widen(gather_index(1)), widen(gather_index(2))];
    macro_rules! plane {
        ($c:literal) => {{
            // SAFETY: the array has 32 bytes.
            let index = unsafe { _mm256_loadu_si256(INDEX[$c].as_ptr().cast()) };
            let a = _mm256_blend_epi32::<{ bits_of::<8>($c, 1) as i32 }>(v[0], v[1]);
            let a = _mm256_blend_epi32::<{ bits_of::<8>($c, 2) as i32 }>(a, v[2]);
            _mm256_permutevar8x32_epi32(a, index)
        }};
    }
    [plane!(0), plane!(1), plane!(2)]
}

#[target_feature(enable = "avx512f")]
unsafe fn split3_u32_v4(src: *const u32, planes: [*mut u32; 3], n: usize) -> usize {
    let mut i = 0;
    while i + 16 <= n {
        // SAFETY: i + 16 ≤ n.
        unsafe {
            let p = planes16(three!(K => _mm512_loadu_si512(src.add(3 * i + 16 * K).cast())));
            for k in 0..3 {
                _mm512_storeu_si512(planes[k].add(i).cast(), p[k]);
            }
        }
        i += 16;
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn split3_u32_v3(src: *const u32, planes: [*mut u32; 3], n: usize) -> usize {
    let mut i = 0;
    while i + 8 <= n {
        // SAFETY: i + 8 ≤ n.
        unsafe {
            let p = planes8(three!(K => _mm256_loadu_si256(src.add(3 * i + 8 * K).cast())));
            for k in 0..3 {
                _mm256_storeu_si256(planes[k].add(i).cast(), p[k]);
            }
        }
        i += 8;
    }
    i
}

#[target_feature(enable = "avx512f")]
unsafe fn merge3_u32_v4(planes: [*const u32; 3], dst: *mut u32, n: usize) -> usize {
    const INDEX: [[u32; 16]; 3] = [widen(scatter_index(0)), widen(scatter_index(1)), widen(scatter_index(2))];
    let mut i = 0;
    while i + 16 <= n {
        // SAFETY: i + 16 ≤ n.
        unsafe {
            let p: [__m512i; 3] = three!(K => {
                let index = _mm512_loadu_si512(INDEX[K].as_ptr().cast());
                _mm512_permutexvar_epi32(index, _mm512_loadu_si512(planes[K].add(i).cast()))
            });
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm512_mask_mov_epi32(p[0], const { bits_of::<16>(1, $k) as u16 }, p[1]);
                    let a = _mm512_mask_mov_epi32(a, const { bits_of::<16>(2, $k) as u16 }, p[2]);
                    _mm512_storeu_si512(dst.add(3 * i + 16 * $k).cast(), a);
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
        }
        i += 16;
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn merge3_u32_v3(planes: [*const u32; 3], dst: *mut u32, n: usize) -> usize {
    const INDEX: [[u32; 8]; 3] = [widen(scatter_index(0)), widen(scatter_index(1)), widen(scatter_index(2))];
    let mut i = 0;
    while i + 8 <= n {
        // SAFETY: i + 8 ≤ n.
        unsafe {
            let p: [__m256i; 3] = three!(K => {
                let index = _mm256_loadu_si256(INDEX[K].as_ptr().cast());
                _mm256_permutevar8x32_epi32(_mm256_loadu_si256(planes[K].add(i).cast()), index)
            });
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm256_blend_epi32::<{ bits_of::<8>(1, $k) as i32 }>(p[0], p[1]);
                    let a = _mm256_blend_epi32::<{ bits_of::<8>(2, $k) as i32 }>(a, p[2]);
                    _mm256_storeu_si256(dst.add(3 * i + 8 * $k).cast(), a);
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
        }
        i += 8;
    }
    i
}

/// Source, planes, pixels, mean, denom; returns how many pixels are done.
type Normalize<T> = unsafe fn(*const T, [*mut f32; 3], usize, [f32; 3], [f32; 3]) -> usize;

/// Both of the two below. Planes of rows start anywhere, and 64-byte stores
/// that straddle cache lines cost more than 32-byte ones save: one form serves all levels.
#[inline(always)]
fn normalize_planes<T: Copy + Into<f32>>(
    src: &[T],
    planes: [&mut [f32]; 3],
    mean: [f32; 3],
    denom: [f32; 3],
    v3: Normalize<T>,
) {
    let n = src.len() / 3;
    assert!(planes.iter().all(|p| p.len() == n));
    let [p, q, r] = planes;
    let at = [p.as_mut_ptr(), q.as_mut_ptr(), r.as_mut_ptr()];
    // SAFETY: sizes were checked and the level says what the CPU has.
    let done = if level() == Level::Baseline { 0 } else { unsafe { v3(src.as_ptr(), at, n, mean, denom) } };
    for i in done..n {
        let [x, y, z] = [src[3 * i], src[3 * i + 1], src[3 * i + 2]].map(Into::into);
        p[i] = (x - mean[0]) * denom[0];
        q[i] = (y - mean[1]) * denom[1];
        r[i] = (z - mean[2]) * denom[2];
    }
}

/// [`crate::kernel::normalize::normalize_planes`] for three channels of bytes.
pub fn normalize_planes_u8(src: &[u8], planes: [&mut [f32]; 3], mean: [f32; 3], denom: [f32; 3]) {
    normalize_planes(src, planes, mean, denom, normalize_u8_v3);
}

/// [`crate::kernel::normalize::normalize_planes`] for three channels of f32.
pub fn normalize_planes_f32(src: &[f32], planes: [&mut [f32]; 3], mean: [f32; 3], denom: [f32; 3]) {
    normalize_planes(src, planes, mean, denom, normalize_f32_v3);
}

/// Byte `c` of 4 pixels, zero-extended to dwords.
const fn four_dwords(c: u8) -> [u8; 16] {
    let mut out = [0x80; 16];
    let mut i = 0;
    while i < 4 {
        out[4 * i] = 3 * i as u8 + c;
        i += 1;
    }
    out
}

#[target_feature(enable = "avx2")]
unsafe fn normalize_u8_v3(src: *const u8, p: [*mut f32; 3], n: usize, mean: [f32; 3], denom: [f32; 3]) -> usize {
    let mean = three!(K => _mm256_set1_ps(mean[K]));
    let denom = three!(K => _mm256_set1_ps(denom[K]));
    const INDEX: [[u8; 16]; 3] = [four_dwords(0), four_dwords(1), four_dwords(2)];
    let index = three!(K => both(INDEX[K]));
    let mut i = 0;
    // The second load ends at byte 28 of 24, so two more pixels must follow.
    while i + 10 <= n {
        // SAFETY: 3·i + 28 ≤ 3·n, i + 8 ≤ n.
        unsafe {
            let at = src.add(3 * i);
            let lo = _mm256_castsi128_si256(_mm_loadu_si128(at.cast()));
            let v = _mm256_inserti128_si256::<1>(lo, _mm_loadu_si128(at.add(12).cast()));
            for c in 0..3 {
                let x = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(v, index[c]));
                _mm256_storeu_ps(p[c].add(i), _mm256_mul_ps(_mm256_sub_ps(x, mean[c]), denom[c]));
            }
        }
        i += 8;
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn normalize_f32_v3(src: *const f32, p: [*mut f32; 3], n: usize, mean: [f32; 3], denom: [f32; 3]) -> usize {
    let mut i = 0;
    while i + 8 <= n {
        // SAFETY: i + 8 ≤ n.
        unsafe {
            let v = planes8(three!(K => _mm256_loadu_si256(src.add(3 * i + 8 * K).cast())));
            for c in 0..3 {
                let x = _mm256_sub_ps(_mm256_castsi256_ps(v[c]), _mm256_set1_ps(mean[c]));
                _mm256_storeu_ps(p[c].add(i), _mm256_mul_ps(x, _mm256_set1_ps(denom[c])));
            }
        }
        i += 8;
    }
    i
}
