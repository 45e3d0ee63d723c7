//! What one output axis reads, as few runs.

use crate::image::{Axis, Border};

/// `n` output positions from `to` on that read source indices from `from` on, `step` apart (1, −1 or 0); fill if `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub to: usize,
    pub n: usize,
    pub from: Option<usize>,
    pub step: isize,
}

/// The runs of output positions `o0..o0 + n` of the axis; `to` counts from `o0`.
pub(super) fn runs(axis: &Axis, border: Border, o0: usize, n: usize) -> Vec<Run> {
    let mut out = Vec::with_capacity(3);
    let len = axis.len as isize;
    let turn = if axis.flip { -1 } else { 1 };
    let mut to = 0;
    while to < n {
        let i = axis.off + (o0 + to) as isize;
        // Position in the region, direction, and how long it goes on.
        let (at, dir, most) = if (0..len).contains(&i) {
            (Some(i), 1, len - i)
        } else {
            let rest = if i < 0 { -i } else { isize::MAX };
            match border {
                Border::Constant => (None, 0, rest),
                Border::Replicate => (Some(i.clamp(0, len - 1)), 0, rest),
                Border::Reflect101 if len == 1 => (Some(0), 0, rest),
                Border::Wrap if len == 1 => (Some(0), 0, rest),
                Border::Wrap => {
                    let m = i.rem_euclid(len);
                    (Some(m), 1, len - m)
                }
                Border::Reflect => {
                    let m = i.rem_euclid(2 * len);
                    if m < len { (Some(m), 1, len - m) } else { (Some(2 * len - 1 - m), -1, 2 * len - m) }
                }
                Border::Reflect101 => {
                    let p = 2 * len - 2;
                    let m = i.rem_euclid(p);
                    if m < len { (Some(m), 1, len - m) } else { (Some(p - m), -1, p - m) }
                }
            }
        };
        let most = (most as usize).min(n - to);
        out.push(Run { to, n: most, from: at.map(|p| axis.source(p as usize)), step: dir * turn });
        to += most;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_read_what_the_axis_reads() {
        let borders = [Border::Constant, Border::Replicate, Border::Reflect, Border::Wrap, Border::Reflect101];
        for border in borders {
            for len in 1..6 {
                for flip in [false, true] {
                    for off in -14..14 {
                        for (o0, n) in [(0, 20), (3, 9), (7, 1)] {
                            let axis = Axis { from: 2, lo: 2, len, flip, off, n: 20 };
                            let mut read = Vec::new();
                            for r in runs(&axis, border, o0, n) {
                                assert_eq!(r.to, read.len());
                                for k in 0..r.n as isize {
                                    read.push(r.from.map(|f| (f as isize + k * r.step) as usize));
                                }
                            }
                            let want: Vec<_> = (o0..o0 + n).map(|o| axis.read(o, border)).collect();
                            assert_eq!(read, want, "{border:?} {axis:?} {o0}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_plain_axis_is_one_run() {
        let axis = Axis::whole(2, 100);
        assert_eq!(runs(&axis, Border::Reflect, 10, 90), [Run { to: 0, n: 90, from: Some(10), step: 1 }]);
    }
}
