//! Every orientation, border, element size and channel count against one read per pixel.

use super::window_rows;
use crate::image::{Border, Element, Fill, RowsMut, Shape, Volume, Window};

/// A fixed sequence of numbers below `n`.
pub(super) struct Numbers(u64);

impl Numbers {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n
    }
}

const BORDERS: [Border; 5] = [Border::Constant, Border::Replicate, Border::Reflect, Border::Wrap, Border::Reflect101];

/// All signed permutations of three axes, by name as in `-WHD`: output axes z, y, x each read that source axis.
const ORIENTATIONS: &str = "DHW D-WH D-H-W DW-H -DH-W -DWH -D-HW -D-W-H -WHD -H-WD W-HD HWD WH-D -HW-D -W-H-D H-W-D \
    -HDW -WD-H HD-W WDH H-DW -W-DH -H-D-W W-D-H DH-W DWH D-HW D-W-H -DHW -D-WH -D-H-W -DW-H WHD -HWD -W-HD H-WD \
    -WH-D -H-W-D W-H-D HW-D -HD-W WD-H HDW -WDH H-D-W W-DH -H-DW -W-D-H";

fn orientation(name: &str) -> ([usize; 3], [bool; 3]) {
    let (mut perm, mut flip, mut k, mut minus) = ([0; 3], [false; 3], 0, false);
    for ch in name.chars() {
        if ch == '-' {
            minus = true;
            continue;
        }
        (perm[k], flip[k]) = ("DHW".find(ch).unwrap(), minus);
        (k, minus) = (k + 1, false);
    }
    assert_eq!(k, 3);
    (perm, flip)
}

/// Elements with distances between rows and slices that leave a gap.
struct Source<E> {
    data: Vec<E>,
    size: [usize; 3],
    c: usize,
    row: usize,
    slice: usize,
}

impl<E: Element> Source<E> {
    fn new(size: [usize; 3], c: usize, gap: usize, make: &mut dyn FnMut() -> E) -> Self {
        let row = size[2] * c + gap;
        let slice = size[1] * row + 2 * gap;
        let len = (size[0] - 1) * slice + (size[1] - 1) * row + size[2] * c;
        Source { data: (0..len).map(|_| make()).collect(), size, c, row, slice }
    }
    fn volume(&self) -> Volume<'_, E> {
        let [d, h, w] = self.size;
        Volume { data: &self.data, d, h, w, c: self.c, row: self.row, slice: self.slice }
    }
    fn shape(&self) -> Shape {
        let [d, h, w] = self.size;
        Shape { d, h, w, c: self.c, dtype: crate::image::DType::U8 }
    }
}

/// One pixel of the window, as its documentation says.
fn oracle<E: Element>(src: &Source<E>, win: &Window, fill: &[E], at: [usize; 3]) -> Vec<E> {
    let mut index = [0; 3];
    for (axis, o) in win.axes.iter().zip(at) {
        match axis.read(o, win.border) {
            Some(i) => index[axis.from] = i,
            None => return fill.to_vec(),
        }
    }
    let s = index[0] * src.slice + index[1] * src.row + index[2] * src.c;
    src.data[s..s + src.c].to_vec()
}

/// The window in bands of `band` rows, `gap` elements between output rows, equals the oracle.
fn check<E: Element + std::fmt::Debug>(src: &Source<E>, win: &Window, fill: &[E], band: usize, gap: usize) {
    let (w, h, d) = win.size();
    let c = src.c;
    for z in 0..d {
        for y0 in (0..h).step_by(band) {
            let n = band.min(h - y0);
            let stride = w * c + gap;
            let mut data = vec![fill[0]; (n - 1) * stride + w * c];
            let before = data.clone();
            let mut out = RowsMut { data: &mut data, n, w, c, stride };
            window_rows(&src.volume(), win, fill, z, y0, &mut out);
            for y in 0..n {
                for x in 0..w {
                    let got = &data[y * stride + x * c..][..c];
                    assert!(got == oracle(src, win, fill, [z, y0 + y, x]), "{win:?} c={c} at {z} {} {x}", y0 + y);
                }
                let gap = y * stride + w * c..data.len().min((y + 1) * stride);
                assert_eq!(data[gap.clone()], before[gap], "wrote between rows");
            }
        }
    }
}

