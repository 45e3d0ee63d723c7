//! RGB to the three planes of a JPEG, and chroma to half its size.

use crate::kernel::planes::{BLOCK, Planes};
use crate::simd;

/// RGB to Y, Cb, Cr: the weights of BT.601 in 16 bits, luma to the nearest, chroma with halves down.
///
/// One sample of each plane a pixel; what the planes hold beyond that stays as it is.
pub fn ycc_row(rgb: &[u8], y: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
    let n = rgb.len() / 3;
    assert!(rgb.len() == 3 * n && y.len() >= n && cb.len() >= n && cr.len() >= n);
    let (y, cb, cr) = (&mut y[..n], &mut cb[..n], &mut cr[..n]);
    ycc_blocks(rgb, y, cb, cr);
}

simd! {
    /// The plain text.
    pub(crate) fn ycc_blocks(rgb: &[u8], y: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
        let mut planes = Planes([[0_u8; BLOCK]; 3]);
        let mut out = Planes([[0_u8; BLOCK]; 3]);
        let parts = y.chunks_mut(BLOCK).zip(cb.chunks_mut(BLOCK)).zip(cr.chunks_mut(BLOCK));
        for (px, ((y, cb), cr)) in rgb.chunks(3 * BLOCK).zip(parts) {
            let n = planes.load(px);
            let [r, g, b] = planes.first(n);
            let [p, q, s] = out.first(n);
            for i in 0..n {
                let (r, g, b) = (i32::from(r[i]), i32::from(g[i]), i32::from(b[i]));
                p[i] = ((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16) as u8;
                q[i] = ((32_768 * b - 11_059 * r - 21_709 * g + 8_421_375) >> 16) as u8;
                s[i] = ((32_768 * r - 27_439 * g - 5_329 * b + 8_421_375) >> 16) as u8;
            }
            y.copy_from_slice(&p[..y.len()]);
            cb.copy_from_slice(&q[..cb.len()]);
            cr.copy_from_slice(&s[..cr.len()]);
        }
    }
}

simd! {
    /// Means of 2 × 2 samples of two rows; halves go down in even columns and up in odd ones.
    pub fn halve_rows(a: &[u8], b: &[u8], out: &mut [u8]) {
        let n = out.len();
        let (a, b) = (&a[..2 * n], &b[..2 * n]);
        let pairs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0);
        for (i, ((p, q), o)) in pairs.zip(out.iter_mut()).enumerate() {
            let (p, q) = (u16::from_le_bytes(*p), u16::from_le_bytes(*q));
            let sum = (p & 255) + (p >> 8) + (q & 255) + (q >> 8);
            *o = ((sum + 1 + (i as u16 & 1)) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        let rgb = [0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128];
        let (mut y, mut cb, mut cr) = ([0; 6], [0; 6], [0; 6]);
        ycc_row(&rgb, &mut y, &mut cb, &mut cr);
        assert_eq!(y, [0, 255, 76, 150, 29, 128]);
        assert_eq!(cb, [128, 128, 85, 44, 255, 128]);
        assert_eq!(cr, [128, 128, 255, 21, 107, 128]);
    }

    #[test]
    fn halving_alternates_its_halves() {
        let (a, b) = ([0, 0, 0, 0, 3, 3, 255, 255], [1, 1, 1, 1, 3, 4, 255, 255]);
        let mut out = [0; 4];
        halve_rows(&a, &b, &mut out);
        assert_eq!(out, [0, 1, 3, 255]);
    }
}
