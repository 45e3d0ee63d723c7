//! The counter-based generator and its keys.
//!
//! Philox4x32-10 maps a 128-bit counter and a 64-bit key to four words; nothing is remembered but the counter, so any
//! draw can be computed on its own. The Philox key is the pipeline's seed. The counter is (call: u64, node: u32,
//! draw: u32): *call* folds the user's key of the call, *node* folds the place of a transform in the pipeline and the
//! number of the pick that led there. Entering a node therefore costs nothing but a new counter, and adding a later
//! transform never changes an earlier one's draws.

use crate::math;

/// Four random words for a counter under a key: Philox4x32 with 10 rounds (Salmon et al., 2011).
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k, mut l] = key;
    for _ in 0..10 {
        let p = a as u64 * PHILOX_M[0] as u64;
        let q = c as u64 * PHILOX_M[1] as u64;
        (a, b, c, d) = ((q >> 32) as u32 ^ b ^ k, q as u32, (p >> 32) as u32 ^ d ^ l, p as u32);
        k = k.wrapping_add(PHILOX_W[0]);
        l = l.wrapping_add(PHILOX_W[1]);
    }
    [a, b, c, d]
}

/// Philox4x32's multipliers.
pub const PHILOX_M: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// What Philox adds to the two words of its key from round to round.
pub const PHILOX_W: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// The two words of a seed as a Philox key.
#[inline(always)]
pub fn key_words(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// Folds the key that a user gave for one call (an index; epoch and index; …) into the counter's call number.
pub fn fold_call(seed: u64, parts: &[u64]) -> u64 {
    // Another key than the draws', so that a call number is never a value that was drawn.
    let key = key_words(seed ^ 0x6361_6c6c_6361_6c6c);
    parts.iter().fold(parts.len() as u64, |call, &part| {
        let w = philox([part as u32, (part >> 32) as u32, call as u32, (call >> 32) as u32], key);
        w[0] as u64 | (w[1] as u64) << 32
    })
}

/// The node number of the `child`-th child (or pick) of the node `parent`. The root is 0.
pub fn fold_path(parent: u32, child: u32) -> u32 {
    philox([parent, child, 0, 0], [0x6e6f_6465, 0x7061_7468])[0]
}

/// The draws of one call, node by node.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    call: u64,
    node: u32,
    /// Number of the next block within the node.
    draw: u32,
    block: [u32; 4],
    /// Words of `block` already given out.
    used: usize,
}

impl Stream {
    /// The draws of the call `call` (see [`fold_call`]) of a pipeline with that seed, at the root node.
    pub fn new(seed: u64, call: u64) -> Stream {
        Stream { key: key_words(seed), call, node: 0, draw: 0, block: [0; 4], used: 4 }
    }

    /// Goes to the first draw of a node.
    #[inline]
    pub fn enter(&mut self, node: u32) {
        self.node = node;
        self.draw = 0;
        self.used = 4;
    }

    /// Goes to a node and decides with its first draw whether it acts: always for p ≥ 1, never for p ≤ 0. The draws that
    /// follow are the same whatever p is.
    #[inline]
    pub fn begin(&mut self, node: u32, p: f64) -> bool {
        self.enter(node);
        self.random() < p
    }

    /// The node entered last.
    pub fn node(&self) -> u32 {
        self.node
    }

