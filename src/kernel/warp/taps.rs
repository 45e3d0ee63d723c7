//! K × K taps with float weights: every filter on f32, Lanczos on u8.
//!
//! Columns of taps are added up top to bottom, then the columns left to right; each product is rounded by itself.

use super::coords::{Exact, Line};
use super::weights::{cubic_f32, lanczos as lanczos_table};
use super::{CHUNK, Warp, tile};
use crate::image::{Border, Plane, RowsMut, Sample};
use crate::simd;

/// What lies outside.
#[derive(Clone, Copy)]
struct Outside<'a, T> {
    border: Border,
    fill: &'a [T],
}

/// One pixel with its K × K taps inside, the first at `at`.
#[inline(always)]
fn inner<T: Sample, const K: usize, const C: usize>(
    data: &[T],
    at: usize,
    stride: usize,
    wx: &[f32; K],
    wy: &[f32; K],
    out: &mut [T; C],
) {
    // Room for K · C, which a type cannot say.
    let mut columns = [0f32; 32];
    for k in 0..K {
        let row = &data[at + k * stride..][..K * C];
        for j in 0..K * C {
            columns[j] += wy[k] * row[j].to_f32();
        }
    }
    for c in 0..C {
        let mut sum = 0.0;
        for t in 0..K {
            sum += wx[t] * columns[t * C + c];
        }
        out[c] = T::from_f32(sum);
    }
}

/// One pixel with any taps outside, or with any number of components. `first`: its first tap.
#[inline(never)]
fn outer<T: Sample, const K: usize>(
    src: &Plane<T>,
    first: [i32; 2],
    wx: &[f32; K],
    wy: &[f32; K],
    o: Outside<T>,
    out: &mut [T],
) {
    let taps =
        |a: i32, n: usize| -> [Option<usize>; K] { std::array::from_fn(|k| o.border.fold(a as isize + k as isize, n)) };
    let (xs, ys) = (taps(first[0], src.w), taps(first[1], src.h));
    if xs.iter().all(Option::is_none) || ys.iter().all(Option::is_none) {
        return out.copy_from_slice(o.fill);
    }
    for (c, out) in out.iter_mut().enumerate() {
        let mut sum = 0.0;
        for t in 0..K {
            let mut column = 0.0;
            for k in 0..K {
                let p = match (xs[t], ys[k]) {
                    (Some(x), Some(y)) => src.data[y * src.stride + x * src.c + c],
                    _ => o.fill[c],
                };
                column += wy[k] * p.to_f32();
            }
            sum += wx[t] * column;
        }
        *out = T::from_f32(sum);
    }
}

/// The pixels of a chunk. `first` are their first taps; `weights` of a pixel's index and axis.
#[inline(always)]
fn chunk<T: Sample, const K: usize, const C: usize>(
    src: &Plane<T>,
    first: &[[i32; CHUNK]; 2],
    weights: impl Fn(usize, usize) -> [f32; K],
    o: Outside<T>,
    out: &mut [T],
) {
    let (right, low) = ((src.w + 1).saturating_sub(K) as u32, (src.h + 1).saturating_sub(K) as u32);
    for (i, p) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
        let (ix, iy) = (first[0][i], first[1][i]);
        let (wx, wy) = (weights(i, 0), weights(i, 1));
        if (ix as u32) < right && (iy as u32) < low {
            let at = iy as usize * src.stride + ix as usize * C;
            inner::<T, K, C>(src.data, at, src.stride, &wx, &wy, p);
        } else {
            outer(src, [ix, iy], &wx, &wy, o, p);
        }
    }
}

/// As `chunk`, for any number of components.
fn chunk_any<T: Sample, const K: usize>(
    src: &Plane<T>,
    first: &[[i32; CHUNK]; 2],
    weights: impl Fn(usize, usize) -> [f32; K],
    o: Outside<T>,
    out: &mut [T],
) {
    for (i, p) in out.chunks_exact_mut(src.c).enumerate() {
        outer(src, [first[0][i], first[1][i]], &weights(i, 0), &weights(i, 1), o, p);
    }
}

macro_rules! filter {
    ($(#[$m:meta])* $rows:ident, $pass:ident, $K:literal, $reach:literal, $weights:expr, $positions:expr) => {
        simd! {
            fn $pass[T: Sample, const C: usize][T, C](src: &Plane<T>, e: &Exact, border: Border, fill: &[T], out: &mut [T]) {
                let weights = |i: usize, axis: usize| -> [f32; $K] { $weights(e.f[axis][i]) };
                chunk::<T, $K, C>(src, &e.i, weights, Outside { border, fill }, out)
            }
        }

        $(#[$m])*
        pub(super) fn $rows<T: Sample>(
            src: &Plane<T>,
            warp: &Warp,
            fill: &[T],
            x0: usize,
            y0: usize,
            out: &mut RowsMut<T>,
        ) {
            let border = warp.border;
            let mut e = Exact { i: [[0; CHUNK]; 2], f: [[0.0; CHUNK]; 2] };
            tile::segments(src, warp, $reach, fill, (x0, y0), out, |line, x, o| {
                $positions(line, x, o.len() / src.c, &mut e);
                match src.c {
                    1 => $pass::<T, 1>(src, &e, border, fill, o),
                    3 => $pass::<T, 3>(src, &e, border, fill, o),
                    4 => $pass::<T, 4>(src, &e, border, fill, o),
                    _ => {
                        let weights = |i: usize, axis: usize| -> [f32; $K] { $weights(e.f[axis][i]) };
                        chunk_any(src, &e.i, weights, Outside { border, fill }, o)
                    }
                }
            });
        }
    };
}

filter! {
    /// Two taps an axis.
    linear, linear_pass, 2, 1, |f: f32| [1.0 - f, f], Line::exact_chunk
}

filter! {
    /// Four taps an axis.
    cubic, cubic_pass, 4, 2, cubic_f32, |line: &Line, x: usize, n: usize, e: &mut Exact| {
        line.exact_chunk(x, n, e);
        e.i.as_flattened_mut().iter_mut().for_each(|i| *i -= 1);
    }
}

filter! {
    /// Eight taps an axis, positions on a 1/32 grid: the fraction holds the index of the weights.
    lanczos, lanczos_pass, 8, 5, |f: f32| lanczos_table()[f as usize & 31], |line: &Line, x: usize, n: usize, e: &mut Exact| {
        for k in 0..n {
            let (gx, gy) = line.grid(x + k);
            for (axis, g) in [gx, gy].into_iter().enumerate() {
                e.i[axis][k] = ((g >> 5) - 3).clamp(i32::MIN as i64, i32::MAX as i64) as i32;
                e.f[axis][k] = (g & 31) as f32;
            }
        }
    }
}
