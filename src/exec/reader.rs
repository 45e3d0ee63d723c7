//! Where the rows of a stage come from: a window of the input, or a source over it.

use crate::error::Result;
use crate::image::view::{Bytes, elements, elements_mut};
use crate::image::{Array, Border, DType, Plane, RowsMut, Shape, Window};
use crate::kernel::filter::{Conv, Separable};
use crate::kernel::resize::Resize;
use crate::kernel::warp::{self, Coords, Warp};
use crate::kernel::{copy, warp::warp_rows};
use crate::op::Source;
use crate::op::sample::Coordinates;
use crate::{with_element, with_sample};

/// Rows of one stage, before its steps.
pub(super) struct Reader<'a> {
    input: Array<'a>,
    window: &'a Window,
    origin: [usize; 3],
    /// Where the window begins in the input if it is a plain crop: z, y, x.
    crop: Option<(usize, usize, usize)>,
    /// What a row holds.
    pub out: Shape,
    make: Make<'a>,
    /// Slice that the caches of `make` belong to.
    slice: usize,
}

enum Make<'a> {
    Window { fill: Bytes },
    Resize { resize: Box<Resize>, nearest: bool },
    Warp { warp: Warp<'a>, fill: Bytes },
    Separable(Box<Separable>),
    Conv(Box<Conv>),
}

