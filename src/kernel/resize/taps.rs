//! Separable filters with few taps: linear, cubic, Lanczos, and AREA unless it shrinks a lot.
//!
//! Source rows are resampled along x once, kept in a ring of rows, and blended along y. u8 sources are summed in
//! integers along x. Linear keeps 7 fractional bits in i16 and blends with 11-bit weights, which is OpenCV's arithmetic
//! to the bit; the others keep the whole sum as f32.

use super::axis::{self, Taps};
use super::line::{self, Fetch};
#[cfg(target_arch = "x86_64")]
use crate::image::{DType, view::bytes_of_mut};
use crate::image::{Plane, RowsMut, Sample};
#[cfg(target_arch = "x86_64")]
use crate::kernel::x86::{resize::Shuffle, resize_float::Floats, resize_rows};
use crate::simd;
use std::ops::Range;

/// How u8 sources are summed along x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sum {
    /// Weights of 11 bits, sums of 7 fractional bits.
    Narrow,
    /// Weights of 8 bits, whole sums, half rounded up: OpenCV's "exact" linear filter, to the bit.
    Exact,
    /// Whole sums of integer weights, of which this one stands for 1. Beyond 2¹⁴ the weights have more than 16 bits.
    Whole(i32),
}

/// Elements that a ring row is padded to, so that kernels write whole vectors.
const PAD: usize = 64;

/// The filter with its tables and row ring.
pub(super) struct Filter {
    /// Rows of the source.
    h: usize,
    c: usize,
    x: Taps,
    y: Taps,
    /// Factor of the sum over both axes.
    gain: f32,
    fetch: Fetch,
    sum: Sum,
    /// Fixed-point weights along x; none for float sources.
    fixed: Vec<i32>,
    #[cfg(target_arch = "x86_64")]
    fast: Option<(Shuffle, Vec<u32>)>,
    /// Float rows are blended before the pass along x: it is dear and there are fewer output rows.
    down_first: bool,
    #[cfg(target_arch = "x86_64")]
    fast_floats: Option<Floats>,
    bytes: [Vec<u8>; 2],
    floats: Vec<f32>,
    /// Which source row each slot of the ring holds.
    tags: Vec<usize>,
    ring16: Ring<i16>,
    ring32: Ring<f32>,
}

/// Rows that begin at cache lines.
struct Ring<T> {
    cells: Vec<T>,
    start: usize,
    n: usize,
}

impl<T: Copy + Default> Ring<T> {
    fn new(rows: usize, n: usize) -> Ring<T> {
        let cells = vec![T::default(); rows * n + 64 / size_of::<T>()];
        let start = cells.as_ptr().align_offset(64).min(64 / size_of::<T>());
        Ring { cells, start, n }
    }

    fn at(&self, slot: usize) -> Range<usize> {
        let a = self.start + slot * self.n;
        a..a + self.n
    }

    fn row(&self, slot: usize) -> &[T] {
        &self.cells[self.at(slot)]
    }

    fn row_mut(&mut self, slot: usize) -> &mut [T] {
        let at = self.at(slot);
        &mut self.cells[at]
    }

    #[cfg(target_arch = "x86_64")]
    fn two(&mut self, a: usize, b: usize) -> [&mut [T]; 2] {
        let at = [self.at(a), self.at(b)];
        self.cells.get_disjoint_mut(at).expect("two slots")
    }
}

