//! Exact moves: crop, flip, transpose, quarter turns, 3-D orientations and borders, one window read at a time.
//!
//! Elements are moved without being understood. A window reads each axis in *runs* (ascending, descending, standing
//! still, or fill), so a border is only more runs: no index table, and the long runs are copies, mirrors or transposes.

mod mirror;
mod run;
#[cfg(test)]
mod tests;
mod transpose;

pub use mirror::mirror_row;
pub(crate) use transpose::Walk;

use crate::image::{Element, RowsMut, Volume, Window};
use run::{Run, runs};

/// Rows `y0..` of output slice `z` of the window over `src`, into `out` (as wide as the window).
///
/// `fill` is one pixel (`src.c` elements) for a constant border. Any split into bands gives the same rows.
pub fn window_rows<E: Element>(src: &Volume<E>, win: &Window, fill: &[E], z: usize, y0: usize, out: &mut RowsMut<E>) {
    let [az, ay, ax] = &win.axes;
    let c = src.c;
    assert!(out.w == ax.n && out.c == c && y0 + out.n <= ay.n && z < az.n);
    let strides = [src.slice, src.row, c];
    let Some(sz) = az.read(z, win.border) else {
        fill_rows(out, 0, out.n, fill);
        return;
    };
    let base = sz * strides[az.from];
    let xs = runs(ax, win.border, 0, ax.n);
    for ry in runs(ay, win.border, y0, out.n) {
        let (Some(sy), y) = (ry.from, ry.to) else {
            fill_rows(out, ry.to, ry.n, fill);
            continue;
        };
        let first = base + sy * strides[ay.from];
        let step = ry.step * strides[ay.from] as isize;
        if ax.from == 2 {
            row_runs(src, first, step, &xs, fill, out, y, ry.n);
        } else {
            for rx in &xs {
                let at = &mut out.data[y * out.stride + rx.to * c..];
                match rx.from {
                    Some(sx) => transpose::strided_rows(
                        &src.data[..],
                        Walk {
                            first: first + sx * strides[ax.from],
                            dy: step,
                            dx: rx.step * strides[ax.from] as isize,
                            c,
                        },
                        at,
                        out.stride,
                        ry.n,
                        rx.n,
                    ),
                    None => {
                        for row in at.chunks_mut(out.stride).take(ry.n) {
                            fill_pixels(&mut row[..rx.n * c], fill);
                        }
                    }
                }
            }
        }
    }
}

/// Rows whose pixels lie along source rows: row `y + i` of `out` reads from element `first + i·step` on.
#[allow(clippy::too_many_arguments)]
fn row_runs<E: Element>(
    src: &Volume<E>,
    first: usize,
    step: isize,
    xs: &[Run],
    fill: &[E],
    out: &mut RowsMut<E>,
    y: usize,
    n: usize,
) {
    let (c, len) = (src.c, out.w * src.c);
    if let [Run { from: Some(sx), step: 1, .. }] = *xs
        && step == len as isize
        && out.stride == len
    {
        let start = first + sx * c;
        out.data[y * len..(y + n) * len].copy_from_slice(&src.data[start..start + n * len]);
        return;
    }
    let uniform = fill.iter().all(|v| *v == fill[0]);
    for i in 0..n {
        let start = first.wrapping_add_signed(i as isize * step);
        let row = &src.data[start..start + src.w * c];
        let (above, rest) = out.data.split_at_mut((y + i) * out.stride);
        let dst = &mut rest[..len];
        for r in xs {
            let part = &mut dst[r.to * c..(r.to + r.n) * c];
            match (r.from, r.step) {
                (Some(s), 1) => part.copy_from_slice(&row[s * c..(s + r.n) * c]),
                (Some(s), -1) => mirror_row(&row[(s + 1 - r.n) * c..(s + 1) * c], part, c),
                (Some(s), _) => fill_pixels(part, &row[s * c..(s + 1) * c]),
                // The same run of the row above is filled already; copying it is faster than laying pixels anew.
                (None, _) if i > 0 && !uniform => {
                    let above = &above[above.len() - out.stride + r.to * c..];
                    part.copy_from_slice(&above[..part.len()]);
                }
                (None, _) => fill_pixels(part, fill),
            }
        }
    }
}

/// Fills rows `y..y+n` of `out` with one pixel.
pub fn fill_rows<E: Element>(out: &mut RowsMut<E>, y: usize, n: usize, pixel: &[E]) {
    if n == 0 {
        return;
    }
    let (len, stride) = (out.w * out.c, out.stride);
    if stride == len {
        fill_pixels(&mut out.data[y * len..(y + n) * len], pixel);
        return;
    }
    for i in y..y + n {
        fill_pixels(out.row(i), pixel);
    }
}

/// Fills a run of pixels with one pixel (its length is the number of components).
#[inline]
pub fn fill_pixels<E: Element>(out: &mut [E], pixel: &[E]) {
    /// Elements from which on copying what is filled already beats laying single pixels.
    const DOUBLE: usize = 192;
    if pixel.iter().all(|v| *v == pixel[0]) {
        out.fill(pixel[0]);
        return;
    }
    let head = out.len().min(DOUBLE / pixel.len() * pixel.len()).max(pixel.len().min(out.len()));
    match *pixel {
        [a, b] => out[..head].as_chunks_mut().0.fill([a, b]),
        [a, b, c] => out[..head].as_chunks_mut().0.fill([a, b, c]),
        [a, b, c, d] => out[..head].as_chunks_mut().0.fill([a, b, c, d]),
        _ => out[..head].chunks_exact_mut(pixel.len()).for_each(|p| p.copy_from_slice(pixel)),
    }
    let mut done = head;
    while done < out.len() {
        // Beyond a few kB the source of the copy should stay in the first-level cache.
        let n = done.min(out.len() - done).min(4096 / pixel.len() * pixel.len()).max(1);
        out.copy_within(..n, done);
        done += n;
    }
}

/// Copies `out.n` rows of `src`, `stride` elements apart, into `out`.
pub fn copy_rows<E: Element>(src: &[E], stride: usize, out: &mut RowsMut<E>) {
    let len = out.w * out.c;
    if stride == len && out.stride == len {
        out.data[..out.n * len].copy_from_slice(&src[..out.n * len]);
        return;
    }
    for i in 0..out.n {
        out.row(i).copy_from_slice(&src[i * stride..i * stride + len]);
    }
}
