//! WHAT: the op vocabulary. One entry an op, by kind; what it does to the size, to the pixels of a lane, and to
//! coordinates. The planner sees only [`Pixels`], never a name.

pub mod color;
pub mod grid;
pub mod lane;
pub mod mix;
pub mod noise;
pub mod paint;
pub mod point;
pub mod sample;
pub mod stat;
pub mod stencil;
pub mod step;
pub mod value;

use crate::error::{Error, Result};
use crate::geom::Geom;
use crate::image::{Border, Fill, Interp, Shape};
use std::sync::Arc;
pub use step::Step;
use value::Val;

/// What an array target is to an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Pixels with colours: every op that touches images.
    Image,
    /// Labels: moved with the mask's own interpolation and fill, never computed on.
    Mask,
}

/// What the planner knows of the lane when an op arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    /// Size and element type now.
    pub shape: Shape,
    /// Image or mask.
    pub role: Role,
    /// True if the slices are a third spatial axis (volumes), not a stack of images.
    pub volume: bool,
}

/// What an op does to the pixels of one lane: the class that the planner sees.
// It lives for one step of the planner.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Pixels {
    /// Nothing.
    Pass,
    /// V: a sub-window, offset and size along z, y, x.
    Crop([usize; 3], [usize; 3]),
    /// V: new axis `k` is old axis `perm[k]`, backwards if `flip[k]`.
    Orient([usize; 3], [bool; 3]),
    /// V: `before` positions before each axis, sizes in all, and what lies there.
    Pad([usize; 3], [usize; 3], Border, Fill),
    /// S: rows made from a neighbourhood of the previous image.
    Source(Source),
    /// R and P: a row step.
    Row(Step),
    /// T: reduces what comes before it, then acts as a row step.
    Tap(Tap),
    /// Keeps the image and goes on with it or some of its channels.
    Aside(Option<Vec<usize>>),
    /// Ends the innermost aside.
    Join(Join),
    /// The sink writes channels first.
    Layout,
}

/// A producer of rows that starts a stage.
#[derive(Clone, Debug)]
pub enum Source {
    /// Resampling to a new size.
    Resize {
        /// New width.
        w: usize,
        /// New height.
        h: usize,
        /// Filter.
        interp: Interp,
        /// Output pixels a source pixel along x and y, if not those of the sizes.
        factor: Option<[f64; 2]>,
    },
    /// Resampling through a map.
    Warp {
        /// Where each output pixel reads.
        map: Arc<sample::Coordinates>,
        /// New width.
        w: usize,
        /// New height.
        h: usize,
        /// Filter.
        interp: Interp,
        /// Outside the image.
        border: Border,
        /// Colour of a constant border.
        fill: Fill,
    },
    /// Separable correlation, border reflect-101.
    Separable {
        /// Weights along x and y.
        kernel: Arc<Vec<f64>>,
    },
    /// Correlation with k×k weights, border reflect-101.
    Conv {
        /// Side.
        k: usize,
        /// Row-major weights.
        weights: Arc<Vec<f64>>,
    },
}

/// A reduction whose result is a row step.
#[derive(Clone, Debug, PartialEq)]
pub enum Tap {
    /// v·a + k·mean.
    LinearMean {
        /// Factor.
        a: f64,
        /// Factor of the mean.
        k: f64,
        /// True: mean of the weighted gray; false: of all components.
        gray: bool,
        /// Keep the result in range.
        safe: bool,
        /// u8: truncate or round.
        round: bool,
    },
    /// Histogram equalisation per channel.
    Equalize {
        /// True: PIL's rule; false: OpenCV's.
        pil: bool,
        /// Which input of the call says what is counted.
        mask: Option<usize>,
    },
    /// Image statistics, then (v − mean)·denom, clipped.
    Standardize(stat::Standard),
    /// First principal component of the colours, scaled to the full range, replicated.
    PcaGray {
        /// Output channels.
        channels: usize,
    },
}

/// The first op from `i` on that stands outside of all brackets, `depth` of which are open. Inside `aside … join` only
/// image lanes move, so a mask goes on there.
pub fn outside(ops: &[Op], i: usize, mut depth: i32) -> usize {
    let mut i = i;
    while i < ops.len() {
        let after = depth + ops[i].nesting();
        if depth == 0 && after == 0 {
            break;
        }
        depth = after;
        i += 1;
    }
    i
}

/// Over what a tap's statistics run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Each slice by itself.
    Slice,
    /// The whole stack or volume.
    Stack,
    /// Fitted once, on the first slice of the primary lane.
    First,
}

/// How an aside ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Join {
    /// The new image replaces the kept one.
    Take,
    /// The new channels are written into the kept image.
    Put(Vec<usize>),
    /// kept·a + new·b.
    Lerp(f64, f64),
}

