//! PNG through the `png` crate; palettes become RGB(A), gray of fewer bits 8, gray with alpha four equal-gray channels.
//!
//! The chunk list is walked before the decoder sees the file: it must end in IEND, and a file of a million tiny chunks
//! is refused while that costs nothing. EXIF behind the pixels is not looked for: the header alone must tell it.

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Limits as PngLimits, Transformations};
use std::{borrow::Cow, io::Cursor};

use super::raw::{Effort, Mode, PngImage, Raw};
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

/// The first frame as the decoder gives it.
struct Frame {
    bytes: Vec<u8>,
    colour: ColorType,
    depth: BitDepth,
    palette: Vec<u8>,
    transparency: Vec<u8>,
}

fn frame(bytes: &[u8], header: &Header, limits: &Limits, how: Transformations) -> Result<Frame> {
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
    decoder.set_transformations(how);
    let mut reader = decoder.read_info().map_err(wrong)?;
    let size = reader.output_buffer_size().ok_or_else(|| Error::limit("a PNG larger than memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(wrong)?;
    pixels.truncate(info.buffer_size());
    if (info.width as usize, info.height as usize) != (header.width, header.height) {
        return Err(decode_error("a PNG whose first frame is not the whole image"));
    }
    let chunk = |c: &Option<Cow<'_, [u8]>>| c.as_deref().unwrap_or_default().to_vec();
    let (palette, transparency) = (chunk(&reader.info().palette), chunk(&reader.info().trns));
    Ok(Frame { bytes: pixels, colour: info.color_type, depth: info.bit_depth, palette, transparency })
}

/// Decodes the first frame to 1, 3 or 4 channels of bytes; 16 bits are rounded to 8 (the header says so).
pub(super) fn decode(bytes: &[u8], header: &Header, limits: &Limits) -> Result<(Vec<u8>, usize)> {
    let Frame { bytes: mut pixels, colour, depth, .. } = frame(bytes, header, limits, Transformations::EXPAND)?;
    if depth == BitDepth::Sixteen {
        pixels = pixels.chunks_exact(2).map(|v| eight(u16::from_be_bytes([v[0], v[1]]))).collect();
    }
    match colour {
        ColorType::Grayscale => Ok((pixels, 1)),
        ColorType::Rgb => Ok((pixels, 3)),
        ColorType::Rgba => Ok((pixels, 4)),
        ColorType::GrayscaleAlpha => Ok((pixels.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(), 4)),
        ColorType::Indexed => Err(Error::internal("a palette that was not expanded")),
    }
}

/// Decodes the first frame as it is stored, in stored orientation: a byte a sample, or two in native order.
pub(super) fn decode_raw(bytes: &[u8], header: &Header, limits: &Limits) -> Result<Raw> {
    let got = frame(bytes, header, limits, Transformations::IDENTITY)?;
    let mode = match got.colour {
        ColorType::Grayscale => Mode::Gray,
        ColorType::GrayscaleAlpha => Mode::GrayAlpha,
        ColorType::Indexed => Mode::Palette,
        ColorType::Rgb => Mode::Rgb,
        ColorType::Rgba => Mode::Rgba,
    };
    let bits = got.depth as u8;
    let samples = match bits {
        16 => got.bytes.chunks_exact(2).flat_map(|v| u16::from_be_bytes([v[0], v[1]]).to_ne_bytes()).collect(),
        8 => got.bytes,
        _ => unpack(&got.bytes, header.width, bits),
    };
    if mode == Mode::Palette && got.palette.len() < 3 {
        return Err(decode_error("damaged PNG: no palette"));
    }
    if mode == Mode::Palette && samples.iter().any(|s| 3 * usize::from(*s) >= got.palette.len()) {
        return Err(decode_error(format!("damaged PNG: a pixel beyond the {} colours", got.palette.len() / 3)));
    }
    let (width, height) = (header.width, header.height);
    let palette = if mode == Mode::Palette { got.palette } else { Vec::new() };
    Ok(Raw { header: *header, width, height, mode, bits, samples, palette, transparency: got.transparency })
}

/// Rows of 1, 2 or 4 bits a sample to bytes.
fn unpack(rows: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let (each, mask) = (usize::from(8 / bits), (1_u8 << bits) - 1);
    let mut out = Vec::with_capacity(rows.len() * each);
    for row in rows.chunks_exact(width.div_ceil(each)) {
        let samples = row.iter().flat_map(|b| (0..each).map(move |i| b >> (8 - bits as usize * (i + 1)) & mask));
        out.extend(samples.take(width));
    }
    out
}

/// The reverse of [`unpack`].
fn pack(samples: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let each = usize::from(8 / bits);
    let byte = |s: &[u8]| (0..).zip(s).fold(0, |b, (i, s)| b | s << (8 - bits as usize * (i + 1)));
    samples.chunks_exact(width).flat_map(|row| row.chunks(each).map(byte)).collect()
}

/// value · 255 / 65535, rounded.
fn eight(v: u16) -> u8 {
    ((u32::from(v) * 255 + 32_767) / 65_535) as u8
}

fn check(image: &PngImage<'_>) -> Result<()> {
    let PngImage { mode, bits, samples, palette, transparency, .. } = *image;
    let allowed: &[u8] = match mode {
        Mode::Gray => &[1, 2, 4, 8, 16],
        Mode::Palette => &[1, 2, 4, 8],
        _ => &[8, 16],
    };
    if !allowed.contains(&bits) {
        return Err(Error::value(format!("bits: {bits}; a PNG of mode {} takes {allowed:?}", mode.name())));
    }
    let colours = palette.len() / 3;
    let most = 1_usize << bits.min(8);
    if (mode == Mode::Palette) != !palette.is_empty() || !palette.len().is_multiple_of(3) || colours > most {
        let text = format!("palette: {} bytes; a palette has three for each of 1 to {most} colours", palette.len());
        return Err(Error::value(text));
    }
    let right = match mode {
        Mode::Gray => transparency.len() == 2,
        Mode::Rgb => transparency.len() == 6,
        Mode::Palette => transparency.len() <= colours,
        Mode::GrayAlpha | Mode::Rgba => false,
    };
    if !transparency.is_empty() && !right {
        let text = format!("transparency: {} bytes do not fit mode {}", transparency.len(), mode.name());
        return Err(Error::value(text));
    }
    let end = if mode == Mode::Palette { colours } else { most };
    if let Some(high) = samples.iter().find(|s| bits < 16 && usize::from(**s) >= end) {
        return Err(Error::value(format!("a sample of {high}; {bits} bits and {end} values are allowed")));
    }
    Ok(())
}

/// Checked and written as it is.
pub(super) fn encode(image: &PngImage<'_>) -> Result<Vec<u8>> {
    check(image)?;
    let side = |n: usize| u32::try_from(n).map_err(|_| Error::limit(format!("a side of {n} is too large")));
    let mut out = Vec::with_capacity(image.samples.len() / 2 + 1024);
    let mut encoder = Encoder::new(&mut out, side(image.width)?, side(image.height)?);
    encoder.set_color(match image.mode {
        Mode::Gray => ColorType::Grayscale,
        Mode::GrayAlpha => ColorType::GrayscaleAlpha,
        Mode::Palette => ColorType::Indexed,
        Mode::Rgb => ColorType::Rgb,
        Mode::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(BitDepth::from_u8(image.bits).ok_or_else(|| Error::internal("an unchecked bit depth"))?);
    encoder.set_compression(match image.effort {
        Effort::Fast => Compression::Fast,
        Effort::Balanced => Compression::Balanced,
    });
    let mask = image.effort == Effort::Balanced && image.mode == Mode::Gray && image.bits == 8;
    if image.mode == Mode::Palette || image.bits < 8 || mask {
        // differences of class numbers say nothing
        encoder.set_filter(Filter::NoFilter);
    }
    if !image.palette.is_empty() {
        encoder.set_palette(image.palette);
    }
    if !image.transparency.is_empty() {
        encoder.set_trns(image.transparency);
    }
    let failed = |e: png::EncodingError| Error::internal(format!("PNG encoder: {e}"));
    let mut writer = encoder.write_header().map_err(failed)?;
    let stored: Cow<'_, [u8]> = match image.bits {
        8 => image.samples.into(),
        16 => image.samples.chunks_exact(2).flat_map(|v| u16::from_ne_bytes([v[0], v[1]]).to_be_bytes()).collect(),
        bits => pack(image.samples, image.width, bits).into(),
    };
    writer.write_image_data(&stored).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{eight, pack, unpack};

    #[test]
    fn rows_of_few_bits() {
        assert_eq!(pack(&[1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1], 9, 1), [0xB0, 0x80, 0x00, 0x80]);
        for bits in [1, 2, 4] {
            for width in 1..=17 {
                let samples: Vec<u8> = (0..3 * width).map(|i| (i * 7 + i / 3) as u8 & ((1 << bits) - 1)).collect();
                assert_eq!(unpack(&pack(&samples, width, bits), width, bits), samples);
            }
        }
    }

    #[test]
    fn sixteen_bits_round_to_the_nearest() {
        assert_eq!((eight(0), eight(65_535), eight(32_768)), (0, 255, 128));
        for v in 0..=255_u16 {
            assert_eq!(u16::from(eight(v * 257)), v);
        }
        assert_eq!((eight(128), eight(129)), (0, 1));
    }
}
