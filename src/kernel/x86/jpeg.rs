//! Forward DCT, division and zigzag order of JPEG blocks in 16-bit lanes: two blocks in a 256-bit vector, four in one of
//! 512 bits. Each 128-bit part holds a row of one block, so that one text serves both.

use crate::kernel::codec::dct::Strip;
use crate::kernel::codec::quant::Quant;
use crate::kernel::codec::tables::ZIGZAG;
use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// A vector of 128-bit parts. Every method needs the features of the level that it is used at.
trait Lanes: Copy {
    /// Blocks side by side.
    const BLOCKS: usize;
    unsafe fn samples(p: *const u8) -> Self;
    /// 16 bytes in every part.
    unsafe fn each(p: *const u8) -> Self;
    unsafe fn all16(v: i16) -> Self;
    unsafe fn all32(v: i32) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn up2(self) -> Self;
    unsafe fn down2(self) -> Self;
    unsafe fn pairs16(self, b: Self) -> [Self; 2];
    unsafe fn pairs32(self, b: Self) -> [Self; 2];
    unsafe fn pairs64(self, b: Self) -> [Self; 2];
    unsafe fn dot(self, weights: Self) -> Self;
    unsafe fn add32(self, b: Self) -> Self;
    unsafe fn down32<const N: u32>(self) -> Self;
    unsafe fn narrow32(self, b: Self) -> Self;
    /// (|self| + half) · recip · scale with the sign of self.
    unsafe fn divide(self, half: Self, recip: Self, scale: Self) -> Self;
    unsafe fn shuffle(self, at: Self) -> Self;
    unsafe fn or(self, b: Self) -> Self;
    /// 16 bits a part: which of its words in `self`, then in `b`, are not 0.
    unsafe fn nonzero(self, b: Self) -> u64;
    /// Part i to `to` + i · 128 bytes.
    unsafe fn store(self, to: *mut i16);
}

impl Lanes for __m256i {
    const BLOCKS: usize = 2;
    #[inline(always)]
    unsafe fn samples(p: *const u8) -> Self {
        // SAFETY: by the caller, here and below.
        unsafe { _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(p.cast())), _mm256_set1_epi16(128)) }
    }
    #[inline(always)]
    unsafe fn each(p: *const u8) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(p.cast())) }
    }
    #[inline(always)]
    unsafe fn all16(v: i16) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_set1_epi16(v) }
    }
    #[inline(always)]
    unsafe fn all32(v: i32) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_set1_epi32(v) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_add_epi16(self, b) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_sub_epi16(self, b) }
    }
    #[inline(always)]
    unsafe fn up2(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_slli_epi16::<2>(self) }
    }
    #[inline(always)]
    unsafe fn down2(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_srai_epi16::<2>(self) }
    }
    #[inline(always)]
    unsafe fn pairs16(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm256_unpacklo_epi16(self, b), _mm256_unpackhi_epi16(self, b)] }
    }
    #[inline(always)]
    unsafe fn pairs32(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm256_unpacklo_epi32(self, b), _mm256_unpackhi_epi32(self, b)] }
    }
    #[inline(always)]
    unsafe fn pairs64(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm256_unpacklo_epi64(self, b), _mm256_unpackhi_epi64(self, b)] }
    }
    #[inline(always)]
    unsafe fn dot(self, weights: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_madd_epi16(self, weights) }
    }
    #[inline(always)]
    unsafe fn add32(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_add_epi32(self, b) }
    }
    #[inline(always)]
    unsafe fn down32<const N: u32>(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_sra_epi32(self, _mm_cvtsi32_si128(N as i32)) }
    }
    #[inline(always)]
    unsafe fn narrow32(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_packs_epi32(self, b) }
    }
    #[inline(always)]
    unsafe fn divide(self, half: Self, recip: Self, scale: Self) -> Self {
        // SAFETY: by the caller.
        unsafe {
            let size = _mm256_add_epi16(_mm256_abs_epi16(self), half);
            _mm256_sign_epi16(_mm256_mulhi_epu16(_mm256_mulhi_epu16(size, recip), scale), self)
        }
    }
    #[inline(always)]
    unsafe fn shuffle(self, at: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_shuffle_epi8(self, at) }
    }
    #[inline(always)]
    unsafe fn or(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm256_or_si256(self, b) }
    }
    #[inline(always)]
    unsafe fn nonzero(self, b: Self) -> u64 {
        // SAFETY: by the caller.
        unsafe {
            let zero = _mm256_cmpeq_epi8(_mm256_packs_epi16(self, b), _mm256_setzero_si256());
            u64::from(!_mm256_movemask_epi8(zero) as u32)
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i16) {
        // SAFETY: by the caller.
        unsafe {
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(self));
            _mm_storeu_si128(to.add(64).cast(), _mm256_extracti128_si256::<1>(self));
        }
    }
}

