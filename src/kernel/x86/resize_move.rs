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
        let fits = |block: usize, window: u32| at.chunks(block).all(|c| span(c).1 - span(c).0 < window);
        if level == Level::Vbmi && need >= 128 {
            if let Some(block) = [64, 32, 16, 8].into_iter().find(|b| fits(*b, 128)) {
                let (base, pick) = windows::<64>(&at, block, need - 128);
                return Some(Pixels { how: How::Window128(block, pick), base, n, need });
            }
        }
        if need >= 16 {
            let blocks = if size == 1 { &[16, 8, 4][..] } else { &[16, 8] };
            if let Some(block) = blocks.iter().copied().find(|b| fits(*b, 16)) {
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

/// Copies pairs of neighbouring u8 pixels of three or four components, eight bytes at once.
pub struct Pairs {
    /// Where the pairs begin that lie well inside the row.
    at: Vec<u32>,
    /// The first of them.
    first: usize,
    c: usize,
    /// Bytes that a row must have.
    need: usize,
}

impl Pairs {
    /// For pixels of `c` components of rows of `w`, pairs at ascending columns `x` and the `k` − 2 that follow. `None`
    /// if nothing here fits.
    pub fn new(x: &[i32], k: usize, c: usize, w: usize) -> Option<Pairs> {
        if c != 3 && c != 4 || !x.is_sorted() {
            return None;
        }
        let first = x.partition_point(|s| *s < 0);
        let end = x.partition_point(|s| (*s as i64 + k as i64 - 2) * c as i64 + 8 <= (w * c) as i64);
        let at = x.get(first..end)?.iter().map(|s| *s as u32 * c as u32).collect();
        Some(Pairs { at, first, c, need: w * c })
    }

    /// Writes the pairs that it can, `tap` pixels further; returns which.
    pub fn row(&self, row: &[u8], tap: usize, out: &mut [u8]) -> std::ops::Range<usize> {
        let range = self.first..self.first + self.at.len();
        assert!(row.len() == self.need && out.len() >= range.end * 2 * self.c + 8);
        // SAFETY: `new` took only pairs whose eight bytes lie in the row; the checked length of `out` does the rest.
        unsafe {
            let (from, to) = (row.as_ptr().add(tap * self.c), out.as_mut_ptr().add(self.first * 2 * self.c));
            match self.c {
                3 => copy_pairs::<6>(&self.at, from, to),
                _ => copy_pairs::<8>(&self.at, from, to),
            }
        }
        range
    }
}

unsafe fn copy_pairs<const N: usize>(at: &[u32], from: *const u8, to: *mut u8) {
    for (i, a) in at.iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let v = from.add(*a as usize).cast::<u64>().read_unaligned();
            to.add(i * N).cast::<u64>().write_unaligned(v);
        }
    }
}
