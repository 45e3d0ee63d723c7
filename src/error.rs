//! The one error type of the core: what kind, and a text that says what was wrong and what is allowed.
//!
//! `py` maps the kind to a Python exception class and adds the target and the transform that the op came from.

use std::fmt;

/// Which Python exception the error becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value out of range or of the wrong shape: `ValueError`.
    Value,
    /// A value of the wrong type or dtype: `TypeError`.
    Type,
    /// A size limit was hit before anything was allocated: `LimitError`.
    Limit,
    /// A file that cannot be decoded: `DecodeError`.
    Decode,
    /// A crop larger than the image: `CropSizeError`.
    CropSize,
    /// A bug in ferraug: `InternalError`.
    Internal,
}

/// An error of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What class of mistake it was.
    pub kind: Kind,
    /// What was wrong and what is allowed.
    pub text: String,
    /// Index in the op list of the op that failed, if one did.
    pub op: Option<usize>,
}

/// Result of everything fallible in the core.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its text.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Error { kind, text: text.into(), op: None }
    }
    /// `ValueError`.
    pub fn value(text: impl Into<String>) -> Self {
        Self::new(Kind::Value, text)
    }
    /// `TypeError`.
    pub fn type_(text: impl Into<String>) -> Self {
        Self::new(Kind::Type, text)
    }
    /// `LimitError`.
    pub fn limit(text: impl Into<String>) -> Self {
        Self::new(Kind::Limit, text)
    }
    /// `InternalError`.
    pub fn internal(text: impl Into<String>) -> Self {
        Self::new(Kind::Internal, text)
    }
    /// The same error, blamed on op number `index` unless it is blamed already.
    pub fn at(mut self, index: usize) -> Self {
        self.op.get_or_insert(index);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
