//! The pass along x of u8 resizes: bytes are shuffled into pairs of neighbouring taps, which one multiply-add weighs.
//!
//! No address is computed in a vector and nothing is gathered: a block of neighbouring output components reads one
//! short window of the line, and where in it each component lies is a shuffle made once per resize.

use crate::simd;
use crate::simd::Level;
use std::arch::x86_64::*;

/// For blocks of output components, the window of the line that holds their taps and the shuffle that sorts them.
pub struct Shuffle {
    /// Blocks of 16 components with windows of 64 bytes; otherwise of four, with windows of 16.
    wide: bool,
    /// Wide, with windows of 128 bytes.
    long: bool,
    /// Where the window of each block begins.
    base: Vec<u32>,
    /// For each component: byte of its first tap in the window, zero, byte of its second tap, zero.
    pick: Vec<u32>,
    /// Where the tables begin in their buffers: at a cache line.
    start: [usize; 2],
    /// Components with padding.
    n: usize,
    /// Components of a pixel.
    c: usize,
    /// Bytes that a line must have for tap pair 0.
    need: usize,
}

/// Components are padded to a multiple of this.
const PAD: usize = 64;

/// Dwords that a table may be shifted by to begin at a cache line.
const SHIFT: usize = 16;

/// Order in which AVX2 takes the groups of four among 16 components, if it packs two vectors into one: packing works
/// within 128-bit lanes.
const PACKED: [usize; 4] = [0, 2, 1, 3];

impl Shuffle {
    /// For pixels of `c` components whose tap 0 lies at `off` in the line and tap 1 `c` bytes further. `packed`: the
    /// sums will be packed to 16 bits. `None` if the level has no such shuffle or a window would be too long.
    pub fn new(level: Level, off: &[u32], c: usize, packed: bool) -> Option<Shuffle> {
        if level < Level::V3 || c > 8 {
            return None;
        }
        let wide = level == Level::Vbmi;
        let n = (off.len() * c).next_multiple_of(PAD);
        let mut at = vec![0; n];
        let ones: &[u32; 8] = &[0, 1, 2, 3, 4, 5, 6, 7];
        spread(off, &ones[..c], &mut at);
        let filled = off.len() * c;
        at[filled..].fill(off[off.len() - 1]);
        let mut base = vec![0; if wide { n / 16 } else { n / 4 }];
        let mut pick = vec![0; n + SHIFT];
        let start = pick.as_ptr().align_offset(64).min(SHIFT);
        let (span, last) = if wide {
            sort::<true>(&at, c as u32, false, &mut base, &mut pick[start..start + n])
        } else {
            sort::<false>(&at, c as u32, packed, &mut base, &mut pick[start..start + n])
        };
        let span = span as usize + c;
        let long = wide && span >= 64;
        let window = [if wide { 64 } else { 16 }, 128][long as usize];
        let need = last as usize + window;
        (span < window).then_some(Shuffle { wide, long, base, pick, start: [start, 0], n, c, need })
    }

    /// Weights of `k` taps a pixel, as the kernels read them: for each vector of components, pair after pair; with
    /// `split`, each pair as its multiple of 256 and the signed rest.
    pub fn weights(&mut self, w: &[i32], k: usize, packed: bool, split: bool) -> Vec<u32> {
        let lanes = if self.wide { 16 } else { 8 };
        let parts = k / 2 * (1 + split as usize);
        let mut out = vec![0; self.n * parts + SHIFT];
        self.start[1] = out.as_ptr().align_offset(64).min(SHIFT);
        let table = &mut out[self.start[1]..][..self.n * parts];
        let (mut pixels, mut all) = (vec![0; w.len() / k], vec![0; self.n]);
        for part in 0..parts {
            match (k, split) {
                (2, false) => pack::<2, false>(w, part, &mut pixels),
                (2, true) => pack::<2, true>(w, part, &mut pixels),
                (4, false) => pack::<4, false>(w, part, &mut pixels),
                (4, true) => pack::<4, true>(w, part, &mut pixels),
                _ => pack::<8, false>(w, part, &mut pixels),
            }
            spread(&pixels, &[0; 8][..self.c], &mut all);
            if packed && !self.wide {
                for block in all.as_chunks_mut::<16>().0 {
                    for i in 4..8 {
                        block.swap(i, i + 4);
                    }
                }
            }
            match lanes {
                16 => place::<16>(&all, part, parts, table),
                _ => place::<8>(&all, part, parts, table),
            }
        }
        out
    }

