//! Weighted sums of bytes: 3×3 matrices, blends, and blends with the gray of the pixel. Unpacks and packs stay within 128-bit lanes, so the order that the
//! first takes apart the last restores.

use crate::kernel::color::{MATRIX_SHIFT, MatrixU8};
use crate::simd::{Level, level};
use std::arch::x86_64::*;

macro_rules! forms {
    (
        $features:literal, $lanes:literal, $matrix:ident, $lerp:ident, $saturate:ident,
        $load:ident, $store:ident, $set32:ident, $setf:ident, $zero:ident, $lo8:ident, $hi8:ident,
        $lo16:ident, $hi16:ident, $madd:ident, $add32:ident,
        $sra32:ident, $packus:ident, $packs:ident, $tof:ident, $mulf:ident, $addf:ident, $toi:ident,
        $set16:ident, $maddubs:ident, $add16:ident, $sra16:ident, $srl16:ident
    ) => {
        #[target_feature(enable = $features)]
        unsafe fn $matrix(r: *mut u8, g: *mut u8, b: *mut u8, n: usize, m: &MatrixU8) -> usize {
            let pair = |a: i16, b: i16| (a as u16 as u32 | (b as u16 as u32) << 16) as i32;
            let zero = $zero();
            let mut i = 0;
            while i + $lanes <= n {
                // SAFETY: i + lanes ≤ n.
                unsafe {
                    let (x, y, z) = ($load(r.add(i).cast()), $load(g.add(i).cast()), $load(b.add(i).cast()));
                    let (p, q) = ($lo8(x, y), $hi8(x, y));
                    let rg = [$lo8(p, zero), $hi8(p, zero), $lo8(q, zero), $hi8(q, zero)];
                    let (p, q) = ($lo8(z, zero), $hi8(z, zero));
                    let b0 = [$lo16(p, zero), $hi16(p, zero), $lo16(q, zero), $hi16(q, zero)];
                    macro_rules! row {
                        ($k:literal) => {{
                            let w = m.weights[$k];
                            let (rg_w, b_w, add) =
                                ($set32(pair(w[0], w[1])), $set32(pair(w[2], 0)), $set32(m.offsets[$k]));
                            macro_rules! quarter {
                                ($q:literal) => {
                                    $sra32::<{ MATRIX_SHIFT as _ }>($add32(
                                        $add32($madd(rg[$q], rg_w), add),
                                        $madd(b0[$q], b_w),
                                    ))
                                };
                            }
                            $packus($packs(quarter!(0), quarter!(1)), $packs(quarter!(2), quarter!(3)))
                        }};
                    }
                    $store(r.add(i).cast(), row!(0));
                    $store(g.add(i).cast(), row!(1));
                    $store(b.add(i).cast(), row!(2));
                }
                i += $lanes;
            }
            i
        }

        #[target_feature(enable = $features)]
        unsafe fn $lerp(kept: *const u8, new: *mut u8, n: usize, a: f32, b: f32) -> usize {
            let (a, b, zero) = ($setf(a), $setf(b), $zero());
            let mut i = 0;
            while i + $lanes <= n {
                // SAFETY: i + lanes ≤ n.
                unsafe {
                    let (x, y) = ($load(kept.add(i).cast()), $load(new.add(i).cast()));
                    macro_rules! quarter {
                        ($half:ident, $part:ident) => {{
                            let (x, y) = ($part($half(x, zero), zero), $part($half(y, zero), zero));
                            // The conversion rounds half to even, the packs saturate.
                            $toi($addf($mulf($tof(x), a), $mulf($tof(y), b)))
                        }};
                    }
                    let p = $packs(quarter!($lo8, $lo16), quarter!($lo8, $hi16));
                    let q = $packs(quarter!($hi8, $lo16), quarter!($hi8, $hi16));
                    $store(new.add(i).cast(), $packus(p, q));
                }
                i += $lanes;
            }
            i
        }

        #[target_feature(enable = $features)]
        unsafe fn $saturate(p: [*mut u8; 3], n: usize, a: f32, b: f32) -> usize {
            let (a, b, zero) = ($setf(a), $setf(b), $zero());
            let pair = |a: i8, b: i8| $set16(i16::from_le_bytes([a as u8, b as u8]));
            let (one, low_rg, low_b) = ($set16(0x0101), pair(70, 35), pair(-105, 0));
            // The second byte of a pair with blue is 1.
            let (high_rg, high_b) = (pair(38, 75), pair(15, 64));
            let mut i = 0;
            while i + $lanes <= n {
                // SAFETY: i + lanes ≤ n.
                unsafe {
                    let v = [$load(p[0].add(i).cast()), $load(p[1].add(i).cast()), $load(p[2].add(i).cast())];
                    // As `gray_planes` has it.
                    macro_rules! gray {
                        ($half:ident) => {{
                            let (rg, b1) = ($half(v[0], v[1]), $half(v[2], one));
                            let high = $add16($maddubs(rg, high_rg), $maddubs(b1, high_b));
                            let low = $add16($maddubs(rg, low_rg), $maddubs(b1, low_b));
                            $srl16::<7>($add16(high, $sra16::<8>(low)))
                        }};
                    }
                    let (g, h) = (gray!($lo8), gray!($hi8));
                    macro_rules! scaled {
                        ($x:expr, $by:ident) => {
                            $mulf($tof($x), $by)
                        };
                    }
                    let g = [
                        scaled!($lo16(g, zero), b),
                        scaled!($hi16(g, zero), b),
                        scaled!($lo16(h, zero), b),
                        scaled!($hi16(h, zero), b),
                    ];
                    macro_rules! channel {
                        ($k:literal) => {{
                            let (x, y) = ($lo8(v[$k], zero), $hi8(v[$k], zero));
                            macro_rules! quarter {
                                ($part:ident, $half:ident, $q:literal) => {
                                    $toi($addf(scaled!($part($half, zero), a), g[$q]))
                                };
                            }
                            let p = $packs(quarter!($lo16, x, 0), quarter!($hi16, x, 1));
                            let q = $packs(quarter!($lo16, y, 2), quarter!($hi16, y, 3));
                            $packus(p, q)
                        }};
                    }
                    $store(p[0].add(i).cast(), channel!(0));
                    $store(p[1].add(i).cast(), channel!(1));
                    $store(p[2].add(i).cast(), channel!(2));
                }
                i += $lanes;
            }
            i
        }
    };
}

