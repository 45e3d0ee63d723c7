//! One image or mask lane through its plan.

use super::Late;
use super::reader::Reader;
use super::row::{Chain, Place};
use super::scratch::Scratch;
use super::{tap, turn};
use crate::error::Result;
use crate::image::view::{Bytes, elements, elements_mut};
use crate::image::{Array, ArrayMut, Shape};
use crate::kernel::normalize;
use crate::op::{Span, Step};
use crate::plan::{Plan, Stage};
use crate::{with_element, with_sample};

/// Bytes of rows that are made together, so that they are still in cache when the steps come.
const BAND_BYTES: usize = 48 << 10;

/// Pixels that a chain takes at once where rows do not matter: few enough to stay in the first cache on the way.
const SEGMENT: usize = 2048;

/// Runs `plan` from `src` into `dst` (of the plan's output shape; planar as the plan says).
pub fn run(plan: &Plan, src: Array<'_>, dst: ArrayMut<'_>, late: &mut Late, scratch: &mut Scratch) -> Result<()> {
    let n = plan.stages.len();
    let mut buffers: Vec<Option<Bytes>> = (0..=n).map(|_| None).collect();
    let mut dst = Some(dst);
    for (i, stage) in plan.stages.iter().enumerate() {
        let mut own = None;
        let mut out = if i + 1 == n {
            dst.take().expect("the last stage comes once")
        } else {
            ArrayMut { bytes: own.insert(scratch.take(stage.out.bytes())).bytes_mut(), shape: stage.out }
        };
        let shape_of = |b: usize| if b == 0 { src.shape } else { plan.stages[b - 1].out };
        let array = |b: usize| match b {
            0 => src,
            b => Array::packed(
                buffers[b].as_ref().expect("buffers are read after they are written").bytes(),
                shape_of(b),
            ),
        };
        let kept: Vec<Array<'_>> = stage.kept.iter().map(|k| array(k.buffer)).collect();
        run_stage(stage, array(stage.input), &kept, &mut out, late, scratch)?;
        buffers[i + 1] = own;
        for (b, slot) in buffers.iter_mut().enumerate().take(i + 1) {
            let read_later = plan.stages[i + 1..].iter().any(|s| s.input == b || s.kept.iter().any(|k| k.buffer == b));
            if !read_later && let Some(buffer) = slot.take() {
                scratch.give(buffer);
            }
        }
    }
    buffers.into_iter().flatten().for_each(|b| scratch.give(b));
    Ok(())
}

