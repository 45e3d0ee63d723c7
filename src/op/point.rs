//! Point ops: the output pixel depends on the same pixel only.

use super::step::{self, Step};
use super::{At, Pixels, Role};
use crate::error::{Error, Result};
use crate::image::{DType, Fill, Shape};
use crate::kernel::table::Table;
use crate::{ops, words};

ops! {
    /// Ops on the values of single pixels.
    pub enum Point {
        /// v·a + b per channel; u8 rounds as told; `clip` keeps f32 in 0..1 (u8 always saturates).
        "linear" Linear { a: Fill, b: Fill, round: Round, clip: bool },
        /// (v / MAX)^g · MAX; u8 truncates.
        "gamma" Gamma { g: f64 },
        /// Hue wraps, zero saturation stays. Half degrees and 0..255 whatever the element type.
        "hsv_shift" HsvShift { hue: f64, sat: f64, val: f64 },
        /// (v − mean) · denom per channel, f32, not clipped.
        "normalize" Normalize { mean: Fill, denom: Fill },
        /// To f32: v / max. To an integer type: rounded and saturated v · max. Lasting.
        "cast" Cast { dtype: DType, max: f64 },
        /// Temporary element type of image lanes; `own` goes back to each lane's own.
        "work" Work { dtype: Working },
    }
}

words! {
    /// How a real result becomes an integer.
    pub enum Round {
        /// Toward zero.
        Trunc = "trunc",
        /// Half to even.
        Rint = "rint",
    }
}

words! {
    /// A working element type.
    pub enum Working {
        /// 8 bits.
        U8 = "u8",
        /// f32.
        F32 = "f32",
        /// The lane's own.
        Own = "own",
    }
}

/// Says that `s` cannot be computed on.
pub fn cannot_compute<T>(s: &Shape) -> Result<T> {
    Err(Error::type_(format!("dtype {}; computes on uint8, float32; .astype(np.float32)", s.dtype.name())))
}

impl Point {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        let (c, dtype) = (at.shape.c, at.shape.dtype);
        Ok(Pixels::Row(match self {
            Point::Linear { a, b, round, clip } => {
                let (a, b) = (a.values(c)?, b.values(c)?);
                match dtype {
                    DType::U8 => Step::Table(step::linear_table(&a, &b, *round)),
                    DType::F32 => Step::linear(&a, &b, *clip),
                    _ => return cannot_compute(&at.shape),
                }
            }
            Point::Gamma { g } => match dtype {
                DType::U8 => Step::Table(Table::Shared(crate::kernel::table::gamma_table(*g)).into()),
                DType::F32 => Step::Gamma(*g),
                _ => return cannot_compute(&at.shape),
            },
            Point::HsvShift { hue, sat, val } => {
                if c != 3 || !dtype.computes() {
                    return cannot_compute(&at.shape);
                }
                Step::HsvShift { hue: *hue, sat: *sat, val: *val }
            }
            Point::Normalize { mean, denom } => {
                if !dtype.computes() {
                    return cannot_compute(&at.shape);
                }
                let f = |v: &Fill| Ok(v.values(c)?.into_iter().map(|x| x as f32).collect::<Vec<f32>>());
                Step::Normalize { mean: f(mean)?, denom: f(denom)? }
            }
            Point::Cast { max, .. } if !(*max > 0.0 && max.is_finite()) => {
                return Err(Error::value(format!("cast: max {max}; a finite number > 0")));
            }
            Point::Cast { dtype: to, max } => match (dtype, to) {
                (DType::F32, DType::F32) if *max == 1.0 => return Ok(Pixels::Pass),
                (_, DType::F32) => Step::Cast { to: DType::F32, max: *max },
                (DType::F32, DType::U8) => Step::Cast { to: DType::U8, max: *max },
                _ => {
                    return Err(Error::type_(format!("cast: {} to {} is not offered", dtype.name(), to.name())));
                }
            },
            Point::Work { dtype: to } => {
                let to = match to {
                    Working::U8 => DType::U8,
                    Working::F32 => DType::F32,
                    // The planner knows what the lane's own type is.
                    Working::Own => return Ok(Pixels::Row(Step::Own)),
                };
                match (dtype, to) {
                    (a, b) if a == b => return Ok(Pixels::Pass),
                    (DType::U8, _) | (DType::F32, _) => Step::Cast { to, max: 255.0 },
                    _ => return cannot_compute(&at.shape),
                }
            }
        }))
    }
}
