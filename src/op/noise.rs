//! Noise: a value for each pixel, from a seed and the position.

use super::point::cannot_compute;
use super::step::Step;
use super::value::{FromVal, Val};
use super::{At, Pixels, Role};
use crate::error::{Error, Result};
use crate::kernel::noise as kernel;
use crate::{ops, words};
use std::sync::Arc;

ops! {
    /// Ops that add or multiply a field of numbers.
    pub enum Noise {
        /// add: v + c0·MAX·f; u8 truncates the addend toward zero, f32 is clipped to 0..1.
        "field" Field { field: FieldForm, rule: FieldRule, c0: f64, c1: f64 },
    }
}

words! {
    /// How a field meets the image.
    pub enum FieldRule {
        /// v + c0·MAX·f.
        Add = "add",
    }
}

words! {
    /// Which pixels and channels share a number.
    pub enum Layout {
        /// Each component has its own.
        Pixel = "pixel",
        /// The channels of a pixel share one.
        Shared = "shared",
        /// The pixels of a channel share one.
        Channel = "channel",
    }
}

/// One number a pixel: `noise(seed, "normal", mean, std, layout, gw, gh)`, drawn on a gw×gh grid and enlarged linearly
/// if that is smaller than the frame; 0×0 is a number for each pixel of whatever frame the lane has.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldForm {
    seed: u64,
    mean: f64,
    std: f64,
    layout: Layout,
    gw: usize,
    gh: usize,
}

impl FromVal for FieldForm {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(i) if i.len() == 8 && i[0].word() == Some("noise") && i[2].word() == Some("normal") => {
                Ok(FieldForm {
                    seed: u64::from_val(&i[1])?,
                    mean: f64::from_val(&i[3])?,
                    std: f64::from_val(&i[4])?,
                    layout: Layout::from_val(&i[5])?,
                    gw: usize::from_val(&i[6])?,
                    gh: usize::from_val(&i[7])?,
                })
            }
            _ => Err(Error::value(format!("expected noise(seed, \"normal\", mean, std, layout, gw, gh), got {v:?}"))),
        }
    }
}

impl Noise {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        if at.role == Role::Mask {
            return Ok(Pixels::Pass);
        }
        let s = at.shape;
        if !s.dtype.computes() {
            return cannot_compute(&s);
        }
        let Noise::Field { field: f, rule: FieldRule::Add, c0, .. } = self;
        let grid = if (f.gw, f.gh) == (0, 0) { (s.w, s.h) } else { (f.gw.max(1), f.gh.max(1)) };
        let dist = kernel::Dist::Normal { mean: f.mean * c0, std: f.std * c0 };
        let layout = match f.layout {
            Layout::Pixel => kernel::Layout::Pixel,
            Layout::Shared => kernel::Layout::Shared,
            Layout::Channel => kernel::Layout::Channel,
        };
        let grid = (f.layout != Layout::Channel && grid != (s.w, s.h)).then_some(grid);
        let mut noise = kernel::Noise::new(f.seed, dist, layout, grid);
        noise.prepare(s.w, s.h, s.c);
        Ok(Pixels::Row(Step::Noise(Arc::new(noise))))
    }
}