pub(super) fn run_stage(
    stage: &Stage,
    input: Array<'_>,
    kept: &[Array<'_>],
    out: &mut ArrayMut<'_>,
    late: &mut Late,
    scratch: &mut Scratch,
) -> Result<()> {
    let size = [stage.out.d, stage.out.h, stage.out.w];
    let mut reader = Reader::new(input, &stage.window, stage.source.as_ref(), stage.origin, size)?;
    let mut head: Vec<Step> = Vec::new();
    let once = match &stage.head {
        Some(h) if h.span == Span::First => {
            if !late.has(h.op) {
                let fit = tap::reduce(h, input, Some(0), &late.inputs, scratch)?;
                late.set(h.op, fit);
            }
            head = late.get(h.op, &input.shape).transpose()?.unwrap_or_default();
            true
        }
        Some(h) if h.span == Span::Stack || stage.out.d == 1 => {
            head = tap::reduce(h, input, (stage.out.d == 1).then_some(stage.origin[0]), &late.inputs, scratch)?
                .steps(&input.shape)?;
            true
        }
        h => h.is_none(),
    };
    if once {
        let steps = || head.iter().map(|s| (s, stage.origin)).chain(Chain::placed(&stage.steps));
        return run_slices(stage, &mut reader, steps(), kept, out, 0..stage.out.d, scratch);
    }
    for z in 0..stage.out.d {
        let h = stage.head.as_ref().expect("only a head is reduced by slice");
        let head = tap::reduce(h, input, Some(stage.origin[0] + z), &late.inputs, scratch)?.steps(&input.shape)?;
        let steps = head.iter().map(|s| (s, stage.origin)).chain(Chain::placed(&stage.steps));
        run_slices(stage, &mut reader, steps, kept, out, z..z + 1, scratch)?;
    }
    Ok(())
}

fn run_slices<'a>(
    stage: &'a Stage,
    reader: &mut Reader<'_>,
    steps: impl Iterator<Item = (&'a Step, [usize; 3])>,
    kept: &[Array<'a>],
    out: &mut ArrayMut<'_>,
    slices: std::ops::Range<usize>,
    scratch: &mut Scratch,
) -> Result<()> {
    let mut steps: Vec<_> = steps.collect();
    let last = steps.last().map(|(s, _)| *s);
    let mut sink = None;
    if stage.planar
        && let Some(Step::Normalize { mean, denom }) = last
    {
        steps.pop();
        sink = Some((mean.as_slice(), denom.as_slice()));
    }
    if stage.is_turned() && !stage.planar {
        let mut halves = turn::Halves::new(reader.out, &steps, stage, kept)?;
        turn::interleaved(stage, reader, &mut halves, out, slices, scratch);
        return Ok(());
    }
    let mut chain = Chain::new(reader.out, &mut steps.into_iter(), stage, kept)?;
    if stage.planar {
        let [band, row, mirrored] = [(); 3].map(|_| scratch.take(0));
        let mut planar = Planar { sink, out, band, row, mirrored };
        planar.run(stage, reader, &mut chain, slices);
        let Planar { band, row, mirrored, .. } = planar;
        [band, row, mirrored].into_iter().for_each(|b| scratch.give(b));
        return Ok(());
    }
    let mut band = scratch.take(0);
    for z in slices {
        interleaved(stage, reader, &mut chain, out, z, &mut band);
    }
    scratch.give(band);
    Ok(())
}

/// Rows made together: as many as the source likes, but few enough to stay in cache.
pub(super) fn band_rows(reader: &Reader<'_>) -> usize {
    let fit = (BAND_BYTES / reader.out.row_bytes().max(1)).max(1);
    let like = reader.band();
    if like == 1 { fit } else { (fit / like).max(1) * like }
}

pub(super) fn place(stage: &Stage, z: usize, y: usize) -> Place {
    Place { z: stage.origin[0] + z, y: stage.origin[1] + y, x: stage.origin[2] }
}

fn interleaved(
    stage: &Stage,
    reader: &mut Reader<'_>,
    chain: &mut Chain<'_>,
    out: &mut ArrayMut<'_>,
    z: usize,
    band: &mut Bytes,
) {
    let s = stage.out;
    let (row_bytes, h) = (s.row_bytes(), s.h);
    let slice = &mut out.bytes[z * s.slice_bytes()..(z + 1) * s.slice_bytes()];
    if chain.is_empty() {
        reader.rows(z, 0, h, slice);
        return;
    }
    let free = chain.is_place_free();
    if free && let Some(all) = reader.borrow_slice(z) {
        let (from, to) = (SEGMENT * chain.input.pixel_bytes(), SEGMENT * s.pixel_bytes());
        for (src, dst) in all.chunks(from).zip(slice.chunks_mut(to)) {
            chain.run(src, dst, place(stage, z, 0));
        }
        return;
    }
    if chain.only_paints() {
        reader.rows(z, 0, h, slice);
        chain.paint(slice, place(stage, z, 0));
        return;
    }
    if reader.borrow(z, 0).is_some() {
        for (y, dst) in slice.chunks_exact_mut(row_bytes).enumerate() {
            let src = reader.borrow(z, y).expect("as the first row");
            chain.run(src, dst, place(stage, z, y));
        }
        return;
    }
    let step = band_rows(reader);
    let in_place = chain.in_place();
    for y0 in (0..h).step_by(step) {
        let n = step.min(h - y0);
        let dst = &mut slice[y0 * row_bytes..(y0 + n) * row_bytes];
        // Rows of a band lie packed: to a chain that does not ask for the place they are one long row.
        let rows = if free { 1 } else { n };
        if in_place {
            reader.rows(z, y0, n, dst);
            for (i, row) in dst.chunks_exact_mut(row_bytes * n / rows).enumerate() {
                chain.run_in_place(row, place(stage, z, y0 + i));
            }
        } else {
            let in_bytes = chain.input.row_bytes() * n / rows;
            reader.rows(z, y0, n, band.resize(n * chain.input.row_bytes()));
            for (i, row) in dst.chunks_exact_mut(row_bytes * n / rows).enumerate() {
                let src = &band.bytes()[i * in_bytes..(i + 1) * in_bytes];
                chain.run(src, row, place(stage, z, y0 + i));
            }
        }
    }
}

/// The sink that writes channels first, and normalises on the way if that is the last step.
struct Planar<'s, 'o, 'b> {
    sink: Option<(&'s [f32], &'s [f32])>,
    out: &'o mut ArrayMut<'b>,
    band: Bytes,
    row: Bytes,
    mirrored: Bytes,
}

impl Planar<'_, '_, '_> {
    fn run(&mut self, stage: &Stage, reader: &mut Reader<'_>, chain: &mut Chain<'_>, slices: std::ops::Range<usize>) {
        let h = stage.out.h;
        let step = band_rows(reader);
        let in_bytes = chain.input.row_bytes();
        for z in slices {
            if reader.borrow(z, 0).is_some() {
                for y in 0..h {
                    let src = reader.borrow(z, y).expect("as the first row");
                    self.write(stage, chain, src, z, y);
                }
                continue;
            }
            for y0 in (0..h).step_by(step) {
                let n = step.min(h - y0);
                let mut band = std::mem::take(&mut self.band);
                reader.rows(z, y0, n, band.resize(n * in_bytes));
                for i in 0..n {
                    self.write(stage, chain, &band.bytes()[i * in_bytes..(i + 1) * in_bytes], z, y0 + i);
                }
                self.band = band;
            }
        }
    }

    fn write(&mut self, stage: &Stage, chain: &mut Chain<'_>, src: &[u8], z: usize, y: usize) {
        let mut row = std::mem::take(&mut self.row);
        let finished: &[u8] = if chain.is_empty() {
            src
        } else {
            chain.run(src, row.resize(chain.output.row_bytes()), place(stage, z, y));
            row.bytes()
        };
        let s = stage.out;
        let mut finished = finished;
        if stage.flip[2] {
            let to = self.mirrored.resize(chain.output.row_bytes());
            turn::mirror(chain.output, finished, to);
            finished = to;
        }
        let (at, y) = (turn::slice(stage, z) * s.slice_bytes(), turn::row(stage, y));
        let slice = &mut self.out.bytes[at..at + s.slice_bytes()];
        match self.sink {
            Some((mean, denom)) => with_sample!(chain.output.dtype, T => {
                normalize::normalize_planes::<T>(elements(finished), &mut planes::<f32>(slice, s, y), mean, denom);
            }, else unreachable!()),
            None => with_element!(s.dtype, E => {
                normalize::split_row::<E>(elements(finished), &mut planes::<E>(slice, s, y));
            }),
        }
        self.row = row;
    }
}

