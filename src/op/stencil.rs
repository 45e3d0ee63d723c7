//! Stencils: the output pixel depends on a fixed neighbourhood. Border reflect-101.

use super::point::cannot_compute;
use super::value::{FromVal, Val};
use super::{At, Pixels, Role, Source};
use crate::error::{Error, Result};
use crate::kernel::filter;
use crate::ops;
use std::sync::Arc;

ops! {
    /// Ops on neighbourhoods.
    pub enum Stencil {
        /// Separable Gaussian of `k` taps (odd): exp(−x²/2σ²) on integers, normalised.
        "gauss" Gauss { k: usize, sigma: f64 },
        /// Correlation (kernel not flipped), centre anchor; f32 results are clipped to 0..1.
        "conv" Conv { kernel: Kernel },
    }
}

/// Weights of a correlation.
#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    /// `weights(k, k² numbers)`: as given, row-major.
    Weights {
        /// Side, odd.
        k: usize,
        /// Row-major.
        w: Vec<f64>,
    },
}

impl FromVal for Kernel {
    fn from_val(v: &Val) -> Result<Self> {
        let bad = || Error::value(format!("expected weights(k, k² numbers), got {v:?}"));
        match v {
            Val::List(items) if items.len() == 3 && items[0].word() == Some("weights") => {
                let (k, w) = (usize::from_val(&items[1])?, Vec::from_val(&items[2])?);
                if k % 2 == 0 || w.len() != k * k {
                    return Err(bad());
                }
                Ok(Kernel::Weights { k, w })
            }
            _ => Err(bad()),
        }
    }
}

impl Stencil {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        if !at.shape.dtype.computes() {
            return cannot_compute(&at.shape);
        }
        Ok(Pixels::Source(match self {
            Stencil::Gauss { k, sigma } => {
                if k % 2 == 0 || *k > 100_001 || *sigma < 0.0 {
                    return Err(Error::value(format!("gauss: {k} taps, sigma {sigma}; odd taps, sigma ≥ 0")));
                }
                if *k == 1 {
                    return Ok(Pixels::Pass);
                }
                Source::Separable { kernel: Arc::new(filter::gauss_kernel(*k, *sigma)) }
            }
            Stencil::Conv { kernel: Kernel::Weights { k, w } } => Source::Conv { k: *k, weights: Arc::new(w.clone()) },
        }))
    }
}
