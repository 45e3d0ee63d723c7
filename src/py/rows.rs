//! Boxes and keypoints between Python's containers and the core's rows. Extra columns and labels never cross: a row's
//! source index says which ones belong to it.

use super::buffer::{array_from, f64_rows, is_ndarray};
use super::enter::raise;
use crate::error::Error;
use crate::exec::points::Size;
use crate::geom::boxes::parse_boxes;
use crate::geom::points::{check_points, parse_points};
use crate::geom::{BoxFilter, BoxFormat, BoxRow, Point, PointFormat};
use crate::image::DType;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

/// How the caller passed rows, with what a row has beyond its coordinates.
pub enum Container {
    /// A list or tuple of rows; the rows themselves if any has extra columns.
    Sequence(Option<Vec<Py<PyAny>>>),
    /// An array with this many extra columns, row by row.
    Array(usize, Vec<f64>),
}

/// What `BboxParams` says.
#[derive(Clone, Debug)]
pub struct BoxRules {
    pub format: BoxFormat,
    pub filter: BoxFilter,
    pub clip: bool,
    pub filter_invalid: bool,
}

/// What `KeypointParams` says.
#[derive(Clone, Copy, Debug)]
pub struct PointRules {
    pub format: PointFormat,
    pub remove_invisible: bool,
    pub degrees: bool,
}

fn coordinate(v: &Bound<'_, PyAny>, name: &str, row: usize, column: usize) -> PyResult<f64> {
    if let Ok(f) = v.cast::<PyFloat>() {
        return Ok(f.value());
    }
    let refuse = || {
        let what = v.get_type().name().map_or_else(|_| "object".into(), |s| s.to_string());
        Err(PyTypeError::new_err(format!("{name}[{row}][{column}]: expected a number, got {what}")))
    };
    if v.is_instance_of::<PyBool>() || v.is_instance_of::<PyString>() {
        return refuse();
    }
    if v.is_instance_of::<PyInt>() {
        return v.extract::<f64>().map_err(|_| PyValueError::new_err(format!("{name}[{row}][{column}]: out of range")));
    }
    v.extract::<f64>().or_else(|_| refuse())
}

/// The first `k` numbers of each row, and how they came.
fn parse(obj: &Bound<'_, PyAny>, name: &str, k: usize) -> PyResult<(Vec<f64>, Container)> {
    let py = obj.py();
    if is_ndarray(obj) {
        let (n, columns, data) = f64_rows(obj, name)?;
        if n > 0 && columns < k {
            return Err(PyValueError::new_err(format!("{name}[0]: {columns} values, need {k}")));
        }
        let extra = columns.saturating_sub(k);
        let values = data.chunks_exact(columns.max(1)).flat_map(|r| r[..k].iter().copied()).collect();
        let rest = data.chunks_exact(columns.max(1)).flat_map(|r| r[k..].iter().copied()).collect();
        return Ok((values, Container::Array(extra, rest)));
    }
    let rows: Vec<Bound<'_, PyAny>> = if let Ok(list) = obj.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = obj.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        let what = obj.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{name}: expected a list, tuple or numpy.ndarray of rows, got {what}"
        )));
    };
    let mut values = Vec::with_capacity(rows.len() * k);
    let mut extras = false;
    for (i, row) in rows.iter().enumerate() {
        let mut n = 0;
        let mut take = |v: Bound<'_, PyAny>| {
            if n < k {
                values.push(coordinate(&v, name, i, n)?);
            }
            n += 1;
            PyResult::Ok(())
        };
        if let Ok(list) = row.cast::<PyList>() {
            list.iter().try_for_each(&mut take)?;
        } else if let Ok(tuple) = row.cast::<PyTuple>() {
            tuple.iter().try_for_each(&mut take)?;
        } else if is_ndarray(row) {
            row.call_method0("tolist")?.try_iter()?.try_for_each(|v| take(v?))?;
        } else {
            let what = row.get_type().name()?;
            return Err(PyTypeError::new_err(format!("{name}[{i}]: expected a row of {k} numbers, got {what}")));
        }
        if n < k {
            return Err(PyValueError::new_err(format!("{name}[{i}]: {n} values, need {k}")));
        }
        extras |= n > k;
    }
    let _ = py;
    let rows = extras.then(|| rows.into_iter().map(Bound::unbind).collect());
    Ok((values, Container::Sequence(rows)))
}

