use super::*;
use crate::geom::Geom;

fn near(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance, "{a:?} {b:?}");
    }
}

/// The map of all reference numbers here: a 100 × 60 image, Albumentations 2.0.8.
fn reference() -> [f64; 6] {
    let [cx, cy] = centre(100, 60);
    affine_matrix(33.0, 1.2, 0.8, 10.0, -5.0, 7.0, -3.0, cx, cy)
}

fn boxes() -> Vec<BoxRow> {
    let edges = [[10.0, 12.0, 40.0, 50.0], [70.0, 5.0, 99.0, 30.0], [0.0, 0.0, 4.0, 4.0]];
    edges.into_iter().zip(0..).map(|(e, i)| BoxRow::new(e, i)).collect()
}

fn points() -> Vec<Point> {
    vec![
        Point { x: 10.0, y: 12.0, z: 3.0, angle: 0.5, scale: 2.0, index: 0 },
        Point { x: 90.0, y: 50.0, z: 0.0, angle: 6.0, scale: 1.0, index: 1 },
    ]
}

#[test]
fn matrices_are_those_of_2_0_8_and_the_box_matrix_is_the_half_pixel_shift() {
    let m = reference();
    let want = [
        1.1216461494787149,
        0.3174070287681256,
        -8.384991747856091,
        -0.5655178414643451,
        0.7090562473783502,
        33.57597385482376,
    ];
    near(&m, &want, 1e-13);
    // 2.0.8's second matrix, built about (w/2, h/2).
    let want_box = [want[0], want[1], -8.60451833697951, want[3], want[4], 34.00420465186675];
    near(&edge_matrix(&m), &want_box, 1e-13);
    near(&affine_matrix(33.0, 1.2, 0.8, 10.0, -5.0, 7.0, -3.0, 50.0, 30.0), &want_box, 1e-13);
}

#[test]
fn boxes_follow_both_methods_of_2_0_8_and_go_when_outside() {
    let corners = [
        [6.420827503025146, 19.892165961833147, 52.13167908057537, 63.80183860614081],
        [71.49774727037115, -18.43678041621167, 111.96066132445704, 15.689643170713095],
    ];
    let ellipse = [
        [11.403582340420101, 25.926857935798708, 47.14892478237001, 57.76714642394842],
        [74.98859501723318, -13.44809709603674, 108.4698134593517, 10.700959890067637],
    ];
    for (method, want) in [(BoxMethod::Corners, corners), (BoxMethod::Ellipse, ellipse)] {
        let mut affine = Affine::new(reference(), 1.2, [100, 60], [100, 60]);
        affine.box_method = method;
        let mut rows = boxes();
        Geom::Affine(affine).boxes(&mut rows).unwrap();
        assert_eq!(rows.len(), 2, "the third box lies outside");
        for (row, want) in rows.iter().zip(want) {
            // 2.0.8 holds the angles of its ellipse in f32.
            near(&row.edges, &want, if method == BoxMethod::Corners { 1e-11 } else { 1e-5 });
        }
        assert_eq!(rows[1].index, 1);
    }
}

#[test]
fn keypoints_add_the_rotation_and_take_the_larger_scale() {
    let mut rows = points();
    Geom::Affine(Affine::new(reference(), 1.2, [100, 60], [100, 60])).points(&mut rows).unwrap();
    near(&[rows[0].x, rows[0].y, rows[0].angle], &[6.640355110168457, 36.42947006225586, 0.9669904708862305], 1e-5);
    near(&[rows[1].x, rows[1].y, rows[1].angle], &[108.43350982666016, 18.132179260253906, 0.18380498886108398], 1e-5);
    assert_eq!((rows[0].z, rows[0].scale, rows[1].scale), (3.0, 2.4, 1.2));
    // Counter-clockwise by θ adds θ.
    let mut rows = vec![Point { angle: 1.0, ..Point::default() }];
    let turn = affine_matrix(20.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 5.0, 5.0);
    Geom::Affine(Affine::new(turn, 1.0, [11, 11], [11, 11])).points(&mut rows).unwrap();
    near(&[rows[0].angle], &[1.0 + radians(20.0)], 1e-12);
}

