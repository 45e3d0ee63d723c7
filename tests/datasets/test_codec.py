"""The codecs through Python: real files, hostile arrays."""

from pathlib import Path

import numpy as np
import pytest
from ferraug import DecodeError, LimitError, _core


def load(path: Path) -> tuple[np.ndarray, dict[str, object]]:
    return _core.decode(path.read_bytes())


def test_all_shipped_images_decode_or_say_why(shared: Path) -> None:
    failed = {}
    count = 0
    for path in sorted(shared.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".png") or path.name.startswith("meadow"):
            continue
        raw = path.read_bytes()
        try:
            image, info = _core.decode(raw)
        except (DecodeError, LimitError) as error:
            failed[path.name] = (type(error).__name__, str(error).split(":")[0].split(" ")[0])
            continue
        count += 1
        assert info == _core.probe(raw)
        w, h = info["size"]
        assert image.shape == ((h, w) if info["channels"] == 1 else (h, w, info["channels"])), path
        assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert count > 200
    assert failed == {
        "huge_header_60000x60000.png": ("LimitError", "60000x60000"),
        "text_named_png.png": ("DecodeError", "format"),
        "truncated.jpg": ("DecodeError", "truncated"),
        "truncated.png": ("DecodeError", "truncated"),
        "zero_byte.jpg": ("DecodeError", "empty"),
    }


def test_odd_files(shared: Path) -> None:
    corrupt = shared / "corrupt"
    for name, channels, orientation, cmyk, sixteen in (
        ("cmyk.jpg", 3, 1, True, False),
        ("progressive.jpg", 3, 1, False, False),
        ("one_by_one.png", 4, 1, False, False),
        ("palette_interlaced.png", 4, 1, False, False),
        ("rgba_interlaced.png", 4, 1, False, False),
        ("palette_transparency.png", 4, 1, False, False),
        ("gray16_transparency.png", 4, 1, False, True),
        ("invalid_exif.jpg", 3, 1, False, False),
        ("png_named_jpg.jpg", 3, 1, False, True),
    ):
        info = load(corrupt / name)[1]
        got = (info["channels"], info["orientation"], info["cmyk"], info["sixteen_bit"])
        assert got == (channels, orientation, cmyk, sixteen), name
    # red is no cyan ink, all magenta and all yellow
    assert np.abs(load(corrupt / "cmyk.jpg")[0][0, 0].astype(int) - (255, 13, 25)).max() <= 2


def test_orientations_show_one_picture(shared: Path) -> None:
    first, info = load(shared / "photos/exif/hopper_orientation_2.jpg")
    assert info["orientation"] == 2
    for number in range(3, 9):
        image, info = load(shared / f"photos/exif/hopper_orientation_{number}.jpg")
        assert info["orientation"] == number
        assert np.abs(image.astype(int) - first.astype(int)).mean() < 4


@pytest.mark.parametrize("name", ["photos/rocket.jpg", "corrupt/progressive.jpg", "corrupt/palette_interlaced.png"])
def test_prefixes_are_refused(shared: Path, name: str) -> None:
    raw = (shared / name).read_bytes()
    for cut in [*range(0, 60), *range(100, len(raw) - 60, len(raw) // 40), *range(len(raw) - 60, len(raw))]:
        with pytest.raises(DecodeError):
            _core.decode(raw[:cut])


def test_round_trips() -> None:
    rng = np.random.default_rng(0)
    for shape in ((5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1, 3)):
        image = rng.integers(0, 256, shape, np.uint8)
        back, _ = _core.decode(_core.encode_png(image))
        want = image[:, :, 0] if image.shape[2:] == (1,) else image
        if image.shape[2:] == (2,):
            want = image[:, :, [0, 0, 0, 1]]
        assert np.array_equal(back, want)
    flat = np.full((40, 40, 3), (200, 90, 30), np.uint8)
    for subsampling in (420, 444):
        back, _ = _core.decode(_core.encode_jpeg(flat, 95, subsampling))
        assert np.abs(back.astype(int) - flat).max() <= 2
    assert len(_core.encode_jpeg(flat, 30)) < len(_core.encode_jpeg(flat, 100))


def test_views_encode_as_their_copies() -> None:
    image = np.random.default_rng(1).integers(0, 256, (12, 18, 3), np.uint8)
    wide = np.zeros((12, 40, 3), np.uint8)
    wide[:, :18] = image
    for view in (image[::-1], image[:, ::-1], image[::2, ::3], image[..., ::-1], np.asfortranarray(image), wide[:, :18],
                 image.transpose(1, 0, 2), np.broadcast_to(image[:1, :1], (4, 5, 3)), image[3:4]):  # fmt: skip
        assert _core.encode_png(view) == _core.encode_png(np.ascontiguousarray(view))
        assert _core.encode_jpeg(view) == _core.encode_jpeg(np.ascontiguousarray(view))


def test_hostile_arrays() -> None:
    ok = np.zeros((4, 4, 3), np.uint8)
    for bad, error in (
        (None, TypeError), ([[1]], TypeError), (ok.astype(np.float32), TypeError), (ok.astype(np.int8), TypeError),
        (np.ma.array(ok), TypeError), (np.zeros((1,) * 33, np.uint8), ValueError), (np.zeros(4, np.uint8), ValueError),
        (np.zeros((0, 4), np.uint8), ValueError), (np.zeros((4, 4, 5), np.uint8), ValueError),
    ):  # fmt: skip
        for encode in (_core.encode_png, _core.encode_jpeg):
            with pytest.raises(error):
                encode(bad)
    for quality in (0, 101):
        with pytest.raises(ValueError, match="quality"):
            _core.encode_jpeg(ok, quality)
    with pytest.raises(ValueError, match="subsampling"):
        _core.encode_jpeg(ok, 90, 422)
    for data in ("text", bytearray(b"x"), None):
        with pytest.raises(TypeError):
            _core.decode(data)
