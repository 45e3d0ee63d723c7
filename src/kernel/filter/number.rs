//! The two arithmetics of stencils: 16-bit fixed point for bytes under short symmetric kernels, f32 for all else.

use crate::image::Sample;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// (a + b)·w, where a and b are runs of a common slice that begin at these places.
pub type Term<N> = (usize, usize, N);

/// Sums of many passes are made in blocks of this many, so that what the passes share stays in the first-level cache.
const BLOCK: usize = 512;

/// What sums are computed in.
pub trait Number: Copy + Default + PartialEq {
    /// What a sample of 0 is prepared to.
    const ZERO: Self;
    /// Prepares a sample.
    fn prepare<T: Sample>(sample: T) -> Self;
    /// Prepares a row of samples.
    fn prepare_row<T: Sample>(samples: &[T], out: &mut [Self]);
    /// acc = Σ (a + b)·w over the terms, in their order.
    fn sum(acc: &mut [Self], base: &[Self], terms: &[Term<Self>]);
    /// The same sum, rounded to samples. `acc` is scratch.
    fn sum_to<T: Sample>(out: &mut [T], acc: &mut [Self], base: &[Self], terms: &[Term<Self>]);
}

/// One tap: the run that begins at this place, and its weight.
pub type Tap = (usize, f32);

/// `acc` += Σ a·w (or = if `first`), in the order of the taps.
fn sum_taps(acc: &mut [f32], base: &[f32], taps: &[Tap], mut first: bool) {
    let n = acc.len();
    let mut rest = taps;
    macro_rules! pass {
        ($start:ident $more:ident, $next:expr, $($t:ident)*) => {{
            let f = if first { taps::$start } else { taps::$more };
            f(acc, $(&base[$t.0..$t.0 + n], $t.1),*);
            first = false;
            rest = $next;
        }};
    }
    loop {
        match rest {
            [] => break,
            [a, b, c, d, e, f, g, h, next @ ..] => pass!(first8 next8, next, a b c d e f g h),
            [a, b, c, d, next @ ..] => pass!(first4 next4, next, a b c d),
            [a, b, next @ ..] => pass!(first2 next2, next, a b),
            [a, next @ ..] => pass!(first1 next1, next, a),
        }
    }
}

/// A sum of pairs, then of single taps, rounded to samples.
pub fn sum_pairs_and_taps<T: Sample>(out: &mut [T], acc: &mut [f32], base: &[f32], pairs: &[Term<f32>], taps: &[Tap]) {
    for (i, out) in out.chunks_mut(BLOCK).enumerate() {
        let (acc, base) = (&mut acc[..out.len()], &base[i * BLOCK..]);
        if !pairs.is_empty() || taps.is_empty() {
            f32::sum(acc, base, pairs);
        }
        sum_taps(acc, base, taps, pairs.is_empty());
        finish_float(acc, out);
    }
}

/// Splits a sum into passes of at most eight terms, each of which is one unrolled loop.
macro_rules! by_parts {
    ($family:ident, $acc:expr, $base:expr, $terms:expr) => {{
        let (acc, base, terms) = (&mut *$acc, $base, $terms);
        let mut rest = match terms {
            [] => {
                acc.fill(Default::default());
                &[]
            }
            [a] => pass!($family first1, acc, base, [], a),
            [a, b] => pass!($family first2, acc, base, [], a b),
            [a, b, c] => pass!($family first3, acc, base, [], a b c),
            [a, b, c, d] => pass!($family first4, acc, base, [], a b c d),
            [a, b, c, d, e] => pass!($family first5, acc, base, [], a b c d e),
            [a, b, c, d, e, f] => pass!($family first6, acc, base, [], a b c d e f),
            [a, b, c, d, e, f, g] => pass!($family first7, acc, base, [], a b c d e f g),
            [a, b, c, d, e, f, g, h, rest @ ..] => pass!($family first8, acc, base, rest, a b c d e f g h),
        };
        loop {
            rest = match rest {
                [] => break,
                [a, b, c, d, e, f, g, h, rest @ ..] => pass!($family next8, acc, base, rest, a b c d e f g h),
                [a, b, c, d, rest @ ..] => pass!($family next4, acc, base, rest, a b c d),
                [a, b, rest @ ..] => pass!($family next2, acc, base, rest, a b),
                [a, rest @ ..] => pass!($family next1, acc, base, rest, a),
            };
        }
    }};
}

