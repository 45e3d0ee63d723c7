"""Files in and out, against Pillow and OpenCV: photographs and masks, interleaved, as a Markdown table.

Every contender starts from the bytes of a file or from a contiguous array, and ends with an array or bytes. Times are
the mean of the photographs' least times; `x` is the faster rival's time over ours.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ferraug import _core
from photos import ROOT, photo
from PIL import Image
from timing import Call, Contender, interleave

Job = tuple[str, str, Callable[[Any], dict[str, Call]]]


def data() -> Path:
    """The folder of shipped data, or the repository's samples."""
    return Path(os.environ.get("FERRAUG_DATA", ROOT / "samples"))


def photographs(count: int) -> list[Any]:
    """Photographs of about 0.28 megapixels, as RGB arrays."""
    paths = sorted(data().glob("coco/images/*.jpg")) or sorted(data().glob("images/*.jpg"))
    images = [np.asarray(Image.open(p).convert("RGB")) for p in paths]
    images.sort(key=lambda image: abs(image.shape[0] * image.shape[1] - 280_000))
    return [np.ascontiguousarray(image) for image in images[:count]]


def class_masks(count: int) -> list[Any]:
    """Masks of class numbers, or of gray levels made few."""
    paths = sorted(data().glob("semseg/**/masks/*.png"))[:count]
    found = [np.asarray(Image.open(p)) for p in paths]
    return [m for m in found if m.ndim == 2] or [photo("512")[:, :, 0] // 64]


def saved(image: Any, kind: str, **options: Any) -> bytes:
    """Pillow's file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def opened(file: bytes) -> Any:
    """Pillow's pixels as an array."""
    return np.asarray(Image.open(io.BytesIO(file)))


def opencv(image: Any, suffix: str, *flags: int) -> bytes:
    """OpenCV's file, of its own order of channels."""
    return cv2.imencode(suffix, image, flags)[1].tobytes()


def jpeg_out(quality: int, sampling: int) -> Callable[[Any], dict[str, Call]]:
    """The three encoders of one image."""
    cv = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if sampling == 420 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    flags = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv)
    pil = {420: 2, 444: 0}[sampling]

    def calls(image: Any) -> dict[str, Call]:
        return {
            "ferraug": lambda: _core.encode_jpeg(image, quality, sampling),
            "Pillow": lambda: saved(image, "JPEG", quality=quality, subsampling=pil),
            "OpenCV": lambda: opencv(image, ".jpg", *flags),
        }

    return calls


def read(kind: str, **options: Any) -> Callable[[Any], dict[str, Call]]:
    """The three decoders of Pillow's file of one image."""

    def calls(image: Any) -> dict[str, Call]:
        file = saved(image, kind, **options)
        array = np.frombuffer(file, np.uint8)
        return {
            "ferraug": lambda: _core.decode(file)[0],
            "Pillow": lambda: opened(file),
            "OpenCV": lambda: cv2.imdecode(array, cv2.IMREAD_UNCHANGED),
        }

    return calls


def png_out(level: int) -> Callable[[Any], dict[str, Call]]:
    """Ours as images are written, against a level of the others."""

    def calls(image: Any) -> dict[str, Call]:
        return {
            "ferraug": lambda: _core.encode_png(image),
            "Pillow": lambda: saved(image, "PNG", compress_level=level),
            "OpenCV": lambda: opencv(image, ".png", cv2.IMWRITE_PNG_COMPRESSION, level),
        }

    return calls


def mask_out(mask: Any) -> dict[str, Call]:
    """Ours as masks are written, against the others' defaults."""
    return {
        "ferraug": lambda: _core.encode_png(mask, balanced=True),
        "Pillow": lambda: saved(mask, "PNG"),
        "OpenCV": lambda: opencv(mask, ".png"),
    }


def webp_out(image: Any) -> dict[str, Call]:
    """Lossless; Pillow at its fastest. OpenCV has no fast lossless setting."""
    return {
        "ferraug": lambda: _core.encode_webp(image),
        "Pillow": lambda: saved(image, "WEBP", lossless=True, method=0),
    }


def jobs() -> Iterator[Job]:
    """What is timed: name, which images, calls."""
    yield "JPEG decode (q 95, 4:2:0)", "photos", read("JPEG", quality=95, subsampling=2)
    for quality, sampling in ((95, 420), (95, 444), (75, 420)):
        yield f"JPEG encode q {quality} {sampling}", "photos", jpeg_out(quality, sampling)
    yield "JPEG encode q 95, gray", "gray", jpeg_out(95, 420)
    yield "JPEG encode q 95 420, 1080p", "1080p", jpeg_out(95, 420)
    yield "PNG decode", "photos", read("PNG")
    yield "PNG encode, others level 1", "photos", png_out(1)
    yield "PNG encode, others level 6", "photos", png_out(6)
    yield "PNG encode of masks", "masks", mask_out
    yield "WebP decode (lossy, q 80)", "photos", read("WEBP", quality=80)
    yield "WebP encode, lossless", "photos", webp_out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one photograph, few rounds")
    quick = parser.parse_args().quick
    cv2.setNumThreads(1)
    count, rounds = (1, 5) if quick else (4, 25)
    photos = photographs(count)
    sets = {
        "photos": photos,
        "gray": [np.ascontiguousarray(image[:, :, 1]) for image in photos],
        "1080p": [photo("1080p")],
        "masks": class_masks(count),
    }
    print(f"Level {_core.isa()}. Milliseconds an image, kilobytes a file.\n")
    print("| job | megapixels | ferraug | Pillow | OpenCV | x | kB ferraug | Pillow | OpenCV |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, which, make in jobs():
        images = sets[which]
        times: dict[str, float] = {}
        sizes: dict[str, float] = {}
        for image in images:
            calls = make(image)
            figures = interleave([Contender(k, c) for k, c in calls.items()], rounds, 4.0)
            for k, call in calls.items():
                result = call()
                times[k] = times.get(k, 0.0) + figures[k].best / 1e3 / len(images)
                if isinstance(result, bytes):
                    sizes[k] = sizes.get(k, 0.0) + len(result) / 1e3 / len(images)
        rival = min(t for k, t in times.items() if k != "ferraug")
        area = np.mean([image.shape[0] * image.shape[1] for image in images]) / 1e6
        columns = [f"{times[k]:.2f}" if k in times else "–" for k in ("ferraug", "Pillow", "OpenCV")]
        columns += [f"**{rival / times['ferraug']:.2f}**"]
        columns += [f"{sizes[k]:.0f}" if k in sizes else "–" for k in ("ferraug", "Pillow", "OpenCV")]
        print(f"| {name} | {area:.2f} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
