//! Resize kernels that move bytes: nearest pixels, and the pairs of taps of filters that skip most columns.

use crate::simd::{self, Level};
use std::arch::x86_64::*;

/// Picks pixels of any size from rows.
pub struct Pixels {
    how: How,
    /// Where each block's window, or each pixel, begins.
    base: Vec<u32>,
    /// Bytes of an output row.
    n: usize,
    /// Bytes that a source row must have.
    need: usize,
}

enum How {
    /// Blocks of so many output bytes, each from a window of 128 source bytes.
    Window128(usize, Vec<[u8; 64]>),
    /// Blocks of so many output bytes, each from a window of 16 source bytes.
    Window16(usize, Vec<[u8; 16]>),
    /// Pixels of so many bytes, of which more are copied at once: the next pixel overwrites what is too much.
    Copy(usize),
}

impl Pixels {
    /// For pixels of `size` bytes at ascending columns `x` of rows of `w` pixels. `None` if nothing here fits.
    pub fn new(x: &[u32], size: usize, w: usize) -> Option<Pixels> {
        let (level, need, n) = (simd::level(), w * size, x.len() * size);
        if level < Level::V3 || !x.is_sorted() {
            return None;
        }
        let at: Vec<u32> = x.iter().flat_map(|x| (0..size as u32).map(move |i| x * size as u32 + i)).collect();
        // Where pixels can be copied, shorter blocks than that lose.
        let least = if matches!(size, 3 | 6 | 12) { 2 * size + 1 } else { 0 };
        let fits = |block: usize, window: u32| at.chunks(block).all(|c| span(c).1 - span(c).0 < window);
        if level == Level::Vbmi
            && need >= 128
            && let Some(block) = [64, 32, 16, 8].into_iter().find(|b| fits(*b, 128) && *b >= least)
        {
            let (base, pick) = windows::<64>(&at, block, need - 128);
            return Some(Pixels { how: How::Window128(block, pick), base, n, need });
        }
        if need >= 16 {
            let blocks = if size == 1 { &[16, 8, 4][..] } else { &[16, 8] };
            if let Some(block) = blocks.iter().copied().find(|b| fits(*b, 16) && *b >= least) {
                let (base, pick) = windows::<16>(&at, block, need - 16);
                return Some(Pixels { how: How::Window16(block, pick), base, n, need });
            }
        }
        let base = x.iter().map(|x| x * size as u32).collect();
        matches!(size, 3 | 6 | 12).then_some(Pixels { how: How::Copy(size), base, n, need })
    }

