//! An array target on its way: where its pixels are, how far it is in the op list, and how it runs to the end of it.

use super::buffer::{self, Axes, Input, Output, gate, new_array};
use super::enter::{raise, work};
use crate::error::{Error, Result as CoreResult};
use crate::exec::scratch::Scratch;
use crate::exec::{Late, image, plain};
use crate::image::{Array, ArrayMut, DType, Shape};
use crate::op::{Op, Role};
use crate::plan::{LaneInfo, Plan, Rewrites, plan};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

/// Where the pixels of a lane are: in an array that came in, or in ours, packed from a list of equal ones.
pub struct Content {
    input: Input,
    /// The list that was packed.
    list: Option<Py<PyAny>>,
}

fn items<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(l) = value.cast::<PyList>() {
        return Some(l.iter().collect());
    }
    value.cast::<PyTuple>().ok().map(|t| t.iter().collect())
}

impl Content {
    /// Gates a value; `None` for an empty list or stack, which comes back as it is.
    pub fn open(value: &Bound<'_, PyAny>, name: &str, axes: Axes, list: bool) -> PyResult<Option<Content>> {
        if list {
            if let Some(items) = items(value) {
                return Content::pack(value, &items, name);
            }
            if axes == Axes::Stack && buffer::is_empty_stack(value) {
                return Ok(None);
            }
        }
        Ok(Some(Content { input: gate(value, name, axes)?, list: None }))
    }

    fn pack(value: &Bound<'_, PyAny>, items: &[Bound<'_, PyAny>], name: &str) -> PyResult<Option<Content>> {
        let py = value.py();
        let mut inputs: Vec<Input> = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let input = gate(item, &format!("{name}[{i}]"), Axes::Image)?;
            if let Some(first) = inputs.first()
                && (first.shape, first.flat) != (input.shape, input.flat)
            {
                let show = |i: &Input| {
                    let s = &i.shape;
                    let channels = if i.flat { String::new() } else { format!(", {}", s.c) };
                    format!("({}, {}{channels}) {}", s.h, s.w, s.dtype.name())
                };
                return Err(PyValueError::new_err(format!(
                    "{name}[{i}]: {} differs from {name}[0]: {}; all must be equal in shape and dtype",
                    show(&input),
                    show(first)
                )));
            }
            inputs.push(input);
        }
        let Some(first) = inputs.first() else { return Ok(None) };
        let one = first.shape;
        buffer::check_pixels(py, name, &[inputs.len(), one.h, one.w])?;
        let dims = [inputs.len(), one.h, one.w, one.c];
        let array = new_array(py, if first.flat { &dims[..3] } else { &dims }, one.dtype)?;
        let mut output = Output::of(&array, one.bytes() * inputs.len());
        for (input, out) in inputs.iter().zip(output.bytes().chunks_exact_mut(one.bytes())) {
            input.hold(py, name)?;
            let a = input.array();
            for (y, row) in out.chunks_exact_mut(one.row_bytes()).enumerate() {
                row.copy_from_slice(&a.bytes[y * a.row..y * a.row + one.row_bytes()]);
            }
        }
        Ok(Some(Content { input: gate(&array, name, Axes::Stack)?, list: Some(value.clone().unbind()) }))
    }

    pub fn shape(&self) -> Shape {
        self.input.shape
    }
    /// The pixels; see [`Input::hold`].
    pub fn array(&self) -> Array<'_> {
        self.input.array()
    }
    pub fn hold(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.input.hold(py, name)
    }
    pub fn is_list(&self) -> bool {
        self.list.is_some()
    }
    /// Width, height and channels; `planar`: the axis of channels comes before them.
    pub fn frame(&self, planar: bool) -> (usize, usize, usize) {
        let s = self.shape();
        if planar && !self.input.flat { (s.c, s.w, s.h) } else { (s.w, s.h, s.c) }
    }
    /// A fresh array of this shape and rank.
    pub fn new_array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (s, lead) = (self.shape(), self.input.lead());
        let mut dims: Vec<usize> = lead.to_vec();
        dims.extend([s.h, s.w]);
        if !self.input.flat {
            dims.push(s.c);
        }
        new_array(py, &dims, s.dtype)
    }
    /// Slices of one volume.
    pub fn depth(&self) -> usize {
        self.input.lead().last().copied().unwrap_or(1)
    }
}

/// An array target of a call.
pub struct Lane {
    pub key: Py<PyString>,
    pub rank: u8,
    pub role: Role,
    pub axes: Axes,
    pub volume: bool,
    /// The element type it came with.
    pub own: DType,
    pub content: Content,
    pub cursor: usize,
    /// The images of the asides that are open at the cursor, if they began before a cut.
    pub kept: Vec<Content>,
    /// True if a cut came after the layout of the result: the content has its channels first.
    pub planar: bool,
}

/// A result in the making.
pub struct Job<'a> {
    lane: &'a Lane,
    plan: Plan,
    dims: [usize; 5],
    n: usize,
}

impl Lane {
    /// The name of the target.
    pub fn name<'a>(&'a self, py: Python<'_>) -> &'a str {
        self.key.to_str(py).unwrap_or("?")
    }

    fn info(&self) -> LaneInfo {
        let own = self.own;
        // Stacks of volumes are planned as one stack: their slices do not move.
        let volume = self.volume && self.axes == Axes::Stack;
        LaneInfo { shape: self.content.shape(), role: self.role, volume, own, planar: self.planar }
    }

