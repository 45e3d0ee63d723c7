//! The CPU probe, the `FERRAUG_ISA` override and the [`simd!`] macro.
//!
//! One safe loop text is compiled for four levels and picked by a cached probe. The levels never include `fma`, so no
//! fused multiply-add can appear and every level gives the same bytes. Helpers called from a `simd!` body must be
//! `#[inline(always)]`: whatever is not inlined silently stays at baseline.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering};

/// What the running CPU is used as. Ordered: a higher level has all features of the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Any x86-64 (SSE2), or the target's own baseline.
    Baseline = 1,
    /// AVX2, BMI1/2, F16C, LZCNT, MOVBE, POPCNT.
    V3 = 2,
    /// v3 and AVX-512 F/BW/CD/DQ/VL.
    V4 = 3,
    /// v4 and AVX-512 VBMI.
    Vbmi = 4,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Level; 4] = [Level::Baseline, Level::V3, Level::V4, Level::Vbmi];

    /// The name used by `FERRAUG_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            Level::V3 => "v3",
            Level::V4 => "v4",
            Level::Vbmi => "vbmi",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|l| l.name() == name)
    }
}

static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The level in use: what the CPU has, lowered by `FERRAUG_ISA` if that names a lower one. Probed on first use.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Baseline,
        2 => Level::V3,
        3 => Level::V4,
        4 => Level::Vbmi,
        _ => first_level(),
    }
}

#[cold]
fn first_level() -> Level {
    let wanted = std::env::var("FERRAUG_ISA").ok().and_then(|s| Level::from_name(&s));
    set_level(wanted.unwrap_or(Level::Vbmi))
}

/// Lowers the level to `wanted` (or to what the CPU has, if that is less) and returns it. For tests and benches.
pub fn set_level(wanted: Level) -> Level {
    let level = wanted.min(probe());
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

/// Holds tests that change the SIMD level apart.
#[cfg(test)]
pub(crate) fn level_lock() -> std::sync::MutexGuard<'static, ()> {
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    LOCK.lock().unwrap_or_else(|e| e.into_inner())
}

/// The highest level this CPU has.
#[cfg(target_arch = "x86_64")]
pub fn probe() -> Level {
    use std::arch::is_x86_feature_detected as has;
    let v3 = has!("avx2")
        && has!("bmi1")
        && has!("bmi2")
        && has!("f16c")
        && has!("lzcnt")
        && has!("movbe")
        && has!("popcnt");
    let v4 = v3 && has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
    match (v3, v4, v4 && has!("avx512vbmi")) {
        (_, _, true) => Level::Vbmi,
        (_, true, _) => Level::V4,
        (true, _, _) => Level::V3,
        _ => Level::Baseline,
    }
}

/// The highest level this CPU has.
#[cfg(not(target_arch = "x86_64"))]
pub fn probe() -> Level {
    Level::Baseline
}

/// Compiles one safe function body for every level and calls the best one.
///
/// `simd! { pub fn name(a: T, b: U) -> R { body } }`, or with generics, whose parameters are listed a second time for
/// the inner call: `simd! { pub fn name[const C: usize][C](a: T) { body } }`.
#[macro_export]
macro_rules! simd {
    ($(#[$m:meta])* $v:vis fn $n:ident ($($a:ident : $t:ty),* $(,)?) $(-> $r:ty)? $b:block) => {
        $crate::simd! { $(#[$m])* $v fn $n [] [] ($($a : $t),*) $(-> $r)? $b }
    };
    ($(#[$m:meta])* $v:vis fn $n:ident [$($g:tt)*] [$($ga:tt)*] ($($a:ident : $t:ty),* $(,)?) $(-> $r:ty)? $b:block) => {
        $(#[$m])*
        #[allow(clippy::too_many_arguments)]
        $v fn $n<$($g)*>($($a : $t),*) $(-> $r)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<$($g)*>($($a : $t),*) $(-> $r)? $b
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,f16c,lzcnt,movbe,popcnt")]
            #[allow(clippy::too_many_arguments)]
            fn v3<$($g)*>($($a : $t),*) $(-> $r)? { body::<$($ga)*>($($a),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,f16c,lzcnt,movbe,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
            #[allow(clippy::too_many_arguments)]
            fn v4<$($g)*>($($a : $t),*) $(-> $r)? { body::<$($ga)*>($($a),*) }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,f16c,lzcnt,movbe,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi")]
            #[allow(clippy::too_many_arguments)]
            fn vbmi<$($g)*>($($a : $t),*) $(-> $r)? { body::<$($ga)*>($($a),*) }
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            {
                // SAFETY: `level()` returns a level only if the probe saw every feature named above.
                match $crate::simd::level() {
                    $crate::simd::Level::Vbmi => return unsafe { vbmi::<$($ga)*>($($a),*) },
                    $crate::simd::Level::V4 => return unsafe { v4::<$($ga)*>($($a),*) },
                    $crate::simd::Level::V3 => return unsafe { v3::<$($ga)*>($($a),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            body::<$($ga)*>($($a),*)
        }
    };
}

/// As [`simd!`], but never wider than v3: for loops bound by their stores, where a 64-byte store to an array that NumPy
/// aligned to 16 always crosses a cache line.
#[macro_export]
macro_rules! simd_narrow {
    ($(#[$m:meta])* $v:vis fn $n:ident [$($g:tt)*] [$($ga:tt)*] ($($a:ident : $t:ty),* $(,)?) $b:block) => {
        $(#[$m])*
        $v fn $n<$($g)*>($($a : $t),*) {
            #[inline(always)]
            fn body<$($g)*>($($a : $t),*) $b
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,f16c,lzcnt,movbe,popcnt")]
            fn v3<$($g)*>($($a : $t),*) { body::<$($ga)*>($($a),*) }
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            if $crate::simd::level() >= $crate::simd::Level::V3 {
                // SAFETY: `level()` returns a level only if the probe saw every feature named above.
                return unsafe { v3::<$($ga)*>($($a),*) };
            }
            body::<$($ga)*>($($a),*)
        }
    };
}
