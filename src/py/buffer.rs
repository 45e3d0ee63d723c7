//! The one array gate. Type, dtype, byte order, rank, shape, strides, alignment and total size are checked *before*
//! anything is allocated; what is not plain is copied; a strong reference is held while the GIL is released.
#![allow(unsafe_code)]

use super::enter::raise;
use crate::error::Error;
use crate::image::{Array, DType, Shape};
use numpy::npyffi::{self, NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_WRITEABLE, NpyTypes, PyArrayObject};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::os::raw::c_int;

/// Elements of one array at most; the default `max_pixels`.
const MAX_PIXELS: u128 = (1 << 31) - 1;
/// The byte order that is not this machine's, as NumPy writes it.
const SWAPPED: u8 = if cfg!(target_endian = "little") { b'>' } else { b'<' };
/// Rows of boxes or points that one array may hold.
pub const MAX_ROWS: usize = 10_000_000;
/// Channels at most.
pub const MAX_CHANNELS: usize = 512;

/// What the axes of an array target mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// (H, W) or (H, W, C).
    Image,
    /// (N, H, W) or (N, H, W, C): a stack, or the slices of a volume.
    Stack,
    /// (N, D, H, W) or (N, D, H, W, C).
    Stacks,
}

/// An array that came in, checked, plain and held.
pub struct Input {
    /// The caller's object, or our contiguous copy of it.
    object: Py<PyAny>,
    data: *const u8,
    len: usize,
    /// Size and type.
    pub shape: Shape,
    row: usize,
    slice: usize,
    dims: Dims,
    /// The memory of the caller's array, if `object` is a copy of it.
    original: Option<(usize, usize)>,
    /// True if there is no channel axis.
    pub flat: bool,
    /// True if `object` is the caller's own and C-contiguous.
    pub own_contiguous: bool,
}

/// Sizes of the axes of an array of at most five, in place.
#[derive(Clone, Copy)]
struct Dims {
    n: usize,
    sizes: [usize; 5],
}

impl Dims {
    /// Of an array whose rank was checked.
    fn of(dims: &[isize]) -> Dims {
        let mut sizes = [0; 5];
        for (size, d) in sizes.iter_mut().zip(dims) {
            *size = *d as usize;
        }
        Dims { n: dims.len().min(5), sizes }
    }
    fn as_slice(&self) -> &[usize] {
        &self.sizes[..self.n]
    }
}

// SAFETY: the pointer is only read, through `array`, and the object that owns the memory is held as long as it lives.
unsafe impl Send for Input {}
// SAFETY: as above; concurrent reads are fine.
unsafe impl Sync for Input {}

impl Input {
    /// The pixels.
    pub fn array(&self) -> Array<'_> {
        // SAFETY: the gate computed `data` and `len` from the array's own dims and strides, in checked arithmetic, and
        // `object` keeps the memory alive. Another thread of the caller may write it meanwhile: then the values are torn,
        // as they would be for NumPy, but every byte is a valid element.
        let bytes = unsafe { std::slice::from_raw_parts(self.data, self.len) };
        Array { bytes, shape: self.shape, row: self.row, slice: self.slice }
    }
    /// The object that holds the pixels.
    pub fn object(&self) -> &Py<PyAny> {
        &self.object
    }
    /// Sizes of the axes before H.
    pub fn lead(&self) -> &[usize] {
        let dims = self.dims.as_slice();
        &dims[..dims.len() - if self.flat { 2 } else { 3 }]
    }
    /// Python code may have run since the gate, and `resize(refcheck=False)` frees memory that others refer to: an error
    /// unless the pixels still are where they were. To be called before `array`, with no Python in between.
    pub fn hold(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let r = raw(self.object.bind(py));
        if std::ptr::eq(r.data, self.data)
            && r.dims.len() == self.dims.n
            && r.dims.iter().zip(&self.dims.sizes).all(|(a, b)| *a as usize == *b)
        {
            return Ok(());
        }
        Err(PyValueError::new_err(format!("{name}: the array was resized while the call was using it")))
    }
}

