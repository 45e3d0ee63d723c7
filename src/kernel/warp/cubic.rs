//! Bicubic sampling of u8 in integers.
//!
//! Columns of four taps first: each product of a pixel and a weight's magnitude is cut to Q6, the inner two added, the
//! outer two subtracted (their weights are never positive), which fits an i16. Then the four columns with Q14 weights,
//! rounded once.

use super::chunk::{Frame, Kernel, Taps, addresses};
use super::weights::{CUBIC, cubic_step};
use super::{BLOCK, BLOCKS, Block, Warp, tile};
use crate::image::{Border, Plane, RowsMut};
use crate::simd;

/// Addresses and weights of a chunk.
pub(crate) type Cubic = Taps<u32>;

simd! {
    fn steps(s: [&[Block]; 2], cub: &mut Cubic) {
        let [x, y] = s.map(|s| s.as_flattened());
        for (((kx, ky), &x), &y) in cub.kx.iter_mut().zip(&mut cub.ky).zip(x).zip(y) {
            (*kx, *ky) = (cubic_step(x), cubic_step(y));
        }
    }
}

/// A column of taps in Q6.
#[inline(always)]
fn column(p: [u8; 4], w: &[u16; 8]) -> i32 {
    let part = |k: usize| ((p[k] as u32 * w[2 * k] as u32) >> 8) as i32;
    part(1) + part(2) - part(0) - part(3)
}

/// A row of columns.
#[inline(always)]
fn row(v: [i32; 4], w: &[i16; 4]) -> u8 {
    let s = v[0] * w[0] as i32 + v[1] * w[1] as i32 + (v[2] * w[2] as i32 + v[3] * w[3] as i32);
    ((s + (1 << 19)) >> 20).clamp(0, 255) as u8
}

simd! {
    /// The taps of a chunk with `C` components.
    fn sample[const C: usize][C](data: &[u8], stride: usize, cub: &Cubic, out: &mut [u8]) {
        for (i, o) in out.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let (at, wx, wy) = (cub.off[i] as usize, &CUBIC.x[cub.kx[i] as usize], &CUBIC.y[cub.ky[i] as usize]);
            let rows: [&[u8]; 4] = std::array::from_fn(|k| &data[at + k * stride..][..4 * C]);
            let mut v = [[0i32; C]; 4];
            for t in 0..4 {
                for k in 0..C {
                    v[t][k] = column([rows[0][t * C + k], rows[1][t * C + k], rows[2][t * C + k], rows[3][t * C + k]], wy);
                }
            }
            for k in 0..C {
                o[k] = row([v[0][k], v[1][k], v[2][k], v[3][k]], wx);
            }
        }
    }
}

simd! {
    /// As `sample`, for any number of components.
    fn sample_any(data: &[u8], stride: usize, cub: &Cubic, c: usize, out: &mut [u8]) {
        for (i, o) in out.chunks_exact_mut(c).enumerate() {
            let (at, wx, wy) = (cub.off[i] as usize, &CUBIC.x[cub.kx[i] as usize], &CUBIC.y[cub.ky[i] as usize]);
            let rows: [&[u8]; 4] = std::array::from_fn(|k| &data[at + k * stride..][..4 * c]);
            for (k, o) in o.iter_mut().enumerate() {
                let v = std::array::from_fn(|t| column(std::array::from_fn(|j| rows[j][t * c + k]), wy));
                *o = row(v, wx);
            }
        }
    }
}

/// One pixel at a folded position, with any taps outside.
fn pixel(src: &Plane<u8>, sx: i32, sy: i32, border: Border, fill: &[u8], out: &mut [u8]) {
    let taps = |s: i32, n: usize| -> [Option<usize>; 4] {
        std::array::from_fn(|k| border.fold((s >> 16) as isize - 1 + k as isize, n))
    };
    let (xs, ys) = (taps(sx, src.w), taps(sy, src.h));
    if xs.iter().all(Option::is_none) || ys.iter().all(Option::is_none) {
        return out.copy_from_slice(fill);
    }
    let (wx, wy) = (&CUBIC.x[cubic_step(sx) as usize], &CUBIC.y[cubic_step(sy) as usize]);
    for (k, o) in out.iter_mut().enumerate() {
        let tap = |x: Option<usize>, y: Option<usize>| match (x, y) {
            (Some(x), Some(y)) => src.data[y * src.stride + x * src.c + k],
            _ => fill[k],
        };
        *o = row(std::array::from_fn(|t| column(std::array::from_fn(|j| tap(xs[t], ys[j])), wy)), wx);
    }
}

/// None if the number of components has no kernel of its own.
fn kernel(c: usize) -> Option<Kernel<Cubic>> {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::level() >= crate::simd::Level::V3 {
        use crate::kernel::x86::warp_cubic as x86;
        match c {
            1 => return Some(Kernel { load: 4, run: x86::cubic1_v3 }),
            3 => return Some(Kernel { load: 16, run: x86::cubic3_v3 }),
            4 => return Some(Kernel { load: 16, run: x86::cubic4_v3 }),
            _ => {}
        }
    }
    match c {
        1 => Some(Kernel { load: 4, run: sample::<1> }),
        3 => Some(Kernel { load: 12, run: sample::<3> }),
        4 => Some(Kernel { load: 16, run: sample::<4> }),
        _ => None,
    }
}

/// See [`super::warp_rows`].
pub(super) fn rows(src: &Plane<u8>, warp: &Warp, fill: &[u8], x0: usize, y0: usize, out: &mut RowsMut<u8>) {
    let (c, border) = (src.c, warp.border);
    let kernel = kernel(c);
    let frame = Frame::new(src, 4, kernel.as_ref().map_or(4 * c, |k| k.load));
    let mut cub = Cubic::new();
    let mut s = [[[0; BLOCK]; BLOCKS]; 2];
    tile::segments(src, warp, 2, fill, (x0, y0), out, |line, x, o| {
        let n = o.len() / c;
        tile::positions(line, x, n, (src.w, src.h), border, &mut s);
        let [sx, sy] = &s;
        let one = |i: usize, o: &mut [u8]| {
            pixel(src, sx.as_flattened()[i], sy.as_flattened()[i], border, fill, &mut o[i * c..][..c]);
        };
        let Some(frame) = frame else {
            return (0..n).for_each(|i| one(i, o));
        };
        let m = n.div_ceil(BLOCK);
        addresses::<16, 1>(frame, &sx[..m], &sy[..m], &mut cub.off, &mut cub.bad);
        steps([&sx[..m], &sy[..m]], &mut cub);
        match &kernel {
            Some(k) => (k.run)(src.data, src.stride, &cub, o),
            None => sample_any(src.data, src.stride, &cub, c, o),
        }
        tile::each_marked(&cub.bad, n, |i| one(i, o));
    });
}
