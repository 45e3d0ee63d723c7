use super::*;
use crate::image::{Border, Plane, RowsMut, Sample};
use crate::simd::{Level, set_level};

const BORDERS: [Border; 5] = [Border::Reflect101, Border::Replicate, Border::Constant, Border::Reflect, Border::Wrap];

fn bytes(n: usize, seed: u32) -> Vec<u8> {
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

fn floats(n: usize, seed: u32) -> Vec<f32> {
    bytes(n, seed).into_iter().zip(bytes(n, seed + 1)).map(|(a, b)| (a as f32 * 256.0 + b as f32) / 65536.0).collect()
}

/// The definition, in f64: Σ w(dy, dx) · source(y + dy, x + dx).
fn oracle<T: Sample>(src: &Plane<T>, k: (usize, usize), weights: &[f64], border: Border) -> Vec<f64> {
    let mut out = Vec::new();
    let (kh, kw) = k;
    for y in 0..src.h {
        for x in 0..src.w {
            for c in 0..src.c {
                let mut sum = 0.0;
                for i in 0..kh {
                    for j in 0..kw {
                        let sy = border.fold((y + i) as isize - (kh / 2) as isize, src.h);
                        let sx = border.fold((x + j) as isize - (kw / 2) as isize, src.w);
                        if let (Some(sy), Some(sx)) = (sy, sx) {
                            sum += weights[i * kw + j] * src.row(sy)[sx * src.c + c].to_f32() as f64;
                        }
                    }
                }
                out.push(sum);
            }
        }
    }
    out
}

fn outer(ky: &[f64], kx: &[f64]) -> Vec<f64> {
    ky.iter().flat_map(|a| kx.iter().map(move |b| a * b)).collect()
}

fn whole<T: Sample>(src: &Plane<T>, mut f: impl FnMut(&Plane<T>, usize, usize, &mut RowsMut<T>)) -> Vec<T> {
    let mut out = vec![T::default(); src.w * src.h * src.c];
    f(src, 0, 0, &mut RowsMut::packed(&mut out, src.w, src.h, src.c));
    out
}

/// The same plane inside wider rows of other data.
fn strided<T: Sample>(src: &Plane<T>, pad: T) -> Vec<T> {
    (0..src.h).flat_map(|y| src.row(y).iter().copied().chain([pad; 5])).collect()
}

fn check_windows<T: Sample + std::fmt::Debug>(
    src: &Plane<T>,
    all: &[T],
    mut f: impl FnMut(&Plane<T>, usize, usize, &mut RowsMut<T>),
) {
    let (w, h, c) = (src.w, src.h, src.c);
    let windows = [
        (0, 0, w, h),
        (0, h / 2, w, h - h / 2),
        (w / 3, 0, w - w / 3, 1),
        (w / 2, h / 3, 1, h - h / 3),
        (0, h - 1, w, 1),
    ];
    for (x0, y0, ww, wh) in windows {
        let stride = ww * c + 3;
        let mut out = vec![T::default(); stride * wh];
        let mut rows = RowsMut { data: &mut out, n: wh, w: ww, c, stride };
        f(src, x0, y0, &mut rows);
        for y in 0..wh {
            let want = &all[((y0 + y) * w + x0) * c..][..ww * c];
            assert_eq!(&out[y * stride..][..ww * c], want, "{w}×{h}×{c}, window {x0} {y0} {ww} {wh}, row {y}");
        }
    }
}

const SIZES: [(usize, usize, usize); 7] =
    [(1, 1, 1), (2, 3, 3), (7, 5, 1), (33, 9, 3), (40, 31, 4), (600, 3, 3), (13, 12, 5)];

#[test]
fn separable_bytes_are_within_a_level() {
    let (mut off, mut all) = (0, 0);
    for (w, h, c) in SIZES {
        let data = bytes(w * h * c, (w * h) as u32);
        let src = Plane::packed(&data, w, h, c);
        for (n, m, sigma) in [(1, 1, 1.0), (3, 3, 0.5), (7, 5, 1.5), (11, 15, 2.0), (21, 23, 3.0), (31, 29, 9.0)] {
            let (kx, ky) = (gauss_kernel(n, sigma), gauss_kernel(m, sigma * 0.9));
            for border in BORDERS {
                let mut filter = Separable::new(&kx, &ky, border);
                let got = whole(&src, |s, x, y, o| filter.rows(s, x, y, o));
                for (g, want) in got.iter().zip(oracle(&src, (m, n), &outer(&ky, &kx), border)) {
                    // Half a level of rounding and a tenth of one of error.
                    assert!((*g as f64 - want).abs() < 0.62, "{w}×{h}×{c} n {n} {border:?}: {g} {want}");
                    off += (*g as f64 != want.round_ties_even()) as usize;
                    all += 1;
                }
                check_windows(&src, &got, |s, x, y, o| filter.rows(s, x, y, o));
                let wide = strided(&src, 77);
                let view = Plane { data: &wide[..wide.len() - 5], w, h, c, stride: w * c + 5 };
                filter.start();
                assert!(whole(&view, |s, x, y, o| filter.rows(s, x, y, o)) == got);
            }
        }
    }
    assert!(off * 50 < all, "{off} of {all} are not the rounded value");
}

#[test]
fn flat_bytes_stay() {
    for v in 0..=255u8 {
        let data = vec![v; 40 * 5];
        let src = Plane::packed(&data, 40, 5, 1);
        for n in (1..=31).step_by(2).chain([33, 101]) {
            for sigma in [0.3, n as f64 / 5.0, 100.0] {
                let k = gauss_kernel(n, sigma);
                let mut filter = Separable::new(&k, &k, Border::Reflect101);
                assert!(whole(&src, |s, x, y, o| filter.rows(s, x, y, o)) == data, "{v} n {n} sigma {sigma}");
            }
        }
    }
}

#[test]
fn long_or_odd_kernels_are_exact() {
    let (w, h, c) = (37, 29, 3);
    let data = bytes(w * h * c, 5);
    let src = Plane::packed(&data, w, h, c);
    let fdata = floats(w * h * c, 6);
    let fsrc = Plane::packed(&fdata, w, h, c);
    let skew: Vec<f64> = (0..9).map(|i| (i as f64 - 3.0) * 0.11).collect();
    for (kx, ky) in [
        (gauss_kernel(101, 30.0), gauss_kernel(33, 7.0)),
        (gauss_kernel(5, 1.0), gauss_kernel(63, 30.0)),
        (skew.clone(), gauss_kernel(3, 1.0)),
        (vec![-0.5, 2.0, -0.5], skew),
    ] {
        for border in BORDERS {
            let weights = outer(&ky, &kx);
            let mut filter = Separable::new(&kx, &ky, border);
            let got = whole(&src, |s, x, y, o| filter.rows(s, x, y, o));
            for (g, want) in got.iter().zip(oracle(&src, (ky.len(), kx.len()), &weights, border)) {
                assert!((*g as f64 - want.clamp(0.0, 255.0)).abs() <= 0.5002, "{border:?}: {g} {want}");
            }
            check_windows(&src, &got, |s, x, y, o| filter.rows(s, x, y, o));
            filter.start();
            let got = whole(&fsrc, |s, x, y, o| filter.rows(s, x, y, o));
            let scale: f64 = weights.iter().map(|w| w.abs()).sum();
            for (g, want) in got.iter().zip(oracle(&fsrc, (ky.len(), kx.len()), &weights, border)) {
                assert!((*g as f64 - want).abs() <= 2e-7 * scale, "{border:?}: {g} {want}");
            }
            check_windows(&fsrc, &got, |s, x, y, o| filter.rows(s, x, y, o));
        }
    }
}

#[test]
fn conv_is_exact() {
    for (w, h, c) in SIZES {
        let data = bytes(w * h * c, 9);
        let src = Plane::packed(&data, w, h, c);
        let fdata = floats(w * h * c, 10);
        let fsrc = Plane::packed(&fdata, w, h, c);
        let sharpen = vec![-0.3, -0.3, -0.3, -0.3, 3.6, -0.3, -0.3, -0.3, -0.3];
        let random: Vec<f64> = bytes(49, 3).iter().map(|&b| (b as f64 - 100.0) / 2000.0).collect();
        let mut motion = vec![0.0; 81];
        (0..9).for_each(|i| motion[i * 9 + i / 2] = 1.0 / 9.0);
        for (k, weights) in [(1, vec![0.5]), (3, sharpen), (7, random), (9, motion), (3, vec![0.0; 9])] {
            for border in BORDERS {
                let mut filter = Conv::new(k, &weights, border);
                let got = whole(&src, |s, x, y, o| filter.rows(s, x, y, o));
                for (g, want) in got.iter().zip(oracle(&src, (k, k), &weights, border)) {
                    assert!((*g as f64 - want.clamp(0.0, 255.0)).abs() <= 0.5001, "{k} {border:?}: {g} {want}");
                }
                check_windows(&src, &got, |s, x, y, o| filter.rows(s, x, y, o));
                filter.start();
                let got = whole(&fsrc, |s, x, y, o| filter.rows(s, x, y, o));
                let scale: f64 = weights.iter().map(|w| w.abs()).sum();
                for (g, want) in got.iter().zip(oracle(&fsrc, (k, k), &weights, border)) {
                    assert!((*g as f64 - want).abs() <= 2e-7 * scale.max(1.0), "{k} {border:?}: {g} {want}");
                }
                check_windows(&fsrc, &got, |s, x, y, o| filter.rows(s, x, y, o));
            }
        }
    }
}

#[test]
fn start_forgets_the_source() {
    let (a, b) = (bytes(300, 1), bytes(300, 2));
    let (a, b) = (Plane::packed(&a, 10, 10, 3), Plane::packed(&b, 10, 10, 3));
    let k = gauss_kernel(5, 1.0);
    let mut filter = Separable::new(&k, &k, Border::Reflect101);
    let mut conv = Conv::new(3, &[0.1; 9], Border::Reflect101);
    let fresh = whole(&b, |s, x, y, o| Separable::new(&k, &k, Border::Reflect101).rows(s, x, y, o));
    let fresh_conv = whole(&b, |s, x, y, o| Conv::new(3, &[0.1; 9], Border::Reflect101).rows(s, x, y, o));
    whole(&a, |s, x, y, o| filter.rows(s, x, y, o));
    whole(&a, |s, x, y, o| conv.rows(s, x, y, o));
    filter.start();
    conv.start();
    assert_eq!(whole(&b, |s, x, y, o| filter.rows(s, x, y, o)), fresh);
    assert_eq!(whole(&b, |s, x, y, o| conv.rows(s, x, y, o)), fresh_conv);
}

#[test]
fn gaussians() {
    let k = gauss_kernel(5, 1.0);
    let e = [libm::exp(-2.0), libm::exp(-0.5), 1.0, libm::exp(-0.5), libm::exp(-2.0)];
    let sum: f64 = e.iter().sum();
    assert!(k.iter().zip(e).all(|(a, b)| (a - b / sum).abs() < 1e-16));
    assert_eq!(gauss_kernel(3, 0.0), [0.0, 1.0, 0.0]);
    for n in (1..40).step_by(2) {
        assert!((opencv_gauss_kernel(n, 0.0).iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }
    assert_eq!(opencv_gauss_kernel(5, 0.0), [0.0625, 0.25, 0.375, 0.25, 0.0625]);
    assert_eq!(opencv_gauss_kernel(11, 0.0), gauss_kernel(11, 2.0));
    assert_eq!(opencv_gauss_kernel(7, 1.3), gauss_kernel(7, 1.3));
}

#[test]
fn levels_agree() {
    let _one = crate::simd::level_lock();
    let (w, h, c) = (211, 23, 3);
    let (data, fdata) = (bytes(w * h * c, 5), floats(w * h * c, 6));
    let (src, fsrc) = (Plane::packed(&data, w, h, c), Plane::packed(&fdata, w, h, c));
    let random: Vec<f64> = bytes(49, 3).iter().map(|&b| (b as f64 - 100.0) / 2000.0).collect();
    let mut first = None;
    for level in Level::ALL {
        set_level(level);
        let mut got = (Vec::new(), Vec::new());
        for n in [3, 7, 11, 21, 41] {
            let k = gauss_kernel(n, n as f64 / 6.0);
            let mut filter = Separable::new(&k, &k, Border::Reflect101);
            got.0.extend(whole(&src, |s, x, y, o| filter.rows(s, x, y, o)));
            filter.start();
            got.1.extend(whole(&fsrc, |s, x, y, o| filter.rows(s, x, y, o)).iter().map(|v| v.to_bits()));
        }
        let mut filter = Conv::new(7, &random, Border::Replicate);
        got.0.extend(whole(&src, |s, x, y, o| filter.rows(s, x, y, o)));
        filter.start();
        got.1.extend(whole(&fsrc, |s, x, y, o| filter.rows(s, x, y, o)).iter().map(|v| v.to_bits()));
        assert!(first.get_or_insert_with(|| got.clone()) == &got, "{level:?}");
    }
    set_level(Level::Vbmi);
}

#[test]
#[ignore = "timing"]
fn time_filters() {
    fn best(n: usize, mut f: impl FnMut()) -> f64 {
        let mut b = f64::MAX;
        for _ in 0..n {
            let t = std::time::Instant::now();
            f();
            b = b.min(t.elapsed().as_nanos() as f64 / 1e3);
        }
        b
    }
    let _one = crate::simd::level_lock();
    for (w, h) in [(256, 256), (512, 512), (1920, 1080)] {
        let n = if w < 1000 { 30 } else { 6 };
        let (data, fdata) = (bytes(w * h * 3, 1), floats(w * h * 3, 2));
        let (src, fsrc) = (Plane::packed(&data, w, h, 3), Plane::packed(&fdata, w, h, 3));
        let (mut out, mut fout) = (vec![0u8; w * h * 3], vec![0f32; w * h * 3]);
        for level in [Level::Baseline, Level::V3, Level::Vbmi] {
            set_level(level);
            print!("{w}×{h} {level:?}:");
            for (taps, sigma) in [(3, 0.5), (7, 1.5), (11, 1.5), (21, 3.0), (211, 30.0)] {
                if taps > 100 && (w > 600 || level == Level::Baseline) {
                    continue;
                }
                let k = gauss_kernel(taps, sigma);
                let t = best(if taps > 100 { 3 } else { n }, || {
                    let mut f = Separable::new(&k, &k, Border::Reflect101);
                    f.rows(&src, 0, 0, &mut RowsMut::packed(&mut out, w, h, 3));
                });
                print!(" gauss{taps} {t:.0}");
            }
            let k = gauss_kernel(11, 1.5);
            let t = best(n, || {
                let mut f = Separable::new(&k, &k, Border::Reflect101);
                f.rows(&fsrc, 0, 0, &mut RowsMut::packed(&mut fout, w, h, 3));
            });
            print!(" f32gauss11 {t:.0}");
            let sharpen = vec![-0.2, -0.2, -0.2, -0.2, 2.7, -0.2, -0.2, -0.2, -0.2];
            let random =
                |k: usize| bytes(k * k, 3).iter().map(|&b| b as f64 / 32768.0 + b as f64 * 1e-9).collect::<Vec<f64>>();
            let mut motion = vec![0.0; 49];
            (0..7).for_each(|i| motion[i * 8] = 1.0 / 7.0);
            for (name, k, weights) in [
                ("sharpen", 3, sharpen.clone()),
                ("5×5", 5, random(5)),
                ("9×9", 9, random(9)),
                ("15×15", 15, random(15)),
                ("motion7", 7, motion),
            ] {
                if k > 9 && w > 600 {
                    continue;
                }
                let t = best(n, || {
                    let mut f = Conv::new(k, &weights, Border::Reflect101);
                    f.rows(&src, 0, 0, &mut RowsMut::packed(&mut out, w, h, 3));
                });
                print!(" {name} {t:.0}");
            }
            let t = best(n, || {
                let mut f = Conv::new(3, &sharpen, Border::Reflect101);
                f.rows(&fsrc, 0, 0, &mut RowsMut::packed(&mut fout, w, h, 3));
            });
            println!(" f32sharpen {t:.0}");
        }
    }
    set_level(Level::Vbmi);
}
