"""How keypoints are written in a call, and which of them survive."""

from __future__ import annotations

from collections.abc import Sequence

from ferraug.boxes import Params, check_fields, check_format

FORMATS = ("xy", "yx", "xya", "xys", "xyas", "xysa", "xyz")


class KeypointParams(Params):
    """Format of the keypoints of a pipeline, their labels, and when a point is dropped.

    Args:
        format: the columns of a row: x and y in pixels (0 is the centre of the first pixel), z the slice, a the angle,
            s the scale; one of "xy", "yx", "xya", "xys", "xyas", "xysa", "xyz". Further columns ride along.
        label_fields: keys of the call that hold one item per keypoint; they are selected with the keypoints and come
            back in the container and type they came in.
        remove_invisible: drop points outside the image (and check those that come in).
        angle_in_degrees: angles are degrees, else radians.
        check_each_transform: drop after every transform, not only at the end.
    """

    __slots__ = ("angle_in_degrees", "check_each_transform", "format", "label_fields", "remove_invisible")
    stored_names = ("format", "label_fields", "remove_invisible", "angle_in_degrees", "check_each_transform")

    def __init__(
        self,
        format: str,
        label_fields: Sequence[str] | None = None,
        remove_invisible: bool = True,
        angle_in_degrees: bool = True,
        check_each_transform: bool = True,
    ) -> None:
        self.format = check_format("KeypointParams", format, FORMATS)
        self.label_fields = check_fields("KeypointParams", label_fields)
        self.remove_invisible = bool(remove_invisible)
        self.angle_in_degrees = bool(angle_in_degrees)
        self.check_each_transform = bool(check_each_transform)

    def layout(self) -> tuple[str, bool, bool]:
        """The parameters as the core takes them."""
        return self.format, self.remove_invisible, self.angle_in_degrees
