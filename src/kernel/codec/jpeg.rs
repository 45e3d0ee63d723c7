//! The file: headers, and the image a row of units at a time.

use super::color::{halve_rows, ycc_row};
use super::dct::{LANES, Strip, forward_rows};
use super::entropy::{Bits, Part, scan_row};
use super::quant::Quant;
use super::tables::{AC, CHROMA, DC, LUMA, ZIGZAG};

/// How much of chroma is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// All of it: 4:4:4.
    Full,
    /// The means of 2 × 2 pixels: 4:2:0.
    Halved,
}

/// Rows of samples of one component, wide enough for whole groups of blocks.
struct Samples {
    bytes: Vec<u8>,
    stride: usize,
    blocks: usize,
    quant: usize,
}

impl Samples {
    fn new(width: usize, rows: usize, quant: usize) -> Self {
        let blocks = width.div_ceil(8);
        let stride = 8 * blocks.next_multiple_of(LANES);
        Samples { bytes: vec![0; rows * stride], stride, blocks, quant }
    }

    fn row(&mut self, y: usize) -> &mut [u8] {
        &mut self.bytes[y * self.stride..][..self.stride]
    }

    fn repeat(&mut self, from: usize, to: usize) {
        self.bytes.copy_within(from * self.stride..(from + 1) * self.stride, to * self.stride);
    }
}

/// The last of `n` samples again, to the end of the row.
fn pad(row: &mut [u8], n: usize) {
    let last = row[n - 1];
    row[n..].fill(last);
}

/// A baseline JPEG of gray (1) or RGB (3) pixels: the bytes that libjpeg writes with its defaults.
///
/// `row` is the distance of rows in bytes. Panics if the pixels do not fill the size or a side is 0.
pub fn encode_jpeg(size: (u16, u16), c: usize, pixels: &[u8], row: usize, quality: u8, sampling: Sampling) -> Vec<u8> {
    let (w, h) = (usize::from(size.0), usize::from(size.1));
    assert!(w > 0 && h > 0 && matches!(c, 1 | 3) && row >= w * c && pixels.len() >= (h - 1) * row + w * c);
    let line = |y: usize| &pixels[y.min(h - 1) * row..][..w * c];
    let quants = [Quant::of_quality(&LUMA, quality), Quant::of_quality(&CHROMA, quality)];
    let halved = c == 3 && sampling == Sampling::Halved;
    let mut out = Vec::with_capacity(w * h * c / 4 + 1024);
    headers(&mut out, size, c, halved, &quants);

    let rows = if halved { 16 } else { 8 };
    let mut luma = Samples::new(w, rows, 0);
    let mut chroma: Vec<_> = (1..c).map(|_| Samples::new(if halved { w.div_ceil(2) } else { w }, 8, 1)).collect();
    // full rows of chroma that wait to be halved
    let wide = if halved { 2 * chroma[0].stride } else { 0 };
    let mut full = vec![0; 4 * wide];
    let mut strips: Vec<Strip> = (0..rows / 8).map(|_| Strip::new(luma.blocks)).collect();
    strips.extend(chroma.iter().map(|s| Strip::new(s.blocks)));
    let (mut bits, mut last) = (Bits::default(), [0; 3]);

    for top in (0..h).step_by(rows) {
        let kept = (h - top).min(rows);
        if halved {
            let [cb, cr] = &mut chroma[..] else { unreachable!() };
            for y in (0..kept).step_by(2) {
                let mut part = full.chunks_exact_mut(wide);
                let mut next = || part.next().expect("four rows");
                let (b, r) = ([next(), next()], [next(), next()]);
                for ((dy, b), r) in (0..).zip(b).zip(r) {
                    let to = luma.row(y + dy);
                    ycc_row(line(top + y + dy), to, b, r);
                    pad(to, w);
                    pad(b, w);
                    pad(r, w);
                }
                let (b, r) = full.split_at(2 * wide);
                halve_rows(&b[..wide], &b[wide..], cb.row(y / 2));
                halve_rows(&r[..wide], &r[wide..], cr.row(y / 2));
            }
        } else {
            for y in 0..kept {
                let to = luma.row(y);
                match &mut chroma[..] {
                    [cb, cr] => {
                        let (cb, cr) = (cb.row(y), cr.row(y));
                        ycc_row(line(top + y), to, cb, cr);
                        pad(cb, w);
                        pad(cr, w);
                    }
                    _ => to[..w].copy_from_slice(line(top + y)),
                }
                pad(to, w);
            }
        }
        // below the image the last row goes on, of chroma the last halved one
        let (luma_rows, chroma_rows) = if halved { (kept.next_multiple_of(2), kept.div_ceil(2)) } else { (kept, kept) };
        (luma_rows..rows).for_each(|y| luma.repeat(luma_rows - 1, y));
        for part in &mut chroma {
            (chroma_rows..8).for_each(|y| part.repeat(chroma_rows - 1, y));
        }

        let bands = luma.bytes.chunks_exact(8 * luma.stride).map(|b| (b, &luma));
        let bands = bands.chain(chroma.iter().map(|s| (&s.bytes[..], s)));
        for ((bytes, s), strip) in bands.zip(&mut strips) {
            forward_rows(bytes, s.stride, &quants[s.quant], strip);
        }
        let whole = |strip, blocks, component| Part { strip: Some(strip), blocks, step: 1, offset: 0, component };
        if halved {
            let [upper, lower, cb, cr] = &strips[..] else { unreachable!() };
            let lower = (kept > 8).then_some(lower);
            let quarter = |strip, offset| Part { strip, blocks: luma.blocks, step: 2, offset, component: 0 };
            let blocks = chroma[0].blocks;
            let parts = [
                quarter(Some(upper), 0),
                quarter(Some(upper), 1),
                quarter(lower, 0),
                quarter(lower, 1),
                whole(cb, blocks, 1),
                whole(cr, blocks, 2),
            ];
            scan_row(&mut bits, &parts, blocks, &mut last, &mut out);
        } else {
            let parts: Vec<_> = (0..).zip(&strips).map(|(i, s)| whole(s, luma.blocks, i)).collect();
            scan_row(&mut bits, &parts, luma.blocks, &mut last, &mut out);
        }
    }
    bits.finish(&mut out);
    out.extend([0xFF, 0xD9]);
    out
}

