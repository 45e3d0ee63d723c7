//! Forms for f32 image rows and noise: fewer terms, one result on every level.

use crate::simd;

/// Natural logarithm of a positive normal f32; error below 2 ulp, exactly 0 at 1.
#[inline(always)]
pub fn ln_f32(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_add(0x3f80_0000 - SQRT_HALF);
    let k = ((bits >> 23) as i32 - 127) as f32;
    let f = f32::from_bits((bits & 0x7f_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let z = f * f;
    // ln(1+f) = f − f²/2 + f³·p(f), p fitted on √½ … √2.
    let p = ln_tail(f);
    // ln 2 in two parts, the first short enough for an exact product.
    (f + (z * f * p + k * -2.121_944_4e-4 - 0.5 * z)) + k * 0.693_359_4
}

#[inline(always)]
fn ln_tail(f: f32) -> f32 {
    const P: [f32; 8] = [
        0.333_333_16,
        -0.250_008_1,
        0.200_022_86,
        -0.166_245_53,
        0.141_811_97,
        -0.131_287_68,
        0.128_816_22,
        -0.078_595_46,
    ];
    let z = f * f;
    let y = z * z;
    let (a, b) = (P[0] + f * P[1], P[2] + f * P[3]);
    let (c, d) = (P[4] + f * P[5], P[6] + f * P[7]);
    (a + z * b) + y * (c + z * d)
}

/// Sine and cosine of `turn`/2³² of a full turn; error below 1.5e-7.
#[inline(always)]
pub fn sin_cos_turn(turn: u32) -> (f32, f32) {
    // Quarter turns nearest to the angle, and what is left as a fraction of a quarter in ±1/2.
    let quarter = turn.wrapping_add(0x2000_0000);
    let t = ((turn << 2) as i32) as f32 * (1.0 / 4_294_967_296.0);
    let z = t * t;
    let s = t * (std::f32::consts::FRAC_PI_2 + z * (-0.645_963_5 + z * (0.079_680_23 - z * 0.004_602_177)));
    let c = 0.999_999_97 + z * (-1.233_697 + z * (0.253_598_64 - z * 0.020_408_352));
    // Quadrant bits: the lower one swaps, the upper ones give the signs.
    let swap = quarter & 0x4000_0000 != 0;
    let (a, b) = if swap { (c, s) } else { (s, c) };
    let sign_sin = quarter & 0x8000_0000;
    let sign_cos = quarter.wrapping_add(0x4000_0000) & 0x8000_0000;
    (f32::from_bits(a.to_bits() ^ sign_sin), f32::from_bits(b.to_bits() ^ sign_cos))
}

/// x^g for a lane of a row: f64 inside with terms enough for an f32 result.
#[inline(always)]
fn pow_f32(x: f32, g: f64, at_zero: f32, at_infinity: f32) -> f32 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let v = x as f64;
    let bits = v.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits(0x4330_0000_0000_0000 | (bits >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let series = 1.0
        + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0))))));
    // Base 2: log₂ x = k + s·series·2/ln 2, then 2^(g·log₂ x).
    let p = g * (k + s * series * (2.0 * std::f64::consts::LOG2_E));
    let p = if p < -200.0 { -200.0 } else { p };
    let p = if p > 200.0 { 200.0 } else { p };
    let shifted = p + ROUND;
    let r = (p - (shifted - ROUND)) * std::f64::consts::LN_2;
    let m = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0
                    + r * (1.0 / 24.0
                        + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0 + r * (1.0 / 40320.0))))))));
    let scale = f64::from_bits((shifted.to_bits().wrapping_add(1023) & 0x7ff) << 52);
    let r = (m * scale) as f32;
    let r = if x == 0.0 { at_zero } else { r };
    let r = if x == f32::INFINITY { at_infinity } else { r };
    if x >= 0.0 { r } else { f32::NAN }
}

simd! {
    fn pow_lanes(row: &mut [f32], g: f64, at_zero: f32, at_infinity: f32) {
        for x in row {
            *x = pow_f32(*x, g, at_zero, at_infinity);
        }
    }
}

/// Values that [`pow_block`] takes at a time.
const BLOCK: usize = 128;

/// What passes from loop to loop in [`pow_block`].
#[repr(align(64))]
struct Between {
    k: [f32; BLOCK],
    f: [f32; BLOCK],
    tail: [f32; BLOCK],
    n: [f64; BLOCK],
    r: [f64; BLOCK],
}

