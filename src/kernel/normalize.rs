//! Rows as network input: normalised, cast, quantised, split into planes.
//!
//! `(v − mean)·denom` is computed in f32 with two roundings, as the 256-entry f32 table of Albumentations gives it; every
//! dtype, layout and level shares that one formula, so a fused sink and a later transpose agree bit for bit.

use crate::image::{Element, Sample};
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};
use crate::{simd, simd_narrow};

/// Components in one period of the coefficients: a multiple of 1, 2, 3, 4, 6, 8, 12, 16 channels and of every vector.
pub(crate) const PERIOD: usize = 48;

/// The `c` coefficients (or the single one) of `v`, repeated over one period.
#[inline(always)]
pub(crate) fn periodic<F: Copy + Default>(v: &[F], c: usize) -> [F; PERIOD] {
    if v.len() == 1 {
        return [v[0]; PERIOD];
    }
    // A row is short: 48 divisions for i % c would cost as much as the row.
    let mut out = [F::default(); PERIOD];
    if c == 3 {
        for px in out.as_chunks_mut::<3>().0 {
            *px = [v[0], v[1], v[2]];
        }
        return out;
    }
    for px in out.chunks_mut(c) {
        for (o, v) in px.iter_mut().zip(v) {
            *o = *v;
        }
    }
    out
}

/// Elements of a long row before the first cache line that begins in it. NumPy aligns to 16 bytes: the stores of most
/// vectors would cross a line, which costs a third of the time where rows are made for the second-level cache.
#[inline(always)]
fn to_line(dst: &[f32]) -> usize {
    if dst.len() < 256 { 0 } else { dst.as_ptr().align_offset(64).min(15) }
}

