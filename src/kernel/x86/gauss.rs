//! Sums of fixed-point products (`kernel::filter::number`): the rounded upper half of a 16-bit product is one
//! instruction, which the compiler does not find in the plain text once it has widened the weights outside the loop.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// A term: (a + b)·w.
pub type Term<'a> = (&'a [i16], &'a [i16], i16);

/// Most terms of one pass, and of [`sum_to_bytes`].
pub const MOST: usize = 8;

/// acc = Σ round((a + b)·w / 2¹⁵). To be called at level v3 or above; the others have the plain text.
#[inline(always)]
pub fn sum<'a>(acc: &mut [i16], terms: usize, term: impl Fn(usize) -> Term<'a>) {
    let mut done = 0;
    while done < terms {
        macro_rules! pass {
            ($($p:literal)*) => {
                match (terms - done).min(MOST) {
                    $($p => one_pass::<$p>(acc, done == 0, &std::array::from_fn(|i| term(done + i))),)*
                    _ => unreachable!(),
                }
            };
        }
        pass!(1 2 3 4 5 6 7 8);
        done += MOST;
    }
}

/// [`sum`] of one to [`MOST`] terms, as bytes.
#[inline(always)]
pub fn sum_to_bytes<'a>(out: &mut [u8], terms: usize, term: impl Fn(usize) -> Term<'a>) {
    macro_rules! pass {
        ($($p:literal)*) => {
            match terms {
                $($p => bytes_pass::<$p>(out, &std::array::from_fn(&term)),)*
                _ => unreachable!(),
            }
        };
    }
    pass!(1 2 3 4 5 6 7 8);
}

fn one_pass<const P: usize>(acc: &mut [i16], first: bool, t: &[Term; P]) {
    assert!(t.iter().all(|t| t.0.len() >= acc.len() && t.1.len() >= acc.len()));
    // SAFETY: the level says that the features are there; no slice is shorter than the accumulators.
    unsafe {
        match (level() >= Level::V4, first) {
            (true, true) => sum_512::<P, true>(acc, t),
            (true, false) => sum_512::<P, false>(acc, t),
            (false, true) => sum_256::<P, true>(acc, t),
            (false, false) => sum_256::<P, false>(acc, t),
        }
    }
}

fn bytes_pass<const P: usize>(out: &mut [u8], t: &[Term; P]) {
    assert!(t.iter().all(|t| t.0.len() >= out.len() && t.1.len() >= out.len()));
    // SAFETY: as in `one_pass`.
    unsafe { if level() >= Level::V4 { bytes_512(out, t) } else { bytes_256(out, t) } }
}

/// What the vector loops leave over.
#[inline(always)]
fn scalar<const P: usize>(mut sum: i16, x: usize, t: &[Term; P]) -> i16 {
    for (a, b, w) in t {
        sum = sum.wrapping_add(((a[x].saturating_add(b[x]) as i32 * *w as i32 + 0x4000) >> 15) as i16);
    }
    sum
}

/// The byte that a sum stands for.
#[inline(always)]
fn byte(sum: i16) -> u8 {
    (sum.wrapping_add(HALF) as u16 >> 7) as u8
}

/// Middle of the range, and half a level.
const HALF: i16 = 16_384 + 64;

