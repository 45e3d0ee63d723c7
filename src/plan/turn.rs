//! A flip pulled into the stage before it: its rows are stored in reverse, and no second pass reverses them.
//!
//! Bit-exact because every pixel is computed where it lay before the flip, and only stored elsewhere. Coordinates are not
//! turned round: halves round to one side, so a mirrored resample is not the resample of a mirrored map. A crop that
//! follows counts from the other end, a second flip is taken back, and steps that give the same pixel the same result
//! wherever it lies do not notice. Steps that ask for the place see the flipped frame, so they start a stage; so does a
//! transpose, since a sink writes rows.

use super::{Planner, Stage};

impl Stage {
    /// True if rows, their pixels or slices are stored in reverse.
    pub fn is_turned(&self) -> bool {
        self.flip != [false; 3]
    }

    /// Where `n` positions from `off` on lay before the flip.
    pub(super) fn unturned(&self, off: [usize; 3], n: [usize; 3]) -> [usize; 3] {
        let size = [self.out.d, self.out.h, self.out.w];
        [0, 1, 2].map(|k| if self.flip[k] { size[k] - off[k] - n[k] } else { off[k] })
    }
}

impl Planner<'_> {
    /// Takes a flip into the open stage; `false` if it must be a stage of its own.
    pub(super) fn turn(&mut self, perm: [usize; 3], flip: [bool; 3]) -> bool {
        let takes = self.rewrites.turn && perm == [0, 1, 2];
        if takes {
            for (now, flip) in self.open.flip.iter_mut().zip(flip) {
                *now ^= flip;
            }
        }
        takes
    }

    /// Ends a stage with a flip, for what must see pixels where they now lie.
    pub(super) fn end_turn(&mut self) {
        if self.open.is_turned() {
            self.close("what counts positions after a flip reads stored pixels");
        }
    }
}
