//! The plain executor: one op at a time, whole buffers, no rewrite. It is the oracle of the planner.

use super::Late;
use super::image;
use super::scratch::Scratch;
use crate::error::{Error, Result};
use crate::image::view::Bytes;
use crate::image::{Array, ArrayMut, Shape, Window};
use crate::op::{At, Join, Op, Pixels, Role, Step};
use crate::plan::{Kept, LaneInfo, Placed, Plan, Rewrites, Stage, plan};

struct Held {
    bytes: Bytes,
    shape: Shape,
    planar: bool,
}

impl Held {
    fn array(&self) -> Array<'_> {
        Array::packed(self.bytes.bytes(), self.shape)
    }
}

/// Copies an array of any row distance into a packed one.
pub fn copy(src: Array<'_>, dst: ArrayMut<'_>) {
    let s = src.shape;
    let rows = dst.bytes.chunks_exact_mut(s.row_bytes());
    for (i, out) in rows.enumerate() {
        let start = (i / s.h) * src.slice + (i % s.h) * src.row;
        out.copy_from_slice(&src.bytes[start..start + s.row_bytes()]);
    }
}

fn hold(src: Array<'_>) -> Held {
    let mut bytes = Bytes::default();
    bytes.resize(src.shape.bytes());
    copy(src, ArrayMut { bytes: bytes.bytes_mut(), shape: src.shape });
    Held { bytes, shape: src.shape, planar: false }
}

/// Runs `ops[from..]` from `src` into `dst`, op by op.
pub fn run(
    ops: &[Op],
    from: usize,
    lane: LaneInfo,
    src: Array<'_>,
    dst: ArrayMut<'_>,
    late: &mut Late,
    scratch: &mut Scratch,
) -> Result<()> {
    let mut now = hold(src);
    let mut kept: Vec<Held> = Vec::new();
    let mask = lane.role == Role::Mask;
    let mut open: i32 = if mask { ops[..from].iter().map(Op::nesting).sum() } else { 0 };
    let mut lane = lane;
    for (i, op) in ops.iter().enumerate().skip(from) {
        open += op.nesting();
        if mask && (open > 0 || op.nesting() != 0) {
            continue;
        }
        let info = LaneInfo { shape: now.shape, ..lane };
        let at = At { shape: now.shape, role: lane.role, volume: lane.volume };
        match op.pixels(&at)? {
            Pixels::Pass => {}
            Pixels::Aside(channels) => {
                kept.push(hold(now.array()));
                if let Some(list) = channels {
                    let index = list.iter().map(|c| *c as i32).collect();
                    let step = Step::Channels { index, fill: vec![0; now.shape.dtype.size()] };
                    now = one_step(&now, step, None, late, scratch)?;
                }
            }
            Pixels::Join(Join::Take) => {
                kept.pop();
            }
            Pixels::Join(join) => {
                let old = kept.pop().ok_or_else(|| Error::value("join without its aside"))?;
                let step = Step::JoinKept { kept: 0, join, channels: old.shape.c };
                now = one_step(&now, step, Some(&old), late, scratch)?;
            }
            _ => {
                // A tap shared between lanes is found under the number of its op.
                let mut single = plan(std::slice::from_ref(op), 0, info, Rewrites::NONE)?;
                for stage in &mut single.stages {
                    if let Some(head) = &mut stage.head {
                        head.op = i;
                    }
                }
                now = apply(&single, &now, late, scratch)?;
                lane.own = single.own;
            }
        }
    }
    dst.bytes.copy_from_slice(now.bytes.bytes());
    debug_assert_eq!(now.shape, dst.shape);
    Ok(())
}

/// Joins a kept image with what became of it, into `dst` of the kept one's shape.
pub fn join(
    join: Join,
    kept: Array<'_>,
    new: Array<'_>,
    dst: ArrayMut<'_>,
    late: &mut Late,
    scratch: &mut Scratch,
) -> Result<()> {
    let step = Step::JoinKept { kept: 0, join, channels: kept.shape.c };
    let done = one_step(&hold(new), step, Some(&hold(kept)), late, scratch)?;
    dst.bytes.copy_from_slice(done.bytes.bytes());
    Ok(())
}

fn apply(plan: &Plan, now: &Held, late: &mut Late, scratch: &mut Scratch) -> Result<Held> {
    if plan.is_untouched() {
        return Ok(hold(now.array()));
    }
    let mut bytes = Bytes::default();
    bytes.resize(plan.out.bytes());
    image::run(plan, now.array(), ArrayMut { bytes: bytes.bytes_mut(), shape: plan.out }, late, scratch)?;
    Ok(Held { bytes, shape: plan.out, planar: plan.planar || now.planar })
}

fn one_step(now: &Held, step: Step, old: Option<&Held>, late: &mut Late, scratch: &mut Scratch) -> Result<Held> {
    let out = step.shape_after(now.shape);
    let mut stage = Stage::reading(now.shape);
    stage.out = out;
    stage.steps.push(Placed { step, base: [0; 3] });
    let mut kept = Vec::new();
    if let Some(old) = old {
        stage.kept.push(Kept { buffer: 0, window: Window::whole(&old.shape), shape: old.shape });
        kept.push(old.array());
    }
    let mut bytes = Bytes::default();
    bytes.resize(out.bytes());
    let mut dst = ArrayMut { bytes: bytes.bytes_mut(), shape: out };
    image::run_stage(&stage, now.array(), &kept, &mut dst, late, scratch)?;
    Ok(Held { bytes, shape: out, planar: now.planar })
}
