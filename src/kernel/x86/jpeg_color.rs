//! RGB to Y, Cb, Cr with pairs of 16-bit products: a shuffle widens red and green of a pixel to a pair, another blue and
//! green, and each plane is two or three multiply-adds of these.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Two weights: of the first word of a pair, and of the second.
const fn weights(a: i16, b: i16) -> i32 {
    (a as u16 as i32) | (b as i32) << 16
}

// Green of luma, 38 470, is too large for a word: it is split between the two pairs. So is 32 768, which is taken away
// as −32 768.
const Y_RG: i32 = weights(19_595, 22_086);
const Y_BG: i32 = weights(7_471, 16_384);
const CB_RG: i32 = weights(-11_059, -21_709);
const CR_BG: i32 = weights(-5_329, -27_439);
const HALF: i32 = weights(-32_768, 0);
const Y_ROUND: i32 = 32_768;
const C_ROUND: i32 = 8_421_375;

/// Pixels of 3 bytes to dwords: bytes `first` and 1, each widened to a word. From pixel `pixels` on, which a shuffle
/// within 128 bits takes from a load of its own, the bytes lie 4 further on.
const fn spread<const N: usize>(first: u8, pixels: usize) -> [u8; N] {
    let mut at = [0x80; N];
    let mut i = 0;
    while i < N / 4 {
        let px = 3 * (i % pixels) as u8 + if i >= pixels { 4 } else { 0 };
        at[4 * i] = px + first;
        at[4 * i + 2] = px + 1;
        i += 1;
    }
    at
}

/// As the plain text of `ycc_row`; needs V3. Planes have a sample a pixel.
pub fn ycc_row(rgb: &[u8], y: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
    let n = y.len();
    assert!(level() >= Level::V3 && rgb.len() == 3 * n && cb.len() == n && cr.len() == n);
    let to = [y.as_mut_ptr(), cb.as_mut_ptr(), cr.as_mut_ptr()];
    if level() == Level::Vbmi {
        // SAFETY: sizes were checked and the level says what the CPU has.
        return unsafe { ycc_vbmi(rgb.as_ptr(), to, n) };
    }
    // SAFETY: sizes were checked and the level says what the CPU has.
    unsafe { ycc_v3(rgb.as_ptr(), to, n / 32) };
    let at = n / 32 * 32;
    if at < n {
        let (mut px, mut out) = ([0; 96], [[0; 32]; 3]);
        px[..3 * (n - at)].copy_from_slice(&rgb[3 * at..]);
        let to = out.each_mut().map(|p| p.as_mut_ptr());
        // SAFETY: one block; the level was checked.
        unsafe { ycc_v3(px.as_ptr(), to, 1) };
        for (plane, part) in [y, cb, cr].into_iter().zip(out) {
            plane[at..].copy_from_slice(&part[..n - at]);
        }
    }
}

/// Blocks of 32 pixels.
#[target_feature(enable = "avx2")]
unsafe fn ycc_v3(rgb: *const u8, to: [*mut u8; 3], blocks: usize) {
    const RG: [u8; 32] = spread(0, 4);
    const BG: [u8; 32] = spread(2, 4);
    // SAFETY (whole body): all loads and stores are within the 32 pixels of their block.
    unsafe {
        let (rg_at, bg_at) = (_mm256_loadu_si256(RG.as_ptr().cast()), _mm256_loadu_si256(BG.as_ptr().cast()));
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let all = |v: i32| _mm256_set1_epi32(v);
        for i in (0..32 * blocks).step_by(32) {
            let mut rg = [_mm256_setzero_si256(); 4];
            let mut bg = rg;
            for k in 0..4 {
                let s = rgb.add(3 * i + 24 * k);
                let low = _mm256_castsi128_si256(_mm_loadu_si128(s.cast()));
                let px = _mm256_inserti128_si256::<1>(low, _mm_loadu_si128(s.add(8).cast()));
                rg[k] = _mm256_shuffle_epi8(px, rg_at);
                bg[k] = _mm256_shuffle_epi8(px, bg_at);
            }
            let store = |p: *mut u8, v: [__m256i; 4]| {
                let words = [_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3])];
                let bytes = _mm256_packus_epi16(words[0], words[1]);
                _mm256_storeu_si256(p.add(i).cast(), _mm256_permutevar8x32_epi32(bytes, order));
            };
            let dot = |v: __m256i, w: i32| _mm256_madd_epi16(v, all(w));
            let down = |v: __m256i, round: i32| _mm256_srli_epi32::<16>(_mm256_add_epi32(v, all(round)));
            let each = |k: usize| down(_mm256_add_epi32(dot(rg[k], Y_RG), dot(bg[k], Y_BG)), Y_ROUND);
            store(to[0], [each(0), each(1), each(2), each(3)]);
            let each = |k: usize| down(_mm256_sub_epi32(dot(rg[k], CB_RG), dot(bg[k], HALF)), C_ROUND);
            store(to[1], [each(0), each(1), each(2), each(3)]);
            let each = |k: usize| down(_mm256_sub_epi32(dot(bg[k], CR_BG), dot(rg[k], HALF)), C_ROUND);
            store(to[2], [each(0), each(1), each(2), each(3)]);
        }
    }
}

