//! Colour ops: the output pixel depends on all channels of the same pixel.

use super::point::cannot_compute;
use super::step::Step;
use super::{At, Pixels, Role};
use crate::error::{Error, Result};
use crate::image::Fill;
pub use crate::kernel::color::Gray as GrayMethod;
use crate::{ops, words};

ops! {
    /// Ops on colours.
    pub enum Color {
        /// From one colour space to another. An image of one channel is its own value and its own luma.
        "space" Space { from: Colors, to: Colors },
        /// One of five grays, replicated to `channels`; an image of one channel stays as it is.
        "gray" Gray { method: Method, channels: usize },
        /// out[c] = in[index[c]]; −1 takes `fill`.
        "channels" Channels { index: Vec<i64>, fill: f64 },
    }
}

words! {
    /// A colour space, in u8 or f32.
    pub enum Colors {
        /// Red, green, blue.
        Rgb = "rgb",
        /// Hue, saturation, value.
        Hsv = "hsv",
        /// Luma and chroma.
        YCrCb = "ycrcb",
    }
}

words! {
    /// How colours become gray.
    pub enum Method {
        /// Luma weights of BT.601.
        Weighted = "weighted_average",
        /// L of CIE Lab.
        Lab = "from_lab",
        /// Middle of the largest and the smallest component.
        Desaturation = "desaturation",
        /// Mean of the components.
        Average = "average",
        /// Largest component.
        Max = "max",
    }
}

impl Method {
    fn kernel(self) -> GrayMethod {
        match self {
            Method::Weighted => GrayMethod::Weighted,
            Method::Lab => GrayMethod::Lab,
            Method::Desaturation => GrayMethod::Desaturation,
            Method::Average => GrayMethod::Average,
            Method::Max => GrayMethod::Max,
        }
    }
}

impl Color {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        let s = at.shape;
        Ok(Pixels::Row(match self {
            Color::Space { from, to } => {
                if !s.dtype.computes() {
                    return cannot_compute(&s);
                }
                if s.c == 1 || from == to {
                    return Ok(Pixels::Pass);
                }
                if s.c != 3 {
                    return Err(Error::type_(format!("{} channels; colour spaces have 3", s.c)));
                }
                Step::Space(*from, *to)
            }
            Color::Gray { method, channels } => {
                if !s.dtype.computes() {
                    return cannot_compute(&s);
                }
                if s.c == 1 {
                    return Ok(Pixels::Pass);
                }
                if matches!(method, Method::Weighted | Method::Lab) && s.c != 3 {
                    return Err(Error::type_(format!("{} channels; this gray needs 3", s.c)));
                }
                if *channels == 0 || *channels > 512 {
                    return Err(Error::value(format!("gray: {channels} output channels; 1..512")));
                }
                Step::Gray { method: method.kernel(), channels: *channels }
            }
            Color::Channels { index, fill } => {
                if index.is_empty() || index.iter().any(|i| *i < -1 || *i >= s.c as i64) {
                    return Err(Error::value(format!("channels: {index:?} does not index {} channels", s.c)));
                }
                let index: Vec<i32> = index.iter().map(|i| *i as i32).collect();
                Step::Channels { index, fill: Fill::all(*fill).pixel_bytes(s.dtype, 1)? }
            }
        }))
    }
}
