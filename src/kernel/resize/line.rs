//! The pass along x: a source row becomes a line in which every tap of every output pixel is present, and the line an
//! output-wide row of sums.

use super::axis::Taps;
use crate::image::Sample;
use crate::simd;

/// Elements past a line that a vector load may touch.
const SLACK: usize = 64;

/// How a line is filled, and where its taps lie.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Columns `lo..hi`, clamped; or, where the filter skips most columns, the taps of each output pixel, pair after
    /// pair of all of them.
    span: Option<(i32, i32)>,
    /// Where tap 0 of each output pixel lies; tap 1 is the next pixel.
    pub off: Vec<u32>,
    /// From a pair of taps to the next.
    pub pair: usize,
}

impl Fetch {
    /// For pixels of `c` components.
    pub fn new(x: &Taps, c: usize) -> Fetch {
        let n = x.first.len();
        let (lo, hi) = x.span();
        if ((hi - lo) as usize) < 3 * n + 16 {
            let off = x.first.iter().map(|s| (s - lo) as u32 * c as u32).collect();
            Fetch { span: Some((lo, hi)), off, pair: 2 * c }
        } else {
            Fetch { span: None, off: (0..n as u32).map(|i| i * 2 * c as u32).collect(), pair: 2 * c * n }
        }
    }

    /// Fills the line from a source row.
    pub fn fill<T: Sample>(&self, x: &Taps, row: &[T], c: usize, line: &mut Vec<T>) {
        let w = (row.len() / c) as i32;
        if let Some((lo, hi)) = self.span {
            line.resize((hi - lo) as usize * c + SLACK, T::default());
            let (a, b) = (lo.clamp(0, w), hi.clamp(0, w));
            let (head, rest) = line.split_at_mut((a - lo) as usize * c);
            let (body, tail) = rest.split_at_mut((b - a) as usize * c);
            head.chunks_exact_mut(c).for_each(|p| p.copy_from_slice(&row[..c]));
            body.copy_from_slice(&row[a as usize * c..b as usize * c]);
            let last = &row[row.len() - c..];
            tail[..(hi - b) as usize * c].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(last));
            return;
        }
        let n = x.first.len();
        line.resize(n * x.k * c + SLACK, T::default());
        for i in 0..x.k / 2 {
            let out = &mut line[i * self.pair..];
            match c {
                1 => pairs::<T, 2, 2>(row, &x.first, 2 * i as i32, w, out),
                3 => pairs::<T, 6, 8>(row, &x.first, 2 * i as i32, w, out),
                4 => pairs::<T, 8, 8>(row, &x.first, 2 * i as i32, w, out),
                _ => {
                    for (p, s) in out.chunks_exact_mut(2 * c).zip(&x.first) {
                        pair(row, s + 2 * i as i32, w, c, p);
                    }
                }
            }
        }
    }
}

/// Two neighbouring pixels for each output pixel, `N` elements, of which `M` are copied at once: the next pixel
/// overwrites what is too much.
fn pairs<T: Sample, const N: usize, const M: usize>(row: &[T], first: &[i32], tap: i32, w: i32, out: &mut [T]) {
    let c = N / 2;
    let n = first.len();
    let out = &mut out[..n * N + M - N];
    let safe = row.len() as i64 - M as i64;
    for (i, s) in first.iter().enumerate() {
        let s = s + tap;
        let at = s as i64 * c as i64;
        if at >= 0 && at <= safe {
            let p: &[T; M] = row[at as usize..].first_chunk().expect("inside");
            out[i * N..i * N + M].copy_from_slice(p);
        } else {
            pair(row, s, w, c, &mut out[i * N..(i + 1) * N]);
        }
    }
}

/// Pixels `s` and `s + 1`, clamped.
fn pair<T: Sample>(row: &[T], s: i32, w: i32, c: usize, out: &mut [T]) {
    let (a, b) = out.split_at_mut(c);
    a.copy_from_slice(&row[s.clamp(0, w - 1) as usize * c..][..c]);
    b.copy_from_slice(&row[(s + 1).clamp(0, w - 1) as usize * c..][..c]);
}

