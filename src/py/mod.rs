//! PYTHON: the only room that knows the interpreter and NumPy.

mod buffer;
mod codec;
mod decode;
mod draw;
mod enter;
mod lane;
mod layout;
mod rows;
mod session;
mod trace;

use crate::image::{DType, Shape};
use crate::op::{Op, Role};
use crate::plan::{LaneInfo, explain as explain_plan};
use crate::simd::{self, Level};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Version of the draw and noise streams: equal versions give equal numbers.
const STREAM_VERSION: u32 = 1;

/// The plan of `ops` in words.
#[pyfunction]
#[pyo3(signature = (ops, w, h, d, c, dtype, target = "image"))]
#[allow(clippy::too_many_arguments)]
fn explain(
    py: Python<'_>,
    ops: &Bound<'_, PyAny>,
    w: usize,
    h: usize,
    d: usize,
    c: usize,
    dtype: &str,
    target: &str,
) -> PyResult<String> {
    enter::guard(|| explained(py, ops, Shape { d, h, w, c, dtype: DType::F32 }, dtype, target))
}

fn explained(py: Python<'_>, ops: &Bound<'_, PyAny>, shape: Shape, dtype: &str, target: &str) -> PyResult<String> {
    let mut list = Vec::new();
    decode::extend(&mut list, ops)?;
    let Shape { d, h, w, c, .. } = shape;
    buffer::check_pixels(py, target, &[d, h, w])?;
    if d * h * w == 0 || !(1..=buffer::MAX_CHANNELS).contains(&c) {
        return Err(PyValueError::new_err(format!("{target}: sides ≥1 and channels 1..512, got {:?}", (d, h, w, c))));
    }
    let dtype = DType::from_name(dtype).ok_or_else(|| PyValueError::new_err(format!("unknown dtype {dtype:?}")))?;
    let role = if target.contains("mask") { Role::Mask } else { Role::Image };
    let volume = target.contains("volume") || target.contains("3d");
    let lane = LaneInfo { shape: Shape { dtype, ..shape }, role, volume, own: dtype };
    explain_plan(&list, lane).map_err(|e| enter::raise(py, e))
}

/// Names of all ops.
#[pyfunction]
fn op_names() -> Vec<&'static str> {
    Op::names()
}

/// The SIMD level in use.
#[pyfunction]
fn isa() -> &'static str {
    simd::level().name()
}

/// Lowers or restores the SIMD level.
#[pyfunction]
fn set_isa(name: &str) -> PyResult<&'static str> {
    let level = Level::from_name(name)
        .ok_or_else(|| PyValueError::new_err(format!("unknown level {name:?}; baseline, v3, v4 or vbmi")))?;
    Ok(simd::set_level(level).name())
}

/// Panics inside the doorway, for the tests of the doorway.
#[pyfunction]
fn panic_on_purpose(py: Python<'_>, detached: bool) -> PyResult<()> {
    enter::work(py, if detached { f64::INFINITY } else { 0.0 }, || panic!("on purpose"))
}

/// The exception for an error that no op is to blame for.
fn raise(e: crate::error::Error) -> PyErr {
    Python::attach(|py| enter::raise(py, e))
}

/// The module that Python imports.
#[pymodule(name = "_core", gil_used = false)]
fn core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    enter::keep_panics_quiet();
    m.add("STREAM_VERSION", STREAM_VERSION)?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("InternalError", py.get_type::<enter::InternalError>())?;
    m.add("LimitError", py.get_type::<enter::LimitError>())?;
    m.add("DecodeError", py.get_type::<enter::DecodeError>())?;
    m.add("ConfigError", py.get_type::<enter::ConfigError>())?;
    m.add("UnsafePathError", py.get_type::<enter::UnsafePathError>())?;
    m.add("CropSizeError", py.get_type::<enter::CropSizeError>())?;
    m.add_class::<layout::Layout>()?;
    m.add_class::<session::Session>()?;
    m.add_class::<draw::Draw>()?;
    m.add_class::<draw::Calls>()?;
    for f in [
        wrap_pyfunction!(draw::fold_node, m)?,
        wrap_pyfunction!(draw::exp, m)?,
        wrap_pyfunction!(draw::ln, m)?,
        wrap_pyfunction!(draw::pow, m)?,
        wrap_pyfunction!(draw::sin, m)?,
        wrap_pyfunction!(draw::cos, m)?,
        wrap_pyfunction!(draw::tan, m)?,
        wrap_pyfunction!(draw::atan2, m)?,
        wrap_pyfunction!(draw::affine, m)?,
        wrap_pyfunction!(draw::fit_output, m)?,
        wrap_pyfunction!(draw::inner_rect, m)?,
        wrap_pyfunction!(draw::perspective, m)?,
        wrap_pyfunction!(draw::grid_steps, m)?,
        wrap_pyfunction!(explain, m)?,
        wrap_pyfunction!(op_names, m)?,
        wrap_pyfunction!(isa, m)?,
        wrap_pyfunction!(set_isa, m)?,
        wrap_pyfunction!(panic_on_purpose, m)?,
        wrap_pyfunction!(trace::trace_boxes, m)?,
        wrap_pyfunction!(trace::trace_points, m)?,
        wrap_pyfunction!(trace::trace_rings, m)?,
        wrap_pyfunction!(trace::trace_outlines, m)?,
        wrap_pyfunction!(trace::rle_decode, m)?,
        wrap_pyfunction!(trace::rle_encode, m)?,
        wrap_pyfunction!(trace::rle_to_string, m)?,
        wrap_pyfunction!(trace::rle_from_string, m)?,
        wrap_pyfunction!(codec::decode, m)?,
        wrap_pyfunction!(codec::decode_raw, m)?,
        wrap_pyfunction!(codec::probe, m)?,
        wrap_pyfunction!(codec::encode_jpeg, m)?,
        wrap_pyfunction!(codec::encode_png, m)?,
        wrap_pyfunction!(codec::encode_webp, m)?,
    ] {
        m.add_function(f)?;
    }
    Ok(())
}
