use super::*;
use crate::geom::Geom;

const TAU: f64 = std::f64::consts::TAU;

fn points() -> Vec<Point> {
    vec![
        Point { x: 3.0, y: 4.0, z: 2.0, angle: 0.5, scale: 2.0, index: 0 },
        Point { x: 17.5, y: 8.25, z: 0.0, angle: 4.0, scale: 1.0, index: 1 },
    ]
}

#[test]
fn the_eight_moves_of_the_plane_turn_points_and_boxes_as_2_0_8_does() {
    // Albumentations 2.0.8 on a 20 × 10 image: keypoints_d4 (x, y, angle), bboxes_d4 of [0.1, 0.2, 0.5, 0.9].
    type Row = [f64; 3];
    let table: [(&str, [Row; 2], [f64; 4]); 7] = [
        ("H-W", [[16.0, 4.0, 2.641592741], [1.5, 8.25, 5.424777985]], [0.5, 0.2, 0.9, 0.9]),
        ("-HW", [[3.0, 5.0, 5.783185482], [17.5, 0.75, 2.283185482]], [0.1, 0.1, 0.5, 0.8]),
        ("WH", [[4.0, 3.0, 1.070796327], [8.25, 17.5, 0.712388980]], [0.2, 0.1, 0.9, 0.5]),
        ("-W-H", [[5.0, 16.0, 1.070796251], [0.75, 1.5, 0.712389052]], [0.1, 0.5, 0.8, 0.9]),
        ("-WH", [[4.0, 16.0, 5.212388992], [8.25, 1.5, 2.429203749]], [0.2, 0.5, 0.9, 0.9]),
        ("-H-W", [[16.0, 5.0, 3.641592741], [1.5, 0.75, 0.858407319]], [0.5, 0.1, 0.9, 0.8]),
        ("W-H", [[5.0, 3.0, 2.070796251], [0.75, 17.5, 5.570796490]], [0.1, 0.1, 0.8, 0.5]),
    ];
    for (axes, want, share) in table {
        let grid = Grid::orient(axes, [20, 10, 1]).unwrap();
        let geom = Geom::Grid(grid);
        let mut rows = points();
        geom.points(&mut rows).unwrap();
        for (p, [x, y, angle]) in rows.iter().zip(want) {
            assert_eq!((p.x, p.y), (x, y), "{axes}");
            assert!((p.angle - angle).abs() < 1e-6, "{axes}: {} {angle}", p.angle);
            assert!((0.0..TAU).contains(&p.angle));
        }
        assert_eq!((rows[0].z, rows[0].scale, rows[1].index), (2.0, 2.0, 1));
        let mut boxes = vec![BoxRow::new([2.0, 2.0, 10.0, 9.0], 5)];
        geom.boxes(&mut boxes).unwrap();
        let [w, h] = geom.size().map(|n| n as f64);
        for (v, want) in boxes[0].edges.iter().zip([share[0] * w, share[1] * h, share[2] * w, share[3] * h]) {
            assert!((v - want).abs() < 1e-12, "{axes}: {boxes:?}");
        }
        let mirrored = matches!(axes, "H-W" | "-HW" | "WH" | "-W-H");
        assert_eq!(geom.reverses(), mirrored, "{axes}");
    }
}

#[test]
fn orientation_is_read_as_array_order() {
    let turn = Grid::orient("-WH", [20, 10, 3]).unwrap();
    assert_eq!(turn.to, [10, 20, 3]);
    // Output row 0 reads the last column.
    assert_eq!(turn.axes[1], GridAxis { from: 0, reverse: true, offset: 19 });
    for wrong in ["", "H", "HH", "WD", "HWH", "H--W", "HW-", "hw", "DHWD", "DH"] {
        assert!(Grid::orient(wrong, [4, 4, 4]).is_none(), "{wrong}");
    }
}

#[test]
fn volume_moves_follow_voxels_and_leave_angles() {
    // transform_cube_keypoints of 2.0.8 on a (5, 6, 7) volume, point (1, 2, 3), angle 0.5.
    let table = [
        ("D-WH", [2.0, 5.0, 3.0]),
        ("-WHD", [3.0, 2.0, 5.0]),
        ("W-D-H", [3.0, 1.0, 1.0]),
        ("DH-W", [5.0, 2.0, 3.0]),
        ("-H-WD", [3.0, 5.0, 3.0]),
    ];
    for (axes, [x, y, z]) in table {
        let mut rows = vec![Point { x: 1.0, y: 2.0, z: 3.0, angle: 0.5, scale: 1.0, index: 0 }];
        Geom::Grid(Grid::orient(axes, [7, 6, 5]).unwrap()).points(&mut rows).unwrap();
        assert_eq!((rows[0].x, rows[0].y, rows[0].z, rows[0].angle), (x, y, z, 0.5), "{axes}");
    }
}

#[test]
fn every_voxel_lands_where_its_index_says() {
    for axes in ["D-WH", "-WHD", "W-D-H", "-H-DW", "DHW"] {
        let grid = Grid::orient(axes, [4, 3, 2]).unwrap();
        for out in (0..24).map(|i| [i % grid.to[0], i / grid.to[0] % grid.to[1], i / grid.to[0] / grid.to[1]]) {
            let mut source = [0.0; 3];
            for (k, axis) in grid.axes.iter().enumerate() {
                let step = if axis.reverse { -(out[k] as i64) } else { out[k] as i64 };
                source[axis.from] = (axis.offset + step) as f64;
            }
            let [x, y, z] = source;
            let mut rows = vec![Point { x, y, z, ..Point::default() }];
            grid.points(&mut rows).unwrap();
            assert_eq!([rows[0].x, rows[0].y, rows[0].z], out.map(|v| v as f64), "{axes}");
        }
    }
}

