//! ferraug's core: image augmentation as *describe, plan, run*.
//!
//! Python says what to do (a flat list of plain-data ops) and rolls the dice; this crate does it, once, without the GIL.
//!
//! **Rooms and arrows** (a test checks them): `error, simd` depend on nothing · `math → simd` (vector forms) ·
//! `rng → math` · `geom → math, error` · `image, codec → error` · `kernel → image, simd, rng, math` ·
//! `op → geom, kernel, image, rng, math` · `plan → op, geom, image` · `exec → plan, op, kernel, geom, image` ·
//! `py → exec, plan, op, image, rng, codec` and it alone knows Python. Nothing points upward.
//!
//! **Coordinates.** x right, y down. Pixel (i, j) covers [i, i+1) × [j, j+1) for *edges* (boxes, polygon vertices) and
//! sits at the integer point (i, j) for *centres* (keypoints, resampling). The half pixel between the two is coded once,
//! in `geom::points` and `geom::boxes`. Order is always x, y, w, h; sizes are w, h, d.
#![warn(missing_docs)]

pub mod codec;
pub mod error;
pub mod exec;
pub mod geom;
pub mod image;
pub mod kernel;
pub mod math;
pub mod op;
pub mod plan;
#[cfg(feature = "python")]
mod py;
pub mod rng;
pub mod simd;
