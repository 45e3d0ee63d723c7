//! Mirrored copies: what a reflecting border shows beyond the frame, as further rows.
//!
//! The plane is tiled by the frame; a tile of odd column is mirrored in x, one of odd row in y. As 2.0.8 does, borders
//! 2 and 4 are treated alike and keypoints are mirrored by x → w − x, not w − 1 − x.

use super::affine::{apply, invert_affine};
use super::boxes::BoxRow;
use super::points::{Point, wrap_angle};
use crate::error::{Error, Result};

/// More copies than this are refused before they are made.
const MAX_COPIES: f64 = 4_194_304.0;

/// The tiles a border needs: columns −left ..= right, rows −top ..= bottom; (0, 0) is the frame itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tiles {
    left: i64,
    right: i64,
    top: i64,
    bottom: i64,
    w: f64,
    h: f64,
}

impl Tiles {
    /// For pads of `left`, `right`, `top`, `bottom` pixels around a w × h frame, if they hold `rows` rows each.
    pub(crate) fn around(pads: [f64; 4], from: [usize; 2], rows: usize) -> Result<Tiles> {
        let (w, h) = (from[0] as f64, from[1] as f64);
        let [left, right, top, bottom] = pads;
        let tiles = [left / w, right / w, top / h, bottom / h].map(|v| v.max(0.0).ceil());
        let copies = (1.0 + tiles[0] + tiles[1]) * (1.0 + tiles[2] + tiles[3]) * rows as f64;
        if copies.is_nan() || copies > MAX_COPIES {
            return Err(Error::limit(format!("a reflecting border would make {copies} copies of rows")));
        }
        let [left, right, top, bottom] = tiles.map(|v| v as i64);
        Ok(Tiles { left, right, top, bottom, w, h })
    }

    /// For an affine map: 2.0.8 takes the hull of the frame and its image, maps that back and covers it with tiles.
    pub(crate) fn behind(m: &[f64; 6], from: [usize; 2], rows: usize) -> Result<Tiles> {
        let (w, h) = (from[0] as f64, from[1] as f64);
        let frame = [[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]];
        let hull = bounds(frame.into_iter().chain(frame.map(|p| apply(m, p))));
        let back = invert_affine(m)?;
        let [x0, y0, x1, y1] = hull;
        let reach = bounds([[x0, y0], [x1, y0], [x1, y1], [x0, y1]].into_iter().map(|p| apply(&back, p)));
        let pads = [-reach[0], reach[2] - w, -reach[1], reach[3] - h].map(|v| v.ceil());
        Tiles::around(pads, from, rows)
    }

    /// (column, row) of each tile, row by row: the order in which 2.0.8 lists the copies.
    pub(crate) fn iter(self) -> impl Iterator<Item = (i64, i64)> {
        (-self.top..=self.bottom).flat_map(move |row| (-self.left..=self.right).map(move |col| (col, row)))
    }

    /// Where tile (col, row) shows edge point p.
    pub(crate) fn edge(&self, p: [f64; 2], (col, row): (i64, i64)) -> [f64; 2] {
        let one = |v: f64, tile: i64, side: f64| {
            let v = if tile % 2 == 0 { v } else { side - v };
            v + tile as f64 * side
        };
        [one(p[0], col, self.w), one(p[1], row, self.h)]
    }

    fn row(&self, row: &BoxRow, tile: (i64, i64)) -> BoxRow {
        let [x0, y0, x1, y1] = row.edges;
        let (a, b) = (self.edge([x0, y0], tile), self.edge([x1, y1], tile));
        BoxRow::new([a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])], row.index)
    }

    fn point(&self, p: &Point, tile: (i64, i64)) -> Point {
        let [x, y] = self.edge([p.x, p.y], tile);
        let flips = (tile.0 + tile.1) % 2 != 0;
        Point { x, y, angle: if flips { wrap_angle(-p.angle) } else { p.angle }, ..*p }
    }

    /// All copies of all boxes, tile by tile.
    pub(crate) fn boxes(self, rows: &[BoxRow]) -> Vec<BoxRow> {
        self.iter().flat_map(|tile| rows.iter().map(move |r| self.row(r, tile))).collect()
    }

    /// All copies of all points, tile by tile.
    pub(crate) fn points(self, rows: &[Point]) -> Vec<Point> {
        self.iter().flat_map(|tile| rows.iter().map(move |p| self.point(p, tile))).collect()
    }
}

/// Smallest and largest coordinates: x0, y0, x1, y1.
pub(crate) fn bounds(points: impl IntoIterator<Item = [f64; 2]>) -> [f64; 4] {
    let start = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    points.into_iter().fold(start, |b, [x, y]| [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_counted_row_by_row() {
        let tiles = Tiles::around([1.0, 0.0, 0.0, 21.0], [10, 20], 1).unwrap();
        let list: Vec<_> = tiles.iter().collect();
        assert_eq!(list, [(-1, 0), (0, 0), (-1, 1), (0, 1), (-1, 2), (0, 2)]);
        assert_eq!(tiles.edge([2.0, 3.0], (-1, 0)), [-2.0, 3.0]);
        assert_eq!(tiles.edge([2.0, 3.0], (0, 1)), [2.0, 37.0]);
        assert_eq!(tiles.edge([2.0, 3.0], (2, -2)), [22.0, -37.0]);
    }

    #[test]
    fn too_many_copies_are_refused() {
        let err = Tiles::behind(&[1e-6, 0.0, 0.0, 0.0, 1e-6, 0.0], [100, 100], 1).unwrap_err();
        assert_eq!(err.kind, crate::error::Kind::Limit);
        assert!(Tiles::around([f64::NAN; 4], [3, 3], 1).is_ok());
        assert!(Tiles::around([f64::INFINITY; 4], [3, 3], 1).is_err());
    }
}
