//! Reductions: an image → the row step that its statistics make.

use super::Counted;
use super::reader::Reader;
use super::scratch::Scratch;
use crate::error::{Error, Result};
use crate::image::view::elements;
use crate::image::{Array, DType, Shape};
use crate::kernel::histogram::{self, Histogram, Sum};
use crate::kernel::table::Table;
use crate::op::point::Round;
use crate::op::stat::Standard;
use crate::op::{Step, Tap, step};
use crate::plan::Head;

/// Standardised values are clipped to ± this, as in 2.0.8.
const CLIP: f32 = 20.0;
/// Added to a deviation or range before dividing, as in 2.0.8.
const EPSILON: f64 = 1e-4;

/// What a reduction found in one image; from it come the steps for that image, or for another one.
pub enum Fit {
    /// v·a + b, b in units of the image whose highest value is `max`.
    Linear {
        /// Factor.
        a: f64,
        /// Addend.
        b: f64,
        /// Highest value.
        max: f64,
        /// u8: round, or truncate.
        round: bool,
    },
    /// These, for images of this element type and number of channels.
    Steps(DType, usize, Vec<Step>),
}

impl Fit {
    /// The steps for images of this shape.
    pub fn steps(&self, shape: &Shape) -> Result<Vec<Step>> {
        match self {
            Fit::Linear { a, b, max, round } => {
                let own = shape.dtype.max_value().unwrap_or(1.0);
                let b = if own == *max { *b } else { b / max * own };
                if shape.dtype == DType::U8 {
                    let round = if *round { Round::Rint } else { Round::Trunc };
                    return Ok(vec![Step::Table(step::linear_table(&[*a], &[b], round))]);
                }
                Ok(vec![Step::linear(&[*a], &[b], true)])
            }
            Fit::Steps(dtype, c, steps) if (*dtype, *c) == (shape.dtype, shape.c) => Ok(steps.clone()),
            Fit::Steps(dtype, c, _) => Err(Error::type_(format!(
                "statistics of {c} channels of {} do not fit {} of {}; give images of one dtype and number of channels",
                dtype.name(),
                shape.c,
                shape.dtype.name()
            ))),
        }
    }
}

/// What `head` finds in slice `z` of its window (`None`: in all slices together).
pub(super) fn reduce(
    head: &Head,
    input: Array<'_>,
    z: Option<usize>,
    inputs: &[Counted],
    scratch: &mut Scratch,
) -> Result<Fit> {
    let w = &head.window;
    let size = [w.axes[0].n, w.axes[1].n, w.axes[2].n];
    let mut reader = Reader::new(input, w, None, [0; 3], size)?;
    let shape = reader.out;
    let slices = z.map_or(0..shape.d, |z| z..z + 1);
    let mut buffer = scratch.take(shape.row_bytes());
    let mut each = |f: &mut dyn FnMut(&[u8])| {
        for z in slices.clone() {
            for y in 0..shape.h {
                match reader.borrow(z, y) {
                    Some(row) => f(row),
                    None => {
                        reader.rows(z, y, 1, buffer.bytes_mut());
                        f(buffer.bytes());
                    }
                }
            }
        }
    };
    let steps = match &head.tap {
        Tap::LinearMean { a, k, gray, safe, round } => {
            let fit = linear_mean(&mut each, shape, *a, *k, *gray, *safe, *round);
            scratch.give(buffer);
            return Ok(fit);
        }
        Tap::Equalize { pil, mask } => {
            let counts = match mask {
                None => {
                    let mut h = Histogram::new(shape.c);
                    each(&mut |row| h.add_row(row));
                    h.channels()
                }
                Some(k) => masked_counts(&mut each, shape, *k, inputs)?,
            };
            let table = |h: &[u32; 256]| {
                if *pil { histogram::equalize_table_pil(h) } else { histogram::equalize_table_cv(h) }
            };
            let tables = match counts.as_slice() {
                [one] => Table::Shared(table(one)),
                all => Table::PerChannel(all.iter().map(table).collect()),
            };
            vec![Step::Table(tables.into())]
        }
        Tap::Standardize(mode) => standardize(&mut each, shape, *mode),
        Tap::PcaGray { channels } => vec![pca_gray(&mut each, shape, *channels)],
    };
    scratch.give(buffer);
    Ok(Fit::Steps(shape.dtype, shape.c, steps))
}

