//! One call: its lanes, how far each is in the op list, the questions that advance one of them, and the end.

use super::buffer::{self, Axes, Input, Output, gate, new_array};
use super::decode;
use super::enter::{raise, work};
use super::rows::{BoxLane, BoxRules, PointLane, PointRules, checked};
use crate::error::{Error, Result as CoreResult};
use crate::exec::points::{Size, advance_boxes, advance_points, size_after};
use crate::exec::scratch::Scratch;
use crate::exec::{Late, image, plain};
use crate::image::view::Bytes;
use crate::image::{Array, ArrayMut, DType, Shape};
use crate::op::{Op, Role};
use crate::plan::{LaneInfo, Plan, Rewrites, plan};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::collections::HashMap;

/// What a target name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array { role: Role, axes: Axes, volume: bool, list: bool },
    Boxes,
    Points,
}

impl Kind {
    fn from_name(name: &str) -> Option<Kind> {
        let array = |role, axes, volume, list| Kind::Array { role, axes, volume, list };
        Some(match name {
            "image" => array(Role::Image, Axes::Image, false, false),
            "images" => array(Role::Image, Axes::Stack, false, true),
            "mask" => array(Role::Mask, Axes::Image, false, false),
            "masks" => array(Role::Mask, Axes::Stack, false, true),
            "volume" => array(Role::Image, Axes::Stack, true, false),
            "volumes" => array(Role::Image, Axes::Stacks, true, false),
            "mask3d" => array(Role::Mask, Axes::Stack, true, false),
            "masks3d" => array(Role::Mask, Axes::Stacks, true, false),
            "bboxes" => Kind::Boxes,
            "keypoints" => Kind::Points,
            _ => return None,
        })
    }
    /// Image lanes before masks, single ones before stacks: the first lane is the primary one.
    fn rank(self) -> u8 {
        match self {
            Kind::Array { role: Role::Image, axes: Axes::Image, .. } => 0,
            Kind::Array { role: Role::Image, volume: false, .. } => 1,
            Kind::Array { role: Role::Image, .. } => 2,
            Kind::Array { .. } => 3,
            _ => 4,
        }
    }
}

/// What the keys of a call mean; made once per pipeline.
#[pyclass(frozen, module = "ferraug._core")]
pub struct Layout {
    kinds: HashMap<String, Kind>,
    boxes: Option<BoxRules>,
    points: Option<PointRules>,
    check_shapes: bool,
}

type BoxTuple = (String, f64, f64, f64, f64, bool, bool, Option<f64>);

