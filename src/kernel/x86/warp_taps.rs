//! Linear and cubic taps of f32 with 1, 3 and 4 components, from AVX2 on: a row of taps is one or two loads.
//!
//! Same sums in the same order as the plain text: rows top to bottom for each column, then columns left to right.

use crate::image::{DType, Sample};
use crate::kernel::warp::CHUNK;
use std::arch::x86_64::*;

/// A chunk of pixels with K taps an axis.
pub(crate) struct Chunk<'a, const K: usize> {
    /// Source sides and elements from a row to the next.
    pub w: usize,
    pub h: usize,
    pub stride: usize,
    /// First taps, x and y.
    pub first: &'a [[i32; CHUNK]; 2],
    /// Weights of each tap, x and y.
    pub weights: &'a [[[f32; CHUNK]; K]; 2],
}

/// Does the pixels of a chunk whose taps are well inside and marks the others. False, and nothing done, if `T` is not
/// f32 or there is no text for C and K.
///
/// From level V3 on.
pub(crate) fn taps_v3<T: Sample, const K: usize, const C: usize>(
    data: &[T],
    chunk: &Chunk<K>,
    out: &mut [T],
    bad: &mut [u8; CHUNK],
) -> bool {
    if T::DTYPE != DType::F32 || !matches!(C, 1 | 3 | 4) || !matches!(K, 2 | 4) {
        return false;
    }
    // SAFETY: `T` is f32, the one sample of that type; the caller is at level V3 or higher.
    unsafe {
        let data = std::slice::from_raw_parts(data.as_ptr().cast::<f32>(), data.len());
        let out = std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<f32>(), out.len());
        if C == 1 { one(data, chunk, out, bad) } else { several::<K, C>(data, chunk, out, bad) }
    }
    true
}

impl<const K: usize> Chunk<'_, K> {
    /// Address of the first tap of pixel `i`, if all rows can be loaded with `load` elements each.
    #[inline(always)]
    fn address(&self, i: usize, c: usize, load: usize, len: usize) -> Option<usize> {
        let (x, y) = (self.first[0][i] as u32 as usize, self.first[1][i] as u32 as usize);
        let at = y * self.stride + x * c;
        (x + K <= self.w && y + K <= self.h && at + (K - 1) * self.stride + load <= len).then_some(at)
    }
}

