//! RGB bytes → HSV, shifted, → RGB, 64 pixels at a time in registers.
//!
//! Where the plain text multiplies by 12-bit reciprocals in 32 bits, here they come from byte tables, and one rounding
//! multiply of 16 bits by eight times the number does the same: (8·d·w + 2¹⁴) >> 15 = (d·w + 2¹¹) >> 12. On the way back one
//! channel is V and one goes all the way down, so that only two of the three are computed.

use super::chw::{gather_index, lanes_bits, scatter_index};
use crate::kernel::hsv::HsvShift;
use crate::simd::{Level, level};
use std::arch::x86_64::*;

/// Byte tables of the way forward.
struct Forward {
    /// 255·2¹² / V: bits 0 to 7, bits 8 to 15, and the rest of the sixteen taken as signed, times 16, modulo 256.
    v: [[u8; 256]; 2],
    v_rest: [u8; 64],
    /// 30·2¹² / D, for D < 4 a fourth of it: bits 0 to 7 and 8 to 15.
    d: [[u8; 256]; 2],
}

const FORWARD: Forward = {
    let mut t = Forward { v: [[0; 256]; 2], v_rest: [0; 64], d: [[0; 256]; 2] };
    let mut i = 1;
    while i < 256 {
        let over = (2 * 1_044_480 / i as i32 + 1) / 2;
        let low = over as i16;
        (t.v[0][i], t.v[1][i]) = (low as u8, (low >> 8) as u8);
        if i < 64 {
            t.v_rest[i] = (((over - low as i32) >> 16) * 16) as u8;
        }
        let over = (2 * 122_880 / i as i32 + 1) / 2;
        let over = if i < 4 { over / 4 } else { over };
        (t.d[0][i], t.d[1][i]) = (over as u8, (over >> 8) as u8);
        i += 1;
    }
    t
};

/// Byte tables of the way back, by the hue.
struct Back {
    /// The bytes of the weight of the channel between the largest and the smallest.
    weight: [[u8; 192]; 4],
    /// Bit k: channel k is V. Bit 3 + k: it is the one between. Else it is the smallest.
    role: [u8; 192],
}

const BACK: Back = {
    const fn unit(x: f32) -> f32 {
        let x = if x > 0.0 { x } else { 0.0 };
        if x < 1.0 { x } else { 1.0 }
    }
    let mut t = Back { weight: [[0; 192]; 4], role: [0; 192] };
    let mut h = 0;
    while h < 180 {
        let sector = h as f32 * (6.0 / 180.0);
        // As the plain text has them, to the bit.
        let w = [
            1.0 - unit((sector - 3.0).abs() - 1.0),
            unit((sector - 2.0).abs() - 1.0),
            unit((sector - 4.0).abs() - 1.0),
        ];
        let top = if w[0] == 0.0 {
            0
        } else if w[1] == 0.0 {
            1
        } else {
            2
        };
        let low = if w[0] == 1.0 {
            0
        } else if w[1] == 1.0 {
            1
        } else {
            2
        };
        assert!(w[top] == 0.0 && w[low] == 1.0);
        let mid = 3 - top - low;
        t.role[h] = (1 << top | 8 << mid) as u8;
        let bits = w[mid].to_bits();
        let mut k = 0;
        while k < 4 {
            t.weight[k][h] = (bits >> (8 * k)) as u8;
            k += 1;
        }
        h += 1;
    }
    t
};

