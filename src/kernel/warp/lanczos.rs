//! Lanczos sampling of u8 in integers, positions on a 1/32 grid as OpenCV's.
//!
//! Columns of eight taps first: each product of a pixel and a weight's magnitude is cut to Q7 and added or subtracted by
//! the tap's sign, which 16 bits hold with 128 levels taken off. Then the eight columns with Q14 weights, rounded once.
//!
//! Pixels with taps outside are done the same way on a copy of their taps.

use super::chunk::{Frame, Run, Taps, addresses};
use super::coords::Line;
use super::fold::{extent, mirror, wrap};
use super::weights::{NEGATIVE, lanczos};
use super::{BLOCK, BLOCKS, Block, Positions, Warp, tile};
use crate::image::{Border, Plane, RowsMut};
use crate::simd;

/// Addresses and weights of a chunk.
pub(crate) type Lanczos = Taps<u8>;

simd! {
    fn steps(g: &[Block], k: &mut [u8]) {
        for (k, g) in k.iter_mut().zip(g.as_flattened()) {
            *k = (g & 31) as u8;
        }
    }
}

/// What a column's sum starts with: −128 levels in Q7.
const START: i16 = -128 << 7;
/// Takes that off a row of columns again, in Q21, and rounds.
const ROUND: i32 = (1 << 28) + (1 << 20);

/// Adds tap `k` to the sum of a column.
#[inline(always)]
fn add_tap(sum: i16, k: usize, p: u8, w: u16) -> i16 {
    let part = ((((p as u32) << 8) * w as u32) >> 16) as i16;
    if NEGATIVE[k] { sum.wrapping_sub(part) } else { sum.wrapping_add(part) }
}

/// A row of columns.
#[inline(always)]
fn row(v: [i16; 8], w: &[i16; 8]) -> u8 {
    let mut sum = ROUND;
    for t in 0..8 {
        sum += v[t] as i32 * w[t] as i32;
    }
    (sum >> 21).clamp(0, 255) as u8
}

simd! {
    /// The taps of a chunk with `C` components.
    fn sample[const C: usize][C](data: &[u8], stride: usize, lan: &Lanczos, out: &mut [u8]) {
        let table = lanczos();
        for (i, o) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let (at, wx, wy) = (lan.off[i] as usize, &table.x[lan.kx[i] as usize], &table.y[lan.ky[i] as usize]);
            let rows: [&[u8]; 8] = std::array::from_fn(|k| &data[at + k * stride..][..8 * C]);
            let mut v = [[START; C]; 8];
            let flat = &mut v.as_flattened_mut()[..8 * C];
            for j in 0..8 * C {
                let mut sum = START;
                for k in 0..8 {
                    sum = add_tap(sum, k, rows[k][j], wy[k][0]);
                }
                flat[j] = sum;
            }
            for k in 0..C {
                o[k] = row(std::array::from_fn(|t| v[t][k]), wx);
            }
        }
    }
}

simd! {
    /// As `sample`, for any number of components.
    fn sample_any(data: &[u8], stride: usize, lan: &Lanczos, c: usize, out: &mut [u8]) {
        let table = lanczos();
        for (i, o) in out.chunks_exact_mut(c).enumerate() {
            let (at, wx, wy) = (lan.off[i] as usize, &table.x[lan.kx[i] as usize], &table.y[lan.ky[i] as usize]);
            let rows: [&[u8]; 8] = std::array::from_fn(|k| &data[at + k * stride..][..8 * c]);
            for (k, o) in o.iter_mut().enumerate() {
                let column = |t: usize| (0..8).fold(START, |sum, j| add_tap(sum, j, rows[j][t * c + k], wy[j][0]));
                let v = std::array::from_fn(column);
                *o = row(v, wx);
            }
        }
    }
}

/// What does the taps of a chunk.
#[derive(Clone, Copy)]
struct Kernel {
    c: usize,
    /// Bytes read at a row of taps.
    load: usize,
    run: Option<Run<Lanczos>>,
}

impl Kernel {
    fn new(c: usize) -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if crate::simd::level() >= crate::simd::Level::V3 {
            use crate::kernel::x86::warp_lanczos as x86;
            match c {
                1 => return Kernel { c, load: 8, run: Some(x86::lanczos1_v3) },
                3 => return Kernel { c, load: 28, run: Some(x86::lanczos3_v3) },
                4 => return Kernel { c, load: 32, run: Some(x86::lanczos4_v3) },
                _ => {}
            }
        }
        match c {
            1 => Kernel { c, load: 8, run: Some(sample::<1>) },
            3 => Kernel { c, load: 24, run: Some(sample::<3>) },
            4 => Kernel { c, load: 32, run: Some(sample::<4>) },
            _ => Kernel { c, load: 8 * c, run: None },
        }
    }

    fn run(self, data: &[u8], stride: usize, lan: &Lanczos, out: &mut [u8]) {
        match self.run {
            Some(run) => run(data, stride, lan, out),
            None => sample_any(data, stride, lan, self.c, out),
        }
    }
}

/// Pixels with taps outside that are done together.
const BATCH: usize = 16;

/// Copies of the taps of pixels with any of them outside.
struct Edges<'a> {
    src: Plane<'a, u8>,
    border: Border,
    fill: &'a [u8],
    kernel: Kernel,
    /// Taps of a batch, eight rows a pixel.
    taps: Vec<u8>,
    /// Bytes from a row of copied taps to the next.
    pitch: usize,
    lan: Box<Lanczos>,
    /// Which pixels of the chunk are in the batch.
    held: [usize; BATCH],
    n: usize,
    done: Vec<u8>,
}

