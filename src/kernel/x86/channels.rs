//! Bytes of three channels moved within the row: permuted, or one spread over three.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Each pixel's bytes permuted: `dst[k] = src[index[k]]`, or `fill[k]` where the index is negative; needs V3.
pub fn permute3(src: &[u8], dst: &mut [u8], index: [i32; 3], fill: [u8; 3]) {
    assert!(
        src.len() == dst.len() && src.len().is_multiple_of(3) && index.iter().all(|i| *i < 3) && level() >= Level::V3
    );
    // SAFETY: sizes were checked and the level says what the CPU has.
    let done = unsafe {
        match level() {
            Level::Vbmi => permute_vbmi(src.as_ptr(), dst.as_mut_ptr(), src.len(), index, fill),
            _ => permute_v3(src.as_ptr(), dst.as_mut_ptr(), src.len(), index, fill),
        }
    };
    for (s, d) in src[done..].chunks_exact(3).zip(dst[done..].chunks_exact_mut(3)) {
        for k in 0..3 {
            d[k] = if index[k] < 0 { fill[k] } else { s[index[k] as usize] };
        }
    }
}

/// Shuffle bytes and fill bytes of as many whole pixels as fit; a shuffle byte of 0x80 gives 0.
fn shuffle<const L: usize>(index: [i32; 3], fill: [u8; 3]) -> ([u8; L], [u8; L]) {
    let (mut at, mut ink) = ([0x80; L], [0; L]);
    for px in 0..L / 3 {
        for k in 0..3 {
            match index[k] {
                i if i < 0 => ink[3 * px + k] = fill[k],
                i => at[3 * px + k] = (3 * px) as u8 + i as u8,
            }
        }
    }
    (at, ink)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn permute_vbmi(src: *const u8, dst: *mut u8, n: usize, index: [i32; 3], fill: [u8; 3]) -> usize {
    let (at, ink) = shuffle::<64>(index, fill);
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds every load and store. 21 pixels move at a time; the 64th byte is written
    // again by what follows.
    unsafe {
        let at = _mm512_loadu_si512(at.as_ptr().cast());
        let ink = _mm512_loadu_si512(ink.as_ptr().cast());
        let keep = !_mm512_movepi8_mask(at);
        if n < 64 {
            return 0;
        }
        let mut v = _mm512_loadu_si512(src.cast());
        // Each load goes before the store of the vector before it: the two overlap by a byte of their pages, which would
        // make the load wait.
        while i + 127 <= n {
            let next = _mm512_loadu_si512(src.add(i + 63).cast());
            _mm512_storeu_si512(dst.add(i).cast(), _mm512_mask_permutexvar_epi8(ink, keep, at, v));
            v = next;
            i += 63;
        }
        _mm512_storeu_si512(dst.add(i).cast(), _mm512_mask_permutexvar_epi8(ink, keep, at, v));
        i += 63;
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn permute_v3(src: *const u8, dst: *mut u8, n: usize, index: [i32; 3], fill: [u8; 3]) -> usize {
    let (at, ink) = shuffle::<16>(index, fill);
    let mut i = 0;
    // SAFETY (whole body): i + 31 ≤ n bounds every load and store. Five pixels move at a time; the 16th byte is written
    // again by what follows.
    unsafe {
        let at = _mm_loadu_si128(at.as_ptr().cast());
        let ink = _mm_loadu_si128(ink.as_ptr().cast());
        if n < 16 {
            return 0;
        }
        let mut v = _mm_loadu_si128(src.cast());
        // The load first, as above.
        while i + 31 <= n {
            let next = _mm_loadu_si128(src.add(i + 15).cast());
            _mm_storeu_si128(dst.add(i).cast(), _mm_or_si128(_mm_shuffle_epi8(v, at), ink));
            v = next;
            i += 15;
        }
        _mm_storeu_si128(dst.add(i).cast(), _mm_or_si128(_mm_shuffle_epi8(v, at), ink));
        i += 15;
    }
    i
}

/// Each byte three times; needs V3.
pub fn spread3(src: &[u8], dst: &mut [u8]) {
    let n = src.len();
    assert!(dst.len() == 3 * n && level() >= Level::V3);
    // SAFETY: sizes were checked and the level says what the CPU has.
    let done = unsafe {
        match level() {
            Level::Vbmi => spread_vbmi(src.as_ptr(), dst.as_mut_ptr(), n),
            _ => spread_v3(src.as_ptr(), dst.as_mut_ptr(), n),
        }
    };
    for (v, px) in src[done..].iter().zip(dst[3 * done..].chunks_exact_mut(3)) {
        px.fill(*v);
    }
}

/// A third of each position of three vectors of `L` bytes.
const fn thirds<const L: usize>() -> [[u8; L]; 3] {
    let mut out = [[0; L]; 3];
    let mut i = 0;
    while i < 3 * L {
        out[i / L][i % L] = (i / 3) as u8;
        i += 1;
    }
    out
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn spread_vbmi(src: *const u8, dst: *mut u8, n: usize) -> usize {
    const AT: [[u8; 64]; 3] = thirds();
    let mut i = 0;
    // SAFETY (whole body): i + 64 ≤ n bounds every load and store.
    unsafe {
        let p = _mm512_loadu_si512(AT[0].as_ptr().cast());
        let q = _mm512_loadu_si512(AT[1].as_ptr().cast());
        let r = _mm512_loadu_si512(AT[2].as_ptr().cast());
        while i + 64 <= n {
            let v = _mm512_loadu_si512(src.add(i).cast());
            let d = dst.add(3 * i);
            _mm512_storeu_si512(d.cast(), _mm512_permutexvar_epi8(p, v));
            _mm512_storeu_si512(d.add(64).cast(), _mm512_permutexvar_epi8(q, v));
            _mm512_storeu_si512(d.add(128).cast(), _mm512_permutexvar_epi8(r, v));
            i += 64;
        }
    }
    i
}

#[target_feature(enable = "avx2")]
unsafe fn spread_v3(src: *const u8, dst: *mut u8, n: usize) -> usize {
    const AT: [[u8; 16]; 3] = thirds();
    let mut i = 0;
    // SAFETY (whole body): i + 16 ≤ n bounds every load and store.
    unsafe {
        let p = _mm_loadu_si128(AT[0].as_ptr().cast());
        let q = _mm_loadu_si128(AT[1].as_ptr().cast());
        let r = _mm_loadu_si128(AT[2].as_ptr().cast());
        while i + 16 <= n {
            let v = _mm_loadu_si128(src.add(i).cast());
            let d = dst.add(3 * i);
            _mm_storeu_si128(d.cast(), _mm_shuffle_epi8(v, p));
            _mm_storeu_si128(d.add(16).cast(), _mm_shuffle_epi8(v, q));
            _mm_storeu_si128(d.add(32).cast(), _mm_shuffle_epi8(v, r));
            i += 16;
        }
    }
    i
}
