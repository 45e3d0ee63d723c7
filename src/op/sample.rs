//! Resampling: to a new size, or through a map.

use super::value::{FromVal, Val};
use super::{At, Pixels, Role, Source};
use crate::error::{Error, Result};
use crate::geom::Geom;
use crate::image::{Border, Fill, Interp, Shape};
use crate::{ops, words};
use std::sync::Arc;

ops! {
    /// Ops that resample.
    pub enum Sample {
        /// Scales to (w, h).
        "resize" Resize { w: usize, h: usize, interp: Interp, mask_interp: Interp },
        /// Resamples through a map into a frame of (w, h). `ghosts`: under borders 2 and 4 boxes and points get mirrored
        /// copies, as the pixels do.
        "warp" Warp {
            map: Map, w: usize, h: usize, interp: Interp, mask_interp: Interp, border: Border, fill: Fill,
            mask_fill: Fill, ghosts: bool,
        },
    }
}

words! {
    /// How a box follows a map.
    pub enum BoxMethod {
        /// The extent of its mapped corners.
        Corners = "largest_box",
        /// The extent of its mapped inscribed ellipse.
        Ellipse = "ellipse",
    }
}

/// Source position of each output pixel, as the op carries it.
#[derive(Clone, Debug, PartialEq)]
pub enum Map {
    /// `affine(m00 m01 m02 m10 m11 m12, kp_scale, box_method)`: forward matrix in pixel-centre coordinates.
    Affine {
        /// Row-major 2×3.
        m: [f64; 6],
        /// Factor of keypoint scales.
        kp_scale: f64,
        /// How boxes follow.
        boxes: BoxMethod,
    },
    /// `homography(9 numbers, kp_scale)`: forward matrix.
    Homography {
        /// Row-major 3×3.
        m: [f64; 9],
        /// Factor of keypoint scales.
        kp_scale: f64,
    },
    /// `axes(steps_x, steps_y)`: separable, one step factor for each cell of a grid along each axis.
    Axes {
        /// Step factors along x.
        x: Vec<f64>,
        /// Step factors along y.
        y: Vec<f64>,
    },
}

impl FromVal for Map {
    fn from_val(v: &Val) -> Result<Self> {
        let bad = || Error::value(format!("expected a map, got {v:?}"));
        let Val::List(items) = v else { return Err(bad()) };
        let Some(Val::Str(form)) = items.first() else { return Err(bad()) };
        let number = |i: usize| items.get(i).ok_or_else(bad).and_then(f64::from_val);
        let finite = |m: &[f64]| m.iter().all(|x| x.is_finite());
        Ok(match (*form, items.len()) {
            ("affine", 9) => {
                let mut m = [0.0; 6];
                for (i, x) in m.iter_mut().enumerate() {
                    *x = number(i + 1)?;
                }
                if !finite(&m) {
                    return Err(bad());
                }
                Map::Affine { m, kp_scale: number(7)?, boxes: BoxMethod::from_val(&items[8])? }
            }
            ("homography", 11) => {
                let mut m = [0.0; 9];
                for (i, x) in m.iter_mut().enumerate() {
                    *x = number(i + 1)?;
                }
                if !finite(&m) {
                    return Err(bad());
                }
                Map::Homography { m, kp_scale: number(10)? }
            }
            ("axes", 3) => Map::Axes { x: Vec::from_val(&items[1])?, y: Vec::from_val(&items[2])? },
            _ => return Err(bad()),
        })
    }
}

/// A map made ready for kernels: built once per call and lane, shared by slices.
#[derive(Clone, Debug)]
pub enum Coordinates {
    /// Inverse matrix.
    Affine([f64; 6]),
    /// Inverse matrix.
    Homography([f64; 9]),
    /// Source x of each column, source y of each row.
    Axes(Vec<f32>, Vec<f32>),
}

impl Sample {
    /// Size (w, h) after the op.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Sample::Resize { w, h, .. } | Sample::Warp { w, h, .. } => (*w, *h),
        }
    }

    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        let pick = |image: Interp, mask: Interp| if at.role == Role::Mask { mask } else { image };
        match self {
            Sample::Resize { w, h, interp, mask_interp } => {
                let interp = pick(*interp, *mask_interp);
                if *w == 0 || *h == 0 {
                    return Err(Error::value(format!("resize: {w}×{h}; width and height must be ≥ 1")));
                }
                if (*w, *h) == (at.shape.w, at.shape.h) {
                    return Ok(Pixels::Pass);
                }
                check(&at.shape, interp)?;
                Ok(Pixels::Source(Source::Resize { w: *w, h: *h, interp }))
            }
            Sample::Warp { map, w, h, interp, mask_interp, border, fill, mask_fill, .. } => {
                let interp = pick(*interp, *mask_interp);
                let s = at.shape;
                check(&s, interp)?;
                if s.w > MAX_SIDE || s.h > MAX_SIDE {
                    return Err(Error::limit(format!("warp: {}×{} image; sides up to {MAX_SIDE}", s.w, s.h)));
                }
                if map.is_identity() && (*w, *h) == (s.w, s.h) {
                    return Ok(Pixels::Pass);
                }
                let fill = if at.role == Role::Mask { mask_fill } else { fill };
                let map = Arc::new(map.coordinates(s.w, s.h)?);
                Ok(Pixels::Source(Source::Warp { map, w: *w, h: *h, interp, border: *border, fill: fill.clone() }))
            }
        }
    }

    /// What it does to coordinates.
    pub fn geom(&self, size: (usize, usize, usize)) -> Result<Geom> {
        let _ = size;
        todo!("geom")
    }
}

/// Longest side that 16.16 coordinates of a warp can address.
const MAX_SIDE: usize = 32_766;

fn check(s: &Shape, interp: Interp) -> Result<()> {
    if interp.is_nearest() || s.dtype.computes() {
        return Ok(());
    }
    Err(Error::type_(format!(
        "dtype {}; interpolation other than nearest computes on uint8, float32; .astype(np.float32) or interpolation=0",
        s.dtype.name()
    )))
}

impl Map {
    /// True if every output pixel reads the pixel under it.
    pub fn is_identity(&self) -> bool {
        let near = |m: &[f64], id: &[f64]| m.iter().zip(id).all(|(a, b)| (a - b).abs() <= 1e-8 + 1e-5 * b.abs());
        match self {
            Map::Affine { m, .. } => near(m, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            _ => false,
        }
    }

    /// The inverse map, or its tables, for a source of (w, h).
    pub fn coordinates(&self, w: usize, h: usize) -> Result<Coordinates> {
        let _ = (w, h);
        todo!("geom")
    }
}
