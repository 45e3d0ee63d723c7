//! A random field over a frame: which distribution, how many values a pixel, on which grid.

use super::{add_normal_row, add_row, normal_row, uniform_row};
use crate::image::Sample;
use crate::math;
use crate::rng::{key_words, philox};

/// Distribution of one value, in units of full intensity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dist {
    /// mean + std · N(0, 1).
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        std: f64,
    },
    /// Even between two numbers.
    Uniform {
        /// Lower end.
        lo: f64,
        /// Upper end.
        hi: f64,
    },
    /// Double exponential.
    Laplace {
        /// Mean.
        mean: f64,
        /// Mean distance from it.
        scale: f64,
    },
    /// (2·Beta(alpha, beta) − 1) · scale.
    Beta {
        /// First shape, above 0.
        alpha: f64,
        /// Second shape, above 0.
        beta: f64,
        /// Largest value.
        scale: f64,
    },
}

impl Dist {
    /// Scale and shift that turn what [`Dist::fill`] gives into values.
    fn affine(&self) -> (f64, f64) {
        match *self {
            Dist::Normal { mean, std } => (std, mean),
            Dist::Uniform { lo, hi } => (hi - lo, lo),
            Dist::Laplace { mean, scale } => (scale, mean),
            Dist::Beta { scale, .. } => (2.0 * scale, -scale),
        }
    }

    /// Standard values `first ..` of row `y`.
    fn fill(&self, seed: u64, y: u32, first: usize, out: &mut [f32]) {
        match *self {
            Dist::Normal { .. } => normal_row(seed, y, first, out),
            Dist::Uniform { .. } => uniform_row(seed, y, first, out),
            Dist::Laplace { .. } => {
                uniform_row(seed, y, first, out);
                for v in out {
                    // The middle of the step that u stands for, so that neither end is 0.
                    let u = *v - 0.5 + 1.0 / 33_554_432.0;
                    let size = math::ln_f32(1.0 - 2.0 * u.abs());
                    *v = if u < 0.0 { size } else { -size };
                }
            }
            Dist::Beta { alpha, beta, .. } => {
                for (i, v) in out.iter_mut().enumerate() {
                    let mut tries = Tries { key: key_words(seed), at: [(first + i) as u32, y], n: 0 };
                    let (a, b) = (tries.log_gamma(alpha), tries.log_gamma(beta));
                    *v = (1.0 / (1.0 + math::exp(b - a))) as f32;
                }
            }
        }
    }
}

/// As many uniform pairs as one value needs: the rejection methods take a varying number.
struct Tries {
    key: [u32; 2],
    at: [u32; 2],
    n: u32,
}

impl Tries {
    fn pair(&mut self) -> (f64, f64) {
        self.n += 1;
        let w = philox([self.at[0], self.at[1], self.n, 1], self.key);
        let unit = |lo: u32, hi: u32| ((lo as u64 | (hi as u64) << 32) >> 11) as f64 / (1u64 << 53) as f64;
        (unit(w[0], w[1]), unit(w[2], w[3]))
    }

    /// Logarithm of a gamma variate of that shape (Marsaglia and Tsang, 2000): of small shapes only the logarithm is
    /// sure not to underflow.
    fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let u = 1.0 - self.pair().0;
            return self.log_gamma(shape + 1.0) + math::ln(u) / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let (u, v) = self.pair();
            let z = (-2.0 * math::ln(1.0 - u)).sqrt() * math::cos(std::f64::consts::TAU * v);
            let t = 1.0 + c * z;
            let w = t * t * t;
            if t > 0.0 && math::ln(1.0 - self.pair().0) < 0.5 * z * z + d - d * w + d * math::ln(w) {
                return math::ln(d * w);
            }
        }
    }
}

/// How many values a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One for each component of each pixel.
    Pixel,
    /// One for each pixel, for all its components.
    Shared,
    /// One for each component, for all pixels.
    Channel,
}

/// A random field. Slices of a stack share it.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Seed of all values.
    pub seed: u64,
    /// Distribution.
    pub dist: Dist,
    /// Values a frame.
    pub layout: Layout,
    /// Width and height of the grid on which the values are drawn, to be enlarged linearly; `None`: one a pixel.
    pub grid: Option<(usize, usize)>,
    ready: Option<Ready>,
}

/// What rows need of a frame of known size.
#[derive(Clone, Debug)]
struct Ready {
    c: usize,
    /// Standard values: the grid, or one for each component.
    values: Vec<f32>,
    /// For each pixel of a row: the two grid columns and the weight of the second.
    columns: Vec<(u32, u32, f32)>,
    /// The same for each row.
    rows: Vec<(u32, u32, f32)>,
}

impl Noise {
    /// A field that is not yet bound to a frame.
    pub fn new(seed: u64, dist: Dist, layout: Layout, grid: Option<(usize, usize)>) -> Noise {
        let grid = grid.map(|(w, h)| (w.max(1), h.max(1)));
        Noise { seed, dist, layout, grid, ready: None }
    }

