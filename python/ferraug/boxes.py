"""How boxes are written in a call, and which of them survive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferraug.values import bound, closest, number

FORMATS = ("coco", "pascal_voc", "albumentations", "yolo")


def check_format(name: str, value: Any, formats: Sequence[str]) -> str:
    """A format that exists."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: format must be one of {', '.join(formats)}, got {value!r}")
    if value not in formats:
        guess = closest(value, formats)
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise ValueError(f"{name}: format must be one of {', '.join(formats)}, got {value!r}{hint}")
    return value


def check_fields(name: str, value: Any) -> list[str] | None:
    """Names of label fields."""
    if value is None:
        return None
    if isinstance(value, str) or not all(isinstance(field, str) for field in value):
        raise TypeError(f"{name}: label_fields must be a list of names, got {value!r}")
    fields: list[str] = []
    for field in value:
        if field in fields:
            raise ValueError(f"{name}: label_fields names {field!r} twice")
        fields.append(field)
    return fields


def minimum(name: str, argument: str, value: Any, high: float = float("inf")) -> float:
    """A limit that is not negative."""
    try:
        return float(bound(number(value), 0, high))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {argument} {error}") from None


class Params:
    """What box and keypoint parameters share: they compare, print and store by their arguments."""

    __slots__ = ()
    stored_names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The arguments, by name."""
        return {name: getattr(self, name) for name in self.stored_names}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items())})"


class BboxParams(Params):
    """Format of the boxes of a pipeline, their labels, and when a box is dropped.

    Args:
        format: "coco" (x_min, y_min, width, height in pixels), "pascal_voc" (x_min, y_min, x_max, y_max in pixels),
            "albumentations" (pascal_voc as fractions of the image) or "yolo" (x_centre, y_centre, width, height as
            fractions).
        label_fields: keys of the call that hold one item per box; they are selected with the boxes and come back in
            the container and type they came in.
        min_area: smallest visible area in pixels² of a box that is kept.
        min_visibility: smallest visible share, 0..1, of a box that is kept, measured at each filter.
        min_width: smallest visible width in pixels.
        min_height: smallest visible height in pixels.
        check_each_transform: filter (and clip to the image) after every transform, not only at the end.
        clip: clip the boxes that come in to the image first.
        filter_invalid_bboxes: drop boxes that come in empty or reversed, instead of raising.
        max_accept_ratio: largest ratio of the longer to the shorter side of a box that is kept, ≥ 1; None keeps all.
    """

    __slots__ = (
        "check_each_transform", "clip", "filter_invalid_bboxes", "format", "label_fields", "max_accept_ratio",
        "min_area", "min_height", "min_visibility", "min_width",
    )  # fmt: skip
    stored_names = (
        "format", "label_fields", "min_area", "min_visibility", "min_width", "min_height", "check_each_transform",
        "clip", "filter_invalid_bboxes", "max_accept_ratio",
    )  # fmt: skip

    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        min_area: float = 0.0,
        min_visibility: float = 0.0,
        min_width: float = 0.0,
        min_height: float = 0.0,
        check_each_transform: bool = True,
        clip: bool = False,
        filter_invalid_bboxes: bool = False,
        max_accept_ratio: float | None = None,
    ) -> None:
        self.format = check_format("BboxParams", format, FORMATS)
        self.label_fields = check_fields("BboxParams", label_fields)
        self.min_area = minimum("BboxParams", "min_area", min_area)
        self.min_visibility = minimum("BboxParams", "min_visibility", min_visibility, 1)
        self.min_width = minimum("BboxParams", "min_width", min_width)
        self.min_height = minimum("BboxParams", "min_height", min_height)
        self.check_each_transform = bool(check_each_transform)
        self.clip = bool(clip)
        self.filter_invalid_bboxes = bool(filter_invalid_bboxes)
        if max_accept_ratio is not None and number(max_accept_ratio) < 1:
            raise ValueError(f"BboxParams: max_accept_ratio must be ≥ 1 or None, got {max_accept_ratio}")
        self.max_accept_ratio = None if max_accept_ratio is None else float(number(max_accept_ratio))

    def layout(self) -> tuple[str, float, float, float, float, bool, bool, float | None]:
        """The parameters as the core takes them."""
        return (
            self.format, self.min_area, self.min_visibility, self.min_width, self.min_height, self.clip,
            self.filter_invalid_bboxes, self.max_accept_ratio,
        )  # fmt: skip
