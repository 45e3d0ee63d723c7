//! Exact moves: crop, pad, flips, transposes, quarter turns. They fold into one window.

use super::{At, Pixels, Role};
use crate::error::{Error, Result};
use crate::geom::{self, Geom};
use crate::image::{Border, Fill};
use crate::ops;

ops! {
    /// Ops that move pixels without computing on them.
    pub enum Grid {
        /// The sub-window with top-left (x, y) and size (w, h); in volumes also from slice z, d slices deep.
        "crop" Crop { x: usize, y: usize, w: usize, h: usize, z: Option<usize>, d: Option<usize> },
        /// The image inside a larger window of size (w, h), `left` from its left and `top` from its top edge; outside lies the
        /// border. `ghosts`: under borders 2 and 4 boxes and points get mirrored copies, as the pixels do.
        "pad" Pad {
            left: usize, top: usize, w: usize, h: usize, border: Border, fill: Fill, mask_fill: Fill, ghosts: bool,
            front: Option<usize>, d: Option<usize>,
        },
        /// Axes permuted and reversed: the letters name the source axis that each output axis walks, `-` backwards
        /// (`H-W` mirrors columns, `WH` transposes, `-WH` is a quarter turn counter-clockwise). (w, h) is the new size.
        "orient" Orient { axes: Axes, w: usize, h: usize, d: Option<usize> },
    }
}

/// A signed permutation of the axes z, y, x.
#[derive(Clone, PartialEq, Eq)]
pub struct Axes {
    /// As it was written.
    pub text: String,
    /// Output axis `k` walks source axis `perm[k]` …
    pub perm: [usize; 3],
    /// … backwards if `flip[k]`.
    pub flip: [bool; 3],
    /// True if the slice axis takes part.
    pub three: bool,
}

impl std::fmt::Debug for Axes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl super::value::FromVal for Axes {
    fn from_val(v: &super::value::Val) -> Result<Self> {
        let text = String::from_val(v)?;
        let bad = || Error::value(format!("expected axes such as \"H-W\" or \"-WHD\", got {text:?}"));
        let (mut perm, mut flip, mut n, mut minus) = ([0usize; 3], [false; 3], 0, false);
        for ch in text.chars() {
            let axis = match ch {
                '-' => {
                    minus = true;
                    continue;
                }
                'D' => 0,
                'H' => 1,
                'W' => 2,
                _ => return Err(bad()),
            };
            if n == 3 {
                return Err(bad());
            }
            (perm[n], flip[n], minus) = (axis, minus, false);
            n += 1;
        }
        if n == 2 {
            (perm, flip) = ([0, perm[0], perm[1]], [false, flip[0], flip[1]]);
        }
        let mut seen = perm;
        seen.sort_unstable();
        if n < 2 || seen != [0, 1, 2] {
            return Err(bad());
        }
        Ok(Axes { text, perm, flip, three: n == 3 })
    }
}

impl Grid {
    /// What it does to the pixels of a lane.
    pub fn pixels(&self, at: &At) -> Result<Pixels> {
        let s = at.shape;
        Ok(match self {
            Grid::Crop { x, y, w, h, z, d } => {
                let (z, d) = (z.unwrap_or(0), d.unwrap_or(s.d));
                if *w == 0 || *h == 0 || d == 0 || x + w > s.w || y + h > s.h || z + d > s.d {
                    return Err(Error::value(format!(
                        "crop: window {w}×{h} at ({x}, {y}) is not inside the {}×{} image",
                        s.w, s.h
                    )));
                }
                Pixels::Crop([z, *y, *x], [d, *h, *w])
            }
            Grid::Pad { left, top, w, h, border, fill, mask_fill, front, d, .. } => {
                let (front, d) = (front.unwrap_or(0), d.unwrap_or(s.d));
                if left + s.w > *w || top + s.h > *h || front + s.d > d {
                    return Err(Error::value(format!("pad: {w}×{h} does not hold the {}×{} image", s.w, s.h)));
                }
                let fill = if at.role == Role::Mask { mask_fill } else { fill };
                Pixels::Pad([front, *top, *left], [d, *h, *w], *border, fill.cut(s.c))
            }
            Grid::Orient { axes, .. } => Pixels::Orient(axes.perm, axes.flip),
        })
    }

    /// (w, h, d) after the op.
    pub fn size_after(&self, (_, _, d0): (usize, usize, usize)) -> (usize, usize, usize) {
        match self {
            Grid::Crop { w, h, d, .. } | Grid::Pad { w, h, d, .. } | Grid::Orient { w, h, d, .. } => {
                (*w, *h, d.unwrap_or(d0))
            }
        }
    }

    /// What it does to coordinates.
    pub fn geom(&self, from: (usize, usize, usize)) -> Result<Geom<'static>> {
        let to = self.size_after(from);
        let (from, to) = ([from.0, from.1, from.2], [to.0, to.1, to.2]);
        Ok(Geom::Grid(match self {
            Grid::Crop { x, y, z, .. } => geom::Grid::crop([*x, *y, z.unwrap_or(0)], to, from),
            Grid::Pad { left, top, front, border, ghosts, .. } => {
                let ghosts = *ghosts && matches!(border, Border::Reflect | Border::Reflect101);
                geom::Grid::pad([*left, *top, front.unwrap_or(0)], to, from, ghosts)
            }
            Grid::Orient { axes, .. } => {
                geom::Grid::orient(&axes.text, from).ok_or_else(|| Error::value("orient: unknown axes"))?
            }
        }))
    }
}
