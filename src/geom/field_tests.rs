use super::*;
use crate::geom::Geom;
use crate::geom::trig::{cos, sin};

const W: usize = 32;
const H: usize = 24;

/// A bent field of 32 × 24, as written in NumPy for the reference numbers.
fn bent() -> (Vec<f32>, Vec<f32>) {
    let at = |i: usize| ((i % W) as f64, (i / W) as f64);
    let xs = (0..W * H).map(|i| (at(i).0 + 3.0 * sin(at(i).1 / 5.0) + 1.25) as f32).collect();
    let ys = (0..W * H).map(|i| (at(i).1 * 1.1 + 2.0 * cos(at(i).0 / 7.0) - 2.0) as f32).collect();
    (xs, ys)
}

fn same(w: usize, h: usize) -> (Vec<f32>, Vec<f32>) {
    ((0..w * h).map(|i| (i % w) as f32).collect(), (0..w * h).map(|i| (i / w) as f32).collect())
}

#[test]
fn boxes_are_the_rasters_of_2_0_8() {
    // remap_bboxes; it has no case for a box that vanishes.
    let boxes = [[2.0, 3.0, 10.5, 9.5], [20.0, 10.0, 32.0, 24.0], [0.0, 0.0, 3.0, 2.0], [15.5, 12.5, 16.2, 13.1]];
    let bent_want = [[0.0, 3.0, 7.0, 10.0], [17.0, 12.0, 31.0, 23.0], [0.0, 0.0, 2.0, 2.0], [13.0, 13.0, 14.0, 14.0]];
    let same_want = [[2.0, 3.0, 10.0, 10.0], [20.0, 10.0, 31.0, 23.0], [0.0, 0.0, 3.0, 2.0], [16.0, 12.0, 16.0, 13.0]];
    for ((xs, ys), want) in [(bent(), bent_want), (same(W, H), same_want)] {
        let geom = Geom::Field(Field::new(&xs, &ys, [W, H], [W, H]));
        let mut rows: Vec<BoxRow> = boxes.into_iter().zip(0..).map(|(e, i)| BoxRow::new(e, i)).collect();
        geom.boxes(&mut rows).unwrap();
        assert_eq!(rows.iter().map(|r| r.edges).collect::<Vec<_>>(), want);
    }
}

#[test]
fn a_box_that_no_pixel_reads_is_dropped() {
    let (xs, ys) = same(W, H);
    let xs: Vec<f32> = xs.iter().map(|x| x + 10.0).collect();
    let geom = Geom::Field(Field::new(&xs, &ys, [W, H], [W, H]));
    let mut rows = vec![BoxRow::new([1.0, 1.0, 9.0, 9.0], 0), BoxRow::new([1.0, 1.0, 10.0, 9.0], 1)];
    geom.boxes(&mut rows).unwrap();
    assert_eq!(rows, [BoxRow::new([0.0, 1.0, 0.0, 9.0], 1)]);
}

#[test]
fn keypoints_go_to_the_nearest_source() {
    // The argmin of NumPy over all pixels is (1, 5), (18, 14), (0, 1), (12, 6); (31, 23) is lost in 2.0.8 too, and so is
    // what lies outside.
    let (xs, ys) = bent();
    let geom = Geom::Field(Field::new(&xs, &ys, [W, H], [W, H]));
    let at = [(5.0, 6.0), (20.0, 12.0), (31.0, 23.0), (1.0, 1.0), (16.3, 3.7), (-0.6, 3.0), (32.0, 3.0), (3.0, 24.0)];
    let mut rows: Vec<Point> =
        at.into_iter().zip(0..).map(|((x, y), index)| Point { x, y, z: 4.0, angle: 1.0, scale: 2.0, index }).collect();
    geom.points(&mut rows).unwrap();
    assert_eq!(rows.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1, 3, 4]);
    for (p, near) in rows.iter().zip([(1.0, 5.0), (18.0, 14.0), (0.0, 1.0), (12.0, 6.0)]) {
        assert!((p.x - near.0).abs() <= 0.5 && (p.y - near.1).abs() <= 0.5, "{p:?}");
        // The formula of the field, where the point went, is where it came from; (1, 1) lies left of the frame.
        let from = (p.x + 3.0 * sin(p.y / 5.0) + 1.25, p.y * 1.1 + 2.0 * cos(p.x / 7.0) - 2.0);
        let off = (from.0 - at[p.index as usize].0).abs().max((from.1 - at[p.index as usize].1).abs());
        assert!(off < if p.index == 3 { 1.0 } else { 0.06 }, "{p:?} came from {from:?}");
    }
    assert!(rows.iter().all(|p| (p.z, p.angle, p.scale) == (4.0, 1.0, 2.0)));
}

