//! What lies outside an image, and how to sample between pixels. Numbers are OpenCV's.

/// How to read a position outside an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Border {
    /// 0: the fill value.
    Constant = 0,
    /// 1: the edge pixel, `aaa|abc|ccc`.
    Replicate = 1,
    /// 2: mirrored with the edge pixel, `cba|abc|cba`.
    Reflect = 2,
    /// 3: from the other side, `abc|abc|abc`.
    Wrap = 3,
    /// 4: mirrored without the edge pixel, `dcb|abcd|cba`.
    Reflect101 = 4,
}

impl Border {
    /// The border with OpenCV's number.
    pub fn from_number(n: i64) -> Option<Border> {
        Some(match n {
            0 => Border::Constant,
            1 => Border::Replicate,
            2 => Border::Reflect,
            3 => Border::Wrap,
            4 => Border::Reflect101,
            _ => return None,
        })
    }

    /// The index in `0..len` that position `i` reads, or `None` where a constant border fills.
    #[inline(always)]
    pub fn fold(self, i: isize, len: usize) -> Option<usize> {
        let n = len as isize;
        if (0..n).contains(&i) {
            return Some(i as usize);
        }
        Some(match self {
            Border::Constant => return None,
            Border::Replicate => i.clamp(0, n - 1),
            Border::Wrap => i.rem_euclid(n),
            Border::Reflect => {
                let m = i.rem_euclid(2 * n);
                m.min(2 * n - 1 - m)
            }
            Border::Reflect101 => {
                if n == 1 {
                    0
                } else {
                    let m = i.rem_euclid(2 * n - 2);
                    m.min(2 * n - 2 - m)
                }
            }
        } as usize)
    }
}

/// Resampling filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Interp {
    /// 0: nearest pixel (resize: floor of the scaled index).
    Nearest = 0,
    /// 1: linear, 2 taps an axis.
    Linear = 1,
    /// 2: cubic with a = −0.75, 4 taps an axis.
    Cubic = 2,
    /// 3: mean over the covered area (resize); linear in warps.
    Area = 3,
    /// 4: Lanczos over 8 taps an axis.
    Lanczos4 = 4,
    /// 5: as linear.
    LinearExact = 5,
    /// 6: nearest pixel by pixel centres.
    NearestExact = 6,
}

impl Interp {
    /// The filter with OpenCV's number.
    pub fn from_number(n: i64) -> Option<Interp> {
        Some(match n {
            0 => Interp::Nearest,
            1 => Interp::Linear,
            2 => Interp::Cubic,
            3 => Interp::Area,
            4 => Interp::Lanczos4,
            5 => Interp::LinearExact,
            6 => Interp::NearestExact,
            _ => return None,
        })
    }
    /// True if only pixels of the source are copied, so that any element type can be moved.
    pub fn is_nearest(self) -> bool {
        matches!(self, Interp::Nearest | Interp::NearestExact)
    }
}
