//! K × K taps with float weights: every filter on f32, Lanczos on u8.
//!
//! Columns of taps are added up top to bottom, then the columns left to right; each product is rounded by itself.

use super::coords::{Exact, Line};
use super::weights::{cubic_f32, lanczos as lanczos_table};
use super::{Warp, tile};
use crate::image::{Border, Plane, RowsMut, Sample};
use crate::simd;

/// First tap and weights of one axis.
struct Axis<'w, const K: usize> {
    first: i64,
    w: &'w [f32; K],
}

/// B components of a pixel.
#[inline(always)]
fn block<'t, T: Sample, const K: usize, const B: usize>(
    tap: impl Fn(usize, usize) -> &'t [T],
    wx: &[f32; K],
    wy: &[f32; K],
    out: &mut [T],
) {
    let mut sum = [0f32; B];
    for t in 0..K {
        let mut column = [0f32; B];
        for k in 0..K {
            let p = &tap(k, t)[..B];
            for c in 0..B {
                column[c] += wy[k] * p[c].to_f32();
            }
        }
        for c in 0..B {
            sum[c] += wx[t] * column[c];
        }
    }
    for (o, s) in out[..B].iter_mut().zip(sum) {
        *o = T::from_f32(s);
    }
}

/// One pixel; `C` 0 stands for any number of components.
#[inline(always)]
fn pixel<T: Sample, const K: usize, const C: usize>(
    src: &Plane<T>,
    x: Axis<K>,
    y: Axis<K>,
    border: Border,
    fill: &[T],
    out: &mut [T],
) {
    let c = if C > 0 { C } else { src.c };
    let inside = |a: i64, n: usize| a >= 0 && a + K as i64 <= n as i64;
    if inside(x.first, src.w) && inside(y.first, src.h) {
        let at = y.first as usize * src.stride + x.first as usize * c;
        let rows: [&[T]; K] = std::array::from_fn(|k| &src.data[at + k * src.stride..][..K * c]);
        return components::<T, K, C>(|k, t, from| &rows[k][t * c + from..t * c + c], c, x.w, y.w, out);
    }
    let taps =
        |a: i64, n: usize| -> [Option<usize>; K] { std::array::from_fn(|k| border.fold(a as isize + k as isize, n)) };
    let (xs, ys) = (taps(x.first, src.w), taps(y.first, src.h));
    if xs.iter().all(Option::is_none) || ys.iter().all(Option::is_none) {
        return out.copy_from_slice(fill);
    }
    let tap = |k: usize, t: usize, from: usize| match (xs[t], ys[k]) {
        (Some(x), Some(y)) => &src.data[y * src.stride + x * c + from..][..c - from],
        _ => &fill[from..c],
    };
    components::<T, K, C>(tap, c, x.w, y.w, out)
}

#[inline(always)]
fn components<'t, T: Sample, const K: usize, const C: usize>(
    tap: impl Fn(usize, usize, usize) -> &'t [T],
    c: usize,
    wx: &[f32; K],
    wy: &[f32; K],
    out: &mut [T],
) {
    if C > 0 {
        return block::<T, K, C>(|k, t| tap(k, t, 0), wx, wy, out);
    }
    let mut from = 0;
    while from + 8 <= c {
        block::<T, K, 8>(|k, t| tap(k, t, from), wx, wy, &mut out[from..]);
        from += 8;
    }
    while from < c {
        block::<T, K, 1>(|k, t| tap(k, t, from), wx, wy, &mut out[from..]);
        from += 1;
    }
}

macro_rules! filter {
    ($(#[$m:meta])* $rows:ident, $line:ident, $K:literal, $margin:expr, |$l:ident, $x:ident| $axes:block) => {
        simd! {
            fn $line[T: Sample, const C: usize][T, C](src: &Plane<T>, line: &Line, border: Border, fill: &[T], x0: usize, out: &mut [T]) {
                let c = if C > 0 { C } else { src.c };
                for (i, p) in out.chunks_exact_mut(c).enumerate() {
                    let ($l, $x) = (line, x0 + i);
                    let ((fx, wx), (fy, wy)) = $axes;
                    pixel::<T, $K, C>(src, Axis { first: fx, w: &wx }, Axis { first: fy, w: &wy }, border, fill, p);
                }
            }
        }

        $(#[$m])*
        pub(super) fn $rows<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, out: &mut RowsMut<T>) {
            let c = src.c;
            tile::segments(src, warp, $margin, fill, (x0, y0), out, |line, a, o| {
                match c {
                    1 => $line::<T, 1>(src, line, warp.border, fill, a, o),
                    3 => $line::<T, 3>(src, line, warp.border, fill, a, o),
                    4 => $line::<T, 4>(src, line, warp.border, fill, a, o),
                    _ => $line::<T, 0>(src, line, warp.border, fill, a, o),
                }
            });
        }
    };
}

filter! {
    /// Two taps an axis.
    linear, linear_line, 2, 1, |line, x| {
        let (px, py) = line.exact(x);
        let axis = |p: Exact| (p.i, [1.0 - p.f, p.f]);
        (axis(px), axis(py))
    }
}

filter! {
    /// Four taps an axis.
    cubic, cubic_line, 4, 2, |line, x| {
        let (px, py) = line.exact(x);
        let axis = |p: Exact| (p.i - 1, cubic_f32(p.f));
        (axis(px), axis(py))
    }
}

filter! {
    /// Eight taps an axis, positions on a 1/32 grid.
    lanczos, lanczos_line, 8, 5, |line, x| {
        let (gx, gy) = line.grid(x);
        let axis = |g: i64| ((g >> 5) - 3, lanczos_table()[(g & 31) as usize]);
        (axis(gx), axis(gy))
    }
}