    #[inline]
    fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox([self.call as u32, (self.call >> 32) as u32, self.node, self.draw], self.key);
            self.draw = self.draw.wrapping_add(1);
            self.used = 0;
        }
        let w = self.block[self.used & 3];
        self.used += 1;
        w
    }

    #[inline]
    fn words(&mut self) -> u64 {
        let low = self.word() as u64;
        low | (self.word() as u64) << 32
    }

    /// A number in [0, 1) with 53 random bits.
    #[inline]
    pub fn random(&mut self) -> f64 {
        (self.words() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number between `lo` and `hi`.
    #[inline]
    pub fn uniform(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.random()
    }

    /// An integer of `lo..=hi`, all equally likely. Panics if `lo > hi`.
    #[inline]
    pub fn integers(&mut self, lo: i64, hi: i64) -> i64 {
        assert!(lo <= hi, "integers: {lo} > {hi}");
        let last = hi.wrapping_sub(lo) as u64;
        lo.wrapping_add(self.up_to(last) as i64)
    }

    /// An integer of `0..=last`: the high half of a product (Lemire, 2019), drawn again where it would be biased.
    #[inline]
    fn up_to(&mut self, last: u64) -> u64 {
        if last < u32::MAX as u64 {
            let n = last as u32 + 1;
            let mut m = self.word() as u64 * n as u64;
            if (m as u32) < n {
                let bias = n.wrapping_neg() % n;
                while (m as u32) < bias {
                    m = self.word() as u64 * n as u64;
                }
            }
            m >> 32
        } else if last == u64::MAX {
            self.words()
        } else {
            let n = last + 1;
            let bias = n.wrapping_neg() % n;
            loop {
                let m = self.words() as u128 * n as u128;
                if m as u64 >= bias {
                    return (m >> 64) as u64;
                }
            }
        }
    }

    /// A standard normal number (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * math::ln(1.0 - self.random())).sqrt();
        radius * math::cos(std::f64::consts::TAU * self.random())
    }

    /// An index, as likely as its weight says (negative weights count as 0); any index if no weight is positive. Panics
    /// if there is none.
    pub fn choice(&mut self, weights: &[f64]) -> usize {
        assert!(!weights.is_empty(), "choice: no weights");
        let total: f64 = weights.iter().map(|w| w.max(0.0)).sum();
        let mut left = self.random();
        if !(total > 0.0 && total.is_finite()) {
            return ((left * weights.len() as f64) as usize).min(weights.len() - 1);
        }
        left *= total;
        let mut last = 0;
        for (i, &w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
            if left < w {
                return i;
            }
            left -= w;
            last = i;
        }
        // Rounding in the running difference can only end here.
        last
    }

    /// The numbers `0..n` in random order.
    pub fn shuffle(&mut self, n: u32) -> Vec<u32> {
        self.sample(n, n)
    }

    /// `k` different numbers of `0..n` in random order. Panics if `k > n`.
    pub fn sample(&mut self, n: u32, k: u32) -> Vec<u32> {
        assert!(k <= n, "sample: {k} of {n}");
        // The first k steps of a Fisher–Yates shuffle; a list of n is not worth making if few of them move.
        if n / 16 > k {
            let mut moved = std::collections::HashMap::new();
            return (0..k)
                .map(|i| {
                    let j = i + self.up_to((n - i - 1) as u64) as u32;
                    let at_i = moved.get(&i).copied().unwrap_or(i);
                    moved.insert(j, at_i).unwrap_or(j)
                })
                .collect();
        }
        let mut all: Vec<u32> = (0..n).collect();
        for i in 0..k {
            let j = i + self.up_to((n - i - 1) as u64) as u32;
            all.swap(i as usize, j as usize);
        }
        all.truncate(k as usize);
        all
    }

    /// A seed for a generator in the core, below 2⁵³, so that any reader of JSON keeps it.
    #[inline]
    pub fn seed(&mut self) -> u64 {
        self.words() >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the Random123 distribution.
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// The layout is part of the stream version: these values may not change.
    #[test]
    fn layout_is_fixed() {
        let mut s = Stream::new(7, 11);
        s.enter(13);
        let w = philox([11, 0, 13, 0], [7, 0]);
        let next = philox([11, 0, 13, 1], [7, 0]);
        assert_eq!(s.random(), ((w[0] as u64 | (w[1] as u64) << 32) >> 11) as f64 / (1u64 << 53) as f64);
        assert_eq!(s.integers(0, 99), (w[2] as i64 * 100) >> 32);
        assert_eq!(s.seed(), (w[3] as u64 | (next[0] as u64) << 32) >> 11);
        assert_eq!(s.integers(i64::MIN, i64::MAX), i64::MIN.wrapping_add(((next[2] as i64) << 32) | next[1] as i64));
    }

    #[test]
    fn a_node_does_not_see_the_others() {
        let mut a = Stream::new(1, 2);
        a.begin(5, 0.5);
        let first = a.random();
        a.begin(6, 0.5);
        a.random();
        assert!(!a.begin(5, 0.0) && a.random() == first);
        assert!(a.begin(5, 1.0) && a.random() == first);
        assert!(!a.begin(5, f64::NAN));
        let n = (0..10_000).filter(|&i| a.begin(i, 0.3)).count();
        assert!((2_800..3_200).contains(&n), "{n}");
    }

    #[test]
    fn keys_fold_without_collision() {
        let mut seen = std::collections::HashSet::new();
        for a in 0..100 {
            assert!(seen.insert(fold_call(3, &[a])));
            for b in 0..100 {
                assert!(seen.insert(fold_call(3, &[a, b])));
            }
        }
        assert_ne!(fold_call(3, &[1]), fold_call(4, &[1]));
        let mut nodes = std::collections::HashSet::new();
        assert!((0..2000).all(|c| nodes.insert(fold_path(0, c)) && nodes.insert(fold_path(1, c))));
    }

    #[test]
    fn integers_are_uniform_and_inclusive() {
        let mut s = Stream::new(1, 1);
        for (lo, hi) in [(0, 0), (-3, 3), (0, 6), (0, 255)] {
            let n = (hi - lo + 1) as usize;
            let mut count = vec![0f64; n];
            for _ in 0..1000 * n {
                count[(s.integers(lo, hi) - lo) as usize] += 1.0;
            }
            let chi2: f64 = count.iter().map(|c| (c - 1000.0) * (c - 1000.0) / 1000.0).sum();
            // Five standard deviations of a χ² with n − 1 degrees of freedom.
            assert!(chi2 <= n as f64 + 5.0 * (2.0 * n as f64).sqrt(), "{lo}..={hi}: {chi2}");
        }
        // A range of three quarters of 2³²: without rejection a third of the values would be twice as likely.
        let (top, n) = (3i64 << 30, 30_000);
        let low = (0..n).filter(|_| s.integers(0, top - 1) < top / 3).count();
        assert!((low as i64 - n / 3).abs() < 500, "{low}");
        for (lo, hi) in [(i64::MIN, i64::MAX), (-(1 << 40), 1 << 41), (i64::MAX, i64::MAX), (0, u32::MAX as i64)] {
            assert!((0..1000).all(|_| (lo..=hi).contains(&s.integers(lo, hi))));
        }
    }

    #[test]
    fn moments() {
        let mut s = Stream::new(9, 9);
        let n = 200_000;
        let (mut m1, mut m2, mut m4, mut u1, mut u2) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = s.normal();
            let u = s.uniform(-1.0, 1.0);
            (m1, m2, m4, u1, u2) = (m1 + z, m2 + z * z, m4 + z * z * z * z, u1 + u, u2 + u * u);
        }
        let n = n as f64;
        // Each bound is about five standard errors.
        assert!((m1 / n).abs() < 0.012 && (m2 / n - 1.0).abs() < 0.016 && (m4 / n - 3.0).abs() < 0.11);
        assert!((u1 / n).abs() < 0.007 && (u2 / n - 1.0 / 3.0).abs() < 0.004);
    }

    #[test]
    fn choice_follows_the_weights() {
        let mut s = Stream::new(2, 3);
        let mut count = [0; 4];
        for _ in 0..40_000 {
            count[s.choice(&[1.0, 0.0, 2.0, 1.0])] += 1;
        }
        assert_eq!(count[1], 0);
        assert!((count[0] - 10_000i32).abs() < 500 && (count[2] - 20_000).abs() < 500, "{count:?}");
        assert_eq!(s.choice(&[0.0, 3.0]), 1);
        assert!((0..100).all(|_| s.choice(&[0.0, 0.0]) < 2));
    }

    #[test]
    fn samples_are_distinct_and_both_ways_agree() {
        let mut s = Stream::new(2, 3);
        let mut all = s.shuffle(1000);
        assert_ne!(all, (0..1000).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        for (n, k) in [(5, 0), (0, 0), (100, 3), (4_000_000_000, 50), (1000, 62)] {
            let v = s.clone().sample(n, k);
            let distinct: std::collections::HashSet<_> = v.iter().collect();
            assert!(distinct.len() == k as usize && v.iter().all(|&x| x < n), "{n} {k}: {v:?}");
            if n <= 1000 {
                // The list form, spelled out.
                let mut t = s.clone();
                let mut list: Vec<u32> = (0..n).collect();
                for i in 0..k {
                    let j = t.integers(i as i64, n as i64 - 1);
                    list.swap(i as usize, j as usize);
                }
                assert_eq!(v, list[..k as usize]);
            }
        }
        let mut hits = [0; 10];
        for _ in 0..10_000 {
            s.sample(10, 3).into_iter().for_each(|i| hits[i as usize] += 1);
        }
        assert!(hits.iter().all(|&h: &i32| (h - 3000).abs() < 250), "{hits:?}");
    }

    #[test]
    #[ignore = "timing"]
    fn time_draws() {
        fn time(name: &str, mut f: impl FnMut()) {
            let best = (0..200)
                .map(|_| {
                    let t = std::time::Instant::now();
                    (0..1000).for_each(|_| f());
                    t.elapsed().as_nanos()
                })
                .min();
            println!("{name}: {} ns", best.unwrap() as f64 / 1000.0);
        }
        use std::hint::black_box;
        let mut s = Stream::new(1, 1);
        time("random", || assert!(black_box(s.random()) < 1.0));
        time("uniform", || assert!(black_box(s.uniform(1.0, 2.0)) > 0.0));
        time("integers", || assert!(black_box(s.integers(0, 99)) < 100));
        time("normal", || assert!(black_box(s.normal()) < 20.0));
        time("begin", || assert!(black_box(s.begin(black_box(5), 1.0))));
        time("shuffle 10", || assert!(black_box(s.shuffle(10)).len() == 10));
        time("fold_call 2", || assert!(black_box(fold_call(1, &[black_box(1), 2])) != 1));
    }
}
