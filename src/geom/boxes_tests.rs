use super::*;

#[test]
fn formats_go_in_and_come_back() {
    let edges = [10.0, 6.0, 40.0, 30.0];
    for (name, row) in [
        ("coco", [10.0, 6.0, 30.0, 24.0]),
        ("pascal_voc", edges),
        ("albumentations", [0.1, 0.1, 0.4, 0.5]),
        ("yolo", [0.25, 0.3, 0.3, 0.4]),
    ] {
        let format = BoxFormat::from_name(name).unwrap();
        for (a, b) in format.edges(row, 100, 60).iter().zip(edges) {
            assert!((a - b).abs() < 1e-12, "{name}");
        }
        for (a, b) in format.row(edges, 100, 60).iter().zip(row) {
            assert!((a - b).abs() < 1e-12, "{name}");
        }
    }
    assert!(BoxFormat::from_name("voc").is_none());
}

fn voc(row: [f64; 4], clip: bool, filter: bool) -> Result<Vec<BoxRow>> {
    parse_boxes(BoxFormat::PascalVoc, &row, 100, 60, clip, filter, "bboxes")
}

#[test]
fn bad_rows_are_named() {
    let text = |row| voc(row, false, false).unwrap_err().text;
    assert_eq!(text([5.0, 1.0, 3.0, 4.0]), "bboxes[0]: x_max (3.0) must be > x_min (5.0)");
    assert_eq!(text([5.0, 1.0, 8.0, 1.0]), "bboxes[0]: y_max (1.0) must be > y_min (1.0)");
    assert_eq!(text([f64::NAN, 1.0, 8.0, 2.0]), "bboxes[0].x_min is nan");
    assert_eq!(text([1.0, 1.0, f64::INFINITY, 2.0]), "bboxes[0].x_max is inf");
    assert!(
        text([1.0, 1.0, 1e300, 2.0]).starts_with("bboxes[0].x_max is 1e300, outside the image: allowed 0 to 100.0")
    );
    let many = [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 70.0]].concat();
    let err = parse_boxes(BoxFormat::PascalVoc, &many, 100, 60, false, false, "boxes").unwrap_err();
    assert!(err.text.starts_with("boxes[1].y_max is 70.0"));
    // A coco row speaks of corners in pixels, a yolo row of corners in shares.
    let err = parse_boxes(BoxFormat::Coco, &[5.0, 1.0, -2.0, 3.0], 100, 60, false, false, "b").unwrap_err();
    assert_eq!(err.text, "b[0]: x_max (3.0) must be > x_min (5.0)");
    let err = parse_boxes(BoxFormat::Yolo, &[0.75, 0.5, 0.75, 0.5], 100, 60, false, false, "b").unwrap_err();
    assert!(err.text.starts_with("b[0].x_max is 1.125, outside the image: allowed 0 to 1.0"), "{}", err.text);
    let err = parse_boxes(BoxFormat::Yolo, &[0.5, f64::NAN, 0.1, 0.1], 100, 60, false, false, "b").unwrap_err();
    assert_eq!(err.text, "b[0].y_center is nan");
}

#[test]
fn a_small_overhang_is_moved_to_the_edge() {
    assert_eq!(voc([-0.1, 0.0, 100.1, 60.06], false, false).unwrap()[0].edges, [0.0, 0.0, 100.0, 60.0]);
    assert!(voc([-0.11, 0.0, 9.0, 9.0], false, false).is_err());
    assert!(voc([0.0, 0.0, 9.0, 60.07], false, false).is_err());
    // Wholly in the overhang: nothing is left of it.
    assert!(voc([-0.1, 0.0, -0.05, 9.0], false, false).unwrap_err().text.contains("x_max (0.0) must be > x_min (0.0)"));
}

#[test]
fn clip_and_filter_invalid_act_as_in_2_0_8() {
    let outside = [110.0, 10.0, 120.0, 20.0];
    let across = [90.0, 10.0, 120.0, 20.0];
    let empty = [5.0, 5.0, 5.0, 9.0];
    let inverted = [9.0, 9.0, 5.0, 5.0];
    let cut = vec![BoxRow::new([90.0, 10.0, 100.0, 20.0], 0)];
    for row in [outside, across, empty, inverted] {
        assert!(voc(row, false, false).is_err());
    }
    for (clip, filter) in [(true, false), (false, true), (true, true)] {
        assert_eq!(voc(across, clip, filter).unwrap(), cut);
    }
    for row in [empty, inverted] {
        assert!(voc(row, true, false).is_err());
        assert_eq!(voc(row, false, true).unwrap(), []);
        assert_eq!(voc(row, true, true).unwrap(), []);
    }
    assert!(voc(outside, true, false).is_err());
    assert!(voc(outside, false, true).is_err());
    assert_eq!(voc(outside, true, true).unwrap(), []);
}