#[pymethods]
impl Layout {
    #[new]
    #[pyo3(signature = (kinds, boxes = None, keypoints = None, check_shapes = true))]
    fn new(
        kinds: HashMap<String, String>,
        boxes: Option<BoxTuple>,
        keypoints: Option<(String, bool, bool)>,
        check_shapes: bool,
    ) -> PyResult<Layout> {
        let mut out = HashMap::new();
        for (name, kind) in kinds {
            let known = Kind::from_name(&kind);
            out.insert(name, known.ok_or_else(|| PyValueError::new_err(format!("unknown target kind {kind:?}")))?);
        }
        let boxes = boxes
            .map(|(format, min_area, min_visibility, min_width, min_height, clip, filter_invalid, max_accept_ratio)| {
                let known = crate::geom::BoxFormat::from_name(&format);
                let format = known.ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "unknown box format {format:?}; coco, pascal_voc, albumentations or yolo"
                    ))
                })?;
                let filter =
                    crate::geom::BoxFilter { min_area, min_visibility, min_width, min_height, max_accept_ratio };
                PyResult::Ok(BoxRules { format, filter, clip, filter_invalid })
            })
            .transpose()?;
        let points = keypoints
            .map(|(format, remove_invisible, degrees)| {
                let known = crate::geom::PointFormat::from_name(&format);
                let format = known.ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "unknown keypoint format {format:?}; xy, yx, xya, xys, xyas, xysa or xyz"
                    ))
                })?;
                PyResult::Ok(PointRules { format, remove_invisible, degrees })
            })
            .transpose()?;
        Ok(Layout { kinds: out, boxes, points, check_shapes })
    }

    /// Opens the lanes of a call.
    fn open(slf: Bound<'_, Self>, data: &Bound<'_, PyDict>) -> PyResult<Session> {
        let this = slf.get();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut rows = Vec::new();
        for (key, value) in data.iter() {
            let Ok(key) = key.cast_into::<PyString>() else { continue };
            let name = key.to_str()?;
            let Some(kind) = this.kinds.get(name) else { continue };
            match kind {
                Kind::Array { .. } if value.is_none() && name != "image" => {}
                Kind::Array { role, axes, volume, list } => {
                    if let Some(content) = Content::open(&value, name, *axes, *list)? {
                        lanes.push(Lane {
                            name: name.to_string(),
                            key: key.unbind(),
                            rank: kind.rank(),
                            role: *role,
                            axes: *axes,
                            volume: *volume,
                            own: content.shape().dtype,
                            content,
                            cursor: 0,
                        });
                    }
                }
                _ if value.is_none() => {}
                kind => rows.push((key, *kind, value)),
            }
        }
        lanes.sort_by_key(|l| l.rank);
        let first = lanes.first().map(|l| (l.content.shape(), l.role, l.volume));
        if this.check_shapes
            && let Some((a, _, _)) = first
        {
            for lane in &lanes[1..] {
                let b = lane.content.shape();
                if (a.h, a.w) != (b.h, b.w) {
                    return Err(PyValueError::new_err(format!(
                        "{}: ({}, {}) vs {} ({}, {}): height and width of image, mask and masks must be equal; \
                         is_check_shapes=False turns this check off",
                        lane.name, b.h, b.w, lanes[0].name, a.h, a.w
                    )));
                }
            }
            let mut volumes = lanes.iter().filter(|l| l.volume);
            if let Some(v) = volumes.next()
                && let Some(other) = volumes.find(|l| l.content.depth() != v.content.depth())
            {
                return Err(PyValueError::new_err(format!(
                    "{}: depth {} vs {} depth {}: depth, height and width of volumes must be equal",
                    other.name,
                    other.content.depth(),
                    v.name,
                    v.content.depth()
                )));
            }
        }
        let deep = lanes.iter().find(|l| l.volume).map(|l| l.content.depth());
        let size = first.map(|(s, _, _)| (s.w, s.h, deep.unwrap_or(1)));
        let (mut boxes, mut points) = (Vec::new(), Vec::new());
        for (key, kind, value) in rows {
            let name = key.to_str()?;
            let Some(size) = size else {
                return Err(PyTypeError::new_err(format!(
                    "{name}: an image, mask or volume must come with it, to know the size"
                )));
            };
            if kind == Kind::Boxes {
                boxes.push((key.clone().unbind(), BoxLane::open(&value, name, this.boxes.as_ref(), size)?));
            } else {
                let lane = PointLane::open(&value, name, this.points.as_ref(), size, deep.is_some())?;
                points.push((key.clone().unbind(), lane));
            }
        }
        Ok(Session {
            layout: slf.unbind(),
            first: lanes.iter().find(|l| l.role == Role::Image).map(|l| (l.content.shape(), l.content.flat())),
            size: size.unwrap_or((0, 0, 0)),
            lanes,
            boxes,
            points,
            ops: Vec::new(),
            nonzero: None,
            late: Late::default(),
        })
    }
}

/// Where the pixels of a lane are.
enum Content {
    /// An array that came in.
    Input(Input),
    /// A list of equal arrays, packed; the list itself for when nothing touches it.
    Packed { bytes: Bytes, shape: Shape, flat: bool, list: Py<PyAny> },
}

