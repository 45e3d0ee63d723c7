//! Byte tables: every point map of u8 is one, and two in a row are one again.
//!
//! [`Prepared`] is what rows are mapped with: it decides once how a table runs. With VBMI a table costs what a copy
//! costs; below, a table that is a clipped straight line runs as fixed-point arithmetic if that gives all 256 entries.

pub mod linear;

pub use linear::{Rounding, gamma_row, gamma_table, linear_row, linear_table};

#[cfg(target_arch = "x86_64")]
use super::planes::Planes;
use crate::simd;
#[cfg(target_arch = "x86_64")]
use crate::{
    kernel::x86,
    simd::{Level, level},
};

/// A map of bytes, the same for all channels or one for each.
// A table lives on the stack of the stage that uses it; boxing the common form would cost more than the size does.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum Table {
    /// One for all channels.
    Shared([u8; 256]),
    /// One for each channel.
    PerChannel(Vec<[u8; 256]>),
}

impl Table {
    /// The table that changes nothing.
    pub fn identity() -> Table {
        Table::Shared(std::array::from_fn(|i| i as u8))
    }

    /// The table of channel `k`.
    #[inline]
    pub fn channel(&self, k: usize) -> &[u8; 256] {
        match self {
            Table::Shared(t) => t,
            Table::PerChannel(t) => &t[k],
        }
    }

    /// First this table, then `next`: exactly what two passes give.
    pub fn then(&self, next: &Table) -> Table {
        let through = |a: &[u8; 256], b: &[u8; 256]| {
            let mut out = [0; 256];
            for (out, v) in out.iter_mut().zip(a) {
                *out = b[*v as usize];
            }
            out
        };
        match (self, next) {
            (Table::Shared(a), Table::Shared(b)) => Table::Shared(through(a, b)),
            (Table::PerChannel(a), next) => {
                Table::PerChannel(a.iter().enumerate().map(|(k, a)| through(a, next.channel(k))).collect())
            }
            (Table::Shared(a), Table::PerChannel(b)) => Table::PerChannel(b.iter().map(|b| through(a, b)).collect()),
        }
    }
}

/// A clipped line in fixed point: entry v is `clamp((v·a + b) >> SHIFT)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Slope.
    pub a: i32,
    /// Offset, the rounding included.
    pub b: i32,
}

impl Line {
    /// Fraction bits: |v·a + b| stays below 2³¹ for slopes up to 2.
    pub const SHIFT: u32 = 21;

    /// The entry for `v`.
    #[inline(always)]
    pub fn at(self, v: u8) -> u8 {
        ((v as i32 * self.a + self.b) >> Line::SHIFT).clamp(0, 255) as u8
    }

    /// The line through slope `a` and offset `b`, if it gives every entry of `table`.
    fn fit(table: &[u8; 256], a: f32, b: f32) -> Option<Line> {
        let scale = (1u32 << Line::SHIFT) as f32;
        let reach = a.abs() * 256.0 + b.abs();
        if reach.is_nan() || reach >= 1000.0 {
            return None;
        }
        // Half a unit up: an entry that f32 arithmetic puts exactly on an integer must not fall below it.
        let line = Line { a: (a * scale).round() as i32, b: (b * scale) as i32 + 64 };
        line_gives(table, line.a, line.b).then_some(line)
    }
}

simd! {
    fn line_gives(table: &[u8; 256], a: i32, b: i32) -> bool {
        let mut wrong = 0;
        for (v, t) in table.iter().enumerate() {
            let y = ((v as i32).wrapping_mul(a).wrapping_add(b) >> Line::SHIFT).clamp(0, 255);
            wrong |= y ^ *t as i32;
        }
        wrong == 0
    }
}

/// A table with the decision how it runs.
#[derive(Clone, Debug)]
pub struct Prepared {
    table: Table,
    lines: Option<Vec<Line>>,
    /// The table is v → 255 − v, which needs no looking up.
    inverse: bool,
}

impl Prepared {
    /// A table of any form.
    pub fn new(table: Table) -> Prepared {
        Prepared::with(table, None)
    }

    /// The table of `clip(v·a + b)`, one entry of `a` and `b` for all channels or one for each of `c`.
    pub fn linear(a: &[f64], b: &[f64], rounding: Rounding, c: usize) -> Prepared {
        let at = |v: &[f64], k: usize| if v.len() == 1 { v[0] } else { v[k] };
        let n = if a.len() == 1 && b.len() == 1 { 1 } else { c };
        let tables: Vec<_> = (0..n).map(|k| linear_table(at(a, k), at(b, k), rounding)).collect();
        let half = if rounding == Rounding::Nearest { 0.5 } else { 0.0 };
        let lines = lines_pay(n).then(|| {
            tables.iter().enumerate().map(|(k, t)| Line::fit(t, at(a, k) as f32, at(b, k) as f32 + half)).collect()
        });
        let table = if n == 1 { Table::Shared(tables[0]) } else { Table::PerChannel(tables) };
        Prepared::with(table, lines.flatten())
    }

