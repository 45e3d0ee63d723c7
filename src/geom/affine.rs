//! Affine maps: matrix builders, and what a matrix does to boxes and keypoints.
//!
//! A matrix [a, b, c, d, e, f] sends (x, y) to (a·x + b·y + c, d·x + e·y + f).

use super::boxes::{BoxRow, drop_outside};
use super::mirror::{Tiles, bounds};
use super::points::{Point, centre_from_edge, edge_from_centre, wrap_angle};
use super::trig::{atan2, cos, radians, sin};
use crate::error::{Error, Result};
use std::sync::OnceLock;

/// How the new box of a rotated box is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxMethod {
    /// Hull of the four mapped corners.
    Corners,
    /// Hull of the mapped inscribed ellipse, sampled at each of 360 degrees.
    Ellipse,
}

/// An affine map with what its targets need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Forward matrix in centre coordinates: image and keypoints.
    pub matrix: [f64; 6],
    /// Forward matrix in edge coordinates: boxes and outlines.
    pub box_matrix: [f64; 6],
    /// Factor of keypoint scales: the larger of the scales in x and y.
    pub kp_scale: f64,
    /// How boxes are rotated.
    pub box_method: BoxMethod,
    /// Size before: w, h.
    pub from: [usize; 2],
    /// Size after: w, h.
    pub to: [usize; 2],
    /// The border reflects (2 or 4) and adds mirrored rows.
    pub ghosts: bool,
}

impl Affine {
    /// The map of `matrix` (centre coordinates) from and to frames of those sizes; boxes by corners, no ghosts.
    ///
    /// 2.0.8 builds the box matrix a second time about (w/2, h/2) where the image turns about (w/2 − ½, h/2 − ½). That
    /// is this same map in edge coordinates, half a pixel off in and out, so it is derived here.
    pub fn new(matrix: [f64; 6], kp_scale: f64, from: [usize; 2], to: [usize; 2]) -> Affine {
        let box_matrix = edge_matrix(&matrix);
        Affine { matrix, box_matrix, kp_scale, box_method: BoxMethod::Corners, from, to, ghosts: false }
    }

    /// 2.0.8 moves nothing, not even the frame, if the matrix is the identity to within NumPy's `allclose`.
    pub fn is_identity(&self) -> bool {
        is_identity(&self.matrix)
    }

    /// Output position of an edge point.
    pub fn edge(&self, p: [f64; 2]) -> [f64; 2] {
        if is_identity(&self.box_matrix) { p } else { apply(&self.box_matrix, p) }
    }

    /// The tiles that a reflecting border shows in edge coordinates, for `rows` rows each.
    pub(crate) fn tiles(&self, rows: usize) -> Result<Option<Tiles>> {
        if !self.ghosts || is_identity(&self.box_matrix) {
            return Ok(None);
        }
        Tiles::behind(&self.box_matrix, self.from, rows).map(Some)
    }

    pub(crate) fn boxes(&self, rows: &mut Vec<BoxRow>) -> Result<()> {
        let m = &self.box_matrix;
        if is_identity(m) {
            return Ok(());
        }
        if let Some(tiles) = self.tiles(rows.len())? {
            *rows = tiles.boxes(rows);
        }
        for row in rows.iter_mut() {
            let [x0, y0, x1, y1] = row.edges;
            row.edges = match self.box_method {
                BoxMethod::Corners => bounds([[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|p| apply(m, p))),
                BoxMethod::Ellipse => {
                    let (rx, ry) = ((x1 - x0) / 2.0, (y1 - y0) / 2.0);
                    let (cx, cy) = (x0 + rx, y0 + ry);
                    bounds(circle().iter().map(|&[s, c]| apply(m, [cx + rx * s, cy + ry * c])))
                }
            };
        }
        drop_outside(rows, self.to[0], self.to[1]);
        Ok(())
    }

    /// Keypoints keep their copies outside the frame: the filter of the call decides, as in 2.0.8.
    pub(crate) fn points(&self, rows: &mut Vec<Point>) -> Result<()> {
        let m = &self.matrix;
        if is_identity(m) {
            return Ok(());
        }
        if self.ghosts {
            *rows = Tiles::behind(m, self.from, rows.len())?.points(rows);
        }
        // A rotation by +θ counter-clockwise adds θ, where a quarter turn of a grid subtracts 90°: both as 2.0.8.
        let turn = atan2(-m[3], m[0]);
        for p in rows.iter_mut() {
            [p.x, p.y] = apply(m, [p.x, p.y]);
            p.angle = wrap_angle(p.angle + turn);
            p.scale *= self.kp_scale;
        }
        Ok(())
    }
}

/// Sine and cosine of the 360 integer degrees.
fn circle() -> &'static [[f64; 2]; 360] {
    static TABLE: OnceLock<[[f64; 2]; 360]> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|i| [sin(radians(i as f64)), cos(radians(i as f64))]))
}

