"""One source, all its copies: decode once, then draw, run, map annotations, encode, write. Runs in a thread.

What a copy looks like depends on the seed, the source's own path and bytes, the replica and the attempt, on nothing
else: not on the order of the work, the number of workers or the other images.
"""

from __future__ import annotations

import hashlib
import json
import math
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import ConfigError, CropSizeError, DecodeError, LimitError
from ..datasets import masks, rle
from ..datasets.geometry import Dropped, Limits, Tracer
from ..datasets.maskfile import MaskImage, gray
from ..datasets.model import Copy, Dataset, Instance, Mapped, Sample
from ..datasets.paths import MAX_IMAGE, read_bytes
from .plan import Plan, file_format
from .planes import move_alpha
from .policy import Policy

#: how often a copy is drawn again that lost all objects or equals an earlier one
REDRAWS = 10


#: an object of which this much shows is whole: less than the rounding of its outline is missing
WHOLE = 0.999


class Skip(Exception):
    """A source that cannot be multiplied. `unreadable`: it leaves DST with its records; else the original stays."""

    def __init__(self, text: str, unreadable: bool) -> None:
        super().__init__(text)
        self.unreadable = unreadable


@dataclass(slots=True)
class Picture:
    """A decoded source as the policy sees it, and what has to be put back."""

    image: NDArray[Any]
    gray: bool = False
    alpha: NDArray[Any] | None = None
    opaque: bool = False
    notices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """A sample opened for work: what all its copies share."""

    sample: Sample
    raw: bytes
    picture: Picture
    tracer: Tracer
    masked: list[Instance]
    masks: list[NDArray[np.uint8]]
    prepared: Any
    mask: MaskImage | None = None
    second: MaskImage | None = None
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Made:
    """One copy before it is written."""

    copy: Copy
    image: NDArray[np.uint8]
    record: Any
    attempt: int
    key: tuple[int, int, int]
    dropped: list[Dropped]
    #: tells this list of ops from others
    mark: str = ""

    def cuts(self) -> bool:
        """Some of an object shows and some does not."""
        shares = [m.share for m in self.copy.objects] + [d.value for d in self.dropped if d.reason == "visibility"]
        return any(0 < share < WHOLE for share in shares) or any(d.reason != "visibility" for d in self.dropped)


@dataclass(slots=True)
class Outcome:
    """What became of one source."""

    rank: int
    written: int = 0
    size: int = 0
    skipped: str | None = None
    unreadable: bool = False
    empty: int = 0
    objects: dict[int, int] = field(default_factory=dict)
    sides: list[float] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def source_key(sample: Sample) -> int:
    """53 bits of the source's id: as many as any JSON reader keeps."""
    return int.from_bytes(hashlib.sha256(sample.source_id.encode()).digest()[:8], "big") >> 11


def load(data: Dataset, sample: Sample, depth: int | None = None) -> tuple[bytes, Picture]:
    """The file's bytes and its picture; Skip if it cannot be read. `depth` 8 rounds 16 bits a sample."""
    try:
        raw = read_bytes(data.root, sample.source, MAX_IMAGE)
        pixels, info = _core.decode(raw)
    except (DecodeError, LimitError) as error:
        raise Skip(str(error), unreadable=True) from None
    except FileNotFoundError as error:
        raise Skip(str(error.strerror), unreadable=True) from None
    if info["sixteen_bit"] and depth != 8:
        pixels = _sixteen(raw)
    picture = Picture(pixels)
    if info["cmyk"]:
        picture.notices.append("CMYK images: new images are RGB")
    if pixels.ndim == 2:
        picture.gray = True
        picture.image = np.repeat(pixels[:, :, None], 3, axis=2)
    elif pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(pixels[:, :, 3])
        picture.image = np.ascontiguousarray(pixels[:, :, :3])
        picture.gray = bool(info["gray"])
        if int(alpha.min()) == np.iinfo(alpha.dtype).max:
            picture.opaque = True
        else:
            picture.alpha = alpha
    return raw, picture


def _sixteen(raw: bytes) -> NDArray[np.uint16]:
    """A 16-bit PNG in the channels that `_core.decode` gives: gray, RGB or RGBA."""
    pixels: NDArray[np.uint16]
    pixels, info = _core.decode_raw(raw)
    if info["transparency"] is not None:
        raise Skip("16 bits a sample and a transparent colour; --depth 8 reads it", unreadable=False)
    return pixels if info["mode"] != "gray_alpha" else np.ascontiguousarray(pixels[:, :, [0, 0, 0, 1]])