fn type_name(obj: &Bound<'_, PyAny>) -> String {
    obj.get_type().fully_qualified_name().map_or_else(|_| "object".into(), |s| s.to_string())
}

fn dtype_of(type_num: c_int) -> Option<DType> {
    use npyffi::NPY_TYPES::*;
    let t = |n: npyffi::NPY_TYPES| n as c_int == type_num;
    let by_size = |signed: bool, size: usize| match (signed, size) {
        (true, 4) => DType::I32,
        (false, 4) => DType::U32,
        (true, _) => DType::I64,
        (false, _) => DType::U64,
    };
    Some(match () {
        _ if t(NPY_UBYTE) => DType::U8,
        _ if t(NPY_FLOAT) => DType::F32,
        _ if t(NPY_BOOL) => DType::Bool,
        _ if t(NPY_BYTE) => DType::I8,
        _ if t(NPY_SHORT) => DType::I16,
        _ if t(NPY_USHORT) => DType::U16,
        _ if t(NPY_INT) => DType::I32,
        _ if t(NPY_UINT) => DType::U32,
        _ if t(NPY_LONG) => by_size(true, size_of::<std::os::raw::c_long>()),
        _ if t(NPY_ULONG) => by_size(false, size_of::<std::os::raw::c_long>()),
        _ if t(NPY_LONGLONG) => DType::I64,
        _ if t(NPY_ULONGLONG) => DType::U64,
        _ if t(NPY_DOUBLE) => DType::F64,
        _ if t(NPY_HALF) => DType::F16,
        _ => return None,
    })
}

fn type_num(dtype: DType) -> c_int {
    use npyffi::NPY_TYPES::*;
    let long_is_8 = size_of::<std::os::raw::c_long>() == 8;
    (match dtype {
        DType::Bool => NPY_BOOL,
        DType::U8 => NPY_UBYTE,
        DType::I8 => NPY_BYTE,
        DType::U16 => NPY_USHORT,
        DType::I16 => NPY_SHORT,
        DType::F16 => NPY_HALF,
        DType::U32 => NPY_UINT,
        DType::I32 => NPY_INT,
        DType::F32 => NPY_FLOAT,
        DType::U64 if long_is_8 => NPY_ULONG,
        DType::U64 => NPY_ULONGLONG,
        DType::I64 if long_is_8 => NPY_LONG,
        DType::I64 => NPY_LONGLONG,
        DType::F64 => NPY_DOUBLE,
    }) as c_int
}

/// True if `obj` is exactly an ndarray.
pub fn is_ndarray(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object and the GIL (the token in `obj`).
    unsafe { npyffi::PyArray_CheckExact(obj.py(), obj.as_ptr()) != 0 }
}

/// The raw facts of an ndarray; slices live as long as the array does and nobody reshapes it.
struct Raw<'a> {
    data: *const u8,
    dims: &'a [isize],
    strides: &'a [isize],
    type_num: c_int,
    byteorder: u8,
    flags: c_int,
}

fn raw<'a>(obj: &'a Bound<'_, PyAny>) -> Raw<'a> {
    // SAFETY: the caller checked that `obj` is an ndarray; its struct is read with the GIL held and no Python in between.
    unsafe {
        let a = &(*obj.as_ptr().cast::<PyArrayObject>()).fields;
        let nd = a.nd as usize;
        let list = |p: *mut isize| if nd == 0 { &[][..] } else { std::slice::from_raw_parts(p, nd) };
        let descr = &(*a.descr).fields;
        Raw {
            data: a.data.cast(),
            dims: list(a.dimensions),
            strides: list(a.strides),
            type_num: descr.type_num,
            byteorder: descr.byteorder as u8,
            flags: a.flags,
        }
    }
}

fn contiguous_copy<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let flags = npyffi::NPY_ARRAY_CARRAY | npyffi::NPY_ARRAY_ENSUREARRAY | npyffi::NPY_ARRAY_ENSURECOPY;
    // SAFETY: `obj` is an ndarray (or a subclass, which ENSUREARRAY turns into a base array); a null dtype keeps its own.
    unsafe {
        let copy = npyffi::PY_ARRAY_API.PyArray_FromArray(py, obj.as_ptr().cast(), std::ptr::null_mut(), flags);
        Bound::from_owned_ptr_or_err(py, copy)
    }
}

