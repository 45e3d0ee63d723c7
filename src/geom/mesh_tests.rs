use super::*;
use crate::geom::Geom;

/// The mesh of the reference numbers: 2 × 2 cells of a 32 × 24 frame, its node moved by (3, −2).
fn cells() -> Vec<Cell> {
    mesh_cells(&[0.0, 15.0, 32.0], &[0.0, 12.0, 24.0], &[[18.0, 10.0]]).unwrap()
}

#[test]
fn rows_go_as_in_2_0_8() {
    let cells = cells();
    let (xs, ys) = mesh_field(&cells, 32, 24).unwrap();
    let geom = Geom::Mesh(Mesh { cells: &cells, field: Field::new(&xs, &ys, [32, 24], [32, 24]) });
    // distort_image_keypoints.
    let at = [[5.0, 6.0], [20.0, 4.0], [14.99, 12.0], [31.7, 23.9], [15.0, 12.0], [-2.0, 5.0]];
    let want = [
        [6.067415714263916, 5.056180000305176],
        [20.141176223754883, 4.0],
        [17.98600196838379, 10.001555442810059],
        [31.0, 23.0],
        [18.0, 10.0],
        [0.0, 5.0],
    ];
    let mut rows: Vec<Point> = at.iter().map(|&[x, y]| Point { x, y, angle: 1.0, ..Point::default() }).collect();
    geom.points(&mut rows).unwrap();
    for (p, [x, y]) in rows.iter().zip(want) {
        assert!((p.x - x).abs() < 1e-5 && (p.y - y).abs() < 1e-5 && p.angle == 1.0, "{p:?}");
    }
    // bbox_distort_image; it draws cells with OpenCV's polygon fill.
    let boxes = [[2.0, 3.0, 10.5, 9.5], [20.0, 10.0, 32.0, 24.0], [0.0, 0.0, 3.0, 2.0], [13.5, 10.5, 18.2, 14.1]];
    let want = [[2.0, 2.0, 12.0, 8.0], [21.0, 9.0, 32.0, 24.0], [0.0, 0.0, 3.0, 2.0], [15.0, 8.0, 21.0, 13.0]];
    let mut rows: Vec<BoxRow> = boxes.into_iter().zip(0..).map(|(e, i)| BoxRow::new(e, i)).collect();
    rows.push(BoxRow::new([4.2, 4.0, 4.9, 8.0], 4));
    geom.boxes(&mut rows).unwrap();
    assert_eq!(rows.iter().map(|r| r.edges).collect::<Vec<_>>(), want, "the last one holds no pixel");
}

#[test]
fn every_pixel_of_the_frame_reads_its_cell() {
    let (xs, ys) = mesh_field(&cells(), 32, 24).unwrap();
    assert!(xs.iter().chain(&ys).all(|v| (-0.01..=32.01).contains(v)));
    assert_eq!((xs[10 * 32 + 18], ys[10 * 32 + 18]), (15.0, 12.0));
    // Nodes left where they are: the identity.
    let still = mesh_cells(&[0.0, 7.0, 15.0], &[0.0, 4.0, 9.0, 20.0], &[[7.0, 4.0], [7.0, 9.0]]).unwrap();
    let (xs, ys) = mesh_field(&still, 15, 20).unwrap();
    for i in 0..15 * 20 {
        assert!((xs[i] - (i % 15) as f32).abs() < 1e-4 && (ys[i] - (i / 15) as f32).abs() < 1e-4);
    }
}

#[test]
fn a_wrong_number_of_nodes_is_refused() {
    assert!(mesh_cells(&[0.0, 5.0, 9.0], &[0.0, 9.0], &[]).is_ok());
    for (xs, ys, n) in [(3, 3, 0), (3, 3, 2), (1, 3, 0), (0, 0, 0)] {
        let line = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
        assert!(mesh_cells(&line(xs), &line(ys), &vec![[0.5, 0.5]; n]).is_err());
    }
    // A node on the far side folds a cell flat.
    assert!(mesh_cells(&[0.0, 5.0, 9.0], &[0.0, 5.0, 9.0], &[[0.0, 0.0]]).is_err());
}
