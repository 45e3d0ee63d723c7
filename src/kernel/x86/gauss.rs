//! Sums of fixed-point products (`kernel::filter::number`): the rounded upper half of a 16-bit product is one
//! instruction, which the compiler does not find in the plain text once it has widened the weights outside the loop.

use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// (a + b)·w, where a and b are runs of a common slice that begin at these places.
pub type Term = (usize, usize, i16);

/// Most terms of one pass, and of [`sum_to_bytes`].
pub const MOST: usize = 8;

/// acc = Σ round((a + b)·w / 2¹⁵). To be called at level v3 or above; the others have the plain text.
pub fn sum(acc: &mut [i16], base: &[i16], terms: &[Term]) {
    check(acc.len(), base, terms);
    let wide = level() >= Level::V4;
    for (i, part) in terms.chunks(MOST).enumerate() {
        macro_rules! pass {
            ($($p:literal)*) => {
                match part.len() {
                    $($p => {
                        let t = part.first_chunk::<$p>().unwrap();
                        // SAFETY: the level says that the features are there; all runs were checked.
                        unsafe {
                            match (wide, i) {
                                (true, 0) if centred(t) => sum_512::<$p, true, true>(acc, base, t),
                                (true, 0) => sum_512::<$p, true, false>(acc, base, t),
                                (true, _) => sum_512::<$p, false, false>(acc, base, t),
                                (false, 0) => sum_256::<$p, true>(acc, base, t),
                                (false, _) => sum_256::<$p, false>(acc, base, t),
                            }
                        }
                    })*
                    _ => unreachable!(),
                }
            };
        }
        pass!(1 2 3 4 5 6 7 8);
    }
}

/// [`sum`] of one to [`MOST`] terms, as bytes.
pub fn sum_to_bytes(out: &mut [u8], base: &[i16], terms: &[Term]) {
    check(out.len(), base, terms);
    let wide = level() >= Level::V4;
    macro_rules! pass {
        ($($p:literal)*) => {
            match terms.len() {
                $($p => {
                    let t = terms.first_chunk::<$p>().unwrap();
                    // SAFETY: as in `sum`.
                    unsafe {
                        match wide {
                            true if centred(t) => bytes_512::<$p, true>(out, base, t),
                            true => bytes_512::<$p, false>(out, base, t),
                            false => bytes_256(out, base, t),
                        }
                    }
                })*
                _ => unreachable!(),
            }
        };
    }
    pass!(1 2 3 4 5 6 7 8);
}

/// True if the last term is one run twice, as the centre of a kernel is: the vectors of it are then loaded once.
fn centred<const P: usize>(t: &[Term; P]) -> bool {
    t[P - 1].0 == t[P - 1].1
}

/// Panics unless all runs of `n` values lie inside `base`.
fn check(n: usize, base: &[i16], terms: &[Term]) {
    let last = terms.iter().map(|t| t.0.max(t.1)).max().unwrap_or(0);
    assert!(n <= base.len() && last <= base.len() - n);
}

/// What the vector loops leave over.
#[inline(always)]
fn scalar<const P: usize>(mut sum: i16, x: usize, base: &[i16], t: &[Term; P]) -> i16 {
    for &(a, b, w) in t {
        sum = sum.wrapping_add(((base[a + x].saturating_add(base[b + x]) as i32 * w as i32 + 0x4000) >> 15) as i16);
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
/// The CPU has AVX2; all runs of `acc`'s length lie inside `base`.
#[target_feature(enable = "avx2")]
unsafe fn sum_256<const P: usize, const FIRST: bool>(acc: &mut [i16], base: &[i16], t: &[Term; P]) {
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
                let a = _mm256_loadu_si256(base.as_ptr().add(t[i].0 + x).cast());
                let b = _mm256_loadu_si256(base.as_ptr().add(t[i].1 + x).cast());
                sum = _mm256_add_epi16(sum, _mm256_mulhrs_epi16(_mm256_adds_epi16(a, b), w[i]));
            }
            _mm256_storeu_si256(p.add(x).cast(), sum);
        }
        x += 16;
    }
    while x < n {
        acc[x] = scalar(if FIRST { 0 } else { acc[x] }, x, base, t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; all runs of `acc`'s length lie inside `base`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn sum_512<const P: usize, const FIRST: bool, const CENTRED: bool>(
    acc: &mut [i16],
    base: &[i16],
    t: &[Term; P],
) {
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
                let a = _mm512_loadu_si512(base.as_ptr().add(t[i].0 + x).cast());
                let b =
                    if CENTRED && i + 1 == P { a } else { _mm512_loadu_si512(base.as_ptr().add(t[i].1 + x).cast()) };
                sum = _mm512_add_epi16(sum, _mm512_mulhrs_epi16(_mm512_adds_epi16(a, b), w[i]));
            }
            _mm512_storeu_si512(p.add(x).cast(), sum);
        }
        x += 32;
    }
    while x < n {
        acc[x] = scalar(if FIRST { 0 } else { acc[x] }, x, base, t);
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX2; all runs of `out`'s length lie inside `base`.
#[target_feature(enable = "avx2")]
unsafe fn bytes_256<const P: usize>(out: &mut [u8], base: &[i16], t: &[Term; P]) {
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
                let (a, b) = (base.as_ptr().add(t[i].0 + x), base.as_ptr().add(t[i].1 + x));
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
        out[x] = byte(scalar(0, x, base, t));
        x += 1;
    }
}

