//! Huffman codes into a bit stream: 64 bits at a time, coefficients found by the bits of those that are not zero.

use super::dct::Strip;
use super::tables::{AC, DC, Huffman};
use crate::simd;
use std::sync::LazyLock;

/// The codes of one kind of component, each with room for the bits that follow it.
///
/// An entry is the code, moved up by the size that its symbol names, times 32, plus the length of both: at most
/// 16 + 10 and 5 bits.
pub struct Codes {
    dc: [u32; 16],
    ac: [u32; 256],
}

/// Symbol by symbol: the code and its length.
pub(crate) fn code_of_symbols(table: &Huffman) -> impl Iterator<Item = (u8, u32, u32)> {
    let lengths = (1_u32..).zip(table.counts).flat_map(|(length, n)| std::iter::repeat_n(length, n.into()));
    let (mut code, mut last) = (0, 0);
    lengths.zip(table.symbols).map(move |(length, &symbol)| {
        code <<= length - last;
        last = length;
        code += 1;
        (symbol, code - 1, length)
    })
}

/// Luma and chroma.
pub static CODES: LazyLock<[Codes; 2]> = LazyLock::new(|| {
    let entry = |(symbol, code, length): (u8, u32, u32)| {
        let size = u32::from(symbol & 15);
        (usize::from(symbol), (code << size) << 5 | (length + size))
    };
    [0, 1].map(|kind| {
        let mut codes = Codes { dc: [0; 16], ac: [0; 256] };
        code_of_symbols(&DC[kind]).map(entry).for_each(|(at, e)| codes.dc[at] = e);
        code_of_symbols(&AC[kind]).map(entry).for_each(|(at, e)| codes.ac[at] = e);
        codes
    })
});

/// Size and bits of an AC coefficient v at [v + 1024]: the bits, times 16, plus the size.
static VALUES: LazyLock<[u16; 2048]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let (size, low) = size_and_bits(i as i32 - 1024);
        (low << 4 | size) as u16
    })
});

/// Room for codes before zeros are put behind bytes of ones.
const ROOM: usize = 8192;
/// The most that a block may need, with what a store writes too much.
const BLOCK: usize = 256;

/// The bit stream: whole bytes that wait to be checked, and less than a byte that waits to be whole.
pub struct Bits {
    /// The next bits, from the highest on; the others are 0.
    word: u64,
    used: u32,
    at: usize,
    bytes: Box<[u8; ROOM]>,
}

impl Default for Bits {
    fn default() -> Self {
        Bits { word: 0, used: 0, at: 0, bytes: Box::new([0; ROOM]) }
    }
}

/// The part of [`Bits`] that stays in registers.
#[derive(Clone, Copy)]
struct Head {
    word: u64,
    used: u32,
    at: usize,
}

impl Head {
    /// Appends the low `n` bits of `bits`, of which the others are 0. At most 57 between two calls of `settle`.
    #[inline(always)]
    fn put(&mut self, bits: u32, n: u32) {
        self.used += n;
        self.word |= u64::from(bits) << (64 - self.used & 63);
    }

    /// Moves whole bytes out. Without a branch: how many there are cannot be foretold.
    #[inline(always)]
    fn settle(&mut self, bytes: &mut [u8; ROOM]) {
        bytes[self.at..self.at + 8].copy_from_slice(&self.word.to_be_bytes());
        self.at += (self.used / 8) as usize;
        self.word <<= self.used & 56;
        self.used &= 7;
    }
}

impl Bits {
    /// Fills the last byte with ones, as the standard asks, and appends what is left.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let mut head = Head { word: self.word, used: self.used, at: self.at };
        let pad = (8 - head.used) % 8;
        head.put((1 << pad) - 1, pad);
        head.settle(&mut self.bytes);
        stuff(&self.bytes[..head.at], out);
    }
}

/// Appends bytes, and a zero after each byte of ones.
#[inline(always)]
fn stuff(bytes: &[u8], out: &mut Vec<u8>) {
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        if block.iter().fold(false, |any, b| any | (*b == 0xFF)) {
            stuff_one_by_one(block, out);
        } else {
            out.extend_from_slice(block);
        }
    }
    stuff_one_by_one(rest, out);
}

fn stuff_one_by_one(bytes: &[u8], out: &mut Vec<u8>) {
    for &b in bytes {
        out.push(b);
        if b == 0xFF {
            out.push(0);
        }
    }
}

/// The size of `v` and its bits: negative values are one less, which makes their first bit 0.
#[inline(always)]
fn size_and_bits(v: i32) -> (u32, u32) {
    let sign = v >> 31;
    let size = 32 - ((v ^ sign) - sign).leading_zeros();
    (size, (v + sign) as u32 & !(u32::MAX << size))
}

/// Everything that the codes of a block depend on but the block.
struct Coder<'a> {
    bytes: &'a mut [u8; ROOM],
    values: &'a [u16; 2048],
    out: &'a mut Vec<u8>,
}

