use super::*;
use crate::geom::Geom;

/// Four tiles of 12 × 10 of a 24 × 20 frame; tile i goes to the place of tile [3, 0, 2, 1][i].
fn shuffle(min_area: f64, min_visibility: f64) -> Geom<'static> {
    let places = [[0, 0], [12, 0], [0, 10], [12, 10]];
    let tile = |(from, to): (usize, usize)| Tile { from: places[from], to: places[to], size: [12, 10] };
    let tiles = [3, 0, 2, 1].into_iter().enumerate().map(tile).collect();
    Geom::Shuffle(Shuffle { tiles, size: [24, 20], min_area, min_visibility })
}

#[test]
fn boxes_fall_into_the_pieces_of_2_0_8() {
    // bboxes_grid_shuffle; the order of the pieces of one box is OpenCV's there.
    let boxes = [
        [2.0, 2.0, 20.0, 9.0],
        [8.5, 4.2, 14.9, 15.7],
        [0.0, 0.0, 24.0, 20.0],
        [3.0, 3.0, 3.5, 8.0],
        [11.0, 0.0, 13.0, 3.0],
    ];
    let all = [
        ([0.0, 2.0, 8.0, 9.0], 0),
        ([14.0, 12.0, 24.0, 19.0], 0),
        ([12.0, 0.0, 14.0, 5.0], 1),
        ([0.0, 4.0, 2.0, 10.0], 1),
        ([8.0, 10.0, 12.0, 15.0], 1),
        ([20.0, 14.0, 24.0, 20.0], 1),
        ([0.0, 0.0, 24.0, 20.0], 2),
        ([0.0, 0.0, 1.0, 3.0], 4),
        ([23.0, 10.0, 24.0, 13.0], 4),
    ];
    for (area, visibility, want) in [
        (0.0, 0.0, all.to_vec()),
        (30.0, 0.0, vec![all[0], all[1], all[6]]),
        (0.0, 0.4, vec![all[0], all[1], all[6], all[7], all[8]]),
    ] {
        let mut rows: Vec<BoxRow> = boxes.into_iter().zip(0..).map(|(e, i)| BoxRow::new(e, i)).collect();
        shuffle(area, visibility).boxes(&mut rows).unwrap();
        let key = |r: &BoxRow| (r.index, r.edges.map(|v| v as i64));
        let mut got: Vec<_> = rows.iter().map(key).collect();
        let mut want: Vec<_> = want.into_iter().map(|(e, i)| key(&BoxRow::new(e, i))).collect();
        assert!(got.iter().map(|k| k.0).is_sorted(), "pieces stay with their box");
        got.sort_unstable();
        want.sort_unstable();
        assert_eq!(got, want);
    }
}

#[test]
fn points_move_with_their_tile() {
    // swap_tiles_on_keypoints.
    let at = [[2.0, 3.0], [12.0, 9.5], [11.99, 10.0], [23.5, 19.5], [-0.5, 3.0]];
    let want = [[14.0, 13.0], [0.0, 9.5], [11.99, 10.0], [23.5, 9.5], [-0.5, 3.0]];
    let mut rows: Vec<Point> = at.iter().map(|&[x, y]| Point { x, y, angle: 2.0, ..Point::default() }).collect();
    shuffle(0.0, 0.0).points(&mut rows).unwrap();
    assert_eq!(rows.iter().map(|p| [p.x, p.y]).collect::<Vec<_>>(), want);
    assert!(rows.iter().all(|p| p.angle == 2.0));
}

#[test]
fn pieces_that_touch_at_a_corner_are_one() {
    let group = groups(vec![[0, 0, 2, 2], [6, 6, 8, 8], [2, 2, 4, 4], [4, 0, 5, 2], [9, 6, 10, 8]]);
    assert_eq!(group, [vec![[0, 0, 2, 2], [2, 2, 4, 4], [4, 0, 5, 2]], vec![[6, 6, 8, 8]], vec![[9, 6, 10, 8]]]);
}

#[test]
fn outlines_lose_nothing() {
    let mut all = vec![Outline::new(3, vec![vec![[2.5, 2.5], [20.0, 4.0], [9.0, 18.0]]])];
    let before = all[0].area();
    shuffle(0.0, 0.0).outlines(&mut all).unwrap();
    assert_eq!(all[0].visible, 1.0);
    assert!((all[0].area() - before).abs() < 1e-9);
    assert!(all[0].rings.len() >= 3 && all[0].rings.iter().all(|r| r.part == 0));
}
