//! COORDINATES, in f64, without pixels.
//!
//! A geometric op yields one [`Geom`]; each target has one applier on it: [`Geom::boxes`], [`Geom::points`],
//! [`Geom::outlines`]. Two conventions meet here. *Edge* coordinates (boxes, polygon vertices): pixel (i, j) covers
//! [i, i+1) × [j, j+1). *Centre* coordinates (keypoints, matrices, fields): pixel (i, j) sits at (i, j). So edge
//! e lies at centre e − 0.5; that half pixel is [`points::HALF`] and stands nowhere else as a bare number.
//!
//! Rows carry the index of the row of the call they came from. Mirrored copies repeat it, so labels are picked by it.

pub mod affine;
pub mod boxes;
mod clip;
pub mod field;
pub mod grid;
pub mod homography;
pub mod mesh;
mod mirror;
pub mod points;
pub mod polygons;
pub mod quads;
pub mod rle;
pub mod shuffle;
mod trig;

pub use affine::{Affine, BoxMethod};
pub use boxes::{BoxFilter, BoxFormat, BoxRow};
pub use field::Field;
pub use grid::{Grid, GridAxis};
pub use homography::Homography;
pub use mesh::Mesh;
pub use points::{Point, PointFormat};
pub use polygons::{Outline, Ring};
pub use shuffle::{Shuffle, Tile};

use crate::error::Result;

/// Where a geometric op sends positions.
#[derive(Clone, Debug)]
pub enum Geom<'a> {
    /// Pixels move without resampling: crop, pad, flip, transpose, quarter turns, in three axes.
    Grid(Grid),
    /// Resize.
    Scale(Scale),
    /// An affine matrix.
    Affine(Affine),
    /// A homography.
    Homography(Homography),
    /// A source position for each output pixel.
    Field(Field<'a>),
    /// A homography for each cell of a grid.
    Mesh(Mesh<'a>),
    /// Rectangles that change places.
    Shuffle(Shuffle),
}

/// Resize by (sx, sy) to w × h.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Output width ÷ input width.
    pub sx: f64,
    /// Output height ÷ input height.
    pub sy: f64,
    /// Output width.
    pub w: usize,
    /// Output height.
    pub h: usize,
    /// Factors of keypoint positions, if they are not those of the frame.
    pub points: Option<[f64; 2]>,
}

impl Scale {
    /// The resize from `from` (w, h) to w × h.
    pub fn new(from: [usize; 2], w: usize, h: usize) -> Self {
        Scale { sx: w as f64 / from[0] as f64, sy: h as f64 / from[1] as f64, w, h, points: None }
    }

    /// A box keeps its share of the frame.
    fn boxes(&self, rows: &mut [BoxRow]) {
        for row in rows {
            let [x0, y0, x1, y1] = row.edges;
            row.edges = [x0 * self.sx, y0 * self.sy, x1 * self.sx, y1 * self.sy];
        }
    }

    /// As 2.0.8: a keypoint is multiplied as it stands, without the half pixel (pixel 0 stays at 0).
    fn points(&self, rows: &mut [Point]) {
        let [sx, sy] = self.points.unwrap_or([self.sx, self.sy]);
        for p in rows {
            p.x *= sx;
            p.y *= sy;
            p.scale *= sx.max(sy);
        }
    }
}

impl Geom<'_> {
    /// Output width and height.
    pub fn size(&self) -> [usize; 2] {
        match self {
            Geom::Grid(g) => [g.to[0], g.to[1]],
            Geom::Scale(s) => [s.w, s.h],
            Geom::Affine(a) => a.to,
            Geom::Homography(p) => p.to,
            Geom::Field(f) => f.to(),
            Geom::Mesh(m) => m.field.to(),
            Geom::Shuffle(s) => s.size,
        }
    }

    /// Moves boxes: rows of pixel edges. Rows may be added (mirrored copies) or dropped (wholly outside).
    pub fn boxes(&self, rows: &mut Vec<BoxRow>) -> Result<()> {
        match self {
            Geom::Grid(g) => g.boxes(rows)?,
            Geom::Scale(s) => s.boxes(rows),
            Geom::Affine(a) => a.boxes(rows)?,
            Geom::Homography(p) => p.boxes(rows),
            Geom::Field(f) => f.boxes(rows),
            Geom::Mesh(m) => m.boxes(rows),
            Geom::Shuffle(s) => s.boxes(rows),
        }
        Ok(())
    }

    /// Moves keypoints: rows of pixel centres. Rows may be added (mirrored copies) or dropped (lost in a field).
    pub fn points(&self, rows: &mut Vec<Point>) -> Result<()> {
        match self {
            Geom::Grid(g) => g.points(rows)?,
            Geom::Scale(s) => s.points(rows),
            Geom::Affine(a) => a.points(rows)?,
            Geom::Homography(p) => p.points(rows),
            Geom::Field(f) => f.points(rows),
            Geom::Mesh(m) => m.points(rows),
            Geom::Shuffle(s) => s.points(rows),
        }
        Ok(())
    }

    /// Moves one edge point (a polygon vertex, a corner of an oriented box), never as a mirrored copy.
    /// `None` where a homography or a field does not show it.
    pub fn edge(&self, p: [f64; 2]) -> Option<[f64; 2]> {
        match self {
            Geom::Grid(g) => Some(g.edge(p)),
            Geom::Scale(s) => Some([p[0] * s.sx, p[1] * s.sy]),
            Geom::Affine(a) => Some(a.edge(p)),
            Geom::Homography(h) => h.edge(p),
            Geom::Field(f) | Geom::Mesh(Mesh { field: f, .. }) => f.edge(p).map(|hit| hit.to),
            Geom::Shuffle(s) => Some(s.moved(p)),
        }
    }

    /// True if left and right are exchanged, so that a clockwise ring becomes counter-clockwise.
    pub fn reverses(&self) -> bool {
        match self {
            Geom::Grid(g) => g.reverses(),
            Geom::Scale(_) | Geom::Field(_) | Geom::Mesh(_) | Geom::Shuffle(_) => false,
            Geom::Affine(a) => affine::determinant(&a.matrix) < 0.0,
            Geom::Homography(p) => homography::determinant(&p.matrix) < 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_multiplies_keypoints_without_the_half_pixel() {
        // A.Resize(30, 40) of a 20 × 10 image: Albumentations 2.0.8 gives keypoint (10, 15), scale 2·3.
        let geom = Geom::Scale(Scale::new([20, 10], 40, 30));
        let mut rows = vec![Point { x: 5.0, y: 5.0, scale: 2.0, angle: 1.0, ..Point::default() }];
        geom.points(&mut rows).unwrap();
        assert_eq!((rows[0].x, rows[0].y, rows[0].scale, rows[0].angle), (10.0, 15.0, 6.0, 1.0));
        let mut boxes = vec![BoxRow::new([1.0, 2.0, 5.0, 10.0], 7)];
        geom.boxes(&mut boxes).unwrap();
        assert_eq!(boxes, [BoxRow::new([2.0, 6.0, 10.0, 30.0], 7)]);
        assert_eq!(geom.size(), [40, 30]);
    }
}