/// What an op hides or drops among boxes and keypoints.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Nothing but its geometry.
    None,
    /// Clip, and drop what the call's parameters say, of both kinds of rows or of one.
    Filter(Option<lane::Only>),
    /// Covered pixels are lost to boxes (shrink or keep), covered keypoints go.
    Hide {
        /// What is covered.
        region: Arc<crate::kernel::paint::Region>,
        /// True: boxes shrink to their visible part; false: they stay whole.
        shrink: bool,
    },
}

macro_rules! kinds {
    ($($K:ident($path:ty)),*) => {
        /// One op.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Op { $($K($path)),* }

        impl Op {
            /// All names, by kind.
            pub fn names() -> Vec<&'static str> {
                [$(<$path>::NAMES),*].concat()
            }
            /// The op of that name.
            pub fn decode(name: &str, args: &[Val]) -> Result<Op> {
                $(if let Some(op) = <$path>::decode(name, args) {
                    return op.map(Op::$K);
                })*
                Err(Error::value(format!("unknown op {name:?}")))
            }
            /// The op's name.
            pub fn name(&self) -> &'static str {
                match self { $(Op::$K(op) => op.name()),* }
            }
            /// What it does to the pixels of a lane.
            pub fn pixels(&self, at: &At) -> Result<Pixels> {
                match self { $(Op::$K(op) => op.pixels(at)),* }
            }
        }
    };
}

kinds! {
    Grid(grid::Grid), Sample(sample::Sample), Point(point::Point), Color(color::Color), Stat(stat::Stat),
    Stencil(stencil::Stencil), Noise(noise::Noise), Paint(paint::Paint), Mix(mix::Mix), Lane(lane::Lane)
}

impl Op {
    /// (w, h, d) after the op, if it had (w, h, d) before.
    pub fn size_after(&self, size: (usize, usize, usize)) -> (usize, usize, usize) {
        match self {
            Op::Grid(op) => op.size_after(size),
            Op::Sample(op) => {
                let (w, h) = op.size();
                (w, h, size.2)
            }
            _ => size,
        }
    }

    /// Calls `f` with what the op does to coordinates, if it moves them. `size` is (w, h, d) before it.
    pub fn with_geom<R>(
        &self,
        size: (usize, usize, usize),
        f: impl FnOnce(&Geom<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        match self {
            Op::Grid(op) => f(&op.geom(size)?).map(Some),
            Op::Sample(op) => op.with_geom(size, f),
            _ => Ok(None),
        }
    }

    /// What it hides or drops among rows.
    pub fn rows(&self) -> Rows {
        match self {
            Op::Lane(lane::Lane::Filter { only }) => Rows::Filter(*only),
            Op::Paint(op) => op.rows(),
            _ => Rows::None,
        }
    }

    /// Over what its statistics run, if it is a tap.
    pub fn span(&self) -> Option<Span> {
        match self {
            Op::Stat(op) => Some(op.span()),
            _ => None,
        }
    }

    /// True if boxes and points may be elsewhere, smaller or gone after it.
    pub fn moves_rows(&self) -> bool {
        matches!(self, Op::Grid(_) | Op::Sample(_)) || matches!(self.rows(), Rows::Hide { .. })
    }

    /// True if it changes the element type of images for good, so that `work("own")` goes back to the new one.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Op::Point(point::Point::Cast { .. } | point::Point::Normalize { .. })
                | Op::Stat(stat::Stat::Standardize { .. })
        )
    }

    /// True inside the brackets `aside … join` only image lanes move: +1 opens, −1 closes.
    pub fn nesting(&self) -> i32 {
        match self {
            Op::Mix(mix::Mix::Aside { .. }) => 1,
            Op::Mix(mix::Mix::Join { .. }) => -1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Op> {
        let op = |name: &&str| match *name {
            "aside" => Op::decode("aside", &[Val::None]),
            "join" => Op::decode("join", &[Val::Str("take".into())]),
            name => Op::decode(name, &[]),
        };
        names.iter().map(op).collect::<Result<_>>().expect("ops that exist")
    }

    #[test]
    fn masks_go_on_after_the_outermost_bracket() {
        let ops = list(&["filter", "aside", "filter", "aside", "join", "filter", "join", "filter", "aside", "join"]);
        assert_eq!(outside(&ops, 0, 0), 0);
        assert_eq!(outside(&ops, 1, 0), 7);
        assert_eq!(outside(&ops, 2, 1), 7, "a cut inside a bracket");
        assert_eq!(outside(&ops, 4, 2), 7, "a cut inside two");
        assert_eq!(outside(&ops, 7, 0), 7);
        assert_eq!(outside(&ops, 8, 0), 10);
        assert_eq!(outside(&ops, 10, 0), 10);
    }
}
