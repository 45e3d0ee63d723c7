//! The pass along x: a source row becomes a line in which every tap of every output pixel is present, and the line an
//! output-wide row of sums.

use super::axis::Taps;
use crate::image::Sample;
#[cfg(target_arch = "x86_64")]
use crate::image::{
    DType,
    view::{bytes_of, bytes_of_mut},
};
#[cfg(target_arch = "x86_64")]
use crate::kernel::x86::{resize_float, resize_move::Pairs};
use crate::simd;
use std::ops::Range;

/// Elements past a line that a vector load may touch.
const SLACK: usize = 128;

/// How a line is filled, and where its taps lie.
pub(super) struct Fetch {
    /// Pixels of a source row.
    w: usize,
    /// Columns `lo..hi`, clamped; or, where the filter skips most columns, the taps of each output pixel, pair after
    /// pair of all of them.
    span: Option<(i32, i32)>,
    /// Where tap 0 of each output pixel lies; tap 1 is the next pixel.
    pub off: Vec<u32>,
    /// From a pair of taps to the next.
    pub pair: usize,
    #[cfg(target_arch = "x86_64")]
    fast: Option<Pairs>,
}

impl Fetch {
    /// For pixels of `c` components in rows of `w`. `whole`: all columns, even if the filter skips most.
    pub fn new(x: &Taps, c: usize, w: usize, whole: bool) -> Fetch {
        let n = x.first.len();
        let (lo, hi) = x.span();
        let skips = !whole && (hi - lo) as usize >= 3 * n + 16;
        // Pixels are copied in words of up to eight elements, the last of which may run over.
        let pair = if skips { 2 * c * n + 8 } else { 2 * c };
        Fetch {
            w,
            span: (!skips).then_some((lo, hi)),
            off: match skips {
                true => (0..n as u32).map(|i| i * 2 * c as u32).collect(),
                false => x.first.iter().map(|s| (s - lo) as u32 * c as u32).collect(),
            },
            pair,
            #[cfg(target_arch = "x86_64")]
            fast: if skips { Pairs::new(&x.first, x.k, c, w, pair) } else { None },
        }
    }

    /// The line and the columns of the source that belong into its middle, if it holds all columns: `seal` repeats the
    /// edges once they are there.
    pub fn middle<'a, T: Sample>(&self, c: usize, line: &'a mut Vec<T>) -> (&'a mut [T], Range<usize>) {
        let (lo, hi) = self.span.expect("all columns");
        line.resize((hi - lo) as usize * c + SLACK, T::default());
        let (a, b) = (lo.clamp(0, self.w as i32 - 1), hi.clamp(1, self.w as i32));
        let at = (a - lo) as usize * c..(b - lo) as usize * c;
        (&mut line[at], a as usize * c..b as usize * c)
    }

    /// Repeats the edge pixels beyond the middle.
    pub fn seal<T: Sample>(&self, c: usize, line: &mut [T]) {
        let (lo, hi) = self.span.expect("all columns");
        let (a, b) = (lo.clamp(0, self.w as i32 - 1), hi.clamp(1, self.w as i32));
        let (head, rest) = line.split_at_mut((a - lo) as usize * c);
        let (body, tail) = rest.split_at_mut((b - a) as usize * c);
        head.chunks_exact_mut(c).for_each(|p| p.copy_from_slice(&body[..c]));
        let last = &body[body.len() - c..];
        tail[..(hi - b) as usize * c].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(last));
    }

    /// Fills the line from a source row.
    pub fn fill<T: Sample>(&self, x: &Taps, row: &[T], c: usize, line: &mut Vec<T>) {
        if self.span.is_some() {
            let (middle, from) = self.middle(c, line);
            middle.copy_from_slice(&row[from]);
            self.seal(c, line);
            return;
        }
        let n = x.first.len();
        line.resize(x.k / 2 * self.pair + SLACK, T::default());
        #[cfg(target_arch = "x86_64")]
        let done = match &self.fast {
            Some(f) if T::DTYPE == DType::U8 => f.row(bytes_of(row), bytes_of_mut(line)),
            _ => 0..0,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0..0;
        for i in 0..x.k / 2 {
            let out = &mut line[i * self.pair..][..2 * c * n];
            for part in [0..done.start, done.end..n] {
                let (out, first) = (&mut out[part.start * 2 * c..], &x.first[part]);
                match c {
                    1 => pairs::<T, 1>(row, first, 2 * i as i32, c, out),
                    3 => pairs::<T, 3>(row, first, 2 * i as i32, c, out),
                    4 => pairs::<T, 4>(row, first, 2 * i as i32, c, out),
                    _ => pairs::<T, 0>(row, first, 2 * i as i32, c, out),
                }
            }
        }
    }
}

/// Two neighbouring pixels, clamped, for each output pixel. `C` is `c`, or 0 if only known at run time.
fn pairs<T: Sample, const C: usize>(row: &[T], first: &[i32], tap: i32, c: usize, out: &mut [T]) {
    let c = if C > 0 { C } else { c };
    let top = (row.len() / c) as i32 - 1;
    for (p, s) in out.chunks_exact_mut(2 * c).zip(first) {
        let (a, b) = p.split_at_mut(c);
        a.copy_from_slice(&row[(s + tap).clamp(0, top) as usize * c..][..c]);
        b.copy_from_slice(&row[(s + tap + 1).clamp(0, top) as usize * c..][..c]);
    }
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
    #[cfg(target_arch = "x86_64")]
    if resize_float::lanes(line, &f.off, w, k, c, out) {
        return;
    }
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
