//! The codecs as Python functions: `bytes` in, arrays out and back, without the GIL while they work.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::buffer::{Axes, Input, gate};
use super::enter::work;
use super::raise;
use crate::codec::{self, Effort, Header, Limits, Mode, PngImage};
use crate::error::Error;
use crate::image::DType;

/// Work in nanoseconds that is always worth letting go of the GIL.
const SLOW: f64 = 1e6;

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
    let header = work(py, 0.0, || codec::probe(bytes, &Limits::default()))?;
    describe(py, &header)
}

/// `decode(data) -> (array, dict)`: upright pixels, (h, w) if the file is gray without alpha, else (h, w, 3 or 4).
#[pyfunction]
pub(super) fn decode<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
) -> PyResult<(Bound<'py, PyArrayDyn<u8>>, Bound<'py, PyDict>)> {
    let bytes = data.as_bytes();
    let image = work(py, SLOW, || codec::decode(bytes, &Limits::default()))?;
    let info = describe(py, &image.header)?;
    let shape: &[usize] =
        if image.channels == 1 { &[image.height, image.width] } else { &[image.height, image.width, image.channels] };
    Ok((
        PyArray1::from_vec(py, image.pixels)
            .reshape_with_order(shape.to_vec(), numpy::npyffi::NPY_ORDER::NPY_CORDER)?,
        info,
    ))
}

/// `decode_raw(data) -> (array, dict)`: upright samples as the file holds them, without conversion.
///
/// uint8 (unscaled where the file has fewer bits) or uint16; the dict is that of `probe` with mode, bits, palette and
/// transparency (bytes or None).
#[pyfunction]
pub(super) fn decode_raw<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let bytes = data.as_bytes();
    let raw = work(py, SLOW, || codec::decode_raw(bytes, &Limits::default()))?;
    let info = describe(py, &raw.header)?;
    let some = |bytes: &[u8]| (!bytes.is_empty()).then(|| PyBytes::new(py, bytes));
    info.set_item("mode", raw.mode.name())?;
    info.set_item("bits", raw.bits)?;
    info.set_item("palette", some(&raw.palette))?;
    info.set_item("transparency", some(&raw.transparency))?;
    let mut shape = vec![raw.height, raw.width];
    if raw.mode.channels() > 1 {
        shape.push(raw.mode.channels());
    }
    let order = numpy::npyffi::NPY_ORDER::NPY_CORDER;
    let array = if raw.bits == 16 {
        let words = raw.samples.as_chunks().0.iter().map(|v| u16::from_ne_bytes(*v)).collect();
        PyArray1::<u16>::from_vec(py, words).reshape_with_order(shape, order)?.into_any()
    } else {
        PyArray1::from_vec(py, raw.samples).reshape_with_order(shape, order)?.into_any()
    };
    Ok((array, info))
}

/// An image that the gate let in, as packed bytes: the array's own where its rows lie side by side.
struct Pixels {
    input: Input,
    packed: Option<Vec<u8>>,
}

impl Pixels {
    fn of(image: &Bound<'_, PyAny>, allowed: &[DType]) -> PyResult<Self> {
        let input = gate(image, "image", Axes::Image)?;
        if !allowed.contains(&input.shape.dtype) {
            let names: Vec<_> = allowed.iter().map(|d| d.name()).collect();
            let text = format!("image: dtype {}; this format holds {}", input.shape.dtype.name(), names.join(", "));
            return Err(raise(Error::type_(text)));
        }
        let packed = {
            let array = input.array();
            let row = input.shape.row_bytes();
            (array.row != row && input.shape.h > 1)
                .then(|| array.bytes.chunks(array.row).flat_map(|line| &line[..row]).copied().collect())
        };
        Ok(Pixels { input, packed })
    }
    fn size(&self) -> (usize, usize, usize) {
        (self.input.shape.w, self.input.shape.h, self.input.shape.c)
    }
    fn bytes(&self) -> &[u8] {
        self.packed.as_deref().unwrap_or(self.input.array().bytes)
    }
}

/// `encode_jpeg(array, quality=95, subsampling=420) -> bytes` for (h, w), (h, w, 1) or (h, w, 3) uint8.
#[pyfunction]
#[pyo3(signature = (array, quality = 95, subsampling = 420))]
pub(super) fn encode_jpeg<'py>(
    py: Python<'py>,
    array: &Bound<'py, PyAny>,
    quality: u8,
    subsampling: u16,
) -> PyResult<Bound<'py, PyBytes>> {
    let halved = match subsampling {
        420 => true,
        444 => false,
        other => return Err(raise(Error::value(format!("subsampling: {other}; allowed 420, 444")))),
    };
    let image = Pixels::of(array, &[DType::U8])?;
    let (w, h, c) = image.size();
    let out = work(py, SLOW, || codec::encode_jpeg(w, h, c, image.bytes(), quality, halved))?;
    Ok(PyBytes::new(py, &out))
}

/// `encode_png(array, *, bits=None, palette=None, transparency=None, balanced=False) -> bytes` for (h, w) or
/// (h, w, 1 to 4).
///
/// `bits` is 8 for uint8 and 16 for uint16 unless gray or palette is to have 1, 2 or 4. A palette makes the samples
/// numbers of its colours. `balanced` looks longer for a smaller file.
#[pyfunction]
#[pyo3(signature = (array, *, bits = None, palette = None, transparency = None, balanced = false))]
pub(super) fn encode_png<'py>(
    py: Python<'py>,
    array: &Bound<'py, PyAny>,
    bits: Option<u8>,
    palette: Option<&[u8]>,
    transparency: Option<&[u8]>,
    balanced: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let image = Pixels::of(array, &[DType::U8, DType::U16])?;
    let (width, height, c) = image.size();
    let own = if image.input.shape.dtype == DType::U16 { 16 } else { 8 };
    let bits = bits.unwrap_or(own);
    if (bits == 16) != (own == 16) {
        let text = format!("bits: {bits}; dtype {} has {own}", image.input.shape.dtype.name());
        return Err(raise(Error::value(text)));
    }
    let mode = match (palette, Mode::of_channels(c)) {
        (Some(_), Ok(Mode::Gray)) => Mode::Palette,
        (Some(_), _) => return Err(raise(Error::value(format!("palette: {c} channels; numbers of colours have one")))),
        (None, mode) => mode.map_err(raise)?,
    };
    let made = PngImage {
        width,
        height,
        mode,
        bits,
        samples: image.bytes(),
        palette: palette.unwrap_or_default(),
        transparency: transparency.unwrap_or_default(),
        effort: if balanced { Effort::Balanced } else { Effort::Fast },
    };
    let out = work(py, SLOW, || codec::encode_png_as(&made))?;
    Ok(PyBytes::new(py, &out))
}

/// `encode_webp(array) -> bytes`, lossless, for (h, w) or (h, w, 1 to 4) uint8.
#[pyfunction]
pub(super) fn encode_webp<'py>(py: Python<'py>, array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let image = Pixels::of(array, &[DType::U8])?;
    let (w, h, c) = image.size();
    let out = work(py, SLOW, || codec::encode_webp(w, h, c, image.bytes()))?;
    Ok(PyBytes::new(py, &out))
}