impl Filter {
    /// From `src` to `dst_h` rows. `sum` is `None` for float sources.
    pub fn new(
        src: (usize, usize),
        dst_h: usize,
        c: usize,
        x: Taps,
        mut y: Taps,
        gain: f32,
        sum: Option<Sum>,
    ) -> Filter {
        let n = (x.first.len() * c).next_multiple_of(PAD);
        #[allow(unused_mut)]
        let mut fetch = Fetch::new(&x, c, src.0, sum.is_none());
        let down_first = sum.is_none() && src.1 >= dst_h;
        let mut fixed = Vec::new();
        if let Some(sum) = sum {
            let one = match sum {
                Sum::Narrow => 1 << 11,
                Sum::Exact => 1 << 8,
                Sum::Whole(one) => one,
            };
            fixed.resize(x.w.len(), 0);
            axis::fix(&x.w, one, &mut fixed);
            if sum == Sum::Whole(1 << 11) {
                // Lanczos: the weights along y are as coarse as those along x.
                y.w.iter_mut().for_each(|w| *w = (*w * 2048.0).round_ties_even() / 2048.0);
            }
            if sum == Sum::Exact {
                y.w.iter_mut().for_each(|w| *w = (*w * 256.0).round_ties_even());
            }
            if let Sum::Whole(one) = sum {
                y.w.iter_mut().for_each(|w| *w /= one as f32);
            }
        }
        let narrow = sum == Some(Sum::Narrow);
        #[cfg(target_arch = "x86_64")]
        let fast = sum.and_then(|sum| {
            let split = matches!(sum, Sum::Whole(one) if one > 1 << 14);
            let shuffle = |f: &Fetch| Shuffle::new(simd::level(), &f.off, c, narrow);
            // Windows of the whole row beat copying the taps, if they are long enough.
            let whole = Fetch::new(&x, c, src.0, true);
            let mut s = match shuffle(&whole) {
                Some(s) => {
                    fetch = whole;
                    s
                }
                None => shuffle(&fetch)?,
            };
            let w = s.weights(&fixed, x.k, narrow, split);
            Some((s, w))
        });
        // Rows are made two at a time: the ring holds those of one output row and those of the next.
        let slots = (2 * y.k).next_power_of_two();
        Filter {
            h: src.1,
            c,
            gain,
            sum: sum.unwrap_or(Sum::Whole(1)),
            fixed,
            #[cfg(target_arch = "x86_64")]
            fast,
            down_first,
            #[cfg(target_arch = "x86_64")]
            fast_floats: if sum.is_none() { Floats::new(&fetch.off, &x.w, x.k, c) } else { None },
            bytes: [Vec::new(), Vec::new()],
            floats: Vec::new(),
            tags: vec![usize::MAX; slots],
            ring16: Ring::new(if narrow { slots } else { 0 }, n),
            ring32: Ring::new(if narrow || down_first { 0 } else { slots }, n),
            fetch,
            x,
            y,
        }
    }

    /// Forgets the rows of the plane before.
    pub fn start(&mut self) {
        self.tags.fill(usize::MAX);
    }

    /// Taps along y of output row `y`, trailing ones without weight left out (but never fewer than two).
    fn weights(&self, y: usize) -> &[f32] {
        let w = &self.y.w[y * self.y.k..(y + 1) * self.y.k];
        let n = w.iter().rposition(|w| *w != 0.0).map_or(2, |i| i + 1);
        &w[..n.max(2)]
    }

    /// Brings the source rows of output row `y` into the ring; returns their slots.
    fn bring<T: Sample>(
        &mut self,
        src: &Plane<T>,
        y: usize,
        make: fn(&mut Filter, &Plane<T>, usize, Option<usize>),
    ) -> [usize; 8] {
        let (k, top) = (self.weights(y).len(), self.h as i32 - 1);
        let mask = self.tags.len() - 1;
        let first = self.y.first[y];
        let mut slots = [0; 8];
        for (t, slot) in slots.iter_mut().enumerate().take(k) {
            let sy = (first + t as i32).clamp(0, top);
            *slot = sy as usize & mask;
            if self.tags[*slot] == sy as usize {
                continue;
            }
            // The next row that this or the next output row needs is made along with it, unless it would drop one.
            let ahead = if t + 1 < k { sy + 1 } else { self.y.first.get(y + 1).map_or(i32::MAX, |f| (sy + 1).max(*f)) };
            let last = self.y.first[self.y.first.len() - 1] + self.y.k as i32 - 1;
            let fits = ahead <= last.min(top) && ahead - first.max(0) <= mask as i32;
            let ahead = (fits && self.tags[ahead as usize & mask] != ahead as usize).then_some(ahead as usize);
            make(self, src, sy as usize, ahead);
            self.tags[*slot] = sy as usize;
            if let Some(a) = ahead {
                self.tags[a & mask] = a;
            }
        }
        slots
    }

