use super::*;
use crate::geom::Geom;

const CORNERS: [[f64; 2]; 4] = [[5.0, 4.0], [92.0, 7.0], [88.0, 55.0], [3.0, 51.0]];

fn near(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance, "{a:?} {b:?}");
    }
}

#[test]
fn perspective_is_that_of_2_0_8() {
    // Albumentations 2.0.8, 100 × 60: (fit_output, keep_size, size, box, point x, y, angle, scale). It maps in f32.
    let table = [
        (
            false,
            true,
            [100, 60],
            [7.2251043, 10.5206089, 50.2835541, 69.5971069],
            [7.2251043, 12.2257900, 0.4634102, 3.1173882],
        ),
        (
            false,
            false,
            [87, 48],
            [6.2858410, 8.4164867, 43.7466927, 55.6776886],
            [6.2858410, 9.7806320, 0.4634102, 2.4939106],
        ),
        (
            true,
            true,
            [100, 60],
            [10.3644209, 12.7312279, 41.6736107, 47.8465919],
            [10.3644209, 13.7667742, 0.4662074, 2.0778897],
        ),
        (
            true,
            false,
            [120, 81],
            [12.4373054, 17.1871586, 50.0083351, 64.5929031],
            [12.4373054, 18.5851459, 0.4662074, 2.4934676],
        ),
    ];
    for (fit, keep, size, edges, point) in table {
        let geom = Geom::Homography(perspective(CORNERS, 100, 60, keep, fit).unwrap());
        assert_eq!(geom.size(), size, "{fit} {keep}");
        let mut boxes = vec![BoxRow::new([10.0, 12.0, 40.0, 48.0], 2)];
        geom.boxes(&mut boxes).unwrap();
        near(&boxes[0].edges, &edges, 1e-4);
        let mut rows = vec![Point { x: 10.0, y: 12.0, z: 3.0, angle: 0.5, scale: 2.0, index: 1 }];
        geom.points(&mut rows).unwrap();
        let p = rows[0];
        near(&[p.x, p.y, p.angle, p.scale], &point, 1e-4);
        assert_eq!((p.z, p.index), (3.0, 1));
        // Box corners go without the half pixel: the point (10, 12) and the corner (10, 12) meet.
        near(&geom.edge([10.0, 12.0]).unwrap(), &[p.x, p.y], 1e-12);
    }
}

#[test]
fn the_matrix_of_two_quads_is_opencv_s() {
    let want = [
        1.1739274806409121,
        0.04995436087833668,
        -6.069454846717907,
        -0.04297291689025396,
        1.2462145898173649,
        -4.7699937748181895,
        0.00028262801828477456,
        -0.0004551769568936609,
        1.0,
    ];
    let frame = [[0.0, 0.0], [100.0, 0.0], [100.0, 60.0], [0.0, 60.0]];
    let m = homography_from_quads(&CORNERS, &frame).unwrap();
    near(&m, &want, 1e-11);
    for (p, q) in CORNERS.iter().zip(frame) {
        near(&project(&m, *p), &q, 1e-10);
    }
    let back = compose(&invert_homography(&m).unwrap(), &m);
    near(&back.map(|v| v / back[8]), &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 1e-10);
}

#[test]
fn flat_quads_and_matrices_are_refused() {
    let frame = [[0.0, 0.0], [10.0, 0.0], [10.0, 6.0], [0.0, 6.0]];
    let line = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 6.0]];
    assert!(homography_from_quads(&line, &frame).unwrap_err().text.contains("not invertible"));
    assert!(homography_from_quads(&frame, &[[1.0, 1.0]; 4]).is_err());
    assert!(invert_homography(&[0.0; 9]).is_err());
    assert!(invert_homography(&[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 0.0, 1.0]).is_err());
}

#[test]
fn corners_are_ordered_and_short_edges_stretched() {
    let [tl, tr, br, bl] = CORNERS;
    assert_eq!(order_corners([br, tl, bl, tr]), CORNERS);
    // compute_perspective_params of 2.0.8 stretches this top edge to these corners and gives 37 × 56.
    let mut quad = [[5.0, 4.0], [5.5, 4.2], [40.0, 50.0], [3.0, 51.0]];
    assert_eq!(edge_length(&mut quad, 1, 0), 2.0);
    near(&quad[0], &[4.26925802230835, 3.2692582607269287], 1e-6);
    near(&quad[1], &[6.23074197769165, 4.930741786956787], 1e-6);
    assert_eq!(edge_length(&mut quad, 2, 3).trunc(), 37.0);
    assert_eq!(edge_length(&mut quad, 2, 1).trunc(), 56.0);
}

#[test]
fn beyond_the_horizon_there_is_no_edge_point() {
    let m = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -0.1, 0.0, 1.0];
    let geom = Geom::Homography(Homography::new(m, 1.0, [10, 10]));
    assert_eq!(geom.edge([5.0, 1.0]), Some([10.0, 2.0]));
    assert_eq!(geom.edge([11.0, 1.0]), None);
    assert_eq!(project(&m, [10.0, 4.0]), [0.0, 0.0]);
}
