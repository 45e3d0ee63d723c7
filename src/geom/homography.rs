//! Homographies: from quadrilaterals, and what one does to boxes and keypoints.
//!
//! A matrix of 9 numbers, row by row, sends (x, y) to (X/W, Y/W).

use super::boxes::BoxRow;
use super::mirror::bounds;
use super::points::{Point, wrap_angle};
use super::trig::atan2;
use crate::error::{Error, Result};

/// A homography with what its targets need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography {
    /// Forward matrix. As in 2.0.8 it serves pixel centres and box corners alike, without the half pixel.
    pub matrix: [f64; 9],
    /// Factor of keypoint scales.
    pub kp_scale: f64,
    /// Radians added to keypoint angles.
    pub kp_turn: f64,
    /// Size after: w, h.
    pub to: [usize; 2],
}

impl Homography {
    /// The map of `matrix` to a frame of that size; the angle turns by atan2(m10, m00).
    pub fn new(matrix: [f64; 9], kp_scale: f64, to: [usize; 2]) -> Homography {
        Homography { matrix, kp_scale, kp_turn: turn(&matrix), to }
    }

    /// Output position of an edge point; `None` beyond the horizon.
    pub fn edge(&self, p: [f64; 2]) -> Option<[f64; 2]> {
        (depth(&self.matrix, p) > f64::EPSILON).then(|| project(&self.matrix, p))
    }

    /// No copies and no dropping for any border: the filter of the call decides, as in 2.0.8.
    pub(crate) fn boxes(&self, rows: &mut [BoxRow]) {
        for row in rows {
            let [x0, y0, x1, y1] = row.edges;
            row.edges = bounds([[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|p| project(&self.matrix, p)));
        }
    }

    pub(crate) fn points(&self, rows: &mut [Point]) {
        for p in rows {
            [p.x, p.y] = project(&self.matrix, [p.x, p.y]);
            p.angle = wrap_angle(p.angle + self.kp_turn);
            p.scale *= self.kp_scale;
        }
    }
}

/// The angle added to keypoints: +atan2(m10, m00), where an affine map takes −m10 (both as 2.0.8).
fn turn(m: &[f64; 9]) -> f64 {
    atan2(m[3], m[0])
}

/// The third homogeneous coordinate of p.
pub(crate) fn depth(m: &[f64; 9], p: [f64; 2]) -> f64 {
    m[6] * p[0] + m[7] * p[1] + m[8]
}

/// The point that the matrix sends p to; a point at infinity goes to 0, as in OpenCV.
pub fn project(m: &[f64; 9], p: [f64; 2]) -> [f64; 2] {
    let w = depth(m, p);
    let w = if w.abs() > f64::EPSILON { 1.0 / w } else { 0.0 };
    [(m[0] * p[0] + m[1] * p[1] + m[2]) * w, (m[3] * p[0] + m[4] * p[1] + m[5]) * w]
}

/// a after b.
pub fn compose(a: &[f64; 9], b: &[f64; 9]) -> [f64; 9] {
    std::array::from_fn(|i| {
        let (r, c) = (i / 3 * 3, i % 3);
        a[r] * b[c] + a[r + 1] * b[c + 3] + a[r + 2] * b[c + 6]
    })
}

/// Determinant of the matrix.
pub fn determinant(m: &[f64; 9]) -> f64 {
    m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])
}

/// The inverse map; an error if the matrix flattens the plane.
pub fn invert_homography(m: &[f64; 9]) -> Result<[f64; 9]> {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    let adj = [
        minor(4, 5, 7, 8),
        -minor(1, 2, 7, 8),
        minor(1, 2, 4, 5),
        -minor(3, 5, 6, 8),
        minor(0, 2, 6, 8),
        -minor(0, 2, 3, 5),
        minor(3, 4, 6, 7),
        -minor(0, 1, 6, 7),
        minor(0, 1, 3, 4),
    ];
    let (a, b, c) = (m[0] * adj[0], m[1] * adj[3], m[2] * adj[6]);
    let det = a + b + c;
    // Written so that NaN is refused too.
    if !(det.abs() > 1e-12 * (a.abs() + b.abs() + c.abs()) && adj.iter().all(|v| (v / det).is_finite())) {
        return Err(Error::value(format!("the homography {m:?} is not invertible")));
    }
    Ok(adj.map(|v| v / det))
}