impl Lanes for __m512i {
    const BLOCKS: usize = 4;
    #[inline(always)]
    unsafe fn samples(p: *const u8) -> Self {
        // SAFETY: by the caller, here and below.
        unsafe { _mm512_sub_epi16(_mm512_cvtepu8_epi16(_mm256_loadu_si256(p.cast())), _mm512_set1_epi16(128)) }
    }
    #[inline(always)]
    unsafe fn each(p: *const u8) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(p.cast())) }
    }
    #[inline(always)]
    unsafe fn all16(v: i16) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_set1_epi16(v) }
    }
    #[inline(always)]
    unsafe fn all32(v: i32) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_set1_epi32(v) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_add_epi16(self, b) }
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_sub_epi16(self, b) }
    }
    #[inline(always)]
    unsafe fn up2(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_slli_epi16::<2>(self) }
    }
    #[inline(always)]
    unsafe fn down2(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_srai_epi16::<2>(self) }
    }
    #[inline(always)]
    unsafe fn pairs16(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm512_unpacklo_epi16(self, b), _mm512_unpackhi_epi16(self, b)] }
    }
    #[inline(always)]
    unsafe fn pairs32(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm512_unpacklo_epi32(self, b), _mm512_unpackhi_epi32(self, b)] }
    }
    #[inline(always)]
    unsafe fn pairs64(self, b: Self) -> [Self; 2] {
        // SAFETY: by the caller.
        unsafe { [_mm512_unpacklo_epi64(self, b), _mm512_unpackhi_epi64(self, b)] }
    }
    #[inline(always)]
    unsafe fn dot(self, weights: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_madd_epi16(self, weights) }
    }
    #[inline(always)]
    unsafe fn add32(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_add_epi32(self, b) }
    }
    #[inline(always)]
    unsafe fn down32<const N: u32>(self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_srai_epi32::<N>(self) }
    }
    #[inline(always)]
    unsafe fn narrow32(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_packs_epi32(self, b) }
    }
    #[inline(always)]
    unsafe fn divide(self, half: Self, recip: Self, scale: Self) -> Self {
        // SAFETY: by the caller.
        unsafe {
            let size = _mm512_add_epi16(_mm512_abs_epi16(self), half);
            let v = _mm512_mulhi_epu16(_mm512_mulhi_epu16(size, recip), scale);
            _mm512_mask_sub_epi16(v, _mm512_movepi16_mask(self), _mm512_setzero_si512(), v)
        }
    }
    #[inline(always)]
    unsafe fn shuffle(self, at: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_shuffle_epi8(self, at) }
    }
    #[inline(always)]
    unsafe fn or(self, b: Self) -> Self {
        // SAFETY: by the caller.
        unsafe { _mm512_or_si512(self, b) }
    }
    #[inline(always)]
    unsafe fn nonzero(self, b: Self) -> u64 {
        // SAFETY: by the caller.
        unsafe {
            let v = _mm512_packs_epi16(self, b);
            _mm512_test_epi8_mask(v, v)
        }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut i16) {
        // SAFETY: by the caller.
        unsafe {
            _mm_storeu_si128(to.cast(), _mm512_castsi512_si128(self));
            _mm_storeu_si128(to.add(64).cast(), _mm512_extracti32x4_epi32::<1>(self));
            _mm_storeu_si128(to.add(128).cast(), _mm512_extracti32x4_epi32::<2>(self));
            _mm_storeu_si128(to.add(192).cast(), _mm512_extracti32x4_epi32::<3>(self));
        }
    }
}

/// Two weights of a dot product: of the first word of a pair, and of the second.
const fn weights(a: i16, b: i16) -> i32 {
    (a as u16 as i32) | (b as i32) << 16
}

