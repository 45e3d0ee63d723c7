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
    let mut files = bmps();
    files.push(encode_png(24, 24, 3, &pixels).unwrap());
    files.push(encode_jpeg(24, 24, 3, &pixels, 80, true).unwrap());
    files.push(encode_webp(24, 24, 3, &pixels).unwrap());
    files.push(encode_png_as(&numbers(&[0, 1, 2, 1, 0, 2], 2)).unwrap());
    for file in files {
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
    let mut files = bmps();
    files.push(encode_png(16, 12, 3, &pixels).unwrap());
    files.push(encode_jpeg(16, 12, 3, &pixels, 70, true).unwrap());
    files.push(encode_webp(16, 12, 3, &pixels).unwrap());
    for file in files {
        let mut state = 1_u32;
        for _ in 0..2000 {
            let mut bad = file.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = state as usize >> 8;
                let len = bad.len();
                bad[at % len] = state as u8;
            }
            let limits = Limits { pixels: 1 << 20, ..Limits::default() };
            if let Ok(image) = decode(&bad, &limits) {
                assert_eq!(image.pixels.len(), image.width * image.height * image.channels);
            }
            if let Ok(raw) = decode_raw(&bad, &limits) {
                let size = raw.mode.channels() * usize::from(raw.bits).div_ceil(8);
                assert_eq!(raw.samples.len(), raw.width * raw.height * size);
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

/// A 3 × 2 picture of the numbers of three colours.
fn numbers(samples: &[u8], bits: u8) -> PngImage<'_> {
    const COLOURS: [u8; 9] = [0, 0, 0, 200, 10, 20, 30, 220, 40];
    let mode = Mode::Palette;
    let effort = Effort::Balanced;
    PngImage { width: 3, height: 2, mode, bits, samples, palette: &COLOURS, transparency: &[255, 128], effort }
}

#[test]
fn numbers_of_colours_come_back() {
    for bits in [2, 4, 8] {
        let file = encode_png_as(&numbers(&[0, 1, 2, 1, 0, 2], bits)).unwrap();
        let raw = decode_raw(&file, &Limits::default()).unwrap();
        assert_eq!((raw.mode, raw.bits, raw.width, raw.height), (Mode::Palette, bits, 3, 2));
        assert_eq!(raw.samples, [0, 1, 2, 1, 0, 2]);
        assert_eq!((&raw.palette[3..6], &raw.transparency[..]), (&[200, 10, 20][..], &[255, 128][..]));
        let image = decode(&file, &Limits::default()).unwrap();
        assert_eq!(image.pixels[4..8], [200, 10, 20, 128]);
    }
}

#[test]
fn gray_of_every_depth_comes_back() {
    for bits in [1, 2, 4, 8, 16] {
        let most = (1_u32 << bits) - 1;
        let values: Vec<u16> = (0..35_u32).map(|i| (i * 2903 % (most + 1)) as u16).collect();
        let samples: Vec<u8> = match bits {
            16 => values.iter().flat_map(|v| v.to_ne_bytes()).collect(),
            _ => values.iter().map(|v| *v as u8).collect(),
        };
        let image = PngImage {
            width: 7,
            height: 5,
            mode: Mode::Gray,
            bits,
            samples: &samples,
            palette: &[],
            transparency: &[],
            effort: Effort::Balanced,
        };
        let raw = decode_raw(&encode_png_as(&image).unwrap(), &Limits::default()).unwrap();
        assert_eq!((raw.mode, raw.bits, raw.samples), (Mode::Gray, bits, samples));
    }
}

#[test]
fn what_a_png_cannot_hold_is_refused() {
    let good = numbers(&[0, 1, 2, 1, 0, 2], 2);
    let gray = PngImage { mode: Mode::Gray, palette: &[], transparency: &[], ..good };
    assert!(encode_png_as(&gray).is_ok());
    for bad in [
        PngImage { samples: &[0, 1, 3, 1, 0, 2], ..good },
        PngImage { samples: &[0; 5], ..good },
        PngImage { bits: 3, ..good },
        PngImage { bits: 16, samples: &[0; 12], ..good },
        PngImage { bits: 1, ..good },
        PngImage { palette: &[1, 2, 3, 4], ..good },
        PngImage { palette: &[], ..good },
        PngImage { transparency: &[0; 4], ..good },
        PngImage { samples: &[0, 1, 4, 1, 0, 2], ..gray },
        PngImage { transparency: &[0; 3], ..gray },
        PngImage { mode: Mode::Rgb, samples: &[0; 18], ..gray },
    ] {
        assert_eq!(encode_png_as(&bad).unwrap_err().kind, Kind::Value, "{bad:?}");
    }
}

#[test]
fn webp_is_lossless_and_within_its_sides() {
    for c in [1, 2, 3, 4] {
        let pixels = picture(13, 7, c);
        let back = decode(&encode_webp(13, 7, c, &pixels).unwrap(), &Limits::default()).unwrap();
        let (gray, alpha) = (c < 3, c % 2 == 0);
        assert_eq!((back.width, back.height, back.channels), (13, 7, if alpha { 4 } else { 3 }));
        for (p, q) in back.pixels.chunks_exact(back.channels).zip(pixels.chunks_exact(c)) {
            assert_eq!(p[..3], if gray { [q[0]; 3] } else { [q[0], q[1], q[2]] });
            assert!(!alpha || p[3] == q[c - 1]);
        }
    }
    assert_eq!(encode_webp(16_384, 1, 1, &[0; 16_384]).unwrap_err().kind, Kind::Limit);
}

/// A BMP of the 40-byte header.
fn bmp(size: (i32, i32), bits: u16, kind: u32, between: &[u8], data: &[u8]) -> Vec<u8> {
    let offset = 54 + between.len() as u32;
    let mut file = b"BM".to_vec();
    for v in [offset + data.len() as u32, 0, offset, 40, size.0 as u32, size.1 as u32] {
        file.extend(v.to_le_bytes());
    }
    file.extend([1, 0]);
    file.extend(bits.to_le_bytes());
    for v in [kind, data.len() as u32, 0, 0, 0, 0] {
        file.extend(v.to_le_bytes());
    }
    [&file, between, data].concat()
}

const COLOURS: [u8; 16] = [0, 0, 0, 0, 3, 2, 1, 0, 6, 5, 4, 0, 9, 8, 7, 0];

/// One of each kind.
fn bmps() -> Vec<Vec<u8>> {
    let masks: Vec<u8> = [0xF800_u32, 0x07E0, 0x001F].iter().flat_map(|m| m.to_le_bytes()).collect();
    vec![
        bmp((3, 2), 24, 0, &[], &[3, 2, 1, 6, 5, 4, 9, 8, 7, 0, 0, 0, 13, 12, 11, 16, 15, 14, 19, 18, 17, 0, 0, 0]),
        bmp((2, -2), 32, 0, &[], &[3, 2, 1, 0, 6, 5, 4, 9, 9, 8, 7, 7, 12, 11, 10, 3]),
        bmp((2, 1), 16, 3, &masks, &[0x00, 0xF8, 0xE0, 0x07]),
        bmp((2, 1), 16, 0, &[], &[0x00, 0x7C, 0x1F, 0x00]),
        bmp((4, 1), 4, 0, &COLOURS, &[0x12, 0x30, 0, 0]),
        bmp((5, 2), 8, 1, &COLOURS, &[5, 1, 0, 0, 0, 3, 2, 3, 1, 0, 2, 3, 0, 1]),
        bmp((5, 2), 4, 2, &COLOURS, &[5, 0x12, 0, 0, 0, 3, 0x23, 0x10, 2, 0x33, 0, 1]),
    ]
}

#[test]
fn bmps_of_each_kind() {
    let files = bmps();
    let pixels = |i: usize| {
        let image = decode(&files[i], &Limits::default()).unwrap_or_else(|e| panic!("{i}: {e}"));
        assert_eq!((image.header.format, image.channels), (Format::Bmp, 3));
        image.pixels
    };
    assert_eq!(pixels(0), [11, 12, 13, 14, 15, 16, 17, 18, 19, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(pixels(1), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(pixels(2), [255, 0, 0, 0, 255, 0]);
    assert_eq!(pixels(3), [255, 0, 0, 0, 0, 255]);
    assert_eq!(pixels(4), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0]);
    let reds = |i: usize| pixels(i).chunks(3).map(|p| p[0]).collect::<Vec<_>>();
    assert_eq!(reds(5), [4, 7, 1, 7, 7, 1, 1, 1, 1, 1]);
    assert_eq!(reds(6), [4, 7, 1, 7, 7, 1, 4, 1, 4, 1]);
}

#[test]
fn bad_bmps_say_what_is_wrong() {
    let row = [0; 16];
    for (file, text) in [
        (bmp((4, 1), 4, 0, &COLOURS, &[0x45, 0, 0, 0]), "colour 4 of 4"),
        (bmp((4, 1), 8, 1, &COLOURS, &[5, 1, 0, 1]), "past its row"),
        (bmp((4, 1), 8, 1, &COLOURS, &[0, 0, 4, 1, 0, 1]), "past its row"),
        (bmp((4, 1), 24, 4, &[], &row), "compression 4"),
        (bmp((4, 1), 5, 0, &[], &row), "5 bits"),
        (bmp((-4, 1), 24, 0, &[], &row), "a width of -4"),
        (bmp((4, 2), 24, 0, &[], &row), "truncated"),
        (bmp((4, 1), 32, 3, &[0; 12], &row), "masks"),
        (bmp((4, 1), 8, 0, &[], &row), "palette"),
        (bmp((0, 1), 24, 0, &[], &row), "a size of 0x1"),
    ] {
        let error = decode(&file, &Limits::default()).unwrap_err();
        assert!(error.kind == Kind::Decode && error.text.contains(text), "{error}, not {text}");
    }
    let wide = bmp((i32::MAX, i32::MIN), 1, 0, &COLOURS[..8], &row);
    assert_eq!(decode(&wide, &Limits::default()).unwrap_err().kind, Kind::Limit);
}

#[test]
fn a_text_that_starts_like_a_picture_is_none() {
    for text in [b"BM is no bitmap of ours, is it?".as_slice(), b"RIFF\x04\0\0\0WAVEfmt ", b"RIFFRAFF and more"] {
        assert!(decode(text, &Limits::default()).unwrap_err().text.starts_with("format"));
    }
}