/// Checks `obj` as target `name` and holds it. Nothing is allocated before the checks are through.
pub fn gate(obj: &Bound<'_, PyAny>, name: &str, axes: Axes) -> PyResult<Input> {
    let exact = is_ndarray(obj);
    if !exact && !is_plain_subclass(obj) {
        return Err(refuse(obj, name));
    }
    if let Some(input) = check(obj, name, axes)?
        && exact
    {
        return Ok(input);
    }
    let original = Some(extent(&raw(obj)));
    let copy = contiguous_copy(obj)?;
    let input =
        check(&copy, name, axes)?.ok_or_else(|| raise(obj.py(), Error::internal("a contiguous copy is not plain")))?;
    Ok(Input { own_contiguous: false, original, ..input })
}

/// True if `obj` is an ndarray subclass of a name known to hold plain pixels, which are copied: a memory map, or what
/// imageio reads.
fn is_plain_subclass(obj: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object and the GIL.
    let subclass = unsafe { npyffi::PyArray_Check(obj.py(), obj.as_ptr()) != 0 };
    subclass && matches!(type_name(obj).as_str(), "numpy.memmap" | "imageio.core.util.Array")
}

fn refuse(obj: &Bound<'_, PyAny>, name: &str) -> PyErr {
    let kind = type_name(obj);
    let advice = match kind.as_str() {
        _ if kind.contains("MaskedArray") => "; the mask would be lost; pass .data or .filled()",
        _ if kind.starts_with("torch.") => "; pass tensor.numpy()",
        _ if kind.starts_with("PIL.") => "; pass np.asarray(img)",
        "NoneType" => "",
        _ => "; pass np.asarray(…)",
    };
    PyTypeError::new_err(format!("{name}: expected numpy.ndarray, got {kind}{advice}"))
}

/// First and one past the last byte that an array of nonzero size can touch.
fn extent(r: &Raw<'_>) -> (usize, usize) {
    let (mut low, mut high) = (r.data as i128, r.data as i128);
    for (d, s) in r.dims.iter().zip(r.strides) {
        let reach = (*d as i128 - 1) * *s as i128;
        if reach < 0 {
            low += reach;
        } else {
            high += reach;
        }
    }
    let item = dtype_of(r.type_num).map_or(1, DType::size) as i128;
    (low.max(0) as usize, (high + item) as usize)
}

