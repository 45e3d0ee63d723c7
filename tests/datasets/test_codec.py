"""The codecs through Python: real files, Pillow's answers, hostile arrays."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ferraug import DecodeError, LimitError, _core


def load(path: Path) -> tuple[np.ndarray, dict[str, object]]:
    return _core.decode(path.read_bytes())


def test_all_shipped_images_decode_or_say_why(shared: Path) -> None:
    failed = {}
    count = 0
    for path in sorted(shared.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".png", ".webp") or path.name.startswith("meadow"):
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


@pytest.mark.parametrize(
    "name", ["photos/rocket.jpg", "corrupt/progressive.jpg", "corrupt/palette_interlaced.png", "photos/hopper.webp"]
)
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
        for encode in (_core.encode_png, _core.encode_jpeg, _core.encode_webp):
            with pytest.raises(error):
                encode(bad)  # type: ignore[operator]
    for encode in (_core.encode_jpeg, _core.encode_webp):
        with pytest.raises(TypeError, match="uint16"):
            encode(ok.astype(np.uint16))  # type: ignore[operator]
    for quality in (0, 101):
        with pytest.raises(ValueError, match="quality"):
            _core.encode_jpeg(ok, quality)
    with pytest.raises(ValueError, match="subsampling"):
        _core.encode_jpeg(ok, 90, 422)
    for data in ("text", bytearray(b"x"), None):
        with pytest.raises(TypeError):
            _core.decode(data)


def pillow() -> Any:
    return pytest.importorskip("PIL.Image")


def pillow_jpeg(image: np.ndarray, quality: int, subsampling: int) -> bytes:
    file = io.BytesIO()
    options = {} if image.ndim == 2 else {"subsampling": {420: 2, 444: 0}[subsampling]}
    pillow().fromarray(image).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def photographs(shared: Path) -> list[Path]:
    found = [p for p in sorted(shared.rglob("*")) if p.suffix in (".jpg", ".png")]
    return [p for p in found if "corrupt" not in p.parts and "masks" not in p.parts and "meadow" not in p.name]


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 90, 95, 100])
def test_photographs_encode_to_the_bytes_of_libjpeg(shared: Path, quality: int) -> None:
    """Equal bytes: so the PSNR between the two is infinite and the sizes are the same."""
    paths = photographs(shared)
    assert len(paths) > 120
    for path in paths:
        image = load(path)[0]
        image = image[:, :, :3] if image.ndim == 3 else image
        for subsampling in (420, 444):
            mine = _core.encode_jpeg(image, quality, subsampling)
            assert mine == pillow_jpeg(np.ascontiguousarray(image), quality, subsampling), (path, subsampling)


def test_every_small_size_encodes_to_the_bytes_of_libjpeg() -> None:
    rng = np.random.default_rng(3)
    for width in range(1, 34):
        for height in (width, 1, 7, 8, 9, 16, 17):
            for shape in ((height, width, 3), (height, width)):
                noise = rng.integers(0, 256, shape, np.uint8)
                hard = np.where(noise > 127, 255, 0).astype(np.uint8)
                for image, quality, subsampling in ((noise, 95, 420), (noise, 100, 444), (hard, 100, 420)):
                    mine = _core.encode_jpeg(image, quality, subsampling)
                    assert mine == pillow_jpeg(image, quality, subsampling), (shape, quality, subsampling)


def test_levels_write_the_same_jpeg(shared: Path) -> None:
    image = load(shared / "photos/rocket.jpg")[0]
    was = _core.isa()
    try:
        files = set()
        for name in ("baseline", "v3", "v4", "vbmi"):
            if _core.set_isa(name) == name:
                files.add(_core.encode_jpeg(image, 90, 420))
        assert len(files) == 1
    finally:
        _core.set_isa(was)


def test_sides_a_jpeg_holds() -> None:
    for shape in ((1, 65535, 3), (65535, 1, 3), (65535, 1), (1, 65535)):
        image = np.full(shape, 77, np.uint8)
        back, info = _core.decode(_core.encode_jpeg(image))
        assert back.shape == shape and info["gray"] == (len(shape) == 2)
        assert np.abs(back.astype(int) - 77).max() <= 1
    for shape in ((1, 65536, 3), (65536, 1)):
        with pytest.raises(LimitError, match="65535"):
            _core.encode_jpeg(np.zeros(shape, np.uint8))
    with pytest.raises(LimitError, match="16383"):
        _core.encode_webp(np.zeros((1, 16384), np.uint8))


def test_masks_come_and_go_as_they_are(shared: Path) -> None:
    count = 0
    for path in sorted(shared.rglob("*.png")):
        try:
            samples, info = _core.decode_raw(path.read_bytes())
        except (DecodeError, LimitError):
            continue
        kept = {key: info[key] for key in ("bits", "palette", "transparency")}
        file = _core.encode_png(samples, balanced=True, **kept)
        again, new = _core.decode_raw(file)
        assert samples.dtype == again.dtype and np.array_equal(samples, again), path
        assert {**kept, "mode": info["mode"]} == {key: new[key] for key in (*kept, "mode")}
        if info["mode"] in ("gray", "palette"):
            one, two = (pillow().open(io.BytesIO(raw)) for raw in (path.read_bytes(), file))
            assert one.mode == two.mode and one.tobytes() == two.tobytes() and one.getpalette() == two.getpalette()
        count += 1
    assert count > 80


def test_raw_samples_are_pillows() -> None:
    numbers = np.random.default_rng(5).integers(0, 3, (11, 13), np.uint8)
    colours = bytes([0, 0, 0, 220, 20, 60, 0, 128, 255])
    for bits, mode in ((1, "P"), (2, "P"), (4, "P"), (8, "P")):
        index = np.minimum(numbers, (1 << bits) - 1)
        file = _core.encode_png(index, bits=bits, palette=colours[: 3 << bits], transparency=bytes([0]))
        image = pillow().open(io.BytesIO(file))
        assert image.mode == mode and np.array_equal(np.asarray(image), index)
        assert np.array_equal(_core.decode_raw(file)[0], index)
    words = np.random.default_rng(6).integers(0, 65536, (5, 9)).astype(np.uint16)
    for image in (words, words[::-1, ::2]):
        file = _core.encode_png(image)
        back, info = _core.decode_raw(file)
        assert back.dtype == np.uint16 and np.array_equal(back, image) and info["bits"] == 16
        assert np.array_equal(np.asarray(pillow().open(io.BytesIO(file))), image)
    black_and_white = _core.encode_png(numbers.clip(0, 1), bits=1)
    assert pillow().open(io.BytesIO(black_and_white)).mode == "1"
    samples, info = _core.decode_raw(_core.encode_jpeg(numbers * 100))
    assert samples.shape == (11, 13) and (info["mode"], info["bits"], info["palette"]) == ("gray", 8, None)


def test_what_a_png_cannot_hold() -> None:
    ok = np.zeros((4, 4), np.uint8)
    for array, options, text in (
        (ok, {"bits": 16}, "bits"), (ok, {"bits": 3}, "bits"), (ok + 2, {"bits": 1}, "sample of 2"),
        (ok, {"palette": b""}, "palette"), (ok, {"palette": b"1234"}, "palette"), (ok + 1, {"palette": b"123"}, "sample"),
        (ok[:, :, None].repeat(3, 2), {"palette": b"123"}, "palette"), (ok, {"transparency": b"1"}, "transparency"),
        (ok.astype(np.uint16), {"bits": 8}, "bits"), (ok.astype(np.uint16), {"palette": b"123"}, "bits"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=text):
            _core.encode_png(array, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_webp_is_decoded_as_libwebp_does(shared: Path, mode: str) -> None:
    module = pillow()
    photo = module.fromarray(load(shared / "photos/chelsea.png")[0]).crop((0, 0, 131, 97)).convert(mode)
    if mode == "RGBA":
        photo.putalpha(module.linear_gradient("L").resize(photo.size))
    turned = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0\0\0\0\0"
    for options in ({"lossless": True, "exact": True}, {"quality": 80}, {"quality": 30, "exif": turned}):
        file = io.BytesIO()
        photo.save(file, "WEBP", **options)
        image, info = _core.decode(file.getvalue())
        want = np.asarray(module.open(file))
        if "exif" in options:
            assert info["orientation"] == 8 and info["size"] == (97, 131)
            want = np.rot90(want)
        assert np.array_equal(image, want)
        assert info == _core.probe(file.getvalue()) and info["format"] == "webp"
        raw = file.getvalue()
        for cut in (*range(0, 40), *range(40, len(raw), len(raw) // 50), len(raw) - 1):
            with pytest.raises(DecodeError):
                _core.decode(raw[:cut])
    mine = _core.encode_webp(np.asarray(photo))
    assert np.array_equal(np.asarray(module.open(io.BytesIO(mine)).convert(mode)), np.asarray(photo))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
def test_bmp_is_decoded_as_pillow_does(shared: Path, mode: str) -> None:
    module = pillow()
    photo = module.fromarray(load(shared / "photos/chelsea.png")[0]).resize((45, 31)).convert(mode)
    file = io.BytesIO()
    photo.save(file, "BMP")
    raw = file.getvalue()
    image, info = _core.decode(raw)
    want = module.open(file)
    assert np.array_equal(image, np.asarray(want.convert({"P": "RGB", "1": "L"}.get(want.mode, want.mode))))
    assert info == _core.probe(raw[:2048]) and info["format"] == "bmp"
    for cut in range(len(raw)):
        with pytest.raises(DecodeError):
            _core.decode(raw[:cut])


def test_a_bmp_of_16_bits() -> None:
    words = np.random.default_rng(8).integers(0, 65536, (5, 8)).astype("<u2")
    for masks in (b"", struct.pack("<III", 0xF800, 0x07E0, 0x1F)):
        offset, data = 54 + len(masks), words[::-1].tobytes()
        head = struct.pack("<IHHI", offset + len(data), 0, 0, offset)
        head += struct.pack("<IiiHHIIiiII", 40, 8, 5, 1, 16, 3 if masks else 0, 0, 0, 0, 0, 0)
        file = b"BM" + head + masks + data
        # Pillow rounds towards zero
        want = np.asarray(pillow().open(io.BytesIO(file))).astype(int)
        assert (_core.decode(file)[0] - want).max() <= 1 and (_core.decode(file)[0] - want).min() >= 0
