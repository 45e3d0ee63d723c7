//! BMP, read only: all of Windows' headers, 1 to 32 bits, run lengths. Strict: what is not there is an error.

use super::{Format, Header, Limits, decode_error};
use crate::error::Result;

/// Sizes of the headers that there are.
const HEADERS: [usize; 7] = [12, 40, 52, 56, 64, 108, 124];

/// How the samples of a pixel are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pack {
    /// Bits of a pixel, packed.
    Plain,
    /// Runs of 8-bit (or, if true, 4-bit) numbers.
    Runs(bool),
}

/// What stands before the pixels.
struct Info<'a> {
    width: usize,
    height: usize,
    /// The first row is the top one.
    down: bool,
    bits: usize,
    pack: Pack,
    /// Bits of red, green, blue and alpha in a pixel of 16 or 32 bits.
    masks: [u32; 4],
    /// Colours of 3 or 4 bytes: blue, green, red.
    colours: Vec<&'a [u8]>,
    /// Where the pixels start.
    offset: usize,
}

fn cut() -> crate::error::Error {
    decode_error("truncated: the file ends in its headers")
}

/// Whether these bytes, which start with `BM`, are a BMP and not a text; `None` if there are too few to tell.
pub(super) fn is_bmp(bytes: &[u8]) -> Option<bool> {
    let size = bytes.get(14..)?.first_chunk().map(|b| u32::from_le_bytes(*b) as usize)?;
    Some(HEADERS.contains(&size))
}

impl<'a> Info<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let two = |at: usize| {
            let b = bytes.get(at..at + 2).ok_or_else(cut)?;
            Ok(usize::from(u16::from_le_bytes([b[0], b[1]])))
        };
        let four = |at: usize| {
            let b = bytes.get(at..at + 4).ok_or_else(cut)?;
            Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        };
        let (offset, size) = (four(10)? as usize, four(14)? as usize);
        bytes.get(..14 + size).ok_or_else(cut)?;
        let old = size == 12;
        let (width, height, down, bits, kind, used) = if old {
            (two(18)?, two(20)?, false, two(24)?, 0, 0)
        } else {
            let (w, h) = (four(18)? as i32, four(22)? as i32);
            let width = usize::try_from(w).map_err(|_| decode_error(format!("a width of {w}")))?;
            (width, h.unsigned_abs() as usize, h < 0, two(28)?, four(30)?, four(46)? as usize)
        };
        let pack = match (kind, bits) {
            (0, 1 | 2 | 4 | 8 | 16 | 24 | 32) | (3 | 6, 16 | 32) => Pack::Plain,
            (1, 8) if !down => Pack::Runs(false),
            (2, 4) if !down => Pack::Runs(true),
            _ => return Err(decode_error(format!("a BMP of {bits} bits and compression {kind}; neither is read"))),
        };
        let mut after = 14 + size;
        let mut masks = match bits {
            16 => [0x7C00, 0x03E0, 0x001F, 0],
            _ => [0x00FF_0000, 0xFF00, 0xFF, 0],
        };
        if matches!(kind, 3 | 6) {
            // behind the oldest of these headers, within the others
            let count = if size >= 56 || (size == 40 && kind == 6) { 4 } else { 3 };
            for (i, mask) in masks.iter_mut().enumerate().take(count) {
                *mask = four(54 + 4 * i)?;
            }
            if size == 40 {
                after += 4 * count;
            }
            let (low, contiguous) = (if bits == 16 { 0xFFFF } else { u32::MAX }, |m: u32| {
                m == 0 || (m >> m.trailing_zeros()).checked_add(1).is_none_or(u32::is_power_of_two)
            });
            if masks.iter().any(|m| m & !low != 0 || !contiguous(*m)) || masks[..3].contains(&0) {
                return Err(decode_error("damaged BMP: masks of its colours"));
            }
        }
        let mut colours = Vec::new();
        if bits <= 8 {
            let (most, each) = (1 << bits, if old { 3 } else { 4 });
            let room =
                offset.checked_sub(after).ok_or_else(|| decode_error("damaged BMP: pixels in its headers"))? / each;
            let count = if used == 0 { room.min(most) } else { used.min(most) };
            let table = bytes.get(after..after + count * each).ok_or_else(cut)?;
            colours = table.chunks_exact(each).collect();
            if colours.is_empty() || count > room {
                return Err(decode_error("damaged BMP: no room for its palette"));
            }
        } else if offset < after {
            return Err(decode_error("damaged BMP: pixels in its headers"));
        }
        Ok(Info { width, height, down, bits, pack, masks, colours, offset })
    }

    fn gray(&self) -> bool {
        self.bits <= 8 && self.colours.iter().all(|c| c[0] == c[1] && c[1] == c[2])
    }

    fn channels(&self) -> usize {
        match (self.gray(), self.masks[3] != 0 && self.bits > 8) {
            (true, _) => 1,
            (_, true) => 4,
            _ => 3,
        }
    }
}

/// Size and channels. The first bytes of a file are enough.
pub(super) fn probe(bytes: &[u8]) -> Result<Header> {
    let info = Info::read(bytes)?;
    Ok(Header {
        format: Format::Bmp,
        width: info.width,
        height: info.height,
        channels: info.channels(),
        orientation: 1,
        sixteen_bit: false,
        gray: info.gray(),
        cmyk: false,
    })
}

