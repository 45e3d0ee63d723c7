//! The weighted gray of interleaved bytes, without planes: shuffles over two vectors pair the bytes for the multiply.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// What becomes of the gray values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    One,
    Three,
    Sum,
}

/// Where the bytes of pixels `32·half ..` lie in a pair of the three vectors: channels `c` and `d` of a pixel side by side.
/// The first half reads vectors 0 and 1, the second 1 and 2.
const fn pairs(half: usize, c: usize, d: usize) -> [u8; 64] {
    let mut at = [0; 64];
    let mut i = 0;
    while i < 64 {
        let px = 32 * half + i / 2;
        at[i] = (3 * px + if i % 2 == 0 { c } else { d } - 64 * half) as u8;
        i += 1;
    }
    at
}

/// Low bytes of two vectors of words: byte i is word (64·part + i) / `times`.
const fn words(part: usize, times: usize) -> [u8; 64] {
    let mut at = [0; 64];
    let mut i = 0;
    while i < 64 {
        at[i] = (2 * ((64 * part + i) / times)) as u8;
        i += 1;
    }
    at
}

/// Gray bytes of the first pixels; the number of pixels done. `dst` has one byte a pixel, or three. Needs VBMI.
pub fn gray(src: &[u8], dst: &mut [u8]) -> usize {
    let n = src.len() / 3;
    assert!(level() == Level::Vbmi && (dst.len() == n || dst.len() == 3 * n));
    // SAFETY: sizes were checked and the level says what the CPU has.
    unsafe {
        if dst.len() == n {
            gray_vbmi::<{ To::One as u8 }>(src.as_ptr(), dst.as_mut_ptr(), n);
        } else {
            gray_vbmi::<{ To::Three as u8 }>(src.as_ptr(), dst.as_mut_ptr(), n);
        }
    }
    n / 64 * 64
}

/// Σ of the gray of the first pixels, and their number. Needs VBMI.
pub fn gray_sum(src: &[u8]) -> (u64, usize) {
    let n = src.len() / 3;
    assert!(level() == Level::Vbmi);
    // SAFETY: the level says what the CPU has; nothing is written.
    let sum = unsafe { gray_vbmi::<{ To::Sum as u8 }>(src.as_ptr(), std::ptr::null_mut(), n) };
    (sum, n / 64 * 64)
}

/// Whole blocks of 64 pixels; gives the sum if that is what is asked for.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn gray_vbmi<const TO: u8>(src: *const u8, dst: *mut u8, n: usize) -> u64 {
    const PAIRS: [[u8; 64]; 4] = [pairs(0, 0, 1), pairs(0, 2, 2), pairs(1, 0, 1), pairs(1, 2, 2)];
    const WORDS: [[u8; 64]; 4] = [words(0, 1), words(0, 3), words(1, 3), words(2, 3)];
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds loads and stores.
    unsafe {
        macro_rules! load {
            ($p:expr) => {
                _mm512_loadu_si512($p.cast())
            };
        }
        let pair = |a: i8, b: i8| _mm512_set1_epi16(i16::from_le_bytes([a as u8, b as u8]));
        let (high_rg, high_b, low_rg, low_b) = (pair(38, 75), pair(15, 0), pair(70, 35), pair(-105, 0));
        let half = _mm512_set1_epi16(64);
        let at: [__m512i; 4] =
            [load!(PAIRS[0].as_ptr()), load!(PAIRS[1].as_ptr()), load!(PAIRS[2].as_ptr()), load!(PAIRS[3].as_ptr())];
        let mut sum = _mm512_setzero_si512();
        while i + 64 <= n {
            let s = src.add(3 * i);
            let v = [load!(s), load!(s.add(64)), load!(s.add(128))];
            // As the plain text has it.
            macro_rules! gray {
                ($h:literal) => {{
                    let rg = _mm512_permutex2var_epi8(v[$h], at[2 * $h], v[$h + 1]);
                    let bb = _mm512_permutex2var_epi8(v[$h], at[2 * $h + 1], v[$h + 1]);
                    let high = _mm512_add_epi16(_mm512_maddubs_epi16(rg, high_rg), _mm512_maddubs_epi16(bb, high_b));
                    let low = _mm512_add_epi16(_mm512_maddubs_epi16(rg, low_rg), _mm512_maddubs_epi16(bb, low_b));
                    let all = _mm512_add_epi16(_mm512_add_epi16(high, half), _mm512_srai_epi16::<8>(low));
                    _mm512_srli_epi16::<7>(all)
                }};
            }
            let (g, h) = (gray!(0), gray!(1));
            macro_rules! store {
                ($d:expr, $w:literal) => {{
                    let to = load!(WORDS[$w].as_ptr());
                    _mm512_storeu_si512($d.cast(), _mm512_permutex2var_epi8(g, to, h));
                }};
            }
            if TO == To::One as u8 {
                store!(dst.add(i), 0);
            } else if TO == To::Three as u8 {
                let d = dst.add(3 * i);
                store!(d, 1);
                store!(d.add(64), 2);
                store!(d.add(128), 3);
            } else {
                let both = _mm512_or_si512(g, _mm512_slli_epi16::<8>(h));
                sum = _mm512_add_epi64(sum, _mm512_sad_epu8(both, _mm512_setzero_si512()));
            }
            i += 64;
        }
        _mm512_reduce_add_epi64(sum) as u64
    }
}
