use ferraug::image::*;
use ferraug::kernel::filter::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[1].parse().unwrap();
    let w: usize = a[2].parse().unwrap();
    let it: usize = a[3].parse().unwrap();
    let d: Vec<u8> = (0..w * w * 3).map(|i| (i * 2654435761usize >> 13) as u8).collect();
    let src = Plane::packed(&d, w, w, 3);
    let mut out = vec![0u8; w * w * 3];
    let k = gauss_kernel(n, n as f64 / 6.);
    let mut best = 1e9f64;
    let mut f = Separable::new(&k, &k, Border::Reflect101);
    for _ in 0..it {
        let t = std::time::Instant::now();
        f.start();
        f.rows(&src, 0, 0, &mut RowsMut::packed(&mut out, w, w, 3));
        best = best.min(t.elapsed().as_nanos() as f64 / 1e3);
    }
    println!("{n} {w}: {best} us");
}
