use super::*;

/// Area of what lies inside w × h, by counting: share of sample points, 16 per pixel and axis.
fn counted(ring: &[[f64; 2]], w: usize, h: usize) -> f64 {
    const N: usize = 16;
    let inside = |x: f64, y: f64| {
        let mut odd = false;
        for (p, q) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            if (p[1] > y) != (q[1] > y) && x < p[0] + (y - p[1]) / (q[1] - p[1]) * (q[0] - p[0]) {
                odd = !odd;
            }
        }
        odd
    };
    let at = |i: usize| (i as f64 + 0.37) / N as f64;
    let hits = (0..w * N * h * N).filter(|i| inside(at(i % (w * N)), at(i / (w * N)))).count();
    hits as f64 / (N * N) as f64
}

fn total(rings: &[Vec<[f64; 2]>]) -> f64 {
    rings.iter().map(|r| signed_area(r).abs()).sum()
}

#[test]
fn a_comb_falls_into_its_teeth() {
    // Three teeth reach into the frame from a back that lies below it.
    let comb = vec![
        [1.0, 2.0],
        [3.0, 2.0],
        [3.0, 11.0],
        [4.0, 11.0],
        [4.0, 4.0],
        [6.0, 4.0],
        [6.0, 11.0],
        [7.0, 11.0],
        [7.0, 1.0],
        [9.0, 1.0],
        [9.0, 13.0],
        [1.0, 13.0],
    ];
    let mut rings = clip_ring(comb.clone(), 10.0, 10.0);
    assert_eq!(rings.len(), 3);
    rings.sort_by(|a, b| a[0][0].total_cmp(&b[0][0]));
    let areas: Vec<f64> = rings.iter().map(|r| signed_area(r)).collect();
    assert_eq!(areas, [16.0, 12.0, 18.0]);
    assert!(rings.iter().flatten().all(|p| (0.0..=10.0).contains(&p[0]) && (0.0..=10.0).contains(&p[1])));
    // The other way round: the same rings, the other sign.
    let back: Vec<_> = comb.into_iter().rev().collect();
    let rings = clip_ring(back, 10.0, 10.0);
    assert_eq!(rings.len(), 3);
    assert_eq!(rings.iter().map(|r| signed_area(r)).sum::<f64>(), -46.0);
}

#[test]
fn nested_bays_are_matched_outside_in() {
    // A C whose mouth and back both cross the border: outer and inner contour give one ring each side.
    let c = vec![[2.0, -4.0], [8.0, -4.0], [8.0, 8.0], [2.0, 8.0], [2.0, 6.0], [6.0, 6.0], [6.0, -2.0], [2.0, -2.0]];
    let rings = clip_ring(c.clone(), 10.0, 10.0);
    assert_eq!(rings.len(), 1);
    assert_eq!(signed_area(&rings[0]), 24.0);
    let shifted: Vec<_> = c.iter().map(|p| [p[0] - 7.0, p[1] + 5.0]).collect();
    let rings = clip_ring(shifted.clone(), 10.0, 10.0);
    assert!((total(&rings) - counted(&shifted, 10, 10)).abs() < 0.2);
}

#[test]
fn touching_the_border_cuts_nothing() {
    let zigzag = vec![[0.0, 0.0], [2.0, 10.0], [4.0, 5.0], [6.0, 10.0], [10.0, 0.0]];
    assert_eq!(clip_ring(zigzag.clone(), 10.0, 10.0), [zigzag]);
    // Touching from outside leaves nothing.
    let outside = vec![[10.0, 5.0], [12.0, 0.0], [14.0, 5.0], [12.0, 8.0]];
    assert!(clip_ring(outside, 10.0, 10.0).is_empty());
    let beside = vec![[10.0, 2.0], [10.0, 6.0], [14.0, 6.0], [14.0, 2.0]];
    assert!(clip_ring(beside, 10.0, 10.0).is_empty());
    let around = vec![[-5.0, -5.0], [15.0, -5.0], [15.0, 15.0], [-5.0, 15.0]];
    assert_eq!(total(&clip_ring(around, 10.0, 10.0)), 100.0);
}

