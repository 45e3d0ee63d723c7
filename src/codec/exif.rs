//! The one EXIF field that matters to pixels: orientation (tag 0x0112 of the first directory).
//!
//! Everything malformed reads as orientation 1, as viewers do; nothing else of the block is looked at.

/// Orientation 1 to 8 in a TIFF block (the part after `Exif\0\0`).
pub(super) fn orientation(block: &[u8]) -> u8 {
    read(block).filter(|v| (1..=8).contains(v)).map_or(1, |v| v as u8)
}

fn read(block: &[u8]) -> Option<u16> {
    let big = match block.get(..2)? {
        b"MM" => true,
        b"II" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let b = block.get(at..at.checked_add(2)?)?;
        Some(if big { u16::from_be_bytes([b[0], b[1]]) } else { u16::from_le_bytes([b[0], b[1]]) })
    };
    let u32_at = |at: usize| {
        let (a, b) = (u16_at(at)?, u16_at(at.checked_add(2)?)?);
        Some(if big { u32::from(a) << 16 | u32::from(b) } else { u32::from(b) << 16 | u32::from(a) })
    };
    if u16_at(2)? != 42 {
        return None;
    }
    let directory = u32_at(4)? as usize;
    let count = usize::from(u16_at(directory)?);
    for entry in 0..count {
        let at = directory.checked_add(2 + 12 * entry)?;
        if u16_at(at)? == 0x0112 {
            // type 3 is SHORT; the value of a single one lies in the entry itself
            return if u16_at(at + 2)? == 3 && u32_at(at + 4)? == 1 { u16_at(at + 8) } else { None };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::orientation;

    fn block(big: bool, kind: u16, value: u16) -> Vec<u8> {
        let two = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let four = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut b = if big { b"MM".to_vec() } else { b"II".to_vec() };
        b.extend(two(42));
        b.extend(four(8));
        b.extend(two(2));
        for (tag, kind, value) in [(0x010F, 3, 7), (0x0112, kind, value)] {
            b.extend(two(tag));
            b.extend(two(kind));
            b.extend(four(1));
            b.extend(two(value));
            b.extend([0, 0]);
        }
        b
    }

    #[test]
    fn both_byte_orders_and_all_eight() {
        for value in 1..=8 {
            assert_eq!(orientation(&block(true, 3, value)), value as u8);
            assert_eq!(orientation(&block(false, 3, value)), value as u8);
        }
    }

    #[test]
    fn malformed_is_one() {
        for bad in [block(true, 3, 0), block(true, 3, 9), block(false, 3, 99), block(true, 4, 6), Vec::new()] {
            assert_eq!(orientation(&bad), 1);
        }
        let whole = block(false, 3, 6);
        for cut in 0..whole.len() - 2 {
            assert_eq!(orientation(&whole[..cut]), 1, "cut at {cut}");
        }
        let mut far = whole;
        far[4..8].copy_from_slice(&[0xFF; 4]);
        assert_eq!(orientation(&far), 1);
    }
}
