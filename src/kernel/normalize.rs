//! Rows as network input: normalised, cast, quantised, split into planes.
//!
//! `(v − mean)·denom` is computed in f32 with two roundings, as the 256-entry f32 table of Albumentations gives it; every
//! dtype, layout and level shares that one formula, so a fused sink and a later transpose agree bit for bit.

use crate::image::{Element, Sample};
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// Components in one period of the coefficients: a multiple of 1, 2, 3, 4, 6, 8, 12, 16 channels and of every vector.
pub(crate) const PERIOD: usize = 48;

/// The `c` coefficients (or the single one) of `v`, repeated over one period.
#[inline(always)]
pub(crate) fn periodic<F: Copy + Default>(v: &[F], c: usize) -> [F; PERIOD] {
    let mut out = [F::default(); PERIOD];
    for (i, o) in out.iter_mut().enumerate() {
        *o = if v.len() == 1 { v[0] } else { v[i % c] };
    }
    out
}

simd! {
    fn normalize_periodic[T: Sample][T](src: &[T], dst: &mut [f32], mean: &[f32; PERIOD], denom: &[f32; PERIOD]) {
        let dst = &mut dst[..src.len()];
        let mut s = src.chunks_exact(PERIOD);
        let mut d = dst.chunks_exact_mut(PERIOD);
        for (s, d) in (&mut s).zip(&mut d) {
            for i in 0..PERIOD {
                d[i] = (s[i].to_f32() - mean[i]) * denom[i];
            }
        }
        for (i, (s, d)) in s.remainder().iter().zip(d.into_remainder()).enumerate() {
            *d = (s.to_f32() - mean[i]) * denom[i];
        }
    }
}

simd! {
    fn normalize_pixels[T: Sample][T](src: &[T], dst: &mut [f32], mean: &[f32], denom: &[f32]) {
        let c = mean.len();
        let denom = &denom[..c];
        for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact_mut(c)) {
            for i in 0..c {
                d[i] = (s[i].to_f32() - mean[i]) * denom[i];
            }
        }
    }
}

/// `(v − mean)·denom` for each component; `mean` and `denom` have one entry, or one for each of the `c` channels.
pub fn normalize_row<T: Sample>(src: &[T], dst: &mut [f32], mean: &[f32], denom: &[f32], c: usize) {
    assert!(dst.len() == src.len() && src.len().is_multiple_of(c));
    if PERIOD.is_multiple_of(c) || mean.len() == 1 && denom.len() == 1 {
        normalize_periodic(src, dst, &periodic(mean, c), &periodic(denom, c));
    } else if mean.len() == c && denom.len() == c {
        normalize_pixels(src, dst, mean, denom);
    } else {
        let spread = |v: &[f32]| (0..c).map(|i| v[if v.len() == 1 { 0 } else { i }]).collect::<Vec<f32>>();
        normalize_pixels(src, dst, &spread(mean), &spread(denom));
    }
}

simd! {
    fn normalize_plane[T: Sample][T](src: &[T], dst: &mut [f32], mean: f32, denom: f32, c: usize) {
        for (s, d) in src.chunks_exact(c).zip(dst.iter_mut()) {
            *d = (s[0].to_f32() - mean) * denom;
        }
    }
}

simd! {
    fn normalize_pixels_planes[T: Sample, const C: usize][T, C](src: &[T], planes: [&mut [f32]; C], mean: [f32; C], denom: [f32; C]) {
        let n = src.len() / C;
        let src = &src.as_chunks::<C>().0[..n];
        let planes = planes.map(|p| &mut p[..n]);
        for (k, p) in planes.into_iter().enumerate() {
            for i in 0..n {
                p[i] = (src[i][k].to_f32() - mean[k]) * denom[k];
            }
        }
    }
}

/// One row of interleaved pixels, normalised into one plane row for each channel.
///
/// `mean` and `denom` have one entry, or one for each plane; every plane row has one element a pixel.
pub fn normalize_planes<T: Sample>(src: &[T], planes: &mut [&mut [f32]], mean: &[f32], denom: &[f32]) {
    let c = planes.len();
    assert!(planes.iter().all(|p| p.len() * c == src.len()));
    let at = |v: &[f32], i: usize| if v.len() == 1 { v[0] } else { v[i] };
    match planes {
        [p] => normalize_row(src, p, &mean[..1], &denom[..1], 1),
        [p, q, r] => {
            let m = [at(mean, 0), at(mean, 1), at(mean, 2)];
            let d = [at(denom, 0), at(denom, 1), at(denom, 2)];
            let planes = [&mut **p, &mut **q, &mut **r];
            #[cfg(target_arch = "x86_64")]
            if let Some(src) = x86::chw::as_u8(src) {
                return x86::chw::normalize_planes_u8(src, planes, m, d);
            } else if let Some(src) = x86::chw::as_f32(src) {
                return x86::chw::normalize_planes_f32(src, planes, m, d);
            }
            normalize_pixels_planes::<T, 3>(src, planes, m, d)
        }
        [p, q, r, s] => {
            let m = [at(mean, 0), at(mean, 1), at(mean, 2), at(mean, 3)];
            let d = [at(denom, 0), at(denom, 1), at(denom, 2), at(denom, 3)];
            normalize_pixels_planes::<T, 4>(src, [p, q, r, s], m, d)
        }
        _ => {
            for (k, p) in planes.iter_mut().enumerate().filter(|_| !src.is_empty()) {
                normalize_plane(&src[k..], p, at(mean, k), at(denom, k), c);
                let last = p.len() - 1;
                p[last] = (src[last * c + k].to_f32() - at(mean, k)) * at(denom, k);
            }
        }
    }
}