forms!(
    "avx2",
    32,
    matrix_v3,
    lerp_v3,
    saturate_v3,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_set1_epi32,
    _mm256_set1_ps,
    _mm256_setzero_si256,
    _mm256_unpacklo_epi8,
    _mm256_unpackhi_epi8,
    _mm256_unpacklo_epi16,
    _mm256_unpackhi_epi16,
    _mm256_madd_epi16,
    _mm256_add_epi32,
    _mm256_srai_epi32,
    _mm256_packus_epi16,
    _mm256_packs_epi32,
    _mm256_cvtepi32_ps,
    _mm256_mul_ps,
    _mm256_add_ps,
    _mm256_cvtps_epi32,
    _mm256_set1_epi16,
    _mm256_maddubs_epi16,
    _mm256_add_epi16,
    _mm256_srai_epi16,
    _mm256_srli_epi16
);

forms!(
    "avx512f,avx512bw",
    64,
    matrix_v4,
    lerp_v4,
    saturate_v4,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_set1_epi32,
    _mm512_set1_ps,
    _mm512_setzero_si512,
    _mm512_unpacklo_epi8,
    _mm512_unpackhi_epi8,
    _mm512_unpacklo_epi16,
    _mm512_unpackhi_epi16,
    _mm512_madd_epi16,
    _mm512_add_epi32,
    _mm512_srai_epi32,
    _mm512_packus_epi16,
    _mm512_packs_epi32,
    _mm512_cvtepi32_ps,
    _mm512_mul_ps,
    _mm512_add_ps,
    _mm512_cvtps_epi32,
    _mm512_set1_epi16,
    _mm512_maddubs_epi16,
    _mm512_add_epi16,
    _mm512_srai_epi16,
    _mm512_srli_epi16
);

/// Planes through a matrix, in place; the number of pixels done. Needs V3.
pub fn matrix(p: &mut [&mut [u8]; 3], m: &MatrixU8) -> usize {
    let n = p[0].len();
    assert!(p.iter().all(|p| p.len() == n) && level() >= Level::V3);
    let (r, g, b) = (p[0].as_mut_ptr(), p[1].as_mut_ptr(), p[2].as_mut_ptr());
    // SAFETY: the planes have `n` bytes and lie apart; the level says what the CPU has.
    unsafe { if level() >= Level::V4 { matrix_v4(r, g, b, n, m) } else { matrix_v3(r, g, b, n, m) } }
}

/// `new ← kept·a + new·b`; the number of bytes done. Needs V3, and sums that fit an i32.
pub fn lerp(kept: &[u8], new: &mut [u8], a: f32, b: f32) -> usize {
    let n = new.len();
    assert!(kept.len() == n && level() >= Level::V3);
    // SAFETY: both have `n` bytes and lie apart; the level says what the CPU has.
    unsafe {
        let (k, p) = (kept.as_ptr(), new.as_mut_ptr());
        if level() >= Level::V4 { lerp_v4(k, p, n, a, b) } else { lerp_v3(k, p, n, a, b) }
    }
}

/// Planes blended with their gray, in place: each becomes itself·a + gray·b; the number of pixels done. Needs V3, and sums
/// that fit an i32.
pub fn saturate(p: &mut [&mut [u8]; 3], a: f32, b: f32) -> usize {
    let n = p[0].len();
    assert!(p.iter().all(|p| p.len() == n) && level() >= Level::V3);
    let p = [p[0].as_mut_ptr(), p[1].as_mut_ptr(), p[2].as_mut_ptr()];
    // SAFETY: the planes have `n` bytes and lie apart; the level says what the CPU has.
    unsafe { if level() >= Level::V4 { saturate_v4(p, n, a, b) } else { saturate_v3(p, n, a, b) } }
}
