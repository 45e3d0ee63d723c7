//! Buffers that live from call to call, so that a steady state allocates outputs only.

use crate::image::view::Bytes;
use std::cell::RefCell;

/// Bytes a thread keeps at most between calls.
const KEEP: usize = 64 << 20;

/// Spare buffers of one thread.
#[derive(Default)]
pub struct Scratch {
    spare: Vec<Bytes>,
}

thread_local! {
    static OWN: RefCell<Scratch> = RefCell::default();
}

impl Scratch {
    /// Runs `f` with this thread's spare buffers.
    pub fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
        let mut own = OWN.take();
        let out = f(&mut own);
        let mut kept = 0;
        own.spare.retain(|b| {
            kept += b.capacity();
            kept <= KEEP
        });
        OWN.set(own);
        out
    }

    /// A buffer of `len` bytes with unspecified content: the smallest spare one that fits, else the largest grown.
    pub fn take(&mut self, len: usize) -> Bytes {
        let fitting = (0..self.spare.len()).filter(|i| self.spare[*i].capacity() >= len);
        let best = fitting.min_by_key(|i| self.spare[*i].capacity());
        let best = best.or_else(|| (0..self.spare.len()).max_by_key(|i| self.spare[*i].capacity()));
        let mut buffer = best.map_or_else(Bytes::default, |i| self.spare.swap_remove(i));
        buffer.resize(len);
        buffer
    }

    /// Gives a buffer back.
    pub fn give(&mut self, buffer: Bytes) {
        self.spare.push(buffer);
    }
}
