//! The transcendentals of this room, named in one place.

pub(crate) use crate::math::{atan2, cos, sin};

/// Radians of an angle in degrees.
pub(crate) fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}