/// # Safety
/// The CPU has AVX-512 F and BW; all runs of `out`'s length lie inside `base`.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn bytes_512<const P: usize, const CENTRED: bool>(out: &mut [u8], base: &[i16], t: &[Term; P]) {
    let mut w = [_mm512_setzero_si512(); P];
    for i in 0..P {
        w[i] = _mm512_set1_epi16(t[i].2);
    }
    let half = _mm512_set1_epi16(HALF);
    let (n, p) = (out.len(), out.as_mut_ptr());
    let mut x = 0;
    let sum = |x: usize| {
        let mut sum = half;
        for i in 0..P {
            // SAFETY: below, the runs go on for 32 values from x on.
            let [a, b] = unsafe {
                let a = _mm512_loadu_si512(base.as_ptr().add(t[i].0 + x).cast());
                [a, if CENTRED && i + 1 == P { a } else { _mm512_loadu_si512(base.as_ptr().add(t[i].1 + x).cast()) }]
            };
            sum = _mm512_add_epi16(sum, _mm512_mulhrs_epi16(_mm512_adds_epi16(a, b), w[i]));
        }
        _mm512_srli_epi16::<7>(sum)
    };
    // Shifted sums fit a byte; packing works on 128-bit lanes.
    let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    while x + 64 <= n {
        let packed = _mm512_permutexvar_epi64(order, _mm512_packus_epi16(sum(x), sum(x + 32)));
        // SAFETY: x + 64 ≤ n.
        unsafe { _mm512_storeu_si512(p.add(x).cast(), packed) };
        x += 64;
    }
    if x + 32 <= n {
        // SAFETY: x + 32 ≤ n.
        unsafe { _mm256_storeu_si256(p.add(x).cast(), _mm512_cvtepi16_epi8(sum(x))) };
        x += 32;
    }
    while x < n {
        out[x] = byte(scalar(0, x, base, t));
        x += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::probe;

    fn plain(start: i16, base: &[i16], t: &[Term], x: usize) -> i16 {
        t.iter().fold(start, |s, &(a, b, w)| {
            let pair = (base[a + x] as i32 + base[b + x] as i32).clamp(-32_768, 32_767);
            s + ((pair * w as i32 + 16_384) >> 15) as i16
        })
    }

    /// The widths are called directly: no other test's level is disturbed.
    #[test]
    fn equal_to_the_plain_text() {
        if probe() < Level::V3 {
            return;
        }
        let mut base: Vec<i16> = (0..400).map(|i| ((i * 7919) % 32_641 - 16_384) as i16).collect();
        (base[5], base[105]) = (-16_390, -16_390);
        let t: [Term; 3] = [(0, 100, 10_000), (100, 283, 1), (17, 17, 6_000)];
        for n in [0, 1, 31, 32, 33, 117] {
            let want: Vec<i16> = (0..n).map(|x| plain(0, &base, &t, x)).collect();
            let more: Vec<i16> = (0..n).map(|x| plain(want[x] / 2, &base, &t, x)).collect();
            let bytes: Vec<u8> = want.iter().map(|s| ((*s as i32 + 16_384 + 64) >> 7) as u8).collect();
            let halves = || want.iter().map(|s| s / 2).collect::<Vec<i16>>();
            let (mut acc, mut half, mut out) = (vec![9; n], halves(), vec![9; n]);
            // SAFETY: the probe saw AVX2; the runs end at 400 at most.
            unsafe {
                sum_256::<3, true>(&mut acc, &base, &t);
                sum_256::<3, false>(&mut half, &base, &t);
                bytes_256(&mut out, &base, &t);
            }
            assert!(acc == want && half == more && out == bytes, "AVX2, {n}");
            if probe() >= Level::V4 {
                let (mut acc, mut half, mut out) = (vec![9; n], halves(), vec![9; n]);
                // SAFETY: the probe saw AVX-512 BW; the runs end at 400 at most.
                unsafe {
                    sum_512::<3, true, true>(&mut acc, &base, &t);
                    sum_512::<3, false, false>(&mut half, &base, &t);
                    bytes_512::<3, true>(&mut out, &base, &t);
                    let mut other = out.clone();
                    bytes_512::<3, false>(&mut other, &base, &t);
                    assert_eq!(other, out);
                }
                assert!(acc == want && half == more && out == bytes, "AVX-512, {n}");
            }
        }
    }

    #[test]
    #[should_panic]
    fn a_run_beyond_the_end_is_refused() {
        check(10, &[0; 20], &[(0, 11, 1)]);
    }
}
