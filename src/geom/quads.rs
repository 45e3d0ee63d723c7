//! Oriented boxes: four corners in edge coordinates, whose first edge is the head.

use super::Geom;
use super::clip::{clip_ring, signed_area};

/// Sine of one degree: how far from square a rectangle may be.
const DEGREE: f64 = 0.017_452_406_437_283_51;

/// The corners moved through `geom`. A map that mirrors gets them in the order 2, 1, 4, 3, so that winding and head
/// edge stay. `None` if a corner has no place.
pub fn map_quad(geom: &Geom, quad: &[[f64; 2]; 4]) -> Option<[[f64; 2]; 4]> {
    let mut out = [[0.0; 2]; 4];
    for (to, &from) in out.iter_mut().zip(quad) {
        *to = geom.edge(from)?;
    }
    Some(if geom.reverses() { [out[1], out[0], out[3], out[2]] } else { out })
}

/// What a w × h frame shows of an oriented box, as an oriented box, and the visible share of its area. The visible
/// polygon is boxed along the axes of a rectangle (within 1° or 1 px), else by its smallest rectangle, and corners are
/// clamped to the frame. `None` if nothing shows; unchanged if all does.
pub fn clip_quad(quad: &[[f64; 2]; 4], [w, h]: [usize; 2]) -> Option<([[f64; 2]; 4], f64)> {
    let (fw, fh) = (w as f64, h as f64);
    if quad.iter().all(|&[x, y]| (0.0..=fw).contains(&x) && (0.0..=fh).contains(&y)) {
        return Some((*quad, 1.0));
    }
    let pieces = clip_ring(quad.to_vec(), fw, fh);
    let shown: f64 = pieces.iter().map(|p| signed_area(p).abs()).sum();
    let points: Vec<[f64; 2]> = pieces.into_iter().flatten().collect();
    if points.is_empty() {
        return None;
    }
    let boxed = if is_rectangle(quad) {
        let (u, v) = axes(quad[0], quad[1], quad[3]);
        rectangle(&points, u, v)
    } else {
        smallest_rectangle(&points, quad)
    };
    let clamped = boxed.map(|[x, y]| [x.clamp(0.0, fw), y.clamp(0.0, fh)]);
    Some((clamped, (shown / signed_area(quad).abs()).min(1.0)))
}

fn sub(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn length(a: [f64; 2]) -> f64 {
    dot(a, a).sqrt()
}

fn is_rectangle(q: &[[f64; 2]; 4]) -> bool {
    let (a, b) = (sub(q[1], q[0]), sub(q[3], q[0]));
    let (la, lb) = (length(a), length(b));
    let skew = dot(a, b).abs();
    let open = length(sub(sub(q[2], q[1]), b));
    la > 0.0
        && lb > 0.0
        && (skew <= DEGREE * la * lb || skew <= la.max(lb))
        && (open <= 1.0 || open <= DEGREE * la.min(lb))
}

/// Unit vectors along o→a and across it on the side of b.
fn axes(o: [f64; 2], a: [f64; 2], b: [f64; 2]) -> ([f64; 2], [f64; 2]) {
    let d = sub(a, o);
    let l = length(d);
    let u = [d[0] / l, d[1] / l];
    let v = [-u[1], u[0]];
    (u, if dot(sub(b, o), v) < 0.0 { [-v[0], -v[1]] } else { v })
}

/// The rectangle along u and v around points: corner of least u and v first, then along u.
fn rectangle(points: &[[f64; 2]], u: [f64; 2], v: [f64; 2]) -> [[f64; 2]; 4] {
    let range = |axis: [f64; 2]| {
        points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &p| (lo.min(dot(p, axis)), hi.max(dot(p, axis))))
    };
    let ((u0, u1), (v0, v1)) = (range(u), range(v));
    [(u0, v0), (u1, v0), (u1, v1), (u0, v1)].map(|(a, b)| [a * u[0] + b * v[0], a * u[1] + b * v[1]])
}

/// The rectangle of least area around points; one of its sides lies on their hull. Corners are ordered as those of
/// `like`: same winding, the first one nearest to its first.
fn smallest_rectangle(points: &[[f64; 2]], like: &[[f64; 2]; 4]) -> [[f64; 2]; 4] {
    let hull = convex_hull(points);
    let mut best = (f64::INFINITY, *like);
    for (&p, &q) in hull.iter().zip(hull.iter().cycle().skip(1)) {
        if p == q {
            continue;
        }
        let (u, v) = axes(p, q, [p[0] - (q[1] - p[1]), p[1] + (q[0] - p[0])]);
        let boxed = rectangle(points, u, v);
        let area = signed_area(&boxed).abs();
        if area < best.0 {
            best = (area, boxed);
        }
    }
    let mut out = best.1;
    if signed_area(&out) * signed_area(like) < 0.0 {
        out.reverse();
    }
    let distance = |i: usize| length(sub(out[i], like[0]));
    let first = (1..4).fold(0, |m, i| if distance(i) < distance(m) { i } else { m });
    out.rotate_left(first);
    out
}

/// The convex hull (Andrew's monotone chain).
fn convex_hull(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    sorted.dedup();
    let turns = |h: &[[f64; 2]], p: [f64; 2]| {
        let n = h.len();
        let (a, b) = (sub(h[n - 1], h[n - 2]), sub(p, h[n - 2]));
        a[0] * b[1] - a[1] * b[0] <= 0.0
    };
    let half = |list: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut hull: Vec<[f64; 2]> = Vec::new();
        for p in list {
            while hull.len() > 1 && turns(&hull, p) {
                hull.pop();
            }
            hull.push(p);
        }
        hull.pop();
        hull
    };
    let mut hull = half(&mut sorted.iter().copied());
    hull.extend(half(&mut sorted.iter().rev().copied()));
    hull
}

#[cfg(test)]
#[path = "quads_tests.rs"]
mod tests;
