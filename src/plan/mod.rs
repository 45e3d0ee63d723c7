//! HOW: the op list of one lane becomes few stages.
//!
//! A stage is source → row steps → sink. Views fold into the stage's window, row steps chain, a crop after a source is
//! pulled into it so that only what is kept is computed, a flip after it is left to the sink, a tap starts a stage of its own because it must see the whole
//! image first. The plan never sees a pixel; running it gives the bytes that running the ops one by one gives.
//!
//! Each rewrite has a switch in [`Rewrites`] and its reason in the file that does it.

mod explain;
mod hsv;
mod pull;
mod tables;
mod turn;
mod views;

pub use explain::explain;

use crate::error::{Error, Result};
use crate::image::{DType, Shape, Window};
use crate::op::{At, Join, Op, Pixels, Role, Source, Span, Step, Tap, grid, outside};

/// Which rewrites the planner may use. All on, unless a test looks at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrites {
    /// window ∘ window, and flips moved before place-free steps.
    pub views: bool,
    /// A crop pulled into the source before it.
    pub pull: bool,
    /// A flip pulled into the stage before it.
    pub turn: bool,
    /// table ∘ table.
    pub tables: bool,
    /// rgb→hsv, shift, hsv→rgb as one step.
    pub hsv: bool,
    /// Brackets of row steps as one nested step.
    pub nest: bool,
}

impl Rewrites {
    /// None: every op that touches pixels is a stage or a step of its own.
    pub const NONE: Rewrites =
        Rewrites { views: false, pull: false, turn: false, tables: false, hsv: false, nest: false };
}

impl Default for Rewrites {
    fn default() -> Self {
        Rewrites { views: true, pull: true, turn: true, tables: true, hsv: true, nest: true }
    }
}

/// What a lane is when its list begins.
#[derive(Clone, Copy, Debug)]
pub struct LaneInfo {
    /// Size and element type.
    pub shape: Shape,
    /// Image or mask.
    pub role: Role,
    /// True if slices are a third spatial axis.
    pub volume: bool,
    /// The element type that the lane came with, to which `work("own")` goes back.
    pub own: DType,
    /// True if the result has its layout already: no image op may follow.
    pub planar: bool,
}

/// A buffer of the plan: 0 is the input, the last is the output, those between are scratch.
pub type Buffer = usize;

/// A row step and where its frame begins.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The step.
    pub step: Step,
    /// Origin (z, y, x) of the frame that the step saw, in the coordinates of the stage's source.
    pub base: [usize; 3],
}

/// The reduction at the head of a stage.
#[derive(Clone, Debug)]
pub struct Head {
    /// What is computed.
    pub tap: Tap,
    /// Over what.
    pub span: Span,
    /// The op, under which lanes share a `first` result.
    pub op: usize,
    /// What is read: the window before any later crop.
    pub window: Window,
}

/// An image kept by an aside.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it lies.
    pub buffer: Buffer,
    /// What of it.
    pub window: Window,
    /// Its channels and element type.
    pub shape: Shape,
}

/// One pass over the pixels.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Reads this buffer …
    pub input: Buffer,
    /// … of this shape …
    pub in_shape: Shape,
    /// … through this window …
    pub window: Window,
    /// … whose rows a source turns into others, if there is one.
    pub source: Option<Source>,
    /// A reduction of the window, which becomes the first step.
    pub head: Option<Head>,
    /// Then each row goes through these.
    pub steps: Vec<Placed>,
    /// Images that `JoinKept` steps read.
    pub kept: Vec<Kept>,
    /// Origin (z, y, x) of the part that is computed, in the frame of the source.
    pub origin: [usize; 3],
    /// Slices, rows, pixels of a row are stored in reverse: the stage ends with a flip.
    pub flip: [bool; 3],
    /// Size, channels and element type of what is written.
    pub out: Shape,
    /// Channels are written first.
    pub planar: bool,
    /// Writes this buffer.
    pub output: Buffer,
    /// Indices of the ops it runs.
    pub ops: Vec<usize>,
    /// Why it stands apart from the stage before.
    pub why: &'static str,
}

/// The stages of one lane.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In order.
    pub stages: Vec<Stage>,
    /// What comes out (channels and size; planar if the last stage says so).
    pub out: Shape,
    /// True if channels come first.
    pub planar: bool,
    /// The element type to which `work("own")` goes back after these ops.
    pub own: DType,
}

