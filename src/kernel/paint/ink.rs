//! With what to paint: a colour, independent random values, or one random colour a shape.
//!
//! A random value is a function of the seed and its place alone (y, x, component; for boxes of a volume also z), so
//! that rows may be painted in any pieces. Elements of a row are numbered across its pixels; one Philox block holds as
//! many as fit into its 16 bytes. Integers take all values of their type, floats multiples of 2⁻²⁴ in [0, 1).

use super::Prepared;
use super::region::Span;
use crate::image::{DType, Element, Sample};
use crate::kernel::copy::fill_pixels;
use crate::rng::{PHILOX_M, PHILOX_W, key_words, philox};
use crate::simd;
use std::ops::Range;

/// Last counter word of values by place, and of colours by shape.
const BY_PLACE: u32 = 0;
const BY_SHAPE: u32 = 1;

/// Blocks that are drawn together.
const LANES: usize = 16;

/// The words of the blocks from `counter` on, word by word: [`philox`] of each, with words in 64-bit lanes, because that
/// is what a product of two needs.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn words(counter: [u32; 4], key: [u32; 2], out: &mut [[u32; LANES]; 4]) {
    const LOW: u64 = 0xffff_ffff;
    for l in 0..LANES {
        let [first, b, c, d] = counter;
        let (mut a, mut b, mut c, mut d) = (first.wrapping_add(l as u32) as u64, b as u64, c as u64, d as u64);
        let [mut k, mut m] = key;
        for _ in 0..10 {
            let p = (a & LOW) * PHILOX_M[0] as u64;
            let q = (c & LOW) * PHILOX_M[1] as u64;
            (a, b, c, d) = ((q >> 32) ^ b ^ k as u64, q, (p >> 32) ^ d ^ m as u64, p);
            k = k.wrapping_add(PHILOX_W[0]);
            m = m.wrapping_add(PHILOX_W[1]);
        }
        out[0][l] = a as u32;
        out[1][l] = b as u32;
        out[2][l] = c as u32;
        out[3][l] = d as u32;
    }
}

/// The samples of all blocks; `4 · LANES` words hold as many words as samples, or four times as many bytes.
#[inline(always)]
fn samples<T: Sample>(words: &[[u32; LANES]; 4], out: &mut [T; 16 * LANES]) {
    let mut in_order = [0; 4 * LANES];
    for l in 0..LANES {
        for w in 0..4 {
            in_order[4 * l + w] = words[w][l];
        }
    }
    if size_of::<T>() == 1 {
        let mut bytes = [0; 16 * LANES];
        for (b, w) in bytes.as_chunks_mut().0.iter_mut().zip(&in_order) {
            *b = w.to_le_bytes();
        }
        for k in 0..16 * LANES {
            out[k] = sample(bytes[k] as u32);
        }
    } else {
        for k in 0..4 * LANES {
            out[k] = sample(in_order[k]);
        }
    }
}

/// The sample that `bits` stand for (the lowest of them if it is smaller than a word).
#[inline(always)]
fn sample<T: Sample>(bits: u32) -> T {
    match T::DTYPE {
        DType::F32 => T::from_f32((bits >> 8) as i32 as f32 * (1.0 / 16_777_216.0)),
        _ => T::from_f32((bits & (u32::MAX >> (32 - 8 * size_of::<T>()))) as i32 as f32),
    }
}

/// Sample `k` of a block.
#[inline(always)]
fn pick<T: Sample>(block: &[u32], k: usize) -> T {
    let per = 4 / size_of::<T>();
    sample(block[k / per] >> (8 * size_of::<T>() * (k % per)))
}

