//! Exact moves: a signed permutation of the axes with an integer offset.

use super::boxes::{BoxRow, drop_outside};
use super::mirror::Tiles;
use super::points::{HALF, Point, is_inside, wrap_angle};
use crate::error::Result;
use std::f64::consts::{FRAC_PI_2, PI};

/// How one output axis reads its source: source = offset + out, or offset − out if reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridAxis {
    /// Source axis: 0 x, 1 y, 2 z.
    pub from: usize,
    /// Runs backwards.
    pub reverse: bool,
    /// Source index that output index 0 reads.
    pub offset: i64,
}

impl GridAxis {
    fn sign(self) -> f64 {
        if self.reverse { -1.0 } else { 1.0 }
    }

    /// Output position of a source position, both centres.
    fn centre(self, v: f64) -> f64 {
        (v - self.offset as f64) * self.sign()
    }

    /// Output position of a source position, both edges: the half pixel counts twice where the axis turns round.
    fn edge(self, v: f64) -> f64 {
        (v - self.offset as f64) * self.sign() + HALF * (1.0 - self.sign())
    }
}

/// An exact move of pixels. Axes are in the order x, y, z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// For each output axis, its source.
    pub axes: [GridAxis; 3],
    /// Size before: w, h, d.
    pub from: [usize; 3],
    /// Size after: w, h, d.
    pub to: [usize; 3],
    /// A reflecting border adds mirrored rows (pads only).
    pub ghosts: bool,
    /// Keypoint angles follow the move. 2.0.8 turns them in the plane, not with the 48 moves of a volume.
    pub turns: bool,
}

impl Grid {
    fn shift(offset: [i64; 3], from: [usize; 3], to: [usize; 3], ghosts: bool) -> Grid {
        let axis = |from: usize| GridAxis { from, reverse: false, offset: offset[from] };
        Grid { axes: [axis(0), axis(1), axis(2)], from, to, ghosts, turns: true }
    }

    /// The window of size `to` at `at` (x, y, z).
    pub fn crop(at: [usize; 3], to: [usize; 3], from: [usize; 3]) -> Grid {
        Grid::shift(at.map(|v| v as i64), from, to, false)
    }

    /// A larger frame of size `to` in which the old one starts at `at` (left, top, front).
    pub fn pad(at: [usize; 3], to: [usize; 3], from: [usize; 3], ghosts: bool) -> Grid {
        Grid::shift(at.map(|v| -(v as i64)), from, to, ghosts)
    }

    /// Axes permuted and reversed, written in array order: `H-W` mirrors columns, `WH` transposes, `-WH` is a quarter
    /// turn counter-clockwise; with D for volumes, as `-WHD`. `None` if the text is not such a permutation.
    pub fn orient(axes: &str, from: [usize; 3]) -> Option<Grid> {
        let mut list = Vec::with_capacity(3);
        let mut reverse = false;
        for letter in axes.chars() {
            let axis = match letter {
                '-' if !reverse => {
                    reverse = true;
                    continue;
                }
                'W' => 0,
                'H' => 1,
                'D' => 2,
                _ => return None,
            };
            list.push((axis, reverse));
            reverse = false;
        }
        let turns = list.len() == 2;
        if turns {
            list.insert(0, (2, false));
        }
        list.reverse();
        let list: [(usize, bool); 3] = list.try_into().ok()?;
        if reverse || (0..3).any(|axis| !list.iter().any(|&(a, _)| a == axis)) {
            return None;
        }
        let axes = list.map(|(from_axis, reverse)| GridAxis {
            from: from_axis,
            reverse,
            offset: if reverse { from[from_axis] as i64 - 1 } else { 0 },
        });
        Some(Grid { axes, from, to: list.map(|(axis, _)| from[axis]), ghosts: false, turns })
    }

    /// Output position of an edge point.
    pub fn edge(&self, p: [f64; 2]) -> [f64; 2] {
        let all = [p[0], p[1], 0.0];
        [0, 1].map(|k| self.axes[k].edge(all[self.axes[k].from]))
    }

    /// True if a clockwise ring becomes counter-clockwise.
    pub fn reverses(&self) -> bool {
        let [x, y, _] = self.axes;
        (x.from > y.from) ^ x.reverse ^ y.reverse
    }

    /// The tiles that a reflecting border shows, for `rows` rows each.
    pub(crate) fn tiles(&self, rows: usize) -> Result<Option<Tiles>> {
        if !self.ghosts {
            return Ok(None);
        }
        let side = |k: usize| {
            let before = -self.axes[k].offset as f64;
            (before, self.to[k] as f64 - self.from[k] as f64 - before)
        };
        let ((left, right), (top, bottom)) = (side(0), side(1));
        Tiles::around([left, right, top, bottom], [self.from[0], self.from[1]], rows).map(Some)
    }

    pub(crate) fn boxes(&self, rows: &mut Vec<BoxRow>) -> Result<()> {
        let tiles = self.tiles(rows.len())?;
        if let Some(tiles) = tiles {
            *rows = tiles.boxes(rows);
        }
        for row in rows.iter_mut() {
            let [x0, y0, x1, y1] = row.edges;
            let (a, b) = (self.edge([x0, y0]), self.edge([x1, y1]));
            row.edges = [a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])];
        }
        // A crop keeps boxes outside for the filter; only copies are weeded here.
        if tiles.is_some() {
            drop_outside(rows, self.to[0], self.to[1]);
        }
        Ok(())
    }

    pub(crate) fn points(&self, rows: &mut Vec<Point>) -> Result<()> {
        let tiles = self.tiles(rows.len())?;
        if let Some(tiles) = tiles {
            *rows = tiles.points(rows);
        }
        for p in rows.iter_mut() {
            let all = [p.x, p.y, p.z];
            [p.x, p.y, p.z] = self.axes.map(|axis| axis.centre(all[axis.from]));
            if self.turns {
                p.angle = self.turn(p.angle);
            }
        }
        if tiles.is_some() {
            rows.retain(|p| is_inside(p, self.to[0], self.to[1], None));
        }
        Ok(())
    }

    /// The keypoint angle after a move in the plane, by the rules of 2.0.8: a quarter turn counter-clockwise takes 90°
    /// off (an affine rotation adds), a transpose mirrors at 45° up to π and at 135° above it.
    fn turn(&self, angle: f64) -> f64 {
        let [x, y, _] = self.axes;
        if x.from == 0 && !x.reverse && !y.reverse {
            return angle;
        }
        wrap_angle(match (x.from == 1, x.reverse, y.reverse) {
            (false, false, _) => -angle,
            (false, true, false) => PI - angle,
            (false, true, true) => angle - PI,
            (true, false, false) => transpose_angle(angle),
            (true, false, true) => angle - FRAC_PI_2,
            (true, true, false) => angle + FRAC_PI_2,
            (true, true, true) => transpose_angle(wrap_angle(angle - PI)),
        })
    }
}

fn transpose_angle(angle: f64) -> f64 {
    if angle <= PI { FRAC_PI_2 - angle } else { 3.0 * FRAC_PI_2 - angle }
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
