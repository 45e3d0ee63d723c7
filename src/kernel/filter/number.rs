//! The two arithmetics of stencils: 16-bit fixed point for bytes under short symmetric kernels, f32 for all else.

use crate::image::Sample;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// What sums are computed in.
pub trait Number: Copy + Default + PartialEq {
    /// Prepares samples.
    fn widen<T: Sample>(samples: &[T], out: &mut [Self]);
    /// acc = start + Σ (a + b)·w over `terms` terms; `term(i)` gives a, b and w of term i.
    fn sum<'a>(acc: &mut [Self], start: Self, terms: usize, term: impl Fn(usize) -> (&'a [Self], &'a [Self], Self))
    where
        Self: 'a;
    /// The same sum, rounded to samples. `acc` is scratch.
    fn sum_to<'a, T: Sample>(
        out: &mut [T],
        acc: &mut [Self],
        start: Self,
        terms: usize,
        term: impl Fn(usize) -> (&'a [Self], &'a [Self], Self),
    ) where
        Self: 'a;
}

/// Splits a sum into passes of at most eight terms, each of which is one unrolled loop.
macro_rules! by_parts {
    ($family:ident, $acc:expr, $start:expr, $terms:expr, $term:expr) => {{
        let (acc, start, terms, term) = ($acc, $start, $terms, $term);
        match terms {
            0 => acc.fill(start),
            1 => pass!($family first1, acc, start, term, 0, a),
            2 => pass!($family first2, acc, start, term, 0, a b),
            3 => pass!($family first3, acc, start, term, 0, a b c),
            4 => pass!($family first4, acc, start, term, 0, a b c d),
            5 => pass!($family first5, acc, start, term, 0, a b c d e),
            6 => pass!($family first6, acc, start, term, 0, a b c d e f),
            7 => pass!($family first7, acc, start, term, 0, a b c d e f g),
            _ => pass!($family first8, acc, start, term, 0, a b c d e f g h),
        }
        let mut done = 8;
        while done < terms {
            match terms - done {
                1 => {
                    pass!($family next1, acc, start, term, done, a);
                    done += 1;
                }
                2..4 => {
                    pass!($family next2, acc, start, term, done, a b);
                    done += 2;
                }
                4..8 => {
                    pass!($family next4, acc, start, term, done, a b c d);
                    done += 4;
                }
                _ => {
                    pass!($family next8, acc, start, term, done, a b c d e f g h);
                    done += 8;
                }
            }
        }
    }};
}

/// Fetches consecutive terms and calls the loop for that number.
macro_rules! pass {
    ($family:ident $f:ident, $acc:ident, $start:ident, $term:ident, $at:expr, $($t:ident)*) => {{
        let mut at = $at..;
        $(let $t = $term(at.next().unwrap_or(0));)*
        $family::$f($acc, $start, $($t.0, $t.1, $t.2),*)
    }};
}

/// The loop over a fixed number of terms. Slices are arguments of their own: only then does the compiler know that the
/// sums overlap none of them.
macro_rules! loops {
    ($n:ty, $add:ident, $first:ident, $next:ident, $($a:ident $b:ident $w:ident),*) => {
        simd! {
            pub fn $first(acc: &mut [$n], start: $n, $($a: &[$n], $b: &[$n], $w: $n),*) {
                let n = acc.len();
                $(let ($a, $b) = (&$a[..n], &$b[..n]);)*
                for x in 0..n {
                    let mut sum = start;
                    $(sum = $add(sum, $a[x], $b[x], $w);)*
                    acc[x] = sum;
                }
            }
        }
        simd! {
            #[allow(dead_code)]
            pub fn $next(acc: &mut [$n], _start: $n, $($a: &[$n], $b: &[$n], $w: $n),*) {
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

family!(fixed, u16, add_fixed);
family!(float, f32, add_float);

#[inline(always)]
fn add_fixed(sum: u16, a: u16, b: u16, w: u16) -> u16 {
    sum.wrapping_add(((a.wrapping_add(b) as u32 * w as u32) >> 16) as u16)
}

#[inline(always)]
fn add_float(sum: f32, a: f32, b: f32, w: f32) -> f32 {
    sum + (a + b) * w
}

/// Fixed point: samples are v·2⁷, weights w·2¹⁶, products drop 16 bits.
///
/// (a + b)·2⁷ of two bytes is the most that 16 bits hold, and so is the sum of two filtered values. Each product loses
/// 0 … 1 units of 2⁻⁷; half a unit for each is added at the start. With at most 16 terms an axis the sum is then off by
/// at most 16 units of the 64 that would reach the next level but one: always within one level of the exact value, and
/// flat areas stay as they are.
impl Number for u16 {
    fn widen<T: Sample>(samples: &[T], out: &mut [u16]) {
        widen_fixed(T::bytes(samples).expect("fixed point is for bytes"), out);
    }

    #[inline(always)]
    fn sum<'a>(acc: &mut [u16], start: u16, terms: usize, term: impl Fn(usize) -> (&'a [u16], &'a [u16], u16)) {
        #[cfg(target_arch = "x86_64")]
        if level() >= Level::V3 {
            return x86::gauss::sum(acc, start, terms, term);
        }
        by_parts!(fixed, acc, start, terms, term);
    }

    #[inline(always)]
    fn sum_to<'a, T: Sample>(
        out: &mut [T],
        acc: &mut [u16],
        start: u16,
        terms: usize,
        term: impl Fn(usize) -> (&'a [u16], &'a [u16], u16),
    ) {
        let out = T::bytes_mut(out).expect("fixed point is for bytes");
        #[cfg(target_arch = "x86_64")]
        if level() >= Level::V3 && (1..=x86::gauss::MOST_TO_BYTES).contains(&terms) {
            return x86::gauss::sum_to_bytes(out, start, terms, term);
        }
        Self::sum(acc, start, terms, term);
        finish_fixed(acc, out);
    }
}

impl Number for f32 {
    fn widen<T: Sample>(samples: &[T], out: &mut [f32]) {
        widen_float(samples, out);
    }

    #[inline(always)]
    fn sum<'a>(acc: &mut [f32], start: f32, terms: usize, term: impl Fn(usize) -> (&'a [f32], &'a [f32], f32)) {
        by_parts!(float, acc, start, terms, term);
    }

    #[inline(always)]
    fn sum_to<'a, T: Sample>(
        out: &mut [T],
        acc: &mut [f32],
        start: f32,
        terms: usize,
        term: impl Fn(usize) -> (&'a [f32], &'a [f32], f32),
    ) {
        Self::sum(acc, start, terms, term);
        finish_float(acc, out);
    }
}

simd! {
    fn widen_fixed(samples: &[u8], out: &mut [u16]) {
        let n = out.len();
        let samples = &samples[..n];
        for i in 0..n {
            out[i] = (samples[i] as u16) << 7;
        }
    }
}

simd! {
    fn widen_float[T: Sample][T](samples: &[T], out: &mut [f32]) {
        let n = out.len();
        let samples = &samples[..n];
        for i in 0..n {
            out[i] = samples[i].to_f32();
        }
    }
}

simd! {
    fn finish_fixed(acc: &[u16], out: &mut [u8]) {
        let n = out.len();
        let acc = &acc[..n];
        for i in 0..n {
            out[i] = ((acc[i] + 64) >> 7) as u8;
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
