//! Plain data as it arrives: numbers, strings, `None` and tuples of these, and how fields are read from it.

use crate::error::{Error, Result};
use crate::image::{Border, DType, Fill, Interp};

/// A string that lives in place if it is short, as the words of ops are.
#[derive(Clone)]
pub enum Text {
    /// Up to 22 bytes.
    Short(u8, [u8; 22]),
    /// Any length.
    Long(Box<str>),
}

impl Text {
    /// The string.
    pub fn as_str(&self) -> &str {
        match self {
            // Made from a `str` of exactly these bytes.
            Text::Short(n, bytes) => std::str::from_utf8(&bytes[..*n as usize]).unwrap_or_default(),
            Text::Long(s) => s,
        }
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Text {
        let mut bytes = [0; 22];
        match bytes.get_mut(..s.len()) {
            Some(place) => {
                place.copy_from_slice(s.as_bytes());
                Text::Short(s.len() as u8, bytes)
            }
            None => Text::Long(s.into()),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.as_str() == other.as_str()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// One argument of an op.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// `None`.
    None,
    /// An integer (also `True` and `False`).
    Int(i64),
    /// A finite float.
    Float(f64),
    /// A string.
    Str(Text),
    /// A tuple or list.
    List(Vec<Val>),
}

impl Val {
    /// The string, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Val::Str(s) => Some(s.as_str()),
            _ => None,
        }
    }
}

/// A field type that can be read from an argument. `take` sees `None` when the argument is missing.
pub trait FromVal: Sized {
    /// Reads the value; the error text says what is expected.
    fn from_val(v: &Val) -> Result<Self>;
    /// The value of a missing trailing argument.
    fn missing() -> Option<Self> {
        None
    }
}

fn expected<T>(what: &str, v: &Val) -> Result<T> {
    Err(Error::value(format!("expected {what}, got {v:?}")))
}

impl FromVal for i64 {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) => Ok(*i),
            _ => expected("an integer", v),
        }
    }
}

impl FromVal for u64 {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) if *i >= 0 => Ok(*i as u64),
            _ => expected("an integer ≥ 0", v),
        }
    }
}

impl FromVal for usize {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) if (0..=i32::MAX as i64).contains(i) => Ok(*i as usize),
            _ => expected("an integer in 0..2³¹", v),
        }
    }
}

impl FromVal for f64 {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) => Ok(*i as f64),
            Val::Float(f) => Ok(*f),
            Val::Str(s) if s.as_str() == "nan" => Ok(f64::NAN),
            _ => expected("a number", v),
        }
    }
}

impl FromVal for bool {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(0) => Ok(false),
            Val::Int(1) => Ok(true),
            _ => expected("true or false", v),
        }
    }
}

impl FromVal for String {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Str(s) => Ok(s.as_str().to_string()),
            _ => expected("a string", v),
        }
    }
}

impl<T: FromVal> FromVal for Vec<T> {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(items) => items.iter().map(T::from_val).collect(),
            _ => expected("a tuple", v),
        }
    }
}

impl<T: FromVal> FromVal for Option<T> {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::None => Ok(None),
            _ => T::from_val(v).map(Some),
        }
    }
    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl FromVal for Fill {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(_) => Vec::from_val(v).map(Fill::Each),
            _ => f64::from_val(v).map(Fill::all),
        }
    }
}

impl FromVal for Interp {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) => Interp::from_number(*i).map_or_else(|| expected("an interpolation 0..=6", v), Ok),
            _ => expected("an interpolation 0..=6", v),
        }
    }
}

impl FromVal for Border {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Int(i) => Border::from_number(*i).map_or_else(|| expected("a border 0..=4", v), Ok),
            _ => expected("a border 0..=4", v),
        }
    }
}

impl FromVal for DType {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::Str(s) => DType::from_name(s.as_str()).map_or_else(|| expected("a dtype name", v), Ok),
            _ => expected("a dtype name", v),
        }
    }
}

/// Reads argument number `i`, naming the field in the error.
pub fn field<T: FromVal>(op: &str, name: &str, args: &[Val], i: usize) -> Result<T> {
    match args.get(i) {
        Some(v) => T::from_val(v).map_err(|e| Error::value(format!("{op}.{name}: {}", e.text))),
        None => T::missing().ok_or_else(|| Error::value(format!("{op}: argument {name} is missing"))),
    }
}

/// A field that is one of a few words, spelled once: `words! { /// doc  pub enum Name { Variant = "word", … } }`.
#[macro_export]
macro_rules! words {
    ($(#[$m:meta])* pub enum $E:ident { $($(#[$vm:meta])* $V:ident = $w:literal),* $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $E { $($(#[$vm])* #[doc = concat!("`", $w, "`")] $V),* }
        impl $crate::op::value::FromVal for $E {
            fn from_val(v: &$crate::op::value::Val) -> $crate::error::Result<Self> {
                match v.word() {
                    $(Some($w) => Ok($E::$V),)*
                    _ => Err($crate::error::Error::value(format!(concat!("expected one of", $(" ", $w,)* ", got {:?}"), v))),
                }
            }
        }
    };
}

/// The ops of one kind: an enum with named fields, its decoder and its names, from one entry an op.
#[macro_export]
macro_rules! ops {
    ($(#[$m:meta])* pub enum $E:ident { $($(#[$om:meta])* $name:literal $V:ident { $($f:ident : $t:ty),* $(,)? }),* $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $E { $($(#[$om])* $V { $(#[allow(missing_docs)] $f: $t),* }),* }
        impl $E {
            /// The names of these ops.
            pub const NAMES: &'static [&'static str] = &[$($name),*];
            /// The op of that name with its arguments, or `None` if the name is of another kind.
            #[allow(unused_mut, unused_variables, unused_assignments)]
            pub fn decode(name: &str, args: &[$crate::op::value::Val]) -> Option<$crate::error::Result<Self>> {
                match name {
                    $($name => Some((|| {
                        let mut i = 0;
                        $(let $f: $t = $crate::op::value::field($name, stringify!($f), args, i)?; i += 1;)*
                        if args.len() > i {
                            return Err($crate::error::Error::value(format!("{}: {} arguments, at most {i} expected", $name, args.len())));
                        }
                        Ok($E::$V { $($f),* })
                    })()),)*
                    _ => None,
                }
            }
            /// The op's name.
            pub fn name(&self) -> &'static str {
                match self { $($E::$V { .. } => $name),* }
            }
        }
    };
}

/// A number, or a tuple of indices.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// One real number.
    One(f64),
    /// Several indices.
    Many(Vec<usize>),
}

impl FromVal for Number {
    fn from_val(v: &Val) -> Result<Self> {
        match v {
            Val::List(_) => Vec::from_val(v).map(Number::Many),
            _ => f64::from_val(v).map(Number::One),
        }
    }
}
