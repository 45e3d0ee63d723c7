//! PIXELS AT REST: element types, shapes, borrowed arrays, windows onto them, borders.
//!
//! Nothing here computes a pixel. The room knows neither ops nor kernels.

pub mod border;
pub mod sample;
pub mod view;
pub mod window;

pub use border::{Border, Interp};
pub use sample::{DType, Element, Fill, Sample};
pub use view::{Array, ArrayMut, Plane, RowsMut, Volume};
pub use window::{Axis, Window};

/// Size and element type of one lane: `d` slices of `h` rows of `w` pixels of `c` interleaved components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Slices: 1 for an image, N for a stack, depth for a volume.
    pub d: usize,
    /// Rows.
    pub h: usize,
    /// Pixels in a row.
    pub w: usize,
    /// Components of a pixel.
    pub c: usize,
    /// Element type.
    pub dtype: DType,
}

impl Shape {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.d * self.h * self.w * self.c
    }
    /// True if there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes of one pixel.
    pub fn pixel_bytes(&self) -> usize {
        self.c * self.dtype.size()
    }
    /// Bytes of one packed row.
    pub fn row_bytes(&self) -> usize {
        self.w * self.pixel_bytes()
    }
    /// Bytes of one packed slice.
    pub fn slice_bytes(&self) -> usize {
        self.h * self.row_bytes()
    }
    /// Bytes of the packed array.
    pub fn bytes(&self) -> usize {
        self.d * self.slice_bytes()
    }
}
