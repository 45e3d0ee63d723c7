//! Reductions of rows: histograms with the tables made from them, and sums that do not depend on tiling.

use super::color::gray_planes;
use super::planes::{BLOCK, Planes};
use crate::image::Sample;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// Counters of one value that take turns from pixel to pixel, so that equal neighbours do not wait for each other. They
/// lie side by side and are narrow: neighbours that differ little have theirs in one cache line, where a CPU stores twice
/// a cycle.
const TURNS: usize = 4;
type Turns = [[u16; TURNS]; 256];

/// Counts of each byte value, one set for each channel, fed row by row.
pub struct Histogram {
    c: usize,
    turns: Vec<Turns>,
    /// What the turns had counted whenever they were about to overflow.
    totals: Vec<[u32; 256]>,
    /// How much the turns can still count.
    room: u16,
}

impl Histogram {
    /// Nothing counted yet, for `c` channels.
    pub fn new(c: usize) -> Histogram {
        Histogram { c, turns: vec![[[0; TURNS]; 256]; c], totals: vec![[0; 256]; c], room: u16::MAX }
    }

    /// Makes room for the next `pixels` ≤ [`PART`] in the turns.
    fn reserve(&mut self, pixels: usize) {
        let most = pixels.div_ceil(TURNS) as u16;
        if most > self.room {
            for (total, turns) in self.totals.iter_mut().zip(&mut self.turns) {
                for (t, v) in total.iter_mut().zip(turns) {
                    *t += sum(v);
                    *v = [0; TURNS];
                }
            }
            self.room = u16::MAX;
        }
        self.room -= most;
    }

    /// Counts a row of `c` interleaved channels.
    pub fn add_row(&mut self, row: &[u8]) {
        assert!(row.len().is_multiple_of(self.c));
        for row in row.chunks(PART * self.c) {
            self.reserve(row.len() / self.c);
            match &mut self.turns[..] {
                [a] => count1(row, a),
                [a, b, c] => count3(row, a, b, c),
                all => {
                    let n = all.len();
                    for (i, px) in row.chunks_exact(n).enumerate() {
                        for (h, v) in all.iter_mut().zip(px) {
                            h[*v as usize][i % TURNS] += 1;
                        }
                    }
                }
            }
        }
    }

    /// Counts the pixels whose mask is not 0; the mask has one byte a pixel.
    pub fn add_row_masked(&mut self, row: &[u8], mask: &[u8]) {
        let c = self.c;
        assert_eq!(row.len(), mask.len() * c);
        for (row, mask) in row.chunks(PART * c).zip(mask.chunks(PART)) {
            self.reserve(mask.len());
            for (i, (px, m)) in row.chunks_exact(c).zip(mask).enumerate() {
                for (h, v) in self.turns.iter_mut().zip(px) {
                    h[*v as usize][i % TURNS] += (*m != 0) as u16;
                }
            }
        }
    }

    /// The counts of channel `k`.
    pub fn channel(&self, k: usize) -> [u32; 256] {
        std::array::from_fn(|i| self.totals[k][i] + sum(&self.turns[k][i]))
    }

    /// The counts of all channels.
    pub fn channels(&self) -> Vec<[u32; 256]> {
        (0..self.c).map(|k| self.channel(k)).collect()
    }
}

/// Pixels that are counted between two looks at the room.
const PART: usize = TURNS * 4096;

fn sum(turns: &[u16; TURNS]) -> u32 {
    turns.iter().map(|v| *v as u32).sum()
}

/// Counts one pixel for each turn: all counters are loaded before the first is stored, which they allow, being distinct.
#[inline(always)]
fn count(h: &mut Turns, at: [u8; TURNS]) {
    let at = at.map(usize::from);
    let new: [u16; TURNS] = std::array::from_fn(|k| h[at[k]][k].wrapping_add(1));
    for k in 0..TURNS {
        h[at[k]][k] = new[k];
    }
}

fn count1(row: &[u8], h: &mut Turns) {
    let (fours, rest) = row.as_chunks::<TURNS>();
    for px in fours {
        count(h, *px);
    }
    for (k, v) in rest.iter().enumerate() {
        h[*v as usize][k] += 1;
    }
}

