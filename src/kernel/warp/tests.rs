//! The naive text of a resampling, in f64 and one pixel at a time, and what every kernel owes to it.

use super::*;
use crate::simd::{Level, level, set_level};

const BORDERS: [Border; 5] = [Border::Constant, Border::Replicate, Border::Reflect, Border::Wrap, Border::Reflect101];
const FILTERS: [Interp; 4] = [Interp::Nearest, Interp::Linear, Interp::Cubic, Interp::Lanczos4];

fn noise(n: usize, seed: u32) -> Vec<u8> {
    let mut s = seed.wrapping_mul(2_654_435_761) | 1;
    (0..n)
        .map(|_| {
            s ^= s << 13;
            s ^= s >> 17;
            s ^= s << 5;
            (s >> 11) as u8
        })
        .collect()
}

/// Source position of output pixel (x, y).
fn position(coords: &Coords, x: usize, y: usize) -> (f64, f64) {
    let (xf, yf) = (x as f64, y as f64);
    match *coords {
        Coords::Affine(m) => (m[0] * xf + m[1] * yf + m[2], m[3] * xf + m[4] * yf + m[5]),
        Coords::Homography(h) => {
            let d = h[6] * xf + h[7] * yf + h[8];
            ((h[0] * xf + h[1] * yf + h[2]) / d, (h[3] * xf + h[4] * yf + h[5]) / d)
        }
        Coords::Axes { xs, ys } => (xs[x] as f64, ys[y] as f64),
        Coords::Planes { xs, ys, stride } => (xs[y * stride + x] as f64, ys[y * stride + x] as f64),
    }
}

/// First tap and weights at `s`.
fn weights(interp: Interp, s: f64) -> (i64, Vec<f64>) {
    let cubic = |d: f64| {
        let d = d.abs();
        if d <= 1.0 {
            (1.25 * d - 2.25) * d * d + 1.0
        } else if d < 2.0 {
            -0.75 * (((d - 5.0) * d + 8.0) * d - 4.0)
        } else {
            0.0
        }
    };
    let sinc = |v: f64| if v.abs() < 1e-12 { 1.0 } else { libm::sin(v) / v };
    let pi = std::f64::consts::PI;
    match interp {
        Interp::Linear => (s.floor() as i64, vec![1.0 - (s - s.floor()), s - s.floor()]),
        Interp::Cubic => (s.floor() as i64 - 1, (0..4).map(|k| cubic(s - s.floor() + 1.0 - k as f64)).collect()),
        Interp::Lanczos4 => {
            let g = (s * 32.0).round_ties_even() / 32.0;
            let f = g - g.floor();
            let w: Vec<f64> = (0..8).map(|k| f + 3.0 - k as f64).map(|d| sinc(pi * d) * sinc(pi * d / 4.0)).collect();
            let sum: f64 = w.iter().sum();
            (g.floor() as i64 - 3, w.iter().map(|v| v / sum).collect())
        }
        _ => unreachable!(),
    }
}

/// The exact components at a position.
fn values(src: &Plane<f64>, interp: Interp, border: Border, fill: &[f64], sx: f64, sy: f64) -> Vec<f64> {
    let read = |x: i64, y: i64| match (border.fold(x as isize, src.w), border.fold(y as isize, src.h)) {
        (Some(x), Some(y)) => &src.data[y * src.stride + x * src.c..][..src.c],
        _ => fill,
    };
    if interp.is_nearest() {
        return read(sx.round_ties_even() as i64, sy.round_ties_even() as i64).to_vec();
    }
    let ((ix, wx), (iy, wy)) = (weights(interp, sx), weights(interp, sy));
    let mut sums = vec![0.0; src.c];
    for (k, b) in wy.iter().enumerate() {
        for (t, a) in wx.iter().enumerate() {
            for (sum, p) in sums.iter_mut().zip(read(ix + t as i64, iy + k as i64)) {
                *sum += a * b * p;
            }
        }
    }
    sums
}

/// A source with rows further apart than they are long.
struct Source<T> {
    data: Vec<T>,
    w: usize,
    h: usize,
    c: usize,
}

