//! A crop pulled into the stage before it: only what is kept is computed.
//!
//! Bit-exact because every source and every step defines a pixel by its position in the frame alone, never by the extent
//! that happens to be computed; each step keeps the origin of the frame that it saw.

use super::Planner;

impl Planner<'_> {
    pub(super) fn crop(&mut self, off: [usize; 3], n: [usize; 3]) {
        let s = self.open.out;
        if off == [0; 3] && n == [s.d, s.h, s.w] {
            return;
        }
        if !self.rewrites.pull && !self.open.is_bare() {
            self.close("crops are not pulled");
        } else if !self.rewrites.views && !self.open.is_identity() {
            self.close("views are not folded");
        }
        let open = &mut self.open;
        let off = open.unturned(off, n);
        if open.source.is_none() {
            for k in 0..3 {
                open.window.crop_axis(k, off[k], n[k]);
            }
        }
        for (origin, off) in open.origin.iter_mut().zip(off) {
            *origin += off;
        }
        [open.out.d, open.out.h, open.out.w] = n;
    }
}
