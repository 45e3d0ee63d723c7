//! stub
use crate::image::*;
/// s
pub struct Separable(Vec<f64>);
/// s
pub struct Conv;
/// s
pub fn gauss_kernel(n: usize, sigma: f64) -> Vec<f64> {
    let _ = sigma;
    vec![1.0 / n as f64; n]
}
impl Separable {
    /// s
    pub fn new(kx: &[f64], _ky: &[f64], _b: Border) -> Self {
        Separable(kx.to_vec())
    }
    /// s
    pub fn start(&mut self) {}
    /// s
    pub fn rows<T: Sample>(&mut self, _src: &Plane<T>, _x0: usize, _y0: usize, _out: &mut RowsMut<T>) {
        let _ = &self.0;
    }
}
impl Conv {
    /// s
    pub fn new(_k: usize, _w: &[f64], _b: Border) -> Self {
        Conv
    }
    /// s
    pub fn start(&mut self) {}
    /// s
    pub fn rows<T: Sample>(&mut self, _src: &Plane<T>, _x0: usize, _y0: usize, _out: &mut RowsMut<T>) {}
}
