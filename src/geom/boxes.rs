//! Box rows: formats, validation, filter, and what holes take from them.

use super::points::show;
use crate::error::{Error, Result};

/// A box in edge coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxRow {
    /// x0, y0, x1, y1.
    pub edges: [f64; 4],
    /// Which row of the call it came from.
    pub index: u32,
}

impl BoxRow {
    /// The box with those edges.
    pub fn new(edges: [f64; 4], index: u32) -> BoxRow {
        BoxRow { edges, index }
    }
}

/// Areas and lengths below this are nothing, as in 2.0.8.
const EPSILON: f64 = 1e-7;

/// A coordinate this share of the side outside is taken for the edge itself.
const OVERHANG: f64 = 1e-3;

const NAMES: [&str; 4] = ["x_min", "y_min", "x_max", "y_max"];

/// Columns of a box row as the user gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxFormat {
    /// x_min, y_min, width, height in pixels.
    Coco,
    /// x_min, y_min, x_max, y_max in pixels.
    PascalVoc,
    /// x_min, y_min, x_max, y_max as shares of the sides.
    Albumentations,
    /// x_center, y_center, width, height as shares of the sides.
    Yolo,
}

impl BoxFormat {
    /// The format called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "coco" => Self::Coco,
            "pascal_voc" => Self::PascalVoc,
            "albumentations" => Self::Albumentations,
            "yolo" => Self::Yolo,
            _ => return None,
        })
    }

    fn is_normalised(self) -> bool {
        matches!(self, Self::Albumentations | Self::Yolo)
    }

    fn columns(self) -> [&'static str; 4] {
        match self {
            Self::Coco => ["x_min", "y_min", "width", "height"],
            Self::PascalVoc | Self::Albumentations => NAMES,
            Self::Yolo => ["x_center", "y_center", "width", "height"],
        }
    }

    /// Corners x_min, y_min, x_max, y_max in the format's own units.
    fn corners(self, [a, b, c, d]: [f64; 4]) -> [f64; 4] {
        match self {
            Self::Coco => [a, b, a + c, b + d],
            Self::PascalVoc | Self::Albumentations => [a, b, c, d],
            Self::Yolo => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        }
    }

    fn unit(self, w: usize, h: usize) -> [f64; 4] {
        if self.is_normalised() {
            let (w, h) = (w as f64, h as f64);
            [w, h, w, h]
        } else {
            [1.0; 4]
        }
    }

    /// Edges of a row.
    pub fn edges(self, row: [f64; 4], w: usize, h: usize) -> [f64; 4] {
        let (c, u) = (self.corners(row), self.unit(w, h));
        [c[0] * u[0], c[1] * u[1], c[2] * u[2], c[3] * u[3]]
    }

    /// The row of a box with those edges.
    pub fn row(self, edges: [f64; 4], w: usize, h: usize) -> [f64; 4] {
        let u = self.unit(w, h);
        let [x0, y0, x1, y1] = [edges[0] / u[0], edges[1] / u[1], edges[2] / u[2], edges[3] / u[3]];
        match self {
            Self::Coco => [x0, y0, x1 - x0, y1 - y0],
            Self::PascalVoc | Self::Albumentations => [x0, y0, x1, y1],
            Self::Yolo => [(x0 + x1) / 2.0, (y0 + y1) / 2.0, x1 - x0, y1 - y0],
        }
    }
}

/// All boxes of a call, checked. `values` holds n × 4; `clip` cuts them at the frame first, `filter_invalid` drops those
/// without area. A coordinate outside the frame by at most 1e-3 of the side is moved to the edge; one further out, a box
/// without area and a number that is none are errors naming row and column.
pub fn parse_boxes(
    format: BoxFormat,
    values: &[f64],
    w: usize,
    h: usize,
    clip: bool,
    filter_invalid: bool,
    target: &str,
) -> Result<Vec<BoxRow>> {
    let sides = [w as f64, h as f64, w as f64, h as f64];
    let unit = format.unit(w, h);
    let mut rows = Vec::with_capacity(values.len() / 4);
    for (i, row) in values.chunks_exact(4).enumerate() {
        let row = [row[0], row[1], row[2], row[3]];
        if let Some(k) = row.iter().position(|v| !v.is_finite()) {
            return Err(Error::value(format!("{target}[{i}].{} is {}", format.columns()[k], show(row[k]))));
        }
        let given = format.corners(row);
        let mut edges = format.edges(row, w, h);
        for (v, side) in edges.iter_mut().zip(sides) {
            let near = OVERHANG * side;
            if (-near..0.0).contains(v) || (*v > side && *v <= side + near) {
                *v = v.clamp(0.0, side);
            }
        }
        if clip {
            edges = clip_edges(edges, w, h);
        }
        if filter_invalid {
            let [x0, y0, x1, y1] = edges;
            if !(x1 > x0 && y1 > y0) || (x1 - x0) * (y1 - y0) < EPSILON {
                continue;
            }
            edges = clip_edges(edges, w, h);
        }
        for k in 0..4 {
            if !(0.0..=sides[k]).contains(&edges[k]) {
                return Err(Error::value(format!(
                    "{target}[{i}].{} is {}, outside the image: allowed 0 to {}; clip=True cuts boxes at the image",
                    NAMES[k],
                    show(given[k]),
                    show(sides[k] / unit[k])
                )));
            }
        }
        for k in 0..2 {
            if edges[k + 2] <= edges[k] {
                let (low, high) = (edges[k] / unit[k], edges[k + 2] / unit[k]);
                return Err(Error::value(format!(
                    "{target}[{i}]: {} ({}) must be > {} ({})",
                    NAMES[k + 2],
                    show(high),
                    NAMES[k],
                    show(low)
                )));
            }
        }
        rows.push(BoxRow::new(edges, i as u32));
    }
    Ok(rows)
}

