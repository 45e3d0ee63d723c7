//! The pass along x of u8 resizes: bytes are shuffled into pairs of neighbouring taps, which one multiply-add weighs.
//!
//! No address is computed in a vector and nothing is gathered: a block of neighbouring output components reads one
//! short window of the line, and where in it each component lies is a shuffle made once per resize.

use crate::simd::Level;
use std::arch::x86_64::*;

/// For blocks of output components, the window of the line that holds their taps and the shuffle that sorts them.
#[derive(Debug)]
pub struct Shuffle {
    wide: bool,
    /// Where the window of each block begins.
    base: Vec<u32>,
    /// For each component: byte of its first tap in the window, zero, byte of its second tap, zero.
    pick: Vec<[u8; 4]>,
    /// Components with padding.
    n: usize,
    /// Components of a pixel.
    c: usize,
    /// Bytes that a line must have for tap pair 0.
    need: usize,
}

/// Components are padded to a multiple of this.
pub const PAD: usize = 64;

/// Order in which AVX2 takes the groups of four among 16 components, if it packs two vectors into one: packing works
/// within 128-bit lanes.
const PACKED: [usize; 4] = [0, 2, 1, 3];

impl Shuffle {
    /// For pixels of `c` components whose tap 0 lies at `off` in the line and tap 1 `c` bytes further. `packed`: the
    /// sums will be packed to 16 bits. `None` if the level has no such shuffle or a window would be too long.
    pub fn new(level: Level, off: &[u32], c: usize, packed: bool) -> Option<Shuffle> {
        if level < Level::V3 {
            return None;
        }
        let wide = level == Level::Vbmi;
        let (block, window) = if wide { (16, 64) } else { (4, 16) };
        let n = (off.len() * c).next_multiple_of(PAD);
        let mut s = Shuffle { wide, base: vec![0; n / block], pick: vec![[0, 0x80, 0, 0x80]; n], n, c, need: 0 };
        let at = |j: usize| s_position(j, packed && !wide);
        let (mut x, mut i) = (0, 0);
        for b in 0..(off.len() * c).div_ceil(block) {
            let mut pos = [0u32; 16];
            let m = block.min(off.len() * c - b * block);
            let (mut lo, mut hi) = (u32::MAX, 0);
            for p in &mut pos[..m] {
                *p = off[x] + i as u32;
                (lo, hi) = (lo.min(*p), hi.max(*p));
                i += 1;
                if i == c {
                    (x, i) = (x + 1, 0);
                }
            }
            if (hi - lo) as usize + c >= window {
                return None;
            }
            s.base[at(b * block) / block] = lo;
            for (k, p) in pos[..m].iter().enumerate() {
                let d = (p - lo) as u8;
                s.pick[at(b * block + k)] = [d, 0x80, d + c as u8, 0x80];
            }
            s.need = s.need.max(lo as usize + window);
        }
        Some(s)
    }

    /// Weights of `k` taps a pixel, as the kernels read them: for each vector of components, pair after pair; with
    /// `split`, each pair as its multiple of 256 and the signed rest.
    pub fn weights(&self, w: &[i32], k: usize, packed: bool, split: bool) -> Vec<i32> {
        let lanes = if self.wide { 16 } else { 8 };
        let parts = k / 2 * (1 + split as usize);
        let mut out = vec![0; self.n * parts];
        let c = self.c;
        for (x, w) in w.chunks_exact(k).enumerate() {
            for (p, w) in w.as_chunks::<2>().0.iter().enumerate() {
                let both = |f: fn(i32) -> i32| (f(w[0]) & 0xffff) | f(w[1]) << 16;
                let (main, rest) = match split {
                    true => (both(|w| (w + 128) >> 8), both(|w| w - ((w + 128) >> 8 << 8))),
                    false => (both(|w| w), 0),
                };
                for j in x * c..(x + 1) * c {
                    let j = s_position(j, packed && !self.wide);
                    let at = (j / lanes * parts + if split { 2 * p } else { p }) * lanes + j % lanes;
                    out[at] = main;
                    if split {
                        out[at + lanes] = rest;
                    }
                }
            }
        }
        out
    }

