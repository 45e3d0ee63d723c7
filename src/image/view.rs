//! Borrowed arrays: raw bytes with a shape, and typed planes and rows for kernels.
//!
//! Components of a pixel and pixels of a row are always packed; rows and slices may lie further apart.
//! The casts from bytes to elements are the only unsafe code here: plain old data, alignment and length checked.
#![allow(unsafe_code)]

use super::{DType, Element, Shape};

/// A read-only array: bytes with a shape and the distances between rows and slices (in bytes).
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    /// From the first byte of slice 0, row 0 to the last byte of the last row.
    pub bytes: &'a [u8],
    /// Size and type.
    pub shape: Shape,
    /// Bytes from a row to the next, ≥ the packed row.
    pub row: usize,
    /// Bytes from a slice to the next.
    pub slice: usize,
}

impl<'a> Array<'a> {
    /// A packed array.
    pub fn packed(bytes: &'a [u8], shape: Shape) -> Self {
        assert_eq!(bytes.len(), shape.bytes());
        Array { bytes, shape, row: shape.row_bytes(), slice: shape.slice_bytes() }
    }

    /// All slices, typed. Panics if `E` has not the element's size or the bytes are misaligned (the gate rules both out).
    pub fn volume<E: Element>(&self) -> Volume<'a, E> {
        let size = size_of::<E>();
        assert_eq!(size, self.shape.dtype.size());
        assert!(self.row.is_multiple_of(size) && self.slice.is_multiple_of(size));
        Volume {
            data: elements(self.bytes),
            d: self.shape.d,
            h: self.shape.h,
            w: self.shape.w,
            c: self.shape.c,
            row: self.row / size,
            slice: self.slice / size,
        }
    }

    /// One slice, typed.
    pub fn plane<E: Element>(&self, z: usize) -> Plane<'a, E> {
        self.volume::<E>().plane(z)
    }
}

/// A packed array that can be written.
#[derive(Debug)]
pub struct ArrayMut<'a> {
    /// The whole array.
    pub bytes: &'a mut [u8],
    /// Size and type.
    pub shape: Shape,
}

impl<'a> ArrayMut<'a> {
    /// Rows `y0..y0+n` of slice `z`, typed.
    pub fn rows<E: Element>(&mut self, z: usize, y0: usize, n: usize) -> RowsMut<'_, E> {
        let s = self.shape;
        assert_eq!(size_of::<E>(), s.dtype.size());
        let start = z * s.slice_bytes() + y0 * s.row_bytes();
        let data = elements_mut(&mut self.bytes[start..start + n * s.row_bytes()]);
        RowsMut { data, n, w: s.w, c: s.c, stride: s.w * s.c }
    }

    /// The array, read-only.
    pub fn as_array(&self) -> Array<'_> {
        Array::packed(self.bytes, self.shape)
    }
}

/// Slices of rows of packed pixels; distances in elements.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a, E> {
    /// From the first element to the last.
    pub data: &'a [E],
    /// Slices.
    pub d: usize,
    /// Rows.
    pub h: usize,
    /// Pixels a row.
    pub w: usize,
    /// Components a pixel.
    pub c: usize,
    /// Elements from a row to the next.
    pub row: usize,
    /// Elements from a slice to the next.
    pub slice: usize,
}

impl<'a, E: Element> Volume<'a, E> {
    /// One slice.
    #[inline]
    pub fn plane(&self, z: usize) -> Plane<'a, E> {
        let start = z * self.slice;
        let len = (self.h - 1) * self.row + self.w * self.c;
        Plane { data: &self.data[start..start + len], w: self.w, h: self.h, c: self.c, stride: self.row }
    }
}

/// One slice: `h` rows of `w` packed pixels, `stride` elements apart. `data` ends with the last pixel.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a, E> {
    /// From the first element to the last.
    pub data: &'a [E],
    /// Pixels a row.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// Components a pixel.
    pub c: usize,
    /// Elements from a row to the next.
    pub stride: usize,
}

impl<'a, E: Element> Plane<'a, E> {
    /// A packed plane.
    pub fn packed(data: &'a [E], w: usize, h: usize, c: usize) -> Self {
        assert_eq!(data.len(), w * h * c);
        Plane { data, w, h, c, stride: w * c }
    }
    /// One row.
    #[inline(always)]
    pub fn row(&self, y: usize) -> &'a [E] {
        let start = y * self.stride;
        &self.data[start..start + self.w * self.c]
    }
    /// The sub-plane with top-left (x, y) and size (w, h).
    pub fn crop(&self, x: usize, y: usize, w: usize, h: usize) -> Plane<'a, E> {
        assert!(x + w <= self.w && y + h <= self.h && w > 0 && h > 0);
        let start = y * self.stride + x * self.c;
        let len = (h - 1) * self.stride + w * self.c;
        Plane { data: &self.data[start..start + len], w, h, c: self.c, stride: self.stride }
    }
}

