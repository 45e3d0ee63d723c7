//! Keypoint rows: formats, validation, filter, and the half pixel.

use crate::error::{Error, Result};
use std::f64::consts::{PI, TAU};
use std::fmt::Write;

/// Distance between the centre of a pixel and its left and upper edge.
pub const HALF: f64 = 0.5;

/// Centre coordinates of a position given in edge coordinates.
pub fn centre_from_edge(p: [f64; 2]) -> [f64; 2] {
    [p[0] - HALF, p[1] - HALF]
}

/// Edge coordinates of a position given in centre coordinates.
pub fn edge_from_centre(p: [f64; 2]) -> [f64; 2] {
    [p[0] + HALF, p[1] + HALF]
}

/// A keypoint in centre coordinates; `angle` in radians, in [0, 2π).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Right.
    pub x: f64,
    /// Down.
    pub y: f64,
    /// Slice.
    pub z: f64,
    /// Direction in radians.
    pub angle: f64,
    /// Size.
    pub scale: f64,
    /// Which row of the call it came from.
    pub index: u32,
}

/// The angle in [0, 2π).
pub fn wrap_angle(angle: f64) -> f64 {
    let a = angle.rem_euclid(TAU);
    // A tiny negative angle rounds up to 2π itself.
    if a >= TAU { 0.0 } else { a }
}

/// Columns of a keypoint row as the user gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointFormat {
    /// x, y
    Xy,
    /// y, x
    Yx,
    /// x, y, angle
    Xya,
    /// x, y, scale
    Xys,
    /// x, y, angle, scale
    Xyas,
    /// x, y, scale, angle
    Xysa,
    /// x, y, z
    Xyz,
}

impl PointFormat {
    /// The format called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "xy" => Self::Xy,
            "yx" => Self::Yx,
            "xya" => Self::Xya,
            "xys" => Self::Xys,
            "xyas" => Self::Xyas,
            "xysa" => Self::Xysa,
            "xyz" => Self::Xyz,
            _ => return None,
        })
    }

    /// Number of columns.
    pub fn columns(self) -> usize {
        match self {
            Self::Xy | Self::Yx => 2,
            Self::Xya | Self::Xys | Self::Xyz => 3,
            Self::Xyas | Self::Xysa => 4,
        }
    }

    /// Column of x, y, z, angle and scale.
    fn places(self) -> [Option<usize>; 5] {
        match self {
            Self::Xy => [Some(0), Some(1), None, None, None],
            Self::Yx => [Some(1), Some(0), None, None, None],
            Self::Xya => [Some(0), Some(1), None, Some(2), None],
            Self::Xys => [Some(0), Some(1), None, None, Some(2)],
            Self::Xyas => [Some(0), Some(1), None, Some(2), Some(3)],
            Self::Xysa => [Some(0), Some(1), None, Some(3), Some(2)],
            Self::Xyz => [Some(0), Some(1), Some(2), None, None],
        }
    }

    /// The point of one row of [`columns`](Self::columns) values; missing columns are 0.
    pub fn point(self, values: &[f64], degrees: bool, index: u32) -> Point {
        let [x, y, z, angle, scale] = self.places().map(|at| at.map_or(0.0, |i| values[i]));
        let angle = wrap_angle(if degrees { super::trig::radians(angle) } else { angle });
        Point { x, y, z, angle, scale, index }
    }

    /// The row of a point, into [`columns`](Self::columns) values.
    pub fn values(self, point: &Point, degrees: bool, out: &mut [f64]) {
        let mut angle = wrap_angle(point.angle);
        if degrees {
            angle *= 180.0 / PI;
            if angle >= 360.0 {
                angle = 0.0;
            }
        }
        let all = [point.x, point.y, point.z, angle, point.scale];
        for (value, at) in all.into_iter().zip(self.places()) {
            if let Some(i) = at {
                out[i] = value;
            }
        }
    }
}

/// All rows of a call: `values` holds n × [`columns`](PointFormat::columns). NaN and infinity are refused by name.
pub fn parse_points(format: PointFormat, values: &[f64], degrees: bool, target: &str) -> Result<Vec<Point>> {
    let columns = format.columns();
    let names = ["x", "y", "z", "angle", "scale"];
    let mut rows = Vec::with_capacity(values.len() / columns);
    for (i, row) in values.chunks_exact(columns).enumerate() {
        for (name, at) in names.iter().zip(format.places()) {
            if let Some(v) = at.map(|k| row[k]).filter(|v| !v.is_finite()) {
                return Err(Error::value(format!("{target}[{i}].{name} is {}", show(v))));
            }
        }
        rows.push(format.point(row, degrees, i as u32));
    }
    Ok(rows)
}

/// A number as Python prints it.
pub(crate) fn show(v: f64) -> String {
    if v.is_nan() {
        "nan".into()
    } else if v.is_infinite() {
        if v > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        format!("{v:?}")
    }
}

/// True if the point lies in [0, w) × [0, h), and in [0, d) if there is a depth.
pub fn is_inside(p: &Point, w: usize, h: usize, d: Option<usize>) -> bool {
    let within = |v: f64, n: usize| v >= 0.0 && v < n as f64;
    within(p.x, w) && within(p.y, h) && d.is_none_or(|d| within(p.z, d))
}

