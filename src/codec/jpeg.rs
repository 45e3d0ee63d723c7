//! JPEG: `zune-jpeg` in strict mode in, the core's own encoder out.
//!
//! The lenient mode fills what a cut file lacks with gray; strict mode refuses it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Format, Header, Limits, decode_error, exif};
use crate::error::{Error, Result};
use crate::kernel::codec::{Sampling, encode_jpeg};

/// Walks the segments up to the first scan: size, components, orientation.
pub(super) fn probe(bytes: &[u8]) -> Result<Header> {
    let cut = || decode_error("truncated: the file ends in its headers");
    let mut at = 2;
    let mut orientation = 1;
    let mut frame = None;
    loop {
        while *bytes.get(at).ok_or_else(cut)? != 0xFF {
            at += 1; // stray bytes between segments, as other readers skip them
        }
        while *bytes.get(at).ok_or_else(cut)? == 0xFF {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        if matches!(marker, 0x00 | 0x01 | 0xD0..=0xD8) {
            continue;
        }
        if marker == 0xD9 {
            return Err(decode_error("a JPEG without a scan"));
        }
        let length = bytes.get(at..at + 2).ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(decode_error("a JPEG segment of negative length"));
        }
        let body = bytes.get(at + 2..at + length).ok_or_else(cut)?;
        at += length;
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                if body.len() < 6 {
                    return Err(decode_error("a JPEG frame header that is too short"));
                }
                if body[0] != 8 {
                    return Err(decode_error(format!("a JPEG of {} bits; 8 are read", body[0])));
                }
                let height = usize::from(u16::from_be_bytes([body[1], body[2]]));
                let width = usize::from(u16::from_be_bytes([body[3], body[4]]));
                frame.get_or_insert((width, height, body[5]));
            }
            0xE1 if body.starts_with(b"Exif\0\0") => orientation = exif::orientation(&body[6..]),
            0xDA => break,
            _ => {}
        }
    }
    let (width, height, parts) = frame.ok_or_else(|| decode_error("a JPEG without a frame header"))?;
    if !matches!(parts, 1 | 3 | 4) {
        return Err(decode_error(format!("a JPEG of {parts} components; 1, 3 and 4 are read")));
    }
    Ok(Header {
        format: Format::Jpeg,
        width,
        height,
        channels: if parts == 1 { 1 } else { 3 },
        orientation,
        sixteen_bit: false,
        gray: parts == 1,
        cmyk: parts == 4,
    })
}

/// Walks all segments to the end-of-image marker: a cut file has none, and the scans can be counted on the way.
///
/// Inside a scan 0xFF is always followed by 0 or a restart marker, so no pixel data can look like another marker.
fn check_whole(bytes: &[u8], limits: &Limits) -> Result<()> {
    let cut = || decode_error("truncated: no end-of-image marker");
    let (mut at, mut scans) = (2, 0);
    loop {
        at += bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0xFF)).ok_or_else(cut)?;
        let marker = *bytes.get(at + 1).ok_or_else(cut)?;
        match marker {
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            0xD9 => return Ok(()),
            _ => {
                let length = bytes.get(at + 2..at + 4).ok_or_else(cut)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
                scans += usize::from(marker == 0xDA);
                if scans > limits.scans {
                    return Err(Error::limit(format!("more than {} scans", limits.scans)));
                }
            }
        }
    }
}

/// Decodes to gray or RGB, as stored.
pub(super) fn decode(bytes: &[u8], header: &Header, limits: &Limits) -> Result<(Vec<u8>, usize)> {
    check_whole(bytes, limits)?;
    let (space, channels) = if header.gray { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(65_535)
        .set_max_height(65_535)
        .jpeg_set_max_scans(limits.scans)
        .jpeg_set_out_colorspace(space);
    // a panic on a hostile file is the file's fault to the caller, and must not end a worker
    let result = catch_unwind(AssertUnwindSafe(|| {
        JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(|e| format!("{e:?}"))
    }));
    match result {
        Ok(Ok(pixels)) => Ok((pixels, channels)),
        Ok(Err(text)) => Err(decode_error(reason(&text))),
        Err(_) => Err(decode_error("the JPEG decoder gave up on this file")),
    }
}

/// One line, without the decoder's own wrapping.
fn reason(text: &str) -> String {
    let low = text.to_ascii_lowercase();
    let cut = ["exhaust", "premature", "eof", "not enough", "end of", "bytes left", "ran out"];
    let head = if cut.iter().any(|word| low.contains(word)) { "truncated" } else { "damaged JPEG" };
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
    format!("{head}: {text}")
}

/// Baseline JPEG with the standard tables.
pub(super) fn encode(w: usize, h: usize, c: usize, pixels: &[u8], quality: u8, halved: bool) -> Result<Vec<u8>> {
    let side = |n: usize| u16::try_from(n).map_err(|_| Error::limit(format!("a side of {n}; a JPEG holds 65535")));
    let size = (side(w)?, side(h)?);
    let sampling = if halved { Sampling::Halved } else { Sampling::Full };
    Ok(encode_jpeg(size, c, pixels, w * c, quality, sampling))
}
