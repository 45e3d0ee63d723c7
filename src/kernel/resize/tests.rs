//! Each filter against a text written for reading: f64, one output value at a time.

use super::*;
use crate::simd::{Level, level, set_level};

const ALL: [Interp; 7] = [
    Interp::Nearest,
    Interp::Linear,
    Interp::Cubic,
    Interp::Area,
    Interp::Lanczos4,
    Interp::LinearExact,
    Interp::NearestExact,
];

/// Source and target sizes: odd, single pixels, up, down, mixed, halves, and wide enough for every vector width.
const SIZES: [[usize; 4]; 20] = [
    [7, 5, 13, 9],
    [5, 1, 9, 3],
    [1, 5, 3, 9],
    [1, 1, 4, 4],
    [5, 4, 1, 1],
    [40, 30, 20, 15],
    [40, 30, 20, 30],
    [36, 24, 9, 8],
    [64, 20, 97, 31],
    [128, 16, 113, 13],
    [100, 37, 51, 60],
    [100, 37, 130, 20],
    [300, 20, 31, 7],
    [300, 9, 32, 9],
    [300, 9, 60, 5],
    [290, 8, 77, 7],
    [33, 33, 32, 32],
    [150, 6, 64, 4],
    [17, 17, 17, 17],
    [200, 4, 180, 3],
];

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 56) as u8
    }
}

fn noise(n: usize) -> Vec<u8> {
    let mut r = Noise(n as u64);
    (0..n).map(|_| r.next()).collect()
}

fn whole<T: Sample>(src: &[T], [w, h, dw, dh]: [usize; 4], c: usize, interp: Interp) -> Vec<T> {
    let mut out = vec![T::default(); dw * dh * c];
    let mut r = Resize::new((w, h), (dw, dh), (0, 0, dw, dh), c, interp, None, T::DTYPE == DType::U8);
    r.rows(&Plane::packed(src, w, h, c), 0, &mut RowsMut::packed(&mut out, dw, dh, c));
    out
}

/// Weight of source pixel `s` in output pixel `d` of an axis that goes from `n` to `m`, before clamping: `s` may lie
/// outside. `shrink` tells whether AREA averages or stretches.
fn weight(interp: Interp, n: usize, m: usize, d: usize, s: isize, shrink: bool) -> f64 {
    let step = n as f64 / m as f64;
    let centre = (d as f64 + 0.5) * step - 0.5;
    let t = s as f64 - centre;
    // Where this is whole, OpenCV's rounding of the scale decides.
    let below = (d as f64 * (1.0 / (m as f64 / n as f64))).floor() as isize;
    let tent = |t: f64| (1.0 - t.abs()).max(0.0);
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { libm::sin(std::f64::consts::PI * x) / (std::f64::consts::PI * x) };
    match interp {
        Interp::Nearest => (s == below) as u8 as f64,
        Interp::Linear | Interp::LinearExact => tent(t),
        Interp::Cubic => {
            let (a, t) = (-0.75, t.abs());
            if t < 1.0 {
                (a + 2.0) * t * t * t - (a + 3.0) * t * t + 1.0
            } else if t < 2.0 {
                a * (t * t * t - 5.0 * t * t + 8.0 * t - 4.0)
            } else {
                0.0
            }
        }
        Interp::Lanczos4 => {
            let one = |t: f64| if t.abs() < 4.0 { sinc(t) * sinc(t / 4.0) } else { 0.0 };
            let sum: f64 = (-5..=5).map(|k| one(k as f64 + centre.floor() - centre)).sum();
            one(t) / sum
        }
        Interp::Area if shrink => {
            let (lo, hi) = (d as f64 * step, (d as f64 + 1.0) * step);
            ((s as f64 + 1.0).min(hi) - (s as f64).max(lo)).max(0.0) / step
        }
        Interp::Area => {
            // Output pixels d·m/n … (d+1)·m/n of the source grid: the second tap's weight grows once the output pixel
            // has left the first source pixel's box.
            let over = (d + 1) as f64 - (below + 1) as f64 * m as f64 / n as f64;
            let f = if over <= 0.0 { 0.0 } else { over - over.floor() };
            if s == below {
                1.0 - f
            } else if s == below + 1 {
                f
            } else {
                0.0
            }
        }
        Interp::NearestExact => unreachable!("has a test of its own"),
    }
}