simd! {
    /// Fills `out` with the samples of row (y, z) from number `first` on.
    fn random_run[T: Sample][T](out: &mut [T], seed: u64, z: u32, y: u32, first: usize) {
        let per = 16 / size_of::<T>();
        let key = key_words(seed);
        let mut drawn = [[0; LANES]; 4];
        let mut values = [T::default(); 16 * LANES];
        let mut done = 0;
        while done < out.len() {
            let number = first + done;
            let block = number / per;
            words([block as u32, y, z, BY_PLACE], key, &mut drawn);
            samples(&drawn, &mut values);
            let skip = number - block * per;
            let n = (LANES * per - skip).min(out.len() - done);
            out[done..done + n].copy_from_slice(&values[skip..skip + n]);
            done += n;
        }
    }
}

/// Component `k` of the colour of a shape.
fn shape_color<T: Sample>(seed: u64, shape: u32, k: usize) -> T {
    let per = 16 / size_of::<T>();
    pick(&philox([shape, (k / per) as u32, 0, BY_SHAPE], key_words(seed)), k % per)
}

/// What a span covers of the `n` pixels x0.. of a row, if anything: the number of its first pixel in the row, and where
/// it lies among them.
fn clip(s: &Span, x0: i32, n: usize) -> Option<(usize, Range<usize>)> {
    let (x1, x2) = (s.x1.max(x0), i64::from(s.x2).min(i64::from(x0) + n as i64));
    let at = |x: i64| (x - i64::from(x0)) as usize;
    (i64::from(x1) < x2).then(|| (x1.max(0) as usize, at(i64::from(x1))..at(x2)))
}

impl Prepared {
    /// Calls `f(shape, first, part)` for what shapes cover of `row`, the pixels x0.. of row `y` of slice `z`; `first` is
    /// the number of the part's first pixel in the row.
    fn parts<E: Element>(
        &self,
        row: &mut [E],
        [z, y, x0]: [i32; 3],
        c: usize,
        mut f: impl FnMut(u32, usize, &mut [E]),
    ) {
        for s in self.spans(z, y) {
            if let Some((first, part)) = clip(s, x0, row.len() / c) {
                f(s.shape, first, &mut row[part.start * c..part.end * c]);
            }
        }
    }

    /// Paints rows of `w` pixels, the pixels x0.. of the rows y0.. of slice `z`, with one colour of `c` components.
    pub fn paint_color_rows<E: Element>(&self, rows: &mut [E], w: usize, color: &[E], [z, y0, x0]: [i32; 3], c: usize) {
        let n = (rows.len() / (w * c)) as i64;
        let mut parts = Vec::new();
        for (ys, spans) in self.bands(z) {
            let [top, bottom] = ys.map(|y| (i64::from(y) - i64::from(y0)).clamp(0, n) as usize);
            parts.clear();
            parts.extend(spans.iter().filter_map(|s| clip(s, x0, w)).map(|(_, p)| p.start * c..p.end * c));
            for row in rows[top * w * c..bottom.max(top) * w * c].chunks_exact_mut(w * c) {
                for part in &parts {
                    fill_pixels(&mut row[part.clone()], color);
                }
            }
        }
    }

    /// Paints pixels x0.. of row `y` of slice `z` with one colour of `c` components.
    pub fn paint_color<E: Element>(&self, row: &mut [E], color: &[E], z: i32, y: i32, x0: i32, c: usize) {
        debug_assert_eq!(color.len(), c);
        self.parts(row, [z, y, x0], c, |_, _, part| fill_pixels(part, color));
    }

    /// Paints with one colour a shape, `c` components each, one after the other in `colors`.
    pub fn paint_colors<E: Element>(&self, row: &mut [E], colors: &[E], z: i32, y: i32, x0: i32, c: usize) {
        self.parts(row, [z, y, x0], c, |shape, _, part| {
            let first = shape as usize * c;
            fill_pixels(part, &colors[first..first + c]);
        });
    }

    /// Paints every component of every pixel with an independent random value.
    pub fn paint_random<T: Sample>(&self, row: &mut [T], seed: u64, z: i32, y: i32, x0: i32, c: usize) {
        let slice = if self.deep { z as u32 } else { 0 };
        self.parts(row, [z, y, x0], c, |_, x, part| random_run(part, seed, slice, y as u32, x * c));
    }