impl Content {
    fn open(value: &Bound<'_, PyAny>, name: &str, axes: Axes, list: bool) -> PyResult<Option<Content>> {
        let items: Option<Vec<Bound<'_, PyAny>>> = if !list {
            None
        } else if let Ok(l) = value.cast::<PyList>() {
            Some(l.iter().collect())
        } else if let Ok(t) = value.cast::<PyTuple>() {
            Some(t.iter().collect())
        } else {
            None
        };
        let Some(items) = items else {
            if list && axes == Axes::Stack && buffer::is_ndarray(value) {
                // An empty stack comes back as it is.
                let n: usize = value.call_method0("__len__")?.extract()?;
                if n == 0 {
                    return Ok(None);
                }
            }
            return gate(value, name, axes).map(|i| Some(Content::Input(i)));
        };
        if items.is_empty() {
            return Ok(None);
        }
        let mut inputs = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let input = gate(item, &format!("{name}[{i}]"), Axes::Image)?;
            if let Some(first) = inputs.first() {
                let first: &Input = first;
                if (first.shape, first.flat) != (input.shape, input.flat) {
                    let show = |s: &Shape| format!("({}, {}, {}) {}", s.h, s.w, s.c, s.dtype.name());
                    return Err(PyValueError::new_err(format!(
                        "{name}[{i}]: {} differs from {name}[0]: {}",
                        show(&input.shape),
                        show(&first.shape)
                    )));
                }
            }
            inputs.push(input);
        }
        let one = inputs[0].shape;
        let shape = Shape { d: inputs.len(), ..one };
        let mut bytes = Bytes::default();
        let all = bytes.resize(shape.bytes());
        for (input, out) in inputs.iter().zip(all.chunks_exact_mut(one.bytes())) {
            let a = input.array();
            for (y, row) in out.chunks_exact_mut(one.row_bytes()).enumerate() {
                row.copy_from_slice(&a.bytes[y * a.row..y * a.row + one.row_bytes()]);
            }
        }
        Ok(Some(Content::Packed { bytes, shape, flat: inputs[0].flat, list: value.clone().unbind() }))
    }

    fn shape(&self) -> Shape {
        match self {
            Content::Input(i) => i.shape,
            Content::Packed { shape, .. } => *shape,
        }
    }

    fn array(&self) -> Array<'_> {
        match self {
            Content::Input(i) => i.array(),
            Content::Packed { bytes, shape, .. } => Array::packed(bytes.bytes(), *shape),
        }
    }

    fn flat(&self) -> bool {
        match self {
            Content::Input(i) => i.flat,
            Content::Packed { flat, .. } => *flat,
        }
    }

    /// Slices of one volume.
    fn depth(&self) -> usize {
        match self {
            Content::Input(i) => i.lead.last().copied().unwrap_or(1),
            Content::Packed { shape, .. } => shape.d,
        }
    }

    /// Sizes of the axes before H, if there are `d` slices now.
    fn lead(&self, d: usize) -> Vec<usize> {
        match self {
            Content::Input(i) => match i.lead.as_slice() {
                [] => vec![],
                [_] => vec![d],
                [n, ..] => vec![*n, d / n],
            },
            Content::Packed { .. } => vec![],
        }
    }
}

struct Lane {
    name: String,
    key: Py<PyString>,
    rank: u8,
    role: Role,
    axes: Axes,
    volume: bool,
    /// The element type it came with.
    own: DType,
    content: Content,
    cursor: usize,
}

/// A result in the making.
struct Job<'a> {
    lane: &'a Lane,
    plan: Plan,
    dims: Vec<usize>,
}

impl Lane {
    fn info(&self) -> LaneInfo {
        let own = self.own;
        // Stacks of volumes are planned as one stack: their slices do not move.
        let volume = self.volume && self.axes == Axes::Stack;
        LaneInfo { shape: self.content.shape(), role: self.role, volume, own }
    }

    fn job(&self, ops: &[Op], fused: bool) -> CoreResult<Job<'_>> {
        let rewrites = if fused { Rewrites::default() } else { Rewrites::NONE };
        let plan = plan(ops, self.cursor, self.info(), rewrites)?;
        let s = plan.out;
        let mut dims = self.content.lead(s.d);
        let list = matches!(self.content, Content::Packed { .. });
        if list {
            dims.push(s.d);
        }
        if plan.planar {
            dims.extend([s.c, s.h, s.w]);
        } else {
            dims.extend([s.h, s.w]);
            if !self.content.flat() || s.c != 1 {
                dims.push(s.c);
            }
        }
        Ok(Job { lane: self, plan, dims })
    }

    fn blame(&self, py: Python<'_>, e: Error) -> PyErr {
        let text = format!("{}: {}", self.name, e.text);
        raise(py, Error { text, ..e })
    }
}

