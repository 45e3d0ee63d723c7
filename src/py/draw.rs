//! The numbers of one call, and maths with one result on every CPU.

use super::enter::raise;
use crate::error::Error;
use crate::rng::{self, Stream};
use crate::{geom, math};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Draws keyed by (seed, call key, node, draw number).
#[pyclass(frozen, module = "ferraug._core")]
pub struct Draw {
    stream: Mutex<Stream>,
    key: Key,
}

/// Up to three parts of a call's key.
#[derive(Clone, Copy)]
struct Key {
    parts: [u64; 3],
    n: usize,
}

impl Draw {
    fn of(seed: u64, key: Key) -> Draw {
        Draw { stream: Mutex::new(Stream::new(seed, rng::fold_call(seed, &key.parts[..key.n]))), key }
    }
    fn with<R>(&self, f: impl FnOnce(&mut Stream) -> R) -> R {
        // One call is one thread's business: the lock is never contended and a poisoned one holds a valid stream.
        f(&mut self.stream.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn finite(lo: f64, hi: f64) -> PyResult<()> {
    if lo.is_finite() && hi.is_finite() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("range ({lo}, {hi}) is not finite")))
}

/// Between what a side of a hole is drawn.
enum Side {
    Whole(i64, i64),
    Share(f64, f64),
}

impl Side {
    /// A range for a side of the image: floats are shares of it, integers pixels.
    fn of(range: &Bound<'_, PyTuple>, side: i64) -> PyResult<Side> {
        if range.get_item(1)?.is_exact_instance_of::<PyFloat>() {
            let (lo, hi): (f64, f64) = range.extract()?;
            finite(lo, hi)?;
            return Ok(Side::Share(lo * side as f64, hi * side as f64));
        }
        let (lo, hi): (i64, i64) = range.extract()?;
        let (lo, hi) = (lo.min(side), hi.min(side));
        if lo > hi {
            return Err(PyValueError::new_err(format!("empty range ({lo}, {hi})")));
        }
        Ok(Side::Whole(lo, hi))
    }

    fn draw(&self, s: &mut Stream) -> i64 {
        match *self {
            Side::Whole(lo, hi) => s.integers(lo, hi),
            Side::Share(lo, hi) => s.uniform(lo, hi) as i64,
        }
    }
}

#[pymethods]
impl Draw {
    #[new]
    fn new(seed: u64, call: &Bound<'_, PyTuple>) -> PyResult<Draw> {
        let mut key = Key { parts: [0; 3], n: call.len() };
        if key.n > key.parts.len() {
            return Err(PyValueError::new_err(format!("a key has at most 3 parts, got {}", key.n)));
        }
        for (part, value) in key.parts.iter_mut().zip(call.iter_borrowed()) {
            *part = value.extract()?;
        }
        Ok(Draw::of(seed, key))
    }
    /// The key of the call.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.key.parts[..self.key.n])
    }
    fn begin(&self, node: u32, p: f64) -> bool {
        self.with(|s| s.begin(node, p))
    }
    fn enter(&self, node: u32) {
        self.with(|s| s.enter(node));
    }
    fn random(&self) -> f64 {
        self.with(Stream::random)
    }
    fn uniform(&self, lo: f64, hi: f64) -> PyResult<f64> {
        finite(lo, hi)?;
        Ok(self.with(|s| s.uniform(lo, hi)))
    }
    /// `uniform` of a pair, as transforms keep their ranges.
    fn within(&self, range: (f64, f64)) -> PyResult<f64> {
        self.uniform(range.0, range.1)
    }
    fn integers(&self, lo: i64, hi: i64) -> PyResult<i64> {
        if lo > hi {
            return Err(PyValueError::new_err(format!("empty range ({lo}, {hi})")));
        }
        Ok(self.with(|s| s.integers(lo, hi)))
    }
    #[pyo3(signature = (mean = 0.0, std = 1.0))]
    fn normal(&self, mean: f64, std: f64) -> f64 {
        mean + std * self.with(Stream::normal)
    }
    fn choice(&self, weights: Vec<f64>) -> PyResult<usize> {
        if weights.is_empty()
            || weights.iter().any(|w| !(*w >= 0.0 && w.is_finite()))
            || weights.iter().sum::<f64>() <= 0.0
        {
            return Err(PyValueError::new_err("weights must be ≥ 0 and not all 0"));
        }
        Ok(self.with(|s| s.choice(&weights)))
    }
    fn shuffle(&self, n: u32) -> Vec<u32> {
        self.with(|s| s.shuffle(n))
    }
    fn sample(&self, n: u32, k: u32) -> PyResult<Vec<u32>> {
        if k > n {
            return Err(PyValueError::new_err(format!("{k} of {n} cannot be drawn")));
        }
        Ok(self.with(|s| s.sample(n, k)))
    }
    /// The region of `n` holes in a w×h image, each drawn as height, width, y and x; sides are shares of the image's if
    /// they are floats. Holes without an area are left out.
    #[allow(clippy::too_many_arguments)]
    fn holes<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        heights: &Bound<'py, PyTuple>,
        widths: &Bound<'py, PyTuple>,
        w: i64,
        h: i64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let (heights, widths) = (Side::of(heights, h)?, Side::of(widths, w)?);
        let rects = self.with(|s| {
            let mut rects = Vec::new();
            for _ in 0..n {
                let (hole_h, hole_w) = (heights.draw(s), widths.draw(s));
                if !(0..=h).contains(&hole_h) || !(0..=w).contains(&hole_w) {
                    return Err(PyValueError::new_err(format!("a hole of {hole_w}×{hole_h} in an image of {w}×{h}")));
                }
                let (y, x) = (s.integers(0, h - hole_h), s.integers(0, w - hole_w));
                if hole_h > 0 && hole_w > 0 {
                    rects.extend([x, y, x + hole_w, y + hole_h]);
                }
            }
            Ok(rects)
        })?;
        let name = intern!(py, "rects").clone().into_any();
        let numbers = rects.into_iter().map(|v| v.into_pyobject(py).map(Bound::into_any));
        PyTuple::new(py, std::iter::once(Ok(name)).chain(numbers).collect::<Result<Vec<_>, _>>()?)
    }
    fn seed(&self) -> u64 {
        self.with(Stream::seed)
    }
    fn seed64(&self) -> u64 {
        self.with(|s| (s.seed() << 11) ^ s.seed())
    }
}

