//! Element types: what can be stored, what can be moved, what can be computed on.
//!
//! *Elements* (1, 2, 4 or 8 bytes) are moved without being understood. *Samples* (u8, f32) are computed on.
//! [`with_sample!`] and [`with_element!`] are the only matches over the element type in the crate.

use crate::error::{Error, Result};

/// Element type of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum DType {
    Bool,
    U8,
    I8,
    U16,
    I16,
    F16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

impl DType {
    /// Bytes of one element.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 | DType::I8 => 1,
            DType::U16 | DType::I16 | DType::F16 => 2,
            DType::U32 | DType::I32 | DType::F32 => 4,
            DType::U64 | DType::I64 | DType::F64 => 8,
        }
    }
    /// NumPy's name.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "uint8",
            DType::I8 => "int8",
            DType::U16 => "uint16",
            DType::I16 => "int16",
            DType::F16 => "float16",
            DType::U32 => "uint32",
            DType::I32 => "int32",
            DType::F32 => "float32",
            DType::U64 => "uint64",
            DType::I64 => "int64",
            DType::F64 => "float64",
        }
    }
    /// The type of that name.
    pub fn from_name(name: &str) -> Option<DType> {
        use DType::*;
        [Bool, U8, I8, U16, I16, F16, U32, I32, F32, U64, I64, F64].into_iter().find(|d| d.name() == name)
    }
    /// The value that stands for full intensity: 255, 65535, 2³²−1 or 1.0.
    pub const fn max_value(self) -> Option<f64> {
        match self {
            DType::U8 => Some(255.0),
            DType::U16 => Some(65535.0),
            DType::U32 => Some(4294967295.0),
            DType::F16 | DType::F32 | DType::F64 => Some(1.0),
            _ => None,
        }
    }
    /// True if kernels compute on it; all other types are only moved.
    pub const fn computes(self) -> bool {
        matches!(self, DType::U8 | DType::F32)
    }
}

/// A value that can be moved without being understood. Sealed: plain old data of 1, 2, 4 or 8 bytes.
pub trait Element: Copy + Default + PartialEq + Send + Sync + 'static + private::Sealed {}

/// A value that kernels compute on: u8 in 0..=255 or f32 in 0..=1.
pub trait Sample: Element + PartialOrd {
    /// Full intensity.
    const MAX: f32;
    /// The element type.
    const DTYPE: DType;
    /// As f32.
    fn to_f32(self) -> f32;
    /// From f32: u8 rounds half to even and saturates (NaN → 0), f32 is taken as it is.
    fn from_f32(v: f32) -> Self;
    /// The samples themselves if they are u8, for kernels with an integer text of their own.
    fn bytes(data: &[Self]) -> Option<&[u8]>;
    /// As `bytes`, to write.
    fn bytes_mut(data: &mut [Self]) -> Option<&mut [u8]>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
    impl Sealed for f32 {}
}

impl Element for u8 {}
impl Element for u16 {}
impl Element for u32 {}
impl Element for u64 {}
impl Element for f32 {}

impl Sample for u8 {
    const MAX: f32 = 255.0;
    const DTYPE: DType = DType::U8;
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }
    #[inline(always)]
    fn from_f32(v: f32) -> u8 {
        // Adding 1.5·2²³ rounds half to even in the default mode; the clamp keeps the sum exact.
        let v = if v > 0.0 { v } else { 0.0 };
        let v = if v < 255.0 { v } else { 255.0 };
        ((v + 12_582_912.0).to_bits() & 0xff) as u8
    }
    fn bytes(data: &[u8]) -> Option<&[u8]> {
        Some(data)
    }
    fn bytes_mut(data: &mut [u8]) -> Option<&mut [u8]> {
        Some(data)
    }
}

impl Sample for f32 {
    const MAX: f32 = 1.0;
    const DTYPE: DType = DType::F32;
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn from_f32(v: f32) -> f32 {
        v
    }
    fn bytes(_: &[f32]) -> Option<&[u8]> {
        None
    }
    fn bytes_mut(_: &mut [f32]) -> Option<&mut [u8]> {
        None
    }
}

/// Runs the body with a type alias for the computable element type, or the second body for any other type.
#[macro_export]
macro_rules! with_sample {
    ($dtype:expr, $t:ident => $body:expr, else $other:expr) => {
        match $dtype {
            $crate::image::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::image::DType::F32 => {
                type $t = f32;
                $body
            }
            _ => $other,
        }
    };
}

/// Runs the body with a type alias for a plain type of the element's size.
#[macro_export]
macro_rules! with_element {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype.size() {
            1 => {
                type $t = u8;
                $body
            }
            2 => {
                type $t = u16;
                $body
            }
            4 => {
                type $t = u32;
                $body
            }
            _ => {
                type $t = u64;
                $body
            }
        }
    };
}

