//! K × K taps with float weights: every filter on f32.
//!
//! Columns of taps are added up top to bottom, then the columns left to right; each product is rounded by itself.

use super::chunk::{Frame, addresses};
use super::coords::{Exact, Line};
use super::fold::fold_exact;
use super::weights::{cubic_f32, lanczos_f32};
use super::{BLOCK, BLOCKS, CHUNK, Positions, Warp, tile};
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
            let p = wy[k] * row[j].to_f32();
            columns[j] = if k == 0 { p } else { columns[j] + p };
        }
    }
    for c in 0..C {
        let mut sum = wx[0] * columns[c];
        for t in 1..K {
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
        let column = |t: usize| {
            let tap = |k: usize| match (xs[t], ys[k]) {
                (Some(x), Some(y)) => wy[k] * src.data[y * src.stride + x * src.c + c].to_f32(),
                _ => wy[k] * o.fill[c].to_f32(),
            };
            wx[t] * (1..K).fold(tap(0), |sum, k| sum + tap(k))
        };
        *out = T::from_f32((1..K).fold(column(0), |sum, t| sum + column(t)));
    }
}

/// Weights of a chunk: of each axis, tap and pixel.
type Weights<const K: usize> = [[[f32; CHUNK]; K]; 2];

/// Addresses of a chunk.
struct Addresses {
    /// First tap of each pixel, as an element of the source.
    off: [u32; CHUNK],
    /// 1 where the pixel cannot be done in passes; its address is that of some other then.
    bad: [u8; CHUNK],
}

/// The pixels of a chunk. `first` are their first taps.
fn chunk<T: Sample, const K: usize>(
    src: &Plane<T>,
    first: &[[i32; CHUNK]; 2],
    weights: &Weights<K>,
    o: Outside<T>,
    a: &mut Addresses,
    out: &mut [T],
) {
    let c = src.c;
    match c {
        1 => inside::<T, K, 1>(src, first, weights, a, out),
        3 => inside::<T, K, 3>(src, first, weights, a, out),
        4 => inside::<T, K, 4>(src, first, weights, a, out),
        _ => a.bad.fill(1),
    }
    tile::each_marked(&a.bad, out.len() / c, |i| {
        let w: [[f32; K]; 2] = std::array::from_fn(|axis| std::array::from_fn(|t| weights[axis][t][i]));
        outer(src, [first[0][i], first[1][i]], &w[0], &w[1], o, &mut out[i * c..][..c]);
    });
}

/// The pixels whose taps are all inside; the others are marked.
fn inside<T: Sample, const K: usize, const C: usize>(
    src: &Plane<T>,
    first: &[[i32; CHUNK]; 2],
    weights: &Weights<K>,
    a: &mut Addresses,
    out: &mut [T],
) {
    let n = out.len() / C;
    #[cfg(target_arch = "x86_64")]
    if crate::simd::level() >= crate::simd::Level::V3 {
        use crate::kernel::x86::warp_taps::{Chunk, load, taps_v3};
        if let Some(load) = load::<T, K, C>() {
            if address::<T, K>(src, load, first, n, a) {
                taps_v3::<T, K, C>(src.data, &Chunk { stride: src.stride, off: &a.off, weights }, out);
            }
            return;
        }
    }
    if address::<T, K>(src, K * C, first, n, a) {
        inside_plain::<T, K, C>(src, &a.off, weights, out);
    }
}

/// Addresses of a chunk, `load` elements being read at each row. False, and all marked, if none can be done.
fn address<T: Sample, const K: usize>(
    src: &Plane<T>,
    load: usize,
    first: &[[i32; CHUNK]; 2],
    n: usize,
    a: &mut Addresses,
) -> bool {
    let Some(frame) = Frame::new(src, K, load) else {
        a.bad.fill(1);
        return false;
    };
    let m = n.div_ceil(BLOCK);
    let [x, y] = first.each_ref().map(|v| &v.as_chunks::<BLOCK>().0[..m]);
    addresses::<0, 0>(frame, x, y, &mut a.off, &mut a.bad);
    true
}

