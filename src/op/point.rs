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
        /// v·a + b per channel; u8 rounds as told; `clip` keeps f32 in 0..1 (u8 always saturates). `unit`: of what b is a
        /// multiple, if not of 1.
        "linear" Linear { a: Fill, b: Fill, round: Round, clip: bool, unit: Option<Unit> },
        /// (v / MAX)^g · MAX; u8 truncates.
        "gamma" Gamma { g: f64 },
        /// Hue wraps, zero saturation stays. Half degrees and 0..255 whatever the element type. An image of one channel
        /// has a value only; in u8 its shift is cut to an integer.
        "hsv_shift" HsvShift { hue: f64, sat: f64, val: f64 },
        /// (v − mean) · denom per channel, f32, not clipped. More numbers than channels are cut; of fewer the first is for
        /// all, as in 2.0.8.
        "normalize" Normalize { mean: Fill, denom: Fill },
        /// To f32: v / max, where f32 and f64 are in 0..1 already. To an integer type: rounded and saturated v · max.
        /// Without a max it is the highest value of the integer type. Lasting.
        "cast" Cast { dtype: DType, max: Option<f64> },
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
    /// What a number of an op is a multiple of.
    pub enum Unit {
        /// The highest value of the lane's element type: 255 or 1.
        Max = "max",
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
            Point::Linear { a, b, round, clip, unit } => {
                let unit = unit.and_then(|Unit::Max| dtype.max_value()).unwrap_or(1.0);
                let (a, b) = (a.values(c)?, b.map(|b| b * unit).values(c)?);
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
            Point::HsvShift { hue, sat, val } => match (dtype, c) {
                (DType::U8 | DType::F32, 3) => Step::HsvShift { hue: *hue, sat: *sat, val: *val },
                (DType::U8, 1) => Step::Table(step::linear_table(&[1.0], &[val.trunc()], Round::Trunc)),
                (DType::F32, 1) => Step::linear(&[1.0], &[val / 255.0], true),
                (DType::U8 | DType::F32, _) => {
                    return Err(Error::type_(format!("{c} channels; hue, saturation and value need 1 or 3")));
                }
                _ => return cannot_compute(&at.shape),
            },
            Point::Normalize { mean, denom } => {
                if !dtype.computes() {
                    return cannot_compute(&at.shape);
                }
                let f = |v: &Fill| match v {
                    Fill::Each(list) if list.is_empty() => Err(Error::value("normalize: no numbers")),
                    Fill::Each(list) if list.len() >= c => Ok(list[..c].iter().map(|x| *x as f32).collect()),
                    Fill::Each(list) => Ok(vec![list[0] as f32; c]),
                    Fill::All(v) => Ok(vec![*v as f32; c]),
                };
                Step::Normalize { mean: f(mean)?, denom: f(denom)? }
            }
            Point::Cast { max: Some(max), .. } if !(*max > 0.0 && max.is_finite()) => {
                return Err(Error::value(format!("cast: max {max}; a finite number > 0")));
            }
            Point::Cast { dtype: to, max } => match (dtype, to) {
                (DType::F32, DType::F32) => return Ok(Pixels::Pass),
                (DType::F64, DType::F32) => Step::Cast { to: DType::F32, max: 1.0 },
                (_, DType::F32) => match max.or(dtype.max_value()) {
                    Some(max) => Step::Cast { to: DType::F32, max },
                    None => {
                        let text = format!("cast: dtype {} has no highest value; give one", dtype.name());
                        return Err(Error::type_(text));
                    }
                },
                (DType::F32, DType::U8) => Step::Cast { to: DType::U8, max: max.unwrap_or(255.0) },
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