/// `n` rows to write, `stride` elements apart (≥ `w · c`).
#[derive(Debug)]
pub struct RowsMut<'a, E> {
    /// From the first element on.
    pub data: &'a mut [E],
    /// Rows.
    pub n: usize,
    /// Pixels a row.
    pub w: usize,
    /// Components a pixel.
    pub c: usize,
    /// Elements from a row to the next.
    pub stride: usize,
}

impl<'a, E: Element> RowsMut<'a, E> {
    /// Packed rows.
    pub fn packed(data: &'a mut [E], w: usize, n: usize, c: usize) -> Self {
        assert!(data.len() >= w * n * c);
        RowsMut { data, n, w, c, stride: w * c }
    }
    /// One row.
    #[inline(always)]
    pub fn row(&mut self, i: usize) -> &mut [E] {
        let start = i * self.stride;
        &mut self.data[start..start + self.w * self.c]
    }
}

/// Bytes as elements. Panics if misaligned or of a length that is no multiple.
pub fn elements<E: Element>(bytes: &[u8]) -> &[E] {
    let size = size_of::<E>();
    assert!(bytes.as_ptr().cast::<E>().is_aligned() || bytes.is_empty());
    assert!(bytes.len().is_multiple_of(size));
    // SAFETY: `Element` is sealed to plain old data, valid for any bits; alignment and length were just checked.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size) }
}

/// Bytes as elements to write. Panics if misaligned or of a length that is no multiple.
pub fn elements_mut<E: Element>(bytes: &mut [u8]) -> &mut [E] {
    let size = size_of::<E>();
    assert!(bytes.as_ptr().cast::<E>().is_aligned() || bytes.is_empty());
    assert!(bytes.len().is_multiple_of(size));
    // SAFETY: as in `elements`, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / size) }
}

/// Elements as bytes.
pub fn bytes_of<E: Element>(v: &[E]) -> &[u8] {
    // SAFETY: `Element` is sealed to plain old data; any of its bytes is a `u8`.
    unsafe { std::slice::from_raw_parts(v.as_ptr().cast(), size_of_val(v)) }
}

/// Elements as bytes to write.
pub fn bytes_of_mut<E: Element>(v: &mut [E]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; any bits are a valid element, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(v.as_mut_ptr().cast(), size_of_val(v)) }
}

/// A buffer of bytes aligned for every element type and every SIMD load.
#[derive(Default)]
pub struct Bytes {
    cells: Vec<Cell>,
    len: usize,
}

/// What a panic carries when memory for a buffer cannot be had: a failed allocation would end the process.
#[derive(Debug)]
pub struct OutOfMemory(
    /// Bytes asked for.
    pub usize,
);

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Cell(#[allow(dead_code)] [u64; 8]);

impl Bytes {
    /// A copy of `bytes`.
    pub fn of(bytes: &[u8]) -> Bytes {
        let mut copy = Bytes::default();
        copy.resize(bytes.len()).copy_from_slice(bytes);
        copy
    }
    /// Makes the buffer `len` bytes long; the content is unspecified (but initialised).
    pub fn resize(&mut self, len: usize) -> &mut [u8] {
        let cells = len.div_ceil(64);
        if self.cells.len() < cells {
            if self.cells.try_reserve(cells - self.cells.len()).is_err() {
                std::panic::panic_any(OutOfMemory(len));
            }
            self.cells.resize(cells, Cell::default());
        }
        self.len = len;
        self.bytes_mut()
    }
    /// Bytes that the buffer keeps.
    pub fn capacity(&self) -> usize {
        self.cells.capacity() * 64
    }
    /// The content.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the cells are initialised plain data and `len` never exceeds them.
        unsafe { std::slice::from_raw_parts(self.cells.as_ptr().cast(), self.len) }
    }
    /// The content, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.cells.as_mut_ptr().cast(), self.len) }
    }
}

impl DType {
    /// True if `ptr` is aligned for this type.
    pub fn is_aligned(self, ptr: *const u8) -> bool {
        (ptr as usize).is_multiple_of(self.size())
    }
}
