//! Sums of fixed-point products (`kernel::filter::number`): 16-bit products whose upper half is kept are one instruction,
//! which the compiler does not find in the plain text once it has widened the weights outside the loop.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// A term: (a + b)·w.
pub type Term<'a> = (&'a [u16], &'a [u16], u16);

/// Terms of one pass.
const MOST: usize = 8;

/// acc = start + Σ ((a + b)·w >> 16). To be called at level v3 or above; the others have the plain text.
#[inline(always)]
pub fn sum<'a>(acc: &mut [u16], start: u16, terms: usize, term: impl Fn(usize) -> Term<'a>) {
    if terms == 0 {
        return acc.fill(start);
    }
    let mut done = 0;
    while done < terms {
        macro_rules! pass {
            ($($p:literal)*) => {
                match (terms - done).min(MOST) {
                    $($p => one_pass::<$p>(acc, (done == 0).then_some(start), std::array::from_fn(|i| term(done + i))),)*
                    _ => unreachable!(),
                }
            };
        }
        pass!(1 2 3 4 5 6 7 8);
        done += MOST;
    }
}

/// [`sum`] of at most eight terms, rounded to bytes: (sum + 64) >> 7.
#[inline(always)]
pub fn sum_to_bytes<'a>(out: &mut [u8], start: u16, terms: usize, term: impl Fn(usize) -> Term<'a>) {
    macro_rules! pass {
        ($($p:literal)*) => {
            match terms {
                $($p => bytes_pass::<$p>(out, start, std::array::from_fn(&term)),)*
                _ => unreachable!(),
            }
        };
    }
    pass!(1 2 3 4 5 6 7 8);
}

/// Most terms that [`sum_to_bytes`] takes.
pub const MOST_TO_BYTES: usize = MOST;

fn one_pass<const P: usize>(acc: &mut [u16], start: Option<u16>, t: [Term; P]) {
    assert!(t.iter().all(|t| t.0.len() >= acc.len() && t.1.len() >= acc.len()));
    // SAFETY: the level says that the features are there; every slice has the accumulators' length.
    unsafe {
        match (level() >= Level::V4, start) {
            (true, Some(s)) => sum_512::<P, true>(acc, s, t),
            (true, None) => sum_512::<P, false>(acc, 0, t),
            (false, Some(s)) => sum_256::<P, true>(acc, s, t),
            (false, None) => sum_256::<P, false>(acc, 0, t),
        }
    }
}

fn bytes_pass<const P: usize>(out: &mut [u8], start: u16, t: [Term; P]) {
    assert!(t.iter().all(|t| t.0.len() >= out.len() && t.1.len() >= out.len()));
    // SAFETY: as in `one_pass`.
    unsafe { if level() >= Level::V4 { bytes_512(out, start, t) } else { bytes_256(out, start, t) } }
}

/// What the vector loops leave over.
#[inline(always)]
fn scalar<const P: usize>(mut sum: u16, x: usize, t: &[Term; P]) -> u16 {
    for (a, b, w) in t {
        sum = sum.wrapping_add(((a[x].wrapping_add(b[x]) as u32 * *w as u32) >> 16) as u16);
    }
    sum
}

