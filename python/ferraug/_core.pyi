"""The Rust core: arrays in, arrays out, once. Everything here is private to ferraug; users see `ferraug`'s own names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

STREAM_VERSION: int
__version__: str

class InternalError(RuntimeError): ...
class LimitError(ValueError): ...
class DecodeError(ValueError): ...
class ConfigError(ValueError): ...
class UnsafePathError(ValueError): ...
class CropSizeError(ValueError): ...

class Layout:
    """What the keys of a call mean; made once per pipeline, frozen.

    kinds: target name -> image images mask masks volume volumes mask3d masks3d bboxes keypoints.
    boxes: (format, min_area, min_visibility, min_width, min_height, clip, filter_invalid_bboxes, max_accept_ratio or None);
           None = boxes are internal rows (normalised, 2.0.8's direct call), never filtered.
    keypoints: (format, remove_invisible, angle_in_degrees); None = internal rows x y z angle scale.
    """
    def __new__(
        cls,
        kinds: dict[str, str],
        boxes: tuple[str, float, float, float, float, bool, bool, float | None] | None = None,
        keypoints: tuple[str, bool, bool] | None = None,
        check_shapes: bool = True,
    ) -> Layout: ...
    def open(self, data: dict[str, Any]) -> Session:
        """Gates every array target in `data` (None values are skipped), checks sizes, parses boxes and keypoints. Reads
        only; `images`/`masks` lists are taken item by item. Raises TypeError, ValueError, LimitError."""

class Session:
    """The open lanes of one call, with their cursors in the op list."""
    w: int
    h: int
    d: int  # slices of the primary lane (1 for an image)
    c: int  # channels of the primary image lane (1 for 2-D); 0 if there is no image lane
    dtype: str  # of the primary image lane ("uint8", …); "" if there is none
    max_value: float  # 255, 65535, 1.0 …; 0.0 if the dtype has none
    def look(self) -> tuple[int, int, int, int, str, float]:
        """w, h, d, c, dtype and max_value in one crossing."""
    has_boxes: bool
    has_keypoints: bool
    has_mask: bool  # mask or non-empty masks
    # questions: advance only the asked lane to the end of `ops` (the list emitted so far, from the beginning)
    def boxes(self, ops: list[tuple[Any, ...]]) -> list[tuple[float, float, float, float, int]]:
        """Rows of target "bboxes": pixel edges x0 y0 x1 y1, source index."""
    def keypoints(self, ops: list[tuple[Any, ...]]) -> list[tuple[float, float, float, float, float, int]]:
        """Rows of target "keypoints": x y z angle(rad) scale, source index."""
    def nonzero(
        self, ops: list[tuple[Any, ...]], ignore_values: Sequence[int] | None, ignore_channels: Sequence[int] | None
    ) -> int:
        """Non-zero pixels of `mask` (or of all `masks`, OR-ed), after zeroing values and dropping channels."""
    def nonzero_at(self, rank: int) -> tuple[int, int]:
        """(x, y) of the pixel of that rank in row-major order, of the last `nonzero`."""
    def add_input(self, value: Any) -> int:
        """Takes a mask that is no target of the call; ops name it by the number returned."""
    # user code: a cut of one lane
    def array(self, ops: list[tuple[Any, ...]], target: str) -> Any:
        """The lane's content at the end of `ops`: an ndarray of the caller's rank (a list of them for list targets) that
        Python may keep."""
    def put(self, target: str, value: Any) -> None:
        """Replaces the lane's content (size, channels and dtype may change); its cursor stays."""
    def rows(self, ops: list[tuple[Any, ...]], target: str) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
        """Rows of a box target (N, 4: normalised x0 y0 x1 y1) or keypoint target (N, 5), and their source indices."""
    def put_rows(self, target: str, rows: NDArray[np.float64], index: Sequence[int]) -> None: ...
    def set_size(self, w: int, h: int, d: int) -> None:
        """The frame after `put` changed it: rows lie in it from then on."""
    def size(self, ops: list[tuple[Any, ...]]) -> tuple[int, int, int]:
        """(w, h, d) after `ops`."""
    def finish(
        self,
        ops: list[tuple[Any, ...]],
        data: dict[str, Any],
        out: NDArray[Any] | None = None,
        fused: bool = True,
    ) -> dict[str, list[int]] | None:
        """Runs every lane to its end and writes the results over the targets in `data` (untouched contiguous arrays stay
        the same objects). Box and keypoint rows go back to the caller's format and container, extra columns re-attached
        by source index. Returns, for every box and keypoint target, the source index of each remaining row; None if the
        call has neither.
        fused=False runs the plain executor (the oracle): one op at a time."""

class Draw:
    """The numbers of one call: Philox4x32-10 keyed by (seed, call key, node, draw)."""
    key: tuple[int, ...]
    def __new__(cls, seed: int, key: tuple[int, ...]) -> Draw: ...
    def begin(self, node: int, p: float) -> bool:
        """Re-keys to the node and decides p."""
    def enter(self, node: int) -> None:
        """Re-keys to the node (decides nothing)."""
    def random(self) -> float: ...
    def uniform(self, lo: float, hi: float) -> float: ...
    def within(self, range: tuple[float, float]) -> float:
        """`uniform(*range)`."""
    def integers(self, lo: int, hi: int) -> int:
        """lo ≤ n ≤ hi."""
    def normal(self, mean: float = 0.0, std: float = 1.0) -> float: ...
    def choice(self, weights: Sequence[float]) -> int: ...
    def shuffle(self, n: int) -> list[int]: ...
    def sample(self, n: int, k: int) -> list[int]:
        """k distinct of 0..n, in drawn order."""
    def seed(self) -> int:
        """An integer below 2**53 for the core's own generators."""
    def seed64(self) -> int:
        """64 bits, for users' random.Random and NumPy generators."""

class Calls:
    """The sequence of calls to one node, safe to share between threads."""
    count: int
    def __new__(cls, seed: int, first: int) -> Calls: ...
    def next(self, worker: int) -> Draw:
        """The numbers of the next call, keyed (n,), or (n, worker) if that is not 0."""

def fold_node(parent: int, child: int) -> int:
    """Node id (u32) of child number `child` of a node; also folds the number of a pick."""

# maths with one result on every CPU
def exp(x: float) -> float: ...
def ln(x: float) -> float: ...
def pow(x: float, y: float) -> float: ...
def sin(x: float) -> float: ...
def cos(x: float) -> float: ...
def tan(x: float) -> float: ...
def atan2(y: float, x: float) -> float: ...
def affine(
    angle: float, sx: float, sy: float, shear_x: float, shear_y: float, tx: float, ty: float, cx: float, cy: float
) -> tuple[float, float, float, float, float, float]:
    """T(c)·T(t)·Sh·R·S·T(−c), degrees, forward, row-major 2×3 (pixel-centre coordinates)."""

def fit_output(
    matrix: tuple[float, ...], w: int, h: int
) -> tuple[tuple[float, float, float, float, float, float], int, int]:
    """Affine(fit_output=True): the matrix moved so that the whole image shows, and the canvas (w, h)."""

def inner_rect(w: int, h: int, angle: float) -> tuple[int, int, int, int]:
    """Rotate(crop_border=True): largest axis-aligned rectangle (x, y, w, h) inside the rotated image."""

def perspective(
    w: int, h: int, corners: tuple[float, ...], keep_size: bool, fit_output: bool
) -> tuple[list[float], int, int, float, float]:
    """Perspective: 8 jittered corner fractions tl tr br bl (x, y each) -> forward matrix (9), output w, h, keypoint scale
    and turn."""

def grid_steps(n: int, size: int, steps: Sequence[float], normalized: bool) -> list[float]:
    """GridDistortion: the step factors of one axis as the Map `axes` carries them."""

def explain(
    ops: list[tuple[Any, ...]], w: int, h: int, d: int, c: int, dtype: str, target: str = "image"
) -> str: ...
def op_names() -> list[str]: ...
def isa() -> str: ...
def set_isa(name: str) -> str:
    """For tests and benches: lowers (or restores) the SIMD level; returns the level in use."""

def panic_on_purpose(detached: bool) -> None:
    """For the tests of the doorway: always InternalError."""

# data-set command: geometry of annotations from a record's ops, nothing filtered
def trace_boxes(
    ops: Sequence[Any], size: tuple[int, int], boxes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]: ...
def trace_points(
    ops: Sequence[Any], size: tuple[int, int], points: NDArray[np.float64], edge: bool
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]: ...
def trace_rings(
    ops: Sequence[Any], size: tuple[int, int], rings: Sequence[NDArray[np.float64]]
) -> tuple[list[tuple[int, NDArray[np.float64]]], list[float]]: ...
def trace_outlines(
    ops: Sequence[Any], size: tuple[int, int], objects: Sequence[Sequence[NDArray[np.float64]]]
) -> list[tuple[int, float, list[tuple[int, NDArray[np.float64]]]]]: ...
def rle_decode(counts: Sequence[int], h: int, w: int) -> NDArray[np.uint8]: ...
def rle_encode(mask: NDArray[np.uint8]) -> list[int]: ...
def rle_to_string(counts: Sequence[int]) -> str: ...
def rle_from_string(text: str) -> list[int]: ...
def decode(data: bytes) -> tuple[NDArray[Any], dict[str, Any]]: ...
def decode_raw(data: bytes) -> tuple[NDArray[Any], dict[str, Any]]: ...
def probe(data: bytes) -> dict[str, Any]: ...
def encode_jpeg(array: NDArray[np.uint8], quality: int = 95, subsampling: int = 420) -> bytes: ...
def encode_png(
    array: NDArray[Any],
    *,
    bits: int | None = None,
    palette: bytes | None = None,
    transparency: bytes | None = None,
    balanced: bool = False,
) -> bytes: ...
def encode_webp(array: NDArray[np.uint8]) -> bytes: ...