impl<T: Sample> Source<T> {
    fn new(w: usize, h: usize, c: usize, of: impl Fn(u8) -> T) -> Self {
        let mut data: Vec<T> = noise(h * (w * c + 5), (w * 31 + h * 7 + c) as u32).into_iter().map(of).collect();
        data.truncate((h - 1) * (w * c + 5) + w * c);
        Source { data, w, h, c }
    }
    fn plane(&self) -> Plane<'_, T> {
        Plane { data: &self.data, w: self.w, h: self.h, c: self.c, stride: self.w * self.c + 5 }
    }
}

fn run<T: Sample>(src: &Plane<T>, warp: &Warp, fill: &[T], x0: usize, y0: usize, w: usize, n: usize) -> Vec<T> {
    let mut out = vec![T::default(); w * n * src.c];
    warp_rows(src, warp, fill, x0, y0, &mut RowsMut::packed(&mut out, w, n, src.c));
    out
}

/// Maps of an output of W × H onto a source of w × h, well inside and well outside.
const W: usize = 75;
const H: usize = 29;

fn maps(w: usize, h: usize) -> (Vec<f32>, Vec<f32>) {
    let mut xs = Vec::new();
    let mut ys = Vec::new();
    for y in 0..H {
        for x in 0..W {
            let (u, v) = (x as f32 / W as f32, y as f32 / H as f32);
            xs.push((u * 1.6 - 0.3 + 0.1 * (v * 4.0 - 2.0) * u) * w as f32);
            ys.push((v * 1.6 - 0.3 + 0.1 * (u * 3.0 - 1.0)) * h as f32);
        }
    }
    (xs, ys)
}

fn each_coords(w: usize, h: usize, mut f: impl FnMut(Coords)) {
    let (xs, ys) = maps(w, h);
    let (s, t) = (w as f64 / W as f64, h as f64 / H as f64);
    f(Coords::Affine([0.9 * s, -0.31 * s, 4.3, 0.29 * t, 0.93 * t, -3.7]));
    f(Coords::Affine([-1.7 * s, 0.05, 1.3 * w as f64, 0.04, 1.9 * t, -0.4 * h as f64]));
    f(Coords::Homography([1.3 * s, 0.2 * s, -5.0, 0.1 * t, 1.2 * t, -2.0, 0.004, -0.003, 1.0]));
    f(Coords::Axes { xs: &xs[..W], ys: &ys[..H] });
    f(Coords::Planes { xs: &xs, ys: &ys, stride: W });
}

/// True if rounding decides what is read at `s`: the naive text and the kernel may then differ.
fn near_tie(s: f64) -> bool {
    ((s - s.floor()) - 0.5).abs() < 1e-3
}

fn against_naive<T: Sample>(of: impl Fn(u8) -> T + Copy, tolerance: impl Fn(Interp) -> f64) {
    for c in [1usize, 2, 3, 4, 5] {
        for (w, h) in [(23, 17), (1, 9), (9, 1), (2, 2), (61, 40)] {
            let src = Source::new(w, h, c, of);
            let exact: Vec<f64> = src.data.iter().map(|v| v.to_f32() as f64).collect();
            let reference = Plane { data: &exact, w, h, c, stride: w * c + 5 };
            let fill: Vec<T> = (0..c).map(|k| of(20 * k as u8 + 9)).collect();
            let exact_fill: Vec<f64> = fill.iter().map(|v| v.to_f32() as f64).collect();
            for (interp, border) in FILTERS.into_iter().flat_map(|f| BORDERS.map(|b| (f, b))) {
                each_coords(w, h, |coords| {
                    let warp = Warp { coords, interp, border };
                    let got = run(&src.plane(), &warp, &fill, 0, 0, W, H);
                    for (i, pixel) in got.chunks_exact(c).enumerate() {
                        let (x, y) = (i % W, i / W);
                        let (sx, sy) = position(&coords, x, y);
                        let jump = match interp {
                            Interp::Nearest => near_tie(sx) || near_tie(sy),
                            Interp::Lanczos4 => [sx, sy].iter().any(|s| near_tie(s * 32.0)),
                            _ => false,
                        };
                        if jump || (interp == Interp::Lanczos4 && matches!(coords, Coords::Affine(_))) {
                            continue;
                        }
                        let wants = values(&reference, interp, border, &exact_fill, sx, sy);
                        for (p, want) in pixel.iter().zip(wants) {
                            let want = if T::MAX == 255.0 { want.round_ties_even().clamp(0.0, 255.0) } else { want };
                            let off = (p.to_f32() as f64 - want).abs();
                            assert!(
                                off <= tolerance(interp),
                                "{interp:?} {border:?} c{c} {w}x{h} {coords:?} at ({x},{y}): {} for {want}",
                                p.to_f32()
                            );
                        }
                    }
                });
            }
        }
    }
}

