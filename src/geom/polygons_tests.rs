use super::*;
use crate::geom::{Affine, Grid, Scale, affine};

fn square(x0: f64, y0: f64, x1: f64, y1: f64) -> Vec<[f64; 2]> {
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

#[test]
fn a_crop_cuts_and_a_pad_does_not_bring_back() {
    let mut all = vec![Outline::new(4, vec![square(2.0, 2.0, 12.0, 10.0), square(14.0, 2.0, 18.0, 6.0)])];
    Geom::Grid(Grid::crop([0, 0, 0], [7, 20, 1], [20, 20, 1])).outlines(&mut all).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].rings.len(), 1, "the second part lies outside");
    assert_eq!((all[0].index, all[0].rings[0].part, all[0].area()), (4, 0, 40.0));
    assert_eq!(all[0].visible, 40.0 / 96.0);
    Geom::Grid(Grid::pad([3, 0, 0], [30, 20, 1], [7, 20, 1], false)).outlines(&mut all).unwrap();
    assert_eq!(all[0].extent(), Some([5.0, 2.0, 10.0, 10.0]));
    // A second clip multiplies.
    Geom::Grid(Grid::crop([5, 6, 0], [9, 9, 1], [30, 20, 1])).outlines(&mut all).unwrap();
    assert_eq!(all[0].visible, 40.0 / 96.0 * 0.5);
    Geom::Grid(Grid::crop([8, 8, 0], [1, 1, 1], [9, 9, 1])).outlines(&mut all).unwrap();
    assert!(all.is_empty());
}

#[test]
fn mirrors_use_the_edge_convention() {
    let mut all = vec![Outline::new(0, vec![square(2.0, 3.0, 5.0, 4.0)])];
    Geom::Grid(Grid::orient("H-W", [20, 10, 1]).unwrap()).outlines(&mut all).unwrap();
    assert_eq!(all[0].extent(), Some([15.0, 3.0, 18.0, 4.0]));
    Geom::Scale(Scale::new([20, 10], 40, 10)).outlines(&mut all).unwrap();
    assert_eq!(all[0].extent(), Some([30.0, 3.0, 36.0, 4.0]));
    assert_eq!(all[0].visible, 1.0);
}

#[test]
fn a_concave_part_keeps_its_number_when_cut_in_two() {
    let u = vec![[2.0, 2.0], [4.0, 2.0], [4.0, 9.0], [6.0, 9.0], [6.0, 2.0], [8.0, 2.0], [8.0, 12.0], [2.0, 12.0]];
    let mut all = vec![Outline::new(1, vec![square(0.0, 0.0, 1.0, 1.0), u])];
    Geom::Grid(Grid::crop([0, 0, 0], [10, 8, 1], [20, 20, 1])).outlines(&mut all).unwrap();
    assert_eq!(all[0].rings.iter().map(|r| r.part).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(all[0].area(), 1.0 + 12.0 + 12.0);
}

#[test]
fn an_affine_map_follows_the_boxes() {
    let [cx, cy] = affine::centre(64, 64);
    let m = affine::affine_matrix(30.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, cx, cy);
    let geom = Geom::Affine(Affine::new(m, 1.0, [64, 64], [64, 64]));
    let mut all = vec![Outline::new(0, vec![square(20.0, 20.0, 30.0, 30.0)])];
    let mut rows = vec![crate::geom::BoxRow::new([20.0, 20.0, 30.0, 30.0], 0)];
    geom.outlines(&mut all).unwrap();
    geom.boxes(&mut rows).unwrap();
    assert_eq!(all[0].extent(), Some(rows[0].edges));
    assert!((all[0].area() - 100.0).abs() < 1e-9);
    // The middle of the frame stays.
    let c = geom.edge([32.0, 32.0]).unwrap();
    assert!((c[0] - 32.0).abs() < 1e-12 && (c[1] - 32.0).abs() < 1e-12);
}

#[test]
fn a_reflecting_border_makes_further_outlines() {
    let mut all = vec![Outline::new(9, vec![square(2.0, 2.0, 20.0, 20.0)])];
    Geom::Grid(Grid::pad([10, 10, 0], [68, 84, 1], [48, 64, 1], true)).outlines(&mut all).unwrap();
    let extents: Vec<_> = all.iter().map(|o| o.extent().unwrap()).collect();
    assert_eq!(
        extents,
        [[0.0, 0.0, 8.0, 8.0], [12.0, 0.0, 30.0, 8.0], [0.0, 12.0, 8.0, 30.0], [12.0, 12.0, 30.0, 30.0]]
    );
    assert!(all.iter().all(|o| o.index == 9));
    assert_eq!(all[3].visible, 1.0);
    assert!((all[0].visible - 64.0 / 324.0).abs() < 1e-15);
}

#[test]
fn a_homography_cuts_at_the_horizon() {
    // Everything beyond x = 10 is behind the camera.
    let m = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -0.1, 0.0, 1.0];
    let geom = Geom::Homography(Homography::new(m, 1.0, [50, 50]));
    let mut all =
        vec![Outline::new(0, vec![square(0.0, 1.0, 20.0, 3.0)]), Outline::new(1, vec![square(12.0, 1.0, 20.0, 3.0)])];
    geom.outlines(&mut all).unwrap();
    assert_eq!(all.len(), 1);
    let [x0, y0, x1, y1] = all[0].extent().unwrap();
    assert_eq!((x0, x1), (0.0, 50.0));
    assert!(y0 >= 0.0 && y1 <= 50.0);
    // x = 50 is the image of 25/3; there the edge y = 3 is at 18.
    assert!((y1 - 18.0).abs() < 1e-9);
    assert!(all[0].visible < 0.5);
}