macro_rules! pass {
    ($family:ident $f:ident, $acc:ident, $base:ident, $rest:expr, $($t:ident)*) => {{
        let n = $acc.len();
        $family::$f($acc, $(&$base[$t.0..$t.0 + n], &$base[$t.1..$t.1 + n], $t.2),*);
        &$rest[..]
    }};
}

/// Fixed point: samples are (v − 128)·2⁷, weights w·2¹⁵, products are rounded back to 2⁻⁷.
///
/// (a + b)·2⁷ of two bytes is all that 16 bits hold, and so is the sum of two filtered values but for the rounding, which
/// the saturation takes. Each product is off by at most half a unit of 2⁻⁷. With at most 16 terms an axis the sum is then
/// off by at most 16 of the 64 units that would reach the next level but one: always within one level of the exact value,
/// and flat areas stay as they are.
impl Number for i16 {
    const ZERO: i16 = -128 << 7;

    #[inline(always)]
    fn prepare<T: Sample>(sample: T) -> i16 {
        match T::bytes(std::slice::from_ref(&sample)) {
            Some(&[v]) => (v as i16 - 128) << 7,
            _ => unreachable!("fixed point is for bytes"),
        }
    }

    fn prepare_row<T: Sample>(samples: &[T], out: &mut [i16]) {
        prepare_fixed(T::bytes(samples).expect("fixed point is for bytes"), out);
    }

    fn sum(acc: &mut [i16], base: &[i16], terms: &[Term<i16>]) {
        #[cfg(target_arch = "x86_64")]
        if level() >= Level::V3 {
            return x86::gauss::sum(acc, base, terms);
        }
        by_parts!(fixed, acc, base, terms);
    }

    fn sum_to<T: Sample>(out: &mut [T], acc: &mut [i16], base: &[i16], terms: &[Term<i16>]) {
        let out = T::bytes_mut(out).expect("fixed point is for bytes");
        #[cfg(target_arch = "x86_64")]
        if level() >= Level::V3 && (1..=x86::gauss::MOST).contains(&terms.len()) {
            return x86::gauss::sum_to_bytes(out, base, terms);
        }
        Self::sum(acc, base, terms);
        finish_fixed(acc, out);
    }
}

impl Number for f32 {
    const ZERO: f32 = 0.0;

    #[inline(always)]
    fn prepare<T: Sample>(sample: T) -> f32 {
        sample.to_f32()
    }

    fn prepare_row<T: Sample>(samples: &[T], out: &mut [f32]) {
        prepare_float(samples, out);
    }

    fn sum(acc: &mut [f32], base: &[f32], terms: &[Term<f32>]) {
        by_parts!(float, acc, base, terms);
    }

    fn sum_to<T: Sample>(out: &mut [T], acc: &mut [f32], base: &[f32], terms: &[Term<f32>]) {
        sum_pairs_and_taps(out, acc, base, terms, &[]);
    }
}

/// The loop over a fixed number of terms. Slices are arguments of their own: only then does the compiler know that the
/// sums overlap none of them.
macro_rules! loops {
    ($n:ty, $add:ident, $first:ident, $next:ident, $($a:ident $b:ident $w:ident),*) => {
        simd! {
            pub fn $first(acc: &mut [$n], $($a: &[$n], $b: &[$n], $w: $n),*) {
                let n = acc.len();
                $(let ($a, $b) = (&$a[..n], &$b[..n]);)*
                for x in 0..n {
                    let mut sum = Default::default();
                    $(sum = $add(sum, $a[x], $b[x], $w);)*
                    acc[x] = sum;
                }
            }
        }
        simd! {
            #[allow(dead_code)]
            pub fn $next(acc: &mut [$n], $($a: &[$n], $b: &[$n], $w: $n),*) {
                let n = acc.len();
                $(let ($a, $b) = (&$a[..n], &$b[..n]);)*
                for x in 0..n {
                    let mut sum = acc[x];
                    $(sum = $add(sum, $a[x], $b[x], $w);)*
                    acc[x] = sum;
                }
            }
        }
    };
}

