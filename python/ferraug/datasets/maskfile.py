"""Mask files: PNG read and written without changing a value, be it one bit, an index, 16 bits or a colour code."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import ConfigError, DecodeError, LimitError
from .paths import read_header

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 100_000
_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GRAY: 1, _RGB: 3, _PALETTE: 1, _GRAY_ALPHA: 2, _RGBA: 4}
_DEPTHS = {_GRAY: (1, 2, 4, 8, 16), _RGB: (8,), _PALETTE: (1, 2, 4, 8), _GRAY_ALPHA: (8,), _RGBA: (8,)}
_MODES = {_GRAY: "L", _RGB: "RGB", _PALETTE: "P", _GRAY_ALPHA: "LA", _RGBA: "RGBA"}


@dataclass(slots=True)
class Head:
    """What the first bytes of a mask say. `mode`: 1, L, P, I;16, LA, RGB or RGBA; `depth`: bits a channel."""

    w: int
    h: int
    depth: int
    colour: int

    @property
    def mode(self) -> str:
        """The mode's usual name."""
        if self.colour == _GRAY and self.depth in (1, 16):
            return "1" if self.depth == 1 else "I;16"
        return _MODES[self.colour]

    @property
    def most(self) -> int:
        """The greatest value that a channel holds; a palette may grow to 8 bits."""
        return (1 << (8 if self.colour == _PALETTE else self.depth)) - 1


@dataclass(slots=True)
class MaskImage:
    """A mask's values, (h, w) or (h, w, channels), uint8 or uint16, and all that its file says beside them."""

    array: NDArray[Any]
    head: Head
    palette: bytes | None = None
    transparency: bytes | None = None

    @property
    def mode(self) -> str:
        """The mode's usual name."""
        return self.head.mode

    def with_array(self, array: NDArray[Any]) -> MaskImage:
        """Other values in the same mode."""
        return replace(self, array=array)


@dataclass(slots=True)
class Look:
    """How a mask file shows its object: its header and palette, a pixel of the object and one of the ground."""

    name: str
    file: MaskImage
    ink: Any
    paper: Any


def head_of(start: bytes) -> Head:
    """The header of a mask from the first 33 bytes of its file; DecodeError if it is not a PNG that holds classes."""
    if start[:3] == b"\xff\xd8\xff":
        raise DecodeError("a JPEG mask: its classes are blurred; save it as PNG")
    if start[:8] != _SIGNATURE:
        raise DecodeError("no PNG; masks of classes are PNG files" if start else "empty file")
    if len(start) < 33 or start[8:16] != b"\0\0\0\rIHDR":
        raise DecodeError("truncated: the file ends inside a PNG chunk")
    if zlib.crc32(start[12:29]) != int.from_bytes(start[29:33], "big"):
        raise DecodeError("damaged PNG: IHDR does not match its checksum")
    w, h, depth, colour = struct.unpack(">IIBB", start[16:26])
    if colour not in _DEPTHS or w == 0 or h == 0:
        raise DecodeError("damaged PNG: IHDR")
    if depth not in _DEPTHS[colour]:
        raise DecodeError(f"a mask of {depth} bits in {_CHANNELS[colour]} channels; only one channel may have 16")
    return Head(w, h, depth, colour)


def read_head(root: str, rel: str) -> Head:
    """`head_of` a file, with the size as EXIF turns it; OSError if it cannot be opened."""
    with open(os.path.join(root, rel), "rb") as file:
        head = head_of(file.read(33))
    info: dict[str, Any] = read_header(root, rel)
    w, h = info["size"]
    return Head(w, h, head.depth, head.colour)


def _check_sums(raw: bytes) -> None:
    """Every chunk matches its checksum, also those that a decoder may pass over."""
    at, count, name = 8, 0, b""
    while name != b"IEND":
        end = at + 12 + int.from_bytes(raw[at : at + 4], "big")
        if at + 12 > len(raw) or end > len(raw):
            raise DecodeError("truncated: the file ends inside a PNG chunk")
        name = raw[at + 4 : at + 8]
        if zlib.crc32(raw[at + 4 : end - 4]) != int.from_bytes(raw[end - 4 : end], "big"):
            raise DecodeError(f"damaged PNG: {name.decode('latin-1')} does not match its checksum")
        at, count = end, count + 1
        if count > _MOST_CHUNKS:
            raise LimitError(f"more than {_MOST_CHUNKS} chunks")


def decode(raw: bytes) -> MaskImage:
    """The values of a mask file; DecodeError if it is damaged or no mask."""
    head = head_of(raw[:33])
    _check_sums(raw)
    array, info = _core.decode_raw(raw)
    head = Head(array.shape[1], array.shape[0], head.depth, head.colour)
    palette = info["palette"]
    if palette is not None and int(array.max()) * 3 >= len(palette):
        raise DecodeError(f"damaged PNG: index {int(array.max())}, palette of {len(palette) // 3}")
    return MaskImage(array, head, palette, info["transparency"])


def encode(mask: MaskImage) -> bytes:
    """A PNG in the mask's mode; ConfigError if a value does not fit it."""
    array, head = mask.array, mask.head
    most = int(array.max())
    if most > head.most:
        raise ConfigError(f"mask value {most}: files of mode {head.mode} with {head.depth} bits hold 0 to {head.most}")
    depth, palette = head.depth, mask.palette
    if palette is not None:
        while most >= 1 << depth:
            depth *= 2
        # an index that the fill brought in has a colour too
        palette = palette + bytes(max(0, 3 * (most + 1) - len(palette)))
    array = np.ascontiguousarray(array, np.uint16 if depth == 16 else np.uint8)
    return _core.encode_png(array, bits=depth, palette=palette, transparency=mask.transparency, balanced=True)


def gray(array: NDArray[Any]) -> MaskImage:
    """A new mask of one channel: 8 bits, or 16 if the dtype is uint16."""
    h, w = array.shape
    return MaskImage(array, Head(w, h, 16 if array.dtype == np.uint16 else 8, _GRAY))


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The values of a stored frame as EXIF's orientation turns them."""
    turns = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a[::-1].swapaxes(0, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a[:, ::-1].swapaxes(0, 1),
    }
    turn = turns.get(orientation)
    return array if turn is None else np.ascontiguousarray(turn(array))


def draw(look: Look, mask: NDArray[Any]) -> bytes:
    """The file of an object's mask (h, w)."""
    shown = mask != 0
    if look.ink.ndim:
        shown = shown[:, :, None]
    return encode(look.file.with_array(np.where(shown, look.ink, look.paper)))
