//! PNG through the `png` crate; palettes become RGB(A), gray of fewer bits 8, gray with alpha four equal-gray channels.
//!
//! The chunk list is walked before the decoder sees the file: it must end in IEND, and a file of a million tiny chunks
//! is refused while that costs nothing. EXIF behind the pixels is not looked for: the header alone must tell it.

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits as PngLimits, Transformations};
use std::io::Cursor;

use super::{Format, Header, Limits, decode_error, exif};
use crate::error::{Error, Result};

/// The chunks in order; fails where the file ends inside one.
struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<([u8; 4], &'a [u8])> {
        let cut = || decode_error("truncated: the file ends inside a PNG chunk");
        let rest = self.bytes.get(self.at..).ok_or_else(cut)?;
        let (head, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let body = rest.get(..length).ok_or_else(cut)?;
        if rest.len() < length + 4 {
            return Err(cut());
        }
        self.at += length + 12;
        Ok(([head[4], head[5], head[6], head[7]], body))
    }
}

/// Reads the chunks before the pixels: size, colour, orientation. The first bytes of a file are enough.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header> {
    // IHDR has a fixed place and size, so that a bomb is refused from its first 33 bytes
    let mut chunks = Chunks { bytes, at: 8 };
    let (name, body) = chunks.next()?;
    if &name != b"IHDR" || body.len() != 13 {
        return Err(decode_error("a PNG that does not start with IHDR"));
    }
    let side = |i: usize| u32::from_be_bytes([body[i], body[i + 1], body[i + 2], body[i + 3]]) as usize;
    let (width, height, depth, colour) = (side(0), side(4), body[8], body[9]);
    let (mut orientation, mut transparent) = (1, false);
    if width as u64 * height as u64 <= limits.pixels {
        let at_pixels = |start: &[u8]| start.get(4..8) == Some(b"IDAT");
        for count in 0.. {
            if bytes.get(chunks.at..).is_some_and(at_pixels) {
                break;
            }
            if count > limits.chunks {
                return Err(Error::limit(format!("more than {} chunks", limits.chunks)));
            }
            match chunks.next()? {
                (name, _) if &name == b"IEND" => return Err(decode_error("a PNG without pixels")),
                (name, _) if &name == b"tRNS" => transparent = true,
                (name, body) if &name == b"eXIf" => orientation = exif::orientation(body),
                _ => {}
            }
        }
    }
    let gray = matches!(colour, 0 | 4);
    let alpha = matches!(colour, 4 | 6) || transparent;
    let channels = match (alpha, gray) {
        (true, _) => 4,
        (false, true) => 1,
        (false, false) => 3,
    };
    Ok(Header {
        format: Format::Png,
        width,
        height,
        channels,
        orientation,
        sixteen_bit: depth == 16,
        gray,
        cmyk: false,
    })
}

/// The file must end in IEND and not consist of a million tiny chunks.
fn check_whole(bytes: &[u8], limits: &Limits) -> Result<()> {
    let mut chunks = Chunks { bytes, at: 8 };
    let mut others = 0;
    loop {
        let (name, _) = chunks.next()?;
        match &name {
            b"IEND" => return Ok(()),
            b"IDAT" => {}
            _ => others += 1,
        }
        if others > limits.chunks {
            return Err(Error::limit(format!("more than {} chunks", limits.chunks)));
        }
    }
}

/// Decodes the first frame to 1, 3 or 4 channels of bytes; 16 bits are rounded to 8 (the header says so).
pub(super) fn decode(bytes: &[u8], header: &Header, limits: &Limits) -> Result<(Vec<u8>, usize)> {
    check_whole(bytes, limits)?;
    let wrong = |e: png::DecodingError| match e {
        png::DecodingError::LimitsExceeded => Error::limit("the PNG needs more memory than its size allows"),
        other => decode_error(format!("damaged PNG: {other}")),
    };
    // four 16-bit channels and a filter byte a row, plus room for ordinary chunks
    let room = header.width * header.height * 8 + header.height + (16 << 20);
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), PngLimits { bytes: room });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(wrong)?;
    let size = reader.output_buffer_size().ok_or_else(|| Error::limit("a PNG larger than memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(wrong)?;
    pixels.truncate(info.buffer_size());
    if (info.width as usize, info.height as usize) != (header.width, header.height) {
        return Err(decode_error("a PNG whose first frame is not the whole image"));
    }
    if info.bit_depth == BitDepth::Sixteen {
        pixels = pixels.chunks_exact(2).map(|v| eight(u16::from_be_bytes([v[0], v[1]]))).collect();
    }
    match info.color_type {
        ColorType::Grayscale => Ok((pixels, 1)),
        ColorType::Rgb => Ok((pixels, 3)),
        ColorType::Rgba => Ok((pixels, 4)),
        ColorType::GrayscaleAlpha => Ok((pixels.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(), 4)),
        ColorType::Indexed => Err(Error::internal("a palette that was not expanded")),
    }
}

/// value · 255 / 65535, rounded.
fn eight(v: u16) -> u8 {
    ((u32::from(v) * 255 + 32_767) / 65_535) as u8
}

/// The `Fast` preset.
pub(super) fn encode(w: usize, h: usize, c: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    let side = |n: usize| u32::try_from(n).map_err(|_| Error::limit(format!("a side of {n} is too large")));
    let mut out = Vec::with_capacity(pixels.len() / 2 + 1024);
    let mut encoder = Encoder::new(&mut out, side(w)?, side(h)?);
    encoder.set_color(match c {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let failed = |e: png::EncodingError| Error::internal(format!("PNG encoder: {e}"));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::eight;

    #[test]
    fn sixteen_bits_round_to_the_nearest() {
        assert_eq!((eight(0), eight(65_535), eight(32_768)), (0, 255, 128));
        for v in 0..=255_u16 {
            assert_eq!(u16::from(eight(v * 257)), v);
        }
        assert_eq!((eight(128), eight(129)), (0, 1));
    }
}