fn oracle(src: &[f64], [w, h, dw, dh]: [usize; 4], c: usize, interp: Interp) -> Vec<f64> {
    let shrink = dw <= w && dh <= h;
    // The taps of an axis for each output index: clamped source index and weight.
    let axis = |n: usize, m: usize| -> Vec<Vec<(usize, f64)>> {
        let tap = |d, s: isize| (s.clamp(0, n as isize - 1) as usize, weight(interp, n, m, d, s, shrink));
        (0..m).map(|d| (-5..n as isize + 5).map(|s| tap(d, s)).filter(|t| t.1 != 0.0).collect()).collect()
    };
    let (xs, ys) = (axis(w, dw), axis(h, dh));
    let mut out = Vec::with_capacity(dw * dh * c);
    for ty in &ys {
        for tx in &xs {
            for i in 0..c {
                let pixel = |x: usize, y: usize| src[(y * w + x) * c + i];
                out.push(ty.iter().flat_map(|(y, wy)| tx.iter().map(move |(x, wx)| wx * wy * pixel(*x, *y))).sum());
            }
        }
    }
    out
}

#[test]
fn u8_is_the_rounded_value() {
    for interp in ALL.into_iter().filter(|i| *i != Interp::NearestExact) {
        for size in SIZES {
            for c in [1, 3, 4, 5] {
                let src = noise(size[0] * size[1] * c);
                let got = whole(&src, size, c, interp);
                let want = oracle(&src.iter().map(|v| *v as f64).collect::<Vec<_>>(), size, c, interp);
                // Half a level of rounding, and what the fixed-point weights of each filter cost.
                let slack = match interp {
                    Interp::Nearest => 0.0,
                    Interp::Cubic => 0.501,
                    Interp::Lanczos4 => 0.9,
                    Interp::Linear => 1.0,
                    Interp::LinearExact => 1.5,
                    _ if size[2] > size[0] || size[3] > size[1] => 1.0,
                    _ => 0.5001,
                };
                for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                    let w = w.clamp(0.0, 255.0);
                    assert!((*g as f64 - w).abs() <= slack, "{interp:?} {size:?} c={c} at {i}: {g}, not {w}");
                }
            }
        }
    }
}

#[test]
fn f32_is_the_value() {
    for interp in ALL.into_iter().filter(|i| *i != Interp::NearestExact) {
        for size in SIZES {
            for c in [1, 2, 3, 4] {
                let src: Vec<f32> = noise(size[0] * size[1] * c).into_iter().map(|v| v as f32 / 255.0).collect();
                let got = whole(&src, size, c, interp);
                let want = oracle(&src.iter().map(|v| *v as f64).collect::<Vec<_>>(), size, c, interp);
                // Lanczos rounds its positions to f32, as OpenCV does.
                let slack = if interp == Interp::Lanczos4 { 2e-5 } else { 5e-7 };
                for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                    assert!((*g as f64 - w).abs() <= slack, "{interp:?} {size:?} c={c} at {i}: {g}, not {w}");
                }
            }
        }
    }
}

#[test]
fn known_answers_of_opencv() {
    let ramp: Vec<u8> = (0..8).map(|v| v * 30).collect();
    let row = |m: usize, interp| whole(&ramp, [8, 1, m, 1], 1, interp);
    assert_eq!(row(12, Interp::NearestExact), [0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 7, 7].map(|v| v * 30));
    assert_eq!(row(3, Interp::Nearest), [0, 2, 5].map(|v| v * 30));
    // Halving both axes rounds half up.
    assert_eq!(whole(&[0u8, 1, 1, 0], [2, 2, 1, 1], 1, Interp::Linear), [1]);
    assert_eq!(whole(&[0u8, 1, 1, 0], [2, 2, 1, 1], 1, Interp::Area), [1]);
    // Halving one axis rounds half to even.
    assert_eq!(whole(&[0u8, 1, 2, 3], [2, 2, 1, 2], 1, Interp::Area), [0, 2]);
}