def load_mask(data: Dataset, sample: Sample) -> MaskImage | None:
    """The sample's mask of classes; Skip if it cannot be read."""
    if sample.mask is None:
        if data.task != "semantic" or not data.options.mask_fill:
            return None
        # painted masks need to know what comes from outside
        w, h = sample.size
        return gray(np.ones((h, w), np.uint8))
    return load_file(data, sample, sample.mask)


def load_file(data: Dataset, sample: Sample, path: str) -> MaskImage:
    """A mask file of the sample; Skip if it cannot be read."""
    try:
        return masks.load_file(data.root, path, sample)
    except (DecodeError, LimitError) as error:
        raise Skip(f"{path}: {error}", unreadable=True) from None
    except FileNotFoundError as error:
        raise Skip(f"{path}: {error.strerror}", unreadable=True) from None


class Worker:
    """Makes the copies of sources; shared by all threads, changed by none."""

    def __init__(self, plan: Plan, policy: Policy, limits: Limits, args: Namespace) -> None:
        self.plan, self.policy, self.limits, self.args = plan, policy, limits, args
        policy.semantic = any(s.mask is not None for s in plan.data.samples())
        policy.mask_fill = plan.data.options.mask_fill

    def open(self, sample: Sample) -> Source:
        """Decodes a sample; Skip if it cannot be multiplied."""
        raw, picture = load(self.plan.data, sample, self.args.depth)
        if picture.image.dtype != np.uint8:
            self._check_depth(sample, picture)
        masked = [i for i in sample.objects() if i.rle is not None]
        lanes = [rle.decode(i.rle.counts, i.rle.h, i.rle.w) for i in masked if i.rle is not None]
        tracer = Tracer(sample, self.plan.data.categories)
        mask = load_mask(self.plan.data, sample)
        second = None if sample.second is None else load_file(self.plan.data, sample, sample.second)
        return Source(sample, raw, picture, tracer, masked, lanes, self.plan.writer.prepare(sample), mask, second)

    def _check_depth(self, sample: Sample, picture: Picture) -> None:
        """16 bits stay if the file can hold them and no transform computes on them; else Skip."""
        kind = file_format(sample, self.plan.format)
        why = f"{kind} files hold 8" if kind != "png" else self.policy.refuses(picture.image)
        if why is not None:
            raise Skip(f"16 bits a sample: {why}; --depth 8 converts, now the original is kept", unreadable=False)

    def draw(self, source: Source, replica: int, attempt: int, path: str) -> Made:
        """One attempt at one copy."""
        sample, picture, before = source.sample, source.picture, source.masks
        h, w = picture.image.shape[:2]
        data: dict[str, Any] = {"image": picture.image}
        lanes: list[NDArray[Any]] = [*before, *([picture.alpha] if picture.alpha is not None else [])]
        if source.second is not None:
            lanes.append(source.second.array)
        if lanes:
            data["masks"] = lanes
        if source.mask is not None:
            data["mask"] = source.mask.array
        if self.policy.asks_boxes:
            data["bboxes"] = np.array([i.box for i in sample.objects()], np.float64).reshape(-1, 4)
        key = (source_key(sample), replica, attempt)
        try:
            result, record = self.policy.pipe(w, h).run(data, key=key, record=True)
        except CropSizeError as error:
            raise Skip(str(error), unreadable=False) from None
        image = result["image"]
        if image.dtype != picture.image.dtype:
            raise ConfigError(
                f"--policy {self.policy.spec}: gives {image.dtype} images; files hold {picture.image.dtype}"
            )
        size = (image.shape[1], image.shape[0])
        moved = list(result.get("masks", ())) if lanes else []
        second = moved.pop() if source.second is not None else None
        alpha = moved.pop() if picture.alpha is not None else None
        image = put_back(image, picture, record, alpha)
        pairs = {id(i): (b, np.asarray(a)) for i, b, a in zip(source.masked, before, moved, strict=True)}
        objects, dropped = source.tracer.map(record["ops"], size, pairs, self.limits)
        channels = 1 if image.ndim == 2 else image.shape[2]
        copy = Copy(sample, replica, path, size, objects, channels)
        if source.mask is not None:
            copy.mask = source.mask.with_array(np.asarray(result["mask"]))
        if source.second is not None:
            copy.second = source.second.with_array(np.asarray(second))
        return Made(copy, image, record, attempt, key, dropped)

    def copy(self, source: Source, replica: int, path: str) -> Made | None:
        """The copy, drawn again while it lost all objects, cuts one under --whole, or repeats an earlier one; None if
        it is dropped."""
        had, empty = bool(source.tracer.objects), self.args.empty
        for attempt in range(REDRAWS + 1):
            made = self.draw(source, replica, attempt, path)
            lost = had and not made.copy.objects
            if lost and empty == "drop":
                return None
            if (lost and empty == "redraw") or (self.args.whole and made.cuts()):
                continue
            if self.args.duplicates == "keep":
                return made
            ops = json.dumps(made.record["ops"], default=repr)
            made.mark = hashlib.sha256(ops.encode()).hexdigest()[:32]
            if made.mark in source.seen and attempt < REDRAWS:
                continue
            source.seen.add(made.mark)
            return made
        return None

    def encode(self, made: Made, picture: Picture) -> bytes:
        """The copy's file."""
        kind = file_format(made.copy.sample, self.plan.format)
        full = picture.opaque and self.plan.format == "keep" and kind != "jpeg"
        return encode_image(opaque(made.image) if full else made.image, kind, vars(self.args))

    def manifest(self, made: Made, sha256: str) -> bytes:
        """The copy's line, without its end: enough to make its pixels again. `sha256` is its file's."""
        sample = made.copy.sample
        line = {
            "out": made.copy.path,
            "source": sample.path,
            **({"file": sample.file} if sample.file is not None else {}),
            "split": sample.split,
            "replica": made.copy.replica,
            "attempt": made.attempt,
            "key": list(made.key),
            "size": list(made.copy.size),
            "sha256": sha256,
            "record": made.record,
            "in": len(sample.objects()),
            "out_objects": len(made.copy.objects),
            "dropped": [{"object": d.instance.where, "reason": d.text()} for d in made.dropped],
        }
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
        return text.encode("utf-8")


