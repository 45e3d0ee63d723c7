//! The pass along x of float resizes: windows of 32 floats, sorted by shuffles made once per resize.

use crate::simd::{self, Level};
use std::arch::x86_64::*;

/// 16 values at a cache line.
#[derive(Clone)]
#[repr(align(64))]
struct Line<T>([T; 16]);

/// Blocks of 16 output components with the windows of the line that hold their taps.
pub struct Floats {
    base: Vec<u32>,
    /// For each block: where in the window each component lies.
    pick: Vec<Line<u32>>,
    /// For each block, tap after tap.
    w: Vec<Line<f32>>,
    reach: Reach,
    k: usize,
    c: usize,
    n: usize,
    /// Floats that a line must have.
    need: usize,
}

/// What fits in a window.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// All taps of a block in 16 floats.
    All16,
    /// All taps of a block in 32 floats.
    All32,
    /// One tap of each component in 32 floats: each tap has its own window.
    One32,
}

impl Floats {
    /// For pixels of `c` components whose `k` taps begin at `off` in the line and lie `c` floats apart, `w` their
    /// weights. `None` if the level has no such shuffle or a window would be too long.
    pub fn new(off: &[u32], w: &[f32], k: usize, c: usize) -> Option<Floats> {
        if simd::level() < Level::V4 || !matches!(k, 2 | 4 | 8) {
            return None;
        }
        let n = off.len() * c;
        let blocks = n.div_ceil(16);
        let mut f = Floats {
            base: Vec::with_capacity(blocks),
            pick: vec![Line([0; 16]); blocks],
            w: vec![Line([0.0; 16]); blocks * k],
            reach: Reach::One32,
            k,
            c,
            n,
            need: 0,
        };
        let (mut x, mut i, mut span) = (0, 0, 0);
        for (b, Line(pick)) in f.pick.iter_mut().enumerate() {
            let lanes = 16.min(n - b * 16);
            for (j, p) in pick[..lanes].iter_mut().enumerate() {
                *p = off[x] + i as u32;
                for t in 0..k {
                    f.w[b * k + t].0[j] = w[x * k + t];
                }
                i += 1;
                if i == c {
                    (x, i) = (x + 1, 0);
                }
            }
            let (lo, hi) = pick[..lanes].iter().fold((u32::MAX, 0), |(l, h), p| (l.min(*p), h.max(*p)));
            span = span.max((hi - lo) as usize);
            for p in &mut pick[..lanes] {
                *p -= lo;
            }
            f.base.push(lo);
            f.need = f.need.max(lo as usize + 32 + (k - 1) * c);
        }
        f.reach = match span + (k - 1) * c {
            0..16 => Reach::All16,
            16..32 => Reach::All32,
            _ => Reach::One32,
        };
        (span < 32).then_some(f)
    }

    /// One line.
    pub fn row(&self, line: &[f32], out: &mut [f32]) {
        assert!(line.len() >= self.need && out.len() >= self.n);
        // SAFETY: `new` saw the level; every window ends before `need`, every block before `n`.
        unsafe {
            match self.k {
                2 => self.row_k::<2>(line, out),
                4 => self.row_k::<4>(line, out),
                _ => self.row_k::<8>(line, out),
            }
        }
    }

    unsafe fn row_k<const K: usize>(&self, line: &[f32], out: &mut [f32]) {
        // SAFETY: the caller's.
        unsafe {
            match self.reach {
                Reach::All16 => self.row_v4::<K, true, false>(line, out),
                Reach::All32 => self.row_v4::<K, true, true>(line, out),
                Reach::One32 => self.row_v4::<K, false, true>(line, out),
            }
        }
    }