    fn with(table: Table, lines: Option<Vec<Line>>) -> Prepared {
        let inverse = match &table {
            Table::Shared(t) => t.iter().enumerate().all(|(v, t)| v as u8 == !*t),
            Table::PerChannel(_) => false,
        };
        Prepared { table, lines, inverse }
    }

    /// The table itself.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The lines, where they can run on rows of `c` channels.
    #[cfg(target_arch = "x86_64")]
    fn lines_for(&self, c: usize) -> Option<&[Line]> {
        let lines = self.lines.as_deref()?;
        (level() >= Level::V3 && (lines.len() == 1 || c == 3 && lines.len() == 3)).then_some(lines)
    }

    /// Maps a row of `c` interleaved channels in place.
    pub fn map_row(&self, row: &mut [u8], c: usize) {
        if self.inverse {
            return invert(row);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(lines) = self.lines_for(c) {
            return x86::table::lines(row, lines);
        }
        map_row(row, &self.table, c)
    }

    /// Maps a row of `c` interleaved channels into another.
    pub fn map_row_into(&self, src: &[u8], dst: &mut [u8], c: usize) {
        if self.inverse {
            assert_eq!(src.len(), dst.len());
            return invert_into(src, dst);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(lines) = self.lines_for(c) {
            return x86::table::lines_into(src, dst, lines);
        }
        map_row_into(src, dst, &self.table, c)
    }
}

simd! {
    fn invert(row: &mut [u8]) {
        for v in row {
            *v = !*v;
        }
    }
}

simd! {
    fn invert_into(src: &[u8], dst: &mut [u8]) {
        for (s, d) in src.iter().zip(dst) {
            *d = !*s;
        }
    }
}

impl From<Table> for Prepared {
    fn from(table: Table) -> Prepared {
        Prepared::new(table)
    }
}

/// True where arithmetic beats `n` shuffled tables: several cost planes as well.
fn lines_pay(n: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    return level() == Level::V3 || level() == Level::V4 && n > 1;
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = n;
        false
    }
}

/// Maps a row of `c` interleaved channels in place.
pub fn map_row(row: &mut [u8], t: &Table, c: usize) {
    match t {
        Table::Shared(t) => map_bytes(row, t),
        Table::PerChannel(t) if t.len() == 1 => map_bytes(row, &t[0]),
        Table::PerChannel(t) => {
            assert!(t.len() >= c && row.len().is_multiple_of(c));
            match c {
                1 => map_bytes(row, &t[0]),
                3 => map3(row, [&t[0], &t[1], &t[2]]),
                _ => {
                    for px in row.chunks_exact_mut(c) {
                        for (v, t) in px.iter_mut().zip(t) {
                            *v = t[*v as usize];
                        }
                    }
                }
            }
        }
    }
}

/// Maps a row of `c` interleaved channels into another.
pub fn map_row_into(src: &[u8], dst: &mut [u8], t: &Table, c: usize) {
    assert_eq!(src.len(), dst.len());
    match t {
        Table::Shared(t) => map_bytes_into(src, dst, t),
        Table::PerChannel(t) if t.len() == 1 => map_bytes_into(src, dst, &t[0]),
        Table::PerChannel(t) if c == 3 => map3_into(src, dst, [&t[0], &t[1], &t[2]]),
        Table::PerChannel(_) => {
            dst.copy_from_slice(src);
            map_row(dst, t, c);
        }
    }
}

/// Three channels through three tables, as planes where shuffles do the looking up.
fn map3(row: &mut [u8], t: [&[u8; 256]; 3]) {
    #[cfg(target_arch = "x86_64")]
    match level() {
        Level::Vbmi => return x86::table::map3(row, t),
        Level::V4 | Level::V3 => {
            return Planes::over(row, |p| {
                for (p, t) in p.into_iter().zip(t) {
                    map_bytes(p, t);
                }
            });
        }
        Level::Baseline => {}
    }
    for px in row.chunks_exact_mut(3) {
        for (v, t) in px.iter_mut().zip(t) {
            *v = t[*v as usize];
        }
    }
}

fn map3_into(src: &[u8], dst: &mut [u8], t: [&[u8; 256]; 3]) {
    #[cfg(target_arch = "x86_64")]
    match level() {
        Level::Vbmi => return x86::table::map3_into(src, dst, t),
        Level::V4 | Level::V3 => {
            return Planes::from_to(src, dst, |p| {
                for (p, t) in p.into_iter().zip(t) {
                    map_bytes(p, t);
                }
            });
        }
        Level::Baseline => {}
    }
    for (s, d) in src.chunks_exact(3).zip(dst.chunks_exact_mut(3)) {
        for k in 0..3 {
            d[k] = t[k][s[k] as usize];
        }
    }
}

fn map_bytes(row: &mut [u8], t: &[u8; 256]) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3 {
        return x86::table::map(row, t);
    }
    for v in row {
        *v = t[*v as usize];
    }
}