#[test]
fn the_filter_is_that_of_2_0_8_but_for_empty_boxes() {
    let rows: Vec<BoxRow> = [
        [-10.0, 5.0, 10.0, 25.0],
        [90.0, 50.0, 120.0, 70.0],
        [20.0, 20.0, 22.0, 50.0],
        [-20.0, 0.0, 0.0, 10.0],
        [30.0, 30.0, 33.0, 33.0],
    ]
    .into_iter()
    .zip(0..)
    .map(|(e, i)| BoxRow::new(e, i))
    .collect();
    let kept = |filter: BoxFilter| {
        let mut rows = rows.clone();
        filter.apply(&mut rows, 100, 60);
        rows
    };
    let indices = |filter| kept(filter).iter().map(|r| r.index).collect::<Vec<_>>();
    let none = BoxFilter::default();
    // C1: 2.0.8 keeps box 3, of which nothing shows, until the next filter.
    assert_eq!(indices(none), [0, 1, 2, 4]);
    assert_eq!(kept(none)[0].edges, [0.0, 5.0, 10.0, 25.0]);
    assert_eq!(kept(none)[1].edges, [90.0, 50.0, 100.0, 60.0]);
    assert_eq!(indices(BoxFilter { min_area: 200.0, ..none }), [0]);
    assert_eq!(indices(BoxFilter { min_visibility: 0.3, ..none }), [0, 2, 4]);
    assert_eq!(indices(BoxFilter { min_width: 3.0, ..none }), [0, 1, 4]);
    assert_eq!(indices(BoxFilter { min_height: 4.0, ..none }), [0, 1, 2]);
    assert_eq!(indices(BoxFilter { max_accept_ratio: Some(1.5), ..none }), [1, 4]);
}

const HOLES: [[i32; 4]; 2] = [[10, 10, 30, 20], [0, 0, 5, 60]];

/// Uncovered pixels of a rectangle of a 100 × 60 frame, one by one.
fn visible(x1: i32, y1: i32, x2: i32, y2: i32) -> (u64, Option<[i32; 4]>) {
    let mut found: Option<(u64, [i32; 4])> = None;
    for y in y1..y2 {
        for x in x1..x2 {
            if HOLES.iter().any(|h| (h[0]..h[2]).contains(&x) && (h[1]..h[3]).contains(&y)) {
                continue;
            }
            let (n, e) = found.unwrap_or((0, [x, y, x, y]));
            found = Some((n + 1, [e[0].min(x), e[1].min(y), e[2].max(x + 1), e[3].max(y + 1)]));
        }
    }
    found.map_or((0, None), |(n, e)| (n, Some(e)))
}

fn covered() -> Vec<BoxRow> {
    [
        [2.5, 3.5, 20.9, 15.2],
        [12.0, 12.0, 18.0, 18.0],
        [8.0, 8.0, 40.0, 22.0],
        [50.3, 40.2, 60.9, 50.7],
        [0.0, 0.0, 6.0, 60.0],
        [10.0, 10.0, 30.0, 20.0],
    ]
    .into_iter()
    .zip(0..)
    .map(|(e, i)| BoxRow::new(e, i))
    .collect()
}

#[test]
fn holes_shrink_boxes_as_2_0_8_does() {
    // filter_bboxes_by_holes; box 3 meets no hole and is truncated all the same.
    let a = BoxRow::new([5.0, 3.0, 20.0, 15.0], 0);
    let b = BoxRow::new([8.0, 8.0, 40.0, 22.0], 2);
    let c = BoxRow::new([50.0, 40.0, 60.0, 50.0], 3);
    let d = BoxRow::new([5.0, 0.0, 6.0, 60.0], 4);
    for (area, visibility, want) in [(0.0, 0.0, vec![a, b, c, d]), (0.0, 0.5, vec![a, b, c]), (150.0, 0.0, vec![b])] {
        let mut rows = covered();
        hide_boxes(&mut rows, visible, area, visibility);
        assert_eq!(rows, want);
    }
}

#[test]
fn kept_boxes_are_those_of_2_0_8() {
    // mask_dropout_bboxes.
    for (area, visibility, want) in
        [(0.0, 0.0, vec![0, 1, 2, 3, 4, 5]), (0.0, 0.5, vec![0, 2, 3]), (150.0, 0.0, vec![2]), (0.0, 1.0, vec![])]
    {
        let mut rows = covered();
        keep_boxes(&mut rows, |a, b, c, d| visible(a, b, c, d).0, 100, 60, area, visibility);
        assert_eq!(rows.iter().map(|r| r.index).collect::<Vec<_>>(), want);
        assert!(rows.iter().all(|r| r.edges == covered()[r.index as usize].edges));
    }
}

#[test]
fn morphology_moves_sides_by_the_reach_of_the_kernel() {
    // Each box drawn alone into a 24 × 20 mask and put through 2.0.8's morphology.
    let boxes = [[5.0, 6.0, 20.0, 15.0], [0.0, 1.0, 9.0, 20.0], [5.0, 5.0, 7.0, 8.0]];
    for (dilate, kernel, want) in [
        (true, [2, 3], vec![[5.0, 5.0, 21.0, 16.0], [0.0, 0.0, 10.0, 20.0], [5.0, 4.0, 8.0, 9.0]]),
        (false, [2, 3], vec![[6.0, 7.0, 20.0, 14.0], [0.0, 2.0, 9.0, 20.0], [6.0, 6.0, 7.0, 7.0]]),
        (true, [5, 4], vec![[3.0, 5.0, 22.0, 17.0], [0.0, 0.0, 11.0, 20.0], [3.0, 4.0, 9.0, 10.0]]),
        (false, [5, 4], vec![[7.0, 8.0, 18.0, 14.0], [0.0, 3.0, 7.0, 20.0]]),
    ] {
        let mut rows: Vec<BoxRow> = boxes.into_iter().zip(0..).map(|(e, i)| BoxRow::new(e, i)).collect();
        morph_boxes(&mut rows, dilate, kernel, [24, 20]);
        assert_eq!(rows.iter().map(|r| r.edges).collect::<Vec<_>>(), want);
    }
}
