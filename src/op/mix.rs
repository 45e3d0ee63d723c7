//! Mixing: brackets that keep an image aside and join it with what was made of it meanwhile.

use super::point::cannot_compute;
use super::{At, Join, Pixels, Role};
use crate::error::{Error, Result};
use crate::ops;

ops! {
    /// Ops that work with a kept copy.
    pub enum Mix {
        /// Keeps the image and goes on with it (`None`) or with some of its channels, until the matching `join`.
        "aside" Aside { channels: Option<Vec<usize>> },
        /// take: the new image alone · put(channels): the new channels go back into the kept image · lerp(a, b):
        /// kept·a + new·b, rounded and saturated.
        "join" Join { rule: String, a: Option<super::value::Number>, b: Option<f64> },
    }
}

impl Mix {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        use super::value::Number;
        Ok(match self {
            Mix::Aside { channels } => {
                if let Some(list) = channels
                    && (list.is_empty() || list.iter().any(|c| *c >= at.shape.c))
                {
                    return Err(Error::value(format!("aside: {list:?} does not index {} channels", at.shape.c)));
                }
                Pixels::Aside(channels.clone())
            }
            Mix::Join { rule, a, b } => Pixels::Join(match (rule.as_str(), a, b) {
                ("take", None, None) => Join::Take,
                ("put", Some(Number::Many(list)), None) => Join::Put(list.clone()),
                ("lerp", Some(Number::One(a)), Some(b)) => {
                    if !at.shape.dtype.computes() {
                        return cannot_compute(&at.shape);
                    }
                    Join::Lerp(*a, *b)
                }
                _ => return Err(Error::value(format!("join: unknown rule {rule:?} or wrong arguments"))),
            }),
        })
    }
}
