//! The last pass of the bicubic sampler for 1, 3 and 4 components of u8, from AVX2 on.
//!
//! A row of four taps is one load. It is shuffled so that the four taps of a component are neighbouring words with the
//! pixel in the upper byte; the product's upper half with a Q14 weight is then Q6. After the four rows, one multiply-add
//! with the weights of the row and one horizontal addition give the components of two pixels.

use crate::kernel::warp::{CHUNK, CUBIC, Cubic, CubicWeights, Taps};
use std::arch::x86_64::*;

/// Panics unless `load` bytes at each of `rows` rows of `n` pixels lie in the source, and the weights among `steps`.
#[inline(always)]
pub(super) fn check<I: Copy + Ord + Into<u32>>(
    data: &[u8],
    stride: usize,
    [rows, load]: [usize; 2],
    taps: &Taps<I>,
    n: usize,
    steps: usize,
) {
    assert!(n <= CHUNK);
    let top = taps.off[..n].iter().fold(0, |a, &b| a.max(b));
    let most = |k: &[I; CHUNK]| k[..n].iter().fold(k[0], |a, &b| a.max(b)).into();
    let step: u32 = most(&taps.kx).max(most(&taps.ky));
    assert!(
        top as usize + (rows - 1) * stride + load <= data.len() && (step as usize) < steps,
        "taps lie in the source"
    );
}

sampler!(Cubic: cubic1_v3 => one, cubic3_v3 => several::<3>, cubic4_v3 => several::<4>);

/// Where the taps of a component lie in 16 bytes of a row, as upper bytes of words: two components a lane.
const fn order_bytes(c: u8) -> [u8; 32] {
    let mut t = [0x80; 32];
    let mut i = 0;
    while i < 16 {
        let component = i as u8 / 4;
        if component < c {
            t[2 * i + 1] = i as u8 % 4 * c + component;
        }
        i += 1;
    }
    t
}

static ORDER1: [u8; 32] = order_bytes(1);
static ORDER3: [u8; 32] = order_bytes(3);
static ORDER4: [u8; 32] = order_bytes(4);

/// [`ORDER3`] or [`ORDER4`].
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn order<const C: usize>() -> __m256i {
    // SAFETY: a plain load of a constant.
    unsafe { _mm256_loadu_si256(if C == 3 { &ORDER3 } else { &ORDER4 }.as_ptr().cast()) }
}

/// Sums of two taps each of pixel `i`: lane 0 holds two pairs of components 0 and 1, lane 1 those of 2 and 3.
#[target_feature(enable = "avx2")]
#[inline]
fn pixel(data: *const u8, stride: usize, cub: &Cubic, i: usize, order: __m256i) -> __m256i {
    let table: &CubicWeights = &CUBIC;
    // SAFETY: `check` saw the taps and the indices into the table.
    unsafe {
        let p = data.add(cub.off[i] as usize);
        let wy = table.y.as_ptr().add(cub.ky[i] as usize).cast::<i32>();
        let row = |k: usize| {
            let r = _mm256_broadcastsi128_si256(_mm_loadu_si128(p.add(k * stride).cast()));
            _mm256_mulhi_epu16(_mm256_shuffle_epi8(r, order), _mm256_set1_epi32(wy.add(k).read()))
        };
        let v = _mm256_add_epi16(row(1), row(2));
        let v = _mm256_sub_epi16(v, _mm256_add_epi16(row(0), row(3)));
        let wx = table.x.as_ptr().add(cub.kx[i] as usize).cast::<i64>().read();
        _mm256_madd_epi16(v, _mm256_set1_epi64x(wx))
    }
}

