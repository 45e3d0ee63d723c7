//! True clipping of simple polygons: what a half plane leaves of a concave ring may be several rings.

/// The half plane a·x + b·y + c ≥ 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HalfPlane {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) c: f64,
}

/// Rings below this many square pixels are nothing.
const SPECK: f64 = 1e-9;

impl HalfPlane {
    fn height(&self, [x, y]: [f64; 2]) -> f64 {
        self.a * x + self.b * y + self.c
    }

    /// Where the edge from `p` (inside, at `hp`) to `q` (outside, at `hq`) meets the border. Always reckoned from the
    /// inside, so that an edge shared by two rings is cut at the same point in both.
    fn cross(&self, p: [f64; 2], hp: f64, q: [f64; 2], hq: f64) -> [f64; 2] {
        let t = hp / (hp - hq);
        let mut at = [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
        if self.b == 0.0 {
            at[0] = -self.c / self.a;
        }
        if self.a == 0.0 {
            at[1] = -self.c / self.b;
        }
        at
    }

    /// The rings that are left of `ring`. A vertex on the border counts as inside, so touching cuts nothing.
    ///
    /// The ring falls into chains of inside vertices, each from a crossing inwards to one outwards. Sorted along the
    /// border, crossings are matched like brackets, each inward with an outward one, and every match is a new edge.
    /// For a simple ring these are exactly the pieces of the border inside it; for any other the pieces still have the
    /// right total area, since that does not depend on how crossings are matched.
    pub(crate) fn clip(&self, ring: Vec<[f64; 2]>) -> Vec<Vec<[f64; 2]>> {
        let heights: Vec<f64> = ring.iter().map(|&p| self.height(p)).collect();
        let inside = |i: usize| heights[i] >= 0.0;
        let n = ring.len();
        let Some(out) = (0..n).find(|&i| !inside(i)) else { return vec![ring] };
        let cross = |i: usize, o: usize| self.cross(ring[i], heights[i], ring[o], heights[o]);
        let mut chains: Vec<Vec<[f64; 2]>> = Vec::new();
        for k in 0..n {
            let (i, j) = ((out + k) % n, (out + k + 1) % n);
            match (inside(i), inside(j)) {
                (false, true) => chains.push(vec![cross(j, i), ring[j]]),
                (true, true) => chains.last_mut().into_iter().for_each(|c| c.push(ring[j])),
                (true, false) => chains.last_mut().into_iter().for_each(|c| c.push(cross(i, j))),
                (false, false) => {}
            }
        }
        let along = |[x, y]: [f64; 2]| self.a * y - self.b * x;
        let ends = |c: &Vec<[f64; 2]>| [along(c[0]), along(c[c.len() - 1])];
        let mut crossings: Vec<(f64, usize, bool)> =
            chains.iter().enumerate().flat_map(|(k, c)| [(ends(c)[0], k, false), (ends(c)[1], k, true)]).collect();
        crossings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut next = vec![0; chains.len()];
        let mut open: Vec<(usize, bool)> = Vec::new();
        for (_, chain, leaves) in crossings {
            match open.last() {
                Some(&(other, was)) if was != leaves => {
                    open.pop();
                    let (from, to) = if leaves { (chain, other) } else { (other, chain) };
                    next[from] = to;
                }
                _ => open.push((chain, leaves)),
            }
        }
        let mut pieces = Vec::new();
        for start in 0..chains.len() {
            let mut piece: Vec<[f64; 2]> = Vec::new();
            let mut at = start;
            while !chains[at].is_empty() {
                piece.append(&mut chains[at]);
                at = next[at];
            }
            if !piece.is_empty() {
                pieces.push(piece);
            }
        }
        pieces
    }
}

/// What a frame of w × h leaves of a ring, rings without area left out.
pub(crate) fn clip_ring(ring: Vec<[f64; 2]>, w: f64, h: f64) -> Vec<Vec<[f64; 2]>> {
    let borders = [(1.0, 0.0, 0.0), (-1.0, 0.0, w), (0.0, 1.0, 0.0), (0.0, -1.0, h)];
    let mut rings = vec![ring];
    for (a, b, c) in borders {
        rings = rings.into_iter().flat_map(|r| HalfPlane { a, b, c }.clip(r)).collect();
    }
    rings.into_iter().map(without_repeats).filter(|r| r.len() > 2 && signed_area(r).abs() > SPECK).collect()
}

/// The ring without vertices that repeat the one before.
fn without_repeats(mut ring: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    ring.dedup();
    while ring.len() > 1 && ring[0] == ring[ring.len() - 1] {
        ring.pop();
    }
    ring
}

/// Area by the shoelace rule; positive if the ring runs clockwise on screen.
pub(crate) fn signed_area(ring: &[[f64; 2]]) -> f64 {
    let Some(&[ox, oy]) = ring.first() else { return 0.0 };
    let next = ring.iter().cycle().skip(1);
    // About the first vertex, so that a small ring far from the origin keeps its digits.
    let twice: f64 = ring.iter().zip(next).map(|(p, q)| (p[0] - ox) * (q[1] - oy) - (q[0] - ox) * (p[1] - oy)).sum();
    twice / 2.0
}

/// Edges split so that none is longer than `step`.
pub(crate) fn split_edges(ring: &[[f64; 2]], step: f64) -> Vec<[f64; 2]> {
    let mut out = Vec::with_capacity(ring.len() * 2);
    for (p, q) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let d = [q[0] - p[0], q[1] - p[1]];
        let n = ((d[0] * d[0] + d[1] * d[1]).sqrt() / step).ceil().max(1.0);
        let mut k = 0.0;
        while k < n {
            out.push([p[0] + d[0] * (k / n), p[1] + d[1] * (k / n)]);
            k += 1.0;
        }
    }
    out
}

/// The ring with vertices left out that lie within `tolerance` of the line through those kept (Douglas and Peucker).
pub(crate) fn simplify(ring: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    let n = ring.len();
    if n < 4 {
        return ring.to_vec();
    }
    let at = |i: usize| ring[i % n];
    let square = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]);
    let opposite = (1..n).fold(1, |m, i| if square(at(i), at(0)) > square(at(m), at(0)) { i } else { m });
    let mut keep = vec![false; n];
    keep[0] = true;
    keep[opposite] = true;
    let mut spans = vec![(0, opposite), (opposite, n)];
    while let Some((a, b)) = spans.pop() {
        let (p, q) = (at(a), at(b));
        let length = square(p, q).sqrt();
        let distance = |r: [f64; 2]| {
            let along = (r[0] - p[0]) * (q[0] - p[0]) + (r[1] - p[1]) * (q[1] - p[1]);
            if length == 0.0 || along <= 0.0 {
                square(r, p).sqrt()
            } else if along >= length * length {
                square(r, q).sqrt()
            } else {
                ((r[0] - p[0]) * (q[1] - p[1]) - (r[1] - p[1]) * (q[0] - p[0])).abs() / length
            }
        };
        let far = (a + 1..b).fold((tolerance, 0), |m, i| {
            let d = distance(at(i));
            if d > m.0 { (d, i) } else { m }
        });
        if far.1 > 0 {
            keep[far.1 % n] = true;
            spans.push((a, far.1));
            spans.push((far.1, b));
        }
    }
    (0..n).filter(|&i| keep[i]).map(at).collect()
}

#[cfg(test)]
#[path = "clip_tests.rs"]
mod tests;