fn count3(row: &[u8], a: &mut Turns, b: &mut Turns, c: &mut Turns) {
    let (fours, rest) = row.as_chunks::<{ 3 * TURNS }>();
    for px in fours {
        count(a, [px[0], px[3], px[6], px[9]]);
        count(b, [px[1], px[4], px[7], px[10]]);
        count(c, [px[2], px[5], px[8], px[11]]);
    }
    for (k, px) in rest.chunks_exact(3).enumerate() {
        a[px[0] as usize][k] += 1;
        b[px[1] as usize][k] += 1;
        c[px[2] as usize][k] += 1;
    }
}

/// Adds the counts of packed pixels of `c` channels to `hist`, one entry a channel.
pub fn histogram_rows(row: &[u8], c: usize, hist: &mut [[u32; 256]]) {
    assert_eq!(hist.len(), c);
    let mut h = Histogram::new(c);
    h.add_row(row);
    for (k, out) in hist.iter_mut().enumerate() {
        for (o, v) in out.iter_mut().zip(h.channel(k)) {
            *o += v;
        }
    }
}

/// [`histogram_rows`] over the pixels whose mask is not 0.
pub fn histogram_rows_masked(row: &[u8], mask: &[u8], c: usize, hist: &mut [[u32; 256]]) {
    assert_eq!(hist.len(), c);
    let mut h = Histogram::new(c);
    h.add_row_masked(row, mask);
    for (k, out) in hist.iter_mut().enumerate() {
        for (o, v) in out.iter_mut().zip(h.channel(k)) {
            *o += v;
        }
    }
}

/// OpenCV's equalisation: `sat(rint((cdf[v] − cdf[v₀])·255/(N − hist[v₀])))` in f32, v₀ the first value that occurs.
/// An image of one value, and an empty one, stay as they are.
pub fn equalize_table_cv(hist: &[u32; 256]) -> [u8; 256] {
    let identity = std::array::from_fn(|i| i as u8);
    let total: u64 = hist.iter().map(|v| *v as u64).sum();
    let Some(first) = hist.iter().position(|v| *v > 0) else { return identity };
    let rest = total - hist[first] as u64;
    if rest == 0 {
        return identity;
    }
    let scale = 255.0f32 / rest as f32;
    let mut out = [0; 256];
    let mut sum = 0u64;
    for v in first + 1..256 {
        sum += hist[v] as u64;
        out[v] = u8::from_f32(sum as f32 * scale);
    }
    out
}

/// Pillow's equalisation as Albumentations has it: with step = (N − the last count that occurs) div 255,
/// `min((cdf[v] + step div 2) div step, 255)`. A step of 0 changes nothing.
pub fn equalize_table_pil(hist: &[u32; 256]) -> [u8; 256] {
    let identity = std::array::from_fn(|i| i as u8);
    let total: u64 = hist.iter().map(|v| *v as u64).sum();
    let last = hist.iter().rev().find(|v| **v > 0).copied().unwrap_or(0) as u64;
    let step = (total - last) / 255;
    if step == 0 {
        return identity;
    }
    let mut sum = 0u64;
    std::array::from_fn(|v| {
        sum += hist[v] as u64;
        ((sum + step / 2) / step).min(255) as u8
    })
}

/// Σ of all bytes of a row.
pub fn sum_row(row: &[u8]) -> u64 {
    sum_bytes(row)
}

crate::simd! {
    fn sum_bytes(row: &[u8]) -> u64 {
        let mut total = 0u64;
        for block in row.chunks(1 << 16) {
            let mut sum = 0u32;
            for v in block {
                sum += *v as u32;
            }
            total += sum as u64;
        }
        total
    }
}

/// Σ of the weighted gray of a row of RGB bytes, without storing it: as exact as the mean of OpenCV's gray image.
pub fn gray_sum_row(row: &[u8]) -> u64 {
    let mut total = 0;
    #[cfg(target_arch = "x86_64")]
    let row = match level() {
        Level::Vbmi => {
            let (sum, done) = x86::gray::gray_sum(row);
            total = sum;
            &row[3 * done..]
        }
        _ => row,
    };
    let mut planes = Planes([[u8::default(); BLOCK]; 3]);
    for px in row.chunks(3 * BLOCK) {
        let n = planes.load(px);
        gray_planes(planes.first(n));
        total += sum_bytes(&planes.0[0][..px.len() / 3]);
    }
    total
}

/// Partial sums in a block.
const LANES: usize = 8;

/// Sums of each channel over rows.
///
/// u8 is exact. f32 is summed in f64: lane l of 8 takes the pixels l, l + 8, … of a block of 256 in order, the lanes of a
/// block are added pairwise, blocks in row order. Rows must come whole, or in pieces that start at multiples of 256.
pub struct Sum {
    c: usize,
    exact: Vec<u64>,
    float: Vec<f64>,
    pixels: u64,
}

