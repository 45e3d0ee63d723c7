//! Transposes by pixels of 1, 2, 4, 8, 16 bytes and of 3, 6, 12 bytes.
//!
//! A register holds pieces of two (or four) source lines in its 128-bit lanes. Interleaving register i with register
//! i + N/2, log2 N times, swaps the register number with the position in the lane: an N×N transpose in every lane.
//! Pixels of 3, 6 and 12 bytes are widened to 4, 8 and 16 before and packed after.

use super::rect;
use crate::image::Element;
use crate::kernel::copy::Walk;
use crate::simd::Level;
use std::arch::x86_64::*;

/// Source lines and output rows as addresses: pixel p of line q goes to pixel q of row p.
#[derive(Clone, Copy)]
struct Job {
    src: *const u8,
    /// Bytes from a source line to the next.
    src_step: isize,
    dst: *mut u8,
    /// Bytes from an output row to the next.
    dst_step: isize,
    /// Pixels of a line that are read, one an output row.
    np: usize,
    /// Lines that are read, one an output column.
    nq: usize,
}

/// Writes `ny` rows of `nx` pixels read along `walk`. False if this level or case has no fast form. `l` must be a level
/// that the CPU has.
pub(crate) fn rows<E: Element>(
    l: Level,
    src: &[E],
    walk: Walk,
    out: &mut [E],
    stride: usize,
    ny: usize,
    nx: usize,
) -> bool {
    if walk.dy.unsigned_abs() != walk.c || ny < 16 || nx < 16 {
        return false;
    }
    let r = rect(src, walk, out, stride, ny, nx);
    // Pixels of a line in rising order, whichever way the rows go.
    // SAFETY: the last row is in the output, and its source in the source.
    let (src, dst, dst_step) = if walk.dy < 0 {
        unsafe { (r.line(ny - 1, 0), r.row(ny - 1, 0), -r.dst_dy) }
    } else {
        (r.src, r.dst, r.dst_dy)
    };
    let job = Job { src, src_step: r.src_dx, dst, dst_step, np: ny, nq: nx };
    // SAFETY: all of `job` lies in the two slices; it has at least 16 rows and columns; the caller's level has AVX2, and
    // for `Vbmi` AVX-512 VBMI.
    unsafe {
        match (r.size, l) {
            (1, _) if nx >= 32 => whole::<1>(job),
            (2, _) => whole::<2>(job),
            (4, _) => whole::<4>(job),
            (8, _) => whole::<8>(job),
            (16, _) => whole::<16>(job),
            (3, Level::Vbmi) => thirds_vbmi::<3>(job),
            (6, Level::Vbmi) => thirds_vbmi::<6>(job),
            (12, Level::Vbmi) => thirds_vbmi::<12>(job),
            (3, _) => thirds::<3>(job),
            (6, _) => thirds::<6>(job),
            (12, _) => thirds::<12>(job),
            _ => return false,
        }
    }
    true
}

/// Bytes of a source line that one block of tiles reads, and lines that it reads.
///
/// Few lines at a time, because lines a large power of two apart compete for few sets of the first-level cache; tiles of
/// single bytes are so large that the overlap at the block's end would cost more.
const fn block(size: usize) -> (usize, usize) {
    match size {
        1 => (64, 128),
        6 | 12 => (192, 32),
        _ => (64, 32),
    }
}

/// Calls `tile(p, q)` for tiles of `tp` pixels × `tq` lines that cover the job, the last ones overlapping others.
#[inline(always)]
fn blocks(job: &Job, size: usize, tp: usize, tq: usize, mut tile: impl FnMut(usize, usize)) {
    let (bytes, lines) = block(size);
    let bp = bytes / size / tp * tp;
    for p0 in (0..job.np).step_by(bp) {
        for q0 in (0..job.nq).step_by(lines) {
            for p in (p0..job.np.min(p0 + bp)).step_by(tp) {
                for q in (q0..job.nq.min(q0 + lines)).step_by(tq) {
                    tile(p.min(job.np - tp), q.min(job.nq - tq));
                }
            }
        }
    }
}