fn every_orientation<E: Element + std::fmt::Debug>(make: impl Fn(u64) -> E) {
    let mut k = 0;
    let mut next = || {
        k += 1;
        make(k)
    };
    for c in [1, 2, 3, 4, 5, 7] {
        let src = Source::new([3, 5, 7], c, c, &mut next);
        let fill: Vec<E> = (0..c).map(|_| next()).collect();
        for name in ORIENTATIONS.split_whitespace() {
            let (perm, flip) = orientation(name);
            let mut win = Window::whole(&src.shape());
            win.orient(perm, flip);
            check(&src, &win, &fill, 16, 0);
            let n = win.axes.map(|a| a.n);
            for border in BORDERS {
                let big = win.pad([1, 3, 2], [n[0] + 2, n[1] + 10, n[2] + 9], border, &Fill::all(0.0)).unwrap();
                check(&src, &big, &fill, 4, 3);
            }
        }
    }
}

#[test]
fn orientations_and_borders_1() {
    every_orientation(|k| (k.wrapping_mul(0x9e3779b97f4a7c15) >> 56) as u8);
}
#[test]
fn orientations_and_borders_2() {
    every_orientation(|k| (k.wrapping_mul(0x9e3779b97f4a7c15) >> 48) as u16);
}
#[test]
fn orientations_and_borders_4() {
    every_orientation(|k| (k.wrapping_mul(0x9e3779b97f4a7c15) >> 32) as u32);
}
#[test]
fn orientations_and_borders_8() {
    every_orientation(|k| k.wrapping_mul(0x9e3779b97f4a7c15));
}

/// Sizes around the widths of vectors and tiles, in bands, strided and not.
#[test]
fn large_planes() {
    let mut rnd = Numbers(5);
    for c in [1, 2, 3, 4, 5] {
        for (h, w) in [(1, 1), (15, 70), (16, 16), (33, 65), (70, 33), (64, 131), (17, 200), (130, 6), (100, 47)] {
            for gap in [0, 5] {
                large_plane(h, w, c, gap, &mut || rnd.below(256) as u8);
                large_plane(h, w, c, gap, &mut || rnd.below(65536) as u16);
                large_plane(h, w, c, gap, &mut || rnd.below(1 << 31) as u32);
                large_plane(h, w, c, gap, &mut || rnd.below(1 << 31) as u64);
            }
        }
    }
}

fn large_plane<E: Element + std::fmt::Debug>(h: usize, w: usize, c: usize, gap: usize, make: &mut dyn FnMut() -> E) {
    let src = Source::new([1, h, w], c, gap, make);
    let fill: Vec<E> = (0..c).map(|_| make()).collect();
    for perm in [[0, 1, 2], [0, 2, 1]] {
        for flip in 0..4 {
            let mut win = Window::whole(&src.shape());
            win.orient(perm, [false, flip & 1 != 0, flip & 2 != 0]);
            check(&src, &win, &fill, h.max(w), gap);
            check(&src, &win, &fill, 16, 0);
            let n = win.axes.map(|a| a.n);
            if n[1] > 4 && n[2] > 4 {
                win.crop_axis(1, 1, n[1] - 3);
                win.crop_axis(2, 2, n[2] - 3);
                check(&src, &win, &fill, 32, 0);
                let big = win.pad([0, 3, 2], [1, n[1] + 4, n[2] + 70], Border::Reflect101, &Fill::all(0.0)).unwrap();
                check(&src, &big, &fill, 1000, 0);
            }
        }
    }
}