/// # Safety
/// The CPU has AVX2; no slice of `t` is shorter than `acc`.
#[target_feature(enable = "avx2")]
unsafe fn sum_256<const P: usize, const FIRST: bool>(acc: &mut [i16], t: &[Term; P]) {
    let mut w = [_mm256_setzero_si256(); P];
    for i in 0..P {
        w[i] = _mm256_set1_epi16(t[i].2);
    }
    let (n, p) = (acc.len(), acc.as_mut_ptr());
    let mut x = 0;
    while x + 16 <= n {
        // SAFETY: x + 16 ≤ n.
        unsafe {
            let mut sum = if FIRST { _mm256_setzero_si256() } else { _mm256_loadu_si256(p.add(x).cast()) };
            for i in 0..P {
                let a = _mm256_loadu_si256(t[i].0.as_ptr().add(x).cast());
                let b = _mm256_loadu_si256(t[i].1.as_ptr().add(x).cast());
                sum = _mm256_add_epi16(sum, _mm256_mulhrs_epi16(_mm256_adds_epi16(a, b), w[i]));
            }
            _mm256_storeu_si256(p.add(x).cast(), sum);
        }
        x += 16;
    }
    while x < n {
        acc[x] = scalar(if FIRST { 0 } else { acc[x] }, x, t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; no slice of `t` is shorter than `acc`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn sum_512<const P: usize, const FIRST: bool>(acc: &mut [i16], t: &[Term; P]) {
    let mut w = [_mm512_setzero_si512(); P];
    for i in 0..P {
        w[i] = _mm512_set1_epi16(t[i].2);
    }
    let (n, p) = (acc.len(), acc.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n.
        unsafe {
            let mut sum = if FIRST { _mm512_setzero_si512() } else { _mm512_loadu_si512(p.add(x).cast()) };
            for i in 0..P {
                let a = _mm512_loadu_si512(t[i].0.as_ptr().add(x).cast());
                let b = _mm512_loadu_si512(t[i].1.as_ptr().add(x).cast());
                sum = _mm512_add_epi16(sum, _mm512_mulhrs_epi16(_mm512_adds_epi16(a, b), w[i]));
            }
            _mm512_storeu_si512(p.add(x).cast(), sum);
        }
        x += 32;
    }
    while x < n {
        acc[x] = scalar(if FIRST { 0 } else { acc[x] }, x, t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX2; no slice of `t` is shorter than `out`.
#[target_feature(enable = "avx2")]
unsafe fn bytes_256<const P: usize>(out: &mut [u8], t: &[Term; P]) {
    let mut w = [_mm256_setzero_si256(); P];
    for i in 0..P {
        w[i] = _mm256_set1_epi16(t[i].2);
    }
    let half = _mm256_set1_epi16(HALF);
    let (n, p) = (out.len(), out.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n.
        unsafe {
            let (mut lo, mut hi) = (half, half);
            for i in 0..P {
                let (a, b) = (t[i].0.as_ptr().add(x), t[i].1.as_ptr().add(x));
                let s = _mm256_adds_epi16(_mm256_loadu_si256(a.cast()), _mm256_loadu_si256(b.cast()));
                let u = _mm256_adds_epi16(_mm256_loadu_si256(a.add(16).cast()), _mm256_loadu_si256(b.add(16).cast()));
                lo = _mm256_add_epi16(lo, _mm256_mulhrs_epi16(s, w[i]));
                hi = _mm256_add_epi16(hi, _mm256_mulhrs_epi16(u, w[i]));
            }
            // Shifted sums fit a byte; packing works on 128-bit halves.
            let packed = _mm256_packus_epi16(_mm256_srli_epi16::<7>(lo), _mm256_srli_epi16::<7>(hi));
            _mm256_storeu_si256(p.add(x).cast(), _mm256_permute4x64_epi64::<0b11_01_10_00>(packed));
        }
        x += 32;
    }
    while x < n {
        out[x] = byte(scalar(0, x, t));
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; no slice of `t` is shorter than `out`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn bytes_512<const P: usize>(out: &mut [u8], t: &[Term; P]) {
    let mut w = [_mm512_setzero_si512(); P];
    for i in 0..P {
        w[i] = _mm512_set1_epi16(t[i].2);
    }
    let half = _mm512_set1_epi16(HALF);
    let (n, p) = (out.len(), out.as_mut_ptr());
    let mut x = 0;
    while x + 32 <= n {
        // SAFETY: x + 32 ≤ n.
        unsafe {
            let mut sum = half;
            for i in 0..P {
                let a = _mm512_loadu_si512(t[i].0.as_ptr().add(x).cast());
                let b = _mm512_loadu_si512(t[i].1.as_ptr().add(x).cast());
                sum = _mm512_add_epi16(sum, _mm512_mulhrs_epi16(_mm512_adds_epi16(a, b), w[i]));
            }
            _mm256_storeu_si256(p.add(x).cast(), _mm512_cvtepi16_epi8(_mm512_srli_epi16::<7>(sum)));
        }
        x += 32;
    }
    while x < n {
        out[x] = byte(scalar(0, x, t));
        x += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::probe;

    fn plain(start: i16, t: &[Term], x: usize) -> i16 {
        t.iter().fold(start, |s, (a, b, w)| {
            let pair = (a[x] as i32 + b[x] as i32).clamp(-32_768, 32_767);
            s + ((pair * *w as i32 + 16_384) >> 15) as i16
        })
    }

    /// The widths are called directly: no other test's level is disturbed.
    #[test]
    fn equal_to_the_plain_text() {
        if probe() < Level::V3 {
            return;
        }
        let n = 32 * 3 + 21;
        let row =
            |k: i32| -> Vec<i16> { (0..n).map(|i| ((i * 7919 + k * 104_729) % 32_641 - 16_384) as i16).collect() };
        let (mut a, mut b, c) = (row(1), row(2), row(3));
        (a[5], b[5]) = (-16_390, -16_390);
        let t: [Term; 3] = [(&a, &b, 10_000), (&b, &c, 1), (&c, &c, 6_000)];
        for n in [0, 1, 31, 32, 33, n as usize] {
            let want: Vec<i16> = (0..n).map(|x| plain(0, &t, x)).collect();
            let more: Vec<i16> = (0..n).map(|x| plain(want[x] / 2, &t, x)).collect();
            let bytes: Vec<u8> = want.iter().map(|s| ((*s as i32 + 16_384 + 64) >> 7) as u8).collect();
            let halves = || want.iter().map(|s| s / 2).collect::<Vec<i16>>();
            let (mut acc, mut half, mut out) = (vec![9; n], halves(), vec![9; n]);
            // SAFETY: the probe saw AVX2, and the slices are long enough.
            unsafe {
                sum_256::<3, true>(&mut acc, &t);
                sum_256::<3, false>(&mut half, &t);
                bytes_256(&mut out, &t);
            }
            assert!(acc == want && half == more && out == bytes, "AVX2, {n}");
            if probe() >= Level::V4 {
                let (mut acc, mut half, mut out) = (vec![9; n], halves(), vec![9; n]);
                // SAFETY: the probe saw AVX-512 BW, and the slices are long enough.
                unsafe {
                    sum_512::<3, true>(&mut acc, &t);
                    sum_512::<3, false>(&mut half, &t);
                    bytes_512(&mut out, &t);
                }
                assert!(acc == want && half == more && out == bytes, "AVX-512, {n}");
            }
        }
    }
}