/// The sequence of calls to one node. Counting is one step that no thread can split.
#[pyclass(frozen, module = "ferraug._core")]
pub struct Calls {
    seed: u64,
    count: AtomicU64,
}

#[pymethods]
impl Calls {
    #[new]
    fn new(seed: u64, first: u64) -> Calls {
        Calls { seed, count: AtomicU64::new(first) }
    }
    /// The numbers of the next call; `worker` sets the process apart and is 0 in the first.
    fn next(&self, worker: u64) -> Draw {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        Draw::of(self.seed, Key { parts: [n, worker, 0], n: if worker == 0 { 1 } else { 2 } })
    }
    /// How many calls there were.
    #[getter]
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// Node id of a child.
#[pyfunction]
pub fn fold_node(parent: u32, child: u32) -> u32 {
    rng::fold_path(parent, child)
}

macro_rules! unary {
    ($($f:ident),*) => { $(
        #[allow(missing_docs)]
        #[pyfunction]
        pub fn $f(x: f64) -> f64 { math::$f(x) }
    )* };
}
unary!(exp, ln, sin, cos, tan);

/// x^y.
#[pyfunction]
pub fn pow(x: f64, y: f64) -> f64 {
    math::pow(x, y)
}

/// Angle of (x, y).
#[pyfunction]
pub fn atan2(y: f64, x: f64) -> f64 {
    math::atan2(y, x)
}

type Matrix = (f64, f64, f64, f64, f64, f64);

fn matrix(m: [f64; 6]) -> Matrix {
    (m[0], m[1], m[2], m[3], m[4], m[5])
}

/// T(c)·T(t)·Sh·R·S·T(−c).
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn affine(
    angle: f64,
    sx: f64,
    sy: f64,
    shear_x: f64,
    shear_y: f64,
    tx: f64,
    ty: f64,
    cx: f64,
    cy: f64,
) -> PyResult<Matrix> {
    let m = geom::affine::affine_matrix(angle, sx, sy, shear_x, shear_y, tx, ty, cx, cy);
    if m.iter().all(|v| v.is_finite()) {
        return Ok(matrix(m));
    }
    Err(PyValueError::new_err("affine: the matrix is not finite"))
}

/// The matrix moved so that the whole image shows, and the canvas.
#[pyfunction]
pub fn fit_output(py: Python<'_>, m: [f64; 6], w: usize, h: usize) -> PyResult<(Matrix, usize, usize)> {
    if !m.iter().all(|v| v.abs() < 1e9) {
        return Err(raise(py, Error::value("fit_output: the matrix is out of range")));
    }
    let (m, [w, h]) = geom::affine::fit_output(&m, w, h);
    Ok((matrix(m), w, h))
}

/// Largest axis-aligned rectangle inside the rotated image.
#[pyfunction]
pub fn inner_rect(w: usize, h: usize, angle: f64) -> (usize, usize, usize, usize) {
    let [x0, y0, x1, y1] = geom::affine::crop_border(angle, w, h);
    (x0, y0, x1 - x0, y1 - y0)
}

/// Perspective from jittered corners: forward matrix, output size, keypoint scale and turn.
#[pyfunction]
pub fn perspective(
    py: Python<'_>,
    w: usize,
    h: usize,
    corners: [f64; 8],
    keep_size: bool,
    fit_output: bool,
) -> PyResult<([f64; 9], usize, usize, f64, f64)> {
    let (fw, fh) = (w as f64, h as f64);
    let corners = [0, 2, 4, 6].map(|i| [corners[i] * fw, corners[i + 1] * fh]);
    let p = geom::homography::perspective(corners, w, h, keep_size, fit_output).map_err(|e| raise(py, e))?;
    Ok((p.matrix, p.to[0], p.to[1], p.kp_scale, p.kp_turn))
}

/// GridDistortion: step factors of one axis as the map carries them.
#[pyfunction]
pub fn grid_steps(py: Python<'_>, n: usize, size: usize, mut steps: Vec<f64>, normalized: bool) -> PyResult<Vec<f64>> {
    if steps.len() != n + 1 {
        return Err(PyValueError::new_err(format!("{} steps for {n} cells; one more than cells", steps.len())));
    }
    if normalized {
        geom::field::normalise_steps(&mut steps, size).map_err(|e| raise(py, e))?;
    }
    Ok(steps)
}
