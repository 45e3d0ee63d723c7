//! Exact moves as data: crop, flip, transpose, quarter turns and pad fold into one window with a border.
//!
//! Each output axis names the source axis it walks, the *region* of that axis which is the image as the border sees it,
//! its direction, and where output index 0 falls in it. Padding reads outside the region, cropping moves the offset.

use super::{Border, Fill, Shape};

/// Output axes in the order z, y, x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Source axis: 0 = slices, 1 = rows, 2 = pixels.
    pub from: usize,
    /// First source index of the region.
    pub lo: usize,
    /// Length of the region.
    pub len: usize,
    /// True if the region is read backwards.
    pub flip: bool,
    /// Position in the (possibly reversed) region that output index 0 reads; negative or ≥ `len` means border.
    pub off: isize,
    /// Output length.
    pub n: usize,
}

impl Axis {
    /// The whole of source axis `from`.
    pub fn whole(from: usize, len: usize) -> Axis {
        Axis { from, lo: 0, len, flip: false, off: 0, n: len }
    }
    /// True if no output index reads outside the region.
    pub fn inside(&self) -> bool {
        self.off >= 0 && self.off as usize + self.n <= self.len
    }
    /// Source index that region position `i` (in `0..len`) stands for.
    #[inline(always)]
    pub fn source(&self, i: usize) -> usize {
        self.lo + if self.flip { self.len - 1 - i } else { i }
    }
    /// Source index of output index `o`, or `None` in a constant border.
    #[inline(always)]
    pub fn read(&self, o: usize, border: Border) -> Option<usize> {
        border.fold(self.off + o as isize, self.len).map(|i| self.source(i))
    }
}

/// A window onto an array: what each output pixel reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Output axes z, y, x.
    pub axes: [Axis; 3],
    /// Border of positions outside the region, with its fill.
    pub border: Border,
    /// Colour of a constant border.
    pub fill: Fill,
}

impl Window {
    /// The identity.
    pub fn whole(s: &Shape) -> Window {
        Window {
            axes: [Axis::whole(0, s.d), Axis::whole(1, s.h), Axis::whole(2, s.w)],
            border: Border::Constant,
            fill: Fill::all(0.0),
        }
    }

    /// True if every output pixel reads inside the region.
    pub fn inside(&self) -> bool {
        self.axes.iter().all(Axis::inside)
    }

    /// True if it is the identity on an array of that size.
    pub fn is_whole(&self, s: &Shape) -> bool {
        self.axes == Window::whole(s).axes
    }

    /// If it is a plain sub-rectangle of each slice, in order: (z0, y0, x0).
    pub fn as_crop(&self) -> Option<(usize, usize, usize)> {
        let plain = |k: usize| {
            let a = &self.axes[k];
            (a.from == k && !a.flip && a.inside()).then(|| a.lo + a.off as usize)
        };
        Some((plain(0)?, plain(1)?, plain(2)?))
    }

    /// Output size w, h, d.
    pub fn size(&self) -> (usize, usize, usize) {
        (self.axes[2].n, self.axes[1].n, self.axes[0].n)
    }

    /// Narrows the output to `n` from `off` along axis `k` (0 = z, 1 = y, 2 = x). The region stays what it was, for the
    /// sake of a border that is still in view.
    pub fn crop_axis(&mut self, k: usize, off: usize, n: usize) {
        let a = &mut self.axes[k];
        debug_assert!(n > 0 && off + n <= a.n);
        a.off += off as isize;
        a.n = n;
    }

    /// Makes what is read along axis `k` the new region: from now on borders are seen from there.
    fn settle(&mut self, k: usize) {
        let a = &mut self.axes[k];
        let (first, last) = (a.source(a.off as usize), a.source(a.off as usize + a.n - 1));
        a.lo = first.min(last);
        a.len = a.n;
        a.off = 0;
    }

