//! The f64 texts, one lane each: no branch, no table, so that a loop over them vectorises.

/// Angles from here on are reduced by `libm`: the number of quarter turns must fit the exact products below.
pub const LARGE_ANGLE: f64 = 1.0e6;

/// 1.5·2⁵²: adding it rounds to an integer, which then stands in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// ln 2 with 21 trailing zero bits, so that its product with an exponent is exact.
const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LO: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// The product as an exact double-double.
#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    const HIGH: u64 = 0xffff_ffff_f800_0000;
    let (ah, bh) = (f64::from_bits(a.to_bits() & HIGH), f64::from_bits(b.to_bits() & HIGH));
    let (al, bl) = (a - ah, b - bh);
    let p = a * b;
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

/// The sum as an exact double-double, if |a| ≥ |b| or a = 0.
#[inline(always)]
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

/// Σ c[i]·x^i, given x².
#[inline(always)]
fn tree(x: f64, xx: f64, c: [f64; 6]) -> f64 {
    (c[0] + x * c[1]) + xx * ((c[2] + x * c[3]) + xx * (c[4] + x * c[5]))
}

/// exp(hi + lo) with |lo| tiny beside |hi|.
#[inline(always)]
fn exp_sum(hi: f64, lo: f64) -> f64 {
    // Outside these bounds the result is 0 or ∞ anyway. NaN passes.
    let inside = hi > -746.0 && hi < 710.0;
    let lo = if inside { lo } else { 0.0 };
    let hi = if hi < -746.0 { -746.0 } else { hi };
    let hi = if hi > 710.0 { 710.0 } else { hi };
    let shifted = hi * LOG2_E + ROUND;
    let k = shifted - ROUND;
    // r = rh + rl within ±ln2/2; the first difference is exact.
    let rh0 = hi - k * LN2_HI;
    let rl0 = lo - k * LN2_LO;
    let rh = rh0 + rl0;
    let rl = (rh0 - rh) + rl0;
    // exp(r) = 1 + r + r²·(1/2 + r/6 + …), the series as a tree: the chain of dependent steps is what costs time.
    let z = rh * rh;
    let y = z * z;
    let even = tree(z, y, [1.0 / 2.0, 1.0 / 24.0, 1.0 / 720.0, 1.0 / 40320.0, 1.0 / 3_628_800.0, 1.0 / 479_001_600.0]);
    let odd =
        tree(z, y, [1.0 / 6.0, 1.0 / 120.0, 1.0 / 5040.0, 1.0 / 362_880.0, 1.0 / 39_916_800.0, 1.0 / 6_227_020_800.0]);
    let tail = z * (even + rh * odd) + rl * (1.0 + rh);
    let (s, e) = quick_two_sum(1.0, rh);
    let m = s + (e + tail);
    // 2^k in two factors, so that neither overflows and a subnormal result is rounded once.
    let biased = shifted.to_bits().wrapping_add(2048) & 0xfff;
    let half = biased >> 1;
    let a = f64::from_bits((half + 1023 - 1024) << 52);
    let b = f64::from_bits((biased - half + 1023 - 1024) << 52);
    m * a * b
}

#[inline(always)]
pub fn exp_lane(x: f64) -> f64 {
    exp_sum(x, 0.0)
}

