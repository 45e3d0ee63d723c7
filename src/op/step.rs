//! Row steps as data: what happens to the pixels of one row, given only that row (and, for some, its position).

use super::color::{Colors, GrayMethod};
use super::point::Round;
use crate::image::{DType, Shape};
use crate::kernel::noise::Noise;
use crate::kernel::paint::Region;
use crate::kernel::table::{Prepared, Rounding};
use std::sync::Arc;

/// One step of a chain over rows.
// A list holds a handful of steps: a table in place costs less than a pointer to it.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Step {
    /// u8 → u8 through a table.
    Table(Prepared),
    /// f32: v·a + b per channel.
    Linear {
        /// Factors, one a channel.
        a: Vec<f32>,
        /// Addends, one a channel.
        b: Vec<f32>,
        /// Bounds of the result.
        clip: Option<(f32, f32)>,
    },
    /// f32: v^g.
    Gamma(f64),
    /// (v − mean)·denom → f32.
    Normalize {
        /// One a channel.
        mean: Vec<f32>,
        /// One a channel.
        denom: Vec<f32>,
    },
    /// f32, clipped after normalising.
    Clamp(f32, f32),
    /// To f32: v / max. To u8: saturated rint(v·max).
    Cast {
        /// New element type.
        to: DType,
        /// Full intensity of the integer side.
        max: f64,
    },
    /// Back to the lane's own element type (resolved by the planner).
    Own,
    /// Colour space change.
    Space(Colors, Colors),
    /// Shift of hue, saturation and value of an HSV image.
    HsvShift {
        /// Half degrees.
        hue: f64,
        /// 0..255.
        sat: f64,
        /// 0..255.
        val: f64,
    },
    /// RGB → HSV, the shift, HSV → RGB, in one.
    HsvShiftRgb {
        /// Half degrees.
        hue: f64,
        /// 0..255.
        sat: f64,
        /// 0..255.
        val: f64,
    },
    /// Colours to gray, replicated.
    Gray {
        /// Which gray.
        method: GrayMethod,
        /// Output channels.
        channels: usize,
    },
    /// Components weighted, summed, clipped and replicated.
    Weights {
        /// One a channel, then the constant.
        w: Vec<f64>,
        /// Output channels.
        channels: usize,
    },
    /// Channels picked.
    Channels {
        /// Source channel of each output channel, −1 = fill.
        index: Vec<i32>,
        /// One element.
        fill: Vec<u8>,
    },
    /// Noise by position.
    Noise(Arc<Noise>),
    /// Regions filled, by position.
    Paint {
        /// What.
        region: Arc<Region>,
        /// With what.
        brush: Brush,
    },
    /// A chain on a copy of the row (or of some channels), joined with the row. Same size and type in and out.
    Nest {
        /// Channels that the chain sees.
        channels: Option<Vec<usize>>,
        /// The chain.
        body: Vec<Step>,
        /// How it ends.
        join: super::Join,
    },
    /// The row joined with the same row of a kept image, by position.
    JoinKept {
        /// Which buffer of the plan holds the kept image.
        kept: usize,
        /// How.
        join: super::Join,
        /// Channels of the result.
        channels: usize,
    },
}

/// Ink made ready for one lane.
#[derive(Clone, Debug, PartialEq)]
pub enum Brush {
    /// The bytes of one pixel.
    Color(Vec<u8>),
    /// Each component at random.
    Random(u64),
    /// One random colour a shape.
    Each(u64),
}

impl Step {
    /// f32: v·a + b.
    pub fn linear(a: &[f64], b: &[f64], clip: bool) -> Step {
        Step::Linear {
            a: a.iter().map(|v| *v as f32).collect(),
            b: b.iter().map(|v| *v as f32).collect(),
            clip: clip.then_some((0.0, 1.0)),
        }
    }

    /// Shape after the step.
    pub fn shape_after(&self, s: Shape) -> Shape {
        match self {
            Step::Normalize { .. } => Shape { dtype: DType::F32, ..s },
            Step::Cast { to, .. } => Shape { dtype: *to, ..s },
            Step::Gray { channels, .. } | Step::Weights { channels, .. } | Step::JoinKept { channels, .. } => {
                Shape { c: *channels, ..s }
            }
            Step::Channels { index, .. } => Shape { c: index.len(), ..s },
            _ => s,
        }
    }

    /// True if the same pixel always gives the same result, wherever it lies.
    pub fn is_place_free(&self) -> bool {
        match self {
            Step::Noise(_) | Step::Paint { .. } | Step::JoinKept { .. } => false,
            Step::Nest { body, .. } => body.iter().all(Step::is_place_free),
            _ => true,
        }
    }
}

/// u8 table of v·a + b, in f32 as 2.0.8's tables are, cut or rounded and saturated.
pub fn linear_table(a: &[f64], b: &[f64], round: Round) -> Prepared {
    let rounding = match round {
        Round::Trunc => Rounding::Truncate,
        Round::Rint => Rounding::Nearest,
    };
    if a.windows(2).all(|w| w[0] == w[1]) && b.windows(2).all(|w| w[0] == w[1]) {
        Prepared::linear(&a[..1], &b[..1], rounding, 1)
    } else {
        Prepared::linear(a, b, rounding, a.len())
    }
}