#[test]
fn a_bridge_of_no_width_is_cut_off() {
    // Two squares joined by a line there and back; the frame shows one of them.
    let joined = vec![
        [2.0, 2.0],
        [4.0, 2.0],
        [4.0, 4.0],
        [3.0, 4.0],
        [3.0, 12.0],
        [4.0, 12.0],
        [4.0, 14.0],
        [2.0, 14.0],
        [2.0, 12.0],
        [3.0, 12.0],
        [3.0, 4.0],
        [2.0, 4.0],
    ];
    let rings = clip_ring(joined, 10.0, 10.0);
    assert_eq!(rings.len(), 1);
    assert_eq!(signed_area(&rings[0]), 4.0);
}

#[test]
fn random_stars_keep_their_area() {
    let mut s = 7u64;
    let mut r = move || {
        s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (s >> 11) as f64 / (1u64 << 53) as f64
    };
    for _ in 0..60 {
        // A star about its centre is simple, and concave nearly everywhere.
        let n = 5 + (r() * 20.0) as usize;
        let (cx, cy) = (r() * 14.0 - 2.0, r() * 14.0 - 2.0);
        let star: Vec<[f64; 2]> = (0..n)
            .map(|i| {
                let a = i as f64 / n as f64 * std::f64::consts::TAU;
                let d = 1.0 + r() * 9.0;
                [cx + d * crate::geom::trig::cos(a), cy + d * crate::geom::trig::sin(a)]
            })
            .collect();
        let rings = clip_ring(star.clone(), 10.0, 10.0);
        assert!((total(&rings) - counted(&star, 10, 10)).abs() < 0.8, "{star:?}");
        let sign: f64 = rings.iter().map(|r| signed_area(r)).sum();
        assert!((sign.abs() - total(&rings)).abs() < 1e-9, "all rings run the same way");
        assert!(rings.iter().flatten().all(|p| (0.0..=10.0).contains(&p[0]) && (0.0..=10.0).contains(&p[1])));
    }
}

#[test]
fn crossing_rings_do_not_fail() {
    let bow = vec![[0.0, -5.0], [10.0, 15.0], [10.0, -5.0], [0.0, 15.0]];
    let rings = clip_ring(bow, 10.0, 10.0);
    assert!(rings.iter().all(|r| r.len() > 2));
    let pentagram = vec![[5.0, -3.0], [9.0, 12.0], [-2.0, 3.0], [12.0, 3.0], [1.0, 12.0]];
    assert!(!clip_ring(pentagram, 10.0, 10.0).is_empty());
    assert!(clip_ring(vec![[f64::NAN, 1.0], [2.0, 3.0], [4.0, 4.0]], 10.0, 10.0).len() < 3);
    assert!(clip_ring(vec![], 10.0, 10.0).is_empty());
    assert!(clip_ring(vec![[1.0, 1.0], [20.0, 1.0]], 10.0, 10.0).is_empty());
}

#[test]
fn splitting_and_simplifying() {
    let square = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
    let split = split_edges(&square, 4.0);
    assert_eq!(split.len(), 12);
    assert_eq!([split[0], split[3]], [square[0], square[1]]);
    assert!((split[1][0] - 10.0 / 3.0).abs() < 1e-12 && (split[2][0] - 20.0 / 3.0).abs() < 1e-12);
    assert_eq!(simplify(&split, 0.25), square);
    let bumpy: Vec<_> = split.iter().enumerate().map(|(i, p)| [p[0], p[1] + if i == 1 { 0.2 } else { 0.0 }]).collect();
    assert_eq!(simplify(&bumpy, 0.25), square);
    assert!(simplify(&bumpy, 0.1).contains(&bumpy[1]));
    assert_eq!(simplify(&[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], 0.25).len(), 2);
}