def _plain(value: Any) -> Any:
    """NumPy numbers and bytes of a record as JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (bytes, bytearray)):
        return list(value)
    raise TypeError(f"{type(value).__name__} in a record")


def encode_image(image: NDArray[Any], kind: str, options: Mapping[str, Any]) -> bytes:
    """The file of an image: png, webp or jpeg with the options `quality` and `subsampling`; JPEG loses alpha."""
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if kind != "jpeg":
        encode = _core.encode_png if kind == "png" else _core.encode_webp
        return encode(np.ascontiguousarray(image))
    if image.ndim == 3 and image.shape[2] in (2, 4):
        image = image[:, :, : image.shape[2] - 1]
        image = image[:, :, 0] if image.shape[2] == 1 else image
    return _core.encode_jpeg(np.ascontiguousarray(image), options["quality"], options["subsampling"])


def put_back(image: NDArray[Any], picture: Picture, record: Any, nearest: Any) -> NDArray[Any]:
    """The new image with what decoding took aside: its alpha plane, or its being gray. `nearest` is the plane as a mask
    of the run, which stands if the record cannot move it."""
    if picture.alpha is not None:
        # between values of 16 bits the core computes nothing
        alpha = move_alpha(record, picture.alpha) if picture.alpha.dtype == np.uint8 else None
        return _with_alpha(image, nearest if alpha is None else alpha)
    return _gray_again(image) if picture.gray else image


def _gray_again(image: NDArray[Any]) -> NDArray[Any]:
    """One plane if all three are still equal."""
    if image.ndim == 3 and image.shape[2] == 3:
        first = image[:, :, 0]
        if np.array_equal(first, image[:, :, 1]) and np.array_equal(first, image[:, :, 2]):
            return np.ascontiguousarray(first)
    return image


def _with_alpha(image: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    if image.ndim == 2:
        image = image[:, :, None]
    gray = _gray_again(image)
    image = gray[:, :, None] if gray.ndim == 2 else gray
    return np.concatenate([image, np.asarray(alpha).reshape(*image.shape[:2], 1)], axis=2)


def opaque(image: NDArray[Any]) -> NDArray[Any]:
    """The image with the constant alpha plane that decoding dropped."""
    if image.ndim == 2:
        image = image[:, :, None]
    full = np.full((*image.shape[:2], 1), np.iinfo(image.dtype).max, image.dtype)
    return np.concatenate([image, full], axis=2)


def tally(outcome: Outcome, objects: list[Mapped], dropped: list[Dropped]) -> None:
    """Counts a copy's objects by class and its drops by reason."""
    for mapped in objects:
        category = mapped.instance.category
        outcome.objects[category] = outcome.objects.get(category, 0) + 1
        outcome.sides.append(box_side(mapped.box))
    for gone in dropped:
        outcome.dropped[gone.reason] = outcome.dropped.get(gone.reason, 0) + 1


def box_side(box: tuple[float, float, float, float]) -> float:
    """The square root of a box's area."""
    return math.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 0.0))