/// Refuses points outside the frame, naming every one (only asked for when invisible points are removed).
pub fn check_points(rows: &[Point], w: usize, h: usize, d: Option<usize>, target: &str) -> Result<()> {
    let mut text = String::new();
    for (i, p) in rows.iter().enumerate() {
        let axes = [("x", p.x, Some(w)), ("y", p.y, Some(h)), ("z", p.z, d)];
        for (name, v, side) in axes {
            if let Some(n) = side.filter(|&n| !(v >= 0.0 && v < n as f64)) {
                let line = if text.is_empty() { "" } else { "\n" };
                // Writing to a String cannot fail.
                let _ = write!(text, "{line}{target}[{i}].{name} is {}; allowed: [0, {n})", show(v));
            }
        }
    }
    if text.is_empty() { Ok(()) } else { Err(Error::value(text)) }
}

/// Drops points outside the frame.
pub fn filter_points(rows: &mut Vec<Point>, w: usize, h: usize, d: Option<usize>) {
    rows.retain(|p| is_inside(p, w, h, d));
}

/// Drops the points that `contains(x, y, z)` covers.
pub fn hide_points(rows: &mut Vec<Point>, contains: impl Fn(f64, f64, f64) -> bool) {
    rows.retain(|p| !contains(p.x, p.y, p.z));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_goes_in_and_comes_back() {
        let all = [
            ("xy", vec![3.0, 4.0]),
            ("yx", vec![3.0, 4.0]),
            ("xya", vec![3.0, 4.0, 30.0]),
            ("xys", vec![3.0, 4.0, 2.0]),
            ("xyas", vec![3.0, 4.0, 30.0, 2.0]),
            ("xysa", vec![3.0, 4.0, 2.0, 30.0]),
            ("xyz", vec![3.0, 4.0, 5.0]),
        ];
        for (name, values) in all {
            let format = PointFormat::from_name(name).unwrap();
            assert_eq!(format.columns(), values.len());
            let point = format.point(&values, true, 9);
            let mut back = vec![0.0; values.len()];
            format.values(&point, true, &mut back);
            for (a, b) in values.iter().zip(&back) {
                assert!((a - b).abs() < 1e-12, "{name}: {values:?} {back:?}");
            }
            assert_eq!(point.index, 9);
        }
        let yx = PointFormat::Yx.point(&[3.0, 4.0], true, 0);
        assert_eq!((yx.x, yx.y), (4.0, 3.0));
        let xysa = PointFormat::Xysa.point(&[0.0, 0.0, 2.0, 180.0], true, 0);
        assert_eq!((xysa.scale, xysa.angle), (2.0, PI));
        assert_eq!(PointFormat::Xya.point(&[0.0, 0.0, 1.0], false, 0).angle, 1.0);
        assert!(PointFormat::from_name("xyza").is_none());
    }

    #[test]
    fn angles_stay_below_a_full_turn() {
        assert_eq!(wrap_angle(-1e-20), 0.0);
        assert!((wrap_angle(-0.5) - (TAU - 0.5)).abs() < 1e-15);
        assert!((wrap_angle(7.0) - (7.0 - TAU)).abs() < 1e-15);
        let mut out = [0.0; 3];
        PointFormat::Xya.values(&PointFormat::Xya.point(&[0.0, 0.0, 725.0], true, 0), true, &mut out);
        assert!((out[2] - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_point_on_the_far_edge_is_outside() {
        let p = |x: f64, y: f64| Point { x, y, ..Point::default() };
        let mut rows = vec![p(0.0, 0.0), p(9.99, 4.0), p(10.0, 4.0), p(3.0, -0.01), p(3.0, 5.0)];
        let text = check_points(&rows, 10, 5, None, "keypoints").unwrap_err().text;
        assert_eq!(
            text,
            "keypoints[2].x is 10.0; allowed: [0, 10)\nkeypoints[3].y is -0.01; allowed: [0, 5)\n\
             keypoints[4].y is 5.0; allowed: [0, 5)"
        );
        filter_points(&mut rows, 10, 5, None);
        assert_eq!(rows, [p(0.0, 0.0), p(9.99, 4.0)]);
        rows[1].z = 2.0;
        filter_points(&mut rows, 10, 5, Some(2));
        assert_eq!(rows.len(), 1);
        check_points(&rows, 10, 5, Some(2), "keypoints").unwrap();
    }

    #[test]
    fn numbers_that_are_none_are_named() {
        let text = parse_points(PointFormat::Xy, &[1.0, 2.0, 3.0, f64::NAN], true, "keypoints").unwrap_err().text;
        assert_eq!(text, "keypoints[1].y is nan");
        let text = parse_points(PointFormat::Yx, &[f64::NEG_INFINITY, 2.0], true, "keypoints").unwrap_err().text;
        assert_eq!(text, "keypoints[0].y is -inf");
        assert_eq!(parse_points(PointFormat::Xyz, &[1.0, 2.0, 3.0], true, "k").unwrap()[0].z, 3.0);
    }

    #[test]
    fn covered_points_go() {
        let p = |x: f64| Point { x, ..Point::default() };
        let mut rows = vec![p(1.0), p(4.0), p(5.0)];
        hide_points(&mut rows, |x, y, z| (4.0..5.0).contains(&x) && y == 0.0 && z == 0.0);
        assert_eq!(rows, [p(1.0), p(5.0)]);
    }
}
