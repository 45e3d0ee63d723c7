//! The plan in words, without pixels.

use super::{LaneInfo, Plan, Rewrites, Stage, plan};
use crate::error::Result;
use crate::image::{DType, Shape};
use crate::op::{Op, Role, Source, Step};
use std::fmt::Write;

/// Prints the stages that `ops` become for a lane: what folded into what, what stands alone and why.
pub fn explain(ops: &[Op], lane: LaneInfo) -> Result<String> {
    let p = plan(ops, 0, lane, Rewrites::default())?;
    let mut out = String::new();
    let role = if lane.role == Role::Mask { "mask" } else { "image" };
    let _ = writeln!(out, "{role} {}: {} ops, {} stages", size(&lane.shape), ops.len(), p.stages.len());
    for (i, stage) in p.stages.iter().enumerate() {
        let _ = writeln!(out, "stage {}: {} → {}", i + 1, describe(stage), size(&stage.out));
        if i > 0 {
            let _ = writeln!(out, "  apart because {}", stage.why);
        }
        for &k in &stage.ops {
            let _ = writeln!(out, "  {:>2} {}", k, op_line(&ops[k]));
        }
    }
    if p.is_untouched() {
        out.push_str("nothing to do: the array comes back as it is\n");
    }
    let idle: Vec<&str> = idle(ops, &p);
    if !idle.is_empty() {
        let _ = writeln!(out, "no pixels of this lane: {}", idle.join(", "));
    }
    Ok(out)
}

fn idle<'a>(ops: &'a [Op], p: &Plan) -> Vec<&'a str> {
    let used: Vec<usize> = p.stages.iter().flat_map(|s| s.ops.iter().copied()).collect();
    let mut names: Vec<&str> = Vec::new();
    for (i, op) in ops.iter().enumerate() {
        if !used.contains(&i) && !names.contains(&op.name()) {
            names.push(op.name());
        }
    }
    names
}

fn size(s: &Shape) -> String {
    let d = if s.d > 1 { format!("{}×", s.d) } else { String::new() };
    format!("{d}{}×{}×{} {}", s.h, s.w, s.c, s.dtype.name())
}

fn describe(s: &Stage) -> String {
    let mut parts = Vec::new();
    parts.push(match &s.source {
        None if s.window.is_whole(&s.in_shape) => "read".to_string(),
        None => "window".to_string(),
        Some(Source::Resize { interp, .. }) => format!("resize {interp:?}").to_lowercase(),
        Some(Source::Warp { interp, border, .. }) => format!("warp {interp:?} {border:?}").to_lowercase(),
        Some(Source::Separable { kernel }) => format!("separable {0}+{0} taps", kernel.len()),
        Some(Source::Conv { k, .. }) => format!("correlation {k}×{k}"),
    });
    if s.source.is_some() && !s.window.is_whole(&s.in_shape) {
        parts[0] += " of a window";
    }
    if let Some(h) = &s.head {
        parts.push(format!("statistics over the {}", format!("{:?}", h.span).to_lowercase()));
    }
    parts.extend(s.steps.iter().map(|p| step_name(&p.step)));
    if s.is_turned() {
        let names =
            ["slices", "rows", "pixels"].into_iter().zip(s.flip).filter_map(|(name, flip)| flip.then_some(name));
        parts.push(format!("{} stored in reverse", names.collect::<Vec<_>>().join(" and ")));
    }
    if s.planar {
        parts.push("channels first".into());
    }
    parts.join(" · ")
}

fn step_name(s: &Step) -> String {
    match s {
        Step::Table(_) => "table".into(),
        Step::Cast { to, .. } if *to == DType::F32 => "to float".into(),
        Step::Nest { body, .. } => {
            format!("[{}]", body.iter().map(step_name).collect::<Vec<_>>().join(" · "))
        }
        other => {
            let text = format!("{other:?}");
            text.split([' ', '(', '{']).next().unwrap_or("").to_lowercase()
        }
    }
}

fn op_line(op: &Op) -> String {
    let text = format!("{op:?}");
    let text = text.split_once('(').map_or(text.as_str(), |(_, rest)| rest.trim_end_matches(')'));
    let mut line = format!("{}  {text}", op.name());
    if line.chars().count() > 110 {
        line = line.chars().take(109).chain(['…']).collect();
    }
    line
}