/// Two taps in 11-bit weights, kept with 7 fractional bits.
pub(super) fn narrow(line: &[u8], f: &Fetch, w: &[i32], c: usize, out: &mut [i16]) {
    match c {
        1 => narrow_c::<1>(line, &f.off, w, c, out),
        3 => narrow_c::<3>(line, &f.off, w, c, out),
        4 => narrow_c::<4>(line, &f.off, w, c, out),
        _ => narrow_c::<0>(line, &f.off, w, c, out),
    }
}

/// `k` taps in fixed point, kept whole.
pub(super) fn whole(line: &[u8], f: &Fetch, k: usize, w: &[i32], c: usize, out: &mut [f32]) {
    let (off, pair) = (&f.off, f.pair);
    match (k, c) {
        (2, 3) => whole_c::<2, 3>(line, off, pair, w, c, out),
        (2, _) => whole_c::<2, 0>(line, off, pair, w, c, out),
        (4, 1) => whole_c::<4, 1>(line, off, pair, w, c, out),
        (4, 3) => whole_c::<4, 3>(line, off, pair, w, c, out),
        (4, _) => whole_c::<4, 0>(line, off, pair, w, c, out),
        (_, 3) => whole_c::<8, 3>(line, off, pair, w, c, out),
        _ => whole_c::<8, 0>(line, off, pair, w, c, out),
    }
}

/// `k` taps in f32, summed in order.
pub(super) fn float(line: &[f32], f: &Fetch, k: usize, w: &[f32], c: usize, out: &mut [f32]) {
    let (off, pair) = (&f.off, f.pair);
    match (k, c) {
        (2, 1) => float_c::<2, 1>(line, off, pair, w, c, out),
        (2, 3) => float_c::<2, 3>(line, off, pair, w, c, out),
        (2, 4) => float_c::<2, 4>(line, off, pair, w, c, out),
        (2, _) => float_c::<2, 0>(line, off, pair, w, c, out),
        (4, 1) => float_c::<4, 1>(line, off, pair, w, c, out),
        (4, 3) => float_c::<4, 3>(line, off, pair, w, c, out),
        (4, 4) => float_c::<4, 4>(line, off, pair, w, c, out),
        (4, _) => float_c::<4, 0>(line, off, pair, w, c, out),
        (_, 1) => float_c::<8, 1>(line, off, pair, w, c, out),
        (_, 3) => float_c::<8, 3>(line, off, pair, w, c, out),
        (_, 4) => float_c::<8, 4>(line, off, pair, w, c, out),
        _ => float_c::<8, 0>(line, off, pair, w, c, out),
    }
}

simd! {
    /// `C` is `c`, or 0 if only known at run time.
    fn narrow_c[const C: usize][C](line: &[u8], off: &[u32], w: &[i32], c: usize, out: &mut [i16]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<2>().0) {
            let s = &line[o as usize..][..2 * c];
            for (i, p) in p.iter_mut().enumerate() {
                *p = ((s[i] as i32 * w[0] + s[c + i] as i32 * w[1]) >> 4) as i16;
            }
        }
    }
}

simd! {
    fn whole_c[const K: usize, const C: usize][K, C](line: &[u8], off: &[u32], pair: usize, w: &[i32], c: usize, out: &mut [f32]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<K>().0) {
            for (i, p) in p.iter_mut().enumerate() {
                let mut sum = 0;
                for t in 0..K {
                    sum += line[o as usize + t / 2 * pair + t % 2 * c + i] as i32 * w[t];
                }
                *p = sum as f32;
            }
        }
    }
}

simd! {
    fn float_c[const K: usize, const C: usize][K, C](line: &[f32], off: &[u32], pair: usize, w: &[f32], c: usize, out: &mut [f32]) {
        let c = if C > 0 { C } else { c };
        for ((p, &o), w) in out.chunks_exact_mut(c).zip(off).zip(w.as_chunks::<K>().0) {
            for (i, p) in p.iter_mut().enumerate() {
                let mut sum = line[o as usize + i] * w[0];
                for t in 1..K {
                    sum += line[o as usize + t / 2 * pair + t % 2 * c + i] * w[t];
                }
                *p = sum;
            }
        }
    }
}