#[test]
fn reflecting_borders_copy_boxes_as_2_0_8_does() {
    let mut affine = Affine::new(reference(), 1.2, [100, 60], [100, 60]);
    affine.ghosts = true;
    let mut rows = boxes();
    Geom::Affine(affine).boxes(&mut rows).unwrap();
    let want = [
        ([-13.25840828059864, -24.06932137562456, 32.45244329695158, 19.840351268683097], 0),
        ([6.420827503025146, 19.892165961833147, 52.13167908057537, 63.80183860614081], 0),
        ([71.49774727037115, -18.43678041621167, 111.96066132445704, 15.689643170713095], 1),
        ([98.47734471566183, 41.83300061094809, 138.94025876974771, 75.95942419787286], 1),
    ];
    assert_eq!(rows.len(), want.len());
    for (row, (edges, index)) in rows.iter().zip(want) {
        near(&row.edges, &edges, 1e-10);
        assert_eq!(row.index, index);
    }

    // Rotation by 45° of a square: no copy falls into the frame.
    let [cx, cy] = centre(64, 64);
    let mut affine = Affine::new(affine_matrix(45.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, cx, cy), 1.0, [64, 64], [64, 64]);
    affine.ghosts = true;
    let mut rows = vec![BoxRow::new([2.0, 2.0, 20.0, 20.0], 0)];
    Geom::Affine(affine).boxes(&mut rows).unwrap();
    assert_eq!(rows.len(), 1);
    near(&rows[0].edges, &[-10.426406871192848, 19.27207793864214, 15.029437251522864, 44.72792206135785], 1e-11);

    // Halved and turned by 20° with a shift, 48 × 64: eleven.
    let [cx, cy] = centre(48, 64);
    let mut affine = Affine::new(affine_matrix(20.0, 0.5, 0.5, 0.0, 0.0, 5.0, 0.0, cx, cy), 0.5, [48, 64], [48, 64]);
    affine.ghosts = true;
    let mut rows = vec![BoxRow::new([2.0, 2.0, 20.0, 20.0], 0), BoxRow::new([30.0, 40.0, 40.0, 60.0], 1)];
    Geom::Affine(affine).boxes(&mut rows).unwrap();
    let order: Vec<u32> = rows.iter().map(|r| r.index).collect();
    let firsts: Vec<f64> = rows.iter().map(|r| r.edges[0]).collect();
    assert_eq!(order, [0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1]);
    let want = [
        -0.5657613837573745,
        9.77085744488762,
        44.539484413966235,
        3.1964601928249827,
        0.29791670815360227,
        13.533079021469977,
        33.1871584356604,
        45.403162505877205,
        -7.129805355503844,
        5.086198714712965,
        37.975440442219764,
    ];
    near(&firsts, &want, 1e-11);
}

#[test]
fn reflecting_borders_copy_keypoints_even_outside() {
    let mut affine = Affine::new(reference(), 1.2, [100, 60], [100, 60]);
    affine.ghosts = true;
    let mut rows = points();
    Geom::Affine(affine).points(&mut rows).unwrap();
    assert_eq!(rows.len(), 30);
    near(&[rows[0].x, rows[0].y, rows[0].angle], &[-53.881412506103516, -37.346923828125, 6.250175952911377], 1e-4);
    near(&[rows[5].x, rows[5].y, rows[5].angle], &[92.777587890625, -78.26493072509766, 0.750175952911377], 1e-4);
    near(&[rows[29].x, rows[29].y], &[168.9552764892578, 91.90857696533203], 1e-4);
    assert_eq!((rows[28].index, rows[29].index), (0, 1));
}