/// Edges cut at a w × h frame.
pub fn clip_edges(edges: [f64; 4], w: usize, h: usize) -> [f64; 4] {
    let (w, h) = (w as f64, h as f64);
    let [x0, y0, x1, y1] = edges;
    [x0.clamp(0.0, w), y0.clamp(0.0, h), x1.clamp(0.0, w), y1.clamp(0.0, h)]
}

/// Drops boxes that share nothing with a w × h frame.
pub(crate) fn drop_outside(rows: &mut Vec<BoxRow>, w: usize, h: usize) {
    let (w, h) = (w as f64, h as f64);
    rows.retain(|r| {
        let [x0, y0, x1, y1] = r.edges;
        x1 > 0.0 && y1 > 0.0 && x0 < w && y0 < h
    });
}

/// What a box must have to stay.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxFilter {
    /// Visible area in square pixels.
    pub min_area: f64,
    /// Visible area ÷ whole area.
    pub min_visibility: f64,
    /// Visible width.
    pub min_width: f64,
    /// Visible height.
    pub min_height: f64,
    /// Long side ÷ short side at most.
    pub max_accept_ratio: Option<f64>,
}

impl BoxFilter {
    /// Cuts boxes at a w × h frame and drops those that fall short. A box of which nothing shows always goes; 2.0.8
    /// kept it until the next filter, and failed if there was none.
    pub fn apply(&self, rows: &mut Vec<BoxRow>, w: usize, h: usize) {
        rows.retain_mut(|row| {
            let [x0, y0, x1, y1] = row.edges;
            let whole = (x1 - x0) * (y1 - y0);
            row.edges = clip_edges(row.edges, w, h);
            let [x0, y0, x1, y1] = row.edges;
            let (bw, bh) = (x1 - x0, y1 - y0);
            let shown = bw * bh;
            whole >= EPSILON
                && shown >= EPSILON
                && shown >= self.min_area - EPSILON
                && shown / (whole + EPSILON) >= self.min_visibility
                && bw >= self.min_width - EPSILON
                && bh >= self.min_height - EPSILON
                && self.max_accept_ratio.is_none_or(|r| (bw / (bh + EPSILON)).max(bh / (bw + EPSILON)) <= r)
        });
    }
}

/// Shrinks boxes to what holes leave of them. `visible(x1, y1, x2, y2)` counts the uncovered pixels of a half-open
/// rectangle and gives their half-open extent. As in 2.0.8 boxes are first truncated to whole pixels, so that one no
/// hole touches loses its fractions too; boxes go when nothing or too little shows.
pub fn hide_boxes(
    rows: &mut Vec<BoxRow>,
    visible: impl Fn(i32, i32, i32, i32) -> (u64, Option<[i32; 4]>),
    min_area: f64,
    min_visibility: f64,
) {
    rows.retain_mut(|row| {
        let [x1, y1, x2, y2] = row.edges.map(|v| v as i32);
        let area = (i64::from(x2) - i64::from(x1)) * (i64::from(y2) - i64::from(y1));
        if x2 <= x1 || y2 <= y1 {
            return false;
        }
        let (count, extent) = visible(x1, y1, x2, y2);
        let shown = count as f64;
        let Some(extent) = extent.filter(|_| count > 0) else { return false };
        row.edges = extent.map(f64::from);
        shown >= min_area && shown / area as f64 >= min_visibility
    });
}

/// Grows or shrinks boxes by the reach of a kw × kh structuring element about its middle pixel, within a w × h frame.
/// A side at the frame does not shrink, since pixels outside take no part; a box that shrinks to nothing goes.
pub fn morph_boxes(rows: &mut Vec<BoxRow>, dilate: bool, kernel: [usize; 2], frame: [usize; 2]) {
    rows.retain_mut(|row| {
        let mut edges = row.edges;
        for k in 0..2 {
            let (after, before) = ((kernel[k] / 2) as f64, (kernel[k] - 1 - kernel[k] / 2) as f64);
            let side = frame[k] as f64;
            if dilate {
                edges[k] = (edges[k] - before).max(0.0);
                edges[k + 2] = (edges[k + 2] + after).min(side);
            } else {
                edges[k] += if edges[k] > 0.0 { after } else { 0.0 };
                edges[k + 2] -= if edges[k + 2] < side { before } else { 0.0 };
            }
        }
        row.edges = edges;
        edges[0] < edges[2] && edges[1] < edges[3]
    });
}

/// Drops boxes of which too little shows and leaves the others as they are. As in 2.0.8 a pixel counts if its *index*
/// lies between the edges, both included, and the area is that of the box itself. `visible` as in [`hide_boxes`].
pub fn keep_boxes(
    rows: &mut Vec<BoxRow>,
    visible: impl Fn(i32, i32, i32, i32) -> u64,
    w: usize,
    h: usize,
    min_area: f64,
    min_visibility: f64,
) {
    rows.retain(|row| {
        let [x0, y0, x1, y1] = row.edges;
        let area = (x1 - x0) * (y1 - y0);
        let low = |v: f64| v.ceil().max(0.0) as i32;
        let high = |v: f64, n: usize| (v.floor() + 1.0).min(n as f64) as i32;
        let rect = (low(x0), low(y0), high(x1, w), high(y1, h));
        let shown = if rect.2 > rect.0 && rect.3 > rect.1 { visible(rect.0, rect.1, rect.2, rect.3) } else { 0 } as f64;
        shown >= min_area && shown / area >= min_visibility
    });
}

#[cfg(test)]
#[path = "boxes_tests.rs"]
mod tests;