#[test]
fn a_field_moves_outlines_and_tells_what_shows() {
    let (w, h) = (40, 30);
    let xs: Vec<f32> = (0..w * h).map(|i| (i % w) as f32 + 6.0).collect();
    let ys: Vec<f32> = (0..w * h).map(|i| (i / w) as f32).collect();
    let geom = Geom::Field(Field::new(&xs, &ys, [w, h], [w, h]));
    let mut all = vec![
        Outline::new(0, vec![square(10.0, 5.0, 20.0, 9.0)]),
        Outline::new(1, vec![square(2.0, 5.0, 10.0, 9.0)]),
        Outline::new(2, vec![square(1.0, 1.0, 4.0, 4.0)]),
    ];
    geom.outlines(&mut all).unwrap();
    assert_eq!(all.iter().map(|o| o.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(all[0].rings[0].points, square(4.0, 5.0, 14.0, 9.0));
    assert_eq!(all[0].visible, 1.0);
    assert_eq!(all[1].extent().unwrap()[2..], [4.0, 9.0]);
    assert!((all[1].area() - 16.0).abs() < 1.0, "{:?}", all[1]);
    assert!((all[1].visible - 0.5).abs() < 0.1, "{:?}", all[1]);
}

#[test]
fn a_bent_edge_gains_vertices() {
    let (w, h) = (64, 64);
    let wave = |i: usize| 4.0 * crate::geom::trig::sin((i % w) as f64 / 8.0);
    let xs: Vec<f32> = (0..w * h).map(|i| (i % w) as f32).collect();
    let ys: Vec<f32> = (0..w * h).map(|i| ((i / w) as f64 + wave(i)) as f32).collect();
    let geom = Geom::Field(Field::new(&xs, &ys, [w, h], [w, h]));
    let mut all = vec![Outline::new(0, vec![square(10.0, 20.0, 50.0, 40.0)])];
    geom.outlines(&mut all).unwrap();
    assert!(all[0].rings[0].points.len() > 12);
    assert!((all[0].area() - 800.0).abs() < 8.0, "{}", all[0].area());
    // Every vertex lies on the image of the square's sides: its source is on y = 20 or 40, x = 10 or 50.
    for [x, y] in &all[0].rings[0].points {
        let source = y + 4.0 * crate::geom::trig::sin((x - 0.5) / 8.0);
        let off = (source - 20.0).abs().min((source - 40.0).abs()).min((x - 10.0).abs()).min((x - 50.0).abs());
        assert!(off < 0.05, "{x} {y} {off}");
    }
}
