//! Positions outside the image, brought to where the border reads. All integers: Q16 positions and pixel indices.

use super::Block;
use crate::image::Border;
use crate::simd;

/// How far outside the image a position can be told from a farther one: cubic taps reach 2 pixels.
const APRON: i64 = 4;

/// The Q16 position that a border makes of position `q` over `n` pixels. Reflect101 and Replicate (linear) end in
/// 0..=n−1, Reflect in −½..=n−½, Wrap in 0..n; Constant and Replicate keep their distance up to [`APRON`].
#[inline(always)]
pub(super) fn fold_q16(q: i64, n: usize, border: Border) -> i32 {
    let full = (n as i64) << 16;
    let v = match border {
        Border::Constant | Border::Replicate => q.clamp(-APRON << 16, full + (APRON << 16)),
        Border::Reflect => {
            let m = (q + 0x8000).rem_euclid(2 * full);
            m.min(2 * full - m) - 0x8000
        }
        Border::Wrap => q.rem_euclid(full),
        Border::Reflect101 => {
            let last = full - 65_536;
            if last == 0 {
                0
            } else {
                let m = q.rem_euclid(2 * last);
                m.min(2 * last - m)
            }
        }
    };
    v.min(i32::MAX as i64) as i32
}

/// The index that a border makes of index `i` over `n` pixels; outside for a constant border.
#[inline(always)]
pub(super) fn fold_index(i: i64, n: usize, border: Border) -> i32 {
    if border == Border::Constant {
        return i.clamp(-1, n as i64) as i32;
    }
    border.fold(i as isize, n).map_or(-1, |v| v as i32)
}

/// Folds positions given as pixel `i` and fraction `f` over `n` pixels: into the image for Wrap and the mirrors. With
/// `clamp`, for two taps, Replicate and Reflect leave no position outside.
pub(super) fn fold_exact(i: &mut [i32], f: &mut [f32], n: usize, border: Border, clamp: bool) {
    if border == Border::Constant || n == 1 || (border == Border::Replicate && !clamp) {
        return;
    }
    let (lo, hi) = i.iter().fold((i32::MAX, i32::MIN), |(lo, hi), &v| (lo.min(v), hi.max(v)));
    let m = n as i32;
    if lo >= 0 && hi < m - 1 {
        return;
    }
    let period = match border {
        Border::Wrap => m,
        Border::Reflect => 2 * m,
        _ => 2 * m - 2,
    };
    // What one fold at each end cannot bring back is moved by whole periods first.
    if border != Border::Replicate && (lo < 1 - m || hi >= 2 * m - 2) {
        i.iter_mut().filter(|v| **v < 1 - m || **v >= 2 * m - 2).for_each(|v| *v = v.rem_euclid(period));
    }
    match border {
        Border::Reflect101 => mirror_exact(i, f, 0, m - 1, 0.0),
        Border::Reflect => mirror_exact(i, f, 1, m, 0.5),
        Border::Wrap => i.iter_mut().for_each(|v| {
            *v = if *v < 0 {
                *v + m
            } else if *v >= m {
                *v - m
            } else {
                *v
            }
        }),
        Border::Constant | Border::Replicate => {}
    }
    if clamp && matches!(border, Border::Replicate | Border::Reflect) {
        clamp_exact(i, f, m);
    }
}

simd! {
    /// One fold at each end: s < −half → −shift − s, s > (last − half) → 2 last − shift − s.
    fn mirror_exact(i: &mut [i32], f: &mut [f32], shift: i32, last: i32, half: f32) {
        for (i, f) in i.iter_mut().zip(f) {
            let below = *i < -shift || (*i == -shift && *f < half && shift > 0);
            let above = *i >= last || (*i == last - 1 && *f > half && shift > 0);
            let to = if below { -shift } else { 2 * last - shift };
            if below | above {
                *i = to - *i - 1;
                *f = 1.0 - *f;
            }
        }
    }
}

simd! {
    /// Positions of two taps of which none is outside.
    fn clamp_exact(i: &mut [i32], f: &mut [f32], n: i32) {
        for (i, f) in i.iter_mut().zip(f) {
            let (low, high) = (*i < 0, *i >= n - 1);
            *f = if low { 0.0 } else if high { 1.0 } else { *f };
            *i = if low { 0 } else if high { n - 2 } else { *i };
        }
    }
}

simd! {
    /// Least and greatest.
    pub(super) fn extent(s: &[Block]) -> (i32, i32) {
        let (mut lo, mut hi) = (i32::MAX, i32::MIN);
        for &v in s.as_flattened() {
            lo = lo.min(v);
            hi = hi.max(v);
        }
        (lo, hi)
    }
}

