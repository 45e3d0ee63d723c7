//! Op tuples → ops. Exact types only (`tuple`/`list`, `float`, `int`, `str`, `bool`, `None`), so that no user code can
//! run while decoding.

use super::enter::raise;
use crate::error::Error;
use crate::op::Op;
use crate::op::value::Val;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Nesting of values at most.
const DEPTH: usize = 16;

fn value(obj: &Bound<'_, PyAny>, depth: usize) -> PyResult<Val> {
    if let Ok(f) = obj.cast_exact::<PyFloat>() {
        let f = f.value();
        if !f.is_finite() {
            return Err(PyValueError::new_err(format!("op: {f} is not finite")));
        }
        return Ok(Val::Float(f));
    }
    if obj.cast_exact::<PyInt>().is_ok() {
        return match obj.extract::<i64>() {
            Ok(i) => Ok(Val::Int(i)),
            Err(_) => Err(PyValueError::new_err(format!("op: integer {obj} is out of range"))),
        };
    }
    if let Ok(s) = obj.cast_exact::<PyString>() {
        return Ok(Val::Str(s.to_str()?.into()));
    }
    if obj.is_none() {
        return Ok(Val::None);
    }
    if let Ok(b) = obj.cast_exact::<PyBool>() {
        return Ok(Val::Int(b.is_true() as i64));
    }
    if depth == DEPTH {
        return Err(PyValueError::new_err("op: values nested too deeply"));
    }
    if let Ok(t) = obj.cast_exact::<PyTuple>() {
        let mut items = Vec::with_capacity(t.len());
        for v in t.iter_borrowed() {
            items.push(value(&v, depth + 1)?);
        }
        return Ok(Val::List(items));
    }
    if let Ok(t) = obj.cast_exact::<PyList>() {
        return t.iter().map(|v| value(&v, depth + 1)).collect::<PyResult<_>>().map(Val::List);
    }
    Err(PyValueError::new_err(format!("op: {} is not plain data", obj.get_type())))
}

fn no_name() -> PyErr {
    PyValueError::new_err("op: expected a tuple that begins with its name")
}

/// One op; `items` is room for its arguments.
fn op(obj: &Bound<'_, PyAny>, items: &mut Vec<Val>) -> PyResult<Op> {
    items.clear();
    if let Ok(t) = obj.cast_exact::<PyTuple>() {
        for v in t.iter_borrowed() {
            items.push(value(&v, 1)?);
        }
    } else if let Ok(t) = obj.cast_exact::<PyList>() {
        for v in t.iter() {
            items.push(value(&v, 1)?);
        }
    } else {
        return Err(no_name());
    }
    let (name, arguments) = items.split_first().ok_or_else(no_name)?;
    Op::decode(name.word().ok_or_else(no_name)?, arguments).map_err(|e| raise(obj.py(), e))
}

/// Says which op an error is about.
pub fn at(py: Python<'_>, e: PyErr, i: usize) -> PyErr {
    // An attribute that cannot be set only loses the name of the transform.
    let _ = e.value(py).setattr("op", i);
    e
}

/// Appends the ops of `list` from number `decoded.len()` on.
pub fn extend(decoded: &mut Vec<Op>, list: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = list.py();
    let mut items = Vec::new();
    if let Ok(list) = list.cast::<PyList>() {
        decoded.reserve(list.len().saturating_sub(decoded.len()));
        for i in decoded.len()..list.len() {
            decoded.push(op(&list.get_item(i)?, &mut items).map_err(|e| at(py, e, i))?);
        }
        return Ok(());
    }
    if let Ok(tuple) = list.cast::<PyTuple>() {
        for i in decoded.len()..tuple.len() {
            decoded.push(op(&tuple.get_item(i)?, &mut items).map_err(|e| at(py, e, i))?);
        }
        return Ok(());
    }
    Err(raise(py, Error::type_("ops: expected a list")))
}