#[test]
fn the_identity_touches_nothing() {
    let mut affine = Affine::new([1.0, 0.0, 9e-9, -9e-9, 1.0, 0.0], 3.0, [10, 10], [10, 10]);
    affine.ghosts = true;
    assert!(affine.is_identity());
    let (mut rows, mut p) = (vec![BoxRow::new([-9.0, 0.0, -3.0, 5.0], 0)], points());
    Geom::Affine(affine).boxes(&mut rows).unwrap();
    Geom::Affine(affine).points(&mut p).unwrap();
    assert_eq!(rows, [BoxRow::new([-9.0, 0.0, -3.0, 5.0], 0)]);
    assert_eq!(p, points());
    assert!(is_identity(&[1.0 + 9e-6, 0.0, 0.0, 0.0, 1.0, 0.0]));
    for (i, v) in [(0, 1.0 + 2e-5), (1, 2e-8), (5, -2e-8)] {
        let mut m = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        m[i] = v;
        assert!(!is_identity(&m));
    }
}

#[test]
fn inverse_and_composition() {
    let m = reference();
    let back = compose(&invert_affine(&m).unwrap(), &m);
    near(&back, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 1e-12);
    near(&apply(&compose(&m, &back), [3.0, 4.0]), &apply(&m, apply(&back, [3.0, 4.0])), 1e-12);
    for flat in [[0.0; 6], [1.0, 2.0, 0.0, 2.0, 4.0, 0.0], [f64::NAN, 0.0, 0.0, 0.0, 1.0, 0.0]] {
        assert!(invert_affine(&flat).unwrap_err().text.contains("not invertible"));
    }
    // Shear of 45° both ways flattens the plane up to rounding.
    let shear = affine_matrix(0.0, 1.0, 1.0, 45.0, 45.0, 0.0, 0.0, 0.0, 0.0);
    assert!(invert_affine(&shear).is_err());
    assert!(invert_affine(&[1e-9, 0.0, 5.0, 0.0, 1e-9, 5.0]).is_ok());
}

#[test]
fn the_fitted_canvas_is_that_of_2_0_8() {
    for (angle, w, h, size, x, y) in [
        (45.0, 200, 100, [214, 214], 0.14108960320442065, 141.85533905932738),
        (90.0, 200, 100, [102, 201], 1.0, 200.0),
        (30.0, 77, 51, [94, 85], 0.5910346561913258, 39.349364905389024),
        (180.0, 50, 40, [52, 42], 50.0, 41.0),
    ] {
        let [cx, cy] = centre(w, h);
        let (m, to) = fit_output(&affine_matrix(angle, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, cx, cy), w, h);
        assert_eq!(to, size, "{angle}");
        near(&[m[2], m[5]], &[x, y], 1e-10);
    }
}

#[test]
fn the_inner_rectangle_is_that_of_2_0_8() {
    for (angle, w, h, want) in [
        (30.0, 200, 100, [49, 21, 150, 78]),
        (30.0, 100, 200, [21, 49, 78, 150]),
        (45.0, 64, 64, [9, 9, 54, 54]),
        (5.0, 640, 480, [17, 25, 622, 454]),
        (-70.0, 640, 480, [168, 0, 471, 480]),
        (90.0, 30, 20, [5, 0, 25, 20]),
        (0.0, 30, 20, [0, 0, 30, 20]),
    ] {
        assert_eq!(crop_border(angle, w, h), want, "{angle}");
    }
}

#[test]
fn safe_rotation_has_two_matrices() {
    let s = safe_rotation(30.0, 200, 100);
    let [a, b, d, e] = [0.7767043980129495, 0.44843049327354256, -0.2688172043010752, 0.4656050557980853];
    near(&s.matrix, &[a, b, 0.5206029806711685, d, e, 53.699861565951764], 1e-11);
    near(&s.box_matrix, &[a, b, -0.09196446497207862, d, e, 53.601467640203246], 1e-11);
    near(&[s.kp_scale], &[0.8968609865470852], 1e-15);
    let s = safe_rotation(-75.0, 64, 48);
    near(
        &[s.matrix[1], s.matrix[2], s.box_matrix[5]],
        &[-0.9970847239112963, 47.0156975453560, -0.078670393758281],
        1e-11,
    );
    near(&[s.kp_scale], &[1.032258064516129], 1e-15);
    // The departure in numbers: 2.0.8's box matrix against the half-pixel shift of the image's.
    let shifted = edge_matrix(&s.matrix);
    near(&[shifted[2] - s.box_matrix[2], shifted[5] - s.box_matrix[5]], &[0.5, 0.5], 1e-11);
}