/// The open lanes of one call.
#[pyclass(module = "ferraug._core")]
pub struct Session {
    layout: Py<Layout>,
    first: Option<(Shape, bool)>,
    size: Size,
    lanes: Vec<Lane>,
    boxes: Vec<(Py<PyString>, BoxLane)>,
    points: Vec<(Py<PyString>, PointLane)>,
    ops: Vec<Op>,
    nonzero: Option<(Vec<u8>, usize)>,
    late: Late,
}

impl Session {
    fn lane(&self, target: &str) -> PyResult<usize> {
        self.lanes
            .iter()
            .position(|l| l.name == target)
            .ok_or_else(|| PyKeyError::new_err(format!("no array target {target:?} in this call")))
    }

    fn cost(jobs: &[Job<'_>]) -> f64 {
        jobs.iter().map(|j| j.plan.cost()).sum()
    }

    /// Runs `jobs` without the GIL into fresh arrays (or `out` for the first).
    fn run<'py>(
        py: Python<'py>,
        jobs: &[Job<'_>],
        ops: &[Op],
        late: &mut Late,
        out: Option<&Bound<'py, PyAny>>,
        fused: bool,
    ) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
        let mut arrays: Vec<Option<Bound<'py, PyAny>>> = Vec::with_capacity(jobs.len());
        let mut outputs: Vec<Option<Output>> = Vec::with_capacity(jobs.len());
        for (i, job) in jobs.iter().enumerate() {
            let bytes = job.plan.out.bytes();
            let array = match out {
                Some(out) if i == 0 => {
                    let inputs: Vec<&Input> = jobs
                        .iter()
                        .filter_map(|j| if let Content::Input(i) = &j.lane.content { Some(i) } else { None })
                        .collect();
                    buffer::user_output(out, &job.dims, job.plan.out.dtype, &inputs)?;
                    Some(out.clone())
                }
                _ if job.plan.is_untouched() => None,
                _ => Some(new_array(py, &job.dims, job.plan.out.dtype)?),
            };
            outputs.push(array.as_ref().map(|a| Output::of(a, bytes)));
            arrays.push(array);
        }
        if outputs.iter().all(Option::is_none) {
            return Ok(arrays);
        }
        let names: Vec<&str> = jobs.iter().map(|j| j.lane.name.as_str()).collect();
        let parts: Vec<_> =
            jobs.iter().map(|j| (&j.plan, j.lane.content.array(), j.lane.cursor, j.lane.info())).collect();
        work(py, Session::cost(jobs), move || {
            Scratch::with(|scratch| {
                for (((plan, input, cursor, info), output), name) in parts.into_iter().zip(&mut outputs).zip(names) {
                    let Some(output) = output else { continue };
                    let dst = ArrayMut { bytes: output.bytes(), shape: plan.out };
                    let done = if !fused {
                        plain::run(ops, cursor, info, input, dst, late, scratch)
                    } else if plan.is_untouched() {
                        plain::copy(input, dst);
                        Ok(())
                    } else {
                        image::run(plan, input, dst, late, scratch)
                    };
                    done.map_err(|e| Error { text: format!("{name}: {}", e.text), ..e })?;
                }
                Ok(())
            })
        })?;
        Ok(arrays)
    }

