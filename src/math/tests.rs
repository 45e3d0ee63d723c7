use super::*;
use crate::simd::{Level, set_level};

/// Numbers that look random: a SplitMix64 sequence mapped to lo..hi.
fn numbers(n: usize, lo: f64, hi: f64) -> Vec<f64> {
    let mut s = 0x9e37_79b9_7f4a_7c15u64;
    (0..n)
        .map(|_| {
            s = s.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (s ^ (s >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            lo + (hi - lo) * (((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64)
        })
        .collect()
}

/// Distance in units of the last place of `want`.
fn ulps(got: f64, want: f64) -> f64 {
    let ulp = f64::from_bits(want.abs().to_bits() + 1) - want.abs();
    ((got - want) / ulp).abs()
}

fn worst(name: &str, xs: &[f64], f: impl Fn(f64) -> f64, g: impl Fn(f64) -> f64, limit: f64) {
    for &x in xs {
        let (got, want) = (f(x), g(x));
        assert!(ulps(got, want) <= limit, "{name}({x:e}) = {got:e}, libm has {want:e}");
    }
}

// libm's own error is below 1 ulp, so a difference of 2 bounds ours by 3 at worst and is 1 in practice.
#[test]
fn close_to_libm() {
    let n = 200_000;
    worst("exp", &numbers(n, -708.0, 709.7), exp, libm::exp, 1.0);
    worst("exp", &numbers(n, -1.0, 1.0), exp, libm::exp, 1.0);
    worst("ln", &numbers(n, 0.0, 3.0), ln, libm::log, 1.0);
    worst("ln", &numbers(n, 0.0, 1e300), ln, libm::log, 1.0);
    worst("ln", &numbers(n, 0.99, 1.01), ln, libm::log, 1.0);
    worst("sin", &numbers(n, -10.0, 10.0), sin, libm::sin, 1.0);
    worst("cos", &numbers(n, -10.0, 10.0), cos, libm::cos, 1.0);
    worst("sin", &numbers(n, -999_999.0, 999_999.0), sin, libm::sin, 1.0);
    worst("cos", &numbers(n, -999_999.0, 999_999.0), cos, libm::cos, 1.0);
    worst("sin", &numbers(100, 1e6, 1e15), sin, libm::sin, 0.0);
    for y in numbers(200, 0.01, 100.0) {
        for x in numbers(200, 0.0, 1.0) {
            let (got, want) = (pow(x, y), libm::pow(x, y));
            assert!(want < 1e-300 || ulps(got, want) <= 2.0, "{x}^{y} = {got:e}, libm has {want:e}");
        }
    }
}

/// Multiples of π/2 are where a reduction that drops digits shows.
#[test]
fn sine_near_its_zeros() {
    for n in (1..600_000).step_by(997) {
        let x = n as f64 * std::f64::consts::FRAC_PI_2;
        assert!(ulps(sin(x), libm::sin(x)) <= 1.0, "sin {x}");
        assert!(ulps(cos(x), libm::cos(x)) <= 1.0, "cos {x}");
    }
}

#[test]
fn special_values() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    for x in [0.0, -0.0, 1.0, -inf, inf, nan, 710.0, -746.0, 1e308, -1e308, -745.1, -708.5] {
        assert!(
            same(exp(x), libm::exp(x)) || ulps(exp(x), libm::exp(x)) <= 1.0,
            "exp {x}: {} {}",
            exp(x),
            libm::exp(x)
        );
    }
    for x in [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 5e-324, 2e-310, f64::MAX] {
        assert!(same(ln(x), libm::log(x)), "ln {x}: {} {}", ln(x), libm::log(x));
    }
    let set =
        [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, inf, -inf, nan, 1e300, -1e300, 1e-300, 5e-324];
    for x in set {
        for y in set {
            let (got, want) = (pow(x, y), libm::pow(x, y));
            assert!(same(got, want) || ulps(got, want) <= 1.0, "{x}^{y} = {got}, C99 says {want}");
        }
    }
    for x in [0.25, 1.0 / 3.0, 0.999, 7.0] {
        assert_eq!(pow(x, 1.0), x);
        assert_eq!(pow(x, 2.0), x * x);
    }
}

#[test]
fn degrees_are_exact_at_right_angles() {
    for k in -9i64..=9 {
        let want = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][k.rem_euclid(4) as usize];
        assert_eq!(sin_cos_deg(90.0 * k as f64), want, "{}", 90 * k);
    }
    for d in numbers(1000, -720.0, 720.0) {
        let (s, c) = sin_cos_deg(d);
        let (ws, wc) = (libm::sin(d.to_radians()), libm::cos(d.to_radians()));
        assert!((s - ws).abs() < 4e-15 && (c - wc).abs() < 4e-15, "{d}");
    }
}

#[test]
fn f32_logarithm_and_turns() {
    for v in numbers(200_000, 0.0, 1.0) {
        let x = (v * v * v) as f32 + 1e-12;
        let (got, want) = (ln_f32(x) as f64, libm::log(x as f64));
        assert!((got - want).abs() <= 2e-7 * want.abs(), "ln {x}: {got} {want}");
    }
    assert_eq!(ln_f32(1.0), 0.0);
    for v in numbers(200_000, 0.0, 4_294_967_296.0) {
        let (s, c) = sin_cos_turn(v as u32);
        let a = (v as u32) as f64 * (std::f64::consts::TAU / 4_294_967_296.0);
        assert!((s as f64 - libm::sin(a)).abs() < 1.5e-7 && (c as f64 - libm::cos(a)).abs() < 1.5e-7, "{v}: {s} {c}");
    }
}

#[test]
fn f32_power_of_a_row() {
    for g in [0.01, 0.45, 0.8, 1.2, 2.2, 7.3, 60.0, -0.7] {
        let x: Vec<f32> = numbers(5000, 1e-6, 1.2).into_iter().map(|v| v as f32).collect();
        let mut row = x.clone();
        pow_row(&mut row, g);
        for (&x, &r) in x.iter().zip(&row) {
            let want = libm::pow(x as f64, g);
            if (1e-37..1e38).contains(&want) {
                assert!((r as f64 - want).abs() <= 1e-7 * want, "{x}^{g} = {r}, want {want}");
            }
        }
        let mut edge = [0.0, 1.0, f32::INFINITY, f32::NAN, -1.0];
        pow_row(&mut edge, g);
        assert_eq!((edge[0], edge[2]), if g > 0.0 { (0.0, f32::INFINITY) } else { (f32::INFINITY, 0.0) });
        assert_eq!(edge[1], 1.0);
        assert!(edge[3].is_nan() && edge[4].is_nan());
    }
}

/// Every level, and the scalar functions, give the same bits.
#[test]
fn levels_agree_with_the_scalar() {
    let _one = crate::simd::level_lock();
    let mut x = numbers(1003, -800.0, 800.0);
    x.extend([0.0, -0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, 1e300]);
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    let small: Vec<f32> = x.iter().map(|v| (v / 800.0) as f32).collect();
    let mut first: Option<Vec<u32>> = None;
    for level in Level::ALL {
        set_level(level);
        for (slice, scalar) in [
            (exp_slice as fn(&mut [f64]), exp as fn(f64) -> f64),
            (ln_slice, ln),
            (|v| pow_slice(v, 2.2), |v| pow(v, 2.2)),
            (|v| pow_slice(v, -3.0), |v| pow(v, -3.0)),
            (|v| sin_cos_slice(v, &mut vec![0.0; v.len()]), sin),
        ] {
            let mut got = x.clone();
            slice(&mut got);
            for (&x, &g) in x.iter().zip(&got) {
                assert!(same(g, scalar(x)), "{level:?}: f({x:e}) = {g:e}, scalar {:e}", scalar(x));
            }
        }
        let mut cosines = vec![0.0; 1003];
        sin_cos_slice(&mut x[..1003].to_vec(), &mut cosines);
        assert!(x.iter().zip(&cosines).all(|(&x, &c)| same(c, cos(x))), "{level:?}: cos");
        let mut row = small.clone();
        pow_row(&mut row, 2.2);
        let bits: Vec<u32> = row.iter().map(|v| if v.is_nan() { 0 } else { v.to_bits() }).collect();
        assert_eq!(first.get_or_insert_with(|| bits.clone()), &bits, "{level:?}: pow_row");
    }
    set_level(Level::Vbmi);
}

#[test]
#[ignore = "timing"]
fn time_levels() {
    fn best(mut f: impl FnMut(usize)) -> f64 {
        let one = |i, f: &mut dyn FnMut(usize)| {
            let t = std::time::Instant::now();
            f(i);
            t.elapsed().as_nanos() as f64
        };
        (0..3000).map(|i| one(i, &mut f)).fold(f64::MAX, f64::min)
    }
    let _one = crate::simd::level_lock();
    let x = numbers(256, 0.0, 1.0);
    let row: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    for level in Level::ALL {
        set_level(level);
        let on = |f: fn(&mut [f64])| best(|_| f(std::hint::black_box(&mut x.clone())));
        let (e, l) = (on(exp_slice), on(ln_slice));
        let sc = best(|_| sin_cos_slice(std::hint::black_box(&mut x.clone()), &mut [0.0; 256]));
        let pw = on(|v| pow_slice(v, 2.2));
        let p = best(|_| pow_row(std::hint::black_box(&mut row.clone()), 1.3));
        println!("{level:?}: 256 values: exp {e} ln {l} sincos {sc} pow {pw} pow_row {p} ns");
    }
    set_level(Level::Vbmi);
}