    /// Output rows of a u8 plane.
    pub fn rows_u8(&mut self, src: &Plane<u8>, y0: usize, out: &mut RowsMut<u8>) {
        assert!(!self.fixed.is_empty(), "built for floats");
        for i in 0..out.n {
            let y = y0 + i;
            let slots = self.bring(src, y, Filter::make_u8);
            let w = self.weights(y);
            if self.sum == Sum::Narrow {
                let fix = |w: f32| (w * 2048.0).round_ties_even() as i16;
                let (a, b) = (self.ring16.row(slots[0]), self.ring16.row(slots[1]));
                blend_i16(a, b, fix(w[0]), fix(w[1]), out.row(i));
            } else if self.sum == Sum::Exact {
                blend_exact(self.ring32.row(slots[0]), self.ring32.row(slots[1]), w[0], w[1], out.row(i));
            } else {
                self.blend(&slots, w, out.row(i));
            }
        }
    }

    /// Output rows of a float plane.
    pub fn rows_f32(&mut self, src: &Plane<f32>, y0: usize, out: &mut RowsMut<f32>) {
        for i in 0..out.n {
            if self.down_first {
                self.row_down_first(src, y0 + i, out.row(i));
            } else {
                let slots = self.bring(src, y0 + i, Filter::make_f32);
                self.blend(&slots, self.weights(y0 + i), out.row(i));
            }
        }
    }