    /// Paints each shape with a random colour of its own.
    pub fn paint_each<T: Sample>(&self, row: &mut [T], seed: u64, z: i32, y: i32, x0: i32, c: usize) {
        self.parts(row, [z, y, x0], c, |shape, _, part| {
            let (pixel, rest) = part.split_at_mut(c);
            for (k, v) in pixel.iter_mut().enumerate() {
                *v = shape_color(seed, shape, k);
            }
            fill_pixels(rest, pixel);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::paint::Region;

    /// What a pixel's component becomes.
    type Paint<'a, T> = &'a dyn Fn(&Prepared, &mut [T], [i32; 3], usize);
    type Expect<'a, T> = &'a dyn Fn(u32, [i32; 3], usize) -> T;

    /// Paints rows of slices in pieces and compares every component with what the last shape on it gives.
    fn check<T: Element + std::fmt::Debug>(region: &Region, c: usize, old: T, paint: Paint<T>, want: Expect<T>) {
        let prepared = Prepared::new(region);
        for z in 0..3 {
            for y in 0..12 {
                let mut row = vec![old; 40 * c];
                for (x0, x1) in [(0, 7), (7, 8), (8, 40)] {
                    paint(&prepared, &mut row[x0 * c..x1 * c], [z, y, x0 as i32], c);
                }
                let mut expected = vec![old; 40 * c];
                region.spans(z, y, &mut |shape, x1, x2| {
                    for x in x1.max(0)..x2.min(40) {
                        for k in 0..c {
                            expected[x as usize * c + k] = want(shape as u32, [z, y, x], k);
                        }
                    }
                });
                assert_eq!(row, expected, "{z} {y} {c}");
            }
        }
    }

    fn regions() -> [Region; 2] {
        [
            Region::Rects(vec![[2, 1, 20, 9], [-5, -3, 4, 4], [15, 5, 90, 30], [6, 2, 7, 8], [8, 8, 8, 9]]),
            Region::Boxes3(vec![[2, 1, 0, 20, 9, 2], [-5, 0, 1, 9, 4, 9], [3, 3, 2, 30, 12, 3]]),
        ]
    }

    #[test]
    fn colours_overlap_in_order() {
        for region in regions() {
            for c in [1, 2, 3, 4, 5] {
                let color: Vec<u16> = (0..c as u16).map(|k| 100 + k).collect();
                let paint =
                    |p: &Prepared, row: &mut [u16], [z, y, x]: [i32; 3], c| p.paint_color(row, &color, z, y, x, c);
                check(&region, c, 7, &paint, &|_, _, k| 100 + k as u16);
                let colors: Vec<u64> = (0..10 * c as u64).collect();
                let paint =
                    |p: &Prepared, row: &mut [u64], [z, y, x]: [i32; 3], c| p.paint_colors(row, &colors, z, y, x, c);
                check(&region, c, 7, &paint, &|shape, _, k| (shape as usize * c + k) as u64);
            }
        }
    }

    #[test]
    fn rows_together_are_rows_one_by_one() {
        for region in regions() {
            let prepared = Prepared::new(&region);
            for (c, w, n, x0, y0) in
                [(1, 40, 12, 0, 0), (3, 7, 5, 3, 2), (4, 30, 4, 12, 20), (2, 5, 3, 60, 0), (1, 9, 0, 0, 0)]
            {
                let color: Vec<u8> = (0..c as u8).map(|k| 100 + k).collect();
                for z in 0..4 {
                    let mut together = vec![7; w * c * n];
                    let mut single = together.clone();
                    prepared.paint_color_rows(&mut together, w, &color, [z, y0, x0], c);
                    for (i, row) in single.chunks_exact_mut(w * c).enumerate() {
                        prepared.paint_color(row, &color, z, y0 + i as i32, x0, c);
                    }
                    assert_eq!(together, single, "{c} {w} {n} {x0} {y0} {z}");
                }
            }
        }
    }

    /// A random value as the head of this file defines it.
    fn byte(seed: u64, z: u32, [_, y, x]: [i32; 3], k: usize, c: usize) -> u8 {
        let number = x as usize * c + k;
        let words = philox([number as u32 / 16, y as u32, z, 0], key_words(seed));
        words.map(u32::to_le_bytes).concat()[number % 16]
    }

    fn unit(seed: u64, z: u32, [_, y, x]: [i32; 3], k: usize, c: usize) -> f32 {
        let number = x as usize * c + k;
        let words = philox([number as u32 / 4, y as u32, z, 0], key_words(seed));
        (words[number % 4] >> 8) as f32 / 16_777_216.0
    }

    #[test]
    fn random_values_depend_on_seed_and_place_alone() {
        let seed = (1 << 52) + 12345;
        for (region, deep) in regions().into_iter().zip([false, true]) {
            let slice = |z: i32| if deep { z as u32 } else { 0 };
            for c in [1, 2, 3, 4, 5] {
                let paint =
                    |p: &Prepared, row: &mut [u8], [z, y, x]: [i32; 3], c| p.paint_random(row, seed, z, y, x, c);
                check(&region, c, 0, &paint, &|_, at, k| byte(seed, slice(at[0]), [0, at[1], at[2]], k, c));
                let paint =
                    |p: &Prepared, row: &mut [f32], [z, y, x]: [i32; 3], c| p.paint_random(row, seed, z, y, x, c);
                check(&region, c, 0.0, &paint, &|_, at, k| unit(seed, slice(at[0]), [0, at[1], at[2]], k, c));
            }
        }
    }

    #[test]
    fn each_shape_has_its_colour() {
        for region in regions() {
            for c in [1, 3, 20] {
                let paint = |p: &Prepared, row: &mut [u8], [z, y, x]: [i32; 3], c| p.paint_each(row, 9, z, y, x, c);
                let want = |shape: u32, _: [i32; 3], k: usize| {
                    let words = philox([shape, k as u32 / 16, 0, 1], key_words(9));
                    words.map(u32::to_le_bytes).concat()[k % 16]
                };
                check(&region, c, 0, &paint, &want);
            }
        }
        let mut row = [0.0f32; 6];
        let prepared = Prepared::new(&Region::Rects(vec![[0, 0, 1, 1], [1, 0, 2, 1]]));
        prepared.paint_each(&mut row, 9, 0, 0, 0, 3);
        assert!(row.iter().all(|v| (0.0..1.0).contains(v)) && row[..3] != row[3..]);
    }

    #[test]
    fn bytes_take_all_values_equally() {
        let mut row = vec![0u8; 1 << 18];
        Prepared::new(&Region::Rects(vec![[0, 0, 1 << 18, 1]])).paint_random(&mut row, 1, 0, 0, 0, 1);
        let mut counts = [0f64; 256];
        row.iter().for_each(|&v| counts[v as usize] += 1.0);
        let chi: f64 = counts.iter().map(|n| (n - 1024.0) * (n - 1024.0) / 1024.0).sum();
        assert!((180.0..340.0).contains(&chi), "{chi}");
    }

    #[test]
    fn levels_draw_the_same() {
        let _guard = simd::level_lock();
        let before = simd::level();
        for level in simd::Level::ALL {
            simd::set_level(level);
            for (first, n) in [(0, 1), (3, 700), (1000, 5000)] {
                let mut bytes = vec![0u8; n];
                random_run(&mut bytes, 77, 5, 6, first);
                let want: Vec<u8> = (first..first + n).map(|i| byte(77, 5, [0, 6, i as i32], 0, 1)).collect();
                assert_eq!(bytes, want, "{level:?}");
                let mut units = vec![0f32; n];
                random_run(&mut units, 77, 5, 6, first);
                let want: Vec<f32> = (first..first + n).map(|i| unit(77, 5, [0, 6, i as i32], 0, 1)).collect();
                assert_eq!(units, want, "{level:?}");
            }
        }
        simd::set_level(before);
    }
}