#[test]
fn orientations_are_all_48() {
    let mut all: Vec<_> = ORIENTATIONS.split_whitespace().map(orientation).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 48);
}

#[test]
fn fill_pixels_lays_whole_pixels() {
    for c in [1, 2, 3, 4, 5, 7, 200] {
        for n in [0, 1, 2, 5, 31, 32, 33, 64, 100, 1000, 3001] {
            let pixel: Vec<u16> = (0..c as u16).map(|k| k + 1).collect();
            let mut out = vec![0; n * c];
            super::fill_pixels(&mut out, &pixel);
            assert!(out.chunks_exact(c).all(|p| p == pixel), "{c} {n}");
        }
    }
}

/// Throw-away timing.
#[test]
#[ignore]
fn timing() {
    use std::time::Instant;
    fn best(mut f: impl FnMut()) -> f64 {
        let (mut best, t0) = (f64::MAX, Instant::now());
        while t0.elapsed().as_millis() < 60 {
            let t = Instant::now();
            f();
            best = best.min(t.elapsed().as_nanos() as f64 / 1000.0);
        }
        best
    }
    fn go<E: Element>(name: &str, h: usize, w: usize, c: usize) {
        let n = h * w * c;
        let src = vec![E::default(); n];
        let mut out = vec![E::default(); (h + 40) * (w + 40) * c];
        let vol = Volume { data: &src[..], d: 1, h, w, c, row: w * c, slice: n };
        let s = Shape { d: 1, h, w, c, dtype: crate::image::DType::U8 };
        let mut fill = vec![E::default(); c];
        fill[0] = src[0];
        let mut line = format!("{name} {h}x{w}x{c}: copy {:.1}", best(|| out[..n].copy_from_slice(&src)));
        let whole = Window::whole(&s);
        let mut run = |name: &str, win: &Window, band: usize| {
            let (w, h, _) = win.size();
            let t = best(|| {
                for y0 in (0..h).step_by(band) {
                    let k = band.min(h - y0);
                    let mut rows = RowsMut::packed(&mut out[y0 * w * c..(y0 + k) * w * c], w, k, c);
                    window_rows(&vol, win, &fill, 0, y0, &mut rows);
                }
            });
            line += &format!(" {name} {t:.1}");
        };
        let with = |perm, flip| {
            let mut win = whole.clone();
            win.orient(perm, flip);
            win
        };
        run("vflip", &with([0, 1, 2], [false, true, false]), 9999);
        run("hflip", &with([0, 1, 2], [false, false, true]), 9999);
        run("T", &with([0, 2, 1], [false; 3]), 9999);
        run("T16", &with([0, 2, 1], [false; 3]), 16);
        run("rot90", &with([0, 2, 1], [false, true, false]), 9999);
        run("rot270", &with([0, 2, 1], [false, false, true]), 9999);
        for (name, b) in [("const", Border::Constant), ("repl", Border::Replicate), ("r101", Border::Reflect101)] {
            run(name, &whole.pad([0, 16, 16], [1, h + 32, w + 32], b, &Fill::all(0.0)).unwrap(), 9999);
        }
        let mut crop = whole.clone();
        crop.crop_axis(1, 16, h - 32);
        crop.crop_axis(2, 16, w - 32);
        run("crop", &crop, 9999);
        println!("{line}");
    }
    println!("level {:?}", crate::simd::level());
    for (h, w) in [(256, 256), (512, 512), (1080, 1920)] {
        go::<u8>("u8", h, w, 3);
        go::<u8>("u8", h, w, 1);
    }
    go::<u8>("u8", 256, 256, 4);
    go::<u16>("u16", 256, 256, 1);
    go::<u16>("u16", 256, 256, 3);
    for h in [256, 512] {
        go::<u32>("u32", h, h, 1);
        go::<u32>("u32", h, h, 3);
    }
}
