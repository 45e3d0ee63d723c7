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

use crate::op::Step;

/// Results of `first` taps, shared between the lanes of a call: (op, steps).
#[derive(Default)]
pub struct Late(Vec<(usize, Vec<Step>)>);

impl Late {
    /// The steps that op number `op` became, if a lane has computed it.
    pub fn get(&self, op: usize) -> Option<&[Step]> {
        self.0.iter().find(|(i, _)| *i == op).map(|(_, s)| s.as_slice())
    }
    /// Records what op number `op` became.
    pub fn set(&mut self, op: usize, steps: Vec<Step>) {
        self.0.push((op, steps));
    }
}