    /// Permutes and reverses the output axes: new axis `k` is old axis `perm[k]`, backwards if `flip[k]`.
    pub fn orient(&mut self, perm: [usize; 3], flip: [bool; 3]) {
        let old = self.axes;
        for k in 0..3 {
            let mut a = old[perm[k]];
            if flip[k] {
                // Output o reads what n−1−o read; in the reversed region that is position len − (off + n) + o.
                a.off = a.len as isize - a.off - a.n as isize;
                a.flip = !a.flip;
            }
            self.axes[k] = a;
        }
    }

    /// Adds a border: `before[k]` positions before axis `k`, `n[k]` in all. `None` if the window already has a border
    /// (the second one would have to see the first).
    pub fn pad(&self, before: [usize; 3], n: [usize; 3], border: Border, fill: &Fill) -> Option<Window> {
        if !self.inside() {
            return None;
        }
        let mut w = self.clone();
        for k in 0..3 {
            w.settle(k);
            w.axes[k].off = -(before[k] as isize);
            w.axes[k].n = n[k];
        }
        w.border = border;
        w.fill = fill.clone();
        Some(w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::DType;

    const BORDERS: [Border; 5] =
        [Border::Constant, Border::Replicate, Border::Reflect, Border::Wrap, Border::Reflect101];

    /// A volume of source indices; `None` is fill.
    #[derive(Clone, Debug, PartialEq)]
    struct Indices {
        n: [usize; 3],
        at: Vec<Option<usize>>,
    }

    impl Indices {
        fn from_fn(n: [usize; 3], f: impl Fn([usize; 3]) -> Option<usize>) -> Self {
            let mut at = Vec::new();
            for z in 0..n[0] {
                for y in 0..n[1] {
                    at.extend((0..n[2]).map(|x| f([z, y, x])));
                }
            }
            Indices { n, at }
        }
        fn get(&self, [z, y, x]: [usize; 3]) -> Option<usize> {
            self.at[(z * self.n[1] + y) * self.n[2] + x]
        }
        fn whole(s: &Shape) -> Self {
            Indices { n: [s.d, s.h, s.w], at: (0..s.d * s.h * s.w).map(Some).collect() }
        }
        fn crop(&self, k: usize, off: usize, n: usize) -> Self {
            let mut size = self.n;
            size[k] = n;
            Self::from_fn(size, |mut p| {
                p[k] += off;
                self.get(p)
            })
        }
        fn orient(&self, perm: [usize; 3], flip: [bool; 3]) -> Self {
            Self::from_fn(perm.map(|k| self.n[k]), |p| {
                let mut q = [0; 3];
                for k in 0..3 {
                    let n = self.n[perm[k]];
                    q[perm[k]] = if flip[k] { n - 1 - p[k] } else { p[k] };
                }
                self.get(q)
            })
        }
        fn pad(&self, before: [usize; 3], n: [usize; 3], border: Border) -> Self {
            Self::from_fn(n, |p| {
                let mut q = [0; 3];
                for k in 0..3 {
                    q[k] = border.fold(p[k] as isize - before[k] as isize, self.n[k])?;
                }
                self.get(q)
            })
        }
        /// What the window reads, pixel by pixel.
        fn read(win: &Window, s: &Shape) -> Self {
            Self::from_fn(win.axes.map(|a| a.n), |p| {
                let mut i = [0; 3];
                for (a, o) in win.axes.iter().zip(p) {
                    i[a.from] = a.read(o, win.border)?;
                }
                Some((i[0] * s.h + i[1]) * s.w + i[2])
            })
        }
    }

    /// A fixed sequence of numbers below `n`.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((self.0 >> 33) as usize) % n
        }
    }

    fn shape(d: usize, h: usize, w: usize) -> Shape {
        Shape { d, h, w, c: 1, dtype: DType::U8 }
    }

