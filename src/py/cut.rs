//! A cut: one lane runs to a place in the op list and its content becomes an array, for user code or for a question.
//!
//! A cut may lie inside the brackets of an aside. Then the lane runs to where the bracket opens, the image there is kept
//! with the lane, and is joined with what became of it once the join is in the list.

use super::buffer::Output;
use super::enter::raise;
use super::lane::{Content, run};
use super::session::Session;
use crate::error::Error;
use crate::exec::plain;
use crate::exec::scratch::Scratch;
use crate::image::ArrayMut;
use crate::op::color::Color;
use crate::op::{At, Join, Op, Pixels, Role, Span};
use crate::plan::check_joined;
use pyo3::prelude::*;
use pyo3::types::PyList;

/// A place in the list at which a lane that is cut must stop.
enum Bracket {
    /// An aside whose join has not come yet.
    Opens(usize),
    /// The join of an aside that was cut.
    Closes(usize),
}

impl Session {
    /// Advances lane `i` to the end of the list; its content becomes an array of our own.
    pub(super) fn advance<'py>(&mut self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyAny>> {
        // What is fitted on the primary lane must not be fitted on this one.
        let fitted = |k: usize, op: &Op| op.span() == Some(Span::First) && !self.late.has(k);
        if i > 0 && self.ops.iter().enumerate().skip(self.lanes[0].cursor).any(|(k, op)| fitted(k, op)) {
            self.advance(py, 0)?;
        }
        loop {
            match self.bracket(i) {
                None => return self.run_to(py, i, self.ops.len()),
                Some(Bracket::Closes(k)) => self.close(py, i, k)?,
                Some(Bracket::Opens(k)) => {
                    let value = self.run_to(py, i, k)?;
                    let lane = &self.lanes[i];
                    let kept = Content::open(&value, lane.name(py), lane.axes, lane.content.is_list())?;
                    self.lanes[i].kept.extend(kept);
                    self.pick(py, i, k)?;
                    self.lanes[i].cursor = k + 1;
                }
            }
        }
    }

    /// Joins what lane `i` keeps, as far as the list says so.
    pub(super) fn close_brackets(&mut self, py: Python<'_>, i: usize) -> PyResult<()> {
        while !self.lanes[i].kept.is_empty()
            && let Some(Bracket::Closes(k)) = self.bracket(i)
        {
            self.close(py, i, k)?;
        }
        Ok(())
    }

    fn bracket(&self, i: usize) -> Option<Bracket> {
        let lane = &self.lanes[i];
        if lane.role == Role::Mask {
            return None;
        }
        let mut open = Vec::new();
        for (k, op) in self.ops.iter().enumerate().skip(lane.cursor) {
            match op.nesting() {
                1 => open.push(k),
                -1 if open.pop().is_none() => return Some(Bracket::Closes(k)),
                _ => {}
            }
        }
        open.first().map(|k| Bracket::Opens(*k))
    }

    /// Runs lane `i` to op number `end`.
    fn run_to<'py>(&mut self, py: Python<'py>, i: usize, end: usize) -> PyResult<Bound<'py, PyAny>> {
        let lane = &self.lanes[i];
        let ops = &self.ops[..end];
        let job = [lane.job(py, ops, true)?];
        let array = run(py, &job, ops, &mut self.late, None, true)?.pop().flatten();
        let untouched = array.is_none();
        let (own, planar) = (job[0].own(), job[0].planar());
        let mut value = job[0].value(py, array)?;
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
        if let Some(content) = Content::open(&value, lane.name(py), lane.axes, lane.content.is_list())? {
            self.lanes[i].content = content;
        }
        self.lanes[i].cursor = end;
        self.lanes[i].own = own;
        self.lanes[i].planar = planar;
        Ok(value)
    }

    /// Takes the channels that the aside at op number `k` goes on with.
    fn pick(&mut self, py: Python<'_>, i: usize, k: usize) -> PyResult<()> {
        let lane = &mut self.lanes[i];
        let at = At { shape: lane.content.shape(), role: lane.role, volume: lane.volume };
        let Pixels::Aside(channels) = self.ops[k].pixels(&at).map_err(|e| lane.blame(py, e.at(k)))? else {
            return Err(raise(py, Error::internal("a bracket that is none")));
        };
        let Some(channels) = channels else { return Ok(()) };
        let ops = [Op::Color(Color::Channels { index: channels.iter().map(|c| *c as i64).collect(), fill: 0.0 })];
        lane.cursor = 0;
        let job = [lane.job(py, &ops, true)?];
        let array = run(py, &job, &ops, &mut self.late, None, true)?.pop().flatten();
        let value = job[0].value(py, array)?;
        if let Some(content) = Content::open(&value, lane.name(py), lane.axes, lane.content.is_list())? {
            lane.content = content;
        }
        Ok(())
    }

    /// Runs lane `i` to the join at op number `k`, and joins.
    fn close(&mut self, py: Python<'_>, i: usize, k: usize) -> PyResult<()> {
        self.run_to(py, i, k)?;
        let lane = &mut self.lanes[i];
        lane.cursor = k + 1;
        let Some(kept) = lane.kept.pop() else {
            return Err(lane.blame(py, Error::value("join without its aside").at(k)));
        };
        let new = lane.content.shape();
        let at = At { shape: new, role: lane.role, volume: lane.volume };
        let join = match self.ops[k].pixels(&at).map_err(|e| lane.blame(py, e.at(k)))? {
            Pixels::Join(join) => join,
            _ => return Err(raise(py, Error::internal("a bracket that is none"))),
        };
        check_joined(&join, kept.shape(), new).map_err(|e| lane.blame(py, e.at(k)))?;
        if join == Join::Take {
            return Ok(());
        }
        let array = kept.new_array(py)?;
        kept.hold(py, lane.name(py))?;
        lane.content.hold(py, lane.name(py))?;
        let mut output = Output::of(&array, kept.shape().bytes());
        let dst = ArrayMut { bytes: output.bytes(), shape: kept.shape() };
        Scratch::with(|scratch| plain::join(join, kept.array(), lane.content.array(), dst, &mut self.late, scratch))
            .map_err(|e| raise(py, e))?;
        let value = if lane.content.is_list() {
            PyList::new(py, array.try_iter()?.collect::<PyResult<Vec<_>>>()?)?.into_any()
        } else {
            array
        };
        if let Some(content) = Content::open(&value, lane.name(py), lane.axes, lane.content.is_list())? {
            lane.content = content;
        }
        Ok(())
    }
}
