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
        *self == Window::whole(s) || (self.inside() && self.axes == Window::whole(s).axes)
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

    /// Narrows the output to `n` from `off` along axis `k` (0 = z, 1 = y, 2 = x).
    pub fn crop_axis(&mut self, k: usize, off: usize, n: usize) {
        let inside = self.inside();
        let a = &mut self.axes[k];
        debug_assert!(off + n <= a.n);
        a.off += off as isize;
        a.n = n;
        if inside {
            self.settle(k);
        }
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
