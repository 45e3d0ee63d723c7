//! Where to paint: shapes, the spans they leave on a row, and what they cover.

/// Hard-edged half-open spans a row, from an ordered list of shapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// Rectangles `x1, y1, x2, y2`, half-open, the same on every slice.
    Rects(Vec<[i32; 4]>),
    /// Boxes `x1, y1, z1, x2, y2, z2`, half-open.
    Boxes3(Vec<[i32; 6]>),
}

/// A rectangle or box as three half-open intervals, z first.
type Block = [[i32; 2]; 3];

impl Region {
    /// The shapes that are not empty, with their places in the list.
    fn blocks(&self) -> impl Iterator<Item = (usize, Block)> {
        let (rects, boxes): (&[_], &[_]) = match self {
            Region::Rects(r) => (r, &[]),
            Region::Boxes3(b) => (&[], b),
        };
        let rects = rects.iter().map(|&[x1, y1, x2, y2]| [[i32::MIN, i32::MAX], [y1, y2], [x1, x2]]);
        let boxes = boxes.iter().map(|&[x1, y1, z1, x2, y2, z2]| [[z1, z2], [y1, y2], [x1, x2]]);
        rects.chain(boxes).enumerate().filter(|(_, b)| b.iter().all(|[lo, hi]| lo < hi))
    }

    /// Number of shapes.
    pub fn len(&self) -> usize {
        match self {
            Region::Rects(r) => r.len(),
            Region::Boxes3(b) => b.len(),
        }
    }

    /// True if there is no shape.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `f(shape, x1, x2)` for every span of row `y` of slice `z`, in the order of the shapes.
    pub fn spans(&self, z: i32, y: i32, f: &mut dyn FnMut(usize, i32, i32)) {
        for (i, [zs, ys, [x1, x2]]) in self.blocks() {
            if zs[0] <= z && z < zs[1] && ys[0] <= y && y < ys[1] {
                f(i, x1, x2);
            }
        }
    }

    /// True if a shape covers the point, x1 ≤ x < x2 and y1 ≤ y < y2, on any slice.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let within = |v: f64, [lo, hi]: [i32; 2]| f64::from(lo) <= v && v < f64::from(hi);
        self.blocks().any(|(_, [_, ys, xs])| within(x, xs) && within(y, ys))
    }

    /// True if a shape covers the point of a volume.
    pub fn contains3(&self, x: f64, y: f64, z: f64) -> bool {
        let within = |v: f64, [lo, hi]: [i32; 2]| f64::from(lo) <= v && v < f64::from(hi);
        self.blocks().any(|(_, [zs, ys, xs])| within(x, xs) && within(y, ys) && within(z, zs))
    }

    /// Pixels of a half-open rectangle that no shape covers (on any slice): their number, and their half-open extent
    /// unless there is none.
    pub fn visible(&self, x1: i32, y1: i32, x2: i32, y2: i32) -> (u64, Option<[i32; 4]>) {
        if x1 >= x2 || y1 >= y2 {
            return (0, None);
        }
        // Shapes clipped to the rectangle; between two of their edges all rows are alike.
        let mut holes = Vec::new();
        let mut edges = vec![y1, y2];
        for (_, [_, [top, bottom], [left, right]]) in self.blocks() {
            let (t, b, l, r) = (top.max(y1), bottom.min(y2), left.max(x1), right.min(x2));
            if t < b && l < r {
                holes.push([l, r, t, b]);
                edges.extend([t, b]);
            }
        }
        edges.sort_unstable();
        edges.dedup();
        holes.sort_unstable();
        let mut count = 0;
        let mut extent: Option<[i32; 4]> = None;
        for rows in edges.windows(2) {
            let (mut x, mut seen, mut first, mut last) = (x1, 0, x2, x1);
            let end = [x2, x2, y1, y2];
            for &[l, r, t, b] in holes.iter().chain([&end]) {
                if t > rows[0] || b <= rows[0] {
                    continue;
                }
                if l > x {
                    seen += i64::from(l) - i64::from(x);
                    (first, last) = (first.min(x), l);
                }
                x = x.max(r);
            }
            if seen > 0 {
                count += seen as u64 * rows[1].abs_diff(rows[0]) as u64;
                let e = extent.get_or_insert([first, rows[0], last, rows[1]]);
                *e = [e[0].min(first), e[1], e[2].max(last), rows[1]];
            }
        }
        (count, extent)
    }
}

