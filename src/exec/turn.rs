//! The sink of a stage that ends with a flip: rows are made in cache, in their own order, and stored in reverse.

use super::image::{band_rows, place};
use super::reader::Reader;
use super::row::Chain;
use super::scratch::Scratch;
use crate::error::Result;
use crate::image::view::{elements, elements_mut};
use crate::image::{Array, ArrayMut, RowsMut, Shape, Window};
use crate::kernel::copy::{mirror_row, window_rows};
use crate::op::Step;
use crate::plan::Stage;
use crate::with_element;
use std::ops::Range;

/// Rows of a band at most where pixels change size after the turn: they then lie in the near caches three times.
const ROWS: usize = 32;

/// Where slice `z` of the stage is stored.
pub(super) fn slice(stage: &Stage, z: usize) -> usize {
    if stage.flip[0] { stage.out.d - 1 - z } else { z }
}

/// Where row `y` of the stage is stored.
pub(super) fn row(stage: &Stage, y: usize) -> usize {
    if stage.flip[1] { stage.out.h - 1 - y } else { y }
}

/// The pixels of a packed row of shape `s` in reverse.
pub(super) fn mirror(s: Shape, src: &[u8], dst: &mut [u8]) {
    with_element!(s.dtype, E => mirror_row::<E>(elements(src), elements_mut(dst), s.c));
}

/// A chain in two: up to the last step that asks for the place, and the steps from there on, which see rows turned.
pub(super) struct Halves<'a> {
    before: Chain<'a>,
    after: Chain<'a>,
}

impl<'a> Halves<'a> {
    pub fn new(
        input: Shape,
        steps: &[(&'a Step, [usize; 3])],
        stage: &'a Stage,
        kept: &[Array<'a>],
    ) -> Result<Halves<'a>> {
        // As early as may be: later steps may widen pixels, and run on rows where they are to lie.
        let n = steps.iter().rposition(|(step, _)| !step.is_place_free()).map_or(0, |i| i + 1);
        let before = Chain::new(input, &mut steps[..n].iter().copied(), stage, kept)?;
        let after = Chain::new(before.output, &mut steps[n..].iter().copied(), stage, kept)?;
        Ok(Halves { before, after })
    }
}

/// Makes slices, channels last.
pub(super) fn interleaved(
    stage: &Stage,
    reader: &mut Reader<'_>,
    chain: &mut Halves<'_>,
    out: &mut ArrayMut<'_>,
    slices: Range<usize>,
    scratch: &mut Scratch,
) {
    let s = stage.out;
    let Halves { before, after } = chain;
    let mid = before.output;
    let (from, between, to) = (before.input.row_bytes(), mid.row_bytes(), s.row_bytes());
    let (in_place, direct) = (before.in_place(), after.in_place());
    let step = band_rows(reader).min(if direct { usize::MAX } else { ROWS });
    let [mut band, mut made, mut turned] = [(); 3].map(|_| scratch.take(0));
    for z in slices {
        let at = slice(stage, z) * s.slice_bytes();
        let out = &mut out.bytes[at..at + s.slice_bytes()];
        for y0 in (0..s.h).step_by(step) {
            let n = step.min(s.h - y0);
            reader.rows(z, y0, n, band.resize(n * from));
            let rows = band.bytes_mut().chunks_exact_mut(from).enumerate();
            let rows = if in_place {
                if !before.is_empty() {
                    rows.for_each(|(i, row)| before.run_in_place(row, place(stage, z, y0 + i)));
                }
                band.bytes()
            } else {
                for ((i, src), dst) in rows.zip(made.resize(n * between).chunks_exact_mut(between)) {
                    before.run(src, dst, place(stage, z, y0 + i));
                }
                made.bytes()
            };
            let first = if stage.flip[1] { s.h - y0 - n } else { y0 };
            let out = &mut out[first * to..(first + n) * to];
            // No step from here on asks for the place, so the rows of a band are one long row.
            let anywhere = place(stage, z, y0);
            if direct {
                turn(stage, Shape { d: 1, h: n, ..mid }, rows, out);
                if !after.is_empty() {
                    after.run_in_place(out, anywhere);
                }
            } else {
                let turned = turned.resize(n * between);
                turn(stage, Shape { d: 1, h: n, ..mid }, rows, turned);
                after.run(turned, out, anywhere);
            }
        }
    }
    [band, made, turned].into_iter().for_each(|b| scratch.give(b));
}

/// Packed rows of shape `s` in the order in which the stage stores them.
fn turn(stage: &Stage, s: Shape, src: &[u8], dst: &mut [u8]) {
    let mut window = Window::whole(&s);
    window.orient([0, 1, 2], [false, stage.flip[1], stage.flip[2]]);
    with_element!(s.dtype, E => {
        let src = Array::packed(src, s);
        window_rows(&src.volume::<E>(), &window, &[], 0, 0, &mut RowsMut::packed(elements_mut(dst), s.w, s.h, s.c));
    });
}