/// Histograms of the pixels that input `k` counts, by one mask for all channels or one for each.
fn masked_counts(each: Each<'_>, shape: Shape, k: usize, inputs: &[Counted]) -> Result<Vec<[u32; 256]>> {
    let Some(mask) = inputs.get(k) else {
        return Err(Error::value(format!("mask: input {k} is not given; a record does not hold masks")));
    };
    if (mask.w, mask.h) != (shape.w, shape.h) || (mask.c != 1 && mask.c != shape.c) {
        return Err(Error::value(format!(
            "mask: ({}, {}, {}) does not fit the image ({}, {}, {}); height and width must be equal, channels 1 or equal",
            mask.h, mask.w, mask.c, shape.h, shape.w, shape.c
        )));
    }
    let counts = |each: Each<'_>, channel: usize| {
        let mut h = Histogram::new(shape.c);
        let mut rows = mask.bytes.chunks_exact(mask.w * mask.c).cycle();
        let mut line = vec![0u8; mask.w];
        each(&mut |row| {
            let pixels = rows.next().unwrap_or_default().chunks_exact(mask.c);
            line.iter_mut().zip(pixels).for_each(|(l, p)| *l = p[channel]);
            h.add_row_masked(row, &line);
        });
        h
    };
    if mask.c == 1 {
        return Ok(counts(each, 0).channels());
    }
    Ok((0..shape.c).map(|k| counts(each, k).channel(k)).collect())
}

type Each<'e> = &'e mut dyn FnMut(&mut dyn FnMut(&[u8]));

fn sums(each: Each<'_>, shape: Shape) -> Sum {
    let mut sum = Sum::new(shape.c);
    each(&mut |row| match shape.dtype {
        DType::U8 => sum.add_u8(row),
        _ => sum.add_row::<f32>(elements(row)),
    });
    sum
}

fn linear_mean(each: Each<'_>, shape: Shape, a: f64, k: f64, gray: bool, safe: bool, round: bool) -> Fit {
    let mean = match (gray, shape.dtype) {
        (true, DType::U8) => {
            let (mut sum, mut n) = (0u64, 0u64);
            each(&mut |row| {
                sum += histogram::gray_sum_row(row);
                n += (row.len() / 3) as u64;
            });
            sum as f64 / n as f64
        }
        (true, _) => {
            let s = sums(each, shape);
            0.299 * s.mean(0) + 0.587 * s.mean(1) + 0.114 * s.mean(2)
        }
        (false, _) => sums(each, shape).mean_all(),
    };
    let max = shape.dtype.max_value().unwrap_or(1.0);
    let (mut a, mut b) = (a, k * mean);
    if safe && a > 0.0 {
        b = b.clamp(0.0, max);
        a = a.min((max - b) / max);
    }
    Fit::Linear { a, b, max, round }
}

/// Mean and deviation, or least and greatest, of each channel (or of all as one).
fn standardize(each: Each<'_>, shape: Shape, mode: Standard) -> Vec<Step> {
    let c = shape.c;
    let whole = matches!(mode, Standard::Image | Standard::MinMax);
    let value = |row: &[u8], i: usize| match shape.dtype {
        DType::U8 => row[i] as f64,
        _ => elements::<f32>(row)[i] as f64,
    };
    let n = if whole { 1 } else { c };
    let slot = |i: usize| if whole { 0 } else { i % c };
    let (mut shift, mut scale) = (vec![0.0f64; n], vec![0.0f64; n]);
    match mode {
        Standard::Image | Standard::ImagePerChannel => {
            let s = sums(each, shape);
            for (k, m) in shift.iter_mut().enumerate() {
                *m = if whole { s.mean_all() } else { s.mean(k) };
            }
            let mut squares = vec![0.0f64; n];
            let mut count = 0usize;
            each(&mut |row| {
                let len = row.len() / shape.dtype.size();
                count += len;
                let mut line = vec![0.0f64; n];
                for i in 0..len {
                    let d = value(row, i) - shift[slot(i)];
                    line[slot(i)] += d * d;
                }
                for (s, l) in squares.iter_mut().zip(&line) {
                    *s += l;
                }
            });
            let per = count as f64 / n as f64;
            for (k, s) in squares.iter().enumerate() {
                let std = (s / per).sqrt();
                // 2.0.8 divides f32 images by the bare deviation per channel, and a flat channel gives 0.
                let bare = mode == Standard::ImagePerChannel && shape.dtype == DType::F32;
                scale[k] = match (bare, std) {
                    (true, 0.0) => 0.0,
                    (true, s) => 1.0 / s,
                    (false, s) => 1.0 / (s + EPSILON),
                };
            }
        }
        Standard::MinMax | Standard::MinMaxPerChannel => {
            let (mut lo, mut hi) = (vec![f64::INFINITY; n], vec![f64::NEG_INFINITY; n]);
            each(&mut |row| {
                for i in 0..row.len() / shape.dtype.size() {
                    let (v, k) = (value(row, i), slot(i));
                    lo[k] = lo[k].min(v);
                    hi[k] = hi[k].max(v);
                }
            });
            for k in 0..n {
                let range = hi[k] - lo[k];
                shift[k] = lo[k];
                // f32 over the whole image is plain min-max in 2.0.8.
                let bare = mode == Standard::MinMax && shape.dtype == DType::F32;
                scale[k] = match (bare, range) {
                    (true, 0.0) => 0.0,
                    (true, r) => 1.0 / r,
                    (false, r) => 1.0 / (r + EPSILON),
                };
            }
        }
    }
    let all = |v: Vec<f64>| (0..c).map(|k| v[if whole { 0 } else { k }] as f32).collect();
    vec![Step::Normalize { mean: all(shift), denom: all(scale) }, Step::Clamp(-CLIP, CLIP)]
}

