//! Means over boxes: AREA where no axis grows, and its special case of halving both axes of a u8 image.

use super::axis::Boxes;
use crate::image::{Plane, RowsMut, Sample};
#[cfg(target_arch = "x86_64")]
use crate::kernel::x86::resize_rows;
use crate::simd;

/// The filter with its tables.
#[derive(Debug)]
pub(super) struct Area {
    c: usize,
    x: Boxes,
    y: Boxes,
    /// What a sum is multiplied by: 1 unless the boxes hold whole pixels of weight 1.
    gain: f32,
    sums: Vec<f32>,
}

impl Area {
    /// A mean over `x` × `y` boxes.
    pub fn new(c: usize, x: Boxes, y: Boxes, gain: f32) -> Area {
        Area { c, x, y, gain, sums: Vec::new() }
    }

    /// Output rows: first down the columns of the covered rows, then along x.
    pub fn rows<T: Sample>(&mut self, src: &Plane<T>, y0: usize, out: &mut RowsMut<T>) {
        let c = self.c;
        let (lo, hi) = self.x.span();
        let n = (hi - lo) * c;
        self.sums.resize(n + 4, 0.0);
        for i in 0..out.n {
            let w = self.y.weights(y0 + i);
            let first = self.y.first[y0 + i] as usize;
            down(&src.data[first * src.stride + lo * c..], src.stride, w, &mut self.sums[..n]);
            let (sums, out) = (&self.sums[..], out.row(i));
            match c {
                1 => along::<T, 1>(sums, &self.x.first, &self.x.at, &self.x.w, lo, self.gain, c, out),
                3 => along3::<T>(sums, &self.x.first, &self.x.at, &self.x.w, lo, self.gain, out),
                4 => along::<T, 4>(sums, &self.x.first, &self.x.at, &self.x.w, lo, self.gain, c, out),
                _ => along::<T, 0>(sums, &self.x.first, &self.x.at, &self.x.w, lo, self.gain, c, out),
            }
        }
    }
}

simd! {
    /// Weighted sum of `w.len()` rows that lie `stride` apart, each element's sum in row order.
    fn down[T: Sample][T](src: &[T], stride: usize, w: &[f32], out: &mut [f32]) {
        const N: usize = 64;
        let mut x = 0;
        let (blocks, rest) = out.as_chunks_mut::<N>();
        for block in blocks {
            let mut sum = [0f32; N];
            for (r, &w) in w.iter().enumerate() {
                let s: &[T; N] = src[r * stride + x..].first_chunk().expect("inside");
                for i in 0..N {
                    sum[i] += s[i].to_f32() * w;
                }
            }
            *block = sum;
            x += N;
        }
        rest.fill(0.0);
        for (r, &w) in w.iter().enumerate() {
            let s = &src[r * stride + x..][..rest.len()];
            for (p, s) in rest.iter_mut().zip(s) {
                *p += s.to_f32() * w;
            }
        }
    }
}

simd! {
    /// Weighted sums of neighbouring pixels, in order. `C` is `c`, or 0 if only known at run time.
    fn along[T: Sample, const C: usize][T, C](sums: &[f32], first: &[u32], at: &[u32], w: &[f32], lo: usize, gain: f32, c: usize, out: &mut [T]) {
        let c = if C > 0 { C } else { c };
        for ((p, &s), at) in out.chunks_exact_mut(c).zip(first).zip(at.windows(2)) {
            let w = &w[at[0] as usize..at[1] as usize];
            let s = &sums[(s as usize - lo) * c..][..w.len() * c];
            for (i, p) in p.iter_mut().enumerate() {
                let mut sum = 0.0;
                for (s, w) in s.chunks_exact(c).zip(w) {
                    sum += s[i] * w;
                }
                *p = T::from_f32(sum * gain);
            }
        }
    }
}

simd! {
    /// `along` for three components, which loads four: `sums` is one longer than what counts.
    fn along3[T: Sample][T](sums: &[f32], first: &[u32], at: &[u32], w: &[f32], lo: usize, gain: f32, out: &mut [T]) {
        for ((p, &s), at) in out.as_chunks_mut::<3>().0.iter_mut().zip(first).zip(at.windows(2)) {
            let w = &w[at[0] as usize..at[1] as usize];
            let s = &sums[(s as usize - lo) * 3..][..w.len() * 3 + 1];
            let mut sum = [0f32; 4];
            for (i, &w) in w.iter().enumerate() {
                let s: &[f32; 4] = s[i * 3..].first_chunk().expect("one more than counts");
                for i in 0..4 {
                    sum[i] += s[i] * w;
                }
            }
            *p = [T::from_f32(sum[0] * gain), T::from_f32(sum[1] * gain), T::from_f32(sum[2] * gain)];
        }
    }
}

/// Halves both axes: the mean of four pixels, half rounded up.
#[derive(Debug)]
pub(super) struct Half {
    /// Window of the output.
    pub win: (usize, usize, usize, usize),
}

impl Half {
    /// Output rows.
    pub fn rows(&self, src: &Plane<u8>, y0: usize, out: &mut RowsMut<u8>) {
        let c = src.c;
        for i in 0..out.n {
            let y = 2 * (self.win.1 + y0 + i);
            let at = 2 * self.win.0 * c..2 * (self.win.0 + self.win.2) * c;
            let (a, b) = (&src.row(y)[at.clone()], &src.row(y + 1)[at]);
            let out = out.row(i);
            #[cfg(target_arch = "x86_64")]
            let done = resize_rows::half(a, b, c, out);
            #[cfg(not(target_arch = "x86_64"))]
            let done = 0;
            let (a, b, out) = (&a[2 * done..], &b[2 * done..], &mut out[done..]);
            match c {
                1 => half::<1>(a, b, c, out),
                3 => half::<3>(a, b, c, out),
                4 => half::<4>(a, b, c, out),
                _ => half::<0>(a, b, c, out),
            }
        }
    }
}

simd! {
    fn half[const C: usize][C](a: &[u8], b: &[u8], c: usize, out: &mut [u8]) {
        let c = if C > 0 { C } else { c };
        for ((p, a), b) in out.chunks_exact_mut(c).zip(a.chunks_exact(2 * c)).zip(b.chunks_exact(2 * c)) {
            for i in 0..c {
                p[i] = ((a[i] as u16 + a[c + i] as u16 + b[i] as u16 + b[c + i] as u16 + 2) >> 2) as u8;
            }
        }
    }
}