impl<'a> Reader<'a> {
    /// Rows of `window` of `input`, or of `source` over it; `size` (d, h, w) from `origin` of the source's frame.
    pub fn new(
        input: Array<'a>,
        window: &'a Window,
        source: Option<&'a Source>,
        origin: [usize; 3],
        size: [usize; 3],
    ) -> Result<Reader<'a>> {
        let s = input.shape;
        let out = Shape { d: size[0], h: size[1], w: size[2], ..s };
        let crop = window.as_crop();
        let (sw, sh) = (window.axes[2].n, window.axes[1].n);
        let make = match source {
            None if window.inside() => Make::Window { fill: Bytes::default() },
            None => Make::Window { fill: Bytes::of(&window.fill.pixel_bytes(s.dtype, s.c)?) },
            Some(Source::Resize { w, h, interp, factor }) => Make::Resize {
                resize: Box::new(Resize::new(
                    (sw, sh),
                    (*w, *h),
                    (origin[2], origin[1], size[2], size[1]),
                    s.c,
                    *interp,
                    *factor,
                    s.dtype == DType::U8,
                )),
                nearest: interp.is_nearest(),
            },
            Some(Source::Warp { map, interp, border, fill, .. }) => {
                let coords = match map.as_ref() {
                    Coordinates::Affine(m) => Coords::Affine(*m),
                    Coordinates::Homography(m) => Coords::Homography(*m),
                    Coordinates::Axes(xs, ys) => Coords::Axes { xs, ys },
                };
                let fill = Bytes::of(&fill.pixel_bytes(s.dtype, s.c)?);
                Make::Warp { warp: Warp { coords, interp: *interp, border: *border }, fill }
            }
            Some(Source::Separable { kernel }) => {
                Make::Separable(Box::new(Separable::new(kernel, kernel, Border::Reflect101)))
            }
            Some(Source::Conv { k, weights }) => Make::Conv(Box::new(Conv::new(*k, weights, Border::Reflect101))),
        };
        Ok(Reader { input, window, origin, crop, out, make, slice: usize::MAX })
    }

    /// The row itself, if it lies packed in the input.
    pub fn borrow(&self, z: usize, y: usize) -> Option<&'a [u8]> {
        let (Make::Window { .. }, Some((z0, y0, x0))) = (&self.make, self.crop) else { return None };
        let pixel = self.input.shape.c * self.input.shape.dtype.size();
        let start = (z0 + z) * self.input.slice + (y0 + y) * self.input.row + x0 * pixel;
        let bytes: &'a [u8] = self.input.bytes;
        Some(&bytes[start..start + self.out.w * pixel])
    }

    /// All rows of slice `z`, if they lie packed one after the other in the input.
    pub fn borrow_slice(&self, z: usize) -> Option<&'a [u8]> {
        let first = self.borrow(z, 0)?;
        if self.input.row != first.len() && self.out.h > 1 {
            return None;
        }
        let start = first.as_ptr() as usize - self.input.bytes.as_ptr() as usize;
        let bytes: &'a [u8] = self.input.bytes;
        bytes.get(start..start + self.out.slice_bytes())
    }

    /// Rows that are best made together: transposes read columns, sources keep rows in flight.
    pub fn band(&self) -> usize {
        match &self.make {
            Make::Window { .. } if self.window.axes[2].from == 2 => 1,
            Make::Window { .. } => 64,
            _ => 16,
        }
    }

    /// Makes rows `y0..y0+n` of output slice `z` into packed `dst`.
    pub fn rows(&mut self, z: usize, y0: usize, n: usize, dst: &mut [u8]) {
        let out = self.out;
        let new_slice = self.slice != z;
        self.slice = z;
        let input = self.input;
        if let Make::Window { fill } = &self.make {
            with_element!(out.dtype, E => {
                let mut rows = RowsMut::<E>::packed(elements_mut(dst), out.w, n, out.c);
                copy::window_rows(&input.volume::<E>(), self.window, elements(fill.bytes()), z, y0, &mut rows);
            });
            return;
        }
        let (z0, y1, x1) = self.crop.expect("sources read plain crops");
        let (sw, sh) = (self.window.axes[2].n, self.window.axes[1].n);
        let (ox, oy, oz) = (self.origin[2], self.origin[1], self.origin[0]);
        macro_rules! plane {
            ($E:ty) => {{
                let plane: Plane<'_, $E> = input.plane::<$E>(z0 + oz + z);
                plane.crop(x1, y1, sw, sh)
            }};
        }
        match &mut self.make {
            Make::Window { .. } => unreachable!(),
            Make::Resize { resize, nearest: true } => with_element!(out.dtype, E => {
                let mut rows = RowsMut::<E>::packed(elements_mut(dst), out.w, n, out.c);
                if new_slice { resize.start(); }
                resize.nearest_rows(&plane!(E), y0, &mut rows);
            }),
            Make::Resize { resize, .. } => with_sample!(out.dtype, T => {
                let mut rows = RowsMut::<T>::packed(elements_mut(dst), out.w, n, out.c);
                if new_slice { resize.start(); }
                resize.rows(&plane!(T), y0, &mut rows);
            }, else unreachable!()),
            Make::Warp { warp, fill } if warp.interp.is_nearest() => with_element!(out.dtype, E => {
                let mut rows = RowsMut::<E>::packed(elements_mut(dst), out.w, n, out.c);
                warp::nearest_rows(&plane!(E), warp, elements::<E>(fill.bytes()), ox, oy + y0, &mut rows);
            }),
            Make::Warp { warp, fill } => with_sample!(out.dtype, T => {
                let mut rows = RowsMut::<T>::packed(elements_mut(dst), out.w, n, out.c);
                warp_rows(&plane!(T), warp, elements::<T>(fill.bytes()), ox, oy + y0, &mut rows);
            }, else unreachable!()),
            Make::Separable(kernel) => with_sample!(out.dtype, T => {
                let mut rows = RowsMut::<T>::packed(elements_mut(dst), out.w, n, out.c);
                if new_slice { kernel.start(); }
                kernel.rows(&plane!(T), ox, oy + y0, &mut rows);
            }, else unreachable!()),
            Make::Conv(kernel) => with_sample!(out.dtype, T => {
                let mut rows = RowsMut::<T>::packed(elements_mut(dst), out.w, n, out.c);
                if new_slice { kernel.start(); }
                kernel.rows(&plane!(T), ox, oy + y0, &mut rows);
            }, else unreachable!()),
        }
    }
}