#[target_feature(enable = "avx2")]
fn several<const K: usize, const C: usize>(data: &[f32], q: &Chunk<K>, out: &mut [f32], bad: &mut [u8; CHUNK]) {
    let n = (out.len() / C).min(CHUNK);
    // Elements of a row of taps that the loads touch.
    let load = if K == 2 { 8 } else { 4 * C };
    let shift = |by: i32| _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(by));
    let last = out.len();
    for i in 0..n {
        let at = q.address(i, C, load, data.len());
        bad[i] = u8::from(at.is_none());
        let Some(at) = at else { continue };
        // SAFETY: `address` saw K rows of `load` elements at `at`; i < CHUNK.
        let v = unsafe {
            let p = data.as_ptr().add(at);
            let wx = |t: usize| _mm_set1_ps(q.weights[0][t][i]);
            let wy = |k: usize| _mm256_set1_ps(q.weights[1][k][i]);
            let row = |k: usize| _mm256_mul_ps(wy(k), _mm256_loadu_ps(p.add(k * q.stride)));
            let mut a = row(0);
            for k in 1..K {
                a = _mm256_add_ps(a, row(k));
            }
            let (low, high) = (_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
            let columns = |by: i32| _mm256_castps256_ps128(_mm256_permutevar8x32_ps(a, shift(by)));
            if K == 2 {
                let next = if C == 3 { columns(3) } else { high };
                _mm_add_ps(_mm_mul_ps(wx(0), low), _mm_mul_ps(wx(1), next))
            } else if C == 4 {
                let row = |k: usize| _mm256_mul_ps(wy(k), _mm256_loadu_ps(p.add(k * q.stride + 8)));
                let mut b = row(0);
                for k in 1..K {
                    b = _mm256_add_ps(b, row(k));
                }
                let v = _mm_add_ps(_mm_mul_ps(wx(0), low), _mm_mul_ps(wx(1), high));
                let v = _mm_add_ps(v, _mm_mul_ps(wx(2), _mm256_castps256_ps128(b)));
                _mm_add_ps(v, _mm_mul_ps(wx(3), _mm256_extractf128_ps(b, 1)))
            } else {
                let wy = |k: usize| _mm_set1_ps(q.weights[1][k][i]);
                let row = |k: usize| _mm_mul_ps(wy(k), _mm_loadu_ps(p.add(k * q.stride + 8)));
                let mut b = row(0);
                for k in 1..K {
                    b = _mm_add_ps(b, row(k));
                }
                // Columns 2: elements 6 and 7 of the first vector, 8 of the second.
                let third = _mm_shuffle_ps(high, b, 0b01_00_11_10);
                let v = _mm_add_ps(_mm_mul_ps(wx(0), low), _mm_mul_ps(wx(1), columns(3)));
                let v = _mm_add_ps(v, _mm_mul_ps(wx(2), third));
                _mm_add_ps(v, _mm_mul_ps(wx(3), _mm_shuffle_ps(b, b, 0b11_11_10_01)))
            }
        };
        // SAFETY: the first store ends within `out`; the second writes C elements of pixel i.
        unsafe {
            if C * i + 4 <= last && (C == 4 || i + 1 < n) {
                _mm_storeu_ps(out.as_mut_ptr().add(C * i), v);
            } else {
                let mut four = [0f32; 4];
                _mm_storeu_ps(four.as_mut_ptr(), v);
                out[C * i..C * i + C].copy_from_slice(&four[..C]);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn one<const K: usize>(data: &[f32], q: &Chunk<K>, out: &mut [f32], bad: &mut [u8; CHUNK]) {
    let n = out.len().min(CHUNK);
    // Columns of four pixels; a pixel that cannot be loaded reads the start of the source, and is marked.
    let enough = data.len() >= (K - 1) * q.stride + 4;
    for i in (0..n).step_by(4) {
        let mut v = [_mm_setzero_ps(); 4];
        for j in 0..4.min(n - i) {
            let at = q.address(i + j, 1, 4, data.len());
            bad[i + j] = u8::from(at.is_none());
            if !enough {
                continue;
            }
            // SAFETY: `address` or `enough` saw K rows of 4 elements.
            unsafe {
                let p = data.as_ptr().add(at.unwrap_or(0));
                let row = |k: usize| _mm_mul_ps(_mm_set1_ps(q.weights[1][k][i + j]), _mm_loadu_ps(p.add(k * q.stride)));
                v[j] = row(0);
                for k in 1..K {
                    v[j] = _mm_add_ps(v[j], row(k));
                }
            }
        }
        // Transposed: column t of four pixels.
        let (a, b) = (_mm_unpacklo_ps(v[0], v[1]), _mm_unpacklo_ps(v[2], v[3]));
        let (c, d) = (_mm_unpackhi_ps(v[0], v[1]), _mm_unpackhi_ps(v[2], v[3]));
        let columns = [_mm_movelh_ps(a, b), _mm_movehl_ps(b, a), _mm_movelh_ps(c, d), _mm_movehl_ps(d, c)];
        // SAFETY: i + 4 ≤ CHUNK.
        let wx = |t: usize| unsafe { _mm_loadu_ps(q.weights[0][t].as_ptr().add(i)) };
        let mut sum = _mm_mul_ps(wx(0), columns[0]);
        for t in 1..K {
            sum = _mm_add_ps(sum, _mm_mul_ps(wx(t), columns[t]));
        }
        let mut four = [0f32; 4];
        // SAFETY: the array holds the vector.
        unsafe { _mm_storeu_ps(four.as_mut_ptr(), sum) };
        let m = 4.min(n - i);
        out[i..i + m].copy_from_slice(&four[..m]);
    }
}
