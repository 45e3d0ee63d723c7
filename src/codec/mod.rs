//! Files: bytes to pixels and back, for JPEG and PNG; knows no path, no target and no op.
//!
//! One decoder and one encoder per format and no fallback, because two codecs would be two sets of bytes. The magic
//! bytes decide, never an extension. Sizes are read from the header and checked before anything is allocated; a file
//! that is cut anywhere is an error, never a picture with a gray part. Pixels leave upright: the EXIF orientation is
//! applied here and nowhere else.

mod exif;
mod jpeg;
mod png;
mod upright;

use crate::error::{Error, Kind, Result};

/// What may be decoded at most; checked against the header, before allocation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Width times height.
    pub pixels: u64,
    /// Passes of a progressive JPEG.
    pub scans: usize,
    /// Chunks of a PNG that hold no pixels.
    pub chunks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { pixels: 178_956_970, scans: 100, chunks: 4096 }
    }
}

/// The file format, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
}

impl Format {
    /// The name users see and the usual suffix without its dot.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
        }
    }
}

/// What the header says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Format by magic.
    pub format: Format,
    /// Width as stored.
    pub width: usize,
    /// Height as stored.
    pub height: usize,
    /// Channels after decoding: 1, 3 or 4.
    pub channels: usize,
    /// EXIF orientation 1 to 8; 1 where there is none or it is malformed.
    pub orientation: u8,
    /// The stored samples have 16 bits.
    pub sixteen_bit: bool,
    /// The file holds gray, with or without alpha.
    pub gray: bool,
    /// A CMYK or YCCK JPEG.
    pub cmyk: bool,
}

impl Header {
    /// Width and height once the orientation is applied.
    pub fn upright(&self) -> (usize, usize) {
        if self.orientation >= 5 { (self.height, self.width) } else { (self.width, self.height) }
    }
}

/// A decoded image, upright.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What the file's header said.
    pub header: Header,
    /// Upright width.
    pub width: usize,
    /// Upright height.
    pub height: usize,
    /// 1 (gray), 3 (RGB) or 4 (RGB and alpha; gray with alpha is spread to three equal planes).
    pub channels: usize,
    /// Rows of interleaved bytes without padding.
    pub pixels: Vec<u8>,
}

pub(crate) fn decode_error(text: impl Into<String>) -> Error {
    Error::new(Kind::Decode, text)
}

fn sniff(bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(decode_error("empty: the file has 0 bytes"));
    }
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if b"\x89PNG\r\n\x1a\n".starts_with(bytes) || [0xFF, 0xD8, 0xFF].starts_with(bytes) {
        return Err(decode_error("truncated: the file ends in its signature"));
    }
    Err(decode_error("format: neither JPEG nor PNG by its first bytes"))
}

/// Reads the header alone.
///
/// The pixel limit is checked here too, so that a plan made from headers holds for the decoding.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let header = match sniff(bytes)? {
        Format::Jpeg => jpeg::probe(bytes)?,
        Format::Png => png::probe(bytes, limits)?,
    };
    let pixels = header.width as u64 * header.height as u64;
    if pixels == 0 {
        return Err(decode_error(format!("a size of {}x{}", header.width, header.height)));
    }
    if pixels > limits.pixels {
        return Err(Error::limit(format!(
            "{}x{} = {pixels} pixels > max_pixels={}",
            header.width, header.height, limits.pixels
        )));
    }
    Ok(header)
}

/// Decodes a whole file and turns it upright.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let header = probe(bytes, limits)?;
    let (pixels, channels) = match header.format {
        Format::Jpeg => jpeg::decode(bytes, &header, limits)?,
        Format::Png => png::decode(bytes, &header, limits)?,
    };
    if pixels.len() != header.width * header.height * channels {
        return Err(decode_error("truncated: fewer pixels than the header promises"));
    }
    let pixels = upright::turn(pixels, header.width, header.height, channels, header.orientation);
    let (width, height) = header.upright();
    Ok(Decoded { header, width, height, channels, pixels })
}

fn check_shape(width: usize, height: usize, channels: usize, pixels: &[u8], allowed: &[usize]) -> Result<()> {
    if !allowed.contains(&channels) {
        return Err(Error::value(format!("channels: {channels}; this format takes {allowed:?}")));
    }
    let wanted = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
    if width == 0 || height == 0 || wanted != Some(pixels.len()) {
        return Err(Error::value(format!(
            "pixels: {} bytes for {width}x{height}x{channels}; both sides must be at least 1",
            pixels.len()
        )));
    }
    Ok(())
}

/// Encodes gray (1) or RGB (3) bytes as a baseline JPEG; `chroma_halved` is 4:2:0, else 4:4:4.
pub fn encode_jpeg(
    width: usize,
    height: usize,
    channels: usize,
    pixels: &[u8],
    quality: u8,
    chroma_halved: bool,
) -> Result<Vec<u8>> {
    check_shape(width, height, channels, pixels, &[1, 3])?;
    if !(1..=100).contains(&quality) {
        return Err(Error::value(format!("quality: {quality}; allowed 1 to 100")));
    }
    jpeg::encode(width, height, channels, pixels, quality, chroma_halved)
}

/// Encodes gray (1), gray + alpha (2), RGB (3) or RGBA (4) bytes as a PNG, tuned for speed.
pub fn encode_png(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    check_shape(width, height, channels, pixels, &[1, 2, 3, 4])?;
    png::encode(width, height, channels, pixels)
}

#[cfg(test)]
mod tests {
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
}