/// x^g of up to [`BLOCK`] values for |g| ≤ 4: f64 only for the sums in which f32 would lose bits, each type in a loop of
/// its own. The length is left to run time, or the loops would be unrolled instead of vectorised.
#[inline(always)]
fn pow_block(x: &mut [f32], between: &mut Between, g: f64, at_zero: f32, at_infinity: f32) {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // log₂(1+f) = f/ln 2 + f²·L(f) on √½ … √2, to 2⁻³⁰; 2^r = 1 + r·ln 2 + r²·E(r) on ±½, to 2⁻³³.
    const L: [f32; 10] = [
        -0.721_347_5,
        0.480_898_2,
        -0.360_673_64,
        0.288_559_97,
        -0.240_476_8,
        0.205_338_99,
        -0.178_933_85,
        0.170_077_96,
        -0.168_168_9,
        0.100_151_51,
    ];
    const E: [f32; 6] =
        [0.240_226_5, 0.055_504_11, 0.009_618_057, 0.001_333_347_8, 0.000_154_614_47, 0.000_015_303_704];
    let len = x.len().min(BLOCK);
    let x = &mut x[..len];
    let (k, f, tail) = (&mut between.k[..len], &mut between.f[..len], &mut between.tail[..len]);
    let (n, r) = (&mut between.n[..len], &mut between.r[..len]);
    for i in 0..len {
        // Subnormal values are brought up first.
        let tiny = x[i] < f32::MIN_POSITIVE;
        let v = if tiny { x[i] * 16_777_216.0 } else { x[i] };
        let bits = v.to_bits().wrapping_add(0x3f80_0000 - SQRT_HALF);
        let e = f32::from_bits(0x4b00_0000 | bits >> 23) - if tiny { 8_388_608.0 + 151.0 } else { 8_388_608.0 + 127.0 };
        let m = f32::from_bits((bits & 0x7f_ffff).wrapping_add(SQRT_HALF)) - 1.0;
        let (a, b, c) = (L[0] + m * L[1], L[2] + m * L[3], L[4] + m * L[5]);
        let (d, h) = (L[6] + m * L[7], L[8] + m * L[9]);
        let z = m * m;
        (k[i], f[i], tail[i]) = (e, m, z * (a + z * (b + z * (c + z * (d + z * h)))));
    }
    for i in 0..len {
        let p = g * (k[i] as f64 + (f[i] as f64 * std::f64::consts::LOG2_E + tail[i] as f64));
        let p = if p < -200.0 { -200.0 } else { p };
        let p = if p > 200.0 { 200.0 } else { p };
        n[i] = p + ROUND;
        r[i] = p - (n[i] - ROUND);
        tail[i] = r[i] as f32;
    }
    for t in tail.iter_mut() {
        let r = *t;
        let z = r * r;
        *t = z * ((E[0] + r * E[1]) + z * ((E[2] + r * E[3]) + z * (E[4] + r * E[5])));
    }
    for i in 0..len {
        let m = 1.0 + (r[i] * std::f64::consts::LN_2 + tail[i] as f64);
        let scale = f64::from_bits((n[i].to_bits().wrapping_add(1023) & 0x7ff) << 52);
        tail[i] = (m * scale) as f32;
    }
    for i in 0..len {
        let r = if x[i] == 0.0 { at_zero } else { tail[i] };
        let r = if x[i] == f32::INFINITY { at_infinity } else { r };
        x[i] = if x[i] >= 0.0 { r } else { f32::NAN };
    }
}

simd! {
    fn pow_blocks(row: &mut [f32], g: f64, at_zero: f32, at_infinity: f32) {
        let mut between =
            Between { k: [0.0; BLOCK], f: [0.0; BLOCK], tail: [0.0; BLOCK], n: [0.0; BLOCK], r: [0.0; BLOCK] };
        for block in row.chunks_mut(BLOCK) {
            pow_block(block, &mut between, g, at_zero, at_infinity);
        }
    }
}

/// x^g of every value of a row; relative error below 1e-7. Negative values give NaN, g = 0 gives 1.
pub fn pow_row(row: &mut [f32], g: f64) {
    if g == 0.0 {
        row.fill(1.0);
    } else if g != 1.0 {
        let (zero, infinity) = if g > 0.0 { (0.0, f32::INFINITY) } else { (f32::INFINITY, 0.0) };
        if g.abs() <= 4.0 {
            return pow_blocks(row, g, zero, infinity);
        }
        // 1^∞ is 1: keep the product with ln 1 = 0 a number.
        pow_lanes(row, g.clamp(-1e30, 1e30), zero, infinity);
    }
}
