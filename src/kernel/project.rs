//! The components of a pixel weighted and summed into one number.

use crate::image::Sample;

/// `dst` ← Σ w[k]·v[k] + w[c], clipped to the type's range (bytes round half to even), replicated to `out_c` channels.
/// Sums run in f64 in channel order.
pub fn weights_row<T: Sample>(src: &[T], dst: &mut [T], w: &[f64], c: usize, out_c: usize) {
    assert_eq!(w.len(), c + 1);
    for (s, d) in src.chunks_exact(c).zip(dst.chunks_exact_mut(out_c)) {
        let sum = s.iter().zip(w).fold(w[c], |sum, (v, w)| sum + v.to_f32() as f64 * w);
        d.fill(T::from_f32(sum.clamp(0.0, T::MAX as f64) as f32));
    }
}
