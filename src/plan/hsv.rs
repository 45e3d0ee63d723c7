//! rgb→hsv, shift, hsv→rgb: one step.
//!
//! Bit-exact because the fused kernel computes the same three 8-bit (or f32) results, in registers.

use super::Placed;
use crate::op::Step;
use crate::op::color::Colors;

/// Merges the last three steps if they are a shift between its conversions.
pub(super) fn merge(steps: &mut Vec<Placed>) {
    let n = steps.len();
    if n < 3 {
        return;
    }
    if let [
        Placed { step: Step::Space(Colors::Rgb, Colors::Hsv), base },
        Placed { step: Step::HsvShift { hue, sat, val }, .. },
        Placed { step: Step::Space(Colors::Hsv, Colors::Rgb), .. },
    ] = &steps[n - 3..]
    {
        let merged = Placed { step: Step::HsvShiftRgb { hue: *hue, sat: *sat, val: *val }, base: *base };
        steps.truncate(n - 3);
        steps.push(merged);
    }
}
