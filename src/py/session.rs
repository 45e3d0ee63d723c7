//! One call: its lanes, how far each is in the op list, the questions that advance one of them, and the end.

use super::buffer;
use super::decode;
use super::enter::{guard, raise, work};
use super::lane::{Content, Job, Lane, run};
use super::layout::Layout;
use super::rows::{BoxLane, PointLane, checked};
use crate::exec::points::{Size, advance_boxes, advance_points, size_after};
use crate::exec::{Counted, Late};
use crate::image::{DType, Shape};
use crate::op::{Op, Role};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// The open lanes of one call.
#[pyclass(module = "ferraug._core")]
pub struct Session {
    layout: Py<Layout>,
    first: Option<Shape>,
    size: Size,
    pub(super) lanes: Vec<Lane>,
    boxes: Vec<(Py<PyString>, BoxLane)>,
    points: Vec<(Py<PyString>, PointLane)>,
    pub(super) ops: Vec<Op>,
    nonzero: Option<(Vec<u8>, usize)>,
    pub(super) late: Late,
}

fn named<'a, T>(lanes: &'a mut [(Py<PyString>, T)], py: Python<'_>, target: &str) -> Option<&'a mut T> {
    lanes.iter_mut().find(|(key, _)| key.to_str(py).is_ok_and(|k| k == target)).map(|(_, lane)| lane)
}

/// w, h, d, c, dtype and highest value.
type Look = (usize, usize, usize, usize, &'static str, f64);

fn no_rows(target: &str) -> PyErr {
    PyKeyError::new_err(format!("no box or keypoint target {target:?} in this call"))
}

impl Session {
    /// A call with these lanes; `size` is that of the primary one.
    pub fn new(
        layout: Py<Layout>,
        size: Option<Size>,
        lanes: Vec<Lane>,
        boxes: Vec<(Py<PyString>, BoxLane)>,
        points: Vec<(Py<PyString>, PointLane)>,
    ) -> Session {
        let first = lanes.iter().find(|l| l.role == Role::Image).map(|l| l.content.shape());
        let (size, ops, late) = (size.unwrap_or((0, 0, 0)), Vec::new(), Late::default());
        Session { layout, first, size, lanes, boxes, points, ops, nonzero: None, late }
    }

    fn lane(&self, py: Python<'_>, target: &str) -> PyResult<usize> {
        self.lanes
            .iter()
            .position(|l| l.name(py) == target)
            .ok_or_else(|| PyKeyError::new_err(format!("no array target {target:?} in this call")))
    }

    /// Decodes what is new in the list, and refuses sizes that no array may have.
    fn decode(&mut self, ops: &Bound<'_, PyAny>) -> PyResult<()> {
        let from = self.ops.len();
        decode::extend(&mut self.ops, ops)?;
        for (i, op) in self.ops.iter().enumerate().skip(from) {
            let (w, h, d) = op.size_after((1, 1, 1));
            buffer::check_pixels(ops.py(), op.name(), &[d, h, w]).map_err(|e| decode::at(ops.py(), e, i))?;
        }
        Ok(())
    }

    fn advance_rows(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.boxes.is_empty() && self.points.is_empty() {
            return Ok(());
        }
        let rules = self.layout.get();
        let filter = rules.boxes.as_ref().map(|r| &r.filter);
        for (key, lane) in &mut self.boxes {
            lane.check_moved(&self.ops, key.to_str(py).unwrap_or("?")).map_err(|e| raise(py, e))?;
            advance_boxes(&self.ops, lane.cursor, &mut lane.rows, &mut lane.size, filter).map_err(|e| raise(py, e))?;
            lane.cursor = self.ops.len();
        }
        let remove = rules.points.is_some_and(|r| r.remove_invisible);
        for (_, lane) in &mut self.points {
            advance_points(&self.ops, lane.cursor, &mut lane.rows, &mut lane.size, remove, lane.deep)
                .map_err(|e| raise(py, e))?;
            lane.cursor = self.ops.len();
        }
        Ok(())
    }

    fn finish_all<'py>(
        &mut self,
        py: Python<'py>,
        data: &Bound<'py, PyDict>,
        out: Option<&Bound<'py, PyAny>>,
        fused: bool,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        for i in 0..self.lanes.len() {
            self.close_brackets(py, i)?;
        }
        let mut jobs: Vec<Job<'_>> = Vec::with_capacity(self.lanes.len());
        for lane in &self.lanes {
            jobs.push(lane.job(py, &self.ops, fused)?);
        }
        let mut values = run(py, &jobs, &self.ops, &mut self.late, out, fused)?;
        for (job, value) in jobs.iter().zip(&mut values) {
            *value = Some(job.value(py, value.take())?);
        }
        drop(jobs);
        let mut rows = Vec::new();
        let mut index = None;
        if !(self.boxes.is_empty() && self.points.is_empty()) {
            self.advance_rows(py)?;
            let rules = self.layout.get();
            let index = index.insert(PyDict::new(py));
            for (key, lane) in &self.boxes {
                rows.push((key, lane.give_back(py, rules.boxes.as_ref())?));
                index.set_item(key, PyList::new(py, lane.rows.iter().map(|r| r.index))?)?;
            }
            for (key, lane) in &self.points {
                rows.push((key, lane.give_back(py, rules.points.as_ref())?));
                index.set_item(key, PyList::new(py, lane.rows.iter().map(|r| r.index))?)?;
            }
        }
        // Nothing fails from here on: `data` changes as a whole or not at all.
        for (lane, value) in self.lanes.iter().zip(values) {
            data.set_item(&lane.key, value)?;
        }
        for (key, value) in rows {
            data.set_item(key, value)?;
        }
        Ok(index)
    }
}