/// The point that the matrix sends p to.
pub fn apply(m: &[f64; 6], p: [f64; 2]) -> [f64; 2] {
    [m[0] * p[0] + m[1] * p[1] + m[2], m[3] * p[0] + m[4] * p[1] + m[5]]
}

/// The same map in edge coordinates, of a matrix in centre coordinates.
pub fn edge_matrix(m: &[f64; 6]) -> [f64; 6] {
    let at = edge_from_centre(apply(m, centre_from_edge([0.0, 0.0])));
    [m[0], m[1], at[0], m[3], m[4], at[1]]
}

/// a after b.
pub fn compose(a: &[f64; 6], b: &[f64; 6]) -> [f64; 6] {
    [
        a[0] * b[0] + a[1] * b[3],
        a[0] * b[1] + a[1] * b[4],
        a[0] * b[2] + a[1] * b[5] + a[2],
        a[3] * b[0] + a[4] * b[3],
        a[3] * b[1] + a[4] * b[4],
        a[3] * b[2] + a[4] * b[5] + a[5],
    ]
}

/// Signed area of the image of the unit square.
pub fn determinant(m: &[f64; 6]) -> f64 {
    m[0] * m[4] - m[1] * m[3]
}

/// True if the matrix is the identity to within NumPy's `allclose` (1e-5 of the entry, 1e-8 where it is 0).
pub fn is_identity(m: &[f64; 6]) -> bool {
    let eye = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    m.iter().zip(eye).all(|(v, e)| (v - e).abs() <= 1e-8 + 1e-5 * e)
}

/// The inverse map; an error if the matrix flattens the plane.
pub fn invert_affine(m: &[f64; 6]) -> Result<[f64; 6]> {
    let det = determinant(m);
    let size = (m[0] * m[4]).abs() + (m[1] * m[3]).abs();
    let is_sound = det.abs() > 1e-12 * size && det.is_finite() && m[2].is_finite() && m[5].is_finite();
    if !is_sound {
        return Err(Error::value(format!("the affine matrix {m:?} is not invertible")));
    }
    let [a, b, d, e] = [m[4] / det, -m[1] / det, -m[3] / det, m[0] / det];
    Ok([a, b, -(a * m[2] + b * m[5]), d, e, -(d * m[2] + e * m[5])])
}

/// Scale, rotation (degrees, counter-clockwise on screen), shear (degrees) and translation about (cx, cy):
/// T(c)·T(t)·Sh·R·S·T(−c).
#[allow(clippy::too_many_arguments)]
pub fn affine_matrix(
    angle_deg: f64,
    sx: f64,
    sy: f64,
    shear_x_deg: f64,
    shear_y_deg: f64,
    tx: f64,
    ty: f64,
    cx: f64,
    cy: f64,
) -> [f64; 6] {
    let angle = radians(angle_deg.rem_euclid(360.0));
    let (s, c) = (sin(angle), cos(angle));
    let tangent = |deg: f64| {
        let a = radians(-deg);
        sin(a) / cos(a)
    };
    let (kx, ky) = (tangent(shear_x_deg), tangent(shear_y_deg));
    let to_origin = [1.0, 0.0, -cx, 0.0, 1.0, -cy];
    let scale = [sx, 0.0, 0.0, 0.0, sy, 0.0];
    let rotate = [c, s, 0.0, -s, c, 0.0];
    let shear = [1.0, kx, 0.0, ky, 1.0, 0.0];
    let back = [1.0, 0.0, tx + cx, 0.0, 1.0, ty + cy];
    compose(&back, &compose(&shear, &compose(&rotate, &compose(&scale, &to_origin))))
}

