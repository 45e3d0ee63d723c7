//! Painting: hard-edged regions filled with ink, row by row.
//!
//! A [`Region`] is what the op says, an ordered list of shapes; [`Prepared`] finds the spans of a row in it without
//! looking at every shape. Later shapes paint over earlier ones.

mod ink;
mod region;

pub use region::{Prepared, Region};