#[test]
fn crops_shift_and_drop_nothing() {
    let geom = Geom::Grid(Grid::crop([5, 3, 1], [10, 10, 2], [40, 30, 4]));
    let mut boxes = vec![BoxRow::new([0.1, 0.0, 4.0, 2.0], 3), BoxRow::new([6.0, 4.0, 50.0, 9.0], 4)];
    geom.boxes(&mut boxes).unwrap();
    assert_eq!(boxes, [BoxRow::new([-4.9, -3.0, -1.0, -1.0], 3), BoxRow::new([1.0, 1.0, 45.0, 6.0], 4)]);
    let mut rows = points();
    geom.points(&mut rows).unwrap();
    assert_eq!((rows[0].x, rows[0].y, rows[0].z, rows[0].angle), (-2.0, 1.0, 1.0, 0.5));
}

#[test]
fn a_pad_without_copies_only_shifts() {
    // pad_keypoints of 2.0.8, border 0.
    let geom = Geom::Grid(Grid::pad([12, 10, 2], [73, 85, 9], [48, 64, 4], false));
    let mut rows = vec![Point { x: 2.0, y: 3.0, z: 1.0, angle: 0.5, scale: 1.0, index: 0 }];
    geom.points(&mut rows).unwrap();
    assert_eq!((rows[0].x, rows[0].y, rows[0].z), (14.0, 13.0, 3.0));
}

#[test]
fn a_reflecting_pad_copies_boxes_as_2_0_8_does() {
    let geom = Geom::Grid(Grid::pad([10, 10, 0], [68, 84, 1], [48, 64, 1], true));
    let mut rows = vec![BoxRow::new([2.0, 2.0, 20.0, 20.0], 6)];
    geom.boxes(&mut rows).unwrap();
    let want = [[-10.0, -10.0, 8.0, 8.0], [12.0, -10.0, 30.0, 8.0], [-10.0, 12.0, 8.0, 30.0], [12.0, 12.0, 30.0, 30.0]];
    assert_eq!(rows, want.map(|e| BoxRow::new(e, 6)));

    // Pads (top 3, bottom 70, left 60, right 5): more than one tile on two sides.
    let geom = Geom::Grid(Grid::pad([60, 3, 0], [113, 137, 1], [48, 64, 1], true));
    let mut rows = vec![BoxRow::new([2.0, 2.0, 20.0, 20.0], 0), BoxRow::new([30.0, 5.0, 40.0, 12.0], 1)];
    geom.boxes(&mut rows).unwrap();
    let want = [
        ([40.0, -17.0, 58.0, 1.0], 0),
        ([62.0, -17.0, 80.0, 1.0], 0),
        ([-6.0, 8.0, 4.0, 15.0], 1),
        ([40.0, 5.0, 58.0, 23.0], 0),
        ([20.0, 8.0, 30.0, 15.0], 1),
        ([62.0, 5.0, 80.0, 23.0], 0),
        ([90.0, 8.0, 100.0, 15.0], 1),
        ([-6.0, 119.0, 4.0, 126.0], 1),
        ([40.0, 111.0, 58.0, 129.0], 0),
        ([20.0, 119.0, 30.0, 126.0], 1),
        ([62.0, 111.0, 80.0, 129.0], 0),
        ([90.0, 119.0, 100.0, 126.0], 1),
        ([-6.0, 136.0, 4.0, 143.0], 1),
        ([40.0, 133.0, 58.0, 151.0], 0),
        ([20.0, 136.0, 30.0, 143.0], 1),
        ([62.0, 133.0, 80.0, 151.0], 0),
        ([90.0, 136.0, 100.0, 143.0], 1),
    ];
    assert_eq!(rows, want.map(|(e, i)| BoxRow::new(e, i)));
}

#[test]
fn a_reflecting_pad_copies_keypoints_as_2_0_8_does() {
    let geom = Geom::Grid(Grid::pad([10, 10, 0], [68, 84, 1], [48, 64, 1], true));
    let mut rows = vec![
        Point { x: 2.0, y: 3.0, angle: 0.5, scale: 1.0, index: 0, z: 0.0 },
        Point { x: 40.0, y: 60.0, angle: 5.0, scale: 2.0, index: 1, z: 0.0 },
    ];
    geom.points(&mut rows).unwrap();
    let want = [
        (8.0, 7.0, 0.5, 0),
        (12.0, 7.0, TAU - 0.5, 0),
        (8.0, 13.0, TAU - 0.5, 0),
        (12.0, 13.0, 0.5, 0),
        (50.0, 70.0, 5.0, 1),
        (66.0, 70.0, TAU - 5.0, 1),
        (50.0, 78.0, TAU - 5.0, 1),
        (66.0, 78.0, 5.0, 1),
    ];
    assert_eq!(rows.len(), want.len());
    for (p, (x, y, angle, index)) in rows.iter().zip(want) {
        assert_eq!((p.x, p.y, p.index), (x, y, index));
        assert!((p.angle - angle).abs() < 1e-12);
    }
}