impl Sum {
    /// Nothing summed yet, for `c` channels.
    pub fn new(c: usize) -> Sum {
        Sum { c, exact: vec![0; c], float: vec![0.0; c], pixels: 0 }
    }

    /// Adds a row of bytes.
    pub fn add_u8(&mut self, row: &[u8]) {
        let c = self.c;
        assert!(row.len().is_multiple_of(c));
        self.pixels += (row.len() / c) as u64;
        match c {
            1 => self.exact[0] += sum_bytes(row),
            3 => {
                let mut planes = Planes([[u8::default(); BLOCK]; 3]);
                for px in row.chunks(3 * BLOCK) {
                    planes.load(px);
                    for (s, p) in self.exact.iter_mut().zip(&planes.0) {
                        *s += sum_bytes(&p[..px.len() / 3]);
                    }
                }
            }
            _ => {
                for px in row.chunks_exact(c) {
                    for (s, v) in self.exact.iter_mut().zip(px) {
                        *s += *v as u64;
                    }
                }
            }
        }
    }

    /// Adds a row of samples. Of bytes it gives the same sums as [`Sum::add_u8`], more slowly.
    pub fn add_row<T: Sample>(&mut self, row: &[T]) {
        let c = self.c;
        assert!(row.len().is_multiple_of(c));
        self.pixels += (row.len() / c) as u64;
        for block in row.chunks(BLOCK * c) {
            match c {
                1 => self.add_block(&lanes_of::<T, 8>(block)),
                3 => self.add_block(&lanes_of::<T, 24>(block)),
                4 => self.add_block(&lanes_of::<T, 32>(block)),
                _ => {
                    let mut lanes = vec![0.0; LANES * c];
                    for px in block.chunks(LANES * c) {
                        for (l, v) in lanes.iter_mut().zip(px) {
                            *l += v.to_f32() as f64;
                        }
                    }
                    self.add_block(&lanes);
                }
            }
        }
    }

    fn add_block(&mut self, lanes: &[f64]) {
        let c = self.c;
        for k in 0..c {
            let l = |i: usize| lanes[i * c + k];
            self.float[k] += ((l(0) + l(4)) + (l(2) + l(6))) + ((l(1) + l(5)) + (l(3) + l(7)));
        }
    }

    /// Pixels summed.
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// The sum of channel `k`.
    pub fn channel(&self, k: usize) -> f64 {
        self.exact[k] as f64 + self.float[k]
    }

    /// The sum over all channels, in channel order.
    pub fn all(&self) -> f64 {
        self.exact.iter().sum::<u64>() as f64 + self.float.iter().fold(0.0, |a, b| a + b)
    }

    /// The mean of channel `k`.
    pub fn mean(&self, k: usize) -> f64 {
        self.channel(k) / self.pixels as f64
    }

    /// The mean over all channels.
    pub fn mean_all(&self) -> f64 {
        self.all() / (self.pixels * self.c as u64) as f64
    }
}

