//! Shuffled tiles: rectangles of pixels that change places.

use super::boxes::BoxRow;
use super::clip::clip_ring;
use super::points::Point;
use super::polygons::{Outline, Ring};

/// A rectangle and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its left upper pixel after the move: x, y.
    pub to: [usize; 2],
    /// Before the move.
    pub from: [usize; 2],
    /// w, h.
    pub size: [usize; 2],
}

/// Tiles that cover a w × h frame before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Shuffle {
    /// The tiles.
    pub tiles: Vec<Tile>,
    /// Size of the frame: w, h.
    pub size: [usize; 2],
    /// A piece of a box with fewer pixels goes.
    pub min_area: f64,
    /// A piece of a box that is a smaller share of it goes.
    pub min_visibility: f64,
}

impl Tile {
    fn shift(&self) -> [f64; 2] {
        [self.to[0] as f64 - self.from[0] as f64, self.to[1] as f64 - self.from[1] as f64]
    }

    fn holds(&self, p: [f64; 2]) -> bool {
        [0, 1].into_iter().all(|k| {
            let low = self.from[k] as f64;
            p[k] >= low && p[k] < low + self.size[k] as f64
        })
    }
}

impl Shuffle {
    /// A point moves with the tile that holds it; one outside all tiles stays, as in 2.0.8.
    pub(crate) fn moved(&self, p: [f64; 2]) -> [f64; 2] {
        let shift = self.tiles.iter().find(|t| t.holds(p)).map_or([0.0, 0.0], Tile::shift);
        [p[0] + shift[0], p[1] + shift[1]]
    }

    pub(crate) fn points(&self, rows: &mut [Point]) {
        for p in rows {
            [p.x, p.y] = self.moved([p.x, p.y]);
        }
    }

    /// A box is truncated to whole pixels, cut along the tiles and moved; pieces that touch, be it at a corner, make
    /// one box again. So one box may become several.
    pub(crate) fn boxes(&self, rows: &mut Vec<BoxRow>) {
        let mut out = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            let pieces = self.pieces(row.edges.map(|v| v as i64));
            let area = |list: &[[i64; 4]]| list.iter().map(|p| (p[2] - p[0]) * (p[3] - p[1])).sum::<i64>() as f64;
            let whole = area(&pieces);
            for group in groups(pieces) {
                let shown = area(&group);
                if shown >= self.min_area && shown / whole >= self.min_visibility {
                    let hull = group.iter().fold([i64::MAX, i64::MAX, i64::MIN, i64::MIN], |a, b| {
                        [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
                    });
                    out.push(BoxRow::new(hull.map(|v| v as f64), row.index));
                }
            }
        }
        *rows = out;
    }

    /// What each tile holds of a half-open rectangle, where it goes.
    fn pieces(&self, rect: [i64; 4]) -> Vec<[i64; 4]> {
        let mut out = Vec::new();
        for tile in &self.tiles {
            let [x, y, w, h] = [tile.from[0], tile.from[1], tile.size[0], tile.size[1]].map(|v| v as i64);
            let cut = [rect[0].max(x), rect[1].max(y), rect[2].min(x + w), rect[3].min(y + h)];
            if cut[0] < cut[2] && cut[1] < cut[3] {
                let [dx, dy] = [tile.to[0] as i64 - x, tile.to[1] as i64 - y];
                out.push([cut[0] + dx, cut[1] + dy, cut[2] + dx, cut[3] + dy]);
            }
        }
        out
    }

    /// Rings are cut along the tiles; nothing is lost.
    pub(crate) fn outline(&self, object: &mut Outline) {
        let rings = std::mem::take(&mut object.rings);
        for ring in rings {
            for tile in &self.tiles {
                let [x, y] = tile.from.map(|v| v as f64);
                let local = ring.points.iter().map(|p| [p[0] - x, p[1] - y]).collect();
                for piece in clip_ring(local, tile.size[0] as f64, tile.size[1] as f64) {
                    let [dx, dy] = tile.to.map(|v| v as f64);
                    let points = piece.iter().map(|p| [p[0] + dx, p[1] + dy]).collect();
                    object.rings.push(Ring { part: ring.part, points });
                }
            }
        }
    }
}

/// Rectangles that touch put together, in the order of their first members.
fn groups(mut rest: Vec<[i64; 4]>) -> Vec<Vec<[i64; 4]>> {
    let mut out = Vec::new();
    while !rest.is_empty() {
        let mut group = vec![rest.remove(0)];
        let mut next = 0;
        while next < group.len() {
            let a = group[next];
            let touches = |b: &mut [i64; 4]| a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
            group.extend(rest.extract_if(.., touches));
            next += 1;
        }
        out.push(group);
    }
    out
}

#[cfg(test)]
#[path = "shuffle_tests.rs"]
mod tests;