    /// Makes one row, or two that share the work of reading the tables.
    fn make_u8(&mut self, src: &Plane<u8>, sy: usize, ahead: Option<usize>) {
        let mask = self.tags.len() - 1;
        let [line, line2] = &mut self.bytes;
        self.fetch.fill(&self.x, src.row(sy), self.c, line);
        if let Some(a) = ahead {
            self.fetch.fill(&self.x, src.row(a), self.c, line2);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some((shuffle, w)) = &self.fast {
            let (pair, k) = (self.fetch.pair, self.x.k);
            let split = matches!(self.sum, Sum::Whole(one) if one > 1 << 14);
            let slot = sy & mask;
            match (self.sum, ahead) {
                (Sum::Narrow, None) => shuffle.narrow([line], w, [self.ring16.row_mut(slot)]),
                (Sum::Narrow, Some(a)) => shuffle.narrow([line, line2], w, self.ring16.two(slot, a & mask)),
                (_, None) => shuffle.whole([line], pair, w, k, split, [self.ring32.row_mut(slot)]),
                (_, Some(a)) => shuffle.whole([line, line2], pair, w, k, split, self.ring32.two(slot, a & mask)),
            }
            return;
        }
        for (sy, line) in [Some(sy), ahead].into_iter().flatten().zip([line, line2]) {
            match self.sum {
                Sum::Narrow => line::narrow(line, &self.fetch, &self.fixed, self.c, self.ring16.row_mut(sy & mask)),
                Sum::Exact | Sum::Whole(_) => {
                    line::whole(line, &self.fetch, self.x.k, &self.fixed, self.c, self.ring32.row_mut(sy & mask))
                }
            }
        }
    }

    fn make_f32(&mut self, src: &Plane<f32>, sy: usize, ahead: Option<usize>) {
        let mask = self.tags.len() - 1;
        for sy in [Some(sy), ahead].into_iter().flatten() {
            self.fetch.fill(&self.x, src.row(sy), self.c, &mut self.floats);
            let out = self.ring32.row_mut(sy & mask);
            #[cfg(target_arch = "x86_64")]
            if let Some(f) = &self.fast_floats {
                f.row(&self.floats, out);
                continue;
            }
            line::float(&self.floats, &self.fetch, self.x.k, &self.x.w, self.c, out);
        }
    }

    fn row_down_first(&mut self, src: &Plane<f32>, y: usize, out: &mut [f32]) {
        let w = &self.y.w[y * self.y.k..(y + 1) * self.y.k];
        let w = &w[..w.iter().rposition(|w| *w != 0.0).map_or(2, |i| i + 1).max(2)];
        let (first, top) = (self.y.first[y], self.h as i32 - 1);
        let (middle, from) = self.fetch.middle(self.c, &mut self.floats);
        blend_any(|t| &src.row((first + t as i32).clamp(0, top) as usize)[from.clone()], w, self.gain, middle);
        self.fetch.seal(self.c, &mut self.floats);
        #[cfg(target_arch = "x86_64")]
        if let Some(f) = &self.fast_floats {
            return f.row(&self.floats, out);
        }
        line::float(&self.floats, &self.fetch, self.x.k, &self.x.w, self.c, out);
    }

    fn blend<T: Sample>(&self, slots: &[usize; 8], w: &[f32], out: &mut [T]) {
        blend_any(|t| self.ring32.row(slots[t]), w, self.gain, out);
    }
}

/// Weighted sum of rows, in order, times `gain`.
fn blend_any<'a, T: Sample>(row: impl Fn(usize) -> &'a [f32], w: &[f32], gain: f32, out: &mut [T]) {
    fn some<'a, T: Sample, const K: usize>(row: impl Fn(usize) -> &'a [f32], w: &[f32], gain: f32, out: &mut [T]) {
        let rows: [&[f32]; K] = std::array::from_fn(row);
        let w = std::array::from_fn(|t| w[t]);
        #[cfg(target_arch = "x86_64")]
        let done = if T::DTYPE == DType::U8 { resize_rows::blend(rows, w, gain, bytes_of_mut(out)) } else { 0 };
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        if done < out.len() {
            blend_f32(rows.map(|r| &r[done..]), w, gain, &mut out[done..]);
        }
    }
    match w.len() {
        2 => some::<T, 2>(row, w, gain, out),
        3 => some::<T, 3>(row, w, gain, out),
        4 => some::<T, 4>(row, w, gain, out),
        5 => some::<T, 5>(row, w, gain, out),
        6 => some::<T, 6>(row, w, gain, out),
        7 => some::<T, 7>(row, w, gain, out),
        _ => some::<T, 8>(row, w, gain, out),
    }
}

simd! {
    /// Two rows of 7 fractional bits blended with 11-bit weights; each product loses its low 16 bits, as in OpenCV.
    fn blend_i16(a: &[i16], b: &[i16], wa: i16, wb: i16, out: &mut [u8]) {
        let n = out.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in 0..n {
            let p = (a[i] as i32 * wa as i32) >> 16;
            let q = (b[i] as i32 * wb as i32) >> 16;
            out[i] = ((p as i16 + q as i16 + 2) >> 2) as u8;
        }
    }
}

simd! {
    /// Two rows of 8 fractional bits blended with 8-bit weights. All numbers are whole and below 2²⁴, so exact.
    fn blend_exact(a: &[f32], b: &[f32], wa: f32, wb: f32, out: &mut [u8]) {
        let n = out.len();
        let (a, b) = (&a[..n], &b[..n]);
        for i in 0..n {
            let sum = a[i] * wa + b[i] * wb;
            out[i] = u8::from_f32(((sum + 32768.0) * (1.0 / 65536.0)).floor());
        }
    }
}

simd! {
    fn blend_f32[T: Sample, const K: usize][T, K](rows: [&[f32]; K], w: [f32; K], gain: f32, out: &mut [T]) {
        let n = out.len();
        let rows = rows.map(|r| &r[..n]);
        for i in 0..n {
            let mut sum = rows[0][i] * w[0];
            for t in 1..K {
                sum += rows[t][i] * w[t];
            }
            out[i] = T::from_f32(sum * gain);
        }
    }
}
