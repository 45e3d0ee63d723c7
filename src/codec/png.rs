//! PNG through the `png` crate; palettes become RGB(A), gray of fewer bits 8, gray with alpha four equal-gray channels.
//!
//! The chunk list is walked before the decoder sees the file: it must end in IEND, and a file of a million tiny chunks
//! is refused while that costs nothing.

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits as PngLimits, Transformations};
use std::io::Cursor;

use super::{Format, Header, Limits, decode_error, exif};
use crate::error::{Error, Result};

/// Walks the chunks: size, colour, orientation, and that the file is whole.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header> {
    let cut = || decode_error("truncated: the file ends inside a PNG chunk");
    let mut at = 8;
    let mut head: Option<(usize, usize, u8, u8)> = None;
    let (mut orientation, mut transparent, mut others) = (1, false, 0);
    loop {
        let start = bytes.get(at..at + 8).ok_or_else(cut)?;
        let length = u32::from_be_bytes([start[0], start[1], start[2], start[3]]) as usize;
        let name = [start[4], start[5], start[6], start[7]];
        let body = bytes.get(at + 8..at + 8 + length).ok_or_else(cut)?;
        if bytes.len() < at + length + 12 {
            return Err(cut());
        }
        at += length + 12;
        if head.is_none() && &name != b"IHDR" {
            return Err(decode_error("a PNG that does not start with IHDR"));
        }
        match &name {
            b"IHDR" if length == 13 && head.is_none() => {
                let side = |i: usize| u32::from_be_bytes([body[i], body[i + 1], body[i + 2], body[i + 3]]) as usize;
                head = Some((side(0), side(4), body[8], body[9]));
                if side(0) as u64 * side(4) as u64 > limits.pixels {
                    break; // the caller's limit refuses it: the rest is not worth reading
                }
            }
            b"IHDR" => return Err(decode_error("a PNG with a malformed IHDR")),
            b"IDAT" => {}
            b"IEND" => break,
            b"tRNS" => transparent = true,
            b"eXIf" => orientation = exif::orientation(body),
            _ => {}
        }
        if &name != b"IDAT" {
            others += 1;
            if others > limits.chunks {
                return Err(Error::limit(format!("more than {} chunks", limits.chunks)));
            }
        }
    }
    let (width, height, depth, colour) = head.ok_or_else(|| decode_error("a PNG without IHDR"))?;
    let gray = matches!(colour, 0 | 4);
    let alpha = matches!(colour, 4 | 6) || transparent;
    Ok(Header {
        format: Format::Png,
        width,
        height,
        channels: if alpha {
            4
        } else if gray {
            1
        } else {
            3
        },
        orientation,
        sixteen_bit: depth == 16,
        gray,
        cmyk: false,
    })
}

/// Decodes the first frame to 1, 3 or 4 channels of bytes; 16 bits are rounded to 8 (the header says so).
pub(super) fn decode(bytes: &[u8], header: &Header) -> Result<(Vec<u8>, usize)> {
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
