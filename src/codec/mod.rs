//! Files: bytes to pixels and back, for JPEG, PNG, WebP and (in only) BMP; knows no path, no target and no op.
//!
//! One decoder and one encoder per format and no fallback, because two codecs would be two sets of bytes. The magic
//! bytes decide, never an extension. Sizes are read from the header and checked before anything is allocated; a file
//! that is cut anywhere is an error, never a picture with a gray part. Pixels leave upright: the EXIF orientation is
//! applied here and nowhere else.

mod bmp;
mod exif;
mod jpeg;
mod png;
mod raw;
mod upright;
mod webp;

pub use raw::{Effort, Mode, PngImage, Raw, decode_raw, encode_png_as};

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
    /// WebP, lossy or lossless.
    WebP,
    /// Windows bitmap; read, never written.
    Bmp,
}

impl Format {
    /// The name users see and the usual suffix without its dot.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
            Format::WebP => "webp",
            Format::Bmp => "bmp",
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
    let is_bmp = if bytes.starts_with(b"BM") { bmp::is_bmp(bytes) } else { Some(false) };
    if is_bmp == Some(true) {
        return Ok(Format::Bmp);
    }
    let riff = bytes.starts_with(b"RIFF") || b"RIFF".starts_with(bytes);
    let webp = bytes.get(8..).unwrap_or_default();
    if riff && webp.starts_with(b"WEBP") {
        return Ok(Format::WebP);
    }
    let signatures = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0xFF, 0xD8, 0xFF], b"BM"];
    if signatures.iter().any(|s| s.starts_with(bytes)) || is_bmp.is_none() || riff && b"WEBP".starts_with(webp) {
        return Err(decode_error("truncated: the file ends in its signature"));
    }
    Err(decode_error("format: not JPEG, PNG, WebP or BMP by its first bytes"))
}

/// Reads the header alone.
///
/// The pixel limit is checked here too, so that a plan made from headers holds for the decoding.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let header = match sniff(bytes)? {
        Format::Jpeg => jpeg::probe(bytes)?,
        Format::Png => png::probe(bytes, limits)?,
        Format::WebP => webp::probe(bytes, limits)?,
        Format::Bmp => bmp::probe(bytes)?,
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
        Format::WebP => webp::decode(bytes, &header, limits)?,
        Format::Bmp => bmp::decode(bytes, &header, limits)?,
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
    let mode = Mode::of_channels(channels)?;
    encode_png_as(&PngImage {
        width,
        height,
        mode,
        bits: 8,
        samples: pixels,
        palette: &[],
        transparency: &[],
        effort: Effort::Fast,
    })
}

/// Encodes gray (1), gray + alpha (2), RGB (3) or RGBA (4) bytes as a lossless WebP.
pub fn encode_webp(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    check_shape(width, height, channels, pixels, &[1, 2, 3, 4])?;
    webp::encode(width, height, channels, pixels)
}

#[cfg(test)]
mod tests;