/// [`crate::kernel::hsv::hsv_shift_rgb_row`] of the first pixels; the number of bytes done. Needs VBMI.
pub fn shift_rgb(row: &mut [u8], by: HsvShift) -> usize {
    assert!(level() == Level::Vbmi);
    // SAFETY: the level says what the CPU has.
    unsafe { shift_rgb_vbmi(row.as_mut_ptr(), row.len(), by) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn shift_rgb_vbmi(row: *mut u8, n: usize, by: HsvShift) -> usize {
    const SPLIT: [[u8; 64]; 3] = [gather_index(0), gather_index(1), gather_index(2)];
    const MERGE: [[u8; 64]; 3] = [scatter_index(0), scatter_index(1), scatter_index(2)];
    static F: Forward = FORWARD;
    static B: Back = BACK;
    // Even bytes of two vectors that unpacks within 128-bit lanes made of one, in the order before that.
    const EVEN: [u8; 64] = {
        let mut at = [0; 64];
        let mut i = 0;
        while i < 64 {
            let (lane, j) = (i / 16, i % 16);
            at[i] = (16 * lane + 2 * (j % 8) + 64 * (j / 8)) as u8;
            i += 1;
        }
        at
    };
    macro_rules! load {
        ($p:expr) => {
            _mm512_loadu_si512($p.as_ptr().cast())
        };
    }
    let mut i = 0;
    // SAFETY (whole body): i + 192 ≤ n bounds loads and stores of pixels; tables are loaded within their sizes.
    unsafe {
        let zero = _mm512_setzero_si512();
        let even = load!(EVEN);
        let byte = |v: u8| _mm512_set1_epi8(v as i8);
        let hue = byte(by.hue);
        let wrap = byte(180 - by.hue);
        let (s_up, s_down) = (byte(by.sat.max(0) as u8), byte((-by.sat).max(0) as u8));
        let (v_up, v_down) = (byte(by.val.max(0) as u8), byte((-by.val).max(0) as u8));
        let inv = _mm512_set1_ps(1.0 / 255.0);
        let full = _mm512_set1_ps(255.0);
        let one = _mm512_set1_ps(1.0);
        let eight = _mm512_set1_epi16(i16::from_le_bytes([8, -8i8 as u8]));
        macro_rules! look256 {
            ($t:expr, $x:expr, $high:expr) => {{
                let t = &$t;
                let lo = _mm512_permutex2var_epi8(load!(t), $x, load!(t[64..]));
                let hi = _mm512_permutex2var_epi8(load!(t[128..]), $x, load!(t[192..]));
                _mm512_mask_mov_epi8(lo, $high, hi)
            }};
        }
        macro_rules! look192 {
            ($t:expr, $x:expr, $high:expr) => {{
                let t = &$t;
                let lo = _mm512_permutex2var_epi8(load!(t), $x, load!(t[64..]));
                _mm512_mask_permutexvar_epi8(lo, $high, $x, load!(t[128..]))
            }};
        }
        while i + 192 <= n {
            let at = row.add(i);
            let c = [
                _mm512_loadu_si512(at.cast()),
                _mm512_loadu_si512(at.add(64).cast()),
                _mm512_loadu_si512(at.add(128).cast()),
            ];
            macro_rules! plane {
                ($c:literal) => {{
                    let a = _mm512_mask_mov_epi8(c[0], const { lanes_bits($c, 1) }, c[1]);
                    let a = _mm512_mask_mov_epi8(a, const { lanes_bits($c, 2) }, c[2]);
                    _mm512_permutexvar_epi8(load!(SPLIT[$c]), a)
                }};
            }
            let (x, y, z) = (plane!(0), plane!(1), plane!(2));

            let v = _mm512_max_epu8(_mm512_max_epu8(x, y), z);
            let d = _mm512_sub_epi8(v, _mm512_min_epu8(_mm512_min_epu8(x, y), z));
            let (is_x, is_y) = (_mm512_cmpeq_epi8_mask(v, x), _mm512_cmpeq_epi8_mask(v, y));
            let p = _mm512_mask_mov_epi8(_mm512_mask_mov_epi8(x, is_y, z), is_x, y);
            let q = _mm512_mask_mov_epi8(_mm512_mask_mov_epi8(y, is_y, x), is_x, z);
            let k = _mm512_mask_mov_epi8(_mm512_mask_mov_epi8(byte(32), is_y, byte(16)), is_x, zero);
            let high = _mm512_movepi8_mask(v);
            let (v0, v1) = (look256!(F.v[0], v, high), look256!(F.v[1], v, high));
            let rest = _mm512_maskz_permutexvar_epi8(_mm512_cmplt_epu8_mask(v, byte(64)), v, load!(F.v_rest));
            let high = _mm512_movepi8_mask(d);
            let (d0, d1) = (look256!(F.d[0], d, high), look256!(F.d[1], d, high));
            macro_rules! half {
                ($unpack:ident) => {{
                    let dd = $unpack(d, zero);
                    let side = _mm512_maddubs_epi16($unpack(p, q), eight);
                    let side = _mm512_add_epi16(side, _mm512_mullo_epi16(dd, $unpack(k, zero)));
                    let small = _mm512_cmplt_epu16_mask(dd, _mm512_set1_epi16(4));
                    let side = _mm512_mask_slli_epi16::<2>(side, small, side);
                    let h = _mm512_mulhrs_epi16(side, $unpack(d0, d1));
                    let s = _mm512_mulhrs_epi16(_mm512_slli_epi16::<3>(dd), $unpack(v0, v1));
                    (h, _mm512_add_epi16(s, _mm512_mullo_epi16(dd, $unpack(rest, zero))))
                }};
            }
            let ((h0, s0), (h1, s1)) = (half!(_mm512_unpacklo_epi8), half!(_mm512_unpackhi_epi8));
            let h = _mm512_permutex2var_epi8(h0, even, h1);
            let s = _mm512_permutex2var_epi8(s0, even, s1);
            // From −30 to 150, of which bytes hold the negative ones as 226 and above.
            let h = _mm512_mask_add_epi8(h, _mm512_movepi8_mask(_mm512_subs_epu8(h, byte(98))), h, byte(180));

            // H + hue − 180 where that is not negative; where it is, the byte has wrapped beyond H + hue.
            let h = _mm512_min_epu8(_mm512_adds_epu8(h, hue), _mm512_sub_epi8(h, wrap));
            let colored = _mm512_test_epi8_mask(s, s);
            let s = _mm512_maskz_subs_epu8(colored, _mm512_adds_epu8(s, s_up), s_down);
            let v = _mm512_subs_epu8(_mm512_adds_epu8(v, v_up), v_down);

            let high = _mm512_movepi8_mask(h);
            let role = look192!(B.role, h, high);
            let w = [
                look192!(B.weight[0], h, high),
                look192!(B.weight[1], h, high),
                look192!(B.weight[2], h, high),
                look192!(B.weight[3], h, high),
            ];
            macro_rules! quarter {
                ($u8:ident, $u16:ident) => {{
                    let sat = _mm512_mul_ps(_mm512_cvtepi32_ps($u16($u8(s, zero), zero)), inv);
                    let val = _mm512_mul_ps(_mm512_cvtepi32_ps($u16($u8(v, zero), zero)), inv);
                    let w = _mm512_castsi512_ps($u16($u8(w[0], w[1]), $u8(w[2], w[3])));
                    let low = _mm512_mul_ps(_mm512_mul_ps(val, _mm512_sub_ps(one, sat)), full);
                    let mid = _mm512_sub_ps(one, _mm512_mul_ps(sat, w));
                    let mid = _mm512_mul_ps(_mm512_mul_ps(val, mid), full);
                    (_mm512_cvttps_epi32(low), _mm512_cvttps_epi32(mid))
                }};
            }
            let (a0, b0) = quarter!(_mm512_unpacklo_epi8, _mm512_unpacklo_epi16);
            let (a1, b1) = quarter!(_mm512_unpacklo_epi8, _mm512_unpackhi_epi16);
            let (a2, b2) = quarter!(_mm512_unpackhi_epi8, _mm512_unpacklo_epi16);
            let (a3, b3) = quarter!(_mm512_unpackhi_epi8, _mm512_unpackhi_epi16);
            let low = _mm512_packus_epi16(_mm512_packs_epi32(a0, a1), _mm512_packs_epi32(a2, a3));
            let mid = _mm512_packus_epi16(_mm512_packs_epi32(b0, b1), _mm512_packs_epi32(b2, b3));

            macro_rules! channel {
                ($c:literal) => {{
                    let a = _mm512_mask_mov_epi8(low, _mm512_test_epi8_mask(role, byte(8 << $c)), mid);
                    let a = _mm512_mask_mov_epi8(a, _mm512_test_epi8_mask(role, byte(1 << $c)), v);
                    _mm512_permutexvar_epi8(load!(MERGE[$c]), a)
                }};
            }
            let c = [channel!(0), channel!(1), channel!(2)];
            macro_rules! vector {
                ($k:literal) => {{
                    let a = _mm512_mask_mov_epi8(c[0], const { lanes_bits(1, $k) }, c[1]);
                    let a = _mm512_mask_mov_epi8(a, const { lanes_bits(2, $k) }, c[2]);
                    _mm512_storeu_si512(at.add(64 * $k).cast(), a);
                }};
            }
            vector!(0);
            vector!(1);
            vector!(2);
            i += 192;
        }
    }
    i
}
