use super::*;
use crate::math;
use crate::rng::philox;
use crate::simd::{Level, set_level};

/// Number `i` of row `y`, straight from the definition, in f64.
fn oracle(seed: u64, y: u32, i: usize) -> f64 {
    let (group, place) = (i / NORMAL, i % NORMAL);
    // 64 numbers are four rounds of four sines, four cosines, four sines and four cosines.
    let (round, turn) = (place % 64 / 16, place % 16 / 4);
    let word = place / 64 * 32 + turn / 2 * 16 + round * 4 + place % 4;
    let w = philox([(group * LANES + word % LANES) as u32, y, 0, 0], key_words(seed))[word / LANES];
    let radius = (-2.0 * math::ln((w & 0x7fff_ffff | 1) as f64 / (1u64 << 31) as f64)).sqrt();
    let angle = w as i16 as f64 / 32768.0 * std::f64::consts::FRAC_PI_2;
    let z = radius * if turn % 2 == 0 { math::sin(angle) } else { math::cos(angle) };
    if w >> 31 == 1 { -z } else { z }
}

#[test]
fn every_kind_of_radius() {
    // Both ends of all octaves, and a grid.
    let ends = (0..31).flat_map(|k| (0..2000u32).flat_map(move |d| [(1 << k) + d, (1 << k) - d.min(1 << k)]));
    for u in ends.chain((0..1 << 31).step_by(9973)) {
        let u = u & 0x7fff_ffff | 1;
        let (got, want) = (square_radius(u) as f64, -2.0 * math::ln(u as f64 / (1u64 << 31) as f64));
        assert!(got > 0.0 && (got - want).abs() < 2.5e-4, "{u}: {got} {want}");
        assert_eq!(square_radius(u | 1 << 31) as f64, got);
    }
}

#[test]
fn normal_is_box_muller_on_philox() {
    for (seed, y) in [(0, 0), (1 << 52, 7), (12345, 1079)] {
        let mut row = vec![0.0; 3 * NORMAL + 5];
        normal_row(seed, y, 0, &mut row);
        for (i, &z) in row.iter().enumerate() {
            let want = oracle(seed, y, i);
            // Near radius 0 an error of its square counts for more.
            let near = (z as f64 - want).abs() < 6e-4 || want.abs() < 0.1 && (z as f64 - want).abs() < 0.01;
            assert!(near, "{i}: {z} {want}");
        }
    }
}

#[test]
fn any_part_of_a_row_is_the_same() {
    let mut whole = vec![0.0; 1000];
    let mut even = vec![0.0; 1000];
    normal_row(5, 3, 0, &mut whole);
    uniform_row(5, 3, 0, &mut even);
    assert!(even.iter().all(|u| (0.0..1.0).contains(u)));
    let base: Vec<u8> = (0..1000).map(|i| (i * 7 % 256) as u8).collect();
    let mut noisy = base.clone();
    add_normal_row(&mut noisy, 5, 3, 0, 30.0, 2.0);
    for (first, n) in [(0, 1), (1, 127), (127, 2), (128, 128), (200, 500), (999, 1), (300, 0)] {
        let mut part = vec![0.0; n];
        normal_row(5, 3, first, &mut part);
        assert_eq!(part, whole[first..first + n]);
        uniform_row(5, 3, first, &mut part);
        assert_eq!(part, even[first..first + n]);
        let mut bytes = base[first..first + n].to_vec();
        add_normal_row(&mut bytes, 5, 3, first, 30.0, 2.0);
        assert_eq!(bytes, noisy[first..first + n]);
        let mut bytes = base[first..first + n].to_vec();
        add_row(&mut bytes, &whole[first..], 30.0, 2.0);
        assert_eq!(bytes, noisy[first..first + n]);
    }
}

#[test]
fn adding_truncates_and_saturates() {
    for (v, n, want) in
        [(100u8, 1.9, 101), (100, -1.9, 99), (100, 0.99, 100), (100, -0.99, 100), (250, 300.0, 255), (3, -1e9, 0)]
    {
        let mut row = [v];
        add_row(&mut row, &[n], 1.0, 0.0);
        assert_eq!(row[0], want, "{v} + {n}");
    }
    let mut row = [0.5f32, 0.9, 0.1];
    add_row(&mut row, &[0.125, 0.4, -0.2], 1.0, 0.0);
    assert_eq!(row, [0.625, 1.0, 0.0]);
}