    /// One row.
    pub fn row(&self, src: &[u8], out: &mut [u8]) {
        assert!(src.len() >= self.need && out.len() == self.n);
        // SAFETY: `new` saw the level; windows and pixels end before `need`, blocks before `n`.
        unsafe {
            match &self.how {
                How::Window128(block, pick) => self.window128(*block, pick, src, out),
                How::Window16(16, pick) => self.window16::<16>(pick, src, out),
                How::Window16(8, pick) => self.window16::<8>(pick, src, out),
                How::Window16(_, pick) => self.window16::<4>(pick, src, out),
                How::Copy(3) => self.copy::<3, 4>(src, out),
                How::Copy(6) => self.copy::<6, 8>(src, out),
                How::Copy(_) => self.copy::<12, 16>(src, out),
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn window128(&self, block: usize, pick: &[[u8; 64]], src: &[u8], out: &mut [u8]) {
        let mut left = self.n;
        for (i, (b, pick)) in self.base.iter().zip(pick).enumerate() {
            let mask = u64::MAX >> (64 - left.min(block));
            left -= left.min(block);
            // SAFETY: the window of 128 bytes lies in the row; the mask keeps the store within `n`.
            unsafe {
                let p = src.as_ptr().add(*b as usize);
                let (lo, hi) = (_mm512_loadu_si512(p.cast()), _mm512_loadu_si512(p.add(64).cast()));
                let v = _mm512_permutex2var_epi8(lo, _mm512_loadu_si512(pick.as_ptr().cast()), hi);
                _mm512_mask_storeu_epi8(out.as_mut_ptr().add(i * block).cast(), mask, v);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    unsafe fn window16<const B: usize>(&self, pick: &[[u8; 16]], src: &[u8], out: &mut [u8]) {
        let full = self.n / B;
        for (i, (b, pick)) in self.base.iter().zip(pick).enumerate() {
            // SAFETY: the window of 16 bytes lies in the row; a full block lies in `out`, the last may not.
            unsafe {
                let v = _mm_loadu_si128(src.as_ptr().add(*b as usize).cast());
                let v = _mm_shuffle_epi8(v, _mm_loadu_si128(pick.as_ptr().cast()));
                let to = out.as_mut_ptr().add(i * B);
                if i == full {
                    let mut bytes = [0u8; 16];
                    _mm_storeu_si128(bytes.as_mut_ptr().cast(), v);
                    out[i * B..].copy_from_slice(&bytes[..self.n - i * B]);
                } else if B == 16 {
                    _mm_storeu_si128(to.cast(), v);
                } else if B == 8 {
                    _mm_storel_epi64(to.cast(), v);
                } else {
                    to.cast::<i32>().write_unaligned(_mm_cvtsi128_si32(v));
                }
            }
        }
    }

    /// Pixels of `N` bytes, copied as `M`; those too near the end of a row, as they are.
    unsafe fn copy<const N: usize, const M: usize>(&self, src: &[u8], out: &mut [u8]) {
        let last = self.need.saturating_sub(M) as u32;
        let wide = if self.need < M { 0 } else { self.base.partition_point(|b| *b <= last) };
        let wide = wide.min(self.base.len() - 1);
        for (i, b) in self.base[..wide].iter().enumerate() {
            // SAFETY: the columns ascend, so b + M ≤ need; the pixel is not the last, so i·N + M ≤ n for M ≤ 2N.
            unsafe {
                let v = src.as_ptr().add(*b as usize).cast::<[u8; M]>().read_unaligned();
                out.as_mut_ptr().add(i * N).cast::<[u8; M]>().write_unaligned(v);
            }
        }
        for (p, b) in out[wide * N..].as_chunks_mut::<N>().0.iter_mut().zip(&self.base[wide..]) {
            p.copy_from_slice(&src[*b as usize..][..N]);
        }
    }
}

/// For blocks of output bytes: where their windows begin, none beyond `top`, and which byte of it each one is.
fn windows<const N: usize>(at: &[u32], block: usize, top: usize) -> (Vec<u32>, Vec<[u8; N]>) {
    let base: Vec<u32> = at.chunks(block).map(|c| span(c).0.min(top as u32)).collect();
    let mut pick = vec![[0; N]; base.len()];
    for ((p, at), b) in pick.iter_mut().zip(at.chunks(block)).zip(&base) {
        for (p, a) in p.iter_mut().zip(at) {
            *p = (a - b) as u8;
        }
    }
    (base, pick)
}

/// Least and greatest of a block.
fn span(at: &[u32]) -> (u32, u32) {
    at.iter().fold((u32::MAX, 0), |(lo, hi), p| (lo.min(*p), hi.max(*p)))
}

/// Copies the taps of output pixels, pairs of neighbouring u8 pixels, in wide words.
pub struct Pairs {
    /// Where the taps begin that lie well inside the row.
    at: Vec<u32>,
    /// The first of them.
    first: usize,
    k: usize,
    c: usize,
    /// From the pairs of taps to the next ones.
    pair: usize,
    /// Bytes that a row must have.
    need: usize,
}

impl Pairs {
    /// For pixels of `c` components of rows of `w`, `k` taps at ascending columns `x`, the pairs of which go `pair` bytes
    /// apart. `None` if nothing here fits.
    pub fn new(x: &[i32], k: usize, c: usize, w: usize, pair: usize) -> Option<Pairs> {
        if c > 4 || k > 8 || !x.is_sorted() || pair < 2 * c * x.len() + 8 {
            return None;
        }
        let first = x.partition_point(|s| *s < 0);
        let end = x.partition_point(|s| (*s as i64 + k as i64 - 2) * c as i64 + 16 <= (w * c) as i64);
        let at = x.get(first..end)?.iter().map(|s| *s as u32 * c as u32).collect();
        Some(Pairs { at, first, k, c, pair, need: w * c })
    }

    /// Writes all pairs of the output pixels that it can; returns which.
    pub fn row(&self, row: &[u8], out: &mut [u8]) -> std::ops::Range<usize> {
        let range = self.first..self.first + self.at.len();
        assert!(row.len() == self.need && out.len() >= self.pair * (self.k / 2));
        let mut i = 0;
        while i < self.k / 2 {
            // Pairs of three components that follow each other fit in one load.
            let both = self.c == 3 && i + 2 <= self.k / 2;
            // SAFETY: `new` took only taps after whose last pair's beginning 16 bytes lie in the row; the pairs of a
            // tap end eight bytes before `pair`, which no store exceeds.
            unsafe {
                let from = row.as_ptr().add(2 * i * self.c);
                let to = out.as_mut_ptr().add(i * self.pair + self.first * 2 * self.c);
                match (self.c, both) {
                    (1, _) => copy_pairs::<u16, 2>(&self.at, from, to),
                    (2, _) => copy_pairs::<u32, 4>(&self.at, from, to),
                    (3, false) => copy_pairs::<u64, 6>(&self.at, from, to),
                    (3, true) => copy_both(&self.at, from, to, self.pair),
                    _ => copy_pairs::<u64, 8>(&self.at, from, to),
                }
            }
            i += 1 + both as usize;
        }
        range
    }
}

unsafe fn copy_pairs<W, const N: usize>(at: &[u32], from: *const u8, to: *mut u8) {
    for (i, a) in at.iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let v = from.add(*a as usize).cast::<W>().read_unaligned();
            to.add(i * N).cast::<W>().write_unaligned(v);
        }
    }
}

/// Two pairs of three components, which go `pair` bytes apart.
unsafe fn copy_both(at: &[u32], from: *const u8, to: *mut u8, pair: usize) {
    for (i, a) in at.iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let v = _mm_loadu_si128(from.add(*a as usize).cast());
            _mm_storel_epi64(to.add(i * 6).cast(), v);
            _mm_storel_epi64(to.add(pair + i * 6).cast(), _mm_srli_si128::<6>(v));
        }
    }
}