#[test]
fn u8_is_within_a_level_of_the_naive_text() {
    against_naive::<u8>(|v| v, |interp| if interp == Interp::Nearest { 0.0 } else { 1.0 });
}

#[test]
fn f32_is_within_rounding_of_the_naive_text() {
    // Values of any range, none clipped. Map positions are f32 in both texts, matrices are not.
    against_naive::<f32>(|v| (v as f32 - 100.0) / 64.0, |interp| if interp == Interp::Nearest { 0.0 } else { 3e-6 });
}

#[test]
fn affine_lanczos_rounds_the_parts_of_a_position() {
    let src = Source::new(40, 30, 1, |v| v);
    let exact: Vec<f64> = src.data.iter().map(|v| *v as f64).collect();
    let reference = Plane { data: &exact, w: 40, h: 30, c: 1, stride: 45 };
    let m = [0.83, -0.21, 3.3, 0.24, 0.91, -2.2];
    let warp = Warp { coords: Coords::Affine(m), interp: Interp::Lanczos4, border: Border::Reflect101 };
    let got = run(&src.plane(), &warp, &[0], 0, 0, W, H);
    let floats = Source::new(40, 30, 1, |v| v as f32);
    let got_floats = run(&floats.plane(), &warp, &[0.0], 0, 0, W, H);
    let mut off = 0;
    let part = |a: f64, b: f64, t: f64, x: usize, y: usize| {
        let fixed = |v: f64| (v * 1024.0).round_ties_even() as i64;
        ((fixed(b * y as f64 + t) + 16 + fixed(a * x as f64)) >> 5) as f64 / 32.0
    };
    for (i, p) in got.iter().enumerate() {
        let (x, y) = (i % W, i / W);
        let (sx, sy) = (part(m[0], m[1], m[2], x, y), part(m[3], m[4], m[5], x, y));
        let want = values(&reference, Interp::Lanczos4, Border::Reflect101, &[0.0], sx, sy)[0];
        assert!((got_floats[i] as f64 - want).abs() < 1e-3, "({x},{y})");
        // A neighbouring position of the grid is tens of levels away in noise.
        let by = (*p as f64 - want.clamp(0.0, 255.0)).abs();
        assert!(by < 0.6, "({x},{y}) {p} {want}");
        off += usize::from(by > 0.5);
    }
    assert!(off * 20 < got.len(), "{off}");
}

/// Every filter, border and kind of positions on `T`: `f` gets a warp and its source.
fn each_case<T: Sample>(of: impl Fn(u8) -> T + Copy, mut f: impl FnMut(&Plane<T>, &Warp, &[T])) {
    for c in [1usize, 3, 4, 11] {
        for (w, h) in [(61, 40), (3, 2), (1, 1), (5, 90)] {
            let src = Source::new(w, h, c, of);
            let fill: Vec<T> = (0..c).map(|k| of(20 * k as u8 + 9)).collect();
            for (interp, border) in FILTERS.into_iter().flat_map(|f| BORDERS.map(|b| (f, b))) {
                each_coords(w, h, |coords| f(&src.plane(), &Warp { coords, interp, border }, &fill));
            }
        }
    }
}

