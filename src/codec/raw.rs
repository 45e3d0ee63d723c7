//! Samples as a file holds them: class numbers of masks must not be turned into colours and back.

use super::upright::turn;
use super::{Format, Header, Limits, check_shape, decode, png, probe};
use crate::error::{Error, Result};

/// What the samples of a pixel mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Gray.
    Gray,
    /// Gray and alpha.
    GrayAlpha,
    /// The number of a colour.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Mode {
    /// The name users see.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Gray => "gray",
            Mode::GrayAlpha => "gray_alpha",
            Mode::Palette => "palette",
            Mode::Rgb => "rgb",
            Mode::Rgba => "rgba",
        }
    }

    /// Samples of a pixel.
    pub fn channels(self) -> usize {
        match self {
            Mode::Gray | Mode::Palette => 1,
            Mode::GrayAlpha => 2,
            Mode::Rgb => 3,
            Mode::Rgba => 4,
        }
    }

    /// The mode of so many channels without a palette.
    pub fn of_channels(channels: usize) -> Result<Mode> {
        Ok(match channels {
            1 => Mode::Gray,
            2 => Mode::GrayAlpha,
            3 => Mode::Rgb,
            4 => Mode::Rgba,
            n => return Err(Error::value(format!("channels: {n}; allowed 1 to 4"))),
        })
    }
}

/// An image as its file holds it, but upright.
#[derive(Clone, Debug)]
pub struct Raw {
    /// What the file's header said.
    pub header: Header,
    /// Upright width.
    pub width: usize,
    /// Upright height.
    pub height: usize,
    /// What the samples mean.
    pub mode: Mode,
    /// Bits of a sample: 1, 2, 4, 8 or 16.
    pub bits: u8,
    /// A byte a sample, unscaled; of 16 bits two bytes in native order.
    pub samples: Vec<u8>,
    /// Three bytes a colour; empty but for [`Mode::Palette`].
    pub palette: Vec<u8>,
    /// The file's own bytes (PNG's tRNS chunk): alphas of the first colours, or the gray or RGB that is transparent.
    pub transparency: Vec<u8>,
}

/// Decodes without conversion. Files other than PNG have no modes to keep and come as [`decode`] gives them.
pub fn decode_raw(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let header = probe(bytes, limits)?;
    if header.format != Format::Png {
        let image = decode(bytes, limits)?;
        return Ok(Raw {
            header,
            width: image.width,
            height: image.height,
            mode: Mode::of_channels(image.channels)?,
            bits: 8,
            samples: image.pixels,
            palette: Vec::new(),
            transparency: Vec::new(),
        });
    }
    let mut raw = png::decode_raw(bytes, &header, limits)?;
    let size = raw.mode.channels() * if raw.bits == 16 { 2 } else { 1 };
    raw.samples = turn(raw.samples, header.width, header.height, size, header.orientation);
    (raw.width, raw.height) = header.upright();
    Ok(raw)
}

/// How hard to look for a small file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For images: many times faster, some percent larger.
    Fast,
    /// For masks, which are small work and stay.
    Balanced,
}

/// What a PNG is to hold.
#[derive(Clone, Copy, Debug)]
pub struct PngImage<'a> {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What the samples mean.
    pub mode: Mode,
    /// Bits of a sample: 1, 2, 4 (gray, palette), 8, 16 (not palette).
    pub bits: u8,
    /// As in [`Raw`].
    pub samples: &'a [u8],
    /// As in [`Raw`].
    pub palette: &'a [u8],
    /// As in [`Raw`].
    pub transparency: &'a [u8],
    /// Speed or size.
    pub effort: Effort,
}

/// Encodes as a PNG that holds just this.
pub fn encode_png_as(image: &PngImage<'_>) -> Result<Vec<u8>> {
    let channels = image.mode.channels();
    let bytes = channels * if image.bits == 16 { 2 } else { 1 };
    check_shape(image.width, image.height, bytes, image.samples, &[bytes])?;
    png::encode(image)
}