impl Job {
    /// # Safety
    /// `at` bytes into line `q` must be readable.
    #[inline(always)]
    unsafe fn line(&self, q: usize, at: usize) -> *const u8 {
        // SAFETY: by the caller.
        unsafe { self.src.offset(q as isize * self.src_step + at as isize) }
    }
    /// # Safety
    /// `at` bytes into row `p` must be writable.
    #[inline(always)]
    unsafe fn row(&self, p: usize, at: usize) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { self.dst.offset(p as isize * self.dst_step + at as isize) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn interleave<const B: usize>(a: __m256i, b: __m256i) -> (__m256i, __m256i) {
    match B {
        1 => (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)),
        2 => (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)),
        4 => (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)),
        _ => (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)),
    }
}

/// Transposes the `16 / B` registers of `B`-byte items lane by lane.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose<const B: usize>(r: &mut [__m256i; 16]) {
    let n = 16 / B;
    let mut rounds = n;
    while rounds > 1 {
        let old = *r;
        for i in 0..n / 2 {
            (r[2 * i], r[2 * i + 1]) = interleave::<B>(old[i], old[i + n / 2]);
        }
        rounds /= 2;
    }
}

/// Pixels of `B` = 1, 2, 4, 8 or 16 bytes, 16 / B pixels of 32 / B lines at a time.
///
/// # Safety
/// Needs AVX2; all of `job` is readable and writable and has at least a tile.
#[target_feature(enable = "avx2")]
unsafe fn whole<const B: usize>(job: Job) {
    let n = 16 / B;
    blocks(&job, B, n, 2 * n, |p, q| {
        let mut r = [_mm256_setzero_si256(); 16];
        // SAFETY: reads pixels p..p+n of lines q..q+2n and writes their places; `blocks` keeps both inside the job.
        unsafe {
            let (mut s, far) = (job.line(q, p * B), n as isize * job.src_step);
            for r in &mut r[..n] {
                let (lo, hi) = (_mm_loadu_si128(s.cast()), _mm_loadu_si128(s.offset(far).cast()));
                *r = _mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1);
                s = s.wrapping_offset(job.src_step);
            }
            transpose::<B>(&mut r);
            let mut d = job.row(p, q * B);
            for r in &r[..n] {
                _mm256_storeu_si256(d.cast(), *r);
                d = d.wrapping_offset(job.dst_step);
            }
        }
    });
}

/// For every 16 bytes: `12 / b` pixels from byte `skip` on, each widened by a third.
const fn widen(b: usize, skip: usize) -> [u8; 16] {
    let wide = b / 3 * 4;
    let mut t = [0x80; 16];
    let mut i = 0;
    while i < 16 {
        if i % wide < b {
            t[i] = (skip + i / wide * b + i % wide) as u8;
        }
        i += 1;
    }
    t
}

/// The inverse: pixels of `wide` bytes packed to three quarters, for `N` bytes.
const fn narrow<const N: usize>(b: usize) -> [u8; N] {
    let wide = b / 3 * 4;
    let mut t = [0x80; N];
    let mut i = 0;
    while i < N / 4 * 3 {
        t[i] = (i / b * wide + i % b) as u8;
        i += 1;
    }
    t
}

