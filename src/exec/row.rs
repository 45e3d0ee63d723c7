//! The steps of a stage over one row, or over any segment of pixels if no step depends on the place.

use super::reader::Reader;
use crate::error::Result;
use crate::image::view::{Bytes, elements, elements_mut};
use crate::image::{Array, DType, Shape};
use crate::kernel::hsv::{HsvShift, HsvShiftF32};
use crate::kernel::{blend, color, hsv, normalize, paint, project, table, ycrcb};
use crate::op::color::Colors;
use crate::op::step::Brush;
use crate::op::{Join, Step};
use crate::plan::{Placed, Stage};
use crate::{with_element, with_sample};

/// Where a row lies in the frame of its stage's source: z, y, and the x of its first pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub z: usize,
    pub y: usize,
    pub x: usize,
}

/// A chain of steps with what they need, ready for rows of one width.
pub(super) struct Chain<'a> {
    links: Vec<Link<'a>>,
    /// What comes in and what goes out.
    pub input: Shape,
    pub output: Shape,
    buffers: [Bytes; 2],
}

struct Link<'a> {
    work: Work<'a>,
    input: Shape,
    output: Shape,
    base: [usize; 3],
}

// A chain holds a handful of links.
#[allow(clippy::large_enum_variant)]
enum Work<'a> {
    Table(&'a table::Prepared),
    Nest { pick: Option<Pick>, body: Box<Chain<'a>>, join: &'a Join, row: Bytes, picked: Bytes },
    Pick(Pick),
    Kept { reader: Reader<'a>, join: &'a Join, row: Bytes },
    Paint { region: paint::Prepared, ink: InkBytes },
    Noise { noise: &'a crate::kernel::noise::Noise, buffer: Vec<f32> },
    Step(&'a Step),
}

/// Channels picked from a pixel, with the filled pixel for those that have no source.
struct Pick {
    index: Vec<i32>,
    fill: Bytes,
}

impl Pick {
    fn new(index: Vec<i32>, element: &[u8]) -> Pick {
        let fill = Bytes::of(&element.repeat(index.len()));
        Pick { index, fill }
    }

    fn run(&self, src: &[u8], dst: &mut [u8], dtype: DType, c: usize) {
        with_element!(dtype, E => {
            color::channels_row::<E>(elements(src), elements_mut(dst), c, &self.index, elements(self.fill.bytes()));
        });
    }
}

enum InkBytes {
    Color(Bytes),
    Random(u64),
    Each(u64),
}

impl<'a> Chain<'a> {
    /// Makes `steps` ready for rows of `input`; `kept` are the images that joins read.
    pub fn new(
        input: Shape,
        steps: &mut dyn Iterator<Item = (&'a Step, [usize; 3])>,
        stage: &'a Stage,
        kept: &[Array<'a>],
    ) -> Result<Chain<'a>> {
        let mut shape = input;
        let mut links = Vec::new();
        for (step, base) in steps {
            let output = step.shape_after(shape);
            let work = match step {
                Step::Table(t) => Work::Table(t),
                Step::Nest { channels, body, join } => {
                    let mut inner = shape;
                    if let Some(list) = channels {
                        inner.c = list.len();
                    }
                    let body = Chain::new(inner, &mut body.iter().map(|s| (s, [0; 3])), stage, kept)?;
                    Work::Nest {
                        pick: channels.as_ref().map(|list| {
                            let index = list.iter().map(|c| *c as i32).collect();
                            Pick::new(index, &vec![0; shape.dtype.size()])
                        }),
                        body: Box::new(body),
                        join,
                        row: Bytes::default(),
                        picked: Bytes::default(),
                    }
                }
                Step::Channels { index, fill } => Work::Pick(Pick::new(index.clone(), fill)),
                Step::JoinKept { kept: k, join, .. } => {
                    let window = &stage.kept[*k].window;
                    let size = [window.axes[0].n, window.axes[1].n, window.axes[2].n];
                    Work::Kept {
                        reader: Reader::new(kept[*k], window, None, [0; 3], size)?,
                        join,
                        row: Bytes::default(),
                    }
                }
                Step::Paint { region, brush } => Work::Paint {
                    region: paint::Prepared::new(region),
                    ink: match brush {
                        Brush::Color(bytes) => InkBytes::Color(Bytes::of(bytes)),
                        Brush::Random(seed) => InkBytes::Random(*seed),
                        Brush::Each(seed) => InkBytes::Each(*seed),
                    },
                },
                Step::Noise(noise) => Work::Noise { noise, buffer: Vec::new() },
                step => Work::Step(step),
            };
            links.push(Link { work, input: shape, output, base });
            shape = output;
        }
        Ok(Chain { links, input, output: shape, buffers: Default::default() })
    }

    /// The steps of a stage, as `Chain::new` takes them.
    pub fn placed(steps: &'a [Placed]) -> impl Iterator<Item = (&'a Step, [usize; 3])> {
        steps.iter().map(|p| (&p.step, p.base))
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// True if no step depends on where a pixel lies, so that any run of pixels may be taken at once.
    pub fn is_place_free(&self) -> bool {
        self.links.iter().all(|l| match &l.work {
            Work::Kept { .. } | Work::Paint { .. } | Work::Noise { .. } => false,
            Work::Nest { body, .. } => body.is_place_free(),
            _ => true,
        })
    }

    /// True if the chain is the weighted gray of three channels, for all three.
    fn is_weighted_gray(&self) -> bool {
        let gray =
            |l: &Link<'_>| matches!(l.work, Work::Step(Step::Gray { method: color::Gray::Weighted, channels: 3 }));
        self.links.len() == 1 && self.input.c == 3 && gray(&self.links[0])
    }

    /// True if all steps only paint: most rows are not touched at all.
    pub fn only_paints(&self) -> bool {
        self.links.iter().all(|l| matches!(l.work, Work::Paint { .. }))
    }

    /// Runs a chain that only paints on the packed rows from `at` on, where they lie.
    pub fn paint(&mut self, rows: &mut [u8], at: Place) {
        for link in &mut self.links {
            let (s, row_bytes) = (link.input, link.input.row_bytes());
            let [z, y, x] = [at.z - link.base[0], at.y - link.base[1], at.x - link.base[2]].map(|v| v as i32);
            let Work::Paint { region, ink } = &link.work else { unreachable!("a chain that only paints") };
            if let InkBytes::Color(color) = ink {
                with_element!(s.dtype, E => {
                    region.paint_color_rows::<E>(elements_mut(rows), s.w, elements(color.bytes()), [z, y, x], s.c);
                });
                continue;
            }
            let n = (rows.len() / row_bytes) as i64;
            let covered: Vec<[i32; 2]> = region.covered_rows(z).collect();
            for band in covered {
                let [a, b] = band.map(|v| (i64::from(v) - i64::from(y)).clamp(0, n) as usize);
                for i in a..b {
                    let row = &mut rows[i * row_bytes..(i + 1) * row_bytes];
                    link.in_place_run(row, Place { y: at.y + i, ..at });
                }
            }
        }
    }

    /// True if all steps work on a row where it lies.
    pub fn in_place(&self) -> bool {
        self.links.iter().all(Link::in_place)
    }

    /// Runs an in-place chain on a row where it lies.
    pub fn run_in_place(&mut self, row: &mut [u8], at: Place) {
        for link in &mut self.links {
            link.in_place_run(row, at);
        }
    }

    /// Runs the chain from `src` into `dst` (one packed row each).
    pub fn run(&mut self, src: &[u8], dst: &mut [u8], at: Place) {
        let Some(last) = self.links.iter().rposition(|l| !l.in_place()) else {
            let Some((first, rest)) = self.links.split_first_mut() else {
                dst.copy_from_slice(src);
                return;
            };
            first.run(src, dst, at);
            for link in rest {
                link.in_place_run(dst, at);
            }
            return;
        };
        // Links up to `last` go from buffer to buffer, the rest in place on `dst`.
        let [mut a, mut b] = std::mem::take(&mut self.buffers);
        let mut in_a = false;
        for (i, link) in self.links[..=last].iter_mut().enumerate() {
            let width = src.len() / self.input.pixel_bytes() * link.output.pixel_bytes();
            if i == last {
                link.run(if i == 0 { src } else { a.bytes() }, dst, at);
            } else if in_a && link.in_place() {
                link.in_place_run(a.bytes_mut(), at);
            } else {
                link.run(if i == 0 { src } else { a.bytes() }, b.resize(width), at);
                std::mem::swap(&mut a, &mut b);
                in_a = true;
            }
        }
        self.buffers = [a, b];
        for link in &mut self.links[last + 1..] {
            link.in_place_run(dst, at);
        }
    }
}

impl Link<'_> {
    fn in_place(&self) -> bool {
        match &self.work {
            Work::Pick(_) => false,
            Work::Step(Step::Normalize { .. } | Step::Cast { .. } | Step::Gray { .. } | Step::Weights { .. }) => false,
            _ => self.input == self.output,
        }
    }

    fn run(&mut self, src: &[u8], dst: &mut [u8], at: Place) {
        let (s, c) = (self.input, self.input.c);
        match &mut self.work {
            Work::Table(t) => t.map_row_into(src, dst, c),
            Work::Pick(pick) => pick.run(src, dst, s.dtype, c),
            Work::Step(step) => match step {
                Step::Normalize { mean, denom } => with_sample!(s.dtype, T => {
                    normalize::normalize_row::<T>(elements(src), elements_mut(dst), mean, denom, c);
                }, else unreachable!()),
                Step::Cast { to: DType::F32, max } => cast_row(src, s.dtype, elements_mut(dst), *max),
                Step::Cast { max, .. } => normalize::quantize_row(elements(src), dst, *max as f32),
                Step::Gray { method, channels } if s.dtype == DType::U8 => {
                    color::gray_row(src, dst, *method, c, *channels)
                }
                Step::Gray { method, channels } => {
                    color::gray_f32_row(elements(src), elements_mut(dst), *method, c, *channels);
                }
                Step::Weights { w, channels } => with_sample!(s.dtype, T => {
                    project::weights_row::<T>(elements(src), elements_mut(dst), w, c, *channels);
                }, else unreachable!()),
                _ => {
                    dst.copy_from_slice(src);
                    self.in_place_run(dst, at);
                }
            },
            Work::Kept { reader, join: Join::Put(list), row } => {
                let kept = kept_row(reader, row, self.base, at, s.w);
                dst.copy_from_slice(kept);
                let out_c = self.output.c;
                with_element!(s.dtype, E => put_channels::<E>(elements(src), elements_mut(dst), list, c, out_c));
            }
            _ => {
                dst.copy_from_slice(src);
                self.in_place_run(dst, at);
            }
        }
    }

    fn in_place_run(&mut self, row: &mut [u8], at: Place) {
        let (s, c) = (self.input, self.input.c);
        let [bz, by, bx] = self.base;
        let (z, y, x) = (at.z - bz, at.y - by, at.x - bx);
        match &mut self.work {
            Work::Table(t) => t.map_row(row, c),
            Work::Nest { pick, body, join, row: tmp, picked } => {
                nest(row, s, pick.as_ref(), body, join, tmp, picked, at)
            }
            Work::Kept { reader, join, row: tmp } => {
                let kept = kept_row(reader, tmp, [bz, by, bx], at, s.w);
                match join {
                    Join::Take => {}
                    Join::Lerp(a, b) => with_sample!(s.dtype, T => {
                        blend::lerp_row::<T>(elements(kept), elements_mut(row), *a as f32, *b as f32, true);
                    }, else unreachable!()),
                    // Every channel comes back, each to its place.
                    Join::Put(list) => with_element!(s.dtype, E => {
                        let new = elements::<E>(row).to_vec();
                        put_channels::<E>(&new, elements_mut(row), list, c, c);
                    }),
                }
            }
            Work::Paint { region, ink } => {
                let (z, y, x) = (z as i32, y as i32, x as i32);
                match ink {
                    InkBytes::Color(color) => with_element!(s.dtype, E => {
                        region.paint_color::<E>(elements_mut(row), elements(color.bytes()), z, y, x, c);
                    }),
                    InkBytes::Random(seed) => with_sample!(s.dtype, T => {
                        region.paint_random::<T>(elements_mut(row), *seed, z, y, x, c);
                    }, else unreachable!()),
                    InkBytes::Each(seed) => with_sample!(s.dtype, T => {
                        region.paint_each::<T>(elements_mut(row), *seed, z, y, x, c);
                    }, else unreachable!()),
                }
            }
            Work::Noise { noise, buffer } => with_sample!(s.dtype, T => {
                noise.apply_row::<T>(elements_mut(row), y, x, buffer);
            }, else unreachable!()),
            Work::Pick(_) => unreachable!("channels are picked from one row into another"),
            Work::Step(step) => match step {
                Step::Linear { a, b, clip } => table::linear_row(elements_mut(row), a, b, *clip, c),
                Step::Gamma(g) => table::gamma_row(elements_mut(row), *g),
                Step::Clamp(lo, hi) => {
                    for v in elements_mut::<f32>(row) {
                        *v = v.max(*lo).min(*hi);
                    }
                }
                Step::Space(from, to) if s.dtype == DType::U8 => space_row(row, *from, *to),
                Step::Space(from, to) => space_f32_row(elements_mut(row), *from, *to),
                Step::HsvShift { hue, sat, val } if s.dtype == DType::U8 => {
                    hsv::hsv_shift_row(row, HsvShift::new(*hue, *sat, *val));
                }
                Step::HsvShift { hue, sat, val } => {
                    hsv::hsv_shift_f32_row(elements_mut(row), float_shift(*hue, *sat, *val))
                }
                Step::HsvShiftRgb { hue, sat, val } if s.dtype == DType::U8 => {
                    hsv::hsv_shift_rgb_row(row, HsvShift::new(*hue, *sat, *val));
                }
                Step::HsvShiftRgb { hue, sat, val } => {
                    hsv::hsv_shift_rgb_f32_row(elements_mut(row), float_shift(*hue, *sat, *val));
                }
                step => unreachable!("{step:?} does not work in place"),
            },
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn nest(
    row: &mut [u8],
    s: Shape,
    pick: Option<&Pick>,
    body: &mut Chain<'_>,
    join: &Join,
    tmp: &mut Bytes,
    picked: &mut Bytes,
    at: Place,
) {
    if let (None, Join::Lerp(a, b), true) = (pick, join, body.is_weighted_gray() && s.dtype == DType::U8) {
        blend::saturate_row(row, *a as f32, *b as f32);
        return;
    }
    let pixels = row.len() / s.pixel_bytes();
    let source: &[u8] = match pick {
        None => row,
        Some(pick) => {
            pick.run(row, picked.resize(pixels * body.input.pixel_bytes()), s.dtype, s.c);
            picked.bytes()
        }
    };
    body.run(source, tmp.resize(pixels * body.output.pixel_bytes()), at);
    let new = tmp.bytes_mut();
    match join {
        Join::Take => row.copy_from_slice(new),
        Join::Put(list) => {
            with_element!(s.dtype, E => put_channels::<E>(elements(new), elements_mut(row), list, list.len(), s.c));
        }
        Join::Lerp(a, b) => with_sample!(s.dtype, T => {
            // A sum has the same bits either way round, so the row itself can take it.
            blend::lerp_row::<T>(elements(new), elements_mut(row), *b as f32, *a as f32, true);
        }, else unreachable!()),
    }
}

fn kept_row<'r>(reader: &'r mut Reader<'_>, tmp: &'r mut Bytes, base: [usize; 3], at: Place, w: usize) -> &'r [u8] {
    let pixel = reader.out.c * reader.out.dtype.size();
    let (z, y, x) = (at.z - base[0], at.y - base[1], at.x - base[2]);
    let whole: &[u8] = match reader.borrow(z, y) {
        Some(row) => row,
        None => {
            let row = tmp.resize(reader.out.row_bytes());
            reader.rows(z, y, 1, row);
            row
        }
    };
    &whole[x * pixel..(x + w) * pixel]
}

fn put_channels<E: crate::image::Element>(new: &[E], out: &mut [E], list: &[usize], c: usize, out_c: usize) {
    for (n, o) in new.chunks_exact(c).zip(out.chunks_exact_mut(out_c)) {
        for (v, k) in n.iter().zip(list) {
            o[*k] = *v;
        }
    }
}

/// The shift of bytes in the units of floats: degrees and 0..1.
fn float_shift(hue: f64, sat: f64, val: f64) -> HsvShiftF32 {
    HsvShiftF32::new(2.0 * hue, sat / 255.0, val / 255.0)
}

fn space_row(row: &mut [u8], from: Colors, to: Colors) {
    let copy = row.to_vec();
    match (from, to) {
        (Colors::Rgb, Colors::Hsv) => hsv::hsv_from_rgb_row(&copy, row),
        (Colors::Hsv, Colors::Rgb) => hsv::rgb_from_hsv_row(&copy, row),
        (Colors::Rgb, Colors::YCrCb) => ycrcb::ycrcb_from_rgb_row(row),
        (Colors::YCrCb, Colors::Rgb) => ycrcb::rgb_from_ycrcb_row(row),
        _ => unreachable!("spaces change from or to rgb"),
    }
}

fn space_f32_row(row: &mut [f32], from: Colors, to: Colors) {
    match (from, to) {
        (Colors::Rgb, Colors::Hsv) => hsv::hsv_from_rgb_f32_row(row),
        (Colors::Hsv, Colors::Rgb) => hsv::rgb_from_hsv_f32_row(row),
        (Colors::Rgb, Colors::YCrCb) => ycrcb::ycrcb_from_rgb_f32_row(row),
        (Colors::YCrCb, Colors::Rgb) => ycrcb::rgb_from_ycrcb_f32_row(row),
        _ => unreachable!("spaces change from or to rgb"),
    }
}

/// v / max for every real element type.
fn cast_row(src: &[u8], dtype: DType, dst: &mut [f32], max: f64) {
    /// The bits of an element as the number they are.
    fn each<E: crate::image::Element, R: normalize::Real>(src: &[u8], dst: &mut [f32], max: f64, f: impl Fn(E) -> R) {
        let mut numbers = [f(E::default()); 256];
        for (s, d) in elements::<E>(src).chunks(256).zip(dst.chunks_mut(256)) {
            for (n, s) in numbers.iter_mut().zip(s) {
                *n = f(*s);
            }
            normalize::cast_row(&numbers[..s.len()], d, max);
        }
    }
    match dtype {
        DType::U8 => normalize::cast_row(src, dst, max),
        DType::F32 => normalize::cast_row(elements::<f32>(src), dst, max),
        DType::Bool => each(src, dst, max, |v: u8| (v != 0) as u8),
        DType::I8 => each(src, dst, max, |v: u8| v as i8),
        DType::U16 => each(src, dst, max, |v: u16| v),
        DType::I16 => each(src, dst, max, |v: u16| v as i16),
        DType::F16 => each(src, dst, max, normalize::Half),
        DType::U32 => each(src, dst, max, |v: u32| v),
        DType::I32 => each(src, dst, max, |v: u32| v as i32),
        DType::U64 => each(src, dst, max, |v: u64| v),
        DType::I64 => each(src, dst, max, |v: u64| v as i64),
        DType::F64 => each(src, dst, max, f64::from_bits),
    }
}