/// The homography with last entry 1 that sends each corner of `src` to that of `dst`: eight equations by elimination
/// with row pivoting. An error if three corners of a quadrilateral lie on a line.
pub fn homography_from_quads(src: &[[f64; 2]; 4], dst: &[[f64; 2]; 4]) -> Result<[f64; 9]> {
    let mut a = [[0.0f64; 9]; 8];
    for (i, (&[x, y], &[u, v])) in src.iter().zip(dst).enumerate() {
        a[i] = [x, y, 1.0, 0.0, 0.0, 0.0, -x * u, -y * u, u];
        a[i + 4] = [0.0, 0.0, 0.0, x, y, 1.0, -x * v, -y * v, v];
    }
    let singular = || Error::value(format!("no homography from {src:?} to {dst:?}: not invertible"));
    let size = a.iter().flatten().fold(1.0f64, |m, v| m.max(v.abs()));
    for k in 0..8 {
        let mut pivot = k;
        for r in k + 1..8 {
            if a[r][k].abs() > a[pivot][k].abs() {
                pivot = r;
            }
        }
        a.swap(k, pivot);
        let row = a[k];
        if row[k].is_nan() || row[k].abs() <= 1e-14 * size {
            return Err(singular());
        }
        for below in a.iter_mut().skip(k + 1) {
            let f = below[k] / row[k];
            for (v, p) in below.iter_mut().zip(&row).skip(k) {
                *v -= f * p;
            }
        }
    }
    let mut m = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    for k in (0..8).rev() {
        let mut v = a[k][8];
        for c in k + 1..8 {
            v -= a[k][c] * m[c];
        }
        m[k] = v / a[k][k];
    }
    if m.iter().all(|v| v.is_finite()) && determinant(&m) != 0.0 { Ok(m) } else { Err(singular()) }
}

/// Corners put in the order top left, top right, bottom right, bottom left: the two leftmost, then the two rightmost.
pub fn order_corners(mut quad: [[f64; 2]; 4]) -> [[f64; 2]; 4] {
    quad.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [a, b, c, d] = quad;
    let (tl, bl) = if a[1] < b[1] { (a, b) } else { (b, a) };
    let (tr, br) = if c[1] < d[1] { (c, d) } else { (d, c) };
    [tl, tr, br, bl]
}

/// Length of an edge; one under 2 px is first stretched to 2, in place, by the steps of 2.0.8.
fn edge_length(quad: &mut [[f64; 2]; 4], i: usize, j: usize) -> f64 {
    let (dx, dy) = (quad[i][0] - quad[j][0], quad[i][1] - quad[j][1]);
    let size = (dx * dx + dy * dy).sqrt();
    if size >= 2.0 {
        return size;
    }
    let step = (2.0 - size) / 2.0;
    let [mut p, mut q] = [quad[i], quad[j]];
    for (a, b) in p.iter_mut().zip(&mut q) {
        // Each comparison sees what the one before has moved.
        if *a > *b {
            *a += step;
        }
        if *a > *b {
            *b -= step;
        }
        if *a <= *b {
            *a -= step;
        }
        if *a <= *b {
            *b += step;
        }
    }
    (quad[i], quad[j]) = (p, q);
    2.0
}

/// What Perspective does with four jittered corners (pixels) of a w × h frame: the quadrilateral fills the frame, or
/// with `fit_output` all of the frame stays visible; `keep_size` scales the result back to w × h.
pub fn perspective(
    corners: [[f64; 2]; 4],
    w: usize,
    h: usize,
    keep_size: bool,
    fit_output: bool,
) -> Result<Homography> {
    let (fw, fh) = (w as f64, h as f64);
    let frame = [[0.0, 0.0], [fw, 0.0], [fw, fh], [0.0, fh]];
    let mut quad = order_corners(corners);
    let top = edge_length(&mut quad, 1, 0);
    let bottom = edge_length(&mut quad, 2, 3);
    let right = edge_length(&mut quad, 2, 1);
    let left = edge_length(&mut quad, 3, 0);
    let (mut out_w, mut out_h) = (top.max(bottom).trunc(), right.max(left).trunc());
    let mut m = homography_from_quads(&quad, &frame)?;
    if fit_output {
        let seen = frame.map(|p| project(&m, p));
        let [x0, y0, ..] = bounds(seen);
        let seen = seen.map(|[x, y]| [(x - x0).round_ties_even(), (y - y0).round_ties_even()]);
        let [.., x1, y1] = bounds(seen);
        m = homography_from_quads(&frame, &seen)?;
        (out_w, out_h) = (x1.max(1.0), y1.max(1.0));
    }
    let signed = |v: f64, a: f64, b: f64| {
        let length = (a * a + b * b).sqrt();
        if v == 0.0 { 0.0 } else { length * v.signum() }
    };
    let mut kp_scale = signed(m[0], m[0], m[1]).max(signed(m[4], m[3], m[4]));
    let kp_turn = turn(&m);
    if !keep_size {
        return Ok(Homography { matrix: m, kp_scale, kp_turn, to: [out_w as usize, out_h as usize] });
    }
    let (sx, sy) = (fw / out_w, fh / out_h);
    kp_scale *= sx.max(sy);
    let matrix = compose(&[sx, 0.0, 0.0, 0.0, sy, 0.0, 0.0, 0.0, 1.0], &m);
    Ok(Homography { matrix, kp_scale, kp_turn, to: [w, h] })
}

#[cfg(test)]
#[path = "homography_tests.rs"]
mod tests;