#[pymethods]
impl Session {
    #[getter]
    fn w(&self) -> usize {
        self.size.0
    }
    #[getter]
    fn h(&self) -> usize {
        self.size.1
    }
    #[getter]
    fn d(&self) -> usize {
        self.size.2
    }
    #[getter]
    fn c(&self) -> usize {
        self.first.map_or(0, |s| s.c)
    }
    #[getter]
    fn dtype(&self) -> &'static str {
        self.first.map_or("", |s| s.dtype.name())
    }
    #[getter]
    fn max_value(&self) -> f64 {
        self.first.and_then(|s| s.dtype.max_value()).unwrap_or(0.0)
    }
    /// All of the above at once: a crossing costs as much as the six values.
    fn look(&self) -> Look {
        let (w, h, d) = self.size;
        (w, h, d, self.c(), self.dtype(), self.max_value())
    }
    /// Whether image lanes came with different numbers of channels.
    #[getter]
    fn mixed(&self) -> bool {
        let first = self.first.map(|s| s.c);
        self.lanes.iter().any(|l| l.role == Role::Image && Some(l.content.shape().c) != first)
    }
    #[getter]
    fn has_boxes(&self) -> bool {
        !self.boxes.is_empty()
    }
    #[getter]
    fn has_keypoints(&self) -> bool {
        !self.points.is_empty()
    }
    #[getter]
    fn has_mask(&self, py: Python<'_>) -> bool {
        self.lanes.iter().any(|l| matches!(l.name(py), "mask" | "masks"))
    }

    #[allow(clippy::type_complexity)]
    fn boxes(&mut self, py: Python<'_>, ops: &Bound<'_, PyAny>) -> PyResult<Vec<(f64, f64, f64, f64, u32)>> {
        guard(|| {
            self.decode(ops)?;
            self.advance_rows(py)?;
            let lane = named(&mut self.boxes, py, "bboxes");
            Ok(lane.map_or_else(Vec::new, |l| {
                l.rows.iter().map(|r| (r.edges[0], r.edges[1], r.edges[2], r.edges[3], r.index)).collect()
            }))
        })
    }

    #[allow(clippy::type_complexity)]
    fn keypoints(&mut self, py: Python<'_>, ops: &Bound<'_, PyAny>) -> PyResult<Vec<(f64, f64, f64, f64, f64, u32)>> {
        guard(|| {
            self.decode(ops)?;
            self.advance_rows(py)?;
            let lane = named(&mut self.points, py, "keypoints");
            Ok(lane
                .map_or_else(Vec::new, |l| l.rows.iter().map(|p| (p.x, p.y, p.z, p.angle, p.scale, p.index)).collect()))
        })
    }

    /// Takes a mask that is no target of the call; ops name it by the number returned.
    fn add_input(&mut self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        guard(|| {
            let input = buffer::gate(value, "mask", buffer::Axes::Image)?;
            input.hold(py, "mask")?;
            let array = input.array();
            let s = array.shape;
            let mut bytes = Vec::with_capacity(s.len());
            for y in 0..s.h {
                let row = &array.bytes[y * array.row..y * array.row + s.row_bytes()];
                bytes.extend(row.chunks_exact(s.dtype.size()).map(|v| v.iter().any(|b| *b != 0) as u8));
            }
            self.late.inputs.push(Counted { w: s.w, h: s.h, c: s.c, bytes });
            Ok(self.late.inputs.len() - 1)
        })
    }

    #[pyo3(signature = (ops, ignore_values, ignore_channels))]
    fn nonzero(
        &mut self,
        py: Python<'_>,
        ops: &Bound<'_, PyAny>,
        ignore_values: Option<Vec<f64>>,
        ignore_channels: Option<Vec<usize>>,
    ) -> PyResult<usize> {
        guard(|| {
            self.decode(ops)?;
            let name = if self.lanes.iter().any(|l| l.name(py) == "mask") { "mask" } else { "masks" };
            let i = self.lane(py, name)?;
            if self.lanes[i].cursor < self.ops.len() {
                self.advance(py, i)?;
            }
            let content = &self.lanes[i].content;
            let (values, channels) = (ignore_values.unwrap_or_default(), ignore_channels.unwrap_or_default());
            content.hold(py, name)?;
            let array = content.array();
            let count =
                work(py, array.shape.len() as f64, || Ok(crate::exec::image::nonzero(array, &values, &channels)))?;
            let found = count.iter().filter(|v| **v != 0).count();
            self.nonzero = Some((count, array.shape.w));
            Ok(found)
        })
    }

    fn nonzero_at(&self, rank: usize) -> PyResult<(usize, usize)> {
        let none = || PyValueError::new_err(format!("no non-zero pixel of rank {rank}"));
        let (found, w) = self.nonzero.as_ref().ok_or_else(none)?;
        let at = found.iter().enumerate().filter(|(_, v)| **v != 0).nth(rank).ok_or_else(none)?.0;
        Ok((at % w, at / w))
    }

    fn array<'py>(&mut self, py: Python<'py>, ops: &Bound<'py, PyAny>, target: &str) -> PyResult<Bound<'py, PyAny>> {
        guard(|| {
            self.decode(ops)?;
            let i = self.lane(py, target)?;
            self.advance(py, i)
        })
    }

    /// What `look` says of the new content, if the frame is that of this lane.
    fn put(&mut self, target: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Look>> {
        guard(|| {
            let i = self.lane(value.py(), target)?;
            let lane = &mut self.lanes[i];
            let Some(content) = Content::open(value, target, lane.axes, lane.content.is_list())? else {
                return Err(PyValueError::new_err(format!(
                    "{target}: an empty list cannot replace the images there were"
                )));
            };
            lane.own = content.shape().dtype;
            lane.content = content;
            if i > 0 {
                return Ok(None);
            }
            let (s, d) = (lane.content.shape(), lane.content.depth());
            let (w, h, c) = lane.content.frame(lane.planar);
            let d = if lane.volume { d } else { self.size.2 };
            let image = lane.role == Role::Image;
            let (c, dtype) = if image { (c, s.dtype.name()) } else { (0, "") };
            Ok(Some((w, h, d, c, dtype, s.dtype.max_value().filter(|_| image).unwrap_or(0.0))))
        })
    }

    fn rows<'py>(
        &mut self,
        py: Python<'py>,
        ops: &Bound<'py, PyAny>,
        target: &str,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        guard(|| {
            self.decode(ops)?;
            self.advance_rows(py)?;
            let (columns, values, index) = if let Some(l) = named(&mut self.boxes, py, target) {
                (4, l.normalised(), l.index())
            } else if let Some(l) = named(&mut self.points, py, target) {
                (5, l.internal(), l.index())
            } else {
                return Err(no_rows(target));
            };
            let n = index.len();
            Ok((
                buffer::array_from(py, &[n, columns], DType::F64, &values)?,
                buffer::array_from(py, &[n], DType::U32, &index)?,
            ))
        })
    }

    /// `made`: the extra columns of rows that did not come in, which are numbered on from those that did.
    #[pyo3(signature = (target, rows, index, made = Vec::new()))]
    fn put_rows(
        &mut self,
        py: Python<'_>,
        target: &str,
        rows: &Bound<'_, PyAny>,
        index: Vec<u32>,
        made: Vec<Vec<Py<PyAny>>>,
    ) -> PyResult<()> {
        guard(|| {
            let data = buffer::f64_rows(rows, target)?;
            if let Some(l) = named(&mut self.boxes, py, target) {
                let values = checked(data, &index, 4, target).map_err(|e| raise(py, e))?;
                l.put(&values, &index);
                l.container.extend(py, made, target)?;
            } else if let Some(l) = named(&mut self.points, py, target) {
                let values = checked(data, &index, 5, target).map_err(|e| raise(py, e))?;
                l.put(&values, &index);
                l.container.extend(py, made, target)?;
            } else {
                return Err(no_rows(target));
            }
            Ok(())
        })
    }

    fn size(&mut self, ops: &Bound<'_, PyAny>) -> PyResult<Size> {
        guard(|| {
            self.decode(ops)?;
            Ok(size_after(&self.ops, 0, self.size))
        })
    }

    /// Sizes that user code changed are told here: rows then lie in the new frame.
    fn set_size(&mut self, w: usize, h: usize, d: usize) {
        self.boxes.iter_mut().for_each(|(_, l)| l.size = (w, h, d));
        self.points.iter_mut().for_each(|(_, l)| l.size = (w, h, d));
    }

    #[pyo3(signature = (ops, data, out = None, fused = true))]
    fn finish<'py>(
        &mut self,
        py: Python<'py>,
        ops: &Bound<'py, PyAny>,
        data: &Bound<'py, PyDict>,
        out: Option<&Bound<'py, PyAny>>,
        fused: bool,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        guard(|| {
            self.decode(ops)?;
            self.finish_all(py, data, out, fused)
        })
    }
}