/// Rows of `k` numbers each, back in the caller's container.
fn give_back<'py>(
    py: Python<'py>,
    container: &Container,
    k: usize,
    values: &[f64],
    index: &[u32],
    dtype: DType,
) -> PyResult<Bound<'py, PyAny>> {
    match container {
        Container::Sequence(rows) => {
            let out = PyList::empty(py);
            for (row, i) in values.chunks_exact(k).zip(index) {
                let list = PyList::new(py, row)?;
                if let Some(source) = rows.as_ref().and_then(|r| r.get(*i as usize)) {
                    let items: Vec<Bound<'_, PyAny>> = source.bind(py).try_iter()?.skip(k).collect::<PyResult<_>>()?;
                    for item in items {
                        list.append(item)?;
                    }
                }
                out.append(list)?;
            }
            Ok(out.into_any())
        }
        Container::Array(extra, rest) => {
            let (n, columns) = (index.len(), k + extra);
            let mut data = Vec::with_capacity(n * columns);
            for (row, i) in values.chunks_exact(k).zip(index) {
                data.extend_from_slice(row);
                let start = *i as usize * extra;
                match rest.get(start..start + extra) {
                    Some(more) => data.extend_from_slice(more),
                    None => data.extend(std::iter::repeat_n(0.0, *extra)),
                }
            }
            if dtype == DType::F32 {
                let data: Vec<f32> = data.into_iter().map(|v| v as f32).collect();
                return array_from(py, &[n, columns], dtype, &data);
            }
            array_from(py, &[n, columns], dtype, &data)
        }
    }
}

/// The boxes of one target.
pub struct BoxLane {
    pub name: String,
    pub rows: Vec<BoxRow>,
    pub cursor: usize,
    /// Size of the frame at the cursor.
    pub size: Size,
    container: Container,
    given: Vec<f64>,
    parsed: Vec<[f64; 4]>,
    first_size: Size,
}

impl BoxLane {
    /// Reads the boxes of target `name`; without rules they are internal rows.
    pub fn open(obj: &Bound<'_, PyAny>, name: &str, rules: Option<&BoxRules>, size: Size) -> PyResult<BoxLane> {
        let (given, container) = parse(obj, name, 4)?;
        let (w, h, _) = size;
        let mut parsed = Vec::new();
        let rows = match rules {
            Some(r) => {
                parse_boxes(r.format, &given, w, h, r.clip, r.filter_invalid, name).map_err(|e| raise(obj.py(), e))?
            }
            None => given
                .chunks_exact(4)
                .enumerate()
                .map(|(i, v)| BoxRow::new(BoxFormat::Albumentations.edges([v[0], v[1], v[2], v[3]], w, h), i as u32))
                .collect(),
        };
        parsed.resize(given.len() / 4, [f64::NAN; 4]);
        for row in &rows {
            parsed[row.index as usize] = row.edges;
        }
        Ok(BoxLane { name: name.to_string(), rows, cursor: 0, size, container, given, parsed, first_size: size })
    }

    /// Replaces the rows (user code); what came before is forgotten.
    pub fn put(&mut self, values: &[f64], index: &[u32]) {
        let (w, h, _) = self.size;
        let row =
            |(v, i): (&[f64], &u32)| BoxRow::new(BoxFormat::Albumentations.edges([v[0], v[1], v[2], v[3]], w, h), *i);
        self.rows = values.chunks_exact(4).zip(index).map(row).collect();
    }

    /// Source index of each row.
    pub fn index(&self) -> Vec<u32> {
        self.rows.iter().map(|r| r.index).collect()
    }

    /// Normalised rows, as user code sees them.
    pub fn normalised(&self) -> Vec<f64> {
        let (w, h, _) = self.size;
        self.rows.iter().flat_map(|r| BoxFormat::Albumentations.row(r.edges, w, h)).collect()
    }