    /// Two taps in 11-bit weights, kept with 7 fractional bits.
    pub fn narrow(&self, line: &[u8], w: &[i32], out: &mut [i16]) {
        assert!(line.len() >= self.need && w.len() == self.n && out.len() == self.n);
        // SAFETY: the level that the shuffle was built for has been probed; every window ends before `need`.
        unsafe {
            if self.wide {
                narrow_vbmi(self, line, w, out);
            } else {
                narrow_v3(self, line, w, out);
            }
        }
    }

    /// `k` taps, pairs `pair` bytes apart, kept whole as f32.
    pub fn whole(&self, line: &[u8], pair: usize, w: &[i32], k: usize, split: bool, out: &mut [f32]) {
        let pairs = k / 2;
        assert!(line.len() >= self.need + (pairs - 1) * pair && out.len() == self.n);
        assert!(w.len() == self.n * pairs * (1 + split as usize));
        // SAFETY: as in `narrow`.
        unsafe {
            match (self.wide, pairs, split) {
                (true, 1, true) => whole_vbmi::<1, true>(self, line, pair, w, out),
                (true, 2, true) => whole_vbmi::<2, true>(self, line, pair, w, out),
                (true, 2, false) => whole_vbmi::<2, false>(self, line, pair, w, out),
                (true, 1, false) => whole_vbmi::<1, false>(self, line, pair, w, out),
                (true, 4, false) => whole_vbmi::<4, false>(self, line, pair, w, out),
                (false, 1, true) => whole_v3::<1, true>(self, line, pair, w, out),
                (false, 2, true) => whole_v3::<2, true>(self, line, pair, w, out),
                (false, 2, false) => whole_v3::<2, false>(self, line, pair, w, out),
                (false, 1, false) => whole_v3::<1, false>(self, line, pair, w, out),
                (false, 4, false) => whole_v3::<4, false>(self, line, pair, w, out),
                _ => unreachable!("no filter has such taps"),
            }
        }
    }
}

/// Position of component `j` in the tables.
#[inline(always)]
fn s_position(j: usize, packed: bool) -> usize {
    if packed { j & !12 | PACKED[j >> 2 & 3] << 2 } else { j }
}