/// A region made ready: the spans of a row are found by two binary searches.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Ends of the slabs of slices that are alike.
    edges: Vec<i32>,
    slabs: Vec<Slab>,
    /// True if shapes differ from slice to slice.
    pub(super) deep: bool,
}

/// What a shape covers of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub shape: u32,
    pub x1: i32,
    pub x2: i32,
}

/// Bands of rows that are alike: band `i`, the rows `edges[i]..edges[i + 1]`, has the spans `starts[i]..starts[i + 1]`.
#[derive(Clone, Debug)]
struct Slab {
    edges: Vec<i32>,
    starts: Vec<u32>,
    spans: Vec<Span>,
}

/// The ends of intervals, sorted, each once.
fn edges(ends: impl Iterator<Item = [i32; 2]>) -> Vec<i32> {
    let mut edges: Vec<i32> = ends.flatten().collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The interval between two of the edges that `v` lies in.
fn band(edges: &[i32], v: i32) -> Option<usize> {
    let i = edges.partition_point(|&e| e <= v).checked_sub(1)?;
    (i + 1 < edges.len()).then_some(i)
}

impl Slab {
    fn new(blocks: &[(usize, Block)], z: i32) -> Slab {
        let here = blocks.iter().filter(|(_, [zs, ..])| zs[0] <= z && z < zs[1]);
        let edges = edges(here.clone().map(|b| b.1[1]));
        let at = |v| edges.partition_point(|&e| e < v);
        let bands: Vec<_> = here.clone().map(|(_, [_, [top, bottom], _])| at(*top)..at(*bottom)).collect();
        // Spans are counted, then every band's are laid one after the other in the order of the shapes.
        let mut starts = vec![0; edges.len() + 1];
        for bands in &bands {
            starts[bands.start + 2..bands.end + 2].iter_mut().for_each(|n| *n += 1);
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut spans = vec![Span::default(); starts.last().map_or(0, |&n| n as usize)];
        for (bands, &(shape, [_, _, [x1, x2]])) in bands.into_iter().zip(here) {
            for next in &mut starts[bands.start + 1..bands.end + 1] {
                spans[*next as usize] = Span { shape: shape as u32, x1, x2 };
                *next += 1;
            }
        }
        Slab { edges, starts, spans }
    }
}

impl Prepared {
    /// Sorts the shapes of a region by slices and rows.
    pub fn new(region: &Region) -> Prepared {
        let blocks: Vec<(usize, Block)> = region.blocks().collect();
        let deep = matches!(region, Region::Boxes3(_));
        let edges = if deep { edges(blocks.iter().map(|b| b.1[0])) } else { vec![i32::MIN, i32::MAX] };
        let firsts = &edges[..edges.len().saturating_sub(1)];
        let slabs = firsts.iter().map(|&z| Slab::new(&blocks, z)).collect();
        Prepared { edges, slabs, deep }
    }

    /// The bands of slice `z` of which anything is covered: rows, and the spans of each in the order of the shapes.
    pub(super) fn bands(&self, z: i32) -> impl Iterator<Item = ([i32; 2], &[Span])> {
        let slab = band(&self.edges, z).map(|i| &self.slabs[i]);
        slab.into_iter().flat_map(|s| {
            let bands = s.edges.windows(2).zip(s.starts.windows(2));
            bands.filter(|(_, n)| n[0] < n[1]).map(|(e, n)| ([e[0], e[1]], &s.spans[n[0] as usize..n[1] as usize]))
        })
    }

    /// The rows of slice `z` of which anything is covered, as half-open intervals.
    pub fn covered_rows(&self, z: i32) -> impl Iterator<Item = [i32; 2]> {
        self.bands(z).map(|(rows, _)| rows)
    }

    /// The spans of row `y` of slice `z`, in the order of the shapes.
    pub(super) fn spans(&self, z: i32, y: i32) -> &[Span] {
        let Some(slab) = band(&self.edges, z).map(|i| &self.slabs[i]) else { return &[] };
        let Some(i) = band(&slab.edges, y) else { return &[] };
        &slab.spans[slab.starts[i] as usize..slab.starts[i + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: i32) -> i32 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((self.0 >> 33) as i32) % n
        }
    }

    fn some_region(r: &mut Numbers, deep: bool) -> Region {
        let n = r.below(7);
        let mut interval = || {
            let lo = r.below(24) - 4;
            [lo, lo + r.below(9)]
        };
        if deep {
            let make = |_| {
                let [[x1, x2], [y1, y2], [z1, z2]] = [interval(), interval(), interval()];
                [x1, y1, z1, x2, y2, z2]
            };
            Region::Boxes3((0..n).map(make).collect())
        } else {
            let make = |_| {
                let [[x1, x2], [y1, y2]] = [interval(), interval()];
                [x1, y1, x2, y2]
            };
            Region::Rects((0..n).map(make).collect())
        }
    }

    #[test]
    fn prepared_spans_are_the_spans() {
        let mut r = Numbers(3);
        let mut seen = 0;
        for round in 0..400 {
            let region = some_region(&mut r, round % 2 == 0);
            let prepared = Prepared::new(&region);
            for z in -6..30 {
                let covered = |y| prepared.covered_rows(z).any(|[a, b]| a <= y && y < b);
                for y in -6..30 {
                    assert_eq!(covered(y), !prepared.spans(z, y).is_empty());
                    let mut want = Vec::new();
                    region.spans(z, y, &mut |shape, x1, x2| want.push(Span { shape: shape as u32, x1, x2 }));
                    assert_eq!(prepared.spans(z, y), want, "{region:?} {z} {y}");
                    seen += want.len();
                }
            }
        }
        assert!(seen > 10_000);
    }

    #[test]
    fn a_point_is_covered_as_its_pixel_is() {
        let mut r = Numbers(4);
        for round in 0..60 {
            let region = some_region(&mut r, round % 2 == 0);
            let mut flat = [[false; 32]; 32];
            for z in -4..30 {
                for y in -4..28 {
                    let mut row = [false; 32];
                    region.spans(z, y, &mut |_, x1, x2| (x1..x2).for_each(|x| row[(x + 4) as usize] = true));
                    for x in -4..28 {
                        let covered = row[(x + 4) as usize];
                        flat[(y + 4) as usize][(x + 4) as usize] |= covered;
                        for part in [0.0, 0.999] {
                            let (x, y, z) = (f64::from(x) + part, f64::from(y) + part, f64::from(z) + part);
                            assert_eq!(region.contains3(x, y, z), covered);
                        }
                    }
                }
            }
            for y in -4..28 {
                for x in -4..28 {
                    let want = flat[(y + 4) as usize][(x + 4) as usize];
                    assert_eq!(region.contains(f64::from(x), f64::from(y)), want);
                    assert_eq!(region.contains(f64::from(x) + 0.5, f64::from(y) + 0.5), want);
                }
            }
        }
    }

    #[test]
    fn visible_counts_uncovered_pixels() {
        let mut r = Numbers(5);
        let (mut whole, mut gone) = (0, 0);
        for round in 0..3000 {
            let region = some_region(&mut r, round % 2 == 0);
            let (x1, y1) = (r.below(20) - 2, r.below(20) - 2);
            let (x2, y2) = (x1 + r.below(8), y1 + r.below(8));
            let (mut count, mut extent) = (0, None::<[i32; 4]>);
            for y in y1..y2 {
                for x in x1..x2 {
                    if !region.contains(f64::from(x), f64::from(y)) {
                        count += 1;
                        let e = extent.get_or_insert([x, y, x + 1, y + 1]);
                        *e = [e[0].min(x), e[1].min(y), e[2].max(x + 1), e[3].max(y + 1)];
                    }
                }
            }
            assert_eq!(region.visible(x1, y1, x2, y2), (count, extent), "{region:?} {x1} {y1} {x2} {y2}");
            whole += (extent == Some([x1, y1, x2, y2])) as usize;
            gone += (count == 0 && x1 < x2 && y1 < y2) as usize;
        }
        assert!(whole > 100 && gone > 20, "{whole} {gone}");
    }

    #[test]
    fn a_hole_that_cuts_off_one_side_moves_that_side() {
        let region = Region::Rects(vec![[0, 0, 10, 100]]);
        assert_eq!(region.visible(4, 20, 30, 40), (20 * 20, Some([10, 20, 30, 40])));
    }

    #[test]
    fn extreme_coordinates_do_not_overflow() {
        let region = Region::Rects(vec![[i32::MIN, i32::MIN, i32::MAX, 0]]);
        let (count, extent) = region.visible(i32::MIN, i32::MIN, i32::MAX, i32::MAX);
        assert_eq!(count, (u32::MAX as u64) * (i32::MAX as u64));
        assert_eq!(extent, Some([i32::MIN, 0, i32::MAX, i32::MAX]));
        assert_eq!(Prepared::new(&region).spans(i32::MAX - 1, -1).len(), 1);
    }
}