/// The centre of a w × h frame in centre coordinates.
pub fn centre(w: usize, h: usize) -> [f64; 2] {
    centre_from_edge([w as f64 / 2.0, h as f64 / 2.0])
}

/// The matrix moved so that the whole w × h frame shows, and the size that takes.
pub fn fit_output(m: &[f64; 6], w: usize, h: usize) -> ([f64; 6], [usize; 2]) {
    let (fw, fh) = (w as f64, h as f64);
    let b = bounds([[0.0, 0.0], [fw, 0.0], [fw, fh], [0.0, fh]].map(|p| apply(m, p)));
    let (x0, y0, x1, y1) = (b[0].floor(), b[1].floor(), b[2].ceil(), b[3].ceil());
    let moved = [m[0], m[1], m[2] - x0, m[3], m[4], m[5] - y0];
    (moved, [(x1 - x0 + 1.0) as usize, (y1 - y0 + 1.0) as usize])
}

/// What SafeRotate does: the matrices of image and boxes, and the keypoint factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafeRotation {
    /// Forward, centre coordinates.
    pub matrix: [f64; 6],
    /// Forward, as 2.0.8 applies it to box edges. Its centre lands on the middle of the canvas in both matrices, so
    /// this one is *not* the half-pixel shift of the other: boxes lie half a pixel up and left of the pixels.
    pub box_matrix: [f64; 6],
    /// Keypoint factor.
    pub kp_scale: f64,
}

/// Rotation on an enlarged canvas, squeezed back into w × h.
pub fn safe_rotation(angle_deg: f64, w: usize, h: usize) -> SafeRotation {
    let angle = radians(angle_deg);
    let (s, c) = (sin(angle), cos(angle));
    let (fw, fh) = (w as f64, h as f64);
    let canvas_w = (fh * s.abs() + fw * c.abs()).trunc().max(1.0);
    let canvas_h = (fh * c.abs() + fw * s.abs()).trunc().max(1.0);
    let (sx, sy) = (fw / canvas_w, fh / canvas_h);
    let about = |[cx, cy]: [f64; 2]| {
        let x = (1.0 - c) * cx - s * cy + (canvas_w / 2.0 - cx);
        let y = s * cx + (1.0 - c) * cy + (canvas_h / 2.0 - cy);
        [sx * c, sx * s, sx * x, -sy * s, sy * c, sy * y]
    };
    SafeRotation { matrix: about(centre(w, h)), box_matrix: about([fw / 2.0, fh / 2.0]), kp_scale: sx.max(sy) }
}

/// The largest upright rectangle inside a w × h frame rotated by `angle_deg`: x0, y0, x1, y1.
pub fn crop_border(angle_deg: f64, w: usize, h: usize) -> [usize; 4] {
    let angle = radians(angle_deg);
    let (s, c) = (sin(angle).abs(), cos(angle).abs());
    let (fw, fh) = (w as f64, h as f64);
    let (long, short) = (fw.max(fh), fw.min(fh));
    let (rw, rh) = if short <= 2.0 * s * c * long || (s - c).abs() < 1e-10 {
        // Two corners touch the long sides, the others lie on the middle line.
        let x = 0.5 * short;
        if w >= h { (x / s, x / c) } else { (x / c, x / s) }
    } else {
        let cos2 = c * c - s * s;
        ((fw * c - fh * s) / cos2, (fh * c - fw * s) / cos2)
    };
    let low = |side: f64, r: f64| (side / 2.0 - r / 2.0).trunc().max(0.0) as usize;
    let high = |side: f64, r: f64| (side / 2.0 + r / 2.0).trunc().min(side) as usize;
    [low(fw, rw), low(fh, rh), high(fw, rw), high(fh, rh)]
}

#[cfg(test)]
#[path = "affine_tests.rs"]
mod tests;
