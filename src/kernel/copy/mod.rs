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

use crate::image::{Element, RowsMut, Volume, Window};
use run::runs;

/// Where output pixels lie in the source, in elements: pixel (x, y) reads `c` elements from `first + y·dy + x·dx` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub first: usize,
    pub dy: isize,
    pub dx: isize,
    pub c: usize,
}

#[cfg(target_arch = "x86_64")]
impl Walk {
    /// Lowest and highest element that `ny` rows of `nx` pixels read.
    pub fn extent(&self, ny: usize, nx: usize) -> (isize, isize) {
        let (fy, fx) = (self.dy * (ny as isize - 1), self.dx * (nx as isize - 1));
        let first = self.first as isize;
        (first + fy.min(0) + fx.min(0), first + fy.max(0) + fx.max(0) + self.c as isize - 1)
    }
}

/// Rows of an output whose runs are worked on together: so many that a call for each run costs nothing, so few that what
/// one run has touched is still in the second-level cache for the next.
const BAND_BYTES: usize = 64 << 10;

/// Rows `y0..` of output slice `z` of the window over `src`, into `out` (as wide as the window).
///
/// `fill` is one pixel (`src.c` elements) for a constant border. Any split into bands gives the same rows.
pub fn window_rows<E: Element>(src: &Volume<E>, win: &Window, fill: &[E], z: usize, y0: usize, out: &mut RowsMut<E>) {
    assert!(z < win.axes[0].n);
    window_plane(src, win, fill, (0, z), (1, y0), out);
}

/// All slices of the window over `src`, packed. The same values as [`window_rows`] of every slice; where the slices read
/// along source rows it is much faster, because it writes many slices for each line it reads.
pub fn window_slices<E: Element>(src: &Volume<E>, win: &Window, fill: &[E], out: &mut [E]) {
    let (w, h, d) = win.size();
    let len = w * src.c;
    assert_eq!(out.len(), d * h * len);
    if win.axes[0].from == 2 {
        for y in 0..h {
            let data = &mut out[y * len..];
            window_plane(src, win, fill, (1, y), (0, 0), &mut RowsMut { data, n: d, w, c: src.c, stride: h * len });
        }
    } else {
        for (z, data) in out.chunks_exact_mut(h * len).enumerate() {
            window_rows(src, win, fill, z, 0, &mut RowsMut::packed(data, w, h, src.c));
        }
    }
}

/// What the window shows at one index of the output axis `still`, as rows from `start` on along the output axis `down`.
fn window_plane<E: Element>(
    src: &Volume<E>,
    win: &Window,
    fill: &[E],
    (still, at): (usize, usize),
    (down, start): (usize, usize),
    out: &mut RowsMut<E>,
) {
    let (az, ay, ax) = (&win.axes[still], &win.axes[down], &win.axes[2]);
    let c = src.c;
    assert!(out.w == ax.n && out.c == c && start + out.n <= ay.n);
    let strides = [src.slice, src.row, c];
    let Some(sz) = az.read(at, win.border) else {
        fill_rows(out, 0, out.n, fill);
        return;
    };
    let base = sz * strides[az.from];
    let xs = runs(ax, win.border, 0, ax.n);
    let blank = xs.iter().filter(|r| r.from.is_none()).map(|r| r.n).max().unwrap_or(0);
    let mut filled = vec![E::default(); blank * c];
    fill_pixels(&mut filled, fill);
    // Transposes choose their own tiles; rows that lie along source rows go in bands.
    let most = if ax.from == 2 && xs.len() > 1 { (BAND_BYTES / (out.w * c * size_of::<E>())).max(1) } else { out.n };
    for ry in runs(ay, win.border, start, out.n) {
        let Some(sy) = ry.from else {
            fill_rows(out, ry.to, ry.n, fill);
            continue;
        };
        let dy = ry.step * strides[ay.from] as isize;
        for i in (0..ry.n).step_by(most.max(1)) {
            let n = most.min(ry.n - i);
            let first = (base + sy * strides[ay.from]).wrapping_add_signed(i as isize * dy);
            for rx in &xs {
                let at = &mut out.data[(ry.to + i) * out.stride + rx.to * c..];
                match rx.from {
                    Some(sx) => {
                        let (d, s) = (rx.step * strides[ax.from] as isize, strides[ax.from]);
                        move_rows(src.data, Walk { first: first + sx * s, dy, dx: d, c }, at, out.stride, n, rx.n);
                    }
                    None => {
                        let walk = Walk { first: 0, dy: 0, dx: c as isize, c };
                        move_rows(&filled, walk, at, out.stride, n, rx.n);
                    }
                }
            }
        }
    }
}

/// Writes `ny` rows of `nx` pixels, `stride` elements apart, read along `walk`.
fn move_rows<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    let (c, len) = (walk.c as isize, nx * walk.c);
    if walk.dx == c && walk.dy == len as isize && stride == len {
        out[..ny * len].copy_from_slice(&src[walk.first..walk.first + ny * len]);
        return;
    }
    #[cfg(target_arch = "x86_64")]
    {
        use crate::kernel::x86::{flip, transpose};
        use crate::simd::{Level, level};
        let l = level();
        if l >= Level::V3
            && (flip::rows(l, src, walk, out, stride, ny, nx) || transpose::rows(l, src, walk, out, stride, ny, nx))
        {
            return;
        }
    }
    plain(src, walk, out, stride, ny, nx);
}

/// The text that defines the bytes.
fn plain<E: Element>(src: &[E], walk: Walk, out: &mut [E], stride: usize, ny: usize, nx: usize) {
    let (c, len) = (walk.c as isize, nx * walk.c);
    if walk.dx.abs() != c && walk.dx != 0 {
        transpose::plain(src, walk, out, stride, ny, nx);
        return;
    }
    for y in 0..ny {
        let first = walk.first.wrapping_add_signed(y as isize * walk.dy);
        let row = &mut out[y * stride..y * stride + len];
        if walk.dx == 0 {
            fill_pixels(row, &src[first..first + walk.c]);
        } else if walk.dx > 0 {
            row.copy_from_slice(&src[first..first + len]);
        } else {
            let end = first + walk.c;
            mirror::plain(&src[end - len..end], row, walk.c);
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
    const DOUBLE: usize = 48;
    let c = pixel.len();
    if pixel.iter().all(|v| *v == pixel[0]) {
        if let Some(v) = pixel.first() {
            out.fill(*v);
        }
        return;
    }
    let head = out.len().min((DOUBLE / c).max(1) * c);
    match *pixel {
        [a, b] => out[..head].as_chunks_mut().0.fill([a, b]),
        [a, b, c] => out[..head].as_chunks_mut().0.fill([a, b, c]),
        [a, b, c, d] => out[..head].as_chunks_mut().0.fill([a, b, c, d]),
        _ => out[..head].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(pixel)),
    }
    let mut done = head;
    while done < out.len() {
        // Beyond a few kB the source of the copy should stay in the first-level cache.
        let n = done.min(out.len() - done).min((4096 / c).max(1) * c);
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