/// Decodes to gray, RGB or RGBA from the top row on.
pub(super) fn decode(bytes: &[u8], _header: &Header, _limits: &Limits) -> Result<(Vec<u8>, usize)> {
    let info = Info::read(bytes)?;
    let said = u32::from_le_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]) as usize;
    if bytes.len() < said {
        return Err(decode_error(format!("truncated: {} bytes of a BMP of {said}", bytes.len())));
    }
    let data = bytes.get(info.offset..).ok_or_else(cut)?;
    let channels = info.channels();
    let mut out = vec![0; info.width * info.height * channels];
    let unpacked;
    let (rows, stride, bits) = match info.pack {
        Pack::Plain => (data, (info.width * info.bits).div_ceil(32) * 4, info.bits),
        Pack::Runs(nibbles) => {
            unpacked = runs(data, info.width, info.height, nibbles)?;
            (&unpacked[..], info.width, 8)
        }
    };
    // the last row may do without its padding
    let least = (info.height - 1) * stride + (info.width * bits).div_ceil(8);
    if rows.len() < least {
        return Err(decode_error(format!("truncated: {} bytes of pixels of {least}", rows.len())));
    }
    let stored = rows.chunks(stride).take(info.height);
    for (y, row) in stored.enumerate() {
        let y = if info.down { y } else { info.height - 1 - y };
        let to = &mut out[y * info.width * channels..][..info.width * channels];
        match bits {
            24 => to.as_chunks_mut::<3>().0.iter_mut().zip(row.as_chunks::<3>().0).for_each(|(p, s)| {
                *p = [s[2], s[1], s[0]];
            }),
            16 => {
                masked(to, row.as_chunks::<2>().0.iter().map(|s| u16::from_le_bytes(*s).into()), &info.masks, channels)
            }
            32 => masked(to, row.as_chunks::<4>().0.iter().map(|s| u32::from_le_bytes(*s)), &info.masks, channels),
            _ => numbered(to, row, bits, &info.colours, channels)?,
        }
    }
    Ok((out, channels))
}

/// Pixels whose samples are groups of bits, scaled to 255.
fn masked(to: &mut [u8], pixels: impl Iterator<Item = u32>, masks: &[u32; 4], channels: usize) {
    let parts =
        masks.map(|m| (m, if m == 0 { 0 } else { m.trailing_zeros() }, u64::from(m >> m.trailing_zeros().min(31))));
    for (p, v) in to.chunks_exact_mut(channels).zip(pixels) {
        for (s, (mask, shift, most)) in p.iter_mut().zip(parts) {
            let part = u64::from((v & mask) >> shift);
            *s = if most == 255 { part as u8 } else { ((part * 255 + most / 2) / most) as u8 };
        }
    }
}

/// Pixels that are numbers of colours.
fn numbered(to: &mut [u8], row: &[u8], bits: usize, colours: &[&[u8]], channels: usize) -> Result<()> {
    let (each, mask) = (8 / bits, (1_usize << bits) - 1);
    for (x, p) in to.chunks_exact_mut(channels).enumerate() {
        let at = usize::from(row[x / each]) >> (8 - bits * (x % each + 1)) & mask;
        let colour =
            colours.get(at).ok_or_else(|| decode_error(format!("damaged BMP: colour {at} of {}", colours.len())))?;
        p.iter_mut().zip([colour[2], colour[1], colour[0]]).for_each(|(s, v)| *s = v);
    }
    Ok(())
}

/// Run lengths to a byte a pixel, in stored order; what is skipped is colour 0.
fn runs(data: &[u8], width: usize, height: usize, nibbles: bool) -> Result<Vec<u8>> {
    let end = || decode_error("truncated: no end of its run lengths");
    let past = || decode_error("damaged BMP: a run past its row");
    let mut out = vec![0; width * height];
    let (mut x, mut y, mut at) = (0, 0, 0);
    let nibble = |b: u8, i: usize| {
        if !nibbles {
            b
        } else if i % 2 == 0 {
            b >> 4
        } else {
            b & 15
        }
    };
    loop {
        let [count, value] = *data.get(at..).and_then(|d| d.first_chunk()).ok_or_else(end)?;
        at += 2;
        let n = usize::from(if count > 0 { count } else { value });
        let span = |x: usize, y: usize| (y < height && x + n <= width).then(|| y * width + x..y * width + x + n);
        match (count, value) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => return Ok(out),
            (0, 2) => {
                let [dx, dy] = *data.get(at..).and_then(|d| d.first_chunk()).ok_or_else(end)?;
                at += 2;
                (x, y) = (x + usize::from(dx), y + usize::from(dy));
            }
            (0, _) => {
                let bytes = if nibbles { n.div_ceil(2) } else { n };
                let literal = data.get(at..at + bytes.next_multiple_of(2)).ok_or_else(end)?;
                at += literal.len();
                let span = span(x, y).ok_or_else(past)?;
                for (i, p) in out[span].iter_mut().enumerate() {
                    *p = nibble(literal[if nibbles { i / 2 } else { i }], i);
                }
                x += n;
            }
            _ => {
                let span = span(x, y).ok_or_else(past)?;
                out[span].iter_mut().enumerate().for_each(|(i, p)| *p = nibble(value, i));
                x += n;
            }
        }
    }
}
