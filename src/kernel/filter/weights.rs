//! Gaussian kernels.

use crate::math;

/// exp(−x²/2σ²) at the integers around 0, normalised; `n` is odd. σ = 0 is the identity.
pub fn gauss_kernel(n: usize, sigma: f64) -> Vec<f64> {
    assert!(n % 2 == 1, "kernel of even size {n}");
    let r = (n / 2) as f64;
    if sigma <= 0.0 {
        return (0..n).map(|i| (i == n / 2) as u8 as f64).collect();
    }
    let mut k: Vec<f64> = (0..n)
        .map(|i| {
            let x = (i as f64 - r) / sigma;
            -0.5 * x * x
        })
        .collect();
    math::exp_slice(&mut k);
    let sum: f64 = k.iter().sum();
    k.iter_mut().for_each(|v| *v /= sum);
    k
}

/// OpenCV's Gaussian: σ ≤ 0 means binomial-like weights for n ≤ 9 and σ = 0.3·((n−1)/2 − 1) + 0.8 beyond.
pub fn opencv_gauss_kernel(n: usize, sigma: f64) -> Vec<f64> {
    let small: &[f64] = match n {
        _ if sigma > 0.0 => return gauss_kernel(n, sigma),
        1 => &[1.0],
        3 => &[0.25, 0.5, 0.25],
        5 => &[0.0625, 0.25, 0.375, 0.25, 0.0625],
        7 => &[0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
        9 => &[
            4.0 / 256.0,
            13.0 / 256.0,
            30.0 / 256.0,
            51.0 / 256.0,
            60.0 / 256.0,
            51.0 / 256.0,
            30.0 / 256.0,
            13.0 / 256.0,
            4.0 / 256.0,
        ],
        _ => return gauss_kernel(n, 0.3 * ((n - 1) as f64 * 0.5 - 1.0) + 0.8),
    };
    small.to_vec()
}
