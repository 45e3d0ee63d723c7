use super::*;
use crate::geom::{Affine, Grid, affine};

fn near(a: &[[f64; 2]; 4], b: &[[f64; 2]; 4], tolerance: f64) {
    for (p, q) in a.iter().zip(b) {
        assert!((p[0] - q[0]).abs() < tolerance && (p[1] - q[1]).abs() < tolerance, "{a:?} {b:?}");
    }
}

#[test]
fn mirrors_keep_winding_and_head_edge() {
    let quad = [[2.0, 3.0], [6.0, 3.0], [6.0, 5.0], [2.0, 5.0]];
    let flip = Geom::Grid(Grid::orient("H-W", [20, 10, 1]).unwrap());
    let out = map_quad(&flip, &quad).unwrap();
    assert_eq!(out, [[14.0, 3.0], [18.0, 3.0], [18.0, 5.0], [14.0, 5.0]]);
    assert!(signed_area(&out) * signed_area(&quad) > 0.0);
    let turn = Geom::Grid(Grid::orient("-WH", [20, 10, 1]).unwrap());
    let out = map_quad(&turn, &quad).unwrap();
    assert_eq!(out, [[3.0, 18.0], [3.0, 14.0], [5.0, 14.0], [5.0, 18.0]]);
    assert!(signed_area(&out) * signed_area(&quad) > 0.0);
}

#[test]
fn a_rectangle_at_the_border_keeps_its_axes() {
    // A long box at 30° whose end leaves the frame on the right.
    let m = affine::affine_matrix(30.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 49.5, 49.5);
    let geom = Geom::Affine(Affine::new(m, 1.0, [100, 100], [100, 100]));
    let quad = map_quad(&geom, &[[40.0, 45.0], [120.0, 45.0], [120.0, 55.0], [40.0, 55.0]]).unwrap();
    let (out, share) = clip_quad(&quad, [100, 100]).unwrap();
    let direction = |q: &[[f64; 2]; 4], i: usize, j: usize| {
        let d = sub(q[j], q[i]);
        let l = length(d);
        [d[0] / l, d[1] / l]
    };
    // Its far lower corner would lie outside and is clamped; the upper one is not.
    let (a, b) = (direction(&quad, 0, 1), direction(&out, 0, 1));
    assert!((a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9);
    near(&[out[0], out[3], out[0], out[3]], &[quad[0], quad[3], quad[0], quad[3]], 1e-9);
    assert!(out.iter().all(|p| p[0] <= 100.0));
    // An upright cut takes as much above the middle line as it leaves below.
    let middle = (quad[0][0] + quad[3][0]) / 2.0;
    let want = (100.0 - middle) / m[0] / 80.0;
    assert!((share - want).abs() < 1e-9, "{share} {want}");
}

#[test]
fn whole_boxes_stay_and_lost_ones_go() {
    let quad = [[1.0, 1.0], [9.0, 2.0], [8.0, 8.0], [2.0, 7.0]];
    assert_eq!(clip_quad(&quad, [10, 10]), Some((quad, 1.0)));
    assert_eq!(clip_quad(&quad.map(|p| [p[0] + 20.0, p[1]]), [10, 10]), None);
}

#[test]
fn other_quads_get_the_smallest_rectangle() {
    // A trapezoid hanging over the left side.
    let quad = [[-4.0, 2.0], [6.0, 4.0], [6.0, 6.0], [-4.0, 8.0]];
    assert!(!is_rectangle(&quad));
    let (out, share) = clip_quad(&quad, [10, 10]).unwrap();
    near(&out, &[[0.0, 2.8], [6.0, 2.8], [6.0, 7.2], [0.0, 7.2]], 1e-9);
    assert!(signed_area(&out) * signed_area(&quad) > 0.0);
    let shown = (4.4 + 2.0) / 2.0 * 6.0;
    assert!((share - shown / 40.0).abs() < 1e-9);
    let reversed = [quad[3], quad[2], quad[1], quad[0]];
    let (out, _) = clip_quad(&reversed, [10, 10]).unwrap();
    assert!(signed_area(&out) * signed_area(&reversed) > 0.0);
    near(&out, &[[0.0, 7.2], [6.0, 7.2], [6.0, 2.8], [0.0, 2.8]], 1e-9);
}

#[test]
fn nearly_square_corners_make_a_rectangle() {
    assert!(is_rectangle(&[[0.0, 0.0], [100.0, 1.0], [99.5, 51.0], [-0.5, 50.0]]));
    assert!(!is_rectangle(&[[0.0, 0.0], [100.0, 10.0], [100.0, 60.0], [0.0, 50.0]]));
    assert!(!is_rectangle(&[[0.0, 0.0], [100.0, 0.0], [90.0, 50.0], [0.0, 50.0]]));
    assert!(!is_rectangle(&[[0.0, 0.0], [0.0, 0.0], [5.0, 5.0], [0.0, 5.0]]));
}