    /// Two taps in 11-bit weights, kept with 7 fractional bits, of one or two lines.
    pub fn narrow<const R: usize>(&self, lines: [&[u8]; R], w: &[u32], out: [&mut [i16]; R]) {
        let (pick, w) = (&self.pick[self.start[0]..][..self.n], &w[self.start[1]..][..self.n]);
        assert!(lines.iter().all(|l| l.len() >= self.need) && out.iter().all(|o| o.len() == self.n));
        // SAFETY: the level that the shuffle was built for has been probed; every window ends before `need`.
        unsafe {
            match (self.wide, self.long) {
                (true, false) => narrow_vbmi::<R, false>(&self.base, pick, lines, w, out),
                (true, true) => narrow_vbmi::<R, true>(&self.base, pick, lines, w, out),
                (false, _) => narrow_v3(&self.base, pick, lines, w, out),
            }
        }
    }

    /// `k` taps, pairs `pair` bytes apart, kept whole as f32, of one or two lines.
    pub fn whole<const R: usize>(
        &self,
        lines: [&[u8]; R],
        pair: usize,
        w: &[u32],
        k: usize,
        split: bool,
        out: [&mut [f32]; R],
    ) {
        let pairs = k / 2;
        let w = &w[self.start[1]..][..self.n * pairs * (1 + split as usize)];
        let (base, pick) = (&self.base[..], &self.pick[self.start[0]..][..self.n]);
        assert!(lines.iter().all(|l| l.len() >= self.need + (pairs - 1) * pair));
        assert!(out.iter().all(|o| o.len() == self.n));
        // SAFETY: as in `narrow`.
        unsafe {
            match (self.wide, self.long, pairs, split) {
                (true, false, 1, true) => whole_vbmi::<R, 1, true, false>(base, pick, lines, pair, w, out),
                (true, false, 2, true) => whole_vbmi::<R, 2, true, false>(base, pick, lines, pair, w, out),
                (true, false, 1, false) => whole_vbmi::<R, 1, false, false>(base, pick, lines, pair, w, out),
                (true, false, 2, false) => whole_vbmi::<R, 2, false, false>(base, pick, lines, pair, w, out),
                (true, false, 4, false) => whole_vbmi::<R, 4, false, false>(base, pick, lines, pair, w, out),
                (true, true, 1, true) => whole_vbmi::<R, 1, true, true>(base, pick, lines, pair, w, out),
                (true, true, 2, true) => whole_vbmi::<R, 2, true, true>(base, pick, lines, pair, w, out),
                (true, true, 1, false) => whole_vbmi::<R, 1, false, true>(base, pick, lines, pair, w, out),
                (true, true, 2, false) => whole_vbmi::<R, 2, false, true>(base, pick, lines, pair, w, out),
                (true, true, 4, false) => whole_vbmi::<R, 4, false, true>(base, pick, lines, pair, w, out),
                (false, _, 1, true) => whole_v3::<R, 1, true>(base, pick, lines, pair, w, out),
                (false, _, 2, true) => whole_v3::<R, 2, true>(base, pick, lines, pair, w, out),
                (false, _, 1, false) => whole_v3::<R, 1, false>(base, pick, lines, pair, w, out),
                (false, _, 2, false) => whole_v3::<R, 2, false>(base, pick, lines, pair, w, out),
                (false, _, 4, false) => whole_v3::<R, 4, false>(base, pick, lines, pair, w, out),
                _ => unreachable!("no filter has such taps"),
            }
        }
    }
}

simd! {
    /// Part `part` of the weights of each pixel: a pair of taps, and with `SPLIT` its multiple of 256 or its rest.
    fn pack[const K: usize, const SPLIT: bool][K, SPLIT](w: &[i32], part: usize, out: &mut [u32]) {
        let (pair, rest) = if SPLIT { (part / 2, part % 2 == 1) } else { (part, false) };
        for (p, w) in out.iter_mut().zip(w.as_chunks::<K>().0) {
            let (mut a, mut b) = (w[2 * pair], w[2 * pair + 1]);
            if SPLIT {
                let (ha, hb) = ((a + 128) >> 8, (b + 128) >> 8);
                (a, b) = if rest { (a - (ha << 8), b - (hb << 8)) } else { (ha, hb) };
            }
            *p = (a & 0xffff | b << 16) as u32;
        }
    }
}

/// Vectors of one part among those of all parts.
fn place<const L: usize>(all: &[u32], part: usize, parts: usize, table: &mut [u32]) {
    let table = table.as_chunks_mut::<L>().0;
    for (to, from) in table[part..].iter_mut().step_by(parts).zip(all.as_chunks::<L>().0) {
        *to = *from;
    }
}

