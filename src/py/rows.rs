//! Boxes and keypoints between Python's containers and the core's rows. Extra columns and labels never cross: a row's
//! source index says which ones belong to it.

use super::buffer::{MAX_ROWS, array_from, f64_rows, is_integers, is_ndarray, is_vector, plain_numbers};
use super::enter::raise;
use crate::error::Error;
use crate::exec::points::Size;
use crate::geom::boxes::parse_boxes;
use crate::geom::points::{check_points, parse_points};
use crate::geom::{BoxFilter, BoxFormat, BoxRow, Point, PointFormat};
use crate::image::DType;
use crate::op::{Op, outside};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList, PyString, PyTuple};

/// How the caller passed rows, with what a row has beyond its coordinates.
pub enum Container {
    /// A list or tuple of rows without more than coordinates.
    Plain,
    /// A list or tuple of rows, some with more, which end at these places of the list.
    Extended(Vec<usize>, Vec<Py<PyAny>>),
    /// An array with this many extra columns, row by row.
    Array(usize, Vec<f64>),
}

impl Container {
    /// The extra columns of rows that user code made, after those of the rows that came in.
    pub fn extend(&mut self, py: Python<'_>, made: Vec<Vec<Py<PyAny>>>, name: &str) -> PyResult<()> {
        for row in made {
            match self {
                Container::Plain => {}
                Container::Extended(ends, extras) => {
                    extras.extend(row);
                    ends.push(extras.len());
                }
                Container::Array(extra, _) if row.len() != *extra => {
                    let text = format!("{name}: {} extra columns of a new row, {extra} expected", row.len());
                    return Err(PyValueError::new_err(text));
                }
                Container::Array(_, rest) => {
                    for v in row {
                        rest.push(v.extract(py)?);
                    }
                }
            }
        }
        Ok(())
    }
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
    if v.is_instance_of::<PyString>() || v.extract::<bool>().is_ok() {
        return refuse();
    }
    v.extract::<f64>().or_else(|e| {
        let py = v.py();
        if e.is_instance_of::<PyOverflowError>(py) {
            return Err(PyValueError::new_err(format!("{name}[{row}][{column}]: out of range")));
        }
        // What user code raises by itself goes on as it is.
        if e.is_instance_of::<PyTypeError>(py) { refuse() } else { Err(e) }
    })
}

/// Rows while they are read.
struct Rows<'a, 'py> {
    name: &'a str,
    k: usize,
    n: usize,
    values: Vec<f64>,
    /// Where the extras of each row end; of none before the first that has any.
    ends: Vec<usize>,
    extras: Vec<Bound<'py, PyAny>>,
}

impl<'py> Rows<'_, 'py> {
    fn row(&mut self, i: usize, row: &Bound<'py, PyAny>) -> PyResult<()> {
        let (k, start) = (self.k, self.values.len());
        self.values.resize(start + k, 0.0);
        self.n += 1;
        if plain_numbers(row, &mut self.values[start..]) {
            if !self.extras.is_empty() {
                self.ends.push(self.extras.len());
            }
            return Ok(());
        }
        let mut n = 0;
        let mut take = |v: Bound<'py, PyAny>| {
            if n < k {
                self.values[start + n] = coordinate(&v, self.name, i, n)?;
            } else {
                self.extras.push(v);
            }
            n += 1;
            PyResult::Ok(())
        };
        if let Ok(list) = row.cast::<PyList>() {
            list.iter().try_for_each(&mut take)?;
        } else if let Ok(tuple) = row.cast::<PyTuple>() {
            tuple.iter().try_for_each(&mut take)?;
        } else if is_vector(row) {
            row.call_method0("tolist")?.cast_into::<PyList>()?.iter().try_for_each(&mut take)?;
        } else {
            let what = row.get_type().name()?;
            return Err(PyTypeError::new_err(format!("{}[{i}]: expected a row of {k} numbers, got {what}", self.name)));
        }
        if n < k {
            return Err(PyValueError::new_err(format!("{}[{i}]: {n} values, need {k}", self.name)));
        }
        if !self.extras.is_empty() {
            self.ends.resize(i, 0);
            self.ends.push(self.extras.len());
        }
        Ok(())
    }
}

/// The first `k` numbers of each row, and how they came.
fn parse(obj: &Bound<'_, PyAny>, name: &str, k: usize) -> PyResult<(Vec<f64>, Container)> {
    if is_ndarray(obj) {
        let (n, columns, data) = f64_rows(obj, name)?;
        if n > 0 && columns < k {
            return Err(PyValueError::new_err(format!("{name}[0]: {columns} values, need {k}")));
        }
        let extra = columns.saturating_sub(k);
        if extra == 0 {
            return Ok((data, Container::Array(0, Vec::new())));
        }
        let values = data.chunks_exact(columns).flat_map(|r| r[..k].iter().copied()).collect();
        let rest = data.chunks_exact(columns).flat_map(|r| r[k..].iter().copied()).collect();
        return Ok((values, Container::Array(extra, rest)));
    }
    let rows = |n: usize| {
        let n = n.min(MAX_ROWS + 1);
        Rows { name, k, n: 0, values: Vec::with_capacity(n * k), ends: Vec::new(), extras: Vec::new() }
    };
    // `coordinate` may run user code that changes the list: these iterators look at its length at every step.
    let rows = if let Ok(list) = obj.cast::<PyList>() {
        let mut rows = rows(list.len());
        list.iter().enumerate().take(MAX_ROWS + 1).try_for_each(|(i, row)| rows.row(i, &row))?;
        rows
    } else if let Ok(tuple) = obj.cast::<PyTuple>() {
        let mut rows = rows(tuple.len());
        tuple.iter_borrowed().enumerate().take(MAX_ROWS + 1).try_for_each(|(i, row)| rows.row(i, &row))?;
        rows
    } else {
        let what = obj.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{name}: expected a list, tuple or numpy.ndarray of rows, got {what}"
        )));
    };
    let Rows { n, values, ends, extras, .. } = rows;
    if n > MAX_ROWS {
        return Err(raise(obj.py(), Error::limit(format!("{name}: more than {MAX_ROWS} rows"))));
    }
    if extras.is_empty() {
        return Ok((values, Container::Plain));
    }
    Ok((values, Container::Extended(ends, extras.into_iter().map(Bound::unbind).collect())))
}