/// A million numbers: each bound is five standard errors of its statistic.
#[test]
fn normal_statistics() {
    let (rows, w) = (1000u32, 1000usize);
    let mut all = vec![0.0f32; rows as usize * w];
    let mut other = all.clone();
    for y in 0..rows {
        normal_row(42, y, 0, &mut all[y as usize * w..][..w]);
        normal_row(43, y, 0, &mut other[y as usize * w..][..w]);
    }
    let n = all.len() as f64;
    let mean = |f: &dyn Fn(f64) -> f64| all.iter().map(|&z| f(z as f64)).sum::<f64>() / n;
    let root = n.sqrt();
    assert!(mean(&|z| z).abs() < 5.0 / root);
    assert!((mean(&|z| z * z) - 1.0).abs() < 5.0 * 2f64.sqrt() / root);
    assert!(mean(&|z| z * z * z).abs() < 5.0 * 15f64.sqrt() / root);
    assert!((mean(&|z| z * z * z * z) - 3.0).abs() < 5.0 * 96f64.sqrt() / root);
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum::<f64>() / n;
    for lag in [1, 2, 3, 4, 8, 12, 16, LANES - 1, LANES, LANES + 1, 2 * LANES, 4 * LANES, NORMAL, 1000, 2000] {
        assert!(product(&all, &all[lag..]).abs() < 5.0 / root, "lag {lag}");
        // Squares too: the two halves of a Box–Muller pair share a radius.
        let square = |v: &[f32]| v.iter().map(|z| z * z - 1.0).collect::<Vec<f32>>();
        assert!(product(&square(&all), &square(&all[lag..])).abs() < 5.0 * 2.0 / root, "squares, lag {lag}");
    }
    assert!(product(&all, &other).abs() < 5.0 / root);
    // Kolmogorov–Smirnov against the normal distribution; 1.95 is the 0.1 % point.
    let mut sorted = all.clone();
    sorted.sort_by(f32::total_cmp);
    let mut worst = 0f64;
    for (i, &z) in sorted.iter().enumerate() {
        let p = 0.5 * libm::erfc(-z as f64 / 2f64.sqrt());
        worst = worst.max((p - i as f64 / n).abs()).max((p - (i + 1) as f64 / n).abs());
    }
    assert!(worst * root < 1.95, "KS {}", worst * root);
    let top = sorted[sorted.len() - 1];
    assert!((4.2..5.8).contains(&top), "{top}");
}

#[test]
fn distributions_have_their_moments() {
    let cases = [
        (Dist::Normal { mean: 0.1, std: 0.2 }, 0.1, 0.2),
        (Dist::Uniform { lo: -0.2, hi: 0.4 }, 0.1, 0.6 / 12f64.sqrt()),
        (Dist::Laplace { mean: -0.1, scale: 0.3 }, -0.1, 0.3 * 2f64.sqrt()),
        // Beta(2, 5): mean 2/7, variance 10/392.
        (Dist::Beta { alpha: 2.0, beta: 5.0, scale: 0.5 }, (2.0 / 7.0) - 0.5, (10.0 / 392f64).sqrt()),
        (Dist::Beta { alpha: 0.5, beta: 0.5, scale: 0.5 }, 0.0, 0.125f64.sqrt()),
    ];
    for (dist, mean, std) in cases {
        let mut noise = Noise::new(77, dist, Layout::Pixel, None);
        noise.prepare(200, 100, 1);
        let mut v = vec![0.0f32; 20_000];
        for (y, row) in v.chunks_exact_mut(200).enumerate() {
            noise.values_row(y, 0, row);
        }
        let n = v.len() as f64;
        let m = v.iter().map(|&x| x as f64).sum::<f64>() / n;
        let s = (v.iter().map(|&x| (x as f64 - m) * (x as f64 - m)).sum::<f64>() / n).sqrt();
        assert!((m - mean).abs() < 5.0 * std / n.sqrt() && (s / std - 1.0).abs() < 0.06, "{dist:?}: {m} {s}");
    }
}