simd! {
    fn split_pixels[E: Element, const C: usize][E, C](src: &[E], planes: [&mut [E]; C]) {
        let n = src.len() / C;
        let src = &src.as_chunks::<C>().0[..n];
        let planes = planes.map(|p| &mut p[..n]);
        for (k, p) in planes.into_iter().enumerate() {
            for i in 0..n {
                p[i] = src[i][k];
            }
        }
    }
}

/// One row of interleaved pixels into one plane row for each channel (HWC → CHW), elements untouched.
pub fn split_row<E: Element>(src: &[E], planes: &mut [&mut [E]]) {
    let c = planes.len();
    assert!(planes.iter().all(|p| p.len() * c == src.len()));
    match planes {
        [p] => p.copy_from_slice(src),
        [p, q] => split_pixels::<E, 2>(src, [p, q]),
        [p, q, r] => split3(src, [p, q, r]),
        [p, q, r, s] => split_pixels::<E, 4>(src, [p, q, r, s]),
        _ => {
            for (k, p) in planes.iter_mut().enumerate() {
                for (s, d) in src.chunks_exact(c).zip(p.iter_mut()) {
                    *d = s[k];
                }
            }
        }
    }
}

/// [`split_row`] for three channels.
#[inline]
pub(crate) fn split3<E: Element>(src: &[E], planes: [&mut [E]; 3]) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3 && (size_of::<E>() == 1 || size_of::<E>() == 4) {
        return x86::chw::split3(src, planes);
    }
    split_pixels::<E, 3>(src, planes)
}

simd! {
    fn merge_pixels[E: Element, const C: usize][E, C](planes: [&[E]; C], dst: &mut [E]) {
        let n = dst.len() / C;
        let dst = &mut dst.as_chunks_mut::<C>().0[..n];
        let planes = planes.map(|p| &p[..n]);
        for i in 0..n {
            for k in 0..C {
                dst[i][k] = planes[k][i];
            }
        }
    }
}

/// One plane row for each channel into one row of interleaved pixels (CHW → HWC), elements untouched.
pub fn merge_row<E: Element>(planes: &[&[E]], dst: &mut [E]) {
    let c = planes.len();
    assert!(planes.iter().all(|p| p.len() * c == dst.len()));
    match *planes {
        [p] => dst.copy_from_slice(p),
        [p, q] => merge_pixels::<E, 2>([p, q], dst),
        [p, q, r] => merge3([p, q, r], dst),
        [p, q, r, s] => merge_pixels::<E, 4>([p, q, r, s], dst),
        _ => {
            for (k, p) in planes.iter().enumerate() {
                for (s, d) in p.iter().zip(dst.chunks_exact_mut(c)) {
                    d[k] = *s;
                }
            }
        }
    }
}

/// [`merge_row`] for three channels.
#[inline]
pub(crate) fn merge3<E: Element>(planes: [&[E]; 3], dst: &mut [E]) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3 && (size_of::<E>() == 1 || size_of::<E>() == 4) {
        return x86::chw::merge3(planes, dst);
    }
    merge_pixels::<E, 3>(planes, dst)
}

/// A stored number that [`cast_row`] can read. 16-bit floats come as their bits, in [`Half`].
pub trait Real: Copy {
    /// `self / max` in f32: divided in f64 and rounded once where the value has more than 24 bits.
    fn over(self, max: f64) -> f32;
}

macro_rules! real {
    (narrow $($t:ty)*) => { $(impl Real for $t {
        #[inline(always)]
        fn over(self, max: f64) -> f32 { self as f32 / max as f32 }
    })* };
    (wide $($t:ty)*) => { $(impl Real for $t {
        #[inline(always)]
        fn over(self, max: f64) -> f32 { (self as f64 / max) as f32 }
    })* };
}
real!(narrow u8 i8 u16 i16 f32);
real!(wide u32 i32 u64 i64 f64);

/// The bits of an IEEE half-precision number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Half(pub u16);

impl Half {
    /// The same number in f32 (exact).
    #[inline(always)]
    pub fn to_f32(self) -> f32 {
        let h = self.0 as u32;
        let sign = (h & 0x8000) << 16;
        let body = h & 0x7fff;
        // Exponent and mantissa moved into place, then rebiased by an exact multiplication, which also does subnormals.
        let scaled = f32::from_bits(body << 13) * f32::from_bits(0x7780_0000);
        let v = if body >= 0x7c00 { f32::from_bits(0x7f80_0000 | (body & 0x3ff) << 13) } else { scaled };
        f32::from_bits(v.to_bits() | sign)
    }
}

impl Real for Half {
    #[inline(always)]
    fn over(self, max: f64) -> f32 {
        self.to_f32() / max as f32
    }
}

simd! {
    /// `v / max` in f32, for every stored type.
    pub fn cast_row[T: Real][T](src: &[T], dst: &mut [f32], max: f64) {
        let n = src.len();
        let dst = &mut dst[..n];
        for i in 0..n {
            dst[i] = src[i].over(max);
        }
    }
}

simd! {
    /// `v·max` rounded half to even and saturated; NaN becomes 0.
    pub fn quantize_row(src: &[f32], dst: &mut [u8], max: f32) {
        let n = src.len();
        let dst = &mut dst[..n];
        for i in 0..n {
            dst[i] = u8::from_f32(src[i] * max);
        }
    }
}
