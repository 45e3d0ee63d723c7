//! Statistics: a reduction of the image, then a table or a linear map. From the next stage on they are ordinary row steps.

use super::point::{Round, cannot_compute};
use super::{At, Pixels, Role, Span, Tap};
use crate::error::{Error, Result};
use crate::image::DType;
use crate::{ops, words};

ops! {
    /// Ops whose values depend on the whole image.
    pub enum Stat {
        /// v·a + k·mean, the mean over all components or of the gray image; `safe` keeps the result in range.
        "linear_mean" LinearMean { a: f64, k: f64, of: Of, safe: bool, span: Spans, round: Option<Round> },
        /// Histogram equalisation per channel, 8-bit semantics. `mask`: the number of an input of the call, whose
        /// non-zero pixels are counted.
        "equalize" Equalize { mode: EqualizeMode, mask: Option<usize> },
        /// Image statistics, then normalised and clipped to ±20. The only channel of an image is the image.
        "standardize" Standardize { mode: Standard, span: Spans },
        /// The first principal component of the colours, scaled to the full range, replicated to `channels`; an image of
        /// one channel stays as it is.
        "pca_gray" PcaGray { channels: usize },
    }
}

words! {
    /// What a mean runs over.
    pub enum Of {
        /// All components.
        All = "all",
        /// The weighted gray of each pixel.
        Gray = "gray",
    }
}

words! {
    /// Over what statistics run.
    pub enum Spans {
        /// Each slice by itself.
        Slice = "slice",
        /// The whole stack or volume.
        Stack = "stack",
        /// The first slice of the primary lane.
        First = "first",
    }
}

words! {
    /// Whose rule equalises.
    pub enum EqualizeMode {
        /// OpenCV's equalizeHist.
        Cv = "cv",
        /// PIL's ImageOps.equalize.
        Pil = "pil",
    }
}

words! {
    /// Which statistics normalise.
    pub enum Standard {
        /// Mean and deviation of all components.
        Image = "image",
        /// Mean and deviation of each channel.
        ImagePerChannel = "image_per_channel",
        /// Least and greatest of all components.
        MinMax = "min_max",
        /// Least and greatest of each channel.
        MinMaxPerChannel = "min_max_per_channel",
    }
}

impl Stat {
    /// Over what its statistics run.
    pub fn span(&self) -> Span {
        match self {
            Stat::LinearMean { span, .. } | Stat::Standardize { span, .. } => match span {
                Spans::Slice => Span::Slice,
                Spans::Stack => Span::Stack,
                Spans::First => Span::First,
            },
            Stat::Equalize { .. } | Stat::PcaGray { .. } => Span::Slice,
        }
    }

    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        if !at.shape.dtype.computes() {
            return cannot_compute(&at.shape);
        }
        Ok(Pixels::Tap(match self {
            Stat::LinearMean { a, k, of, safe, round, .. } => Tap::LinearMean {
                a: *a,
                k: *k,
                gray: *of == Of::Gray && at.shape.c == 3,
                safe: *safe,
                round: *round == Some(Round::Rint),
            },
            Stat::Equalize { mode, mask } => {
                if at.shape.dtype != DType::U8 {
                    return Err(Error::type_("equalize: 8-bit only; bracket it with work(\"u8\")"));
                }
                Tap::Equalize { pil: *mode == EqualizeMode::Pil, mask: *mask }
            }
            Stat::Standardize { mode, .. } => Tap::Standardize(match mode {
                Standard::ImagePerChannel if at.shape.c == 1 => Standard::Image,
                Standard::MinMaxPerChannel if at.shape.c == 1 => Standard::MinMax,
                mode => *mode,
            }),
            Stat::PcaGray { channels } if !(1..=512).contains(channels) => {
                return Err(Error::value(format!("pca_gray: {channels} output channels; 1..512")));
            }
            Stat::PcaGray { .. } if at.shape.c == 1 => return Ok(Pixels::Pass),
            Stat::PcaGray { channels } => Tap::PcaGray { channels: *channels },
        }))
    }
}