/// Row `y` of each plane of a channels-first slice.
fn planes<E: crate::image::Element>(slice: &mut [u8], s: Shape, y: usize) -> Vec<&mut [E]> {
    let plane = s.h * s.w;
    elements_mut::<E>(slice).chunks_exact_mut(plane).map(|p| &mut p[y * s.w..(y + 1) * s.w]).collect()
}

/// One byte a pixel of the first slice: 1 where any component of any slice is not zero, once `values` count as zero and
/// `channels` are left out.
pub fn nonzero(array: Array<'_>, values: &[f64], channels: &[usize]) -> Vec<u8> {
    let s = array.shape;
    let size = s.dtype.size();
    let ignored: Vec<Vec<u8>> = values
        .iter()
        .filter_map(|v| crate::image::Fill::all(*v).pixel_bytes(s.dtype, 1).ok())
        .chain([vec![0; size]])
        .collect();
    let mut found = vec![0u8; s.h * s.w];
    for z in 0..s.d {
        for y in 0..s.h {
            let start = z * array.slice + y * array.row;
            let row = &array.bytes[start..start + s.row_bytes()];
            for (pixel, out) in row.chunks_exact(s.c * size).zip(&mut found[y * s.w..(y + 1) * s.w]) {
                let seen = |(k, v): (usize, &[u8])| !channels.contains(&k) && !ignored.iter().any(|i| i == v);
                *out |= pixel.chunks_exact(size).enumerate().any(seen) as u8;
            }
        }
    }
    found
}