impl Plan {
    /// True if the lane comes back as it went in.
    pub fn is_untouched(&self) -> bool {
        self.stages.is_empty()
    }

    /// Estimated nanoseconds of work, for the decision to let go of the GIL.
    pub fn cost(&self) -> f64 {
        let stage = |s: &Stage| {
            let n = s.out.len() as f64;
            let source = match &s.source {
                None => 0.1,
                Some(Source::Resize { .. }) => 0.4,
                Some(Source::Warp { .. }) => 0.6,
                Some(Source::Separable { kernel }) => 0.1 * kernel.len() as f64,
                Some(Source::Conv { weights, .. }) => 0.1 * weights.len() as f64,
            };
            let head = if s.head.is_some() { 0.5 } else { 0.0 };
            let step = |p: &Placed| match p.step {
                Step::Table(_) | Step::Paint { .. } => 0.1,
                Step::Noise(_) => 1.0,
                _ => 0.3,
            };
            n * (source + head + s.steps.iter().map(step).sum::<f64>())
        };
        self.stages.iter().map(stage).sum()
    }
}

impl Stage {
    /// A stage that reads a whole image of that shape, for the plain executor.
    pub fn reading(shape: Shape) -> Stage {
        Stage::new(0, shape, "")
    }

    fn new(input: Buffer, shape: Shape, why: &'static str) -> Stage {
        Stage {
            input,
            in_shape: shape,
            window: Window::whole(&shape),
            source: None,
            head: None,
            steps: Vec::new(),
            kept: Vec::new(),
            origin: [0; 3],
            flip: [false; 3],
            out: shape,
            planar: false,
            output: usize::MAX,
            ops: Vec::new(),
            why,
        }
    }
    /// True if it only reads a window.
    fn is_bare(&self) -> bool {
        self.source.is_none() && self.head.is_none() && self.steps.is_empty() && !self.planar && !self.is_turned()
    }
    fn is_identity(&self) -> bool {
        self.is_bare() && self.window.is_whole(&self.in_shape)
    }
}

struct Aside {
    /// `None` if the join takes the new image alone.
    kept: Option<Kept>,
    /// Shape to restore the channels of.
    shape: Shape,
}

struct Planner<'a> {
    ops: &'a [Op],
    lane: LaneInfo,
    rewrites: Rewrites,
    stages: Vec<Stage>,
    open: Stage,
    asides: Vec<Aside>,
    next_buffer: Buffer,
}

/// Plans `ops[from..]` for a lane.
pub fn plan(ops: &[Op], from: usize, lane: LaneInfo, rewrites: Rewrites) -> Result<Plan> {
    let mut p = Planner {
        ops,
        lane,
        rewrites,
        // Most lists become one or two stages; growing to four would ask for over a kilobyte.
        stages: Vec::with_capacity(2),
        open: Stage::new(0, lane.shape, "the input"),
        asides: Vec::new(),
        next_buffer: 1,
    };
    if lane.planar {
        return laid_out(ops, from, lane);
    }
    let mask = lane.role == Role::Mask;
    let mut i = from;
    let mut open: i32 = if mask { ops[..from].iter().map(Op::nesting).sum() } else { 0 };
    loop {
        if mask {
            i = outside(ops, i, std::mem::take(&mut open));
        }
        if i >= ops.len() {
            break;
        }
        i = p.take(i).map_err(|e| e.at(i))?;
    }
    if !p.asides.is_empty() {
        return Err(Error::value("aside without its join"));
    }
    Ok(p.finish())
}

/// The plan of a lane that user code got channels first: nothing is left to be done, or an error.
fn laid_out(ops: &[Op], from: usize, lane: LaneInfo) -> Result<Plan> {
    let at = At { shape: lane.shape, role: lane.role, volume: lane.volume };
    for (i, op) in ops.iter().enumerate().skip(from) {
        if !matches!(op.pixels(&at), Ok(Pixels::Pass)) {
            return Err(Error::type_(AFTER_LAYOUT).at(i));
        }
    }
    Ok(Plan { stages: Vec::new(), out: lane.shape, planar: false, own: lane.own })
}

const AFTER_LAYOUT: &str = "no image op can follow the layout of the result";