/// Rows to columns within each part.
#[inline(always)]
unsafe fn turn<V: Lanes>(r: [V; 8]) -> [V; 8] {
    // SAFETY: by the caller.
    unsafe {
        let (a, b) = (r[0].pairs16(r[1]), r[2].pairs16(r[3]));
        let (c, d) = (r[4].pairs16(r[5]), r[6].pairs16(r[7]));
        let (e, f) = (a[0].pairs32(b[0]), a[1].pairs32(b[1]));
        let (g, h) = (c[0].pairs32(d[0]), c[1].pairs32(d[1]));
        let (p, q) = (e[0].pairs64(g[0]), e[1].pairs64(g[1]));
        let (s, t) = (f[0].pairs64(h[0]), f[1].pairs64(h[1]));
        [p[0], p[1], q[0], q[1], s[0], s[1], t[0], t[1]]
    }
}

/// One dimension, as the plain text has it.
#[inline(always)]
unsafe fn pass<V: Lanes, const ROWS: bool, const DOWN: u32>(x: [V; 8]) -> [V; 8] {
    // SAFETY (whole body): by the caller.
    unsafe {
        let whole = |v: V| if ROWS { v.up2() } else { v.add(V::all16(2)).down2() };
        let round = V::all32(1 << (DOWN - 1));
        // a · x + b · y, plus what is shared
        let mix = |pair: [V; 2], a: i16, b: i16, more: [V; 2]| {
            let w = V::all32(weights(a, b));
            let part = |i: usize| pair[i].dot(w).add32(more[i]).down32::<DOWN>();
            part(0).narrow32(part(1))
        };
        let shared = |pair: [V; 2], a: i16, b: i16| {
            let w = V::all32(weights(a, b));
            [pair[0].dot(w).add32(round), pair[1].dot(w).add32(round)]
        };
        let (s0, s1, s2, s3) = (x[0].add(x[7]), x[1].add(x[6]), x[2].add(x[5]), x[3].add(x[4]));
        let (d0, d1, d2, d3) = (x[0].sub(x[7]), x[1].sub(x[6]), x[2].sub(x[5]), x[3].sub(x[4]));
        let (e0, e1, e2, e3) = (s0.add(s3), s1.add(s2), s1.sub(s2), s0.sub(s3));
        let even = e2.pairs16(e3);
        let z = d3.add(d1).pairs16(d2.add(d0));
        let (p, q) = (shared(z, -6_436, 9_633), shared(z, 9_633, 6_437));
        let (outer, inner) = (d3.pairs16(d0), d2.pairs16(d1));
        [
            whole(e0.add(e1)),
            mix(outer, -7_373, 4_926, q),
            mix(even, 4_433, 10_703, [round; 2]),
            mix(inner, -20_995, 4_177, p),
            whole(e0.sub(e1)),
            mix(inner, -4_176, -20_995, q),
            mix(even, -10_704, 4_433, [round; 2]),
            mix(outer, -4_927, -7_373, p),
        ]
    }
}

/// For each 8 coefficients in zigzag order and each row of the block: where in the row they are.
const AT: [[[u8; 16]; 8]; 8] = {
    let mut at = [[[0x80; 16]; 8]; 8];
    let mut k = 0;
    while k < 64 {
        let (row, word) = ((ZIGZAG[k] / 8) as usize, ZIGZAG[k] % 8);
        at[k / 8][row][2 * (k % 8)] = 2 * word;
        at[k / 8][row][2 * (k % 8) + 1] = 2 * word + 1;
        k += 1;
    }
    at
};