impl Coder<'_> {
    /// The first coefficient of `rest`, and the zeros from `next` up to it.
    #[inline(always)]
    fn coefficient(&mut self, head: &mut Head, zigzag: &[i16; 64], rest: &mut u64, next: &mut u32, codes: &Codes) {
        let k = rest.trailing_zeros();
        *rest &= *rest - 1;
        let mut run = k - *next;
        *next = k + 1;
        if run > 15 {
            head.settle(self.bytes);
            let e = codes.ac[0xF0];
            while run > 15 {
                head.put(e >> 5, e & 31);
                run -= 16;
            }
            head.settle(self.bytes);
        }
        let v = self.values[(i32::from(zigzag[k as usize & 63]) + 1024) as usize & 2047];
        let e = codes.ac[(run << 4 | u32::from(v) & 15) as usize & 255];
        head.put(e >> 5 | u32::from(v) >> 4, e & 31);
    }

    /// One block: the difference of its DC, its runs of zeros.
    #[inline(always)]
    fn block(&mut self, head: &mut Head, zigzag: &[i16; 64], nonzero: u64, last: &mut i32, codes: &Codes) {
        if head.at > ROOM - BLOCK {
            stuff(&self.bytes[..head.at], self.out);
            head.at = 0;
        }
        let dc = i32::from(zigzag[0]);
        let (size, low) = size_and_bits(dc - *last);
        *last = dc;
        let e = codes.dc[size as usize & 15];
        head.put(e >> 5 | low, e & 31);
        head.settle(self.bytes);
        let (mut rest, mut next) = (nonzero & !1, 1);
        while rest != 0 {
            self.coefficient(head, zigzag, &mut rest, &mut next, codes);
            if rest == 0 {
                break;
            }
            self.coefficient(head, zigzag, &mut rest, &mut next, codes);
            // 7 bits that were there and 26 of each
            head.settle(self.bytes);
        }
        if next != 64 {
            let e = codes.ac[0];
            head.put(e >> 5, e & 31);
        }
        head.settle(self.bytes);
    }
}

/// Blocks that take part in each unit of a scan.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Where they are; none for a row below the image.
    pub strip: Option<&'a Strip>,
    /// Blocks of the row that the image has; those beyond repeat the DC of the block before.
    pub blocks: usize,
    /// Unit m takes block m · step + offset.
    pub step: usize,
    /// See `step`.
    pub offset: usize,
    /// Which component's DC it follows.
    pub component: usize,
}

simd! {
    /// Writes the units of one row.
    pub fn scan_row(bits: &mut Bits, parts: &[Part<'_>], units: usize, last: &mut [i32; 3], out: &mut Vec<u8>) {
        let codes = &*CODES;
        let mut head = Head { word: bits.word, used: bits.used, at: bits.at };
        let mut coder = Coder { bytes: &mut bits.bytes, values: &VALUES, out };
        for m in 0..units {
            for part in parts {
                let (at, c) = (m * part.step + part.offset, part.component);
                let codes = &codes[usize::from(c > 0)];
                match part.strip {
                    Some(strip) if at < part.blocks => {
                        coder.block(&mut head, &strip.zigzag[at], strip.nonzero[at], &mut last[c], codes);
                    }
                    _ => coder.block(&mut head, &[last[c] as i16; 64], 0, &mut last[c], codes),
                }
            }
        }
        (bits.word, bits.used, bits.at) = (head.word, head.used, head.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard() {
        // tables K.3 to K.6
        let find = |t: &Huffman, s: u8| code_of_symbols(t).find(|c| c.0 == s).map(|c| (c.1, c.2)).unwrap();
        assert_eq!(find(&DC[0], 0), (0b00, 2));
        assert_eq!(find(&DC[0], 6), (0b1110, 4));
        assert_eq!(find(&DC[0], 11), (0b1_1111_1110, 9));
        assert_eq!(find(&DC[1], 11), (0b111_1111_1110, 11));
        assert_eq!(find(&AC[0], 0x00), (0b1010, 4));
        assert_eq!(find(&AC[0], 0xF0), (0b111_1111_1001, 11));
        assert_eq!(find(&AC[0], 0xFA), (0xFFFE, 16));
        assert_eq!(find(&AC[1], 0x00), (0b00, 2));
        assert_eq!(find(&AC[1], 0xF0), (0b11_1111_1010, 10));
        assert_eq!(find(&AC[1], 0xFA), (0xFFFE, 16));
        for table in DC.iter().chain(&AC) {
            assert_eq!(table.counts.iter().map(|c| usize::from(*c)).sum::<usize>(), table.symbols.len());
        }
    }

    /// Appends bit by bit.
    #[derive(Default)]
    struct Slow(Vec<bool>);

    impl Slow {
        fn put(&mut self, v: u32, n: u32) {
            (0..n).rev().for_each(|i| self.0.push(v >> i & 1 == 1));
        }
        fn bytes(mut self) -> Vec<u8> {
            while self.0.len() % 8 != 0 {
                self.0.push(true);
            }
            let byte = |b: &[bool]| b.iter().fold(0_u8, |v, b| v << 1 | u8::from(*b));
            self.0.chunks(8).map(byte).flat_map(|b| if b == 0xFF { vec![b, 0] } else { vec![b] }).collect()
        }
    }

    #[test]
    fn the_stream_is_that_of_a_writer_of_single_bits() {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for count in (0..40).chain([9000]) {
            let (mut bits, mut out, mut slow) = (Bits::default(), Vec::new(), Slow::default());
            let mut fast = Head { word: 0, used: 0, at: 0 };
            for _ in 0..count {
                let n = next() % 27;
                let v = if next() % 3 == 0 { (1 << n) - 1 } else { next() & ((1 << n) - 1) };
                fast.put(v, n);
                fast.settle(&mut bits.bytes);
                slow.put(v, n);
                if fast.at > ROOM - BLOCK {
                    stuff(&bits.bytes[..fast.at], &mut out);
                    fast.at = 0;
                }
            }
            (bits.word, bits.used, bits.at) = (fast.word, fast.used, fast.at);
            bits.finish(&mut out);
            assert_eq!(out, slow.bytes(), "{count} pieces");
        }
    }

    #[test]
    fn sizes_and_bits() {
        assert_eq!(
            [0, 1, -1, 2, -2, -3, 255, -255, 2047].map(size_and_bits),
            [(0, 0), (1, 1), (1, 0), (2, 2), (2, 1), (2, 0), (8, 255), (8, 0), (11, 2047)]
        );
    }
}