#[test]
fn points_lie_between_the_pixels_of_an_axis_table() {
    // Cells of 4: sources 0 2 4 6, 6 6⅓ 6⅔ 7, 7 8 9 10.
    let table = axis_table(&[1.5, 0.25, 0.75, 0.0], 12).unwrap();
    let xs: Vec<f32> = table.repeat(12);
    let ys: Vec<f32> = table.iter().flat_map(|v| [*v; 12]).collect();
    let field = Field::new(&xs, &ys, [12, 12], [12, 12]);
    for (from, to) in [
        (0.0, 0.0),
        (0.5, 0.25),
        (3.0, 1.5),
        (5.9, 2.95),
        (6.0, 3.5), // shown twice
        (6.1, 4.3),
        (6.9, 6.7),
        (7.25, 8.25),
        (9.75, 10.75),
    ] {
        let mut rows = vec![Point { x: from, y: from, ..Point::default() }];
        field.points(&mut rows);
        assert!((rows[0].x - to).abs() < 1e-5 && (rows[0].y - to).abs() < 1e-5, "{from}: {rows:?}, not {to}");
    }
}

#[test]
fn a_point_beside_a_run_of_equal_sources_stays() {
    // Nearest is the first of two equal pixels; the wide step lies behind the second.
    let table = axis_table(&[0.9, 1.3, 0.8, 0.0], 24).unwrap();
    let xs: Vec<f32> = table.repeat(24);
    let ys: Vec<f32> = table.iter().flat_map(|v| [*v; 24]).collect();
    let field = Field::new(&xs, &ys, [24, 24], [24, 24]);
    for i in 0..230 {
        for k in 0..230 {
            let mut rows = vec![Point { x: i as f64 / 10.0, y: k as f64 / 10.0, ..Point::default() }];
            field.points(&mut rows);
            assert_eq!(rows.len(), 1, "{i} {k}");
        }
    }
}

#[test]
fn a_shrinking_field_keeps_points_between_its_samples() {
    // One pixel in 5: the furthest point lies 2.5·√2 from its sample.
    let (w, h) = (8, 6);
    let xs: Vec<f32> = (0..w * h).map(|i| (i % w * 5) as f32).collect();
    let ys: Vec<f32> = (0..w * h).map(|i| (i / w * 5) as f32).collect();
    let geom = Geom::Field(Field::new(&xs, &ys, [w, h], [36, 26]));
    for (x, y) in [(12.5, 7.5), (0.0, 0.0), (12.4, 8.0), (30.0, 22.0)] {
        let mut rows = vec![Point { x, y, ..Point::default() }];
        geom.points(&mut rows).unwrap();
        assert_eq!(rows.len(), 1, "{x} {y}");
        assert!((rows[0].x * 5.0 - x).abs() <= 2.5 && (rows[0].y * 5.0 - y).abs() <= 2.5);
    }
}