    /// The rows in the caller's format and container.
    pub fn give_back<'py>(&self, py: Python<'py>, rules: Option<&BoxRules>) -> PyResult<Bound<'py, PyAny>> {
        let format = rules.map_or(BoxFormat::Albumentations, |r| r.format);
        let (w, h, _) = self.size;
        let mut values = Vec::with_capacity(self.rows.len() * 4);
        for row in &self.rows {
            let i = row.index as usize;
            // A box that nothing moved comes back as the very numbers it came as.
            if self.size == self.first_size && self.parsed.get(i) == Some(&row.edges) {
                values.extend_from_slice(&self.given[i * 4..i * 4 + 4]);
            } else {
                values.extend(format.row(row.edges, w, h));
            }
        }
        give_back(py, &self.container, 4, &values, &self.index(), DType::F64)
    }
}

/// The keypoints of one target.
pub struct PointLane {
    pub name: String,
    pub rows: Vec<Point>,
    pub cursor: usize,
    /// Size of the frame at the cursor.
    pub size: Size,
    /// True if z counts (there is a volume).
    pub deep: bool,
    container: Container,
}

/// Columns of an internal keypoint row: x, y, z, angle, scale.
const INTERNAL: usize = 5;

impl PointLane {
    /// Reads the keypoints of target `name`; without rules they are internal rows.
    pub fn open(
        obj: &Bound<'_, PyAny>,
        name: &str,
        rules: Option<&PointRules>,
        size: Size,
        deep: bool,
    ) -> PyResult<PointLane> {
        let py = obj.py();
        let k = rules.map_or(INTERNAL, |r| r.format.columns());
        let (given, container) = parse(obj, name, k)?;
        let rows = match rules {
            Some(r) => {
                let rows = parse_points(r.format, &given, r.degrees, name).map_err(|e| raise(py, e))?;
                if r.remove_invisible {
                    check_points(&rows, size.0, size.1, deep.then_some(size.2), name).map_err(|e| raise(py, e))?;
                }
                rows
            }
            None => internal(&given, &(0..(given.len() / INTERNAL) as u32).collect::<Vec<_>>()),
        };
        Ok(PointLane { name: name.to_string(), rows, cursor: 0, size, deep, container })
    }

    /// Replaces the rows (user code).
    pub fn put(&mut self, values: &[f64], index: &[u32]) {
        self.rows = internal(values, index);
    }

    /// Source index of each row.
    pub fn index(&self) -> Vec<u32> {
        self.rows.iter().map(|r| r.index).collect()
    }

    /// Internal rows, as user code sees them.
    pub fn internal(&self) -> Vec<f64> {
        self.rows.iter().flat_map(|p| [p.x, p.y, p.z, p.angle, p.scale]).collect()
    }

    /// The rows in the caller's format and container.
    pub fn give_back<'py>(&self, py: Python<'py>, rules: Option<&PointRules>) -> PyResult<Bound<'py, PyAny>> {
        let Some(r) = rules else {
            return give_back(py, &self.container, INTERNAL, &self.internal(), &self.index(), DType::F32);
        };
        let k = r.format.columns();
        let mut values = vec![0.0; self.rows.len() * k];
        for (row, out) in self.rows.iter().zip(values.chunks_exact_mut(k)) {
            r.format.values(row, r.degrees, out);
        }
        give_back(py, &self.container, k, &values, &self.index(), DType::F32)
    }
}

fn internal(values: &[f64], index: &[u32]) -> Vec<Point> {
    let point = |(v, i): (&[f64], &u32)| Point { x: v[0], y: v[1], z: v[2], angle: v[3], scale: v[4], index: *i };
    values.chunks_exact(INTERNAL).zip(index).map(point).collect()
}

/// Checks the shape of rows that user code gave back.
pub fn checked(rows: (usize, usize, Vec<f64>), index: &[u32], k: usize, name: &str) -> Result<Vec<f64>, Error> {
    let (n, columns, data) = rows;
    if n != index.len() || (n > 0 && columns != k) {
        return Err(Error::value(format!(
            "{name}: rows of {columns} columns, {k} expected; {} indices for {n} rows",
            index.len()
        )));
    }
    Ok(data)
}
