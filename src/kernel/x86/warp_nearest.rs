//! Nearest neighbour for pixels of 1 to 4 bytes: each is loaded as 4 bytes.

use crate::image::Element;
use crate::kernel::warp::CHUNK;
use std::arch::x86_64::*;

/// Copies the pixels at byte addresses `off` to `out`, 4 bytes being readable at each. A pixel is 1 to 4 bytes.
///
/// At level V3.
pub(crate) fn nearest_v3<E: Element>(data: &[E], off: &[u32; CHUNK], pixel: usize, out: &mut [E]) {
    // SAFETY: level V3; `bytes` and `bytes_mut` view plain old data.
    unsafe { half(bytes(data), off, pixel, bytes_mut(out)) }
}

/// As `nearest_v3`, from level V4 on.
pub(crate) fn nearest_v4<E: Element>(data: &[E], off: &[u32; CHUNK], pixel: usize, out: &mut [E]) {
    // SAFETY: level V4; `bytes` and `bytes_mut` view plain old data.
    unsafe { wide(bytes(data), off, pixel, bytes_mut(out)) }
}

unsafe fn bytes<E: Element>(v: &[E]) -> &[u8] {
    // SAFETY: `Element` is sealed to plain old data without padding.
    unsafe { std::slice::from_raw_parts(v.as_ptr().cast(), size_of_val(v)) }
}

unsafe fn bytes_mut<E: Element>(v: &mut [E]) -> &mut [u8] {
    // SAFETY: as in `bytes`, any bytes are a value, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(v.as_mut_ptr().cast(), size_of_val(v)) }
}

#[inline(always)]
fn check(data: &[u8], off: &[u32]) {
    let top = off.iter().fold(0, |a, &b| a.max(b));
    assert!(top as usize + 4 <= data.len() && top <= i32::MAX as u32, "pixels lie in the source");
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn wide(data: &[u8], off: &[u32; CHUNK], pixel: usize, out: &mut [u8]) {
    let n = out.len() / pixel;
    check(data, &off[..n.next_multiple_of(16)]);
    let drop = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    let close = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
    for i in (0..n).step_by(16) {
        // SAFETY: i + 16 ≤ CHUNK, and `check` saw every pixel.
        let v = unsafe {
            let at = _mm512_loadu_si512(off.as_ptr().add(i).cast());
            _mm512_i32gather_epi32(at, data.as_ptr().cast(), 1)
        };
        let v = match pixel {
            1 => _mm512_castsi128_si512(_mm512_cvtepi32_epi8(v)),
            2 => _mm512_castsi256_si512(_mm512_cvtepi32_epi16(v)),
            3 => _mm512_permutexvar_epi32(close, _mm512_shuffle_epi8(v, drop)),
            _ => v,
        };
        let left = (16.min(n - i) * pixel) as u32;
        // SAFETY: the mask ends with `out`.
        unsafe { _mm512_mask_storeu_epi8(out.as_mut_ptr().add(i * pixel).cast(), u64::MAX >> (64 - left), v) };
    }
}

#[target_feature(enable = "avx2")]
fn half(data: &[u8], off: &[u32; CHUNK], pixel: usize, out: &mut [u8]) {
    let n = out.len() / pixel;
    check(data, &off[..n]);
    let data = data.as_ptr();
    // SAFETY: `check` saw every pixel; each store of this loop but the last has 4 bytes of room.
    unsafe {
        match pixel {
            1 => {
                for (o, &at) in out.iter_mut().zip(off) {
                    *o = *data.add(at as usize);
                }
            }
            2 => {
                for (o, &at) in out.as_chunks_mut::<2>().0.iter_mut().zip(off) {
                    *o = data.add(at as usize).cast::<[u8; 2]>().read();
                }
            }
            3 => {
                let to = out.as_mut_ptr();
                for (i, &at) in off[..n - 1].iter().enumerate() {
                    let p = data.add(at as usize).cast::<u32>().read_unaligned();
                    to.add(3 * i).cast::<u32>().write_unaligned(p);
                }
                to.add(3 * n - 3).cast::<[u8; 3]>().write(data.add(off[n - 1] as usize).cast::<[u8; 3]>().read());
            }
            _ => {
                for (o, &at) in out.as_chunks_mut::<4>().0.iter_mut().zip(off) {
                    *o = data.add(at as usize).cast::<[u8; 4]>().read();
                }
            }
        }
    }
}
