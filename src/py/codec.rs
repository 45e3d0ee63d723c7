//! The codecs as Python functions: `bytes` in, arrays out and back, without the GIL while they work.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::raise;
use crate::codec::{self, Header, Limits};
use crate::error::Error;

fn describe<'py>(py: Python<'py>, header: &Header) -> PyResult<Bound<'py, PyDict>> {
    let info = PyDict::new(py);
    let (w, h) = header.upright();
    info.set_item("format", header.format.name())?;
    info.set_item("stored", (header.width, header.height))?;
    info.set_item("size", (w, h))?;
    info.set_item("channels", header.channels)?;
    info.set_item("orientation", header.orientation)?;
    info.set_item("sixteen_bit", header.sixteen_bit)?;
    info.set_item("gray", header.gray)?;
    info.set_item("cmyk", header.cmyk)?;
    Ok(info)
}

/// `probe(data) -> dict`: what the header says: format, stored, size (upright w, h), channels, orientation,
/// sixteen_bit, gray, cmyk.
#[pyfunction]
pub(super) fn probe<'py>(py: Python<'py>, data: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyDict>> {
    let bytes = data.as_bytes();
    let header = py.detach(|| codec::probe(bytes, &Limits::default())).map_err(raise)?;
    describe(py, &header)
}

/// `decode(data) -> (array, dict)`: upright pixels, (h, w) if the file is gray without alpha, else (h, w, 3 or 4).
#[pyfunction]
pub(super) fn decode<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
) -> PyResult<(Bound<'py, PyArrayDyn<u8>>, Bound<'py, PyDict>)> {
    let bytes = data.as_bytes();
    let image = py.detach(|| codec::decode(bytes, &Limits::default())).map_err(raise)?;
    let info = describe(py, &image.header)?;
    let shape: &[usize] =
        if image.channels == 1 { &[image.height, image.width] } else { &[image.height, image.width, image.channels] };
    Ok((
        PyArray1::from_vec(py, image.pixels)
            .reshape_with_order(shape.to_vec(), numpy::npyffi::NPY_ORDER::NPY_CORDER)?,
        info,
    ))
}

/// Width, height, channels and a copy of the bytes: Python code may write to the array while the encoder runs.
fn pixels(array: &PyReadonlyArrayDyn<'_, u8>) -> PyResult<(usize, usize, usize, Vec<u8>)> {
    let array = array.as_array();
    let (h, w, c) = match *array.shape() {
        [h, w] => (h, w, 1),
        [h, w, c] => (h, w, c),
        _ => return Err(raise(Error::value(format!("image: 2 or 3 dimensions, got {}", array.ndim())))),
    };
    let copy = match array.as_slice() {
        Some(slice) => slice.to_vec(),
        None => array.iter().copied().collect(),
    };
    Ok((w, h, c, copy))
}

/// `encode_jpeg(array, quality=95, subsampling=420) -> bytes` for (h, w), (h, w, 1) or (h, w, 3) uint8.
#[pyfunction]
#[pyo3(signature = (array, quality = 95, subsampling = 420))]
pub(super) fn encode_jpeg<'py>(
    py: Python<'py>,
    array: PyReadonlyArrayDyn<'py, u8>,
    quality: u8,
    subsampling: u16,
) -> PyResult<Bound<'py, PyBytes>> {
    let halved = match subsampling {
        420 => true,
        444 => false,
        other => return Err(raise(Error::value(format!("subsampling: {other}; allowed 420, 444")))),
    };
    let (w, h, c, copy) = pixels(&array)?;
    let out = py.detach(move || codec::encode_jpeg(w, h, c, &copy, quality, halved)).map_err(raise)?;
    Ok(PyBytes::new(py, &out))
}

/// `encode_png(array) -> bytes` for (h, w) or (h, w, 1 to 4) uint8.
#[pyfunction]
pub(super) fn encode_png<'py>(py: Python<'py>, array: PyReadonlyArrayDyn<'py, u8>) -> PyResult<Bound<'py, PyBytes>> {
    let (w, h, c, copy) = pixels(&array)?;
    let out = py.detach(move || codec::encode_png(w, h, c, &copy)).map_err(raise)?;
    Ok(PyBytes::new(py, &out))
}
