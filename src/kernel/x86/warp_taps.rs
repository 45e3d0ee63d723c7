//! Linear and cubic taps of f32 with 1, 3 and 4 components, from AVX2 on: a row of taps is one or two loads.
//!
//! Same sums in the same order as the plain text: rows top to bottom for each column, then columns left to right.

use crate::image::{DType, Sample};
use crate::kernel::warp::CHUNK;
use std::arch::x86_64::*;

/// A chunk of pixels with K taps an axis.
pub(crate) struct Chunk<'a, const K: usize> {
    /// Elements from a row to the next.
    pub stride: usize,
    /// First tap of each pixel, as an element of the source.
    pub off: &'a [u32; CHUNK],
    /// Weights of each tap, x and y.
    pub weights: &'a [[[f32; CHUNK]; K]; 2],
}

/// Elements of a row of K taps of C components that [`taps_v3`] loads, if it has a text for `T`, K and C.
pub(crate) const fn load<T: Sample, const K: usize, const C: usize>() -> Option<usize> {
    match (T::DTYPE, K, C) {
        (DType::F32, 2 | 4, 1) => Some(4),
        (DType::F32, 2, 3 | 4) => Some(8),
        (DType::F32, 4, 3 | 4) => Some(4 * C),
        _ => None,
    }
}

/// Does the pixels of a chunk, all of whose taps must lie in the source with [`load`] elements a row.
///
/// From level V3 on. Panics where `load` is None.
pub(crate) fn taps_v3<T: Sample, const K: usize, const C: usize>(data: &[T], chunk: &Chunk<K>, out: &mut [T]) {
    let load = load::<T, K, C>().expect("a text for this filter");
    let n = out.len() / C;
    let top = chunk.off[..n].iter().fold(0, |a, &b| a.max(b));
    assert!(top as usize + (K - 1) * chunk.stride + load <= data.len(), "taps lie in the source");
    // SAFETY: `T` is f32, the one sample of that type; the caller is at level V3 or higher; the taps were checked.
    unsafe {
        let data = std::slice::from_raw_parts(data.as_ptr().cast::<f32>(), data.len());
        let out = std::slice::from_raw_parts_mut(out.as_mut_ptr().cast::<f32>(), out.len());
        if C == 1 { one(data, chunk, out) } else { several::<K, C>(data, chunk, out) }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn several<const K: usize, const C: usize>(data: &[f32], q: &Chunk<K>, out: &mut [f32]) {
    let n = (out.len() / C).min(CHUNK);
    let next = _mm256_setr_epi32(3, 4, 5, 6, 7, 7, 7, 7);
    for i in 0..n {
        // SAFETY: the caller saw K rows of `load` elements; i < CHUNK.
        let v = unsafe {
            let p = data.as_ptr().add(q.off[i] as usize);
            let wx = |t: usize| _mm_set1_ps(q.weights[0][t][i]);
            let wy = |k: usize| _mm256_set1_ps(q.weights[1][k][i]);
            let row = |k: usize| _mm256_mul_ps(wy(k), _mm256_loadu_ps(p.add(k * q.stride)));
            let mut a = row(0);
            for k in 1..K {
                a = _mm256_add_ps(a, row(k));
            }
            let (low, high) = (_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
            let second = if C == 3 { _mm256_castps256_ps128(_mm256_permutevar8x32_ps(a, next)) } else { high };
            if K == 2 {
                _mm_add_ps(_mm_mul_ps(wx(0), low), _mm_mul_ps(wx(1), second))
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
                let v = _mm_add_ps(_mm_mul_ps(wx(0), low), _mm_mul_ps(wx(1), second));
                let v = _mm_add_ps(v, _mm_mul_ps(wx(2), third));
                _mm_add_ps(v, _mm_mul_ps(wx(3), _mm_shuffle_ps(b, b, 0b11_11_10_01)))
            }
        };
        // SAFETY: with a pixel behind, 4 elements have room; the next store writes over the fourth.
        unsafe {
            if C == 4 || i + 1 < n {
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
unsafe fn one<const K: usize>(data: &[f32], q: &Chunk<K>, out: &mut [f32]) {
    let n = out.len().min(CHUNK);
    for i in (0..n).step_by(4) {
        let mut v = [_mm_setzero_ps(); 4];
        for (j, v) in v.iter_mut().enumerate().take(n - i) {
            // SAFETY: the caller saw K rows of 4 elements.
            unsafe {
                let p = data.as_ptr().add(q.off[i + j] as usize);
                let row = |k: usize| _mm_mul_ps(_mm_set1_ps(q.weights[1][k][i + j]), _mm_loadu_ps(p.add(k * q.stride)));
                *v = row(0);
                for k in 1..K {
                    *v = _mm_add_ps(*v, row(k));
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
        for (t, column) in columns.into_iter().enumerate().take(K).skip(1) {
            sum = _mm_add_ps(sum, _mm_mul_ps(wx(t), column));
        }
        let mut four = [0f32; 4];
        // SAFETY: the array holds the vector.
        unsafe { _mm_storeu_ps(four.as_mut_ptr(), sum) };
        let m = 4.min(n - i);
        out[i..i + m].copy_from_slice(&four[..m]);
    }
}