    /// Binds the field to frames of that size. To be called before any row.
    pub fn prepare(&mut self, frame_w: usize, frame_h: usize, c: usize) {
        let mut ready = Ready { c, values: Vec::new(), columns: Vec::new(), rows: Vec::new() };
        match (self.layout, self.grid) {
            (Layout::Channel, _) => {
                ready.values.resize(c, 0.0);
                self.dist.fill(self.seed, 0, 0, &mut ready.values);
            }
            (layout, Some((gw, gh))) => {
                let n = gw * if layout == Layout::Pixel { c } else { 1 };
                ready.values.resize(n * gh, 0.0);
                for (y, row) in ready.values.chunks_exact_mut(n).enumerate() {
                    self.dist.fill(self.seed, y as u32, 0, row);
                }
                ready.columns = spread(gw, frame_w);
                ready.rows = spread(gh, frame_h);
            }
            _ => {}
        }
        self.ready = Some(ready);
    }

    /// Standard values of the segment of row `y` from pixel `x0` on, one for each sample of `out`.
    fn standard_row(&self, y: usize, x0: usize, out: &mut [f32]) {
        let ready = self.ready.as_ref().expect("prepare() comes first");
        let c = ready.c;
        match (self.layout, self.grid) {
            (Layout::Channel, _) => {
                for pixel in out.chunks_exact_mut(c) {
                    pixel.copy_from_slice(&ready.values);
                }
            }
            (layout, Some((gw, _))) => {
                let k = if layout == Layout::Pixel { c } else { 1 };
                let (top, bottom, wy) = ready.rows[y];
                let a = &ready.values[top as usize * gw * k..][..gw * k];
                let b = &ready.values[bottom as usize * gw * k..][..gw * k];
                let between: Vec<f32> = a.iter().zip(b).map(|(a, b)| a + (b - a) * wy).collect();
                for (pixel, &(left, right, wx)) in out.chunks_exact_mut(c).zip(&ready.columns[x0..]) {
                    let l = &between[left as usize * k..][..k];
                    let r = &between[right as usize * k..][..k];
                    if k == 1 {
                        pixel.fill(l[0] + (r[0] - l[0]) * wx);
                    } else {
                        for ((v, l), r) in pixel.iter_mut().zip(l).zip(r) {
                            *v = l + (r - l) * wx;
                        }
                    }
                }
            }
            (Layout::Pixel, None) => self.dist.fill(self.seed, y as u32, x0 * c, out),
            (Layout::Shared, None) => {
                let n = out.len() / c;
                // Drawn at the end of the row, then spread from the front: pixel i is read before it is overwritten.
                let start = out.len() - n;
                self.dist.fill(self.seed, y as u32, x0, &mut out[start..]);
                for i in 0..n {
                    let v = out[start + i];
                    out[i * c..(i + 1) * c].fill(v);
                }
            }
        }
    }

    /// Values of the segment of row `y` from pixel `x0` on, one for each sample of `out`.
    pub fn values_row(&self, y: usize, x0: usize, out: &mut [f32]) {
        self.standard_row(y, x0, out);
        let (scale, shift) = self.dist.affine();
        let (scale, shift) = (scale as f32, shift as f32);
        for v in out {
            *v = *v * scale + shift;
        }
    }

    /// Adds the field, times full intensity, to the segment of row `y` from pixel `x0` on. `buffer` keeps its memory
    /// from row to row.
    pub fn apply_row<T: Sample>(&self, row: &mut [T], y: usize, x0: usize, buffer: &mut Vec<f32>) {
        let (scale, shift) = self.dist.affine();
        let (scale, shift) = ((scale * T::MAX as f64) as f32, (shift * T::MAX as f64) as f32);
        if let (Dist::Normal { .. }, Layout::Pixel, None) = (self.dist, self.layout, self.grid) {
            let c = self.ready.as_ref().expect("prepare() comes first").c;
            return add_normal_row(row, self.seed, y as u32, x0 * c, scale, shift);
        }
        buffer.resize(row.len(), 0.0);
        self.standard_row(y, x0, buffer);
        add_row(row, buffer, scale, shift);
    }
}

/// For each of `n` positions the two of `from` cells it lies between (half-pixel centres, clamped at the ends) and the
/// weight of the second.
fn spread(from: usize, n: usize) -> Vec<(u32, u32, f32)> {
    let step = from as f64 / n as f64;
    (0..n)
        .map(|i| {
            let s = ((i as f64 + 0.5) * step - 0.5).clamp(0.0, (from - 1) as f64);
            let first = s.floor();
            let second = (first as usize + 1).min(from - 1);
            (first as u32, second as u32, (s - first) as f32)
        })
        .collect()
}
