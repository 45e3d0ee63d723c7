//! Run-length masks as COCO writes them: lengths of runs in column order, beginning with zeros.

use crate::error::{Error, Result};

/// A mask of w × h as runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rle {
    /// Width.
    pub w: usize,
    /// Height.
    pub h: usize,
    /// Lengths of runs of zeros and ones in turn, down the columns; the first may be 0.
    pub counts: Vec<u32>,
}

/// The counts in COCO's compressed string: from the fourth on each count is the difference to the one two
/// before; five bits a character, low first, with 32 for "more follow" and the sign in the highest bit, plus 48. Fails once they exceed `size`.
pub fn counts_from_text(text: &[u8], size: u128) -> Result<Vec<u32>> {
    let wrong = |at: usize| Error::value(format!("RLE string is damaged at character {at}"));
    let mut counts: Vec<u32> = Vec::new();
    let mut sum = 0u128;
    let mut i = 0;
    while i < text.len() {
        let start = i;
        let mut value = 0i64;
        let mut shift = 0;
        loop {
            let c = text.get(i).and_then(|c| c.checked_sub(48)).filter(|&c| c < 64).ok_or_else(|| wrong(i))?;
            i += 1;
            if shift > 40 {
                return Err(wrong(start));
            }
            value |= i64::from(c & 31) << shift;
            shift += 5;
            if c & 32 == 0 {
                if c & 16 != 0 {
                    value |= -1i64 << shift;
                }
                break;
            }
        }
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        let count = u32::try_from(value).map_err(|_| wrong(start))?;
        sum += u128::from(count);
        if sum > size {
            return Err(Error::value(format!("RLE runs exceed {size} pixels")));
        }
        counts.push(count);
    }
    Ok(counts)
}

impl Rle {
    /// The runs given as numbers. They must add up to w · h.
    pub fn new(counts: Vec<u32>, w: usize, h: usize) -> Result<Rle> {
        let sum: u64 = counts.iter().map(|&c| u64::from(c)).sum();
        let size = w as u128 * h as u128;
        if u128::from(sum) != size {
            return Err(Error::value(format!("RLE runs add up to {sum}, not to {w} x {h} = {size}")));
        }
        Ok(Rle { w, h, counts })
    }

    /// The runs given as COCO's compressed string. They must add up to w · h.
    pub fn from_text(text: &[u8], w: usize, h: usize) -> Result<Rle> {
        Rle::new(counts_from_text(text, w as u128 * h as u128)?, w, h)
    }

    /// COCO's compressed string.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (i, &count) in self.counts.iter().enumerate() {
            let mut x = i64::from(count);
            if i > 2 {
                x -= i64::from(self.counts[i - 2]);
            }
            loop {
                let bits = (x & 31) as u8;
                x >>= 5;
                let more = if bits & 16 != 0 { x != -1 } else { x != 0 };
                text.push(char::from(48 + bits + if more { 32 } else { 0 }));
                if !more {
                    break;
                }
            }
        }
        text
    }

    /// The runs of a mask of w · h values in column order; anything but 0 is set.
    pub fn from_columns(mask: &[u8], w: usize, h: usize) -> Rle {
        assert_eq!(mask.len(), w * h, "a mask of the size of the image");
        Rle { w, h, counts: runs(mask.iter().copied()) }
    }

    /// The runs of a mask of w · h values in row order; anything but 0 is set.
    pub fn from_rows(mask: &[u8], w: usize, h: usize) -> Rle {
        assert_eq!(mask.len(), w * h, "a mask of the size of the image");
        Rle { w, h, counts: runs((0..w).flat_map(|x| mask[x..].iter().step_by(w).copied())) }
    }

    /// Each run of ones: first position in column order, and length.
    fn ones(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        let all = self.counts.iter().enumerate().map(move |(i, &count)| {
            let start = at;
            at += count as usize;
            (i, start, count as usize)
        });
        all.filter(|&(i, _, count)| i % 2 == 1 && count > 0).map(|(_, start, count)| (start, count))
    }

    /// The mask in column order, 0 or 1.
    pub fn to_columns(&self) -> Vec<u8> {
        let mut mask = vec![0; self.w * self.h];
        for (start, count) in self.ones() {
            mask[start..start + count].fill(1);
        }
        mask
    }

    /// The mask in row order, 0 or 1.
    pub fn to_rows(&self) -> Vec<u8> {
        let mut mask = vec![0; self.w * self.h];
        for (start, count) in self.ones() {
            for i in start..start + count {
                mask[i % self.h * self.w + i / self.h] = 1;
            }
        }
        mask
    }

    /// Number of pixels set.
    pub fn area(&self) -> u64 {
        self.ones().map(|(_, count)| count as u64).sum()
    }

    /// Half-open extent x0, y0, x1, y1 of the pixels set.
    pub fn extent(&self) -> Option<[usize; 4]> {
        self.ones().fold(None, |extent: Option<[usize; 4]>, (start, count)| {
            let last = start + count - 1;
            let (x0, x1) = (start / self.h, last / self.h);
            // A run into the next column holds its top, and the bottom of its own.
            let (y0, y1) = if x0 == x1 { (start % self.h, last % self.h) } else { (0, self.h - 1) };
            let [a, b, c, d] = extent.unwrap_or([usize::MAX, usize::MAX, 0, 0]);
            Some([a.min(x0), b.min(y0), c.max(x1 + 1), d.max(y1 + 1)])
        })
    }
}