fn window_equals_whole<T: Sample>(of: impl Fn(u8) -> T + Copy) {
    each_case(of, |src, warp, fill| {
        let c = src.c;
        let whole = run(src, warp, fill, 0, 0, W, H);
        for (x0, y0, w, n) in [(3, 5, 50, 7), (74, 28, 1, 1), (31, 0, 17, 29)] {
            let part = run(src, warp, fill, x0, y0, w, n);
            for (i, row) in part.chunks_exact(w * c).enumerate() {
                let at = ((y0 + i) * W + x0) * c;
                assert!(row == &whole[at..at + w * c], "{warp:?} c{c} {x0},{y0} row {i}");
            }
        }
    });
}

#[test]
fn a_window_of_the_output_equals_the_whole() {
    window_equals_whole(|v| v);
    window_equals_whole(|v| v as f32 / 255.0);
}

#[test]
fn tiles_of_a_large_source_equal_the_whole() {
    let src = Source::new(1500, 900, 3, |v| v);
    assert!(tile::large(&src.plane()));
    for interp in FILTERS {
        for border in [Border::Constant, Border::Reflect101] {
            let warp = Warp { coords: Coords::Affine([0.5, -0.9, 400.3, 0.8, 0.6, -30.7]), interp, border };
            let whole = run(&src.plane(), &warp, &[1, 2, 3], 0, 0, 700, 40);
            let part = run(&src.plane(), &warp, &[1, 2, 3], 101, 7, 400, 20);
            for (i, row) in part.chunks_exact(1200).enumerate() {
                let at = ((7 + i) * 700 + 101) * 3;
                assert!(row == &whole[at..at + 1200], "{interp:?} {border:?}");
            }
        }
    }
}

fn levels_agree<T: Sample>(of: impl Fn(u8) -> T + Copy) {
    let _turn = crate::simd::level_lock();
    let before = level();
    each_case(of, |src, warp, fill| {
        set_level(Level::Baseline);
        let plain = run(src, warp, fill, 0, 0, W, H);
        for l in Level::ALL.into_iter().skip(1) {
            if set_level(l) == l {
                assert!(run(src, warp, fill, 0, 0, W, H) == plain, "{l:?} {warp:?} c{}", src.c);
            }
        }
    });
    set_level(before);
}

#[test]
fn all_levels_give_the_same_bytes() {
    levels_agree(|v| v);
    levels_agree(|v| v as f32 / 255.0);
}

#[test]
fn nearest_moves_any_element() {
    let src = Source::new(61, 40, 3, |v| v);
    let wide: Vec<u64> = src.data.iter().map(|v| *v as u64 * 0x0101_0101_0101).collect();
    let wide_plane = Plane { data: &wide, w: 61, h: 40, c: 3, stride: 188 };
    for border in BORDERS {
        each_coords(61, 40, |coords| {
            let warp = Warp { coords, interp: Interp::Nearest, border };
            let bytes = run(&src.plane(), &warp, &[1, 2, 3], 0, 0, W, H);
            let mut out = vec![0u64; W * H * 3];
            let fill = [1, 2, 3].map(|v: u64| v * 0x0101_0101_0101);
            nearest_rows(&wide_plane, &warp, &fill, 0, 0, &mut RowsMut::packed(&mut out, W, H, 3));
            assert!(out.iter().zip(&bytes).all(|(a, b)| *a == *b as u64 * 0x0101_0101_0101));
        });
    }
}

#[test]
fn nearest_rounds_half_to_even() {
    let src: Vec<u8> = (0..10).collect();
    let plane = Plane::packed(&src, 10, 1, 1);
    let halves: Vec<f32> = (0..9).map(|i| i as f32 + 0.5).collect();
    for coords in [Coords::Affine([1.0, 0.0, 0.5, 0.0, 0.0, 0.0]), Coords::Axes { xs: &halves, ys: &[0.0] }] {
        let warp = Warp { coords, interp: Interp::Nearest, border: Border::Replicate };
        assert_eq!(run(&plane, &warp, &[0], 0, 0, 9, 1), [0, 2, 2, 4, 4, 6, 6, 8, 8]);
    }
}