/// A marker with its segment.
fn segment(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let length = 2 + parts.iter().map(|p| p.len()).sum::<usize>();
    out.extend([0xFF, marker]);
    out.extend((length as u16).to_be_bytes());
    parts.iter().for_each(|p| out.extend_from_slice(p));
}

/// Everything before the first scan, in libjpeg's order.
fn headers(out: &mut Vec<u8>, (w, h): (u16, u16), c: usize, halved: bool, quants: &[Quant; 2]) {
    let kinds = if c == 1 { 1 } else { 2 };
    out.extend([0xFF, 0xD8]);
    // version 1.1, no unit, aspect 1 : 1, no thumbnail
    segment(out, 0xE0, &[b"JFIF\0", &[1, 1, 0, 0, 1, 0, 1, 0, 0]]);
    for (id, quant) in (0_u8..).zip(&quants[..kinds]) {
        segment(out, 0xDB, &[&[id], &ZIGZAG.map(|at| quant.divisors[usize::from(at)])]);
    }
    let kind = |i: usize| u8::from(i > 0);
    let frame: Vec<u8> =
        (0..c).flat_map(|i| [i as u8 + 1, if i == 0 && halved { 0x22 } else { 0x11 }, kind(i)]).collect();
    segment(out, 0xC0, &[&[8], &h.to_be_bytes(), &w.to_be_bytes(), &[c as u8], &frame]);
    for (id, (dc, ac)) in (0_u8..).zip(DC.iter().zip(&AC)).take(kinds) {
        segment(out, 0xC4, &[&[id], &dc.counts, dc.symbols]);
        segment(out, 0xC4, &[&[0x10 | id], &ac.counts, ac.symbols]);
    }
    let scan: Vec<u8> = (0..c).flat_map(|i| [i as u8 + 1, 0x11 * kind(i)]).collect();
    segment(out, 0xDA, &[&[c as u8], &scan, &[0, 63, 0]]);
}
