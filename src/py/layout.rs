//! What the keys of a call mean, and how a call's lanes are opened.

use super::buffer::Axes;
use super::enter::guard;
use super::lane::{Content, Lane};
use super::rows::{BoxLane, BoxRules, PointLane, PointRules};
use super::session::Session;
use crate::geom::{BoxFilter, BoxFormat, PointFormat};
use crate::op::Role;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What a target name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Array { role: Role, axes: Axes, volume: bool, list: bool },
    Boxes,
    Points,
}

impl Kind {
    fn from_name(name: &str) -> Option<Kind> {
        let array = |role, axes, volume, list| Kind::Array { role, axes, volume, list };
        Some(match name {
            "image" => array(Role::Image, Axes::Image, false, false),
            "images" => array(Role::Image, Axes::Stack, false, true),
            "mask" => array(Role::Mask, Axes::Image, false, false),
            "masks" => array(Role::Mask, Axes::Stack, false, true),
            "volume" => array(Role::Image, Axes::Stack, true, false),
            "volumes" => array(Role::Image, Axes::Stacks, true, false),
            "mask3d" => array(Role::Mask, Axes::Stack, true, false),
            "masks3d" => array(Role::Mask, Axes::Stacks, true, false),
            "bboxes" => Kind::Boxes,
            "keypoints" => Kind::Points,
            _ => return None,
        })
    }
    /// Image lanes before masks, single ones before stacks, 2.0.8's names before additional ones: the first lane is the
    /// primary one.
    fn rank(self, name: &str) -> u8 {
        match self {
            Kind::Array { role: Role::Image, .. } if Kind::from_name(name).is_none() => 3,
            Kind::Array { role: Role::Image, axes: Axes::Image, .. } => 0,
            Kind::Array { role: Role::Image, volume: false, .. } => 1,
            Kind::Array { role: Role::Image, .. } => 2,
            Kind::Array { .. } => 4,
            _ => 5,
        }
    }
}

/// What the keys of a call mean; made once per pipeline.
#[pyclass(frozen, module = "ferraug._core")]
pub struct Layout {
    /// Interned names first: keywords of a call are, so that a name is mostly found by its address.
    kinds: Vec<(Py<PyString>, String, Kind)>,
    pub boxes: Option<BoxRules>,
    pub points: Option<PointRules>,
    check_shapes: bool,
}

type BoxTuple = (String, f64, f64, f64, f64, bool, bool, Option<f64>);

impl Layout {
    fn kind(&self, key: &Bound<'_, PyString>) -> Option<Kind> {
        if let Some((_, _, kind)) = self.kinds.iter().find(|(name, _, _)| name.as_ptr() == key.as_ptr()) {
            return Some(*kind);
        }
        let key = key.to_str().ok()?;
        self.kinds.iter().find(|(_, name, _)| name == key).map(|(_, _, kind)| *kind)
    }

    fn check(&self, lanes: &[Lane], py: Python<'_>) -> PyResult<()> {
        let [first, rest @ ..] = lanes else { return Ok(()) };
        let a = first.content.shape();
        for lane in rest {
            let b = lane.content.shape();
            if (a.h, a.w) != (b.h, b.w) {
                return Err(PyValueError::new_err(format!(
                    "{}: ({}, {}) vs {} ({}, {}): height and width of image, mask and masks must be equal; \
                     is_check_shapes=False turns this check off",
                    lane.name(py),
                    b.h,
                    b.w,
                    first.name(py),
                    a.h,
                    a.w
                )));
            }
        }
        let mut volumes = lanes.iter().filter(|l| l.volume);
        if let Some(v) = volumes.next()
            && let Some(other) = volumes.find(|l| l.content.depth() != v.content.depth())
        {
            return Err(PyValueError::new_err(format!(
                "{}: depth {} vs {} depth {}: depth, height and width of volumes must be equal",
                other.name(py),
                other.content.depth(),
                v.name(py),
                v.content.depth()
            )));
        }
        Ok(())
    }