simd_narrow! {
    fn normalize_periodic[T: Sample][T](src: &[T], dst: &mut [f32], mean: &[f32; PERIOD], denom: &[f32; PERIOD]) {
        let dst = &mut dst[..src.len()];
        let (mut mean, mut denom) = (*mean, *denom);
        let head = to_line(dst);
        let ((first, src), (head_dst, dst)) = (src.split_at(head), dst.split_at_mut(head));
        if head > 0 {
            for (i, (s, d)) in first.iter().zip(head_dst).enumerate() {
                *d = (s.to_f32() - mean[i]) * denom[i];
            }
            mean.rotate_left(head);
            denom.rotate_left(head);
        }
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

/// The divisor of [`cast_row`], with what makes division by a small integer cheap.
#[derive(Clone, Copy, Debug)]
pub struct Divisor {
    max: f64,
    /// 1/max in two parts, the first of 16 bits, if it may be multiplied with instead.
    parts: Option<(f32, f32)>,
}

impl Divisor {
    fn new(max: f64) -> Divisor {
        // A byte over an integer of up to 12 bits stays 2⁻³⁷ of itself away from every midpoint of f32. Its product with
        // the first part is exact and the second is good to 2⁻⁴⁰, so their sum rounds as the quotient does.
        let small = max.fract() == 0.0 && (1.0..4096.0).contains(&max);
        let high = f32::from_bits((1.0 / max as f32).to_bits() & 0xffff_ff00);
        let parts = small.then(|| (high, (1.0 / max - high as f64) as f32));
        Divisor { max, parts }
    }
}

/// A stored number that [`cast_row`] can read. 16-bit floats come as their bits, in [`Half`].
pub trait Real: Copy {
    /// `self / max` in f32: correctly rounded for values and divisors of up to 24 bits, else through f64.
    fn over(self, by: Divisor) -> f32;
}

macro_rules! real {
    (byte $($t:ty)*) => { $(impl Real for $t {
        #[inline(always)]
        fn over(self, by: Divisor) -> f32 {
            match by.parts {
                Some((high, low)) => self as f32 * high + self as f32 * low,
                None => self as f32 / by.max as f32,
            }
        }
    })* };
    (narrow $($t:ty)*) => { $(impl Real for $t {
        #[inline(always)]
        fn over(self, by: Divisor) -> f32 { self as f32 / by.max as f32 }
    })* };
    (wide $($t:ty)*) => { $(impl Real for $t {
        #[inline(always)]
        fn over(self, by: Divisor) -> f32 { (self as f64 / by.max) as f32 }
    })* };
}
real!(byte u8 i8);
real!(narrow u16 i16 f32);
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
    fn over(self, by: Divisor) -> f32 {
        self.to_f32() / by.max as f32
    }
}

simd_narrow! {
    /// `v / max` in f32, for every stored type.
    pub fn cast_row[T: Real][T](src: &[T], dst: &mut [f32], max: f64) {
        let dst = &mut dst[..src.len()];
        let by = Divisor::new(max);
        let head = to_line(dst);
        let ((first, src), (head_dst, dst)) = (src.split_at(head), dst.split_at_mut(head));
        for (s, d) in first.iter().zip(head_dst) {
            *d = s.over(by);
        }
        let n = src.len();
        let dst = &mut dst[..n];
        for i in 0..n {
            dst[i] = src[i].over(by);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    fn row(n: usize) -> Vec<u8> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
    }

    /// Rows that begin anywhere within a cache line have the same values.
    #[test]
    fn the_place_in_memory_does_not_matter() {
        for c in [1, 3, 4] {
            let (mean, denom) = ([1.5, 20.25, 7.0, 99.0], [0.5, 0.017, 3.0, 0.3]);
            let n = 360;
            let src = row(n);
            let mut memory = vec![0.0; n + 32];
            for first in 0..32 {
                let dst = &mut memory[first..first + n];
                normalize_row(&src, dst, &mean[..c], &denom[..c], c);
                for (i, (s, d)) in src.iter().zip(&*dst).enumerate() {
                    assert_eq!(*d, (*s as f32 - mean[i % c]) * denom[i % c], "{c} {first} {i}");
                }
                cast_row(&src, dst, 255.0);
                for (s, d) in src.iter().zip(&*dst) {
                    assert_eq!(*d, s.over(Divisor::new(255.0)), "{first}");
                }
            }
        }
    }

    fn check<T: Sample>(of: impl Fn(u8) -> T) {
        for c in [1, 2, 3, 4, 5, 7] {
            let mean: Vec<f32> = (0..c).map(|k| 0.1 + 30.3 * k as f32).collect();
            let denom: Vec<f32> = (0..c).map(|k| 0.017 + 0.3 * k as f32).collect();
            for n in [0, 1, 7, 9, 10, 16, 17, 22, 70, 133] {
                let src: Vec<T> = row(n * c).into_iter().map(&of).collect();
                let want: Vec<f32> =
                    src.iter().enumerate().map(|(i, v)| (v.to_f32() - mean[i % c]) * denom[i % c]).collect();
                let mut got = vec![0.0; n * c];
                normalize_row(&src, &mut got, &mean, &denom, c);
                assert_eq!(got, want, "{n}x{c}");
                let mut flat = vec![0.0; n * c];
                let mut planes: Vec<&mut [f32]> = flat.chunks_mut(n.max(1)).collect();
                planes.resize_with(c, Default::default);
                normalize_planes(&src, &mut planes, &mean, &denom);
                for i in 0..n * c {
                    assert_eq!(flat[i % c * n + i / c], want[i], "{n}x{c} {i}");
                }
                let mut single = vec![0.0; n * c];
                normalize_row(&src, &mut single, &mean, &denom[..1], c);
                assert!(single.iter().enumerate().all(|(i, v)| *v == (src[i].to_f32() - mean[i % c]) * denom[0]));
            }
        }
    }

    #[test]
    fn normalised_rows_and_planes_agree_on_every_level() {
        let _guard = crate::simd::level_lock();
        for level in Level::ALL {
            set_level(level);
            check(|v| v);
            check(|v| v as f32 / 255.0);
        }
    }

    fn there_and_back<E: Element + std::fmt::Debug>(of: impl Fn(usize) -> E) {
        for c in [1, 2, 3, 4, 5] {
            for n in [0, 1, 7, 8, 31, 32, 33, 64, 65, 200] {
                let src: Vec<E> = (0..n * c).map(&of).collect();
                let mut flat = vec![E::default(); n * c];
                let mut planes: Vec<&mut [E]> = flat.chunks_mut(n.max(1)).collect();
                planes.resize_with(c, Default::default);
                split_row(&src, &mut planes);
                for i in 0..n * c {
                    assert_eq!(flat[i % c * n + i / c], src[i], "{n}x{c}");
                }
                let mut planes: Vec<&[E]> = flat.chunks(n.max(1)).collect();
                planes.resize_with(c, Default::default);
                let mut back = vec![E::default(); n * c];
                merge_row(&planes, &mut back);
                assert_eq!(back, src);
            }
        }
    }

    #[test]
    fn planes_split_and_merge_whatever_they_hold() {
        let _guard = crate::simd::level_lock();
        for level in Level::ALL {
            set_level(level);
            there_and_back(|i| (i * 7) as u8);
            there_and_back(|i| i as u16);
            there_and_back(|i| i as u32);
            there_and_back(|i| i as f32);
            there_and_back(|i| i as u64);
        }
    }

    #[test]
    fn every_real_type_is_cast() {
        fn cast<T: Real>(v: T, max: f64) -> f32 {
            let mut out = [0.0];
            cast_row(&[v], &mut out, max);
            out[0]
        }
        assert_eq!(cast(51u8, 255.0), 51.0f32 / 255.0);
        assert_eq!(cast(-3i8, 7.0), -3.0f32 / 7.0);
        assert_eq!(cast(1000u16, 65535.0), 1000.0f32 / 65535.0);
        assert_eq!(cast(-1000i16, 3.0), -1000.0f32 / 3.0);
        assert_eq!(cast(u32::MAX, 4294967295.0), 1.0);
        assert_eq!(cast(-7i32, 2.0), -3.5);
        assert_eq!(cast((1u64 << 40) + 1, 2.0), (1u64 << 39) as f32);
        assert_eq!(cast(-1i64 << 40, 2.0), -((1i64 << 39) as f32));
        assert_eq!(cast(0.25f32, 1.0), 0.25);
        assert_eq!(cast(0.1f64, 1.0), 0.1);
        assert_eq!(cast(Half(0x3800), 1.0), 0.5);
    }

    #[test]
    fn bytes_are_divided_with_one_rounding() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let mut got = vec![0.0; all.len()];
        let whole = (1..5000).map(|max| max as f64);
        for max in whole.chain([3.5, 1.1, 0.7, 1e-3, 12345.678]) {
            cast_row(&all, &mut got, max);
            assert!(all.iter().zip(&got).all(|(v, g)| *g == *v as f32 / max as f32), "{max}");
        }
    }

    #[test]
    fn halves_are_exact() {
        for (bits, want) in
            [(0, 0.0), (0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (1, 5.960_464_5e-8), (0x7c00, f32::INFINITY)]
        {
            assert_eq!(Half(bits).to_f32(), want);
        }
        assert!(Half(0x7e00).to_f32().is_nan() && Half(0x8000).to_f32().is_sign_negative());
    }

    #[test]
    fn quantising_gives_every_byte_back() {
        let _guard = crate::simd::level_lock();
        let bytes: Vec<u8> = (0..=255).collect();
        for level in Level::ALL {
            set_level(level);
            let mut floats = vec![0.0; 256];
            cast_row(&bytes, &mut floats, 255.0);
            let mut back = vec![0; 256];
            quantize_row(&floats, &mut back, 255.0);
            assert_eq!(back, bytes);
            let mut odd = [9; 5];
            quantize_row(&[f32::NAN, -1.0, 2.0, f32::INFINITY, 0.5 / 255.0], &mut odd, 255.0);
            assert_eq!(odd, [0, 0, 255, 255, 0]);
        }
    }
}