/// # Safety
/// The CPU has AVX2; all slices of `t` are at least as long as `acc`.
#[target_feature(enable = "avx2")]
unsafe fn sum_256<const P: usize, const FIRST: bool>(acc: &mut [u16], start: u16, t: [Term; P]) {
    let w: [__m256i; P] = std::array::from_fn(|i| _mm256_set1_epi16(t[i].2 as i16));
    let (n, p) = (acc.len(), acc.as_mut_ptr());
    let mut x = 0;
    while x + 16 <= n {
        // SAFETY: x + 16 ≤ n, the length of every slice.
        unsafe {
            let mut sum = if FIRST { _mm256_set1_epi16(start as i16) } else { _mm256_loadu_si256(p.add(x).cast()) };
            for i in 0..P {
                let a = _mm256_loadu_si256(t[i].0.as_ptr().add(x).cast());
                let b = _mm256_loadu_si256(t[i].1.as_ptr().add(x).cast());
                sum = _mm256_add_epi16(sum, _mm256_mulhi_epu16(_mm256_add_epi16(a, b), w[i]));
            }
            _mm256_storeu_si256(p.add(x).cast(), sum);
        }
        x += 16;
    }
    while x < n {
        acc[x] = scalar(if FIRST { start } else { acc[x] }, x, &t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; all slices of `t` are at least as long as `acc`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn sum_512<const P: usize, const FIRST: bool>(acc: &mut [u16], start: u16, t: [Term; P]) {
    let w: [__m512i; P] = std::array::from_fn(|i| _mm512_set1_epi16(t[i].2 as i16));
    let (n, p) = (acc.len(), acc.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n, the length of every slice.
        unsafe {
            let mut sum = if FIRST { _mm512_set1_epi16(start as i16) } else { _mm512_loadu_si512(p.add(x).cast()) };
            for i in 0..P {
                let a = _mm512_loadu_si512(t[i].0.as_ptr().add(x).cast());
                let b = _mm512_loadu_si512(t[i].1.as_ptr().add(x).cast());
                sum = _mm512_add_epi16(sum, _mm512_mulhi_epu16(_mm512_add_epi16(a, b), w[i]));
            }
            _mm512_storeu_si512(p.add(x).cast(), sum);
        }
        x += 32;
    }
    while x < n {
        acc[x] = scalar(if FIRST { start } else { acc[x] }, x, &t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX2; all slices of `t` are at least as long as `out`.
#[target_feature(enable = "avx2")]
unsafe fn bytes_256<const P: usize>(out: &mut [u8], start: u16, t: [Term; P]) {
    let w: [__m256i; P] = std::array::from_fn(|i| _mm256_set1_epi16(t[i].2 as i16));
    let start16 = _mm256_set1_epi16(start.wrapping_add(64) as i16);
    let (n, p) = (out.len(), out.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n, the length of every slice.
        unsafe {
            let (mut lo, mut hi) = (start16, start16);
            for i in 0..P {
                let (a, b) = (t[i].0.as_ptr().add(x), t[i].1.as_ptr().add(x));
                let s = _mm256_add_epi16(_mm256_loadu_si256(a.cast()), _mm256_loadu_si256(b.cast()));
                let u = _mm256_add_epi16(_mm256_loadu_si256(a.add(16).cast()), _mm256_loadu_si256(b.add(16).cast()));
                lo = _mm256_add_epi16(lo, _mm256_mulhi_epu16(s, w[i]));
                hi = _mm256_add_epi16(hi, _mm256_mulhi_epu16(u, w[i]));
            }
            // The sums are below 2¹⁵·2, so that the shifted ones fit a byte; packing works on halves.
            let packed = _mm256_packus_epi16(_mm256_srli_epi16::<7>(lo), _mm256_srli_epi16::<7>(hi));
            _mm256_storeu_si256(p.add(x).cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
        x += 32;
    }
    while x < n {
        out[x] = (scalar(start.wrapping_add(64), x, &t) >> 7) as u8;
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; all slices of `t` are at least as long as `out`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn bytes_512<const P: usize>(out: &mut [u8], start: u16, t: [Term; P]) {
    let w: [__m512i; P] = std::array::from_fn(|i| _mm512_set1_epi16(t[i].2 as i16));
    let start16 = _mm512_set1_epi16(start.wrapping_add(64) as i16);
    let (n, p) = (out.len(), out.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n, the length of every slice.
        unsafe {
            let mut sum = start16;
            for i in 0..P {
                let a = _mm512_loadu_si512(t[i].0.as_ptr().add(x).cast());
                let b = _mm512_loadu_si512(t[i].1.as_ptr().add(x).cast());
                sum = _mm512_add_epi16(sum, _mm512_mulhi_epu16(_mm512_add_epi16(a, b), w[i]));
            }
            _mm256_storeu_si256(p.add(x).cast(), _mm512_cvtepi16_epi8(_mm512_srli_epi16::<7>(sum)));
        }
        x += 32;
    }
    while x < n {
        out[x] = (scalar(start.wrapping_add(64), x, &t) >> 7) as u8;
        x += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::probe;

    fn plain(start: u16, t: &[Term], x: usize) -> u16 {
        t.iter().fold(start, |s, (a, b, w)| s + (((a[x] + b[x]) as u32 * *w as u32) >> 16) as u16)
    }

    /// The widths are called directly: no other test's level is disturbed.
    #[test]
    fn equal_to_the_plain_text() {
        if probe() < Level::V3 {
            return;
        }
        let n = 32 * 3 + 21;
        let row = |k: u32| -> Vec<u16> { (0..n as u32).map(|i| (i * 7919 + k * 104_729) as u16 % 32_640).collect() };
        let (a, b, c) = (row(1), row(2), row(3));
        let t: [Term; 3] = [(&a, &b, 20_000), (&b, &c, 1), (&c, &c, 12_000)];
        for n in [0, 1, 31, 32, 33, n] {
            let want: Vec<u16> = (0..n).map(|x| plain(3, &t, x)).collect();
            let more: Vec<u16> = (0..n).map(|x| plain(want[x], &t, x)).collect();
            let bytes: Vec<u8> = want.iter().map(|s| ((s + 64) >> 7) as u8).collect();
            let (mut acc, mut out) = (vec![9; n], vec![9; n]);
            // SAFETY: the probe saw AVX2, and the slices are long enough.
            unsafe {
                sum_256::<3, true>(&mut acc, 3, t);
                assert_eq!(acc, want);
                sum_256::<3, false>(&mut acc, 3, t);
                assert_eq!(acc, more);
                bytes_256(&mut out, 3, t);
                assert_eq!(out, bytes);
            }
            if probe() >= Level::V4 {
                let (mut acc, mut out) = (vec![9; n], vec![9; n]);
                // SAFETY: the probe saw AVX-512 BW, and the slices are long enough.
                unsafe {
                    sum_512::<3, true>(&mut acc, 3, t);
                    assert_eq!(acc, want);
                    sum_512::<3, false>(&mut acc, 3, t);
                    assert_eq!(acc, more);
                    bytes_512(&mut out, 3, t);
                    assert_eq!(out, bytes);
                }
            }
        }
    }
}