fn runs(mask: impl Iterator<Item = u8>) -> Vec<u32> {
    let (mut counts, mut value, mut count) = (Vec::new(), false, 0u32);
    for v in mask {
        if (v != 0) != value {
            counts.push(count);
            (value, count) = (!value, 0);
        }
        count += 1;
    }
    counts.push(count);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strings of pycocotools for these masks (w × h as named).
    const CASES: [(&[u32], usize, usize, &str); 5] = [
        (&[6, 3, 2, 3, 6], 4, 5, "63204"),
        (&[20], 4, 5, "d0"),
        (&[0, 20], 4, 5, "0d0"),
        (&[3, 30, 1, 2, 4], 40, 1, "3n01TO3"),
        (&[1, 1000, 5, 70000, 40, 3, 28951], 200, 500, "1Xo05X\\S2S1cdkM_Wl0"),
    ];

    #[test]
    fn the_string_is_coco_s() {
        for (counts, w, h, text) in CASES {
            let rle = Rle::new(counts.to_vec(), w, h).unwrap();
            assert_eq!(rle.to_text(), text);
            assert_eq!(Rle::from_text(text.as_bytes(), w, h).unwrap(), rle);
        }
    }

    #[test]
    fn masks_go_in_and_out_in_both_orders() {
        let (w, h) = (4, 5);
        let rows: Vec<u8> = (0..w * h).map(|i| u8::from(i * 7 % 5 < 2) * 9).collect();
        let columns: Vec<u8> = (0..w * h).map(|i| rows[i % h * w + i / h]).collect();
        let rle = Rle::from_rows(&rows, w, h);
        assert_eq!(rle, Rle::from_columns(&columns, w, h));
        assert_eq!(rle.to_rows(), rows.iter().map(|&v| u8::from(v > 0)).collect::<Vec<_>>());
        assert_eq!(rle.to_columns(), columns.iter().map(|&v| u8::from(v > 0)).collect::<Vec<_>>());
        assert_eq!(rle.area(), rows.iter().filter(|&&v| v > 0).count() as u64);
        assert_eq!(Rle::from_text(rle.to_text().as_bytes(), w, h).unwrap(), rle);
        assert_eq!(Rle::from_rows(&[1, 0], 2, 1).counts, [0, 1, 1]);
    }

    #[test]
    fn extent_covers_all_runs() {
        // Column 1 rows 1–3 and column 2 rows 1–3.
        assert_eq!(Rle::new(vec![6, 3, 2, 3, 6], 4, 5).unwrap().extent(), Some([1, 1, 3, 4]));
        // One run from row 3 of column 0 to row 0 of column 1.
        assert_eq!(Rle::new(vec![3, 3, 14], 4, 5).unwrap().extent(), Some([0, 0, 2, 5]));
        assert_eq!(Rle::new(vec![20], 4, 5).unwrap().extent(), None);
    }

    #[test]
    fn damaged_runs_are_refused_before_anything_is_made() {
        assert_eq!(Rle::new(vec![6, 3], 4, 5).unwrap_err().text, "RLE runs add up to 9, not to 4 x 5 = 20");
        assert!(Rle::from_text(b"d", 4, 5).is_err());
        assert!(Rle::from_text(b"d0 ", 4, 5).is_err());
        assert!(Rle::from_text("d0é".as_bytes(), 4, 5).is_err());
        assert!(Rle::from_text(b"ooooooooooooooo0", 4, 5).is_err());
        assert!(Rle::from_text(b"O", 4, 5).unwrap_err().text.contains("damaged"));
        assert!(Rle::from_text(b"c0", 4, 5).is_err());
    }
}
