//! window ∘ window, and flips moved before place-free steps.
//!
//! Bit-exact because an exact move only renames positions: reading through the composed index is reading through one and
//! then the other, and a step that gives the same pixel the same result wherever it lies commutes with renaming. Not so
//! for a border's fill, which later steps would change and earlier ones would not: a pad never moves past a step.

use super::Planner;
use crate::image::{Border, Fill};

impl Planner<'_> {
    pub(super) fn orient(&mut self, perm: [usize; 3], flip: [bool; 3]) {
        let open = &self.open;
        let free = open.source.is_none() && open.steps.iter().all(|p| p.step.is_place_free());
        if !free {
            if self.turn(perm, flip) {
                return;
            }
            self.close("a transpose after steps that depend on the place, or after resampling, moves stored pixels");
        } else if !self.rewrites.views && !self.open.is_identity() {
            self.close("views are not folded");
        }
        self.open.window.orient(perm, flip);
        self.open.origin = [0; 3];
        let s = self.open.out;
        let old = [s.d, s.h, s.w];
        [self.open.out.d, self.open.out.h, self.open.out.w] = perm.map(|k| old[k]);
    }

    pub(super) fn pad(&mut self, before: [usize; 3], n: [usize; 3], border: Border, fill: &Fill) {
        let s = self.open.out;
        if n == [s.d, s.h, s.w] {
            return;
        }
        if !self.open.is_bare() {
            self.close("a border lies around finished pixels");
        } else if !self.rewrites.views && !self.open.is_identity() {
            self.close("views are not folded");
        } else if !self.open.window.inside() {
            self.close("a second border must see the first");
        }
        if let Some(window) = self.open.window.pad(before, n, border, fill) {
            self.open.window = window;
        }
        self.open.origin = [0; 3];
        [self.open.out.d, self.open.out.h, self.open.out.w] = n;
    }
}