/// ln of a positive finite number as a double-double with about 63 good bits.
#[inline(always)]
fn ln_sum(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let tiny = x < f64::MIN_POSITIVE;
    let x = if tiny { x * 18_014_398_509_481_984.0 } else { x };
    // x = 2^k · m with m in [√½, √2).
    let bits = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits(0x4330_0000_0000_0000 | (bits >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let k = if tiny { k - 54.0 } else { k };
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    // s = f / (2 + f); the remainder of the division gives its low part.
    let f = m - 1.0;
    let (d, dl) = quick_two_sum(2.0, f);
    let inv = 1.0 / d;
    let s = f * inv;
    let (p, pe) = two_product(s, d);
    let sl = (((f - p) - pe) - s * dl) * inv;
    // ln m = 2s·(1 + z·(1/3 + z/5 + z²/7 + …)), z = s².
    let (z, ze) = two_product(s, s);
    let zl = ze + 2.0 * (s * sl);
    let y = z * z;
    let even = tree(y, y * y, [1.0 / 5.0, 1.0 / 9.0, 1.0 / 13.0, 1.0 / 17.0, 1.0 / 21.0, 1.0 / 25.0]);
    let odd = tree(y, y * y, [1.0 / 7.0, 1.0 / 11.0, 1.0 / 15.0, 1.0 / 19.0, 1.0 / 23.0, 1.0 / 27.0]);
    const THIRD: f64 = 1.0 / 3.0;
    const THIRD_LO: f64 = 1.850_371_707_708_594e-17;
    let (q, qe) = quick_two_sum(THIRD, z * (even + z * odd));
    let ql = qe + THIRD_LO;
    let (a, ae) = two_product(z, q);
    let al = ae + (z * ql + zl * q);
    let (c, ce) = two_product(s, a);
    let cl = ce + (s * al + sl * a);
    let (h, he) = quick_two_sum(s, c);
    let hl = he + (sl + cl);
    let (t, te) = quick_two_sum(k * LN2_HI, 2.0 * h);
    let tl = te + (2.0 * hl + k * LN2_LO);
    quick_two_sum(t, tl)
}

#[inline(always)]
pub fn ln_lane(x: f64) -> f64 {
    let (h, _) = ln_sum(x);
    let r = if x == f64::INFINITY { x } else { h };
    let r = if x == 0.0 { f64::NEG_INFINITY } else { r };
    if x >= 0.0 { r } else { f64::NAN }
}

/// What `pow` must know of its exponent.
pub struct Exponent {
    /// Clamped: beyond ±2⁶⁵ every base but ±1 gives 0 or ∞.
    y: f64,
    zero: bool,
    nan: bool,
    integer: bool,
    odd: bool,
}

impl Exponent {
    pub fn new(y: f64) -> Exponent {
        const BOUND: f64 = 36_893_488_147_419_103_232.0;
        let integer = y.abs() >= 9_007_199_254_740_992.0 || y.floor() == y;
        let odd = integer && y.abs() < 9_007_199_254_740_992.0 && (y as i64) & 1 == 1;
        Exponent {
            y: if y.is_nan() { 1.0 } else { y.clamp(-BOUND, BOUND) },
            zero: y == 0.0,
            nan: y.is_nan(),
            integer,
            odd,
        }
    }
}

#[inline(always)]
pub fn pow_lane(x: f64, e: &Exponent) -> f64 {
    let a = x.abs();
    let (h, l) = ln_sum(a);
    let (p, pe) = two_product(e.y, h);
    let (p, pe) = quick_two_sum(p, pe + e.y * l);
    let r = exp_sum(p, pe);
    let (at_zero, at_infinity) = if e.y > 0.0 { (0.0, f64::INFINITY) } else { (f64::INFINITY, 0.0) };
    let r = if a == 0.0 { at_zero } else { r };
    let r = if a == f64::INFINITY { at_infinity } else { r };
    let negative = x.to_bits() >> 63 != 0;
    let r = if negative && e.odd { -r } else { r };
    let undefined = x < 0.0 && x > f64::NEG_INFINITY && !e.integer;
    let r = if undefined || e.nan || a.is_nan() { f64::NAN } else { r };
    if x == 1.0 || e.zero { 1.0 } else { r }
}

/// Quadrant (in the low two bits) and remainder (hi, lo) in about ±π/4 of |x| < `LARGE_ANGLE`.
#[inline(always)]
fn quarter_turns(x: f64) -> (u64, f64, f64) {
    const TWO_OVER_PI: f64 = std::f64::consts::FRAC_2_PI;
    // π/2 in three parts of 33 bits and a rest: products with the number of quarter turns are exact.
    const P1: f64 = f64::from_bits(0x3ff9_21fb_5440_0000);
    const P2: f64 = f64::from_bits(0x3dd0_b461_1a60_0000);
    const P3: f64 = f64::from_bits(0x3ba3_198a_2e00_0000);
    const P4: f64 = f64::from_bits(0x397b_839a_2520_49c1);
    let shifted = x * TWO_OVER_PI + ROUND;
    let n = shifted - ROUND;
    let a = x - n * P1;
    let w = n * P2;
    let b = a - w;
    let be = two_difference_error(a, w, b);
    let w = n * P3;
    let c = b - w;
    let ce = two_difference_error(b, w, c);
    let rest = be + (ce - n * P4);
    let r = c + rest;
    (shifted.to_bits(), r, (c - r) + rest)
}

/// The rounding error of d = a − b, for any magnitudes.
#[inline(always)]
fn two_difference_error(a: f64, b: f64, d: f64) -> f64 {
    let v = a - d;
    (a - (d + v)) + (v - b)
}

#[inline(always)]
fn sin_core(r: f64, e: f64) -> f64 {
    let z = r * r;
    let p = -1.0 / 6.0
        + z * (1.0 / 120.0
            + z * (-1.0 / 5040.0
                + z * (1.0 / 362_880.0
                    + z * (-1.0 / 39_916_800.0
                        + z * (1.0 / 6_227_020_800.0
                            + z * (-1.0 / 1_307_674_368_000.0 + z * (1.0 / 355_687_428_096_000.0)))))));
    r + (z * r * p + e * (1.0 - 0.5 * z))
}

#[inline(always)]
fn cos_core(r: f64, e: f64) -> f64 {
    let z = r * r;
    let p = 1.0 / 24.0
        + z * (-1.0 / 720.0
            + z * (1.0 / 40320.0
                + z * (-1.0 / 3_628_800.0
                    + z * (1.0 / 479_001_600.0 + z * (-1.0 / 87_178_291_200.0 + z * (1.0 / 20_922_789_888_000.0))))));
    let h = 0.5 * z;
    let w = 1.0 - h;
    w + (((1.0 - w) - h) + (z * z * p - r * e))
}

#[inline(always)]
pub fn sin_lane(x: f64) -> f64 {
    let (q, r, e) = quarter_turns(x);
    let (s, c) = (sin_core(r, e), cos_core(r, e));
    let v = if q & 1 == 0 { s } else { c };
    f64::from_bits(v.to_bits() ^ ((q & 2) << 62))
}

#[inline(always)]
pub fn cos_lane(x: f64) -> f64 {
    let (q, r, e) = quarter_turns(x);
    let (s, c) = (sin_core(r, e), cos_core(r, e));
    let v = if q & 1 == 0 { c } else { s };
    f64::from_bits(v.to_bits() ^ ((q.wrapping_add(1) & 2) << 62))
}