/// Each value once for each component, plus the component's `add`.
fn spread(values: &[u32], add: &[u32], out: &mut [u32]) {
    fn c<const C: usize>(values: &[u32], add: &[u32], out: &mut [u32]) {
        let add: &[u32; C] = add.first_chunk().expect("one for each component");
        for (p, v) in out.as_chunks_mut::<C>().0.iter_mut().zip(values) {
            for i in 0..C {
                p[i] = v + add[i];
            }
        }
    }
    match add.len() {
        1 => c::<1>(values, add, out),
        2 => c::<2>(values, add, out),
        3 => c::<3>(values, add, out),
        4 => c::<4>(values, add, out),
        n => {
            for (p, v) in out.chunks_exact_mut(n).zip(values) {
                p.iter_mut().zip(add).for_each(|(p, a)| *p = v + a);
            }
        }
    }
}

simd! {
    /// Windows and shuffles of blocks of 16 (`WIDE`) or 4 components at byte positions `at`. Returns the longest
    /// distance between two positions of a block, and the last window's beginning.
    fn sort[const WIDE: bool][WIDE](at: &[u32], c: u32, packed: bool, base: &mut [u32], pick: &mut [u32]) -> (u32, u32) {
        let (mut span, mut last) = (0, 0);
        let bases = base.chunks_exact_mut(if WIDE { 1 } else { 4 });
        for ((at, pick), base) in at.as_chunks::<16>().0.iter().zip(pick.as_chunks_mut::<16>().0).zip(bases) {
            let block = if WIDE { 16 } else { 4 };
            for g in 0..16 / block {
                let at = &at[g * block..][..block];
                let lo = at.iter().fold(u32::MAX, |m, p| m.min(*p));
                let hi = at.iter().fold(0, |m, p| m.max(*p));
                (span, last) = (span.max(hi - lo), last.max(lo));
                let to = if packed { PACKED[g] } else { g };
                base[to] = lo;
                for (p, a) in pick[to * block..][..block].iter_mut().zip(at) {
                    *p = (a - lo).wrapping_mul(0x1_0001).wrapping_add(c << 16 | 0x8000_8000);
                }
            }
        }
        (span, last)
    }
}

