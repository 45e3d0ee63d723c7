//! A grid whose inner nodes move: one homography for each cell.

use super::boxes::BoxRow;
use super::field::Field;
use super::homography::{homography_from_quads, invert_homography, project};
use super::mirror::bounds;
use super::points::Point;
use crate::error::{Error, Result};

/// One cell of a mesh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Source rectangle x0, y0, x1, y1.
    pub from: [f64; 4],
    /// Its corners after the move: top left, top right, bottom right, bottom left.
    pub to: [[f64; 2]; 4],
    /// Forward matrix. As in 2.0.8 it serves pixel centres as they stand.
    pub matrix: [f64; 9],
}

/// The cells of the grid with lines at `xs` and `ys` (first 0, last the side), row by row, after its inner nodes have
/// gone to `nodes` (row by row).
pub fn mesh_cells(xs: &[f64], ys: &[f64], nodes: &[[f64; 2]]) -> Result<Vec<Cell>> {
    let inner = xs.len().saturating_sub(2);
    if xs.len() < 2 || ys.len() < 2 || nodes.len() != inner * (ys.len() - 2) {
        let (nx, ny, n) = (xs.len(), ys.len(), nodes.len());
        return Err(Error::value(format!("a mesh of {nx} x {ny} lines has no {n} inner nodes")));
    }
    let node = |i: usize, j: usize| {
        let is_inner = i > 0 && i + 1 < xs.len() && j > 0 && j + 1 < ys.len();
        if is_inner { nodes[(j - 1) * inner + i - 1] } else { [xs[i], ys[j]] }
    };
    let mut cells = Vec::with_capacity((xs.len() - 1) * (ys.len() - 1));
    for j in 0..ys.len() - 1 {
        for i in 0..xs.len() - 1 {
            let from = [xs[i], ys[j], xs[i + 1], ys[j + 1]];
            let quad = [[from[0], from[1]], [from[2], from[1]], [from[2], from[3]], [from[0], from[3]]];
            let to = [node(i, j), node(i + 1, j), node(i + 1, j + 1), node(i, j + 1)];
            cells.push(Cell { from, to, matrix: homography_from_quads(&quad, &to)? });
        }
    }
    Ok(cells)
}

/// Where a pixel that no cell covers reads: far outside, so that a constant border fills it.
const NOWHERE: f32 = -1e6;

/// Source positions, as planes of x and of y, of the pixels of a w × h frame; where cells overlap the later one counts.
pub fn mesh_field(cells: &[Cell], w: usize, h: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let (mut xs, mut ys) = (vec![NOWHERE; w * h], vec![NOWHERE; w * h]);
    for cell in cells {
        let back = invert_homography(&cell.matrix)?;
        let [x0, y0, x1, y1] = bounds(cell.to);
        let columns = (x0.ceil().max(0.0) as usize)..((x1.floor() + 1.0).clamp(0.0, w as f64) as usize);
        let rows = (y0.ceil().max(0.0) as usize)..((y1.floor() + 1.0).clamp(0.0, h as f64) as usize);
        // Room for rounding, so that no pixel falls between two cells.
        let within = |v: f64, low: f64, high: f64| v >= low - 1e-6 && v <= high + 1e-6;
        for (y, x) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
            let [u, v] = project(&back, [x as f64, y as f64]);
            if within(u, cell.from[0], cell.from[2]) && within(v, cell.from[1], cell.from[3]) {
                (xs[y * w + x], ys[y * w + x]) = (u as f32, v as f32);
            }
        }
    }
    Ok((xs, ys))
}

/// A mesh, with the field of source positions that its cells give.
#[derive(Clone, Debug)]
pub struct Mesh<'a> {
    /// The cells.
    pub cells: &'a [Cell],
    /// Source position of each output pixel.
    pub field: Field<'a>,
}

impl Mesh<'_> {
    /// Boxes go by the field, half-open: truncated to whole pixels, from the first to behind the last index.
    pub(crate) fn boxes(&self, rows: &mut Vec<BoxRow>) {
        self.field.half_open_boxes(rows);
    }

    /// A keypoint moves with the cell that holds it and is clamped to the frame, as in 2.0.8.
    pub(crate) fn points(&self, rows: &mut [Point]) {
        let [w, h] = self.field.to().map(|n| n as f64 - 1.0);
        for p in rows {
            let holds = |c: &&Cell| p.x >= c.from[0] && p.x < c.from[2] && p.y >= c.from[1] && p.y < c.from[3];
            let [x, y] = self.cells.iter().find(holds).map_or([p.x, p.y], |c| project(&c.matrix, [p.x, p.y]));
            (p.x, p.y) = (x.clamp(0.0, w), y.clamp(0.0, h));
        }
    }
}

#[cfg(test)]
#[path = "mesh_tests.rs"]
mod tests;