impl<'a> Edges<'a> {
    fn new(src: &Plane<'a, u8>, border: Border, fill: &'a [u8], kernel: Kernel) -> Edges<'a> {
        let src = Plane { data: src.data, w: src.w, h: src.h, c: src.c, stride: src.stride };
        let pitch = kernel.load.max(8 * src.c);
        let mut lan = Box::new(Lanczos::new());
        for (i, off) in lan.off[..BATCH].iter_mut().enumerate() {
            *off = (i * 8 * pitch) as u32;
        }
        let (taps, done) = (vec![0; BATCH * 8 * pitch], vec![0; BATCH * src.c]);
        Edges { src, border, fill, kernel, taps, pitch, lan, held: [0; BATCH], n: 0, done }
    }

    /// Adds pixel `i` of the chunk `out`, at a position on the grid.
    fn push(&mut self, i: usize, gx: i32, gy: i32, out: &mut [u8]) {
        let c = self.src.c;
        let border = self.border;
        let taps = |g: i32, n: usize| -> [Option<usize>; 8] {
            let first = (g >> 5) - 3;
            if first >= 0 && first as usize + 8 <= n {
                return std::array::from_fn(|k| Some(first as usize + k));
            }
            std::array::from_fn(|k| border.fold(first as isize + k as isize, n))
        };
        let (xs, ys) = (taps(gx, self.src.w), taps(gy, self.src.h));
        if xs.iter().all(Option::is_none) || ys.iter().all(Option::is_none) {
            return out[i * c..][..c].copy_from_slice(self.fill);
        }
        match c {
            1 => self.copy::<1>(&xs, &ys),
            3 => self.copy::<3>(&xs, &ys),
            4 => self.copy::<4>(&xs, &ys),
            _ => self.copy::<0>(&xs, &ys),
        }
        (self.lan.kx[self.n], self.lan.ky[self.n]) = ((gx & 31) as u8, (gy & 31) as u8);
        self.held[self.n] = i;
        self.n += 1;
        if self.n == BATCH {
            self.flush(out);
        }
    }

    /// Copies the taps of a pixel of `C` components, any number of them if that is 0.
    fn copy<const C: usize>(&mut self, xs: &[Option<usize>; 8], ys: &[Option<usize>; 8]) {
        let c = if C == 0 { self.src.c } else { C };
        let fill = &self.fill[..c];
        let to = &mut self.taps[self.n * 8 * self.pitch..][..8 * self.pitch];
        for (to, y) in to.chunks_exact_mut(self.pitch).zip(ys) {
            let row = y.map(|y| self.src.row(y));
            for (to, x) in to.chunks_exact_mut(c).zip(xs) {
                to.copy_from_slice(match (row, x) {
                    (Some(row), Some(x)) => &row[x * c..][..c],
                    _ => fill,
                });
            }
        }
    }

    /// Does the pixels of the batch.
    fn flush(&mut self, out: &mut [u8]) {
        let c = self.src.c;
        let done = &mut self.done[..self.n * c];
        if self.n > 0 {
            self.kernel.run(&self.taps, self.pitch, &self.lan, done);
        }
        for (p, &i) in done.chunks_exact(c).zip(&self.held) {
            out[i * c..][..c].copy_from_slice(p);
        }
        self.n = 0;
    }
}

/// Brings positions on the grid into the image where one fold at each end does. Farther ones have all taps outside or
/// are folded tap by tap, with the same bytes.
fn fold(s: &mut [Block], n: usize, border: Border) {
    let full = (n as i32) << 5;
    let last = full - 32;
    let (lo, hi) = extent(s);
    match border {
        Border::Reflect if (lo < -16 || hi > full - 16) && lo >= -full && hi < 2 * full - 16 => mirror(s, 16, full),
        Border::Reflect101 if (lo < 0 || hi > last) && lo >= -last && hi <= 2 * last => mirror(s, 0, last),
        Border::Wrap if (lo < 0 || hi >= full) && lo >= -full && hi < 2 * full => wrap(s, full),
        _ => {}
    }
}

/// See [`super::warp_rows`].
pub(super) fn rows(src: &Plane<u8>, warp: &Warp, fill: &[u8], x0: usize, y0: usize, out: &mut RowsMut<u8>) {
    let c = src.c;
    let kernel = Kernel::new(c);
    let frame = Frame::new(src, 8, kernel.load);
    let mut edges = Edges::new(src, warp.border, fill, kernel);
    let mut lan = Lanczos::new();
    let mut s: Positions = [[[0; BLOCK]; BLOCKS]; 2];
    tile::segments(src, warp, 5, fill, (x0, y0), out, |line: &Line, x, o| {
        let n = o.len() / c;
        let m = n.div_ceil(BLOCK);
        let [gx, gy] = &mut s;
        let (gx, gy) = (&mut gx[..m], &mut gy[..m]);
        line.grid_chunk(x, n, gx, gy);
        fold(gx, src.w, warp.border);
        fold(gy, src.h, warp.border);
        if let Some(frame) = frame {
            addresses::<5, 3>(frame, gx, gy, &mut lan.off, &mut lan.bad);
            steps(gx, &mut lan.kx);
            steps(gy, &mut lan.ky);
            kernel.run(src.data, src.stride, &lan, o);
        }
        let (gx, gy) = (gx.as_flattened(), gy.as_flattened());
        tile::each_marked(&lan.bad, n, |i| edges.push(i, gx[i], gy[i], o));
        edges.flush(o);
    });
}
