//! Every orientation, border, element size and channel count against one read per pixel.

use super::{window_rows, window_slices};
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

/// All slices at once equal the oracle.
fn check_slices<E: Element + std::fmt::Debug>(src: &Source<E>, win: &Window, fill: &[E]) {
    let (w, h, d) = win.size();
    let c = src.c;
    let mut data = vec![fill[0]; d * h * w * c];
    window_slices(&src.volume(), win, fill, &mut data);
    for (i, pixel) in data.chunks_exact(c).enumerate() {
        let at = [i / (h * w), i / w % h, i % w];
        assert!(pixel == oracle(src, win, fill, at), "{win:?} c={c} at {at:?}");
    }
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
            check_slices(&src, &win, &fill);
            let n = win.axes.map(|a| a.n);
            for border in BORDERS {
                let big = win.pad([1, 3, 2], [n[0] + 2, n[1] + 10, n[2] + 9], border, &Fill::all(0.0)).unwrap();
                check(&src, &big, &fill, 4, 3);
                check_slices(&src, &big, &fill);
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

/// Volumes that are large enough for the tiles.
#[test]
fn large_volumes() {
    let mut rnd = Numbers(6);
    for c in [1, 3] {
        let src = Source::new([18, 35, 40], c, 1, &mut || rnd.below(256) as u8);
        for name in ["WHD", "W-DH", "-WDH", "HW-D", "-HDW"] {
            let (perm, flip) = orientation(name);
            let mut win = Window::whole(&src.shape());
            win.orient(perm, flip);
            check(&src, &win, &[0; 3][..c], 99, 0);
            check_slices(&src, &win, &[0; 3][..c]);
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

/// The hand-written forms of every level write the bytes of the plain text, and nothing beside them.
#[cfg(target_arch = "x86_64")]
#[test]
fn levels_are_bit_equal() {
    let mut done = [[0; 17]; 2];
    levels::<u8>(|k| k as u8, &mut done);
    levels::<u16>(|k| k as u16, &mut done);
    levels::<u32>(|k| k as u32, &mut done);
    levels::<u64>(|k| k, &mut done);
    if crate::simd::probe() >= crate::simd::Level::V3 {
        for size in [1, 2, 3, 4, 6, 8, 12] {
            assert!(done[0][size] > 0 && done[1][size] > 0, "no fast form ran for pixels of {size} bytes");
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn levels<E: Element + std::fmt::Debug>(make: impl Fn(u64) -> E, done: &mut [[usize; 17]; 2]) {
    use super::{Walk, plain};
    use crate::kernel::x86::{flip, transpose};
    use crate::simd::Level;
    let mut k = 0u64;
    let mut next = || {
        k += 1;
        make(k.wrapping_mul(0x9e3779b97f4a7c15) >> 20)
    };
    let sizes = [(1, 1), (2, 5), (16, 16), (17, 31), (16, 32), (35, 33), (50, 70), (21, 150), (3, 1500)];
    for c in 1..=4 {
        for (ny, nx) in sizes {
            let (line, column) = (nx * c + 3, ny * c + 2);
            let src: Vec<E> = (0..(line * ny).max(column * nx)).map(|_| next()).collect();
            let stride = nx * c + 1;
            let mut blank: Vec<E> = (0..stride * ny).map(|_| next()).collect();
            blank.truncate((ny - 1) * stride + nx * c);
            let (l, m, p) = (line as isize, column as isize, c as isize);
            // Rows along source rows both ways, and source columns as rows, from each of the four corners.
            for (dy, dx) in [(l, p), (-l, p), (l, -p), (-l, -p), (p, m), (-p, m), (p, -m), (-p, -m), (0, p)] {
                let back = |d: isize, n: usize| if d < 0 { d.unsigned_abs() * (n - 1) } else { 0 };
                let walk = Walk { first: back(dy, ny) + back(dx, nx), dy, dx, c };
                let mut want = blank.clone();
                plain(&src, walk, &mut want, stride, ny, nx);
                for level in Level::ALL {
                    if level == Level::Baseline || level > crate::simd::probe() {
                        continue;
                    }
                    for (form, done) in done.iter_mut().enumerate() {
                        let mut got = blank.clone();
                        let ran = match form {
                            0 => flip::rows(level, &src, walk, &mut got, stride, ny, nx),
                            _ => transpose::rows(level, &src, walk, &mut got, stride, ny, nx),
                        };
                        if ran {
                            assert!(got == want, "{level:?} {walk:?} {ny}x{nx} form {form}");
                            done[(c * size_of::<E>()).min(16)] += (dx != p) as usize;
                        }
                    }
                }
            }
        }
    }
}
