//! The last pass of the Lanczos sampler for 1, 3 and 4 components of u8, from AVX2 on.
//!
//! A row of eight taps is two loads of four taps each, as in [`super::warp_cubic`]: shuffled so that the taps of a
//! component are neighbouring words with the pixel in the upper byte, the product's upper half with a Q15 magnitude is
//! Q7. Sums start 128 levels low, which keeps them in 16 bits.

use super::warp_cubic::{check, order, put, put1};
use crate::kernel::warp::{Lanczos, LanczosWeights, NEGATIVE, lanczos};
use std::arch::x86_64::*;

sampler!(Lanczos: lanczos1_v3 => one, lanczos3_v3 => several::<3>, lanczos4_v3 => several::<4>);

/// What a sum starts with: −128 levels in Q7. Over a row of taps they add up to −2²⁸ in Q21.
const START: i16 = -128 << 7;
/// Takes that off again, and rounds.
const ROUND: i32 = (1 << 28) + (1 << 20);

/// Sums of four taps each of pixel `i`: lane 0 holds two pairs of components 0 and 1, lane 1 those of 2 and 3.
#[target_feature(enable = "avx2")]
#[inline]
fn pixel<const C: usize>(
    data: *const u8,
    stride: usize,
    lan: &Lanczos,
    table: &LanczosWeights,
    i: usize,
    order: __m256i,
) -> __m256i {
    let (mut a, mut b) = (_mm256_set1_epi16(START), _mm256_set1_epi16(START));
    // SAFETY: `check` saw the taps and the indices into the table.
    unsafe {
        let p = data.add(lan.off[i] as usize);
        let wy = table.y.as_ptr().add(lan.ky[i] as usize).cast::<i32>();
        for (k, &negative) in NEGATIVE.iter().enumerate() {
            let w = _mm256_set1_epi32(wy.add(k).read());
            let taps = |at: usize| {
                let r = _mm256_broadcastsi128_si256(_mm_loadu_si128(p.add(k * stride + at).cast()));
                _mm256_mulhi_epu16(_mm256_shuffle_epi8(r, order), w)
            };
            let (left, right) = (taps(0), taps(4 * C));
            if negative {
                (a, b) = (_mm256_sub_epi16(a, left), _mm256_sub_epi16(b, right));
            } else {
                (a, b) = (_mm256_add_epi16(a, left), _mm256_add_epi16(b, right));
            }
        }
        let wx = table.x.as_ptr().add(lan.kx[i] as usize).cast::<i64>();
        let left = _mm256_madd_epi16(a, _mm256_set1_epi64x(wx.read()));
        _mm256_add_epi32(left, _mm256_madd_epi16(b, _mm256_set1_epi64x(wx.add(1).read())))
    }
}

#[target_feature(enable = "avx2")]
fn several<const C: usize>(data: &[u8], stride: usize, lan: &Lanczos, out: &mut [u8]) {
    let n = out.len() / C;
    // Each row is read 16 bytes at its fifth tap.
    check(data, stride, [8, 4 * C + 16], lan, n.next_multiple_of(8), 32);
    let (order, table) = (order::<C>(), lanczos());
    for k in 0..n.div_ceil(8) {
        let pair = |i: usize| {
            let one = |i: usize| pixel::<C>(data.as_ptr(), stride, lan, table, 8 * k + i, order);
            let sum = _mm256_hadd_epi32(one(i), one(i + 1));
            _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(ROUND)), 21)
        };
        put::<C>(out, k, [pair(0), pair(2), pair(4), pair(6)]);
    }
}

#[target_feature(enable = "avx2")]
fn one(data: &[u8], stride: usize, lan: &Lanczos, out: &mut [u8]) {
    let n = out.len();
    check(data, stride, [8, 8], lan, n.next_multiple_of(8), 32);
    let table = lanczos();
    let pixel = |i: usize| {
        let mut v = _mm_set1_epi16(START);
        // SAFETY: `check` saw the taps and the indices into the table.
        unsafe {
            let p = data.as_ptr().add(lan.off[i] as usize);
            let wy = table.y.as_ptr().add(lan.ky[i] as usize).cast::<i32>();
            for (k, &negative) in NEGATIVE.iter().enumerate() {
                let r = _mm_unpacklo_epi8(_mm_setzero_si128(), _mm_loadl_epi64(p.add(k * stride).cast()));
                let r = _mm_mulhi_epu16(r, _mm_set1_epi32(wy.add(k).read()));
                v = if negative { _mm_sub_epi16(v, r) } else { _mm_add_epi16(v, r) };
            }
            _mm_madd_epi16(v, _mm_loadu_si128(table.x.as_ptr().add(lan.kx[i] as usize).cast()))
        }
    };
    for (k, o) in out.chunks_mut(8).enumerate() {
        let quad = |i: usize| {
            let i = 8 * k + i;
            let (a, b) = (_mm_hadd_epi32(pixel(i), pixel(i + 1)), _mm_hadd_epi32(pixel(i + 2), pixel(i + 3)));
            _mm_srai_epi32(_mm_add_epi32(_mm_hadd_epi32(a, b), _mm_set1_epi32(ROUND)), 21)
        };
        put1(o, quad(0), quad(4));
    }
}