    /// The Python value of a finished lane.
    fn value<'py>(py: Python<'py>, job: &Job<'_>, array: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match (&job.lane.content, array) {
            (Content::Input(i), None) if i.own_contiguous => Ok(i.object().bind(py).clone()),
            (Content::Input(_), None) => {
                let array = new_array(py, &job.dims, job.plan.out.dtype)?;
                let mut output = Output::of(&array, job.plan.out.bytes());
                plain::copy(job.lane.content.array(), ArrayMut { bytes: output.bytes(), shape: job.plan.out });
                Ok(array)
            }
            (Content::Input(_), Some(array)) => Ok(array),
            (Content::Packed { list, .. }, None) => Ok(list.bind(py).clone()),
            (Content::Packed { .. }, Some(array)) => {
                // Each item of a list owns its memory.
                let items = PyList::empty(py);
                for item in array.try_iter()? {
                    items.append(item?.call_method0("copy")?)?;
                }
                Ok(items.into_any())
            }
        }
    }

    fn decode(&mut self, ops: &Bound<'_, PyAny>) -> PyResult<()> {
        decode::extend(&mut self.ops, ops)
    }

    fn advance_rows(&mut self, py: Python<'_>) -> PyResult<()> {
        let layout = self.layout.bind(py).clone();
        let rules = layout.get();
        let filter = rules.boxes.as_ref().map(|r| &r.filter);
        for (_, lane) in &mut self.boxes {
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

    /// Advances lane `i` to the end of the list; its content becomes an array of our own.
    fn advance<'py>(&mut self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyAny>> {
        let lane = &self.lanes[i];
        let job = lane.job(&self.ops, true).map_err(|e| lane.blame(py, e))?;
        let jobs = [job];
        let mut arrays = Session::run(py, &jobs, &self.ops, &mut self.late, None, true)?;
        let [job] = jobs;
        let array = arrays.pop().flatten();
        let untouched = array.is_none();
        let mut value = Session::value(py, &job, array)?;
        if untouched {
            // The caller's own memory is never handed to user code to write.
            value = match value.cast::<PyList>() {
                Ok(list) => {
                    let copies = PyList::empty(py);
                    for item in list.iter() {
                        copies.append(item.call_method0("copy")?)?;
                    }
                    copies.into_any()
                }
                Err(_) => value.call_method0("copy")?,
            };
        }
        let (name, axes) = (lane.name.clone(), lane.axes);
        let list = matches!(lane.content, Content::Packed { .. });
        if let Some(content) = Content::open(&value, &name, axes, list)? {
            self.lanes[i].content = content;
        }
        self.lanes[i].cursor = self.ops.len();
        Ok(value)
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
        self.first.map_or(0, |(s, _)| s.c)
    }
    #[getter]
    fn dtype(&self) -> &'static str {
        self.first.map_or("", |(s, _)| s.dtype.name())
    }
    #[getter]
    fn max_value(&self) -> f64 {
        self.first.and_then(|(s, _)| s.dtype.max_value()).unwrap_or(0.0)
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
    fn has_mask(&self) -> bool {
        self.lanes.iter().any(|l| l.name == "mask" || l.name == "masks")
    }

    fn boxes(&mut self, py: Python<'_>, ops: &Bound<'_, PyAny>) -> PyResult<Vec<(f64, f64, f64, f64, u32)>> {
        self.decode(ops)?;
        self.advance_rows(py)?;
        let lane = self.boxes.iter().find(|(_, l)| l.name == "bboxes");
        Ok(lane.map_or_else(Vec::new, |(_, l)| {
            l.rows.iter().map(|r| (r.edges[0], r.edges[1], r.edges[2], r.edges[3], r.index)).collect()
        }))
    }

    #[allow(clippy::type_complexity)]
    fn keypoints(&mut self, py: Python<'_>, ops: &Bound<'_, PyAny>) -> PyResult<Vec<(f64, f64, f64, f64, f64, u32)>> {
        self.decode(ops)?;
        self.advance_rows(py)?;
        let lane = self.points.iter().find(|(_, l)| l.name == "keypoints");
        Ok(lane.map_or_else(Vec::new, |(_, l)| {
            l.rows.iter().map(|p| (p.x, p.y, p.z, p.angle, p.scale, p.index)).collect()
        }))
    }

    #[pyo3(signature = (ops, ignore_values, ignore_channels))]
    fn nonzero(
        &mut self,
        py: Python<'_>,
        ops: &Bound<'_, PyAny>,
        ignore_values: Option<Vec<f64>>,
        ignore_channels: Option<Vec<usize>>,
    ) -> PyResult<usize> {
        self.decode(ops)?;
        let name = if self.lanes.iter().any(|l| l.name == "mask") { "mask" } else { "masks" };
        let i = self.lane(name)?;
        if self.lanes[i].cursor < self.ops.len() {
            self.advance(py, i)?;
        }
        let array = self.lanes[i].content.array();
        let (values, channels) = (ignore_values.unwrap_or_default(), ignore_channels.unwrap_or_default());
        let found = work(py, array.shape.len() as f64, || Ok(crate::exec::image::nonzero(array, &values, &channels)))?;
        let count = found.iter().filter(|v| **v != 0).count();
        self.nonzero = Some((found, array.shape.w));
        Ok(count)
    }

    fn nonzero_at(&self, rank: usize) -> PyResult<(usize, usize)> {
        let none = || PyValueError::new_err(format!("no non-zero pixel of rank {rank}"));
        let (found, w) = self.nonzero.as_ref().ok_or_else(none)?;
        let at = found.iter().enumerate().filter(|(_, v)| **v != 0).nth(rank).ok_or_else(none)?.0;
        Ok((at % w, at / w))
    }

    fn array<'py>(&mut self, py: Python<'py>, ops: &Bound<'py, PyAny>, target: &str) -> PyResult<Bound<'py, PyAny>> {
        self.decode(ops)?;
        let i = self.lane(target)?;
        self.advance(py, i)
    }

    fn put(&mut self, target: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let i = self.lane(target)?;
        let lane = &mut self.lanes[i];
        let list = matches!(lane.content, Content::Packed { .. });
        if let Some(content) = Content::open(value, target, lane.axes, list)? {
            lane.own = content.shape().dtype;
            lane.content = content;
        }
        Ok(())
    }

    fn rows<'py>(
        &mut self,
        py: Python<'py>,
        ops: &Bound<'py, PyAny>,
        target: &str,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        self.decode(ops)?;
        self.advance_rows(py)?;
        let (columns, values, index) = if let Some((_, l)) = self.boxes.iter().find(|(_, l)| l.name == target) {
            (4, l.normalised(), l.index())
        } else if let Some((_, l)) = self.points.iter().find(|(_, l)| l.name == target) {
            (5, l.internal(), l.index())
        } else {
            return Err(PyKeyError::new_err(format!("no box or keypoint target {target:?} in this call")));
        };
        let n = index.len();
        Ok((
            buffer::array_from(py, &[n, columns], DType::F64, &values)?,
            buffer::array_from(py, &[n], DType::U32, &index)?,
        ))
    }

    fn put_rows(&mut self, py: Python<'_>, target: &str, rows: &Bound<'_, PyAny>, index: Vec<u32>) -> PyResult<()> {
        let data = buffer::f64_rows(rows, target)?;
        if let Some((_, l)) = self.boxes.iter_mut().find(|(_, l)| l.name == target) {
            let values = checked(data, &index, 4, target).map_err(|e| raise(py, e))?;
            l.put(&values, &index);
        } else if let Some((_, l)) = self.points.iter_mut().find(|(_, l)| l.name == target) {
            let values = checked(data, &index, 5, target).map_err(|e| raise(py, e))?;
            l.put(&values, &index);
        } else {
            return Err(PyKeyError::new_err(format!("no box or keypoint target {target:?} in this call")));
        }
        Ok(())
    }

    fn size(&mut self, ops: &Bound<'_, PyAny>) -> PyResult<Size> {
        self.decode(ops)?;
        Ok(size_after(&self.ops, 0, self.size))
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
        out: Option<Bound<'py, PyAny>>,
        fused: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.decode(ops)?;
        let mut jobs = Vec::with_capacity(self.lanes.len());
        for lane in &self.lanes {
            jobs.push(lane.job(&self.ops, fused).map_err(|e| lane.blame(py, e))?);
        }
        let arrays = Session::run(py, &jobs, &self.ops, &mut self.late, out.as_ref(), fused)?;
        let mut values = Vec::with_capacity(jobs.len());
        for (job, array) in jobs.iter().zip(arrays) {
            values.push((job.lane.key.clone_ref(py), Session::value(py, job, array)?));
        }
        drop(jobs);
        self.advance_rows(py)?;
        let index = PyDict::new(py);
        let layout = self.layout.bind(py).clone();
        let rules = layout.get();
        for (key, lane) in &self.boxes {
            values.push((key.clone_ref(py), lane.give_back(py, rules.boxes.as_ref())?));
            index.set_item(key, lane.index())?;
        }
        for (key, lane) in &self.points {
            values.push((key.clone_ref(py), lane.give_back(py, rules.points.as_ref())?));
            index.set_item(key, lane.index())?;
        }
        for (key, value) in values {
            data.set_item(key, value)?;
        }
        Ok(index)
    }
}
