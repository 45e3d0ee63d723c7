//! The pass along x of float resizes: windows of 32 floats, sorted by shuffles made once per resize.

use crate::simd::{self, Level};
use std::arch::x86_64::*;

/// Blocks of 16 output components with the windows of the line that hold their taps.
pub struct Floats {
    base: Vec<u32>,
    /// For each block: where in the window each component lies.
    pick: Vec<[u32; 16]>,
    /// For each block, tap after tap.
    w: Vec<[f32; 16]>,
    /// All windows fit in 16 floats.
    short: bool,
    k: usize,
    c: usize,
    n: usize,
    /// Floats that a line must have.
    need: usize,
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
            pick: vec![[0; 16]; blocks],
            w: vec![[0.0; 16]; blocks * k],
            short: true,
            k,
            c,
            n,
            need: 0,
        };
        let (mut x, mut i) = (0, 0);
        for (b, pick) in f.pick.iter_mut().enumerate() {
            let lanes = 16.min(n - b * 16);
            for (j, p) in pick[..lanes].iter_mut().enumerate() {
                *p = off[x] + i as u32;
                for t in 0..k {
                    f.w[b * k + t][j] = w[x * k + t];
                }
                i += 1;
                if i == c {
                    (x, i) = (x + 1, 0);
                }
            }
            let (lo, hi) = pick[..lanes].iter().fold((u32::MAX, 0), |(l, h), p| (l.min(*p), h.max(*p)));
            if hi - lo >= 32 {
                return None;
            }
            f.short &= hi - lo < 16;
            for p in &mut pick[..lanes] {
                *p -= lo;
            }
            f.base.push(lo);
            f.need = f.need.max(lo as usize + 32 + (k - 1) * c);
        }
        Some(f)
    }

    /// One line.
    pub fn row(&self, line: &[f32], out: &mut [f32]) {
        assert!(line.len() >= self.need && out.len() >= self.n);
        // SAFETY: `new` saw the level; every window ends before `need`, every block before `n`.
        unsafe {
            match (self.k, self.short) {
                (2, true) => self.row_v4::<2, true>(line, out),
                (2, false) => self.row_v4::<2, false>(line, out),
                (4, true) => self.row_v4::<4, true>(line, out),
                (4, false) => self.row_v4::<4, false>(line, out),
                (_, true) => self.row_v4::<8, true>(line, out),
                (_, false) => self.row_v4::<8, false>(line, out),
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn row_v4<const K: usize, const SHORT: bool>(&self, line: &[f32], out: &mut [f32]) {
        let mut left = self.n;
        for (b, pick) in self.pick.iter().enumerate() {
            let mask = (0xffff_u32 >> (16 - left.min(16))) as u16;
            left -= left.min(16);
            // SAFETY: the caller's; the mask keeps the store within `n`.
            unsafe {
                let pick = _mm512_loadu_si512(pick.as_ptr().cast());
                let mut sum = _mm512_setzero_ps();
                for t in 0..K {
                    let p = line.as_ptr().add(self.base[b] as usize + t * self.c);
                    let v = _mm512_loadu_ps(p);
                    let v = if SHORT {
                        _mm512_permutexvar_ps(pick, v)
                    } else {
                        _mm512_permutex2var_ps(v, pick, _mm512_loadu_ps(p.add(16)))
                    };
                    let v = _mm512_mul_ps(v, _mm512_loadu_ps(self.w[b * K + t].as_ptr()));
                    sum = if t == 0 { v } else { _mm512_add_ps(sum, v) };
                }
                _mm512_mask_storeu_ps(out.as_mut_ptr().add(b * 16), mask, sum);
            }
        }
    }
}
