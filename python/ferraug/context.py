"""What a transform sees while it draws: the image as it then is, numbers to draw, and words to say.

The context follows the size, channels and dtype of the primary lane along the list of ops, so that a transform never
asks for pixels to know where it stands. It also puts the filters of a pipeline in their places.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ferraug import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from ferraug.rows import Made

Op = tuple[Any, ...]
Fill = float | str | tuple[Any, ...]

# ops after which a box or a point may lie elsewhere, or be gone
MOVING = frozenset(
    ("crop", "pad", "orient", "tiles", "resize", "warp", "morph", "collage")
)  # `paint` and `call` only if they say so
AREA = 3
NO_ROWS: Mapping[str, list[Made]] = MappingProxyType({})


class Blank:
    """Stands in for the open lanes when a pipeline is explained without data."""

    has_boxes = has_keypoints = has_mask = True
    mixed = False

    def __init__(self, w: int, h: int, d: int, c: int, dtype: str, max_value: float) -> None:
        self.w, self.h, self.d, self.c = w, h, d, c
        self.dtype, self.max_value = dtype, max_value

    def look(self) -> tuple[int, int, int, int, str, float]:
        return self.w, self.h, self.d, self.c, self.dtype, self.max_value

    def boxes(self, ops: list[Op]) -> list[tuple[float, float, float, float, int]]:
        return []

    def keypoints(self, ops: list[Op]) -> list[tuple[float, float, float, float, float, int]]:
        return []

    def nonzero(self, ops: list[Op], values: Sequence[int] | None, channels: Sequence[int] | None) -> int:
        return 0

    def add_input(self, value: Any) -> int:
        return 0

    def array(self, ops: list[Op], target: str) -> Any:
        return None

    def nonzero_at(self, rank: int) -> tuple[int, int]:
        return 0, 0


class Context:
    """One call of a pipeline while its numbers are drawn."""

    __slots__ = (
        "c", "clean", "d", "data", "draw", "dtype", "due", "filters", "h", "inside", "made", "marks", "max_value",
        "ops", "root", "session", "w", "wrap",
    )  # fmt: skip

    # maths with one result on every CPU; `math`'s own functions are the C library's
    exp = staticmethod(_core.exp)
    ln = staticmethod(_core.ln)
    pow = staticmethod(_core.pow)
    sin = staticmethod(_core.sin)
    cos = staticmethod(_core.cos)
    tan = staticmethod(_core.tan)
    atan2 = staticmethod(_core.atan2)
    sqrt = staticmethod(math.sqrt)
    affine = staticmethod(_core.affine)
    fit_output = staticmethod(_core.fit_output)
    inner_rect = staticmethod(_core.inner_rect)
    perspective = staticmethod(_core.perspective)
    grid_steps = staticmethod(_core.grid_steps)

    def __init__(self, session: Any, draw: _core.Draw, data: dict[str, Any], root: Any) -> None:
        self.session = session
        self.draw = draw
        self.data = data
        self.root = root  # of the node that was called
        self.ops: list[Op] = []
        self.marks: list[tuple[Any, int, int]] = []  # (step, first op, last op + 1) of every transform that fired
        # of the primary lane as the last op leaves it: width, height, slices, channels, dtype and its highest value
        self.w: int
        self.h: int
        self.d: int
        self.c: int
        self.dtype: str
        self.max_value: float
        self.w, self.h, self.d, self.c, self.dtype, self.max_value = session.look()
        self.filters: Op | None = None  # what the pipeline filters after each child, and where that stands
        self.due = False  # a filter goes before the next op that moves something
        self.clean = False  # nothing moved since the last filter
        self.inside = 0  # open asides: what moves there moves the image only
        self.wrap: Callable[[Any], Any] | None = None  # arrays are tensors from here on (ToTensorV2)
        self.made: Mapping[str, list[Made]] = NO_ROWS  # by target, the rows that user code made

    @property
    def kinds(self) -> Mapping[str, str]:
        """The targets of the pipeline and what each is treated as."""
        kinds: Mapping[str, str] = self.root.kinds
        return kinds

    @property
    def label_fields(self) -> list[tuple[str, str]]:
        """(target, key) of every label field of the pipeline."""
        return [] if self.root.labels is None else self.root.labels.fields

    @property
    def columns(self) -> Mapping[str, int]:
        """How many columns of a caller's row are coordinates, by kind of target."""
        columns: Mapping[str, int] = self.root.columns
        return columns

    @property
    def blank(self) -> bool:
        """Whether there is no data (the pipeline is being explained)."""
        return type(self.session) is Blank

    # -- words ---------------------------------------------------------------------------------------------------------

    def op(self, *op: Any) -> None:
        """Says one op."""
        if self.filters is not None and op[0] in MOVING:
            self.moving()
        self.ops.append(op)

    def moving(self) -> None:
        """Boxes or points are about to move: a filter that is due comes first."""
        if self.inside:
            return
        if self.due and self.filters is not None:
            self.ops.append(self.filters)
        self.due = self.clean = False

    def settle(self) -> None:
        """Boxes or points are about to be looked at."""
        if self.due and self.filters is not None:
            self.ops.append(self.filters)
            self.due, self.clean = False, True

    def crop(self, x: int, y: int, w: int, h: int) -> None:
        """Keeps the window of w×h pixels at (x, y)."""
        if self.filters is not None:
            self.moving()
        self.ops.append(("crop", x, y, w, h))
        self.w, self.h = w, h

    def pad(
        self, left: int, top: int, w: int, h: int, border: int, fill: Fill, mask_fill: Fill, ghosts: bool = True
    ) -> None:
        """Puts the image at (left, top) of a w×h canvas."""
        if self.filters is not None:
            self.moving()
        self.ops.append(("pad", left, top, w, h, border, fill, mask_fill, ghosts))
        self.w, self.h = w, h

    def orient(self, axes: str) -> None:
        """Permutes and reverses axes: "H-W" mirrors columns, "-WH" is a quarter turn counter-clockwise."""
        if axes[-1] == "H":
            self.w, self.h = self.h, self.w
        if self.filters is not None:
            self.moving()
        self.ops.append(("orient", axes, self.w, self.h))

    def resize(
        self,
        w: int,
        h: int,
        interp: int,
        mask_interp: int,
        area: str | None = None,
        factor: float | None = None,
        points: float | None = None,
    ) -> None:
        """Resizes to w×h; `area` ("image" or "image_mask") says where shrinking uses AREA. `factor` scales the pixels and
        `points` the keypoints where that is not the ratio of the sizes."""
        if area is not None and (w < self.w or h < self.h):
            interp = AREA
            if area == "image_mask":
                mask_interp = AREA
        if self.filters is not None:
            self.moving()
        if factor is None and points is None:
            self.ops.append(("resize", w, h, interp, mask_interp))
        else:
            pixels = None if factor is None else (factor, factor)
            rows = None if points is None else (points, points)
            self.ops.append(("resize", w, h, interp, mask_interp, pixels, rows))
        self.w, self.h = w, h

    def warp(
        self,
        where: Op,
        w: int,
        h: int,
        interp: int,
        mask_interp: int,
        border: int,
        fill: Fill,
        mask_fill: Fill,
        ghosts: bool = False,
    ) -> None:
        """Resamples through a Map onto a w×h canvas."""
        if self.filters is not None:
            self.moving()
        self.ops.append(("warp", where, w, h, interp, mask_interp, border, fill, mask_fill, ghosts))
        self.w, self.h = w, h

    def paint(self, region: Op, ink: Any, mask_ink: Any, hide: str | None, rule: Any = "set") -> None:
        """Paints a Region; `hide` says what becomes of the boxes and points under it."""
        if hide is not None and self.filters is not None:
            self.moving()
        self.ops.append(("paint", region, ink, rule, mask_ink, hide))

    def space(self, source: str, target: str) -> None:
        """Changes the colour space."""
        self.ops.append(("space", source, target))

    def gray(self, method: str, channels: int) -> None:
        """Makes all channels gray."""
        self.ops.append(("gray", method, channels))
        self.c = channels

    def retype(self, dtype: str, max_value: float) -> None:
        """The op just said left the image in this dtype."""
        self.dtype, self.max_value = dtype, max_value

    def aside(self, *join: Any, channels: tuple[int, ...] | None = None) -> Aside:
        """`with ctx.aside("lerp", a, b): …` keeps the image, lets the body change a copy (of some channels), and joins
        both: "take", "put", or "lerp" a, b for kept·a + new·b."""
        return Aside(self, ("join", *join, channels) if join[0] == "put" else ("join", *join), channels)

    def to_tensors(self) -> None:
        """Images and masks are tensors from here on, for user code and in the result."""
        from ferraug import interop

        self.wrap = interop.to_tensor

    @property
    def all_gray(self) -> bool:
        """Whether every image of the call has one channel."""
        return self.c == 1 and not self.session.mixed

    # -- questions -----------------------------------------------------------------------------------------------------

    @property
    def has_boxes(self) -> bool:
        """Whether the call has boxes."""
        answer: bool = self.session.has_boxes
        return answer

    @property
    def has_mask(self) -> bool:
        """Whether the call has a mask."""
        answer: bool = self.session.has_mask
        return answer

    def boxes(self) -> list[tuple[float, float, float, float, int]]:
        """The boxes as they now are: pixel edges x0 y0 x1 y1 and the number of the row they come from."""
        self.settle()
        rows: list[tuple[float, float, float, float, int]] = self.session.boxes(self.ops)
        return rows

    def keypoints(self) -> list[tuple[float, float, float, float, float, int]]:
        """The keypoints as they now are: x y z angle scale and the number of the row they come from."""
        self.settle()
        rows: list[tuple[float, float, float, float, float, int]] = self.session.keypoints(self.ops)
        return rows

    def nonzero(self, ignore_values: Sequence[int] | None = None, ignore_channels: Sequence[int] | None = None) -> int:
        """How many pixels of the mask are set."""
        count: int = self.session.nonzero(self.ops, ignore_values, ignore_channels)
        return count

    def nonzero_at(self, rank: int) -> tuple[int, int]:
        """(x, y) of one of them, in row-major order."""
        place: tuple[int, int] = self.session.nonzero_at(rank)
        return place

    # -- draws that several transforms share ---------------------------------------------------------------------------

    def input(self, value: Any) -> int:
        """The number under which ops find a mask that is no target of the call."""
        return int(self.session.add_input(value))

    def pixels(self, target: str) -> Any:
        """The array itself, as it is now: for a user's function alone, since everything before it must run first."""
        return self.session.array(self.ops, target)

    def place(self, position: str, dw: int, dh: int) -> tuple[int, int]:
        """(left, top) of an image on a canvas that is dw×dh larger; "random" draws it."""
        if position == "center":
            return dw // 2, dh // 2
        if position == "random":
            top = self.draw.integers(0, dh)
            return self.draw.integers(0, dw), top
        return (dw if position.endswith("right") else 0), (dh if position.startswith("bottom") else 0)

    def corner(self, w: int, h: int) -> tuple[int, int]:
        """(x, y) of a w×h window anywhere in the image."""
        random = self.draw.random
        down, right = random(), random()
        return int((self.w - w + 1) * right), int((self.h - h + 1) * down)


class Aside:
    """A bracket in the op list: the image is kept, its copy goes on alone, both are joined at the end."""

    __slots__ = ("channels", "ctx", "join", "kept")

    def __init__(self, ctx: Context, join: Op, channels: tuple[int, ...] | None) -> None:
        self.ctx = ctx
        self.join = join
        self.channels = channels

    def __enter__(self) -> None:
        ctx = self.ctx
        self.kept = ctx.w, ctx.h, ctx.c
        ctx.ops.append(("aside", self.channels))
        ctx.inside += 1
        if self.channels is not None:
            ctx.c = len(self.channels)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ctx = self.ctx
        ctx.inside -= 1
        ctx.w, ctx.h, ctx.c = self.kept
        if kind is None:
            ctx.ops.append(self.join)
