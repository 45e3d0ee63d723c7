//! RUN: a plan, or the ops one by one, over real pixels; and the rows of boxes and keypoints through the same ops.
//!
//! The unit is one row: it is made by the stage's source, goes through the stage's steps in cache, and is written once.

pub mod image;
pub mod plain;
pub mod points;
mod reader;
mod row;
pub mod scratch;
mod tap;
mod turn;

use crate::error::Result;
use crate::image::Shape;
use crate::op::Step;
pub use tap::Fit;

/// A mask that came with a call beside its targets: which pixels statistics count.
pub struct Counted {
    /// Pixels a row.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// 1, or one mask a channel.
    pub c: usize,
    /// One byte a component, not 0 where it counts.
    pub bytes: Vec<u8>,
}

/// What the lanes of a call share: what `first` taps found, by op, and the inputs of the call.
#[derive(Default)]
pub struct Late {
    done: Vec<(usize, Fit)>,
    /// By number.
    pub inputs: Vec<Counted>,
}

impl Late {
    /// True if a lane has computed op number `op`.
    pub fn has(&self, op: usize) -> bool {
        self.done.iter().any(|(i, _)| *i == op)
    }
    /// The steps that op number `op` becomes for images of this shape, if a lane has computed it.
    pub fn get(&self, op: usize, shape: &Shape) -> Option<Result<Vec<Step>>> {
        self.done.iter().find(|(i, _)| *i == op).map(|(_, fit)| fit.steps(shape))
    }
    /// Records what op number `op` found.
    pub fn set(&mut self, op: usize, fit: Fit) {
        self.done.push((op, fit));
    }
}