#[test]
fn bytes_of_opencv() {
    // What cv2.resize of OpenCV 5.0 makes of this image.
    let src: Vec<u8> = (0..35).map(|i| ((i * i * 37 + i * 11 + 5) % 256) as u8).collect();
    let known: [(Interp, usize, usize, &[u8]); 6] = [
        (
            Interp::Linear,
            9,
            3,
            &[
                38, 71, 105, 132, 154, 166, 172, 143, 82, 243, 112, 107, 170, 133, 153, 72, 61, 177, 148, 194, 168, 97,
                67, 95, 165, 189, 142,
            ],
        ),
        (
            Interp::Cubic,
            9,
            3,
            &[
                24, 69, 108, 130, 157, 170, 190, 149, 68, 255, 94, 89, 184, 133, 168, 56, 40, 188, 137, 215, 184, 81,
                64, 80, 183, 212, 134,
            ],
        ),
        (Interp::Area, 5, 3, &[59, 107, 157, 173, 100, 173, 125, 145, 122, 114, 170, 155, 79, 151, 162]),
        (
            Interp::Area,
            9,
            3,
            &[
                44, 80, 104, 123, 161, 175, 171, 140, 74, 215, 111, 104, 151, 152, 174, 87, 55, 142, 150, 199, 171,
                101, 69, 99, 167, 193, 141,
            ],
        ),
        (
            Interp::Lanczos4,
            9,
            3,
            &[
                15, 77, 113, 121, 157, 165, 199, 157, 61, 255, 88, 89, 188, 133, 170, 56, 35, 192, 127, 222, 191, 71,
                67, 81, 193, 216, 122,
            ],
        ),
        (
            Interp::LinearExact,
            9,
            3,
            &[
                38, 71, 105, 133, 154, 166, 172, 144, 82, 243, 112, 107, 170, 133, 153, 72, 61, 177, 148, 194, 168, 97,
                68, 96, 165, 190, 142,
            ],
        ),
    ];
    for (interp, w, h, want) in known {
        assert_eq!(whole(&src, [7, 5, w, h], 1, interp), want, "{interp:?} {w} × {h}");
    }
}

#[test]
fn nearest_moves_any_element() {
    let src: Vec<u64> = (0..7 * 5 * 2).map(|v| v << 40).collect();
    let mut out = vec![0; 13 * 9 * 2];
    let mut r = Resize::new((7, 5), (13, 9), (0, 0, 13, 9), 2, Interp::Nearest, None, false);
    r.nearest_rows(&Plane::packed(&src, 7, 5, 2), 0, &mut RowsMut::packed(&mut out, 13, 9, 2));
    for y in 0..9 {
        for x in 0..13 {
            for i in 0..2 {
                assert_eq!(out[(y * 13 + x) * 2 + i], src[(y * 5 / 9 * 7 + x * 7 / 13) * 2 + i]);
            }
        }
    }
}

/// A window, asked for row by row from the bottom up, out of a source with gaps, at every level.
fn parts<T: Sample>(values: &[T], gap: T) {
    let top = level();
    for interp in ALL {
        for size in SIZES {
            for c in [1, 2, 3, 4, 5, 9] {
                let [w, h, dw, dh] = size;
                let src = &values[..w * h * c];
                set_level(Level::Baseline);
                let plain = whole(src, size, c, interp);
                let mut gaps = Vec::new();
                for row in src.chunks(w * c) {
                    gaps.extend_from_slice(row);
                    gaps.extend([gap; 3]);
                }
                let plane = Plane { data: &gaps[..gaps.len() - 3], w, h, c, stride: w * c + 3 };
                for l in Level::ALL {
                    set_level(l);
                    assert!(whole(src, size, c, interp) == plain, "{l:?} {interp:?} {size:?} c={c}");
                    let (x0, y0) = (dw / 3, dh / 4);
                    let win = (x0, y0, (dw - x0).div_ceil(2), (dh - y0).div_ceil(2));
                    let mut r = Resize::new((w, h), (dw, dh), win, c, interp, None, T::DTYPE == DType::U8);
                    for y in (0..win.3).rev() {
                        let mut out = vec![T::default(); win.2 * c];
                        r.rows(&plane, y, &mut RowsMut::packed(&mut out, win.2, 1, c));
                        let at = ((y0 + y) * dw + x0) * c;
                        assert!(out == plain[at..at + win.2 * c], "{l:?} {interp:?} {size:?} c={c} row {y}");
                    }
                }
            }
        }
    }
    set_level(top);
}

#[test]
fn windows_orders_and_levels_agree() {
    let _turn = crate::simd::level_lock();
    let values = noise(300 * 40 * 9);
    parts(&values, 77);
    let values: Vec<f32> = values.into_iter().map(|v| v as f32 / 251.0).collect();
    parts(&values, f32::NAN);
}

#[test]
fn a_new_plane_starts_afresh() {
    let (a, b) = (vec![10u8; 30], vec![200u8; 30]);
    let mut r = Resize::new((6, 5), (7, 7), (0, 0, 7, 7), 1, Interp::Cubic, None, true);
    for (src, v) in [(a, 10), (b, 200)] {
        let mut out = vec![0; 49];
        r.start();
        r.rows(&Plane::packed(&src, 6, 5, 1), 0, &mut RowsMut::packed(&mut out, 7, 7, 1));
        assert_eq!(out, [v; 49]);
    }
}
