//! Geometry of annotations from a record's ops, for the data-set command: nothing is filtered.

use super::buffer::{array_from, f64_rows};
use super::decode;
use super::enter::{guard, raise};
use crate::exec::points::{advance_boxes, advance_edges, advance_outlines, advance_points};
use crate::geom::rle::Rle;
use crate::geom::{BoxRow, Outline, Point};
use crate::image::DType;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Rows<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

fn columns(data: (usize, usize, Vec<f64>), k: usize, name: &str) -> PyResult<Vec<f64>> {
    if data.0 > 0 && data.1 != k {
        return Err(PyValueError::new_err(format!("{name}: {} columns, need {k}", data.1)));
    }
    Ok(data.2)
}

/// Boxes (n, 4) of pixel edges through `ops`; rows and their source indices.
#[pyfunction]
pub fn trace_boxes<'py>(
    py: Python<'py>,
    ops: &Bound<'py, PyAny>,
    size: (usize, usize),
    boxes: &Bound<'py, PyAny>,
) -> PyResult<Rows<'py>> {
    guard(|| {
        let mut list = Vec::new();
        decode::extend(&mut list, ops)?;
        let values = columns(f64_rows(boxes, "boxes")?, 4, "boxes")?;
        let row = |(i, v): (usize, &[f64])| BoxRow::new([v[0], v[1], v[2], v[3]], i as u32);
        let mut rows: Vec<BoxRow> = values.chunks_exact(4).enumerate().map(row).collect();
        let mut size = (size.0, size.1, 1);
        advance_boxes(&list, 0, &mut rows, &mut size, None).map_err(|e| raise(py, e))?;
        let flat: Vec<f64> = rows.iter().flat_map(|r| r.edges).collect();
        let index: Vec<u32> = rows.iter().map(|r| r.index).collect();
        Ok((array_from(py, &[rows.len(), 4], DType::F64, &flat)?, array_from(py, &[rows.len()], DType::U32, &index)?))
    })
}

/// Points (n, 2) through `ops`, as pixel centres (keypoints) or as edge points; rows and their source indices. Edge
/// points that are not shown are left out; keypoints get mirrored copies.
#[pyfunction]
pub fn trace_points<'py>(
    py: Python<'py>,
    ops: &Bound<'py, PyAny>,
    size: (usize, usize),
    points: &Bound<'py, PyAny>,
    edge: bool,
) -> PyResult<Rows<'py>> {
    guard(|| {
        let mut list = Vec::new();
        decode::extend(&mut list, ops)?;
        let values = columns(f64_rows(points, "points")?, 2, "points")?;
        let mut size = (size.0, size.1, 1);
        let (mut flat, mut index) = (Vec::new(), Vec::new());
        if edge {
            let mut rows: Vec<Option<[f64; 2]>> = values.chunks_exact(2).map(|v| Some([v[0], v[1]])).collect();
            advance_edges(&list, &mut rows, &mut size).map_err(|e| raise(py, e))?;
            for (i, row) in rows.into_iter().enumerate() {
                if let Some(p) = row {
                    flat.extend(p);
                    index.push(i as u32);
                }
            }
        } else {
            let row = |(i, v): (usize, &[f64])| Point { x: v[0], y: v[1], index: i as u32, ..Point::default() };
            let mut rows: Vec<Point> = values.chunks_exact(2).enumerate().map(row).collect();
            advance_points(&list, 0, &mut rows, &mut size, false, false).map_err(|e| raise(py, e))?;
            for p in rows {
                flat.extend([p.x, p.y]);
                index.push(p.index);
            }
        }
        Ok((array_from(py, &[index.len(), 2], DType::F64, &flat)?, array_from(py, &[index.len()], DType::U32, &index)?))
    })
}