#[test]
fn layouts_and_grids() {
    let dist = Dist::Normal { mean: 0.0, std: 1.0 };
    let (w, h, c) = (19, 11, 3);
    let frame = |layout, grid| {
        let mut noise = Noise::new(3, dist, layout, grid);
        noise.prepare(w, h, c);
        let mut v = vec![0.0f32; w * h * c];
        for (y, row) in v.chunks_exact_mut(w * c).enumerate() {
            noise.values_row(y, 0, row);
            let mut part = vec![0.0; 5 * c];
            noise.values_row(y, 4, &mut part);
            assert_eq!(part, row[4 * c..9 * c]);
            let mut bytes = vec![128u8; 5 * c];
            noise.apply_row(&mut bytes, y, 4, &mut Vec::new());
            for (b, z) in bytes.iter().zip(&part) {
                assert_eq!(*b, (128.0 + (z * 255.0).trunc()).clamp(0.0, 255.0) as u8);
            }
        }
        v
    };
    let shared = frame(Layout::Shared, None);
    assert!(shared.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]));
    assert_ne!(shared[0], shared[3]);
    let channel = frame(Layout::Channel, None);
    assert!(channel.chunks_exact(3).all(|p| *p == channel[..3]) && channel[0] != channel[1]);
    assert_eq!(frame(Layout::Pixel, Some((w, h))), frame(Layout::Pixel, None));
    assert_eq!(frame(Layout::Shared, Some((1, 1))), vec![shared[0]; w * h * c]);
    // A 5×4 grid, by the formula.
    let (gw, gh) = (5, 4);
    let coarse = frame(Layout::Pixel, Some((gw, gh)));
    let cell = |x: usize, y: usize, ch: usize| {
        let mut row = vec![0.0; gw * c];
        normal_row(3, y as u32, 0, &mut row);
        row[x * c + ch] as f64
    };
    for (y, x, ch) in [(0, 0, 0), (10, 18, 2), (5, 7, 1), (3, 12, 0)] {
        let at = |i: usize, from: usize, n: usize| {
            ((i as f64 + 0.5) * from as f64 / n as f64 - 0.5).clamp(0.0, (from - 1) as f64)
        };
        let (sx, sy) = (at(x, gw, w), at(y, gh, h));
        let mut want = 0.0;
        for gy in 0..gh {
            for gx in 0..gw {
                let weight = (1.0 - (sx - gx as f64).abs()).max(0.0) * (1.0 - (sy - gy as f64).abs()).max(0.0);
                want += weight * cell(gx, gy, ch);
            }
        }
        assert!((coarse[(y * w + x) * c + ch] as f64 - want).abs() < 1e-6);
    }
}

#[test]
fn levels_agree() {
    let _one = crate::simd::level_lock();
    let mut first = None;
    for level in Level::ALL {
        set_level(level);
        let mut z = vec![0.0f32; 100_000];
        normal_row(9, 1, 77, &mut z);
        let mut u = vec![0.0f32; 1000];
        uniform_row(9, 1, 77, &mut u);
        let mut bytes: Vec<u8> = (0..100_000).map(|i| (i % 251) as u8).collect();
        let (mut even, mut wide) = (bytes[..1000].to_vec(), bytes[..1000].to_vec());
        add_normal_row(&mut even, 8, 2, 13, 40.0, 0.0);
        add_normal_row(&mut wide, 8, 2, 13, 3e5, -3.5);
        add_normal_row(&mut bytes, 8, 2, 13, 40.0, -3.5);
        bytes.extend(even);
        bytes.extend(wide);
        let mut floats: Vec<f32> = (0..1000).map(|i| i as f32 / 1000.0).collect();
        add_normal_row(&mut floats, 8, 2, 13, 0.2, 0.01);
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        // Sums beyond every byte and every integer, and none at all.
        let far =
            [1e4, -1e4, 1e6, -1e6, 3e9, -3e9, 1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.99, -0.99];
        let far: Vec<f32> = far.into_iter().cycle().take(200).collect();
        let mut wild = vec![100u8; 200];
        add_row(&mut wild, &far, 1.0, 0.0);
        assert_eq!(wild[..13], [255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0, 100, 100], "{level:?}");
        bytes.extend(wild);
        let got = (bits(&z), bits(&u), bytes, bits(&floats));
        assert!(first.get_or_insert_with(|| got.clone()) == &got, "{level:?}");
    }
    set_level(Level::Vbmi);
}

#[test]
#[ignore = "timing"]
fn time_gauss_noise() {
    let _one = crate::simd::level_lock();
    for level in Level::ALL {
        set_level(level);
        let mut noise = Noise::new(3, Dist::Normal { mean: 0.0, std: 0.3 }, Layout::Pixel, None);
        noise.prepare(256, 256, 3);
        let mut image = vec![100u8; 256 * 256 * 3];
        let mut values = vec![0.0; 768];
        let mut best = [f64::MAX; 3];
        for _ in 0..60 {
            let t = std::time::Instant::now();
            for (y, row) in image.chunks_exact_mut(768).enumerate() {
                noise.apply_row(row, y, 0, &mut Vec::new());
            }
            best[0] = best[0].min(t.elapsed().as_nanos() as f64);
            let t = std::time::Instant::now();
            (0..256).for_each(|y| normal_row(1, y, 0, &mut values));
            best[1] = best[1].min(t.elapsed().as_nanos() as f64);
            let t = std::time::Instant::now();
            (0..256).for_each(|y| uniform_row(1, y, 0, &mut values));
            best[2] = best[2].min(t.elapsed().as_nanos() as f64);
        }
        let per = |b: f64| b / (256.0 * 768.0);
        println!(
            "{level:?}: u8 256×256×3 {:.1} µs = {:.3} ns/sample, normal {:.3}, uniform {:.3}",
            best[0] / 1e3,
            per(best[0]),
            per(best[1]),
            per(best[2])
        );
    }
    set_level(Level::Vbmi);
}
