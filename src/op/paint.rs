//! Painting: hard-edged regions filled with ink; what they cover is lost to boxes and keypoints if the op says so.

use super::step::{Brush, Step};
use super::value::{FromVal, Val};
use super::{At, Pixels, Role, Rows};
use crate::error::{Error, Result};
use crate::image::{DType, Fill};
use crate::kernel::paint::Region;
use crate::{ops, words};
use std::sync::Arc;

ops! {
    /// Ops that fill regions.
    pub enum Paint {
        /// `ink` on images, `mask_ink` on masks (`None` leaves them). `hide`: what is covered is lost to boxes, which
        /// shrink to their visible part or stay whole, and covered keypoints go.
        "paint" Paint { region: RegionForm, ink: Option<Ink>, rule: PaintRule, mask_ink: Option<Ink>, hide: Option<Hide> },
    }
}

words! {
    /// How ink meets the image.
    pub enum PaintRule {
        /// It replaces it.
        Set = "set",
    }
}

words! {
    /// What covered boxes do.
    pub enum Hide {
        /// Shrink to the extent of their visible pixels.
        Shrink = "shrink",
        /// Stay whole.
        Keep = "keep",
    }
}

/// What is filled: `rects(x1, y1, x2, y2, …)`, half-open, one flat tuple.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionForm(Vec<[i32; 4]>);

impl FromVal for RegionForm {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(items) if items.first().and_then(Val::word) == Some("rects") && items.len() % 4 == 1 => {
                let mut rects = Vec::with_capacity(items.len() / 4);
                for r in items[1..].chunks_exact(4) {
                    let mut out = [0; 4];
                    for (o, v) in out.iter_mut().zip(r) {
                        *o = i64::from_val(v)?.clamp(i32::MIN as i64, i32::MAX as i64) as i32;
                    }
                    rects.push(out);
                }
                Ok(RegionForm(rects))
            }
            _ => Err(Error::value(format!("expected rects(x1, y1, x2, y2, …), got {v:?}"))),
        }
    }
}

/// With what it is filled.
#[derive(Clone, Debug, PartialEq)]
pub enum Ink {
    /// A number or colour in the image's units.
    Color(Fill),
    /// `("random", seed)`: each component at random.
    Random(u64),
    /// `("each", seed)`: one random colour a shape.
    Each(u64),
}

impl FromVal for Ink {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(items) if items.len() == 2 && items[0].word() == Some("random") => {
                Ok(Ink::Random(u64::from_val(&items[1])?))
            }
            Val::List(items) if items.len() == 2 && items[0].word() == Some("each") => {
                Ok(Ink::Each(u64::from_val(&items[1])?))
            }
            _ => Fill::from_val(v).map(Ink::Color),
        }
    }
}

impl Paint {
    fn region(&self) -> Arc<Region> {
        let Paint::Paint { region, .. } = self;
        Arc::new(Region::Rects(region.0.clone()))
    }

    /// What it hides from boxes and keypoints.
    pub fn rows(&self) -> Rows {
        let Paint::Paint { hide, .. } = self;
        match hide {
            None => Rows::None,
            Some(h) => Rows::Hide { region: self.region(), shrink: *h == Hide::Shrink },
        }
    }

    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        let Paint::Paint { ink, mask_ink, .. } = self;
        let ink = if at.role == Role::Mask { mask_ink } else { ink };
        let s = at.shape;
        let brush = match ink {
            None => return Ok(Pixels::Pass),
            // 2.0.8 assigns fills into the array: floats are cut, not rounded.
            Some(Ink::Color(fill)) => {
                let float = matches!(s.dtype, DType::F16 | DType::F32 | DType::F64);
                let cut = |v: f64| if float { v } else { v.trunc() };
                Brush::Color(fill.map(cut).pixel_bytes(s.dtype, s.c)?)
            }
            Some(Ink::Random(_) | Ink::Each(_)) if !s.dtype.computes() => {
                return super::point::cannot_compute(&s);
            }
            Some(Ink::Random(seed)) => Brush::Random(*seed),
            Some(Ink::Each(seed)) => Brush::Each(*seed),
        };
        Ok(Pixels::Row(Step::Paint { region: self.region(), brush }))
    }
}
