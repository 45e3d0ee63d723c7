//! exp, ln, pow, sin, cos, atan2 with one result everywhere.
//!
//! The C library picks other code on other CPUs; these do not. exp, ln, pow, sin and cos have one text each: the
//! `*_lane` functions, free of branches, which are both the scalar function and the body of the vector loops, so a
//! scalar call equals a lane of a row bit for bit. Products and sums are written separately and never contracted.
//! Everything that is computed only a few times a call comes from the `libm` crate, which is scalar and without FMA.
//!
//! Products that must be exact are split by Dekker's method; a "double-double" is an unevaluated sum (hi, lo).

use crate::simd;

mod lanes;
mod short;

pub use short::{ln_f32, pow_row, sin_cos_turn};

use lanes::{Exponent, LARGE_ANGLE, cos_lane, exp_lane, ln_lane, pow_lane, sin_lane};

/// e to the power of x; error below 0.52 ulp (results above the subnormal range).
pub fn exp(x: f64) -> f64 {
    exp_lane(x)
}

/// Natural logarithm; −∞ at 0, NaN below; error below 0.51 ulp.
pub fn ln(x: f64) -> f64 {
    ln_lane(x)
}

/// x to the power of y with the special values of C99; error below 0.6 ulp for |y ln x| < 64, below 1.1 ulp elsewhere.
pub fn pow(x: f64, y: f64) -> f64 {
    pow_lane(x, &Exponent::new(y))
}

/// Sine of an angle in radians; error below 1 ulp.
pub fn sin(x: f64) -> f64 {
    if x.abs() < LARGE_ANGLE { sin_lane(x) } else { libm::sin(x) }
}

/// Cosine of an angle in radians; error below 1 ulp.
pub fn cos(x: f64) -> f64 {
    if x.abs() < LARGE_ANGLE { cos_lane(x) } else { libm::cos(x) }
}

/// Sine and cosine of an angle in radians.
pub fn sin_cos(x: f64) -> (f64, f64) {
    (sin(x), cos(x))
}

/// Sine and cosine of an angle in degrees, exact at multiples of 90.
pub fn sin_cos_deg(degrees: f64) -> (f64, f64) {
    // The remainder is exact, and so is the distance to the nearest right angle.
    let turn = degrees % 360.0;
    let quarter = (turn / 90.0).round();
    let rest = (turn - quarter * 90.0) * (std::f64::consts::PI / 180.0);
    let (s, c) = (sin_lane(rest), cos_lane(rest));
    match (quarter as i64).rem_euclid(4) {
        0 => (s, c),
        1 => (c, -s),
        2 => (-s, -c),
        _ => (-c, s),
    }
}

/// Tangent of an angle in radians.
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// Angle of the vector (x, y) in (−π, π].
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// Arc sine.
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

/// Arc cosine.
pub fn acos(x: f64) -> f64 {
    libm::acos(x)
}

/// Hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}

/// Square root (exact to the last bit on every CPU).
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// Length of the vector (x, y), without overflow on the way.
pub fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

/// Bessel function of the first kind, order 1.
pub fn j1(x: f64) -> f64 {
    libm::j1(x)
}

/// Logarithm of the absolute value of the gamma function.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

simd! {
    /// [`exp`] of every value.
    pub fn exp_slice(values: &mut [f64]) {
        for v in values {
            *v = exp_lane(*v);
        }
    }
}

simd! {
    /// [`ln`] of every value.
    pub fn ln_slice(values: &mut [f64]) {
        for v in values {
            *v = ln_lane(*v);
        }
    }
}

simd! {
    fn sin_cos_lanes(angles: &mut [f64], cosines: &mut [f64]) {
        let n = angles.len();
        let cosines = &mut cosines[..n];
        for i in 0..n {
            let a = angles[i];
            angles[i] = sin_lane(a);
            cosines[i] = cos_lane(a);
        }
    }
}

/// [`sin`] (in place) and [`cos`] of every angle.
pub fn sin_cos_slice(angles: &mut [f64], cosines: &mut [f64]) {
    // Huge angles need a reduction of their own; they are rare enough to give up the loop.
    if angles.iter().all(|a| a.abs() < LARGE_ANGLE) {
        sin_cos_lanes(angles, cosines);
    } else {
        for (a, c) in angles.iter_mut().zip(cosines) {
            (*a, *c) = sin_cos(*a);
        }
    }
}

simd! {
    fn pow_lanes(values: &mut [f64], y: &Exponent) {
        for v in values {
            *v = pow_lane(*v, y);
        }
    }
}

/// [`pow`] of every value with one exponent.
pub fn pow_slice(values: &mut [f64], y: f64) {
    pow_lanes(values, &Exponent::new(y));
}

#[cfg(test)]
mod tests;