#[test]
fn whole_pixel_moves_are_exact() {
    let src = Source::new(40, 30, 3, |v| v);
    for interp in FILTERS {
        for border in BORDERS {
            let warp = Warp { coords: Coords::Affine([1.0, 0.0, 3.0, 0.0, 1.0, -2.0]), interp, border };
            let got = run(&src.plane(), &warp, &[7, 8, 9], 0, 0, 40, 30);
            for (i, p) in got.chunks_exact(3).enumerate() {
                let (x, y) = (border.fold(i as isize % 40 + 3, 40), border.fold(i as isize / 40 - 2, 30));
                let want = match (x, y) {
                    (Some(x), Some(y)) => &src.data[y * 125 + x * 3..][..3],
                    _ => &[7, 8, 9],
                };
                assert_eq!(p, want, "{interp:?} {border:?} {i}");
            }
        }
    }
}

#[test]
fn hostile_positions_read_no_pixel_outside() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let odd: Vec<f32> =
        [f32::NAN, f32::INFINITY, -f32::INFINITY, 1e30, -1e30, 32_766.9, -32_768.0, 65_536.5, 2.1e9, -0.0]
            .into_iter()
            .chain((0..600).map(|i| (i as f32 - 300.0) * 1e3))
            .cycle()
            .take(2000)
            .collect();
    for (w, h, c) in [(1, 1, 1), (1, 1, 3), (2, 1, 3), (37, 21, 3), (37, 21, 4), (300, 2, 1)] {
        let (bytes, floats) = (Source::new(w, h, c, |v| v), Source::new(w, h, c, |v| v as f32));
        for coords in [
            Coords::Affine([100.0, -30.0, 7.7e4, 55.0, 99.0, -1e5]),
            Coords::Affine([1e300, 0.0, -1e300, 0.0, 1e18, 5.0]),
            Coords::Affine([8_191.0, 8_191.0, -2.6e8, -8_191.0, 1.0, 2.6e8]),
            Coords::Affine([nan, 0.0, 0.0, 0.0, inf, 0.0]),
            Coords::Affine([0.0; 6]),
            Coords::Homography([0.0; 9]),
            Coords::Homography([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, -5.0]),
            Coords::Homography([1.0, nan, 0.0, 0.0, inf, 0.0, 1e-300, 0.0, 0.0]),
            Coords::Axes { xs: &odd, ys: &odd },
            Coords::Planes { xs: &odd[3..], ys: &odd, stride: 600 },
        ] {
            for (interp, border) in FILTERS.into_iter().flat_map(|f| BORDERS.map(|b| (f, b))) {
                let warp = Warp { coords, interp, border };
                let got = run(&bytes.plane(), &warp, &vec![77; c], 0, 0, 600, 3);
                let same = run(&bytes.plane(), &warp, &vec![77; c], 300, 1, 300, 1);
                assert!(got[(600 + 300) * c..1200 * c] == same, "{warp:?} {w}x{h}");
                run(&floats.plane(), &warp, &vec![77.0; c], 0, 0, 600, 3);
            }
        }
    }
}

#[test]
fn far_positions_of_a_constant_border_are_the_fill() {
    let src = Source::new(9, 9, 3, |v| v);
    for interp in FILTERS {
        let warp = Warp { coords: Coords::Homography([0.0; 9]), interp, border: Border::Constant };
        assert_eq!(run(&src.plane(), &warp, &[7, 8, 9], 0, 0, 5, 1), [7, 8, 9].repeat(5));
    }
}

#[test]
fn a_large_step_reaches_the_far_side() {
    // Scale 0.01 of a 2000-pixel side: positions up to 200 000.
    let src = Source::new(2000, 3, 1, |v| v);
    for border in BORDERS {
        let warp =
            Warp { coords: Coords::Affine([100.0, 0.0, -99_000.0, 0.0, 0.0, 1.0]), interp: Interp::Linear, border };
        let got = run(&src.plane(), &warp, &[5], 0, 0, 2000, 1);
        for (x, p) in got.iter().enumerate() {
            let want = border.fold(x as isize * 100 - 99_000, 2000).map_or(5, |i| src.data[2005 + i]);
            assert_eq!(*p, want, "{border:?} {x}");
        }
    }
}