/// All checks on an ndarray; `None` if it is fine but not plain.
fn check(obj: &Bound<'_, PyAny>, name: &str, axes: Axes) -> PyResult<Option<Input>> {
    let py = obj.py();
    let r = raw(obj);
    let Some(dtype) = dtype_of(r.type_num) else {
        let text = obj.getattr("dtype")?.str()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "{name}: dtype {}; allowed are bool, integers and floats of 1 to 8 bytes",
            text.chars().take(80).collect::<String>()
        )));
    };
    if r.byteorder == SWAPPED {
        return Err(PyTypeError::new_err(format!(
            "{name}: byte order '{}'; pass .astype(array.dtype.newbyteorder('='))",
            SWAPPED as char
        )));
    }
    let (least, plural, say) = match axes {
        Axes::Image => (2, if name == "mask" { "masks" } else { "images" }, "2 or 3"),
        Axes::Stack => (3, "volumes", "3 or 4"),
        Axes::Stacks => (4, "", "4 or 5"),
    };
    let nd = r.dims.len();
    if nd != least && nd != least + 1 {
        let more = if nd == least + 2 && !plural.is_empty() && name != plural {
            format!("; use {plural}= for a stack")
        } else {
            String::new()
        };
        return Err(PyValueError::new_err(format!("{name}: {say} dimensions, got {nd}{more}")));
    }
    let held = Dims::of(r.dims);
    let dims = held.as_slice();
    let flat = nd == least;
    let spatial = &dims[..least];
    let (h, w) = (spatial[least - 2], spatial[least - 1]);
    let c = if flat { 1 } else { dims[least] };
    if h == 0 || w == 0 {
        return Err(PyValueError::new_err(format!("{name}: height and width must be ≥1, got shape {dims:?}")));
    }
    if spatial.contains(&0) {
        return Err(PyValueError::new_err(format!("{name}: an empty stack of shape {dims:?}")));
    }
    let pixels = spatial.iter().map(|d| *d as u128).product::<u128>();
    check_pixels(py, name, spatial)?;
    if c == 0 || c > MAX_CHANNELS {
        return Err(PyValueError::new_err(format!("{name}: {c} channels; channels 1..{MAX_CHANNELS}")));
    }
    let size = dtype.size();
    if pixels * (c as u128) * (size as u128) > isize::MAX as u128 {
        return Err(raise(py, Error::limit(format!("{name}: {dims:?} is too large"))));
    }
    let d: usize = spatial[..least - 2].iter().product();
    let shape = Shape { d, h, w, c, dtype };
    let lead = &spatial[..least - 2];

    // Plain: packed pixels, rows apart by at least their length, slices evenly apart and not negative.
    let s = r.strides;
    let pixel = (c * size) as isize;
    let packed = (flat || c == 1 || s[least] == size as isize) && (w == 1 || s[least - 1] == pixel);
    let row = if h == 1 { shape.row_bytes() as isize } else { s[least - 2] };
    let slice = match axes {
        Axes::Image => shape.slice_bytes() as isize,
        _ if d == 1 => shape.slice_bytes() as isize,
        Axes::Stack => s[0],
        Axes::Stacks if lead[0] == 1 => s[1],
        Axes::Stacks if lead[1] == 1 => s[0],
        Axes::Stacks if s[0] == s[1].wrapping_mul(lead[1] as isize) => s[1],
        Axes::Stacks => -1,
    };
    let plain = packed
        && r.flags & NPY_ARRAY_ALIGNED != 0
        && dtype.is_aligned(r.data)
        && row >= shape.row_bytes() as isize
        && row % size as isize == 0
        && slice >= 0
        && slice % size as isize == 0;
    if !plain {
        return Ok(None);
    }
    let (row, slice) = (row as usize, slice as usize);
    let reach = (d - 1) as u128 * slice as u128 + (h - 1) as u128 * row as u128 + shape.row_bytes() as u128;
    if reach > isize::MAX as u128 {
        return Err(PyValueError::new_err(format!("{name}: strides {:?} reach beyond memory", r.strides)));
    }
    Ok(Some(Input {
        object: obj.clone().unbind(),
        data: r.data,
        len: reach as usize,
        shape,
        row,
        slice,
        dims: held,
        original: None,
        flat,
        own_contiguous: r.flags & NPY_ARRAY_C_CONTIGUOUS != 0,
    }))
}

/// `LimitError` if an array of these sizes has too many pixels.
#[inline]
pub fn check_pixels(py: Python<'_>, name: &str, sizes: &[usize]) -> PyResult<()> {
    let pixels = sizes.iter().fold(1u128, |n, d| n.saturating_mul(*d as u128));
    if pixels > MAX_PIXELS {
        return Err(raise(py, Error::limit(format!("{name}: {pixels} pixels > max_pixels={MAX_PIXELS}"))));
    }
    Ok(())
}

/// True if `obj` is an ndarray of integers.
pub fn is_integers(obj: &Bound<'_, PyAny>) -> bool {
    use DType::{Bool, F16, F32, F64};
    is_ndarray(obj) && dtype_of(raw(obj).type_num).is_some_and(|t| !matches!(t, Bool | F16 | F32 | F64))
}

/// True if `obj` is a one-dimensional ndarray.
pub fn is_vector(obj: &Bound<'_, PyAny>) -> bool {
    is_ndarray(obj) && raw(obj).dims.len() == 1
}

/// True if `obj` is an ndarray without items along its first axis.
pub fn is_empty_stack(obj: &Bound<'_, PyAny>) -> bool {
    is_ndarray(obj) && raw(obj).dims.first() == Some(&0)
}

