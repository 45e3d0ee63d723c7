//! WebP through `image-webp`: both kinds in, lossless out.
//!
//! The container is walked here first: a file that is shorter than it says is refused whatever the decoder would make
//! of it. Of an animation the first frame is taken.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image_webp::{ColorType, DecodingError, WebPDecoder, WebPEncoder};

use super::{Format, Header, Limits, decode_error, exif};
use crate::error::{Error, Result};

fn cut() -> Error {
    decode_error("truncated: the file ends inside a WebP chunk")
}

fn u32_at(bytes: &[u8], at: usize) -> Result<usize> {
    Ok(u32::from_le_bytes(*bytes.get(at..).and_then(|b| b.first_chunk()).ok_or_else(cut)?) as usize)
}

fn u24(b: &[u8]) -> usize {
    usize::from(b[0]) | usize::from(b[1]) << 8 | usize::from(b[2]) << 16
}

/// Size, alpha and orientation. Only EXIF, which lies behind the pixels, needs more than the first bytes.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let name = bytes.get(12..16).ok_or_else(cut)?;
    let head = bytes.get(20..30).ok_or_else(cut)?;
    let (mut orientation, alpha, width, height);
    orientation = 1;
    match name {
        b"VP8 " => {
            if head[0] & 1 == 1 || head[3..6] != [0x9D, 0x01, 0x2A] {
                return Err(decode_error("damaged WebP: no key frame"));
            }
            let side = |i: usize| usize::from(u16::from_le_bytes([head[i], head[i + 1]]) & 0x3FFF);
            (width, height, alpha) = (side(6), side(8), false);
        }
        b"VP8L" => {
            if head[0] != 0x2F {
                return Err(decode_error("damaged WebP: no lossless signature"));
            }
            let bits = u32_at(head, 1)?;
            (width, height, alpha) = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28 & 1 == 1);
        }
        b"VP8X" => {
            (width, height, alpha) = (u24(&head[4..]) + 1, u24(&head[7..]) + 1, head[0] & 0x10 != 0);
            if head[0] & 0x08 != 0 && width as u64 * height as u64 <= limits.pixels {
                orientation = find_exif(bytes, limits)?.map_or(1, exif::orientation);
            }
        }
        _ => return Err(decode_error("damaged WebP: no image in its first chunk")),
    }
    Ok(Header {
        format: Format::WebP,
        width,
        height,
        channels: if alpha { 4 } else { 3 },
        orientation,
        sixteen_bit: false,
        gray: false,
        cmyk: false,
    })
}

/// Walks the chunks, which are as many as a limit allows, to the one with EXIF.
fn find_exif<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<&'a [u8]>> {
    let end = u32_at(bytes, 4)?.saturating_add(8);
    let mut at = 12;
    for _ in 0..=limits.chunks {
        if at >= end {
            return Ok(None);
        }
        let size = u32_at(bytes, at + 4)?;
        let body = bytes.get(at + 8..).and_then(|rest| rest.get(..size)).ok_or_else(cut)?;
        if &bytes[at..at + 4] == b"EXIF" {
            return Ok(Some(body.strip_prefix(b"Exif\0\0").unwrap_or(body)));
        }
        at += 8 + size + size % 2;
    }
    Err(Error::limit(format!("more than {} chunks", limits.chunks)))
}

/// Decodes to RGB or RGBA, as stored.
pub(super) fn decode(bytes: &[u8], header: &Header, limits: &Limits) -> Result<(Vec<u8>, usize)> {
    let end = u32_at(bytes, 4)?.saturating_add(8);
    if bytes.len() < end {
        return Err(decode_error(format!("truncated: {} bytes of a WebP of {end}", bytes.len())));
    }
    let mut at = 12;
    for count in 0.. {
        if at >= end {
            break;
        }
        if count > limits.chunks {
            return Err(Error::limit(format!("more than {} chunks", limits.chunks)));
        }
        let size = u32_at(bytes, at + 4)?;
        at = at.saturating_add(8).saturating_add(size);
        if at > end {
            return Err(cut());
        }
        at += size % 2;
    }
    let channels = header.channels;
    // a panic on a hostile file is the file's fault to the caller, and must not end a worker
    let result = catch_unwind(AssertUnwindSafe(|| -> std::result::Result<Vec<u8>, DecodingError> {
        let mut decoder = WebPDecoder::new(Cursor::new(bytes))?;
        let (w, h) = decoder.dimensions();
        let same = (w as usize, h as usize) == (header.width, header.height);
        if !same || decoder.has_alpha() != (channels == 4) {
            return Err(DecodingError::InconsistentImageSizes);
        }
        decoder.set_memory_limit(header.width * header.height * 8 + (16 << 20));
        let mut pixels = vec![0; header.width * header.height * channels];
        decoder.read_image(&mut pixels)?;
        Ok(pixels)
    }));
    match result {
        Ok(Ok(pixels)) => Ok((pixels, channels)),
        Ok(Err(DecodingError::MemoryLimitExceeded)) => {
            Err(Error::limit("the WebP needs more memory than its size allows"))
        }
        Ok(Err(error)) => Err(decode_error(format!("damaged WebP: {error}"))),
        Err(_) => Err(decode_error("the WebP decoder gave up on this file")),
    }
}

/// Lossless, of 1 (gray), 2 (with alpha), 3 or 4 channels.
pub(super) fn encode(w: usize, h: usize, c: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    let side = |n: usize| match u32::try_from(n) {
        Ok(n) if n <= 16_383 => Ok(n),
        _ => Err(Error::limit(format!("a side of {n}; a WebP holds 16383"))),
    };
    let (w, h) = (side(w)?, side(h)?);
    let colour = match c {
        1 => ColorType::L8,
        2 => ColorType::La8,
        3 => ColorType::Rgb8,
        _ => ColorType::Rgba8,
    };
    let mut out = Vec::with_capacity(pixels.len() / 2 + 1024);
    let failed = |e| Error::internal(format!("WebP encoder: {e}"));
    WebPEncoder::new(&mut out).encode(pixels, w, h, colour).map_err(failed)?;
    Ok(out)
}