/// The first principal component of the colours, scaled so that its range over the image is the full range. The sign is
/// free: it is chosen so that the largest weight is positive.
fn pca_gray(each: Each<'_>, shape: Shape, channels: usize) -> Step {
    let c = shape.c;
    let max = shape.dtype.max_value().unwrap_or(1.0);
    let mean: Vec<f64> = {
        let s = sums(each, shape);
        (0..c).map(|k| s.mean(k)).collect()
    };
    let pixel = |row: &[u8], i: usize| -> Vec<f64> {
        (0..c)
            .map(|k| match shape.dtype {
                DType::U8 => row[i * c + k] as f64,
                _ => elements::<f32>(row)[i * c + k] as f64,
            })
            .collect()
    };
    let mut covariance = vec![0.0; c * c];
    each(&mut |row| {
        for i in 0..row.len() / (c * shape.dtype.size()) {
            let p = pixel(row, i);
            for a in 0..c {
                for b in 0..c {
                    covariance[a * c + b] += (p[a] - mean[a]) * (p[b] - mean[b]);
                }
            }
        }
    });
    // Power iteration: the dominant direction of a symmetric matrix without negative eigenvalues.
    let mut v = vec![1.0; c];
    for _ in 0..256 {
        let mut next: Vec<f64> = (0..c).map(|a| (0..c).map(|b| covariance[a * c + b] * v[b]).sum()).collect();
        let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            break;
        }
        next.iter_mut().for_each(|x| *x /= norm);
        v = next;
    }
    let largest = v.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
    if largest < 0.0 {
        v.iter_mut().for_each(|x| *x = -*x);
    }
    let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
    each(&mut |row| {
        for i in 0..row.len() / (c * shape.dtype.size()) {
            let t: f64 = pixel(row, i).iter().zip(&v).map(|(p, w)| p * w).sum();
            lo = lo.min(t);
            hi = hi.max(t);
        }
    });
    let scale = if hi > lo { max / (hi - lo) } else { 0.0 };
    let w = v.iter().map(|x| x * scale).chain([-lo * scale]).collect();
    Step::Weights { w, channels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dtype: DType, c: usize) -> Shape {
        Shape { d: 1, h: 2, w: 3, c, dtype }
    }

    #[test]
    fn a_linear_fit_reads_in_the_units_of_each_image() {
        let fit = Fit::Linear { a: 1.0, b: 51.0, max: 255.0, round: false };
        let steps = fit.steps(&shape(DType::F32, 3)).expect("f32 computes");
        assert!(matches!(&steps[..], [Step::Linear { b, .. }] if b == &[0.2]));
        let steps = fit.steps(&shape(DType::U8, 1)).expect("u8 computes");
        let [Step::Table(table)] = &steps[..] else { panic!("a table for bytes") };
        assert!(matches!(table.table(), Table::Shared(t) if t[100] == 151));
    }

    #[test]
    fn other_fits_are_for_images_of_one_kind() {
        let fit = Fit::Steps(DType::U8, 3, vec![Step::Own]);
        assert!(fit.steps(&shape(DType::U8, 3)).is_ok());
        for other in [shape(DType::F32, 3), shape(DType::U8, 1)] {
            let error = fit.steps(&other).expect_err("another kind of image");
            assert!(error.text.contains("3 channels of uint8"), "{}", error.text);
        }
    }
}