/// As the plain text of the same name; needs V3.
pub fn forward_rows(samples: &[u8], stride: usize, quant: &Quant, strip: &mut Strip) {
    let n = strip.zigzag.len();
    assert!(n.is_multiple_of(4) && stride == 8 * n && strip.nonzero.len() == n && samples.len() == 8 * stride);
    let (zigzag, nonzero) = (strip.zigzag.as_mut_ptr().cast(), strip.nonzero.as_mut_ptr());
    // SAFETY: sizes were checked and the level says what the CPU has.
    unsafe {
        match level() {
            Level::V4 | Level::Vbmi => rows_v4(samples.as_ptr(), stride, quant, zigzag, nonzero),
            Level::V3 => rows_v3(samples.as_ptr(), stride, quant, zigzag, nonzero),
            Level::Baseline => panic!("needs V3"),
        }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn rows_v3(samples: *const u8, stride: usize, quant: &Quant, zigzag: *mut i16, nonzero: *mut u64) {
    // SAFETY: by the caller.
    unsafe { rows::<__m256i>(samples, stride, quant, zigzag, nonzero) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn rows_v4(samples: *const u8, stride: usize, quant: &Quant, zigzag: *mut i16, nonzero: *mut u64) {
    // SAFETY: by the caller.
    unsafe { rows::<__m512i>(samples, stride, quant, zigzag, nonzero) }
}

#[inline(always)]
unsafe fn rows<V: Lanes>(samples: *const u8, stride: usize, quant: &Quant, zigzag: *mut i16, nonzero: *mut u64) {
    // SAFETY (whole body): block `at + i` with i < V::BLOCKS is one of stride / 8, of which V::BLOCKS is a divisor; each
    // has 8 rows of 8 samples, 64 coefficients and a mask. The divisors are 8 rows of 8 words.
    unsafe {
        for at in (0..stride / 8).step_by(V::BLOCKS) {
            let line = |y: usize| V::samples(samples.add(y * stride + 8 * at));
            let x = [line(0), line(1), line(2), line(3), line(4), line(5), line(6), line(7)];
            let x = pass::<V, false, 15>(turn(pass::<V, true, 11>(turn(x))));
            let mut q = x;
            for (v, (q, x)) in q.iter_mut().zip(x).enumerate() {
                let row = |of: &[u16; 64]| V::each(of.as_ptr().add(8 * v).cast());
                *q = x.divide(row(&quant.half), row(&quant.recip), row(&quant.scale));
            }
            let to = zigzag.add(64 * at);
            macro_rules! eight {
                ($k:literal: $first:literal $($row:literal)*) => {{
                    let z = q[$first].shuffle(V::each(AT[$k][$first].as_ptr()));
                    $(let z = z.or(q[$row].shuffle(V::each(AT[$k][$row].as_ptr())));)*
                    z.store(to.add(8 * $k));
                    z
                }};
            }
            let parts = [
                eight!(0: 0 1 2).nonzero(eight!(1: 0 1 2 3 4)),
                eight!(2: 1 2 3 4 5 6).nonzero(eight!(3: 0 1 2 3)),
                eight!(4: 4 5 6 7).nonzero(eight!(5: 1 2 3 4 5 6)),
                eight!(6: 3 4 5 6 7).nonzero(eight!(7: 5 6 7)),
            ];
            for b in 0..V::BLOCKS {
                let mask = (0..4).fold(0, |m, j| m | (parts[j] >> (16 * b) & 0xFFFF) << (16 * j));
                *nonzero.add(at + b) = mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::codec::dct::forward_plain;
    use crate::kernel::codec::tables::{CHROMA, LUMA};

    #[test]
    fn rows_used_are_all_rows_needed() {
        let used = [0b111, 0b11111, 0b111_1110, 0b1111, 0b1111_0000, 0b111_1110, 0b1111_1000, 0b1110_0000];
        for (of_eight, used) in AT.iter().zip(used) {
            let need =
                of_eight.iter().enumerate().fold(0, |m, (y, at)| m | usize::from(at.iter().any(|a| *a < 128)) << y);
            assert_eq!(need, used);
        }
    }

    #[test]
    fn each_level_gives_the_bytes_of_the_plain_text() {
        let _one = crate::simd::level_lock();
        let mut state = 1_u32;
        let mut samples = vec![0; 8 * 64 * 40];
        for (i, s) in samples.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let v = (state >> 24) as u8;
            // noise, black and white, checkerboards of both signs, gray
            *s = match i / 64 % 40 {
                0..20 => v,
                20..30 => (v >> 7) * 255,
                30..35 => ((i / 8 + i / 2560) % 2 * 255) as u8,
                35 => (i % 2 * 255) as u8,
                n => (n as u8).wrapping_mul(63),
            };
        }
        for (base, quality) in [(&LUMA, 1), (&CHROMA, 50), (&LUMA, 93), (&LUMA, 100)] {
            let quant = Quant::of_quality(base, quality);
            let mut want = Strip::new(320);
            forward_plain(&samples, 64 * 40, &quant, &mut want);
            for wanted in [Level::V3, Level::V4, Level::Vbmi] {
                if crate::simd::set_level(wanted) == wanted {
                    let mut got = Strip::new(320);
                    forward_rows(&samples, 64 * 40, &quant, &mut got);
                    assert!(got.zigzag == want.zigzag && got.nonzero == want.nonzero, "{wanted:?}");
                }
            }
        }
        crate::simd::set_level(Level::Vbmi);
    }
}