/// Bytes 0 and 2 of each dword.
const EVEN: u64 = 0x5555_5555_5555_5555;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn narrow_vbmi<const R: usize, const LONG: bool>(
    base: &[u32],
    pick: &[u32],
    lines: [&[u8]; R],
    w: &[u32],
    out: [&mut [i16]; R],
) {
    let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for (i, b) in base.as_chunks::<2>().0.iter().enumerate() {
        // SAFETY: all tables hold 16 entries for each base; the window of each base lies in the line.
        unsafe {
            let (pick, w) = (pick.as_ptr().add(i * 32), w.as_ptr().add(i * 32));
            let pick = [_mm512_loadu_si512(pick.cast()), _mm512_loadu_si512(pick.add(16).cast())];
            let w = [_mm512_loadu_si512(w.cast()), _mm512_loadu_si512(w.add(16).cast())];
            for r in 0..R {
                let sum = |k: usize| {
                    let v = window::<LONG>(lines[r].as_ptr().add(b[k] as usize), pick[k]);
                    _mm512_srai_epi32::<4>(_mm512_madd_epi16(v, w[k]))
                };
                let v = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(sum(0), sum(1)));
                _mm512_storeu_si512(out[r].as_mut_ptr().add(i * 32).cast(), v);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn narrow_v3<const R: usize>(base: &[u32], pick: &[u32], lines: [&[u8]; R], w: &[u32], out: [&mut [i16]; R]) {
    for (i, b) in base.as_chunks::<4>().0.iter().enumerate() {
        // SAFETY: all tables hold four entries for each base; the window of each base lies in the line.
        unsafe {
            let (pick, w) = (pick.as_ptr().add(i * 16), w.as_ptr().add(i * 16));
            let pick = [_mm256_loadu_si256(pick.cast()), _mm256_loadu_si256(pick.add(8).cast())];
            let w = [_mm256_loadu_si256(w.cast()), _mm256_loadu_si256(w.add(8).cast())];
            for r in 0..R {
                let sum = |k: usize| {
                    let v = two_windows(lines[r], b[2 * k], b[2 * k + 1]);
                    let v = _mm256_shuffle_epi8(v, pick[k]);
                    _mm256_srai_epi32::<4>(_mm256_madd_epi16(v, w[k]))
                };
                _mm256_storeu_si256(out[r].as_mut_ptr().add(i * 16).cast(), _mm256_packs_epi32(sum(0), sum(1)));
            }
        }
    }
}

/// The tap pairs that `pick` names in the window at `from`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn window<const LONG: bool>(from: *const u8, pick: __m512i) -> __m512i {
    // SAFETY: the caller knows 64 bytes, or with `LONG` 128, to follow.
    unsafe {
        let v = _mm512_loadu_si512(from.cast());
        if LONG {
            _mm512_maskz_permutex2var_epi8(EVEN, v, pick, _mm512_loadu_si512(from.add(64).cast()))
        } else {
            _mm512_maskz_permutexvar_epi8(EVEN, pick, v)
        }
    }
}

/// 16 bytes from `a` and 16 from `b`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn two_windows(line: &[u8], a: u32, b: u32) -> __m256i {
    // SAFETY: the caller knows both windows to lie in the line.
    unsafe {
        let a = _mm_loadu_si128(line.as_ptr().add(a as usize).cast());
        let b = _mm_loadu_si128(line.as_ptr().add(b as usize).cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), b)
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn whole_vbmi<const R: usize, const P: usize, const SPLIT: bool, const LONG: bool>(
    base: &[u32],
    pick: &[u32],
    lines: [&[u8]; R],
    pair: usize,
    w: &[u32],
    out: [&mut [f32]; R],
) {
    let parts = P * (1 + SPLIT as usize);
    for (i, &b) in base.iter().enumerate() {
        // SAFETY: as in `narrow_vbmi`, for each pair; `w` holds `parts` vectors for each base.
        unsafe {
            let pick = _mm512_loadu_si512(pick.as_ptr().add(i * 16).cast());
            let (mut sum, mut rest) = ([_mm512_setzero_si512(); R], [_mm512_setzero_si512(); R]);
            for p in 0..P {
                let weight = |part: usize| _mm512_loadu_si512(w.as_ptr().add((i * parts + part) * 16).cast());
                let (main, small) = if SPLIT { (weight(2 * p), weight(2 * p + 1)) } else { (weight(p), sum[0]) };
                for r in 0..R {
                    let v = window::<LONG>(lines[r].as_ptr().add(b as usize + p * pair), pick);
                    sum[r] = _mm512_add_epi32(sum[r], _mm512_madd_epi16(v, main));
                    if SPLIT {
                        rest[r] = _mm512_add_epi32(rest[r], _mm512_madd_epi16(v, small));
                    }
                }
            }
            for r in 0..R {
                let sum = if SPLIT { _mm512_add_epi32(_mm512_slli_epi32::<8>(sum[r]), rest[r]) } else { sum[r] };
                _mm512_storeu_ps(out[r].as_mut_ptr().add(i * 16), _mm512_cvtepi32_ps(sum));
            }
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn whole_v3<const R: usize, const P: usize, const SPLIT: bool>(
    base: &[u32],
    pick: &[u32],
    lines: [&[u8]; R],
    pair: usize,
    w: &[u32],
    out: [&mut [f32]; R],
) {
    let parts = P * (1 + SPLIT as usize);
    for (i, b) in base.as_chunks::<2>().0.iter().enumerate() {
        // SAFETY: as in `narrow_v3`, for each pair; `w` holds `parts` vectors for two bases.
        unsafe {
            let pick = _mm256_loadu_si256(pick.as_ptr().add(i * 8).cast());
            let (mut sum, mut rest) = ([_mm256_setzero_si256(); R], [_mm256_setzero_si256(); R]);
            for p in 0..P {
                let weight = |part: usize| _mm256_loadu_si256(w.as_ptr().add((i * parts + part) * 8).cast());
                let (main, small) = if SPLIT { (weight(2 * p), weight(2 * p + 1)) } else { (weight(p), sum[0]) };
                for r in 0..R {
                    let v = two_windows(&lines[r][p * pair..], b[0], b[1]);
                    let v = _mm256_shuffle_epi8(v, pick);
                    sum[r] = _mm256_add_epi32(sum[r], _mm256_madd_epi16(v, main));
                    if SPLIT {
                        rest[r] = _mm256_add_epi32(rest[r], _mm256_madd_epi16(v, small));
                    }
                }
            }
            for r in 0..R {
                let sum = if SPLIT { _mm256_add_epi32(_mm256_slli_epi32::<8>(sum[r]), rest[r]) } else { sum[r] };
                _mm256_storeu_ps(out[r].as_mut_ptr().add(i * 8), _mm256_cvtepi32_ps(sum));
            }
        }
    }
}