/// A fresh C-contiguous array that owns its memory.
pub fn new_array<'py>(py: Python<'py>, dims: &[usize], dtype: DType) -> PyResult<Bound<'py, PyAny>> {
    let total = dims.iter().map(|d| *d as u128).product::<u128>() * dtype.size() as u128;
    if total > isize::MAX as u128 {
        return Err(raise(py, Error::limit(format!("an array of shape {dims:?} is too large"))));
    }
    let n = dims.len();
    let mut sizes = [0isize; 6];
    for (size, d) in sizes[..n].iter_mut().zip(dims) {
        *size = *d as isize;
    }
    // SAFETY: dims and type are valid; null strides and data make NumPy allocate a C-contiguous array of its own.
    unsafe {
        let subtype = npyffi::get_type_object(py, NpyTypes::PyArray_Type);
        let array = npyffi::PY_ARRAY_API.PyArray_New(
            py,
            subtype,
            n as c_int,
            sizes.as_mut_ptr(),
            type_num(dtype),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
            0,
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, array)
    }
}

/// Memory of an array of ours that is to be written without the GIL.
pub struct Output {
    data: *mut u8,
    len: usize,
}

// SAFETY: the pointer is used by one run at a time, which has `&mut self`; the array that owns it is held by the caller.
unsafe impl Send for Output {}

impl Output {
    /// The bytes of `array`, which `new_array` made or `user_output` checked, and which outlives the result.
    pub fn of(array: &Bound<'_, PyAny>, len: usize) -> Output {
        Output { data: raw(array).data.cast_mut(), len }
    }
    /// To write.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `of` got a C-contiguous array of `len` bytes that is alive, and nobody else writes it.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }
}

/// Checks a user's `out=` for a result of these dims and type.
pub fn user_output<'a>(
    out: &Bound<'_, PyAny>,
    dims: &[usize],
    dtype: DType,
    inputs: impl IntoIterator<Item = (&'a Input, &'a str)>,
) -> PyResult<()> {
    if !is_ndarray(out) {
        return Err(PyTypeError::new_err(format!("out: expected numpy.ndarray, got {}", type_name(out))));
    }
    let r = raw(out);
    let got: Vec<usize> = r.dims.iter().map(|d| *d as usize).collect();
    match dtype_of(r.type_num) {
        Some(t) if t == dtype => {}
        t => {
            let t = t.map_or("another dtype", DType::name);
            return Err(PyTypeError::new_err(format!("out: dtype {t}; the result is {}", dtype.name())));
        }
    }
    if got != dims {
        return Err(PyValueError::new_err(format!("out: shape {got:?}; the result is {dims:?}")));
    }
    if r.byteorder == SWAPPED {
        return Err(PyTypeError::new_err(format!("out: byte order '{}'; the result is native", SWAPPED as char)));
    }
    if r.flags & NPY_ARRAY_WRITEABLE == 0 {
        return Err(PyValueError::new_err("out: read-only; pass a writeable array"));
    }
    if r.flags & NPY_ARRAY_C_CONTIGUOUS == 0 || !dtype.is_aligned(r.data) {
        return Err(PyValueError::new_err("out: must be C-contiguous and aligned"));
    }
    let len = dims.iter().product::<usize>() * dtype.size();
    let start = r.data as usize;
    for (input, name) in inputs {
        let (a, b) = input.original.unwrap_or((input.data as usize, input.data as usize + input.len));
        if start < b && a < start + len {
            return Err(PyValueError::new_err(format!("out overlaps {name}: pass an array of its own")));
        }
    }
    Ok(())
}

/// The f64 content of a C-contiguous float64 array of shape (n, k), copied.
pub fn f64_rows(obj: &Bound<'_, PyAny>, name: &str) -> PyResult<(usize, usize, Vec<f64>)> {
    if !is_ndarray(obj) {
        return Err(PyTypeError::new_err(format!("{name}: expected numpy.ndarray, got {}", type_name(obj))));
    }
    if let Some(n) = raw(obj).dims.first()
        && *n as usize > MAX_ROWS
    {
        return Err(raise(obj.py(), Error::limit(format!("{name}: {n} rows; at most {MAX_ROWS}"))));
    }
    let copy = numeric_copy(obj, name, DType::F64)?;
    let r = raw(&copy);
    let (n, k) = match r.dims {
        [n, k] => (*n as usize, *k as usize),
        [0] => (0, 0),
        dims => return Err(PyValueError::new_err(format!("{name}: 2 dimensions, got {}", dims.len()))),
    };
    // SAFETY: `numeric_copy` gave a C-contiguous aligned float64 array of ours.
    let data = unsafe { std::slice::from_raw_parts(r.data.cast::<f64>(), n * k) };
    Ok((n, k, data.to_vec()))
}