/// Rows of `k` numbers each, back in the caller's container.
fn give_back<'py>(
    py: Python<'py>,
    container: &Container,
    k: usize,
    values: &[f64],
    index: impl ExactSizeIterator<Item = u32>,
    dtype: DType,
) -> PyResult<Bound<'py, PyAny>> {
    match container {
        Container::Plain => Ok(PyList::new(py, values.chunks_exact(k))?.into_any()),
        Container::Extended(ends, extras) => {
            let out = PyList::empty(py);
            for (row, i) in values.chunks_exact(k).zip(index) {
                let list = PyList::new(py, row)?;
                let i = i as usize;
                let start = if i == 0 { 0 } else { ends.get(i - 1).copied().unwrap_or(usize::MAX) };
                let more = ends.get(i).and_then(|end| extras.get(start..*end));
                more.unwrap_or_default().iter().try_for_each(|item| list.append(item))?;
                out.append(list)?;
            }
            Ok(out.into_any())
        }
        Container::Array(extra, rest) => {
            let (n, columns) = (index.len(), k + extra);
            let mut data = Vec::with_capacity(n * columns);
            for (row, i) in values.chunks_exact(k).zip(index) {
                data.extend_from_slice(row);
                let start = i as usize * extra;
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
    pub rows: Vec<BoxRow>,
    pub cursor: usize,
    /// Size of the frame at the cursor.
    pub size: Size,
    pub container: Container,
    given: Vec<f64>,
    parsed: Vec<[f64; 4]>,
    first_size: Size,
    /// Where a coordinate is no fraction of the image, though nothing says what else it is.
    odd: Option<(usize, usize, f64)>,
}

impl BoxLane {
    /// Reads the boxes of target `name`; without rules they are internal rows.
    pub fn open(obj: &Bound<'_, PyAny>, name: &str, rules: Option<&BoxRules>, size: Size) -> PyResult<BoxLane> {
        let (given, container) = parse(obj, name, 4)?;
        let (w, h, _) = size;
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
        // Arrays of floats may hold boxes that another transform moved out of the image.
        let limit = if !is_ndarray(obj) || is_integers(obj) { 1.0 + 1e-6 } else { 16.0 };
        let odd = match rules {
            Some(_) => None,
            None => given.iter().position(|v| v.abs() > limit).map(|i| (i / 4, i % 4, given[i])),
        };
        let mut parsed = vec![[f64::NAN; 4]; given.len() / 4];
        let format = rules.map_or(BoxFormat::Albumentations, |r| r.format);
        for row in &rows {
            let i = row.index as usize;
            let v = &given[i * 4..i * 4 + 4];
            // One that was cut at the image comes back cut.
            if row.edges == format.edges([v[0], v[1], v[2], v[3]], w, h) {
                parsed[i] = row.edges;
            }
        }
        Ok(BoxLane { rows, cursor: 0, size, container, given, parsed, first_size: size, odd })
    }

    /// An error if these ops move boxes that cannot be fractions of the image, as boxes without parameters are.
    pub fn check_moved(&self, ops: &[Op], name: &str) -> Result<(), Error> {
        let Some((row, column, v)) = self.odd else { return Ok(()) };
        let (mut i, mut depth) = (self.cursor, ops[..self.cursor].iter().map(Op::nesting).sum());
        loop {
            i = outside(ops, i, std::mem::take(&mut depth));
            match ops.get(i) {
                None => return Ok(()),
                Some(op) if op.moves_rows() => {
                    let column = ["x_min", "y_min", "x_max", "y_max"][column];
                    return Err(Error::value(format!(
                        "{name}[{row}].{column} is {v}: without bbox_params boxes are fractions of the image, 0 to 1; pass \
                         bbox_params"
                    ))
                    .at(i));
                }
                Some(_) => i += 1,
            }
        }
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
        give_back(py, &self.container, 4, &values, self.rows.iter().map(|r| r.index), DType::F64)
    }
}

/// The keypoints of one target.
pub struct PointLane {
    pub rows: Vec<Point>,
    pub cursor: usize,
    /// Size of the frame at the cursor.
    pub size: Size,
    /// True if z counts (there is a volume).
    pub deep: bool,
    pub container: Container,
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
        Ok(PointLane { rows, cursor: 0, size, deep, container })
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
        let index = self.rows.iter().map(|r| r.index);
        let Some(r) = rules else {
            return give_back(py, &self.container, INTERNAL, &self.internal(), index, DType::F32);
        };
        let k = r.format.columns();
        let mut values = vec![0.0; self.rows.len() * k];
        for (row, out) in self.rows.iter().zip(values.chunks_exact_mut(k)) {
            r.format.values(row, r.degrees, out);
        }
        give_back(py, &self.container, k, &values, index, DType::F32)
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
