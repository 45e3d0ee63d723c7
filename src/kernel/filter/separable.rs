//! Separable kernels: along x into the ring, then along y.

use super::number::{Number, Term};
use super::ring::{Frame, Ring, Run, slots, tile_width};
use crate::image::{Border, DType, Plane, RowsMut, Sample};

/// Taps of one axis as pairs: (distance before, distance after, weight) with the sum of both samples weighted. A single
/// tap is a pair with itself at half the weight.
#[derive(Clone, Debug)]
struct Taps<N> {
    radius: usize,
    /// Positions are counted from the first tap.
    pairs: Vec<(usize, usize, N)>,
}

/// A separable correlation kernel.
///
/// Bytes under symmetric, non-negative, normalised kernels of up to 31 taps are computed in fixed point, within one level
/// of the exactly rounded sum; all else in f32.
#[derive(Clone, Debug)]
pub struct Separable {
    border: Border,
    fixed: Option<Passes<i16>>,
    float: Passes<f32>,
}

impl Separable {
    /// Kernels along x and y, each of odd length.
    pub fn new(kx: &[f64], ky: &[f64], border: Border) -> Self {
        let fixed = fixed_taps(kx).zip(fixed_taps(ky)).map(|(x, y)| Passes::new(x, y));
        Separable { border, fixed, float: Passes::new(float_taps(kx), float_taps(ky)) }
    }

    /// Forgets the source; to be called before the first rows of another one.
    pub fn start(&mut self) {
        if let Some(fixed) = &mut self.fixed {
            fixed.ring.clear();
        }
        self.float.ring.clear();
    }

    /// Filters the window of the frame whose top-left pixel is (x0, y0) and whose size is `out`'s.
    pub fn rows<T: Sample>(&mut self, src: &Plane<T>, x0: usize, y0: usize, out: &mut RowsMut<T>) {
        match &mut self.fixed {
            Some(fixed) if T::DTYPE == DType::U8 => fixed.rows(src, x0, y0, self.border, out),
            _ => self.float.rows(src, x0, y0, self.border, out),
        }
    }
}

#[derive(Clone, Debug)]
struct Passes<N> {
    x: Taps<N>,
    y: Taps<N>,
    ring: Ring<N>,
    /// A prepared source row, with its border.
    wide: Vec<N>,
    acc: Vec<N>,
    run: Run,
    /// Where the lines of an output row begin.
    lines: Vec<usize>,
    across: Vec<Term<N>>,
    down: Vec<Term<N>>,
}

impl<N: Number> Passes<N> {
    fn new(x: Taps<N>, y: Taps<N>) -> Self {
        Passes {
            x,
            y,
            ring: Ring::new(),
            wide: Vec::new(),
            acc: Vec::new(),
            run: Run::default(),
            lines: Vec::new(),
            across: Vec::new(),
            down: Vec::new(),
        }
    }

    fn rows<T: Sample>(&mut self, src: &Plane<T>, x0: usize, y0: usize, border: Border, out: &mut RowsMut<T>) {
        let (w, c, h) = (out.w, out.c, src.h);
        assert!(x0 + w <= src.w && y0 + out.n <= h && c == src.c);
        let (rx, ry) = (self.x.radius, self.y.radius);
        let tile = tile_width::<N>(2 * ry + 1, w, c);
        let frame = Frame { x0, w, source: (src.w, h, c) };
        self.ring.bind(frame, w.div_ceil(tile), slots(2 * ry + 1, h, border), tile * c);
        self.wide.resize((tile + 2 * rx) * c, N::default());
        self.acc.resize(tile * c, N::default());
        self.across.clear();
        self.across.extend(self.x.pairs.iter().map(|&(a, b, w)| (a * c, b * c, w)));
        for (t, x) in (x0..x0 + w).step_by(tile).enumerate() {
            let n = tile.min(x0 + w - x) * c;
            self.run.set(x as isize - rx as isize, n / c + 2 * rx, src.w, c, border);
            self.lines.clear();
            self.lines.resize(2 * ry + 1, 0);
            for i in 0..out.n {
                // From row to row the lines move up by one; only the last one is new.
                self.lines.rotate_left(1);
                for k in if i == 0 { 0 } else { 2 * ry }..2 * ry + 1 {
                    let y = border.fold((y0 + i + k) as isize - ry as isize, h);
                    self.lines[k] = self.ring.line(t, y, |y, line| {
                        let wide = &mut self.wide[..n + 2 * rx * c];
                        self.run.prepare(src.row(y), c, wide);
                        N::sum(&mut line[..n], wide, &self.across);
                    });
                }
                self.down.clear();
                self.down.extend(self.y.pairs.iter().map(|&(a, b, w)| (self.lines[a], self.lines[b], w)));
                let out = &mut out.row(i)[(x - x0) * c..][..n];
                N::sum_to(out, &mut self.acc[..n], self.ring.values(), &self.down);
            }
        }
    }
}

fn is_symmetric(k: &[f64]) -> bool {
    k.iter().zip(k.iter().rev()).all(|(a, b)| (a - b).abs() <= 1e-14)
}

/// Pairs from the outermost to the centre: small weights first, so that they do not drown in the sum.
fn float_taps(k: &[f64]) -> Taps<f32> {
    assert!(k.len() % 2 == 1, "kernel of even size {}", k.len());
    let (n, r) = (k.len(), k.len() / 2);
    let pairs = if is_symmetric(k) {
        (0..=r).map(|i| (i, n - 1 - i, if i == r { k[i] * 0.5 } else { k[i] } as f32)).collect()
    } else {
        (0..n).map(|i| (i, i, (k[i] * 0.5) as f32)).collect()
    };
    Taps { radius: r, pairs }
}

/// Weights in 2⁻¹⁵ whose sum is exact; `None` if the kernel is not made for fixed point.
fn fixed_taps(k: &[f64]) -> Option<Taps<i16>> {
    let total: f64 = k.iter().sum();
    if k.len() > 31 || !is_symmetric(k) || !k.iter().all(|w| *w >= 0.0) || (total - 1.0).abs() > 1e-6 {
        return None;
    }
    let n = k.len();
    // Rounding the running sum instead of each weight spreads the error evenly.
    let (mut exact, mut given) = (0.0, 0.0);
    let mut pairs = Vec::new();
    for (i, w) in k[..=n / 2].iter().enumerate() {
        exact += if i == n / 2 { w * 0.5 } else { *w } / total * 32768.0;
        let w = exact.round_ties_even() - given;
        given += w;
        if w > 0.0 {
            pairs.push((i, n - 1 - i, w as i16));
        }
    }
    // Taps that round to nothing need no row and no border.
    let skip = pairs[0].0;
    pairs.iter_mut().for_each(|p| *p = (p.0 - skip, p.1 - skip, p.2));
    Some(Taps { radius: n / 2 - skip, pairs })
}