/// [`fold_q16`] of whole blocks.
pub(super) fn fold_all(s: &mut [Block], n: usize, border: Border) {
    if border == Border::Constant {
        return;
    }
    let (lo, hi) = extent(s);
    let (lo, hi) = (lo as i64, hi as i64);
    let full = (n as i64) << 16;
    match border {
        Border::Constant => {}
        Border::Replicate => clamp(s, -(APRON as i32) << 16, (full + (APRON << 16)).min(i32::MAX as i64) as i32),
        Border::Reflect if lo >= -full && hi < 2 * full - 0x8000 && hi < i32::MAX as i64 - 0x8000 => {
            if lo < -0x8000 || hi > full - 0x8000 {
                mirror(s, 0x8000, full as i32);
            }
        }
        Border::Reflect101 if lo >= -(full - 65_536) && hi <= 2 * (full - 65_536) => {
            if lo < 0 || hi > full - 65_536 {
                mirror(s, 0, full as i32 - 65_536);
            }
        }
        Border::Wrap if lo >= -full && hi < 2 * full => {
            if lo < 0 || hi >= full {
                wrap(s, full as i32);
            }
        }
        _ => s.as_flattened_mut().iter_mut().for_each(|v| *v = fold_q16(*v as i64, n, border)),
    }
}

/// [`fold_index`] of whole blocks.
pub(super) fn fold_indices(s: &mut [Block], n: usize, border: Border) {
    if border == Border::Constant {
        return;
    }
    let (lo, hi) = extent(s);
    if lo >= 0 && hi < n as i32 {
        return;
    }
    let m = n as i32;
    match border {
        Border::Replicate => clamp(s, 0, m - 1),
        Border::Reflect101 if lo > -m && hi < 2 * m - 1 => mirror(s, 0, m - 1),
        Border::Wrap if lo >= -m && hi < 2 * m => wrap(s, m),
        _ => s.as_flattened_mut().iter_mut().for_each(|v| *v = fold_index(*v as i64, n, border)),
    }
}

simd! {
    pub(super) fn clamp(s: &mut [Block], lo: i32, hi: i32) {
        for v in s.as_flattened_mut() {
            *v = (*v).max(lo).min(hi);
        }
    }
}

simd! {
    /// One fold at each end of 0..=last, seen from −shift.
    pub(super) fn mirror(s: &mut [Block], shift: i32, last: i32) {
        for v in s.as_flattened_mut() {
            *v = last - (last - (*v + shift).abs()).abs() - shift;
        }
    }
}

simd! {
    pub(super) fn wrap(s: &mut [Block], full: i32) {
        for v in s.as_flattened_mut() {
            let up = if *v < 0 { full } else { 0 };
            let down = if *v >= full { full } else { 0 };
            *v += up - down;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORDERS: [Border; 5] =
        [Border::Constant, Border::Replicate, Border::Reflect, Border::Wrap, Border::Reflect101];

    #[test]
    fn slices_fold_as_single_positions() {
        for border in BORDERS {
            for n in [1usize, 2, 5, 100, 32_766] {
                for reach in [1i64, 2, 7] {
                    let edge = 32_766i64 << 16;
                    let q: Vec<i64> =
                        (0..400).map(|i| ((i - 200) * reach * n as i64 * 331 + i * 7919).clamp(-edge, edge)).collect();
                    let mut s: Vec<i32> = q.iter().map(|&v| v as i32).collect();
                    fold_all(s.as_chunks_mut().0, n, border);
                    for (i, &v) in q.iter().enumerate() {
                        let want = if border == Border::Constant { v as i32 } else { fold_q16(v, n, border) };
                        assert_eq!(s[i], want, "{border:?} {n} {v}");
                    }
                    let idx: Vec<i64> =
                        (0..400).map(|i| ((i - 200) * reach * n as i64 / 99).clamp(-32_767, 32_767)).collect();
                    let mut s: Vec<i32> = idx.iter().map(|&v| v as i32).collect();
                    fold_indices(s.as_chunks_mut().0, n, border);
                    for (i, &v) in idx.iter().enumerate() {
                        let want = if border == Border::Constant { v as i32 } else { fold_index(v, n, border) };
                        assert_eq!(s[i], want, "{border:?} {n} {v}");
                    }
                }
            }
        }
    }

    #[test]
    fn whole_positions_fold_as_indices() {
        for border in BORDERS.into_iter().skip(1) {
            for n in [1usize, 2, 3, 8] {
                for i in -40i64..40 {
                    let q = fold_q16(i << 16, n, border);
                    let want = border.fold(i as isize, n).unwrap() as i32;
                    // Reflect may end half a pixel outside, Replicate keeps its distance: both read the edge pixel.
                    let got = (q >> 16).clamp(0, n as i32 - 1);
                    let got = if border == Border::Reflect { ((q + 0x8000) >> 16).clamp(0, n as i32 - 1) } else { got };
                    assert_eq!(got, want, "{border:?} {n} {i}");
                }
            }
        }
    }
}