simd! {
    fn inside_plain[T: Sample, const K: usize, const C: usize][T, K, C](
        src: &Plane<T>,
        off: &[u32; CHUNK],
        weights: &Weights<K>,
        out: &mut [T],
    ) {
        for (i, p) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let w: [[f32; K]; 2] = std::array::from_fn(|axis| std::array::from_fn(|t| weights[axis][t][i]));
            inner::<T, K, C>(src.data, off[i] as usize, src.stride, &w[0], &w[1], p);
        }
    }
}

/// Rows of a filter of K taps, none of which is inside for positions `reach` or more outside; `fill_in` makes the first
/// taps and weights of a chunk.
#[allow(clippy::too_many_arguments)]
fn rows<T: Sample, const K: usize>(
    src: &Plane<T>,
    warp: &Warp,
    reach: i64,
    fill: &[T],
    origin: (usize, usize),
    out: &mut RowsMut<T>,
    mut fill_in: impl FnMut(&Line, usize, usize, &mut Exact, &mut Weights<K>),
) {
    let o = Outside { border: warp.border, fill };
    let mut e = Exact { i: [[0; CHUNK]; 2], f: [[0.0; CHUNK]; 2] };
    let mut weights = [[[0.0; CHUNK]; K]; 2];
    let mut a = Addresses { off: [0; CHUNK], bad: [0; CHUNK] };
    tile::segments(src, warp, reach, fill, origin, out, |line, x, out| {
        fill_in(line, x, out.len() / src.c, &mut e, &mut weights);
        chunk::<T, K>(src, &e.i, &weights, o, &mut a, out);
    });
}

/// Folded positions of columns `x..x + n`.
fn positions(line: &Line, x: usize, n: usize, (w, h): (usize, usize), border: Border, clamp: bool, e: &mut Exact) {
    line.exact_chunk(x, n, e);
    let ([ix, iy], [fx, fy]) = (&mut e.i, &mut e.f);
    fold_exact(&mut ix[..n], &mut fx[..n], w, border, clamp);
    fold_exact(&mut iy[..n], &mut fy[..n], h, border, clamp);
}

/// Two taps an axis.
pub(super) fn linear<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, out: &mut RowsMut<T>) {
    rows::<T, 2>(src, warp, 1, fill, (x0, y0), out, |line, x, n, e, w| {
        positions(line, x, n, (src.w, src.h), warp.border, true, e);
        linear_weights(&e.f, n, w);
    });
}

simd! {
    fn linear_weights(f: &[[f32; CHUNK]; 2], n: usize, w: &mut Weights<2>) {
        for (f, [a, b]) in f.iter().zip(w) {
            for ((&f, a), b) in f[..n].iter().zip(a).zip(b) {
                (*a, *b) = (1.0 - f, f);
            }
        }
    }
}

/// Four taps an axis.
pub(super) fn cubic<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, out: &mut RowsMut<T>) {
    rows::<T, 4>(src, warp, 2, fill, (x0, y0), out, |line, x, n, e, w| {
        positions(line, x, n, (src.w, src.h), warp.border, false, e);
        cubic_weights(e, n, w);
    });
}

simd! {
    fn cubic_weights(e: &mut Exact, n: usize, w: &mut Weights<4>) {
        for (f, [a, b, c, d]) in e.f.iter().zip(w) {
            for ((((&f, a), b), c), d) in f[..n].iter().zip(a).zip(b).zip(c).zip(d) {
                [*a, *b, *c, *d] = cubic_f32(f);
            }
        }
        for i in &mut e.i {
            i[..n].iter_mut().for_each(|i| *i -= 1);
        }
    }
}

/// Eight taps an axis, positions on a 1/32 grid.
pub(super) fn lanczos<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, out: &mut RowsMut<T>) {
    let table = lanczos_f32();
    let mut s: Positions = [[[0; BLOCK]; BLOCKS]; 2];
    rows::<T, 8>(src, warp, 5, fill, (x0, y0), out, |line, x, n, e, w| {
        let [gx, gy] = &mut s;
        line.grid_chunk(x, n, gx, gy);
        for (axis, g) in s.iter().enumerate() {
            for (k, &g) in g.as_flattened()[..n].iter().enumerate() {
                e.i[axis][k] = (g >> 5) - 3;
                for (w, v) in w[axis].iter_mut().zip(table[(g & 31) as usize]) {
                    w[k] = v;
                }
            }
        }
    });
}