    /// `ALL`: one window for all taps. `LONG`: windows of 32 floats instead of 16.
    #[target_feature(enable = "avx512f")]
    unsafe fn row_v4<const K: usize, const ALL: bool, const LONG: bool>(&self, line: &[f32], out: &mut [f32]) {
        let mut left = self.n;
        let pixel = _mm512_set1_epi32(self.c as i32);
        for (b, (base, Line(pick))) in self.base.iter().zip(&self.pick).enumerate() {
            let mask = (0xffff_u32 >> (16 - left.min(16))) as u16;
            left -= left.min(16);
            // SAFETY: the caller's; the mask keeps the store within `n`.
            unsafe {
                let mut pick = _mm512_load_si512(pick.as_ptr().cast());
                let from = line.as_ptr().add(*base as usize);
                let mut lo = _mm512_loadu_ps(from);
                let mut hi = if LONG { _mm512_loadu_ps(from.add(16)) } else { lo };
                let mut sum = _mm512_setzero_ps();
                for t in 0..K {
                    if !ALL && t > 0 {
                        lo = _mm512_loadu_ps(from.add(t * self.c));
                        hi = _mm512_loadu_ps(from.add(t * self.c + 16));
                    } else if t > 0 {
                        pick = _mm512_add_epi32(pick, pixel);
                    }
                    let v = if LONG { _mm512_permutex2var_ps(lo, pick, hi) } else { _mm512_permutexvar_ps(pick, lo) };
                    let v = _mm512_mul_ps(v, _mm512_load_ps(self.w[b * K + t].0.as_ptr()));
                    sum = if t == 0 { v } else { _mm512_add_ps(sum, v) };
                }
                _mm512_mask_storeu_ps(out.as_mut_ptr().add(b * 16), mask, sum);
            }
        }
    }
}

/// Pixels of three or four components as four lanes, `k` taps that begin at `off`; false if it is another case.
pub fn lanes(line: &[f32], off: &[u32], w: &[f32], k: usize, c: usize, out: &mut [f32]) -> bool {
    if simd::level() < Level::V3 || !matches!(c, 3 | 4) {
        return false;
    }
    assert!(w.len() == off.len() * k && out.len() >= off.len() * c);
    let last = off.iter().fold(0, |m, o| m.max(*o)) as usize;
    assert!(line.len() >= last + (k - 1) * c + 4);
    // SAFETY: the level has been probed; taps and output lie in their slices (just checked).
    unsafe {
        match (k, c) {
            (2, 3) => lanes_v3::<2, 3>(line, off, w, out),
            (2, 4) => lanes_v3::<2, 4>(line, off, w, out),
            (4, 3) => lanes_v3::<4, 3>(line, off, w, out),
            (4, 4) => lanes_v3::<4, 4>(line, off, w, out),
            (8, 3) => lanes_v3::<8, 3>(line, off, w, out),
            (8, 4) => lanes_v3::<8, 4>(line, off, w, out),
            _ => return false,
        }
    }
    true
}

#[target_feature(enable = "avx2")]
unsafe fn lanes_v3<const K: usize, const C: usize>(line: &[f32], off: &[u32], w: &[f32], out: &mut [f32]) {
    let n = off.len();
    for i in 0..n {
        // SAFETY: the caller's; four lanes are stored where another pixel follows or a pixel has four.
        unsafe {
            let from = line.as_ptr().add(*off.get_unchecked(i) as usize);
            let w = w.as_ptr().add(i * K);
            let mut sum = _mm_mul_ps(_mm_loadu_ps(from), _mm_broadcast_ss(&*w));
            for t in 1..K {
                let v = _mm_mul_ps(_mm_loadu_ps(from.add(t * C)), _mm_broadcast_ss(&*w.add(t)));
                sum = _mm_add_ps(sum, v);
            }
            if C == 4 || i + 1 < n {
                _mm_storeu_ps(out.as_mut_ptr().add(i * C), sum);
            } else {
                let mut lanes = [0.0; 4];
                _mm_storeu_ps(lanes.as_mut_ptr(), sum);
                out[i * C..][..C].copy_from_slice(&lanes[..C]);
            }
        }
    }
}