    fn session(slf: &Bound<'_, Self>, data: &Bound<'_, PyDict>) -> PyResult<Session> {
        let (py, this) = (slf.py(), slf.get());
        // Most calls have one array; room for four would be a large block, which the allocator is slow with.
        let mut lanes: Vec<Lane> = Vec::with_capacity(1);
        let mut rows = Vec::new();
        for (key, value) in data.iter() {
            let Ok(key) = key.cast_into::<PyString>() else { continue };
            let Some(kind) = this.kind(&key) else { continue };
            let Kind::Array { role, axes, volume, list } = kind else {
                if !value.is_none() {
                    rows.push((key, kind, value));
                }
                continue;
            };
            let name = key.to_str()?;
            if value.is_none() && name != "image" {
                continue;
            }
            if let Some(content) = Content::open(&value, name, axes, list)? {
                let own = content.shape().dtype;
                let (key, rank) = (key.unbind(), 0);
                lanes.push(Lane {
                    key,
                    rank,
                    role,
                    axes,
                    volume,
                    own,
                    content,
                    cursor: 0,
                    kept: Vec::new(),
                    planar: false,
                });
            }
        }
        if lanes.len() > 1 {
            for lane in &mut lanes {
                let name = lane.name(py);
                lane.rank = this.kind(lane.key.bind(py)).map_or(u8::MAX, |kind| kind.rank(name));
            }
            lanes.sort_by_key(|l| l.rank);
            if this.check_shapes {
                this.check(&lanes, py)?;
            }
        }
        let deep = lanes.iter().find(|l| l.volume).map(|l| l.content.depth());
        let size = lanes.first().map(|l| l.content.shape()).map(|s| (s.w, s.h, deep.unwrap_or(1)));
        let (mut boxes, mut points) = (Vec::new(), Vec::new());
        for (key, kind, value) in rows {
            let name = key.to_str()?;
            let Some(size) = size else {
                return Err(PyTypeError::new_err(format!(
                    "{name}: an image, mask or volume must come with it, to know the size"
                )));
            };
            if kind == Kind::Boxes {
                let lane = BoxLane::open(&value, name, this.boxes.as_ref(), size)?;
                boxes.push((key.unbind(), lane));
            } else {
                let lane = PointLane::open(&value, name, this.points.as_ref(), size, deep.is_some())?;
                points.push((key.unbind(), lane));
            }
        }
        Ok(Session::new(slf.clone().unbind(), size, lanes, boxes, points))
    }
}

#[pymethods]
impl Layout {
    #[new]
    #[pyo3(signature = (kinds, boxes = None, keypoints = None, check_shapes = true))]
    fn new(
        kinds: &Bound<'_, PyDict>,
        boxes: Option<BoxTuple>,
        keypoints: Option<(String, bool, bool)>,
        check_shapes: bool,
    ) -> PyResult<Layout> {
        let mut out = Vec::with_capacity(kinds.len());
        for (name, kind) in kinds.iter() {
            let (name, kind) = (name.extract::<String>()?, kind.extract::<String>()?);
            let known =
                Kind::from_name(&kind).ok_or_else(|| PyValueError::new_err(format!("unknown target kind {kind:?}")))?;
            out.push((PyString::intern(kinds.py(), &name).unbind(), name, known));
        }
        let boxes = boxes
            .map(|(format, min_area, min_visibility, min_width, min_height, clip, filter_invalid, max_accept_ratio)| {
                let format = BoxFormat::from_name(&format).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "unknown box format {format:?}; coco, pascal_voc, albumentations or yolo"
                    ))
                })?;
                let filter = BoxFilter { min_area, min_visibility, min_width, min_height, max_accept_ratio };
                PyResult::Ok(BoxRules { format, filter, clip, filter_invalid })
            })
            .transpose()?;
        let points = keypoints
            .map(|(format, remove_invisible, degrees)| {
                let format = PointFormat::from_name(&format).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "unknown keypoint format {format:?}; xy, yx, xya, xys, xyas, xysa or xyz"
                    ))
                })?;
                PyResult::Ok(PointRules { format, remove_invisible, degrees })
            })
            .transpose()?;
        Ok(Layout { kinds: out, boxes, points, check_shapes })
    }

    /// Opens the lanes of a call.
    fn open(slf: Bound<'_, Self>, data: &Bound<'_, PyDict>) -> PyResult<Session> {
        guard(|| Layout::session(&slf, data))
    }
}