/// A row of `n` pixels.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn ycc_vbmi(rgb: *const u8, to: [*mut u8; 3], n: usize) {
    const RG: [u8; 64] = spread(0, 16);
    const BG: [u8; 64] = spread(2, 16);
    /// Dwords of four vectors, packed part by part, in the order of their pixels.
    const ORDER: [i32; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
    /// Bytes that [`spread`] fills.
    const USED: u64 = 0x5555_5555_5555_5555;
    // SAFETY (whole body): masks keep loads and stores to the pixels from i on that there are.
    unsafe {
        let (rg_at, bg_at) = (_mm512_loadu_si512(RG.as_ptr().cast()), _mm512_loadu_si512(BG.as_ptr().cast()));
        let order = _mm512_loadu_si512(ORDER.as_ptr().cast());
        let all = |v: i32| _mm512_set1_epi32(v);
        for i in (0..n).step_by(64) {
            let first = |n: usize| if n < 64 { (1_u64 << n) - 1 } else { u64::MAX };
            let mut rg = [_mm512_setzero_si512(); 4];
            let mut bg = rg;
            for k in 0..4 {
                let here = first((3 * (n - i)).saturating_sub(48 * k).min(48));
                let px = _mm512_maskz_loadu_epi8(here, rgb.wrapping_add(3 * i + 48 * k).cast());
                rg[k] = _mm512_maskz_permutexvar_epi8(USED, rg_at, px);
                bg[k] = _mm512_maskz_permutexvar_epi8(USED, bg_at, px);
            }
            let store = |p: *mut u8, v: [__m512i; 4]| {
                let words = [_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3])];
                let bytes = _mm512_packus_epi16(words[0], words[1]);
                _mm512_mask_storeu_epi8(p.add(i).cast(), first(n - i), _mm512_permutexvar_epi32(order, bytes));
            };
            let dot = |v: __m512i, w: i32| _mm512_madd_epi16(v, all(w));
            let down = |v: __m512i, round: i32| _mm512_srli_epi32::<16>(_mm512_add_epi32(v, all(round)));
            let each = |k: usize| down(_mm512_add_epi32(dot(rg[k], Y_RG), dot(bg[k], Y_BG)), Y_ROUND);
            store(to[0], [each(0), each(1), each(2), each(3)]);
            let each = |k: usize| down(_mm512_sub_epi32(dot(rg[k], CB_RG), dot(bg[k], HALF)), C_ROUND);
            store(to[1], [each(0), each(1), each(2), each(3)]);
            let each = |k: usize| down(_mm512_sub_epi32(dot(bg[k], CR_BG), dot(rg[k], HALF)), C_ROUND);
            store(to[2], [each(0), each(1), each(2), each(3)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::codec::color::ycc_blocks;
    use crate::simd::{level_lock, set_level};

    #[test]
    fn each_level_gives_the_bytes_of_the_plain_text() {
        let _one = level_lock();
        // all reds and greens with some blues, at every length near the blocks'
        let colours: Vec<u8> = (0..1_u32 << 18).flat_map(|v| [v as u8, (v >> 8) as u8, (v >> 16) as u8 * 85]).collect();
        let lengths = (1..150).chain([1 << 18]);
        for n in lengths {
            let rgb = &colours[colours.len() - 3 * n..];
            let mut want = [vec![0; n], vec![0; n], vec![0; n]];
            set_level(Level::Baseline);
            let [y, cb, cr] = &mut want;
            ycc_blocks(rgb, y, cb, cr);
            for wanted in [Level::V3, Level::V4, Level::Vbmi] {
                if set_level(wanted) == wanted {
                    let mut got = [vec![0; n], vec![0; n], vec![0; n]];
                    let [y, cb, cr] = &mut got;
                    ycc_row(rgb, y, cb, cr);
                    assert!(got == want, "{wanted:?}, {n} pixels");
                }
            }
        }
        set_level(Level::Vbmi);
    }
}
