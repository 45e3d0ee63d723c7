//! Round trips, cut and damaged files, limits, for every format.

use super::*;

fn picture(w: usize, h: usize, c: usize) -> Vec<u8> {
    (0..w * h * c).map(|i| ((i * 37 + i / 11) % 251) as u8).collect()
}

#[test]
fn png_round_trips_every_channel_count() {
    for c in [1, 3, 4] {
        let pixels = picture(13, 7, c);
        let file = encode_png(13, 7, c, &pixels).unwrap();
        let back = decode(&file, &Limits::default()).unwrap();
        assert_eq!((back.width, back.height, back.channels), (13, 7, c));
        assert_eq!(back.pixels, pixels);
    }
    let file = encode_png(13, 7, 2, &picture(13, 7, 2)).unwrap();
    let back = decode(&file, &Limits::default()).unwrap();
    assert!(back.header.gray && back.channels == 4);
    for (p, q) in back.pixels.chunks_exact(4).zip(picture(13, 7, 2).chunks_exact(2)) {
        assert_eq!(p, &[q[0], q[0], q[0], q[1]]);
    }
}

#[test]
fn jpeg_comes_back_close_and_with_its_shape() {
    for (c, halved) in [(1, true), (3, true), (3, false)] {
        let pixels: Vec<u8> = (0..40 * 24 * c).map(|i| (60 + (i / c) % 40 + (i / c) / 40 * 4) as u8).collect();
        let file = encode_jpeg(40, 24, c, &pixels, 95, halved).unwrap();
        let back = decode(&file, &Limits::default()).unwrap();
        assert_eq!((back.width, back.height, back.channels), (40, 24, c));
        assert_eq!(back.header.gray, c == 1);
        let worst = back.pixels.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 12, "c={c} halved={halved}: off by {worst}");
    }
}

#[test]
fn every_prefix_is_refused() {
    let pixels = picture(24, 24, 3);
    for file in [encode_png(24, 24, 3, &pixels).unwrap(), encode_jpeg(24, 24, 3, &pixels, 80, true).unwrap()] {
        for cut in 0..file.len() {
            let error = decode(&file[..cut], &Limits::default()).expect_err("a cut file decoded");
            assert_eq!(error.kind, Kind::Decode, "cut at {cut}: {error}");
        }
        assert!(decode(&file, &Limits::default()).is_ok());
    }
}

#[test]
fn the_pixel_limit_is_read_from_the_header() {
    let file = encode_png(20, 20, 1, &picture(20, 20, 1)).unwrap();
    let limits = Limits { pixels: 399, ..Limits::default() };
    assert_eq!(probe(&file, &limits).unwrap_err().kind, Kind::Limit);
    let file = encode_jpeg(20, 20, 1, &picture(20, 20, 1), 50, true).unwrap();
    assert_eq!(decode(&file, &limits).unwrap_err().kind, Kind::Limit);
}

#[test]
fn other_bytes_name_the_format() {
    assert!(decode(b"", &Limits::default()).unwrap_err().text.starts_with("empty"));
    assert!(decode(b"hello, world", &Limits::default()).unwrap_err().text.starts_with("format"));
}

#[test]
fn endless_chunks_and_scans_hit_a_limit() {
    let png = encode_png(4, 4, 3, &picture(4, 4, 3)).unwrap();
    let chunk = [b"\0\0\0\0tEXt".as_slice(), &[0; 4]].concat();
    for (at, limits) in [(33, Limits::default()), (png.len() - 12, Limits::default())] {
        let many = [&png[..at], &chunk.repeat(limits.chunks + 1), &png[at..]].concat();
        assert_eq!(decode(&many, &limits).unwrap_err().kind, Kind::Limit);
    }
    let jpeg = encode_jpeg(8, 8, 1, &picture(8, 8, 1), 90, true).unwrap();
    let scan = jpeg.windows(2).position(|b| b == [0xFF, 0xDA]).unwrap();
    let end = jpeg.len() - 2;
    let many = [&jpeg[..end], &jpeg[scan..end].repeat(10_000), &jpeg[end..]].concat();
    let error = decode(&many, &Limits::default()).unwrap_err();
    assert!(error.kind == Kind::Limit && error.text.contains("scans"), "{error}");
}

#[test]
fn damaged_files_give_an_error_or_a_picture_never_a_panic() {
    let pixels = picture(16, 12, 3);
    for file in [encode_png(16, 12, 3, &pixels).unwrap(), encode_jpeg(16, 12, 3, &pixels, 70, true).unwrap()] {
        let mut state = 1_u32;
        for _ in 0..4000 {
            let mut bad = file.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = state as usize >> 8;
                let len = bad.len();
                bad[at % len] = state as u8;
            }
            if let Ok(image) = decode(&bad, &Limits { pixels: 1 << 20, ..Limits::default() }) {
                assert_eq!(image.pixels.len(), image.width * image.height * image.channels);
            }
        }
    }
}

#[test]
fn encoders_check_what_they_get() {
    assert_eq!(encode_png(2, 2, 3, &[0; 11]).unwrap_err().kind, Kind::Value);
    assert_eq!(encode_jpeg(2, 2, 4, &[0; 16], 90, true).unwrap_err().kind, Kind::Value);
    assert_eq!(encode_jpeg(2, 2, 1, &[0; 4], 0, true).unwrap_err().kind, Kind::Value);
}
