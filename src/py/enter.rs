//! The doorway: errors become exceptions, panics become `InternalError`, and the GIL is let go when the work is worth it.

use crate::error::{Error, Kind};
use crate::image::view::OutOfMemory;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

pyo3::create_exception!(
    ferraug,
    InternalError,
    PyRuntimeError,
    "A bug in ferraug. The call is lost, the next one works."
);
pyo3::create_exception!(ferraug, LimitError, PyValueError, "A size limit was hit before anything was allocated.");
pyo3::create_exception!(ferraug, DecodeError, PyValueError, "A file that cannot be decoded.");
pyo3::create_exception!(ferraug, ConfigError, PyValueError, "A pipeline description that cannot be used.");
pyo3::create_exception!(ferraug, UnsafePathError, PyValueError, "A file name that would leave its folder.");
pyo3::create_exception!(ferraug, CropSizeError, PyValueError, "A crop larger than the image.");

/// Below this much estimated work, letting go of the GIL costs more than it gives (nanoseconds).
const WORTH_DETACHING: f64 = 10_000.0;

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The exception for an error; the op that is to blame becomes the attribute `op`.
pub fn raise(py: Python<'_>, e: Error) -> PyErr {
    let text = e.text;
    let err = match e.kind {
        Kind::Value => PyValueError::new_err(text),
        Kind::Type => PyTypeError::new_err(text),
        Kind::Limit => LimitError::new_err(text),
        Kind::Decode => DecodeError::new_err(text),
        Kind::CropSize => CropSizeError::new_err(text),
        Kind::Internal => InternalError::new_err(text),
    };
    if let Some(op) = e.op {
        // An attribute that cannot be set only loses the name of the transform.
        let _ = err.value(py).setattr("op", op);
    }
    err
}

/// Replaces this extension's panic hook: the place goes into the exception instead of to stderr. Done at import, so that
/// no fork can come in between.
pub fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        PLACE.set(place);
    }));
}

fn panicked(payload: Box<dyn Any + Send>) -> PyErr {
    let place = PLACE.take();
    if let Some(OutOfMemory(bytes)) = payload.downcast_ref() {
        return PyMemoryError::new_err(format!("no memory for a temporary of {bytes} bytes"));
    }
    let what = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".into());
    InternalError::new_err(format!("{what} ({place}); please report this"))
}

/// Runs the body of a method: a panic becomes `InternalError`, never the `PanicException` that ends a loader's worker.
#[inline]
pub fn guard<T>(f: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| Err(panicked(payload)))
}

/// Runs `f` without the GIL if `cost` (estimated ns) is worth it; panics and errors become exceptions.
pub fn work<T: Send>(py: Python<'_>, cost: f64, f: impl FnOnce() -> Result<T, Error> + Send) -> PyResult<T> {
    let guarded = move || catch_unwind(AssertUnwindSafe(f));
    let result = if cost >= WORTH_DETACHING { py.detach(guarded) } else { guarded() };
    match result {
        Ok(Ok(v)) => Ok(v),
        Ok(Err(e)) => Err(raise(py, e)),
        Err(payload) => Err(panicked(payload)),
    }
}