/// Bytes 0 and 2 of each dword.
const EVEN: u64 = 0x5555_5555_5555_5555;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn narrow_vbmi(s: &Shuffle, line: &[u8], w: &[i32], out: &mut [i16]) {
    let (line, pick, w) = (line.as_ptr(), s.pick.as_ptr().cast::<i32>(), w.as_ptr());
    let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for (b, out) in
        s.base.as_chunks::<2>().0.iter().zip(out.as_chunks_mut::<32>().0).enumerate().map(|(i, (b, o))| ((i, b), o))
    {
        // SAFETY: tables hold 16 entries for each base; the window of each base lies in the line (checked by the caller).
        unsafe {
            let sum = |k: usize| {
                let at = (2 * b.0 + k) * 16;
                let v = _mm512_loadu_si512(line.add(b.1[k] as usize).cast());
                let v = _mm512_maskz_permutexvar_epi8(EVEN, _mm512_loadu_si512(pick.add(at).cast()), v);
                _mm512_srai_epi32::<4>(_mm512_madd_epi16(v, _mm512_loadu_si512(w.add(at).cast())))
            };
            let v = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(sum(0), sum(1)));
            _mm512_storeu_si512(out.as_mut_ptr().cast(), v);
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn narrow_v3(s: &Shuffle, line: &[u8], w: &[i32], out: &mut [i16]) {
    let (line, pick, w) = (line.as_ptr(), s.pick.as_ptr().cast::<i32>(), w.as_ptr());
    for (i, (b, out)) in s.base.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<16>().0).enumerate() {
        // SAFETY: tables hold four entries for each base; the window of each base lies in the line.
        unsafe {
            let sum = |k: usize| {
                let at = i * 16 + k * 8;
                let a = _mm_loadu_si128(line.add(b[2 * k] as usize).cast());
                let z = _mm_loadu_si128(line.add(b[2 * k + 1] as usize).cast());
                let v = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), z);
                let v = _mm256_shuffle_epi8(v, _mm256_loadu_si256(pick.add(at).cast()));
                _mm256_srai_epi32::<4>(_mm256_madd_epi16(v, _mm256_loadu_si256(w.add(at).cast())))
            };
            _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm256_packs_epi32(sum(0), sum(1)));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn whole_vbmi<const P: usize, const SPLIT: bool>(
    s: &Shuffle,
    line: &[u8],
    pair: usize,
    w: &[i32],
    out: &mut [f32],
) {
    let parts = P * (1 + SPLIT as usize);
    let (line, pick, w) = (line.as_ptr(), s.pick.as_ptr().cast::<i32>(), w.as_ptr());
    for (i, (&b, out)) in s.base.iter().zip(out.as_chunks_mut::<16>().0).enumerate() {
        // SAFETY: as in `narrow_vbmi`, for each pair; `w` holds `parts` vectors for each base.
        unsafe {
            let pick = _mm512_loadu_si512(pick.add(i * 16).cast());
            let (mut sum, mut rest) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for p in 0..P {
                let v = _mm512_loadu_si512(line.add(b as usize + p * pair).cast());
                let v = _mm512_maskz_permutexvar_epi8(EVEN, pick, v);
                let w = |part: usize| _mm512_loadu_si512(w.add((i * parts + part) * 16).cast());
                if SPLIT {
                    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(v, w(2 * p)));
                    rest = _mm512_add_epi32(rest, _mm512_madd_epi16(v, w(2 * p + 1)));
                } else {
                    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(v, w(p)));
                }
            }
            if SPLIT {
                sum = _mm512_add_epi32(_mm512_slli_epi32::<8>(sum), rest);
            }
            _mm512_storeu_ps(out.as_mut_ptr(), _mm512_cvtepi32_ps(sum));
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn whole_v3<const P: usize, const SPLIT: bool>(
    s: &Shuffle,
    line: &[u8],
    pair: usize,
    w: &[i32],
    out: &mut [f32],
) {
    let parts = P * (1 + SPLIT as usize);
    let (line, pick, w) = (line.as_ptr(), s.pick.as_ptr().cast::<i32>(), w.as_ptr());
    for (i, (b, out)) in s.base.as_chunks::<2>().0.iter().zip(out.as_chunks_mut::<8>().0).enumerate() {
        // SAFETY: as in `narrow_v3`, for each pair; `w` holds `parts` vectors for two bases.
        unsafe {
            let pick = _mm256_loadu_si256(pick.add(i * 8).cast());
            let (mut sum, mut rest) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for p in 0..P {
                let a = _mm_loadu_si128(line.add(b[0] as usize + p * pair).cast());
                let z = _mm_loadu_si128(line.add(b[1] as usize + p * pair).cast());
                let v = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), z);
                let v = _mm256_shuffle_epi8(v, pick);
                let w = |part: usize| _mm256_loadu_si256(w.add((i * parts + part) * 8).cast());
                if SPLIT {
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(v, w(2 * p)));
                    rest = _mm256_add_epi32(rest, _mm256_madd_epi16(v, w(2 * p + 1)));
                } else {
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(v, w(p)));
                }
            }
            if SPLIT {
                sum = _mm256_add_epi32(_mm256_slli_epi32::<8>(sum), rest);
            }
            _mm256_storeu_ps(out.as_mut_ptr(), _mm256_cvtepi32_ps(sum));
        }
    }
}