/// Rings (n, 2) of edge points, each an object of its own, through `ops` with true clipping: the pieces with the index
/// of their ring, and the visible share of each ring.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn trace_rings<'py>(
    py: Python<'py>,
    ops: &Bound<'py, PyAny>,
    size: (usize, usize),
    rings: Vec<Bound<'py, PyAny>>,
) -> PyResult<(Vec<(u32, Bound<'py, PyAny>)>, Vec<f64>)> {
    guard(|| {
        let mut list = Vec::new();
        decode::extend(&mut list, ops)?;
        let mut objects = Vec::with_capacity(rings.len());
        for (i, ring) in rings.iter().enumerate() {
            let values = columns(f64_rows(ring, "rings")?, 2, "rings")?;
            objects.push(Outline::new(i as u32, vec![values.chunks_exact(2).map(|v| [v[0], v[1]]).collect()]));
        }
        let mut size = (size.0, size.1, 1);
        advance_outlines(&list, &mut objects, &mut size).map_err(|e| raise(py, e))?;
        let mut shares = vec![0.0f64; rings.len()];
        let mut out = Vec::new();
        for object in &objects {
            let share = &mut shares[object.index as usize];
            *share = share.max(object.visible);
            for ring in &object.rings {
                let flat: Vec<f64> = ring.points.iter().flatten().copied().collect();
                out.push((object.index, array_from(py, &[ring.points.len(), 2], DType::F64, &flat)?));
            }
        }
        Ok((out, shares))
    })
}

/// Objects, each a list of rings (n, 2) of edge points, through `ops` with true clipping: (object, visible share,
/// [(part, ring)]) in order. Mirrored copies repeat the object's index; objects that are gone are left out.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn trace_outlines<'py>(
    py: Python<'py>,
    ops: &Bound<'py, PyAny>,
    size: (usize, usize),
    objects: Vec<Vec<Bound<'py, PyAny>>>,
) -> PyResult<Vec<(u32, f64, Vec<(u32, Bound<'py, PyAny>)>)>> {
    guard(|| {
        let mut list = Vec::new();
        decode::extend(&mut list, ops)?;
        let mut outlines = Vec::with_capacity(objects.len());
        for (i, rings) in objects.iter().enumerate() {
            let mut parts = Vec::with_capacity(rings.len());
            for ring in rings {
                let values = columns(f64_rows(ring, "rings")?, 2, "rings")?;
                parts.push(values.chunks_exact(2).map(|v| [v[0], v[1]]).collect());
            }
            outlines.push(Outline::new(i as u32, parts));
        }
        let mut size = (size.0, size.1, 1);
        advance_outlines(&list, &mut outlines, &mut size).map_err(|e| raise(py, e))?;
        let mut out = Vec::with_capacity(outlines.len());
        for object in &outlines {
            let mut rings = Vec::with_capacity(object.rings.len());
            for ring in &object.rings {
                let flat: Vec<f64> = ring.points.iter().flatten().copied().collect();
                rings.push((ring.part, array_from(py, &[ring.points.len(), 2], DType::F64, &flat)?));
            }
            out.push((object.index, object.visible, rings));
        }
        Ok(out)
    })
}

fn rle(py: Python<'_>, counts: Vec<u32>, h: usize, w: usize) -> PyResult<Rle> {
    Rle::new(counts, w, h).map_err(|e| raise(py, e))
}

/// COCO run lengths (column-major, zeros first) → (h, w) mask of 0 and 1.
#[pyfunction]
pub fn rle_decode<'py>(py: Python<'py>, counts: Vec<u32>, h: usize, w: usize) -> PyResult<Bound<'py, PyAny>> {
    guard(|| array_from(py, &[h, w], DType::U8, &rle(py, counts, h, w)?.to_rows()))
}

/// (h, w) mask → COCO run lengths.
#[pyfunction]
pub fn rle_encode(mask: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    guard(|| {
        let (h, w, data) = f64_rows(mask, "mask")?;
        let bits: Vec<u8> = data.iter().map(|v| (*v != 0.0) as u8).collect();
        Ok(Rle::from_rows(&bits, w, h).counts)
    })
}

/// Run lengths → the compressed string of COCO's API.
#[pyfunction]
pub fn rle_to_string(py: Python<'_>, counts: Vec<u32>) -> PyResult<String> {
    guard(|| {
        let total: usize = counts.iter().map(|c| *c as usize).sum();
        Ok(rle(py, counts, total, 1)?.to_text())
    })
}

/// The compressed string → run lengths.
#[pyfunction]
pub fn rle_from_string(py: Python<'_>, text: &str) -> PyResult<Vec<u32>> {
    guard(|| crate::geom::rle::counts_from_text(text.as_bytes(), u32::MAX as u128).map_err(|e| raise(py, e)))
}