    /// The plan of this lane from its cursor on.
    pub fn job(&self, py: Python<'_>, ops: &[Op], fused: bool) -> PyResult<Job<'_>> {
        let rewrites = if fused { Rewrites::default() } else { Rewrites::NONE };
        let plan = plan(ops, self.cursor, self.info(), rewrites).map_err(|e| self.blame(py, e))?;
        let s = plan.out;
        buffer::check_pixels(py, self.name(py), &[s.d, s.h, s.w])?;
        let mut dims = [0; 5];
        let mut n = 0;
        let mut push = |d| {
            dims[n] = d;
            n += 1;
        };
        match self.content.input.lead() {
            [] => {}
            [_] => push(s.d),
            [first, ..] => {
                push(*first);
                push(s.d / first);
            }
        }
        if plan.planar {
            push(s.c);
        }
        push(s.h);
        push(s.w);
        if !plan.planar && (!self.content.input.flat || s.c != 1) {
            push(s.c);
        }
        Ok(Job { lane: self, plan, dims, n })
    }

    pub fn blame(&self, py: Python<'_>, e: Error) -> PyErr {
        let text = format!("{}: {}", self.name(py), e.text);
        raise(py, Error { text, ..e })
    }
}

impl Job<'_> {
    fn dims(&self) -> &[usize] {
        &self.dims[..self.n]
    }
    /// True if the result has its channels first.
    pub fn planar(&self) -> bool {
        self.plan.planar || self.lane.planar
    }
    /// The element type to which `work("own")` goes back afterwards.
    pub fn own(&self) -> DType {
        self.plan.own
    }
    fn new_array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        new_array(py, self.dims(), self.plan.out.dtype)
    }
    fn output(&self, array: &Bound<'_, PyAny>) -> Output {
        Output::of(array, self.plan.out.bytes())
    }

    /// The Python value of a lane that ran into `array`, or that nothing touches.
    pub fn value<'py>(&self, py: Python<'py>, array: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let content = &self.lane.content;
        match (array, &content.list) {
            (Some(array), None) => Ok(array),
            (Some(array), Some(_)) => {
                // Each item of a list owns its memory.
                let items = PyList::empty(py);
                for item in array.try_iter()? {
                    items.append(item?.call_method0("copy")?)?;
                }
                Ok(items.into_any())
            }
            (None, Some(list)) => Ok(list.bind(py).clone()),
            (None, None) if content.input.own_contiguous => Ok(content.input.object().bind(py).clone()),
            (None, None) => {
                let array = self.new_array(py)?;
                content.hold(py, self.lane.name(py))?;
                let mut output = self.output(&array);
                plain::copy(content.array(), ArrayMut { bytes: output.bytes(), shape: self.plan.out });
                Ok(array)
            }
        }
    }
}

/// One lane's part of a run: what happens without the GIL.
struct Part<'a> {
    plan: &'a Plan,
    input: Array<'a>,
    cursor: usize,
    info: LaneInfo,
    output: Output,
    job: usize,
}

impl Part<'_> {
    fn run(&mut self, ops: &[Op], late: &mut Late, fused: bool, scratch: &mut Scratch) -> CoreResult<()> {
        let dst = ArrayMut { bytes: self.output.bytes(), shape: self.plan.out };
        if !fused {
            return plain::run(ops, self.cursor, self.info, self.input, dst, late, scratch);
        }
        if self.plan.is_untouched() {
            plain::copy(self.input, dst);
            return Ok(());
        }
        image::run(self.plan, self.input, dst, late, scratch)
    }
}

/// Runs `jobs`, without the GIL if that is worth it, into fresh arrays (or `out` for the first); `None` for lanes that
/// nothing touches.
pub fn run<'py>(
    py: Python<'py>,
    jobs: &[Job<'_>],
    ops: &[Op],
    late: &mut Late,
    out: Option<&Bound<'py, PyAny>>,
    fused: bool,
) -> PyResult<Vec<Option<Bound<'py, PyAny>>>> {
    let mut arrays: Vec<Option<Bound<'py, PyAny>>> = Vec::with_capacity(jobs.len());
    for (i, job) in jobs.iter().enumerate() {
        arrays.push(match out.filter(|_| i == 0) {
            Some(out) => Some(out.clone()),
            None if job.plan.is_untouched() => None,
            None => Some(job.new_array(py)?),
        });
    }
    // From here to the end of the run no Python: the pointers taken now must stay good.
    if let (Some(out), Some(job)) = (out, jobs.first()) {
        let inputs = jobs.iter().map(|j| (&j.lane.content.input, j.lane.name(py)));
        buffer::user_output(out, job.dims(), job.plan.out.dtype, inputs)?;
    }
    let mut parts = Vec::with_capacity(jobs.len());
    for (i, (job, array)) in jobs.iter().zip(&arrays).enumerate() {
        let Some(array) = array else { continue };
        let lane = job.lane;
        lane.content.hold(py, lane.name(py))?;
        parts.push(Part {
            plan: &job.plan,
            input: lane.content.array(),
            cursor: lane.cursor,
            info: lane.info(),
            output: job.output(array),
            job: i,
        });
    }
    if parts.is_empty() {
        return Ok(arrays);
    }
    let cost = jobs.iter().map(|j| j.plan.cost()).sum();
    let done = work(py, cost, move || {
        Ok(Scratch::with(|scratch| {
            for part in &mut parts {
                part.run(ops, late, fused, scratch).map_err(|e| (part.job, e))?;
            }
            Ok(())
        }))
    })?;
    done.map_err(|(i, e): (usize, Error)| jobs[i].lane.blame(py, e))?;
    Ok(arrays)
}
