//! Resampling: to a new size, or through a map.

use super::value::{FromVal, Val};
use super::{At, Pixels, Role, Source};
use crate::error::{Error, Result};
use crate::geom::{self, BoxMethod, Geom};
use crate::image::{Border, Fill, Interp, Shape};
use crate::ops;
use std::sync::Arc;

ops! {
    /// Ops that resample.
    pub enum Sample {
        /// Scales to (w, h). `factor`: output pixels a source pixel along x and y,
        /// if not those of the sizes. `points`:
        /// factors of keypoint positions, if not those of the sizes.
        "resize" Resize {
            w: usize, h: usize, interp: Interp, mask_interp: Interp, factor: Option<Vec<f64>>, points: Option<Vec<f64>>,
        },
        /// Resamples through a map into a frame of (w, h). `ghosts`: under borders 2 and 4 boxes and points get mirrored
        /// copies, as the pixels do.
        "warp" Warp {
            map: Map, w: usize, h: usize, interp: Interp, mask_interp: Interp, border: Border, fill: Fill,
            mask_fill: Fill, ghosts: bool,
        },
    }
}

impl FromVal for BoxMethod {
    fn from_val(v: &Val) -> Result<Self> {
        match v.word() {
            Some("largest_box") => Ok(BoxMethod::Corners),
            Some("ellipse") => Ok(BoxMethod::Ellipse),
            _ => Err(Error::value(format!("expected largest_box or ellipse, got {v:?}"))),
        }
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
    /// `homography(9 numbers, kp_scale[, kp_turn])`: forward matrix.
    Homography {
        /// Row-major 3×3.
        m: [f64; 9],
        /// Factor of keypoint scales.
        kp_scale: f64,
        /// Radians added to keypoint angles; the matrix's own turn if missing.
        kp_turn: Option<f64>,
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
        let Some(form) = items.first().and_then(Val::word) else { return Err(bad()) };
        let number = |i: usize| items.get(i).ok_or_else(bad).and_then(f64::from_val);
        let finite = |m: &[f64]| m.iter().all(|x| x.is_finite());
        Ok(match (form, items.len()) {
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
            ("homography", 11 | 12) => {
                let mut m = [0.0; 9];
                for (i, x) in m.iter_mut().enumerate() {
                    *x = number(i + 1)?;
                }
                if !finite(&m) {
                    return Err(bad());
                }
                let kp_turn = items.get(11).map(f64::from_val).transpose()?;
                Map::Homography { m, kp_scale: number(10)?, kp_turn }
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
            Sample::Resize { w, h, interp, mask_interp, factor, .. } => {
                let factor = pair(factor.as_deref())?;
                let interp = pick(*interp, *mask_interp);
                if *w == 0 || *h == 0 {
                    return Err(Error::value(format!("resize: {w}×{h}; width and height must be ≥ 1")));
                }
                if (*w, *h) == (at.shape.w, at.shape.h) && factor.is_none() {
                    return Ok(Pixels::Pass);
                }
                check(&at.shape, interp)?;
                Ok(Pixels::Source(Source::Resize { w: *w, h: *h, interp, factor }))
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
                map.check_size((*w, *h), (s.w, s.h))?;
                let fill = if at.role == Role::Mask { mask_fill } else { fill };
                let map = Arc::new(map.coordinates(s.w, s.h)?);
                Ok(Pixels::Source(Source::Warp { map, w: *w, h: *h, interp, border: *border, fill: fill.cut(s.c) }))
            }
        }
    }

    /// Calls `f` with what the op does to coordinates.
    pub fn with_geom<R>(
        &self,
        (w0, h0, _): (usize, usize, usize),
        f: impl FnOnce(&Geom<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        let from = [w0, h0];
        match self {
            Sample::Resize { w, h, points, .. } => {
                let mut scale = geom::Scale::new(from, *w, *h);
                scale.points = pair(points.as_deref())?;
                f(&Geom::Scale(scale))
            }
            Sample::Warp { map, w, h, border, ghosts, .. } => {
                let to = [*w, *h];
                let ghosts = *ghosts && matches!(border, Border::Reflect | Border::Reflect101);
                match map {
                    Map::Affine { m, kp_scale, boxes } => {
                        let mut affine = geom::Affine::new(*m, *kp_scale, from, to);
                        affine.box_method = *boxes;
                        affine.ghosts = ghosts;
                        f(&Geom::Affine(affine))
                    }
                    Map::Homography { m, kp_scale, kp_turn } => {
                        let mut homography = geom::Homography::new(*m, *kp_scale, to);
                        if let Some(turn) = kp_turn {
                            homography.kp_turn = *turn;
                        }
                        f(&Geom::Homography(homography))
                    }
                    Map::Axes { .. } => {
                        map.check_size((*w, *h), (w0, h0))?;
                        let Coordinates::Axes(xs, ys) = map.coordinates(w0, h0)? else { unreachable!() };
                        let px: Vec<f32> = ys.iter().flat_map(|_| xs.iter().copied()).collect();
                        let py: Vec<f32> = ys.iter().flat_map(|y| std::iter::repeat_n(*y, xs.len())).collect();
                        f(&Geom::Field(geom::Field::new(&px, &py, to, from)))
                    }
                }
            }
        }
        .map(Some)
    }
}

/// Two positive factors, if there are any.
fn pair(list: Option<&[f64]>) -> Result<Option<[f64; 2]>> {
    match list {
        None => Ok(None),
        Some([x, y]) if *x > 0.0 && *y > 0.0 => Ok(Some([*x, *y])),
        Some(other) => Err(Error::value(format!("resize: expected two factors > 0, got {other:?}"))),
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
        matches!(self, Map::Affine { m, .. } if geom::affine::is_identity(m))
    }

    /// Tables have an entry for each pixel: such a map keeps the size.
    fn check_size(&self, to: (usize, usize), from: (usize, usize)) -> Result<()> {
        match self {
            Map::Axes { .. } if to != from => {
                Err(Error::value(format!("warp: axes keep the size, {from:?} cannot become {to:?} (w, h)")))
            }
            _ => Ok(()),
        }
    }

    /// The inverse map, or its tables, for a source of (w, h).
    pub fn coordinates(&self, w: usize, h: usize) -> Result<Coordinates> {
        Ok(match self {
            Map::Affine { m, .. } => Coordinates::Affine(geom::affine::invert_affine(m)?),
            Map::Homography { m, .. } => Coordinates::Homography(geom::homography::invert_homography(m)?),
            Map::Axes { x, y } => Coordinates::Axes(geom::field::axis_table(x, w)?, geom::field::axis_table(y, h)?),
        })
    }
}