/// A colour as the user gave it: one number for all components, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// The same number everywhere.
    All(f64),
    /// One number a component.
    Each(Vec<f64>),
}

impl Fill {
    /// The same number everywhere.
    pub fn all(v: f64) -> Fill {
        Fill::All(v)
    }

    /// The same colour with each number changed by `f`.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Fill {
        match self {
            Fill::All(v) => Fill::All(f(*v)),
            Fill::Each(list) => Fill::Each(list.iter().map(|v| f(*v)).collect()),
        }
    }

    /// The colour for borders of images of `c` components: numbers beyond them are dropped, as OpenCV does.
    pub fn cut(&self, c: usize) -> Fill {
        match self {
            Fill::Each(list) if list.len() > c => Fill::Each(list[..c].to_vec()),
            fill => fill.clone(),
        }
    }

    /// Whether there is a number for each of `c` components.
    pub fn check(&self, c: usize) -> Result<()> {
        match self {
            Fill::Each(list) if list.len() != c && list.len() != 1 => {
                Err(Error::value(format!("fill: {} values for {c} channels; give one number or {c}", list.len())))
            }
            _ => Ok(()),
        }
    }

    /// One number for each of `c` components.
    pub fn values(&self, c: usize) -> Result<Vec<f64>> {
        self.check(c)?;
        Ok(match self {
            Fill::All(v) => vec![*v; c],
            Fill::Each(list) if list.len() == 1 => vec![list[0]; c],
            Fill::Each(list) => list.clone(),
        })
    }

    /// The bytes of one pixel: integers round half to even and saturate, floats are cast.
    pub fn pixel_bytes(&self, dtype: DType, c: usize) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(c * dtype.size());
        for v in self.values(c)? {
            let r = v.round_ties_even();
            match dtype {
                DType::Bool => out.push((v != 0.0) as u8),
                DType::U8 => out.push(r as u8),
                DType::I8 => out.push(r as i8 as u8),
                DType::U16 => out.extend((r as u16).to_ne_bytes()),
                DType::I16 => out.extend((r as i16).to_ne_bytes()),
                DType::F16 => out.extend(half_bits(v as f32).to_ne_bytes()),
                DType::U32 => out.extend((r as u32).to_ne_bytes()),
                DType::I32 => out.extend((r as i32).to_ne_bytes()),
                DType::F32 => out.extend((v as f32).to_ne_bytes()),
                DType::U64 => out.extend((r as u64).to_ne_bytes()),
                DType::I64 => out.extend((r as i64).to_ne_bytes()),
                DType::F64 => out.extend(v.to_ne_bytes()),
            }
        }
        Ok(out)
    }

    /// One pixel as samples of type `T`.
    pub fn samples<T: Sample>(&self, c: usize) -> Result<Vec<T>> {
        Ok(self.values(c)?.into_iter().map(|v| T::from_f32(v as f32)).collect())
    }
}

/// IEEE half-precision bits nearest to `v` (ties to even; overflow → infinity).
fn half_bits(v: f32) -> u16 {
    let b = v.to_bits();
    let sign = ((b >> 16) & 0x8000) as u16;
    let (exp, man) = (((b >> 23) & 0xff) as i32, b & 0x7f_ffff);
    if exp == 255 {
        return sign | 0x7c00 | if man != 0 { 0x200 } else { 0 };
    }
    let e = exp - 112;
    if e >= 31 {
        return sign | 0x7c00;
    }
    let (full, shift, base) = if e <= 0 {
        if e < -10 {
            return sign;
        }
        (man | 0x80_0000, (14 - e) as u32, 0u32)
    } else {
        (man, 13, (e as u32) << 10)
    };
    let q = full >> shift;
    let rest = full & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let up = (rest > half || (rest == half && q & 1 == 1)) as u32;
    sign | (base + q + up) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_cut_to_the_components_of_an_image() {
        let colour = Fill::Each(vec![1.0, 2.0, 3.0]);
        assert_eq!(colour.cut(1), Fill::Each(vec![1.0]));
        assert_eq!(colour.cut(3), colour);
        assert!(colour.cut(4).check(4).is_err(), "nothing is made up");
        assert_eq!(Fill::all(5.0).cut(2), Fill::all(5.0));
    }

    #[test]
    fn u8_from_f32_rounds_half_to_even_and_saturates() {
        for (v, want) in
            [(0.5, 0), (1.5, 2), (2.5, 2), (254.5, 254), (255.4, 255), (1e9, 255), (-3.0, 0), (f32::NAN, 0)]
        {
            assert_eq!(u8::from_f32(v), want, "{v}");
        }
    }

    #[test]
    fn half_precision_bits() {
        for (v, want) in
            [(1.0, 0x3c00), (-2.0, 0xc000), (65504.0, 0x7bff), (1e6, 0x7c00), (5.960_464_5e-8, 1), (0.1, 0x2e66)]
        {
            assert_eq!(half_bits(v), want, "{v}");
        }
    }
}