crate::simd! {
    fn lanes_of[T: Sample, const L: usize][T, L](block: &[T]) -> [f64; L] {
        let mut lanes = [0.0; L];
        let (whole, rest) = block.as_chunks::<L>();
        for px in whole {
            for i in 0..L {
                lanes[i] += px[i].to_f32() as f64;
            }
        }
        for (l, v) in lanes.iter_mut().zip(rest) {
            *l += v.to_f32() as f64;
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    fn row(n: usize) -> Vec<u8> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8 & 0xf7).collect()
    }

    #[test]
    fn histograms_count_every_pixel_once() {
        for c in [1, 2, 3, 4] {
            for n in [0, 1, 3, 4, 5, 17, 100] {
                let src = row(n * c);
                let mask: Vec<u8> = (0..n).map(|i| (i % 3) as u8 * 100).collect();
                let (mut all, mut some) = (vec![[0; 256]; c], vec![[0; 256]; c]);
                let (mut want_all, mut want_some) = (vec![[0; 256]; c], vec![[0; 256]; c]);
                for (i, v) in src.iter().enumerate() {
                    want_all[i % c][*v as usize] += 2;
                    want_some[i % c][*v as usize] += (mask[i / c] > 0) as u32;
                }
                histogram_rows(&src, c, &mut all);
                histogram_rows(&src, c, &mut all);
                histogram_rows_masked(&src, &mask, c, &mut some);
                assert_eq!((all, some), (want_all, want_some), "{n}x{c}");
            }
        }
    }

    #[test]
    fn counters_do_not_overflow() {
        for c in [1, 3, 4] {
            let mut h = Histogram::new(c);
            let (long, short) = (vec![9; c * (5 * PART + 3)], vec![9; c * 7]);
            let mask: Vec<u8> = (0..5 * PART + 3).map(|i| (i % 2) as u8).collect();
            let mut want = 0;
            for _ in 0..4 {
                h.add_row(&long);
                h.add_row_masked(&long, &mask);
                want += mask.len() as u32 + mask.len() as u32 / 2;
                for _ in 0..20_000 {
                    h.add_row(&short);
                    want += 7;
                }
            }
            assert!(want > 4 * 65_536);
            for counts in h.channels() {
                assert_eq!((counts[9], counts.iter().sum::<u32>()), (want, want));
            }
        }
    }

    #[test]
    fn equalisation_tables() {
        let mut h = [0u32; 256];
        assert_eq!(equalize_table_cv(&h)[7], 7);
        h[9] = 50;
        assert_eq!(equalize_table_cv(&h)[9], 9);
        assert_eq!(equalize_table_pil(&h)[9], 9);
        h[20] = 100;
        h[200] = 155;
        let t = equalize_table_cv(&h);
        assert_eq!((t[9], t[20], t[199], t[200], t[255]), (0, 100, 100, 255, 255));
        // 150 pixels before the last value are fewer than 255: no step.
        assert_eq!(equalize_table_pil(&h)[20], 20);
        h[20] = 460;
        // step = 510 / 255 = 2.
        let t = equalize_table_pil(&h);
        assert_eq!((t[8], t[9], t[20], t[200]), (0, 25, 255, 255));
    }

    #[test]
    fn byte_sums_are_exact() {
        let _guard = crate::simd::level_lock();
        for level in Level::ALL {
            set_level(level);
            for c in [1, 3, 4] {
                let src = row(c * 1000);
                let mut fast = Sum::new(c);
                let mut plain = Sum::new(c);
                for part in src.chunks(c * 512) {
                    fast.add_u8(part);
                    plain.add_row(part);
                }
                for k in 0..c {
                    let want: u64 = src.iter().skip(k).step_by(c).map(|v| *v as u64).sum();
                    assert_eq!((fast.channel(k), plain.channel(k)), (want as f64, want as f64));
                    assert_eq!(fast.mean(k), want as f64 / 1000.0);
                }
                assert_eq!(fast.all(), sum_row(&src) as f64);
            }
            let white = vec![255u8; 1 << 20];
            assert_eq!(sum_row(&white), 255 << 20);
        }
    }

    #[test]
    fn gray_sums_equal_the_sum_of_the_gray_image() {
        let _guard = crate::simd::level_lock();
        let src = row(3 * 1001);
        for level in Level::ALL {
            set_level(level);
            let mut gray = vec![0; 1001];
            crate::kernel::color::gray_row(&src, &mut gray, crate::kernel::color::Gray::Weighted, 3, 1);
            assert_eq!(gray_sum_row(&src), sum_row(&gray));
            assert!(sum_row(&gray) > 100_000);
        }
    }

    #[test]
    fn float_sums_do_not_depend_on_level_or_on_pieces() {
        let _guard = crate::simd::level_lock();
        for c in [1, 2, 3, 4] {
            let src: Vec<f32> = row(c * 777).iter().map(|v| *v as f32 / 255.0).collect();
            let mut want = vec![0.0f64; c];
            for block in src.chunks(256 * c) {
                for (k, w) in want.iter_mut().enumerate() {
                    let mut l = [0.0f64; 8];
                    for (i, px) in block.chunks(c).enumerate() {
                        l[i % 8] += px[k] as f64;
                    }
                    *w += ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
                }
            }
            for level in Level::ALL {
                set_level(level);
                let (mut whole, mut parts) = (Sum::new(c), Sum::new(c));
                whole.add_row(&src);
                parts.add_row(&src[..512 * c]);
                parts.add_row(&src[512 * c..]);
                for (k, w) in want.iter().enumerate() {
                    assert_eq!((whole.channel(k), parts.channel(k)), (*w, *w), "{level:?} {c}");
                }
                assert_eq!(whole.pixels(), 777);
            }
        }
    }
}