impl Planner<'_> {
    fn at(&self) -> At {
        At { shape: self.open.out, role: self.lane.role, volume: self.lane.volume }
    }

    /// Takes op number `i` (or a whole bracket) and returns the number of the next.
    fn take(&mut self, i: usize) -> Result<usize> {
        let pixels = self.ops[i].pixels(&self.at())?;
        if matches!(pixels, Pixels::Pass) {
            return Ok(i + 1);
        }
        if self.open.planar {
            return Err(Error::type_(AFTER_LAYOUT));
        }
        if let Op::Grid(grid::Grid::Crop { z: Some(_), .. } | grid::Grid::Pad { front: Some(_), .. }) = &self.ops[i]
            && !self.lane.volume
        {
            return Err(Error::type_("this op moves slices; only volumes have a third axis"));
        }
        match pixels {
            Pixels::Pass => {}
            Pixels::Crop(off, n) => self.crop(off, n),
            Pixels::Orient(perm, flip) => {
                if perm[0] != 0 && !self.lane.volume {
                    return Err(Error::type_("this op moves slices; only volumes have a third axis"));
                }
                self.orient(perm, flip);
            }
            Pixels::Pad(before, n, border, fill) => {
                // The fill must fit the channels even if nothing is read from the border.
                fill.check(self.open.out.c)?;
                self.pad(before, n, border, &fill);
            }
            Pixels::Source(source) => self.source(source)?,
            Pixels::Row(step) => self.step(step),
            Pixels::Tap(tap) => self.tap(tap, self.ops[i].span().unwrap_or(Span::Slice), i),
            Pixels::Aside(channels) => return self.aside(i, channels),
            Pixels::Join(join) => self.join(join)?,
            Pixels::Layout => self.open.planar = true,
        }
        if self.ops[i].is_lasting() {
            self.lane.own = self.open.out.dtype;
        }
        self.open.ops.push(i);
        Ok(i + 1)
    }

    fn close(&mut self, why: &'static str) {
        let shape = self.open.out;
        let buffer = self.next_buffer;
        self.next_buffer += 1;
        self.open.output = buffer;
        let next = Stage::new(buffer, shape, why);
        self.stages.push(std::mem::replace(&mut self.open, next));
    }

    fn source(&mut self, source: Source) -> Result<()> {
        if !self.open.is_bare() {
            self.close("resampling and stencils read a stored image");
        } else if self.open.window.as_crop().is_none() {
            self.close("resampling and stencils read rows in order; the flip or pad before them is stored");
        }
        let out = &mut self.open.out;
        match &source {
            Source::Resize { w, h, .. } | Source::Warp { w, h, .. } => (out.w, out.h) = (*w, *h),
            _ => {}
        }
        if let Source::Warp { fill, .. } = &source {
            fill.check(out.c)?;
        }
        // Weights of either sign leave the range: bytes saturate, floats are clipped.
        let clips = matches!(source, Source::Conv { .. }) && out.dtype == DType::F32;
        self.open.origin = [0; 3];
        self.open.source = Some(source);
        if clips {
            self.step(Step::Clamp(0.0, 1.0));
        }
        Ok(())
    }

    fn step(&mut self, step: Step) {
        let step = match step {
            Step::Own if self.open.out.dtype == self.lane.own => return,
            Step::Own => Step::Cast { to: self.lane.own, max: 255.0 },
            step => step,
        };
        if !step.is_place_free() {
            self.end_turn();
        }
        if self.rewrites.tables && tables::merge(&mut self.open.steps, &step) {
            return;
        }
        self.open.out = step.shape_after(self.open.out);
        let base = self.open.origin;
        self.open.steps.push(Placed { step, base });
        if self.rewrites.hsv {
            hsv::merge(&mut self.open.steps);
        }
    }

    fn tap(&mut self, tap: Tap, span: Span, op: usize) {
        if !self.open.is_bare() {
            self.close("statistics need the whole image first");
        }
        let out = &mut self.open.out;
        match &tap {
            Tap::Standardize(_) => out.dtype = DType::F32,
            Tap::PcaGray { channels } => out.c = *channels,
            _ => {}
        }
        let window = self.open.window.clone();
        self.open.head = Some(Head { tap, span, op, window });
    }

    /// A bracket: one nested step if its body is row steps only, else the image is kept.
    fn aside(&mut self, i: usize, channels: Option<Vec<usize>>) -> Result<usize> {
        if self.rewrites.nest
            && let Some((step, next, ops)) = self.nest(i, self.at())?
        {
            self.step(step);
            self.open.ops.extend(ops);
            return Ok(next);
        }
        let shape = self.open.out;
        let takes = matches!(self.matching_join(i)?, Op::Mix(crate::op::mix::Mix::Join { rule, .. }) if rule == "take");
        let kept = if takes {
            None
        } else {
            if !self.open.is_bare() {
                self.close("an image that is joined later is stored");
            }
            Some(Kept { buffer: self.open.input, window: self.open.window.clone(), shape })
        };
        self.asides.push(Aside { kept, shape });
        if let Some(list) = channels {
            let index = list.iter().map(|c| *c as i32).collect();
            self.step(Step::Channels { index, fill: vec![0; shape.dtype.size()] });
        }
        self.open.ops.push(i);
        Ok(i + 1)
    }

    fn matching_join(&self, i: usize) -> Result<&Op> {
        let mut depth = 0;
        for op in &self.ops[i..] {
            depth += op.nesting();
            if depth == 0 {
                return Ok(op);
            }
        }
        Err(Error::value("aside without its join"))
    }

    /// The bracket that opens at `i` as one step, if its body is row steps only: the step, the next op, the ops inside.
    fn nest(&self, i: usize, at: At) -> Result<Option<(Step, usize, Vec<usize>)>> {
        let Pixels::Aside(channels) = self.ops[i].pixels(&at)? else { return Ok(None) };
        let mut inner = at;
        if let Some(list) = &channels {
            inner.shape.c = list.len();
        }
        let (mut body, mut ops, mut k) = (Vec::new(), vec![i], i + 1);
        while k < self.ops.len() {
            match self.ops[k].pixels(&inner).map_err(|e| e.at(k))? {
                Pixels::Pass => {}
                Pixels::Row(step) if step.is_place_free() && !matches!(step, Step::Own) => {
                    inner.shape = step.shape_after(inner.shape);
                    body.push(step);
                }
                Pixels::Aside(_) => {
                    let Some((step, next, more)) = self.nest(k, inner)? else { return Ok(None) };
                    body.push(step);
                    ops.extend(more);
                    k = next;
                    continue;
                }
                Pixels::Join(join) => {
                    ops.push(k);
                    check_join(&join, channels.as_deref(), at.shape, inner.shape)?;
                    return Ok(Some((Step::Nest { channels, body, join }, k + 1, ops)));
                }
                _ => return Ok(None),
            }
            ops.push(k);
            k += 1;
        }
        Err(Error::value("aside without its join"))
    }

    fn join(&mut self, join: Join) -> Result<()> {
        let Some(aside) = self.asides.pop() else { return Err(Error::value("join without its aside")) };
        check_joined(&join, aside.shape, self.open.out)?;
        if join == Join::Take {
            return Ok(());
        }
        let kept = aside.kept.ok_or_else(|| Error::internal("a kept image was dropped"))?;
        self.end_turn();
        let number = self.open.kept.len();
        self.open.kept.push(kept);
        self.step(Step::JoinKept { kept: number, join, channels: aside.shape.c });
        Ok(())
    }

    fn finish(mut self) -> Plan {
        let identity = self.open.is_identity();
        if !identity {
            self.close("");
        }
        let (out, planar) = match self.stages.last() {
            Some(s) => (s.out, s.planar),
            None => (self.open.out, false),
        };
        Plan { stages: self.stages, out, planar, own: self.lane.own }
    }
}

/// An error unless a kept image and what became of it can be joined.
pub fn check_joined(join: &Join, kept: Shape, new: Shape) -> Result<()> {
    if (new.w, new.h, new.d) != (kept.w, kept.h, kept.d) {
        return Err(Error::value(format!(
            "join: the image is {}×{}, the one kept aside {}×{}",
            new.w, new.h, kept.w, kept.h
        )));
    }
    let channels = if let Join::Put(list) = join { Some(list.as_slice()) } else { None };
    check_join(join, channels, kept, new)
}

fn check_join(join: &Join, channels: Option<&[usize]>, kept: Shape, new: Shape) -> Result<()> {
    let fits = match join {
        Join::Take => true,
        Join::Lerp(..) => (kept.c, kept.dtype) == (new.c, new.dtype),
        Join::Put(list) => {
            channels.is_none_or(|c| c.len() == list.len())
                && list.len() == new.c
                && kept.dtype == new.dtype
                && list.iter().all(|c| *c < kept.c)
        }
    };
    if fits {
        return Ok(());
    }
    Err(Error::value(format!(
        "join: {} channels of {} do not fit the kept {} of {}",
        new.c,
        new.dtype.name(),
        kept.c,
        kept.dtype.name()
    )))
}