    #[test]
    fn any_sequence_of_moves_reads_what_its_steps_read() {
        let mut r = Numbers(1);
        let (mut padded, mut refused, mut regained) = (0, 0, 0);
        for _ in 0..8000 {
            let s = shape(1 + r.below(3), 1 + r.below(5), 1 + r.below(6));
            let (mut win, mut want) = (Window::whole(&s), Indices::whole(&s));
            let mut has_border = false;
            for _ in 0..1 + r.below(12) {
                match r.below(3) {
                    0 => {
                        let k = r.below(3);
                        let n = 1 + r.below(want.n[k]);
                        let off = r.below(want.n[k] - n + 1);
                        win.crop_axis(k, off, n);
                        want = want.crop(k, off, n);
                        regained += (has_border && win.inside()) as usize;
                    }
                    1 => {
                        let mut perm = [0, 1, 2];
                        perm.swap(0, r.below(3));
                        perm.swap(1, 1 + r.below(2));
                        let flip = [0; 3].map(|_| r.below(2) == 1);
                        win.orient(perm, flip);
                        want = want.orient(perm, flip);
                    }
                    _ => {
                        let before = [0; 3].map(|_| r.below(3) * r.below(3));
                        let border = BORDERS[r.below(5)];
                        let n: Vec<usize> = (0..3).map(|k| want.n[k] + before[k] + r.below(2) * r.below(5)).collect();
                        let n = [n[0], n[1], n[2]];
                        match win.pad(before, n, border, &Fill::all(7.0)) {
                            None => {
                                assert!(!win.inside());
                                refused += 1;
                            }
                            Some(new) => {
                                assert!(win.inside());
                                win = new;
                                want = want.pad(before, n, border);
                                padded += 1;
                            }
                        }
                    }
                }
                has_border = !win.inside();
                assert_eq!(Indices::read(&win, &s), want, "{win:?}");
                assert_eq!(win.size(), (want.n[2], want.n[1], want.n[0]));
            }
            if let Some((z, y, x)) = win.as_crop() {
                let all = Indices::whole(&s);
                assert_eq!(want, all.crop(0, z, want.n[0]).crop(1, y, want.n[1]).crop(2, x, want.n[2]));
            }
            if win.is_whole(&s) {
                assert_eq!(want, Indices::whole(&s));
            }
        }
        assert!(padded > 1000 && refused > 500 && regained > 100, "{padded} {refused} {regained}");
    }

    #[test]
    fn a_border_seen_from_a_crop_stops_at_the_crop() {
        let s = shape(1, 1, 10);
        let mut win = Window::whole(&s);
        win.crop_axis(2, 3, 4);
        let win = win.pad([0, 0, 2], [1, 1, 8], Border::Reflect101, &Fill::all(0.0)).unwrap();
        let read: Vec<_> = Indices::read(&win, &s).at.into_iter().flatten().collect();
        assert_eq!(read, [5, 4, 3, 4, 5, 6, 5, 4]);
    }

    #[test]
    fn a_second_border_is_refused_until_a_crop_drops_the_first() {
        let s = shape(1, 4, 4);
        let pad = |w: &Window| w.pad([0, 1, 1], [1, 6, 6], Border::Reflect, &Fill::all(0.0));
        let mut win = pad(&Window::whole(&s)).unwrap();
        assert!(pad(&win).is_none() && win.as_crop().is_none());
        win.crop_axis(1, 1, 4);
        assert!(pad(&win).is_none());
        win.crop_axis(2, 1, 4);
        assert!(win.inside() && win.is_whole(&s) && win.as_crop() == Some((0, 0, 0)));
        assert_eq!(pad(&win), pad(&Window::whole(&s)));
    }

    #[test]
    fn four_quarter_turns_are_the_identity() {
        let s = shape(2, 3, 5);
        let mut win = Window::whole(&s);
        for turns in 1..=4 {
            win.orient([0, 2, 1], [false, true, false]);
            assert_eq!(win.is_whole(&s), turns == 4);
        }
    }
}