/// Pseudo-random numbers in 0..1.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut s = seed;
    move || {
        s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (s >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn blocks_change_no_answer() {
    // Against every pixel looked at, on a rough field wider than a block, with values that are not numbers in it.
    let (w, h) = (150, 40);
    let mut r = noise(3);
    let mut xs: Vec<f32> = (0..w * h).map(|i| (i % w) as f32 + (r() * 9.0) as f32).collect();
    let mut ys: Vec<f32> = (0..w * h).map(|i| (i / w) as f32 + (r() * 9.0) as f32).collect();
    for i in [0, 77, 64, 5999, 1234] {
        xs[i] = f32::NAN;
        ys[i / 2] = f32::INFINITY;
    }
    let field = Field::new(&xs, &ys, [w, h], [w, h]);
    for _ in 0..200 {
        let p = [r() * 150.0, r() * 40.0];
        let mut best = (f64::INFINITY, 0);
        for i in 0..w * h {
            let (dx, dy) = (f64::from(xs[i]) - p[0], f64::from(ys[i]) - p[1]);
            if dx * dx + dy * dy < best.0 {
                best = (dx * dx + dy * dy, i);
            }
        }
        assert_eq!(field.nearest(p), Some((best.1 % w, best.1 / w)));

        let b = [p[0], p[1], p[0] + r() * 20.0, p[1] + r() * 20.0];
        let round = |v: f64, n: usize| v.round_ties_even().min(n as f64 - 1.0);
        let b2 = [round(b[0], w), round(b[1], h), round(b[2], w), round(b[3], h)];
        let hit = |i: &usize| {
            let (x, y) = (f64::from(xs[*i]).round_ties_even(), f64::from(ys[*i]).round_ties_even());
            x >= b2[0] && x <= b2[2] && y >= b2[1] && y <= b2[3]
        };
        let all: Vec<usize> = (0..w * h).filter(hit).collect();
        let mut rows = vec![BoxRow::new(b, 0)];
        field.boxes(&mut rows);
        let column = |i: &usize| (i % w) as f64;
        let want = (!all.is_empty()).then(|| {
            let xs = all.iter().map(column);
            let (lo, hi) = xs.fold((f64::MAX, 0.0f64), |(lo, hi), x| (lo.min(x), hi.max(x)));
            [lo, (all[0] / w) as f64, hi, (all[all.len() - 1] / w) as f64]
        });
        assert_eq!(rows.first().map(|r| r.edges), want);
    }
}

#[test]
fn edge_points_fall_between_pixels() {
    let (xs, ys) = same(W, H);
    let field = Field::new(&xs, &ys, [W, H], [W, H]);
    for p in [[0.0, 0.0], [32.0, 24.0], [3.25, 7.75], [10.5, 0.5]] {
        let hit = field.edge(p).unwrap();
        assert!((hit.to[0] - p[0]).abs() < 1e-12 && (hit.to[1] - p[1]).abs() < 1e-12, "{p:?} {hit:?}");
    }
    // Enlarged twice about the origin: source = output / 2 in centres.
    let (xs, ys): (Vec<f32>, Vec<f32>) = (xs.iter().map(|x| x / 2.0).collect(), ys.iter().map(|y| y / 2.0).collect());
    let field = Field::new(&xs, &ys, [W, H], [W, H]);
    let hit = field.edge([5.3, 4.1]).unwrap();
    assert!((hit.to[0] - (2.0 * 4.8 + 0.5)).abs() < 1e-6 && (hit.to[1] - (2.0 * 3.6 + 0.5)).abs() < 1e-6);
}

#[test]
fn axis_tables_are_those_of_2_0_8() {
    // generate_grid for 13 × 11 in 3 steps.
    let (mut sx, mut sy) = ([1.1, 0.9, 1.05, 1.2], [0.8, 1.3, 1.0, 0.95]);
    let x = [0.0, 1.4666667, 2.9333334, 4.4, 4.4, 5.6, 6.8, 8.0, 8.0, 9.4, 10.8, 12.2, 12.2f32];
    let y = [0.0, 1.2, 2.4, 2.4, 4.35, 6.3, 6.3, 7.8, 9.3, 9.3, 12.15f32];
    assert_eq!(axis_table(&sx, 13).unwrap(), x);
    assert_eq!(axis_table(&sy, 11).unwrap(), y);
    normalise_steps(&mut sx, 13).unwrap();
    normalise_steps(&mut sy, 11).unwrap();
    let want = [1.067164179104478, 0.8731343283582091, 1.0186567164179106, 0.291044776119403];
    assert!(sx.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-15));
    let want = [0.7857142857142857, 1.2767857142857142, 0.9821428571428571, 0.6220238095238094];
    assert!(sy.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-15));
    let x: [f32; 13] = [
        0.0, 1.4228855, 2.845771, 4.2686567, 4.2686567, 5.432836, 6.597015, 7.761194, 7.761194, 9.119403, 10.477612,
        11.835821, 11.835821,
    ];
    assert_eq!(axis_table(&sx, 13).unwrap(), x);
}

#[test]
fn steps_of_one_still_repeat_positions() {
    // D17, kept: cells of 2 include both ends.
    let ones = [1.0; 6];
    assert_eq!(axis_table(&ones, 10).unwrap(), [0.0, 2.0, 2.0, 4.0, 4.0, 6.0, 6.0, 8.0, 8.0, 10.0f32]);
    // Pixels that no cell reaches read position 0.
    let table = axis_table(&[1.0; 11], 19).unwrap();
    assert_eq!(table[9..12], [9.0, 10.0, 0.0]);
    assert!(table[11..].iter().all(|&v| v == 0.0));
    assert!(axis_table(&[1.0; 11], 9).is_err());
    assert!(axis_table(&[1.0], 9).is_err());
    assert!(normalise_steps(&mut [1.0; 11], 9).unwrap_err().text.contains("num_steps (10)"));
}

#[test]
fn rounding_into_a_range_is_a_comparison() {
    for (low, high) in [(0.0, 0.0), (3.0, 4.0), (2.0, 7.0), (1.0, 1.0)] {
        let [a, b] = rounds_into(low, high);
        for i in -40..200 {
            for v in [i as f32 * 0.05, (i as f32 * 0.5).next_up(), (i as f32 * 0.5).next_down(), i as f32 * 0.5] {
                let r = f64::from(v).round_ties_even();
                assert_eq!(r >= low && r <= high, v >= a && v <= b, "{v} in {low}..={high}");
            }
        }
    }
}
