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

use crate::op::Step;

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

/// What the lanes of a call share: results of `first` taps as (op, steps), and the inputs of the call.
#[derive(Default)]
pub struct Late {
    done: Vec<(usize, Vec<Step>)>,
    /// By number.
    pub inputs: Vec<Counted>,
}

impl Late {
    /// The steps that op number `op` became, if a lane has computed it.
    pub fn get(&self, op: usize) -> Option<&[Step]> {
        self.done.iter().find(|(i, _)| *i == op).map(|(_, s)| s.as_slice())
    }
    /// Records what op number `op` became.
    pub fn set(&mut self, op: usize, steps: Vec<Step>) {
        self.done.push((op, steps));
    }
}