fn map_bytes_into(src: &[u8], dst: &mut [u8], t: &[u8; 256]) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::V3 {
        return x86::table::map_into(src, dst, t);
    }
    for (s, d) in src.iter().zip(dst) {
        *d = t[*s as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, set_level};

    fn row(n: usize) -> Vec<u8> {
        (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    fn tables() -> [[u8; 256]; 3] {
        [1u32, 2, 3].map(|s| std::array::from_fn(|i| ((i as u32 + s).wrapping_mul(0x9e37_79b9 ^ s) >> 21) as u8))
    }

    #[test]
    fn every_level_looks_up_every_byte_of_every_length() {
        let t = tables();
        for wanted in Level::ALL {
            let _guard = crate::simd::level_lock();
            set_level(wanted);
            for c in [1, 2, 3, 4, 5] {
                for n in [0, 1, 5, 21, 63, 64, 65, 130, 300] {
                    let src = row(n * c);
                    let shared = Table::Shared(t[0]);
                    let each = Table::PerChannel((0..c).map(|k| t[k % 3]).collect());
                    for t in [shared, each] {
                        let want: Vec<u8> =
                            src.iter().enumerate().map(|(i, v)| t.channel(i % c)[*v as usize]).collect();
                        let mut got = src.clone();
                        map_row(&mut got, &t, c);
                        assert_eq!(got, want, "{wanted:?} {n}x{c}");
                        let mut got = vec![0; n * c];
                        map_row_into(&src, &mut got, &t, c);
                        assert_eq!(got, want);
                    }
                }
            }
        }
        set_level(Level::Vbmi);
    }

    #[test]
    fn lines_give_their_tables() {
        let _guard = crate::simd::level_lock();
        let mut fitted = 0;
        for wanted in [Level::V3, Level::Vbmi] {
            set_level(wanted);
            for k in 0..40 {
                // Drawn-looking numbers: on short decimals f32 may fall on either side of an integer.
                let a = [0.512_345_7 + 0.037_129_3 * k as f64, 1.0, 1.317_71];
                let b = [20.113_7 - 3.312_11 * k as f64, 10.7, -5.6];
                let p = Prepared::linear(&a, &b, Rounding::Truncate, 3);
                fitted += p.lines.is_some() as u32;
                let src = row(3 * 100 + 3);
                let mut got = src.clone();
                p.map_row(&mut got, 3);
                let want: Vec<u8> = src.iter().enumerate().map(|(i, v)| p.table.channel(i % 3)[*v as usize]).collect();
                assert_eq!(got, want);
                let mut got = vec![0; src.len()];
                p.map_row_into(&src, &mut got, 3);
                assert_eq!(got, want);
                for r in [Rounding::Truncate, Rounding::Nearest] {
                    let p = Prepared::linear(&a[..1], &b[..1], r, 7);
                    fitted += p.lines.is_some() as u32;
                    let mut got = src[..301].to_vec();
                    p.map_row(&mut got, 7);
                    assert!(got.iter().zip(&src).all(|(g, v)| *g == p.table.channel(0)[*v as usize]));
                }
            }
        }
        set_level(Level::Vbmi);
        assert!(crate::simd::probe() < Level::V3 || fitted > 100, "{fitted} of 120 tables are lines");
    }

    #[test]
    fn inversion_is_its_table() {
        let _guard = crate::simd::level_lock();
        for wanted in Level::ALL {
            set_level(wanted);
            for r in [Rounding::Truncate, Rounding::Nearest] {
                let p = Prepared::linear(&[-1.0], &[255.0], r, 3);
                assert!(p.inverse && !Prepared::linear(&[-1.0], &[254.0], r, 3).inverse);
                let src = row(301);
                let mut got = vec![0; 301];
                p.map_row_into(&src, &mut got, 3);
                assert!(got.iter().zip(&src).all(|(g, v)| *g == 255 - v), "{wanted:?}");
                p.map_row(&mut got, 3);
                assert_eq!(got, src);
            }
        }
        set_level(Level::Vbmi);
    }

    #[test]
    fn composition_is_two_passes() {
        let [a, b, c] = tables();
        let src = row(99);
        for first in [Table::Shared(a), Table::PerChannel(vec![a, b, c])] {
            for next in [Table::Shared(c), Table::PerChannel(vec![b, c, a])] {
                let mut two = src.clone();
                map_row(&mut two, &first, 3);
                map_row(&mut two, &next, 3);
                let mut one = src.clone();
                map_row(&mut one, &first.then(&next), 3);
                assert_eq!(one, two);
            }
        }
    }
}
