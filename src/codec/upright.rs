//! EXIF orientation applied to rows of interleaved bytes.

/// Turns `pixels` (w × h as stored) so that orientation `o` becomes 1.
///
/// 2 mirror, 3 half turn, 4 flip, 5 transpose, 6 quarter turn clockwise, 7 anti-transpose, 8 counter-clockwise.
pub(super) fn turn(pixels: Vec<u8>, w: usize, h: usize, c: usize, o: u8) -> Vec<u8> {
    if !(2..=8).contains(&o) {
        return pixels;
    }
    let (ow, oh) = if o >= 5 { (h, w) } else { (w, h) };
    let mut out = vec![0; pixels.len()];
    for (y, row) in out.chunks_exact_mut(ow * c).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(c).enumerate() {
            let (sx, sy) = match o {
                2 => (ow - 1 - x, y),
                3 => (ow - 1 - x, oh - 1 - y),
                4 => (x, oh - 1 - y),
                5 => (y, x),
                6 => (y, ow - 1 - x),
                7 => (oh - 1 - y, ow - 1 - x),
                _ => (oh - 1 - y, x),
            };
            let at = (sy * w + sx) * c;
            pixel.copy_from_slice(&pixels[at..at + c]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn each_orientation_on_a_picture_one_can_read() {
        // a b c
        // d e f
        let cases: [(u8, &[u8; 6]); 8] = [
            (1, b"abcdef"),
            (2, b"cbafed"),
            (3, b"fedcba"),
            (4, b"defabc"),
            (5, b"adbecf"),
            (6, b"daebfc"),
            (7, b"fcebda"),
            (8, b"cfbead"),
        ];
        for (o, want) in cases {
            assert_eq!(turn(b"abcdef".to_vec(), 3, 2, 1, o), want, "orientation {o}");
        }
    }
}
