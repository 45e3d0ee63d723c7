//! Boxes and keypoints through the same op list: op by op, because filters stand between the ops and a few rows cost
//! nothing. Nothing between the brackets of an aside moves them.

use crate::error::{Error, Result};
use crate::geom::boxes::{hide_boxes, keep_boxes};
use crate::geom::points::{filter_points, hide_points};
use crate::geom::{BoxFilter, BoxRow, Geom, Outline, Point};
use crate::op::lane::Only;
use crate::op::{Op, Rows};

/// Size (w, h, d) of the frame that rows lie in.
pub type Size = (usize, usize, usize);

/// Rows a call may hold after mirrored copies.
const MAX_ROWS: usize = 10_000_000;

/// The ops of `ops[from..]` that rows see, each with its number and the size before it; `size` ends as the size after.
fn outer<'o>(ops: &'o [Op], from: usize, size: &mut Size, mut f: impl FnMut(&'o Op, Size) -> Result<()>) -> Result<()> {
    let mut depth: i32 = ops[..from].iter().map(Op::nesting).sum();
    for (i, op) in ops.iter().enumerate().skip(from) {
        depth += op.nesting();
        if depth == 0 {
            f(op, *size).map_err(|e| e.at(i))?;
            *size = op.size_after(*size);
        }
    }
    Ok(())
}

/// Size after `ops[from..]`.
pub fn size_after(ops: &[Op], from: usize, mut size: Size) -> Size {
    // The visitor never fails.
    let _ = outer(ops, from, &mut size, |_, _| Ok(()));
    size
}

fn limit(n: usize) -> Result<()> {
    if n > MAX_ROWS {
        return Err(Error::limit(format!("{n} rows after mirrored copies; at most {MAX_ROWS}")));
    }
    Ok(())
}

/// Takes boxes through `ops[from..]`. `filter` is what `filter()` does; without it nothing is dropped or hidden.
pub fn advance_boxes(
    ops: &[Op],
    from: usize,
    rows: &mut Vec<BoxRow>,
    size: &mut Size,
    filter: Option<&BoxFilter>,
) -> Result<()> {
    outer(ops, from, size, |op, (w, h, d)| {
        if rows.is_empty() {
            return Ok(());
        }
        op.with_geom((w, h, d), |g: &Geom<'_>| g.boxes(rows))?;
        limit(rows.len())?;
        match (op.rows(), filter) {
            (Rows::Filter(None | Some(Only::Boxes)), Some(f)) => f.apply(rows, w, h),
            (Rows::Hide { region, shrink: true }, Some(f)) => {
                hide_boxes(rows, |x1, y1, x2, y2| region.visible(x1, y1, x2, y2), f.min_area, f.min_visibility);
            }
            (Rows::Hide { region, shrink: false }, Some(f)) => {
                let count = |x1, y1, x2, y2| region.visible(x1, y1, x2, y2).0;
                keep_boxes(rows, count, w, h, f.min_area, f.min_visibility);
            }
            _ => {}
        }
        Ok(())
    })
}

/// Takes keypoints through `ops[from..]`. `remove` says whether invisible ones go; `deep` whether z counts.
pub fn advance_points(
    ops: &[Op],
    from: usize,
    rows: &mut Vec<Point>,
    size: &mut Size,
    remove: bool,
    deep: bool,
) -> Result<()> {
    outer(ops, from, size, |op, (w, h, d)| {
        if rows.is_empty() {
            return Ok(());
        }
        op.with_geom((w, h, d), |g: &Geom<'_>| g.points(rows))?;
        limit(rows.len())?;
        match op.rows() {
            Rows::Filter(None | Some(Only::Points)) if remove => filter_points(rows, w, h, deep.then_some(d)),
            Rows::Hide { region, .. } if remove => hide_points(rows, |x, y, _| region.contains(x, y)),
            _ => {}
        }
        Ok(())
    })
}

/// Takes outlines through `ops`, cut at the frame after each op that moves them.
pub fn advance_outlines(ops: &[Op], objects: &mut Vec<Outline>, size: &mut Size) -> Result<()> {
    outer(ops, 0, size, |op, at| {
        if !objects.is_empty() {
            op.with_geom(at, |g: &Geom<'_>| g.outlines(objects))?;
            limit(objects.len())?;
        }
        Ok(())
    })
}

/// Takes edge points (corners of oriented boxes and the like) through `ops`; `None` where one is not shown.
pub fn advance_edges(ops: &[Op], points: &mut [Option<[f64; 2]>], size: &mut Size) -> Result<()> {
    outer(ops, 0, size, |op, at| {
        op.with_geom(at, |g: &Geom<'_>| {
            for p in points.iter_mut() {
                *p = p.and_then(|p| g.edge(p));
            }
            Ok(())
        })
        .map(|_| ())
    })
}
