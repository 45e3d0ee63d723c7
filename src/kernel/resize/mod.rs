//! Resizing: the seven filters of OpenCV's `resize`, by output rows of a window of the output.
//!
//! Everything that depends on sizes is a table built once; a row of the window has the same bytes whatever the window,
//! the order of the calls and the SIMD level are.

mod area;
mod axis;
mod line;
mod nearest;
mod taps;
#[cfg(test)]
mod tests;

use crate::image::view::{bytes_of, bytes_of_mut, elements, elements_mut};
use crate::image::{DType, Element, Interp, Plane, RowsMut, Sample};

/// One resize, ready to produce any rows of (a rectangle of) its output.
pub struct Resize {
    win: (usize, usize, usize, usize),
    src: (usize, usize),
    c: usize,
    kind: Kind,
}

enum Kind {
    Pick(nearest::Pick),
    Half(area::Half),
    Area(area::Area),
    Filter(Box<taps::Filter>),
}

impl Resize {
    /// From `src` to `dst` (whole sizes, w and h) of `c` components. `win` = (x, y, w, h) is the part of the output that
    /// will be asked for. `factor`: output pixels a source pixel along x and y, if not those of the sizes. `u8_arith`: the samples are u8 (otherwise f32, or any element for the nearest filters).
    pub fn new(
        src: (usize, usize),
        dst: (usize, usize),
        win: (usize, usize, usize, usize),
        c: usize,
        interp: Interp,
        factor: Option<[f64; 2]>,
        u8_arith: bool,
    ) -> Resize {
        assert!(src.0 > 0 && src.1 > 0 && win.2 > 0 && win.3 > 0 && c > 0);
        assert!(win.0 + win.2 <= dst.0 && win.1 + win.3 <= dst.1);
        let kind = Kind::new(src, dst, win, c, interp, factor, u8_arith);
        Resize { win, src, c, kind }
    }

    /// Forgets what is kept of the plane before: call it when a new plane begins.
    pub fn start(&mut self) {
        if let Kind::Filter(f) = &mut self.kind {
            f.start();
        }
    }

    /// Rows `y0..` of the window into `out`.
    pub fn rows<T: Sample>(&mut self, src: &Plane<T>, y0: usize, out: &mut RowsMut<T>) {
        self.check(src, y0, out);
        match (&mut self.kind, T::DTYPE) {
            (Kind::Pick(p), _) => p.rows(src, y0, out),
            (Kind::Area(a), _) => a.rows(src, y0, out),
            (Kind::Half(h), DType::U8) => h.rows(&retype(src), y0, &mut retype_mut(out)),
            (Kind::Filter(f), DType::U8) => f.rows_u8(&retype(src), y0, &mut retype_mut(out)),
            (Kind::Filter(f), _) => f.rows_f32(&retype(src), y0, &mut retype_mut(out)),
            (Kind::Half(_), _) => unreachable!("built for u8"),
        }
    }

    /// Rows `y0..` of the window into `out`, for the nearest filters and elements of any type.
    pub fn nearest_rows<E: Element>(&mut self, src: &Plane<E>, y0: usize, out: &mut RowsMut<E>) {
        self.check(src, y0, out);
        match &mut self.kind {
            Kind::Pick(p) => p.rows(src, y0, out),
            _ => panic!("only the nearest filters move elements of any type"),
        }
    }

    fn check<E: Element>(&self, src: &Plane<E>, y0: usize, out: &RowsMut<E>) {
        assert!((src.w, src.h, src.c) == (self.src.0, self.src.1, self.c), "another source was announced");
        assert!(out.w == self.win.2 && out.c == self.c && y0 + out.n <= self.win.3, "another window was announced");
    }
}

impl Kind {
    fn new(
        src: (usize, usize),
        dst: (usize, usize),
        win: (usize, usize, usize, usize),
        c: usize,
        interp: Interp,
        factor: Option<[f64; 2]>,
        u8_arith: bool,
    ) -> Kind {
        let (wx, wy) = ((win.0, win.2), (win.1, win.3));
        let shrinks = dst.0 <= src.0 && dst.1 <= src.1;
        let factor = |k: usize| factor.map(|f| f[k]);
        let (rx, ry) = (axis::Ratio::new(src.0, dst.0, factor(0)), axis::Ratio::new(src.1, dst.1, factor(1)));
        let whole = rx.whole(dst.0).zip(ry.whole(dst.1));
        let interp = match interp {
            _ if src == dst && factor(0).is_none() => Interp::Nearest,
            // OpenCV takes the mean there: both bilinear weights are ½.
            Interp::Linear | Interp::LinearExact if whole == Some((2, 2)) => Interp::Area,
            i => i,
        };
        let filter = |x, y, gain, sum: taps::Sum| {
            Kind::Filter(Box::new(taps::Filter::new(src, dst.1, c, x, y, gain, u8_arith.then_some(sum))))
        };
        match interp {
            Interp::Nearest => Kind::Pick(nearest::Pick::new(c, axis::nearest(rx, wx), axis::nearest(ry, wy))),
            Interp::NearestExact => {
                Kind::Pick(nearest::Pick::new(c, axis::nearest_exact(rx, wx), axis::nearest_exact(ry, wy)))
            }
            Interp::Area if shrinks && whole == Some((2, 2)) && u8_arith => Kind::Half(area::Half { win }),
            Interp::Area if shrinks => {
                let (x, y, gain, one) = match whole {
                    Some((kx, ky)) => {
                        let boxes = (axis::whole_boxes(kx, src.0, wx), axis::whole_boxes(ky, src.1, wy));
                        (boxes.0, boxes.1, 1.0 / (kx * ky) as f32, 1)
                    }
                    None => (axis::area(rx, wx), axis::area(ry, wy), 1.0, 1 << 22),
                };
                // Few taps: along x first. Many: down the columns first, which leaves little to do along x.
                match x.taps(4).zip(y.taps(8)) {
                    Some((x, y)) => filter(x, y, gain, taps::Sum::Whole(one)),
                    None => Kind::Area(area::Area::new(c, x, y, gain)),
                }
            }
            Interp::Area => {
                filter(axis::area_up(rx, wx, true), axis::area_up(ry, wy, !u8_arith), 1.0, taps::Sum::Narrow)
            }
            Interp::LinearExact if u8_arith => {
                filter(axis::linear(rx, wx, false, true), axis::linear(ry, wy, false, true), 1.0, taps::Sum::Exact)
            }
            Interp::Linear | Interp::LinearExact => filter(
                axis::linear(rx, wx, u8_arith, true),
                axis::linear(ry, wy, u8_arith, !u8_arith),
                1.0,
                taps::Sum::Narrow,
            ),
            Interp::Cubic => filter(axis::cubic(rx, wx), axis::cubic(ry, wy), 1.0, taps::Sum::Whole(1 << 22)),
            Interp::Lanczos4 => filter(axis::lanczos(rx, wx), axis::lanczos(ry, wy), 1.0, taps::Sum::Whole(1 << 11)),
        }
    }
}

/// The same plane under the type it has: `T` and `U` are one type wherever this is called.
fn retype<'a, T: Element, U: Element>(p: &Plane<'a, T>) -> Plane<'a, U> {
    Plane { data: elements(bytes_of(p.data)), w: p.w, h: p.h, c: p.c, stride: p.stride }
}

fn retype_mut<'a, T: Element, U: Element>(r: &'a mut RowsMut<T>) -> RowsMut<'a, U> {
    RowsMut { n: r.n, w: r.w, c: r.c, stride: r.stride, data: elements_mut(bytes_of_mut(r.data)) }
}