#[target_feature(enable = "avx2")]
fn several<const C: usize>(data: &[u8], stride: usize, cub: &Cubic, out: &mut [u8]) {
    let n = out.len() / C;
    check(data, stride, [4, 16], cub, n.next_multiple_of(8), CUBIC.x.len());
    let order = order::<C>();
    for k in 0..n.div_ceil(8) {
        let pair = |i: usize| {
            let two = |i: usize| pixel(data.as_ptr(), stride, cub, 8 * k + i, order);
            let sum = _mm256_hadd_epi32(two(i), two(i + 1));
            _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 19)), 20)
        };
        put::<C>(out, k, [pair(0), pair(2), pair(4), pair(6)]);
    }
}

/// Writes pixels 8 k.. of `out`: two a vector, components 0 and 1 in lane 0, 2 and 3 in lane 1.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn put<const C: usize>(out: &mut [u8], k: usize, pairs: [__m256i; 4]) {
    let drop = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    let len = out.len();
    let o = &mut out[8 * C * k..];
    let [a, b, c, d] = pairs;
    let v = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Lane 0: components 0 and 1 of eight pixels, lane 1: components 2 and 3.
    let (a, b) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    let (mut low, mut high) = (_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b));
    if C == 3 {
        (low, high) = (_mm_shuffle_epi8(low, drop), _mm_shuffle_epi8(high, drop));
    }
    let mut bytes = [0u8; 32];
    // Three components leave the second store 4 bytes too long: only with more pixels behind is there room.
    let fits = 8 * C * k + 4 * C + 16 <= len;
    let to = if fits { o.as_mut_ptr() } else { bytes.as_mut_ptr() };
    // SAFETY: `to` has room for both stores, in `out` or in `bytes`.
    unsafe {
        _mm_storeu_si128(to.cast(), low);
        _mm_storeu_si128(to.add(4 * C).cast(), high);
    }
    if !fits {
        let n = o.len().min(8 * C);
        o[..n].copy_from_slice(&bytes[..n]);
    }
}

/// Writes up to eight pixels of one component.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn put1(out: &mut [u8], a: __m128i, b: __m128i) {
    let v = _mm_packs_epi32(a, b);
    let v = _mm_cvtsi128_si64(_mm_packus_epi16(v, v)).to_le_bytes();
    if out.len() == 8 {
        out.copy_from_slice(&v);
    } else {
        out.copy_from_slice(&v[..out.len()]);
    }
}

#[target_feature(enable = "avx2")]
fn one(data: &[u8], stride: usize, cub: &Cubic, out: &mut [u8]) {
    let n = out.len();
    check(data, stride, [4, 4], cub, n.next_multiple_of(8), CUBIC.x.len());
    let table: &CubicWeights = &CUBIC;
    // SAFETY: a plain load of a constant.
    let order = unsafe { _mm_loadu_si128(ORDER1.as_ptr().cast()) };
    let pixel = |i: usize| {
        // SAFETY: `check` saw the taps and the indices into the table.
        unsafe {
            let p = data.as_ptr().add(cub.off[i] as usize);
            let wy = table.y.as_ptr().add(cub.ky[i] as usize).cast::<i32>();
            let row = |k: usize| {
                let r = _mm_cvtsi32_si128(p.add(k * stride).cast::<i32>().read_unaligned());
                _mm_mulhi_epu16(_mm_shuffle_epi8(r, order), _mm_set1_epi32(wy.add(k).read()))
            };
            let v = _mm_sub_epi16(_mm_add_epi16(row(1), row(2)), _mm_add_epi16(row(0), row(3)));
            let wx = _mm_loadl_epi64(table.x.as_ptr().add(cub.kx[i] as usize).cast());
            _mm_madd_epi16(v, wx)
        }
    };
    for (k, o) in out.chunks_mut(8).enumerate() {
        let quad = |i: usize| {
            let i = 8 * k + i;
            let a = _mm_unpacklo_epi64(pixel(i), pixel(i + 1));
            let b = _mm_unpacklo_epi64(pixel(i + 2), pixel(i + 3));
            _mm_srai_epi32(_mm_add_epi32(_mm_hadd_epi32(a, b), _mm_set1_epi32(1 << 19)), 20)
        };
        put1(o, quad(0), quad(4));
    }
}