macro_rules! family {
    ($name:ident, $n:ty, $add:ident) => {
        mod $name {
            use super::$add;
            use crate::simd;
            loops!($n, $add, first1, next1, a b c);
            loops!($n, $add, first2, next2, a b c, d e f);
            loops!($n, $add, first3, next3, a b c, d e f, g h i);
            loops!($n, $add, first4, next4, a b c, d e f, g h i, j k l);
            loops!($n, $add, first5, next5, a b c, d e f, g h i, j k l, m o p);
            loops!($n, $add, first6, next6, a b c, d e f, g h i, j k l, m o p, q r s);
            loops!($n, $add, first7, next7, a b c, d e f, g h i, j k l, m o p, q r s, t u v);
            loops!($n, $add, first8, next8, a b c, d e f, g h i, j k l, m o p, q r s, t u v, w y z);
        }
    };
}

family!(fixed, i16, add_fixed);
family!(float, f32, add_float);

/// As `loops`, for single taps.
macro_rules! tap_loops {
    ($first:ident, $next:ident, $($a:ident $w:ident),*) => {
        simd! {
            pub fn $first(acc: &mut [f32], $($a: &[f32], $w: f32),*) {
                let n = acc.len();
                $(let $a = &$a[..n];)*
                for x in 0..n {
                    let mut sum = 0.0;
                    $(sum += $a[x] * $w;)*
                    acc[x] = sum;
                }
            }
        }
        simd! {
            pub fn $next(acc: &mut [f32], $($a: &[f32], $w: f32),*) {
                let n = acc.len();
                $(let $a = &$a[..n];)*
                for x in 0..n {
                    let mut sum = acc[x];
                    $(sum += $a[x] * $w;)*
                    acc[x] = sum;
                }
            }
        }
    };
}

mod taps {
    use crate::simd;
    tap_loops!(first1, next1, a b);
    tap_loops!(first2, next2, a b, c d);
    tap_loops!(first4, next4, a b, c d, e f, g h);
    tap_loops!(first8, next8, a b, c d, e f, g h, i j, k l, m o, p q);
}

#[inline(always)]
fn add_fixed(sum: i16, a: i16, b: i16, w: i16) -> i16 {
    sum.wrapping_add(((a.saturating_add(b) as i32 * w as i32 + 0x4000) >> 15) as i16)
}

#[inline(always)]
fn add_float(sum: f32, a: f32, b: f32, w: f32) -> f32 {
    sum + (a + b) * w
}

simd! {
    fn prepare_fixed(samples: &[u8], out: &mut [i16]) {
        let n = out.len();
        let samples = &samples[..n];
        for i in 0..n {
            out[i] = (samples[i] as i16 - 128) << 7;
        }
    }
}

simd! {
    fn prepare_float[T: Sample][T](samples: &[T], out: &mut [f32]) {
        let n = out.len();
        let samples = &samples[..n];
        for i in 0..n {
            out[i] = samples[i].to_f32();
        }
    }
}

simd! {
    fn finish_fixed(acc: &[i16], out: &mut [u8]) {
        let n = out.len();
        let acc = &acc[..n];
        for i in 0..n {
            out[i] = (acc[i].wrapping_add(16_384 + 64) as u16 >> 7) as u8;
        }
    }
}

simd! {
    fn finish_float[T: Sample][T](acc: &[f32], out: &mut [T]) {
        let n = out.len();
        let acc = &acc[..n];
        for i in 0..n {
            out[i] = T::from_f32(acc[i]);
        }
    }
}