/// The items of a list or tuple of exactly `out.len()` exact floats or ints that fit f64; false if it is anything else,
/// and then `out` holds nothing of value. No user code runs.
pub fn plain_numbers(row: &Bound<'_, PyAny>, out: &mut [f64]) -> bool {
    let p = row.as_ptr();
    // SAFETY: the GIL is held and nothing below runs Python, so that borrowed items stay alive: the item of an exact type
    // is read by a C function that calls no method.
    unsafe {
        let list = ffi::PyList_CheckExact(p) != 0;
        if !list && ffi::PyTuple_CheckExact(p) == 0 {
            return false;
        }
        let n = if list { ffi::PyList_Size(p) } else { ffi::PyTuple_Size(p) };
        if n != out.len() as ffi::Py_ssize_t {
            return false;
        }
        for (i, v) in out.iter_mut().enumerate() {
            let i = i as ffi::Py_ssize_t;
            let item = if list { ffi::PyList_GetItem(p, i) } else { ffi::PyTuple_GetItem(p, i) };
            if item.is_null() {
                ffi::PyErr_Clear();
                return false;
            }
            if ffi::PyFloat_CheckExact(item) != 0 {
                *v = ffi::PyFloat_AsDouble(item);
            } else if ffi::PyLong_CheckExact(item) != 0 {
                *v = ffi::PyLong_AsDouble(item);
                if *v == -1.0 && !ffi::PyErr_Occurred().is_null() {
                    ffi::PyErr_Clear();
                    return false;
                }
            } else {
                return false;
            }
        }
    }
    true
}

/// A C-contiguous base-class copy of a numeric ndarray in another element type.
fn numeric_copy<'py>(obj: &Bound<'py, PyAny>, name: &str, to: DType) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let r = raw(obj);
    match dtype_of(r.type_num) {
        Some(DType::Bool) | None => {
            let text = obj.getattr("dtype")?.str()?.to_string();
            return Err(PyTypeError::new_err(format!("{name}: dtype {text}; numbers are expected")));
        }
        Some(_) => {}
    }
    let flags = npyffi::NPY_ARRAY_CARRAY
        | npyffi::NPY_ARRAY_ENSUREARRAY
        | npyffi::NPY_ARRAY_ENSURECOPY
        | npyffi::NPY_ARRAY_FORCECAST
        | npyffi::NPY_ARRAY_NOTSWAPPED;
    // SAFETY: `obj` is an ndarray of a numeric type; the call takes over the reference to the new dtype.
    unsafe {
        let descr = npyffi::PY_ARRAY_API.PyArray_DescrFromType(py, type_num(to));
        let copy = npyffi::PY_ARRAY_API.PyArray_FromArray(py, obj.as_ptr().cast(), descr, flags);
        Bound::from_owned_ptr_or_err(py, copy)
    }
}

/// A new array of these dims with this content.
pub fn array_from<'py, T: Copy>(
    py: Python<'py>,
    dims: &[usize],
    dtype: DType,
    data: &[T],
) -> PyResult<Bound<'py, PyAny>> {
    assert_eq!(size_of::<T>(), dtype.size());
    assert_eq!(dims.iter().product::<usize>(), data.len());
    let array = new_array(py, dims, dtype)?;
    let target = raw(&array).data.cast_mut();
    // SAFETY: the new array holds exactly `data.len()` elements of this size, and does not overlap `data`.
    unsafe { std::ptr::copy_nonoverlapping(data.as_ptr().cast::<u8>(), target, size_of_val(data)) };
    Ok(array)
}
