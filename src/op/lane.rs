//! Ops that mark a place in the list: filters of rows, user code, the layout of the result.

use super::{At, Pixels, Role};
use crate::error::Result;
use crate::{ops, words};

ops! {
    /// Marks.
    pub enum Lane {
        /// Clips and drops boxes, drops keypoints, by the parameters of the call; `only` one of the two if it is named.
        "filter" Filter { only: Option<Only> },
        /// User code ran here on these targets; the core never sees it run.
        "call" Call { class: String, targets: Vec<String> },
        /// The result is written channels first; masks too if asked.
        "layout" Layout { order: Order, masks: bool },
    }
}

words! {
    /// Which rows a filter is for.
    pub enum Only {
        /// Box targets.
        Boxes = "boxes",
        /// Keypoint targets.
        Points = "points",
    }
}

words! {
    /// Order of the axes of a result.
    pub enum Order {
        /// Channels, rows, pixels.
        Chw = "chw",
    }
}

impl Lane {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        Ok(match self {
            Lane::Layout { masks, .. } if at.role == Role::Image || *masks => Pixels::Layout,
            _ => Pixels::Pass,
        })
    }
}
