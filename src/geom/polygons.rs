//! Outlines of objects: polygon rings in edge coordinates, moved and truly clipped, with the share that still shows.

use super::clip::{HalfPlane, clip_ring, signed_area, simplify, split_edges};
use super::mirror::{Tiles, bounds};
use super::{Field, Geom, Homography, Mesh, homography};
use crate::error::Result;

/// One ring of an outline.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    /// Which part of the instance it came from; a part cut in pieces repeats its number.
    pub part: u32,
    /// Vertices in edge coordinates; the last one is joined to the first.
    pub points: Vec<[f64; 2]>,
}

/// One instance, or one mirrored copy of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Which instance of the call it came from; copies repeat it.
    pub index: u32,
    /// Share of the source object that still shows: the product of the visible shares over all clips.
    pub visible: f64,
    /// Its parts; their union is the object.
    pub rings: Vec<Ring>,
}

/// Longest edge that goes through a field in one piece, in pixels.
const EDGE: f64 = 4.0;

/// How far a vertex may lie from the simplified edge after a field, in pixels.
const TOLERANCE: f64 = 0.25;

impl Outline {
    /// The whole object of `rings`.
    pub fn new(index: u32, rings: Vec<Vec<[f64; 2]>>) -> Outline {
        let rings = rings.into_iter().zip(0..).map(|(points, part)| Ring { part, points }).collect();
        Outline { index, visible: 1.0, rings }
    }

    /// Sum of the areas of the rings.
    pub fn area(&self) -> f64 {
        self.rings.iter().map(|r| ring_area(&r.points).abs()).sum()
    }

    /// Extent x0, y0, x1, y1 of the rings; `None` if there is no vertex.
    pub fn extent(&self) -> Option<[f64; 4]> {
        let b = bounds(self.rings.iter().flat_map(|r| r.points.iter().copied()));
        (b[0] <= b[2]).then_some(b)
    }

    /// Cuts the outline at a w × h frame and lowers its visible share.
    pub fn clip(&mut self, [w, h]: [usize; 2]) {
        let (w, h) = (w as f64, h as f64);
        let within = |b: [f64; 4]| b[0] >= 0.0 && b[1] >= 0.0 && b[2] <= w && b[3] <= h;
        if self.extent().is_none_or(within) {
            return;
        }
        let before = self.area();
        let rings = std::mem::take(&mut self.rings);
        for Ring { part, points } in rings {
            let pieces = clip_ring(points, w, h);
            self.rings.extend(pieces.into_iter().map(|points| Ring { part, points }));
        }
        self.visible *= share(self.area(), before);
    }

    fn map(&self, f: impl Fn([f64; 2]) -> [f64; 2]) -> Outline {
        let map = |r: &Ring| Ring { part: r.part, points: r.points.iter().map(|&p| f(p)).collect() };
        Outline { rings: self.rings.iter().map(map).collect(), ..*self }
    }
}

/// Area of a ring by the shoelace rule; positive if it runs clockwise on screen.
pub fn ring_area(ring: &[[f64; 2]]) -> f64 {
    signed_area(ring)
}

fn share(after: f64, before: f64) -> f64 {
    if before > 0.0 { (after / before).min(1.0) } else { 0.0 }
}

impl Geom<'_> {
    /// Moves outlines and cuts them at the new frame. Those of which nothing shows go; a reflecting border adds copies
    /// (in the order of the copies of boxes).
    pub fn outlines(&self, objects: &mut Vec<Outline>) -> Result<()> {
        let tiles = match self {
            Geom::Grid(g) => g.tiles(objects.len())?,
            Geom::Affine(a) => a.tiles(objects.len())?,
            _ => None,
        };
        if let Some(tiles) = tiles {
            *objects = copies(tiles, objects);
        }
        for object in objects.iter_mut() {
            match self {
                Geom::Grid(g) => *object = object.map(|p| g.edge(p)),
                Geom::Scale(s) => *object = object.map(|p| [p[0] * s.sx, p[1] * s.sy]),
                Geom::Affine(a) => *object = object.map(|p| a.edge(p)),
                Geom::Homography(h) => through_homography(object, h),
                Geom::Field(f) | Geom::Mesh(Mesh { field: f, .. }) => through_field(object, f),
                Geom::Shuffle(s) => s.outline(object),
            }
            object.clip(self.size());
        }
        objects.retain(|o| !o.rings.is_empty() && o.visible > 0.0);
        Ok(())
    }
}

fn copies(tiles: Tiles, objects: &[Outline]) -> Vec<Outline> {
    tiles.iter().flat_map(|tile| objects.iter().map(move |o| o.map(|p| tiles.edge(p, tile)))).collect()
}

/// What lies beyond the horizon is cut off before the division.
fn through_homography(object: &mut Outline, geom: &Homography) {
    let m = &geom.matrix;
    let before = object.area();
    let horizon = HalfPlane { a: m[6], b: m[7], c: m[8] - 1e-6 };
    let is_seen = |p: &[f64; 2]| homography::depth(m, *p) >= 1e-6;
    if !object.rings.iter().all(|r| r.points.iter().all(is_seen)) {
        let rings = std::mem::take(&mut object.rings);
        for Ring { part, points } in rings {
            object.rings.extend(horizon.clip(points).into_iter().map(|points| Ring { part, points }));
        }
        object.visible *= share(object.area(), before);
    }
    *object = object.map(|p| homography::project(m, p));
}

fn through_field(object: &mut Outline, field: &Field) {
    let (mut seen, before) = (0.0, object.area());
    for ring in &mut object.rings {
        let hits: Vec<_> = split_edges(&ring.points, EDGE).into_iter().filter_map(|p| field.edge(p)).collect();
        let from: Vec<_> = hits.iter().map(|h| h.from).collect();
        let to: Vec<_> = hits.iter().map(|h| h.to).collect();
        seen += signed_area(&from).abs();
        ring.points = simplify(&to, TOLERANCE);
    }
    object.rings.retain(|r| r.points.len() > 2);
    let shown = share(seen, before);
    // Rounding at the pixels of the border must not take anything from an object that shows whole.
    object.visible *= if shown > 1.0 - 1e-9 { 1.0 } else { shown };
}

#[cfg(test)]
#[path = "polygons_tests.rs"]
mod tests;
