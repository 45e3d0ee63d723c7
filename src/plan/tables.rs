//! table ∘ table: two 8-bit tables in a row are one.
//!
//! Bit-exact because a table is a function on 256 values: looking up in the composition is looking up twice.

use super::Placed;
use crate::op::Step;

/// Merges `step` into the last step if both are tables.
pub(super) fn merge(steps: &mut [Placed], step: &Step) -> bool {
    if let Step::Table(second) = step
        && let Some(Placed { step: Step::Table(first), .. }) = steps.last_mut()
    {
        *first = first.table().then(second.table()).into();
        return true;
    }
    false
}