/// Pixels of `B` = 3, 6 or 12 bytes, 12 / B pixels of 24 / B lines at a time.
///
/// # Safety
/// Needs AVX2; all of `job` is readable and writable and has at least 16 rows and columns.
#[target_feature(enable = "avx2")]
unsafe fn thirds<const B: usize>(job: Job) {
    let n = 12 / B;
    // SAFETY: constants of 16 bytes.
    let (wide, late, pack) = unsafe {
        let load = |t: &[u8; 16]| _mm256_broadcastsi128_si256(_mm_loadu_si128(t.as_ptr().cast()));
        (load(const { &widen(B, 0) }), load(const { &widen(B, 4) }), load(const { &narrow(B) }))
    };
    let join = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
    blocks(&job, B, n, 2 * n, |p, q| {
        // Loads of 16 bytes for 12 that would end behind the last pixel of the line start 4 bytes earlier.
        let (at, widen) = if p * B + 16 <= job.np * B { (p * B, wide) } else { (p * B - 4, late) };
        let mut r = [_mm256_setzero_si256(); 16];
        // SAFETY: reads bytes of pixels 0..np of lines q..q+2n and writes pixels q..q+2n (24 bytes) of rows p..p+n;
        // `blocks` keeps both inside the job.
        unsafe {
            let (mut s, far) = (job.line(q, at), n as isize * job.src_step);
            for r in &mut r[..n] {
                let (lo, hi) = (_mm_loadu_si128(s.cast()), _mm_loadu_si128(s.offset(far).cast()));
                *r = _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1), widen);
                s = s.wrapping_offset(job.src_step);
            }
            match B {
                3 => transpose::<4>(&mut r),
                6 => transpose::<8>(&mut r),
                _ => {}
            }
            let mut d = job.row(p, q * B);
            for r in &r[..n] {
                let v = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(*r, pack), join);
                _mm_storeu_si128(d.cast(), _mm256_castsi256_si128(v));
                _mm_storel_epi64(d.add(16).cast(), _mm256_extracti128_si256(v, 1));
                d = d.wrapping_offset(job.dst_step);
            }
        }
    });
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave512<const B: usize>(a: __m512i, b: __m512i) -> (__m512i, __m512i) {
    match B {
        4 => (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)),
        _ => (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)),
    }
}

/// 16 bytes from each of four addresses `far` apart.
///
/// # Safety
/// All of them must be readable.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn four_lanes(s: *const u8, far: isize) -> __m512i {
    // SAFETY: by the caller.
    unsafe {
        let lane = |k: isize| _mm_loadu_si128(s.offset(k * far).cast());
        let v = _mm512_inserti32x4(_mm512_castsi128_si512(lane(0)), lane(1), 1);
        _mm512_inserti32x4(_mm512_inserti32x4(v, lane(2), 2), lane(3), 3)
    }
}

/// Pixels of `B` = 3, 6 or 12 bytes, 12 / B pixels of 48 / B lines at a time.
///
/// # Safety
/// Needs AVX-512 BW, VL and VBMI; all of `job` is readable and writable and has at least 16 rows and columns.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn thirds_vbmi<const B: usize>(job: Job) {
    let n = 12 / B;
    // SAFETY: constants of 16 and 64 bytes.
    let (wide, late, pack) = unsafe {
        let load = |t: &[u8; 16]| _mm512_broadcast_i32x4(_mm_loadu_si128(t.as_ptr().cast()));
        let pack = const { &narrow::<64>(B) };
        (load(const { &widen(B, 0) }), load(const { &widen(B, 4) }), _mm512_loadu_si512(pack.as_ptr().cast()))
    };
    blocks(&job, B, n, 4 * n, |p, q| {
        // Loads of 16 bytes for 12 that would end behind the last pixel of the line start 4 bytes earlier.
        let (at, widen) = if p * B + 16 <= job.np * B { (p * B, wide) } else { (p * B - 4, late) };
        let mut r = [_mm512_setzero_si512(); 4];
        // SAFETY: reads bytes of pixels 0..np of lines q..q+4n and writes pixels q..q+4n (48 bytes) of rows p..p+n;
        // `blocks` keeps both inside the job.
        unsafe {
            let (mut s, far) = (job.line(q, at), n as isize * job.src_step);
            for r in &mut r[..n] {
                *r = _mm512_shuffle_epi8(four_lanes(s, far), widen);
                s = s.wrapping_offset(job.src_step);
            }
            let mut rounds = n;
            while rounds > 1 {
                let old = r;
                for i in 0..n / 2 {
                    (r[2 * i], r[2 * i + 1]) = match B {
                        3 => interleave512::<4>(old[i], old[i + n / 2]),
                        _ => interleave512::<8>(old[i], old[i + n / 2]),
                    };
                }
                rounds /= 2;
            }
            let mut d = job.row(p, q * B);
            for r in &r[..n] {
                _mm512_mask_storeu_epi8(d.cast(), (1 << 48) - 1, _mm512_permutexvar_epi8(pack, *r));
                d = d.wrapping_offset(job.dst_step);
            }
        }
    });
}
