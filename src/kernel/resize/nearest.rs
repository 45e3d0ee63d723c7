//! Copies of single pixels, whatever they are.

#[cfg(target_arch = "x86_64")]
use crate::image::view::{bytes_of, bytes_of_mut};
use crate::image::{Element, Plane, RowsMut};
#[cfg(target_arch = "x86_64")]
use crate::kernel::x86::resize_move::Pixels;

/// Source columns and rows of a window of the output.
pub(super) struct Pick {
    c: usize,
    x: Vec<u32>,
    y: Vec<u32>,
    /// The columns are consecutive.
    run: bool,
    /// The hand-written form for pixels of so many bytes, made when the size of an element is first known.
    #[cfg(target_arch = "x86_64")]
    fast: Option<(usize, Option<Pixels>)>,
}

impl Pick {
    /// Pixels of `c` components from columns `x` and rows `y`.
    pub fn new(c: usize, x: Vec<u32>, y: Vec<u32>) -> Pick {
        let run = x.windows(2).all(|p| p[0] + 1 == p[1]);
        Pick {
            c,
            x,
            y,
            run,
            #[cfg(target_arch = "x86_64")]
            fast: None,
        }
    }

    /// Output rows; one that reads the same source row as the one before is copied from it.
    pub fn rows<E: Element>(&mut self, src: &Plane<E>, y0: usize, out: &mut RowsMut<E>) {
        let (c, n) = (self.c, self.x.len() * self.c);
        #[cfg(target_arch = "x86_64")]
        {
            let size = c * size_of::<E>();
            if !self.run && self.fast.as_ref().is_none_or(|f| f.0 != size) {
                self.fast = Some((size, Pixels::new(&self.x, size, src.w)));
            }
        }
        for i in 0..out.n {
            let y = self.y[y0 + i];
            if i > 0 && self.y[y0 + i - 1] == y {
                let (done, rest) = out.data.split_at_mut(i * out.stride);
                rest[..n].copy_from_slice(&done[(i - 1) * out.stride..][..n]);
                continue;
            }
            let row = src.row(y as usize);
            let out = out.row(i);
            if self.run {
                out.copy_from_slice(&row[self.x[0] as usize * c..][..n]);
                continue;
            }
            #[cfg(target_arch = "x86_64")]
            if let Some((_, Some(f))) = &self.fast {
                f.row(bytes_of(row), bytes_of_mut(out));
                continue;
            }
            match c {
                1 => pick::<E, 1>(row, &self.x, out),
                2 => pick::<E, 2>(row, &self.x, out),
                3 => pick::<E, 3>(row, &self.x, out),
                4 => pick::<E, 4>(row, &self.x, out),
                _ => {
                    for (p, &x) in out.chunks_exact_mut(c).zip(&self.x) {
                        p.copy_from_slice(&row[x as usize * c..][..c]);
                    }
                }
            }
        }
    }
}

fn pick<E: Element, const C: usize>(row: &[E], x: &[u32], out: &mut [E]) {
    let pixels = row.as_chunks::<C>().0;
    for (p, &x) in out.as_chunks_mut::<C>().0.iter_mut().zip(x) {
        *p = pixels[x as usize];
    }
}
