"""Where the tests find real data sets, and small made-up ones."""

import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

from ferraug import _core


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shipped data: FERRAUG_DATA, or shared/data beside the repository."""
    path = Path(os.environ.get("FERRAUG_DATA") or Path(__file__).parents[2] / "../shared/data").resolve()
    if not (path / "coco" / "instances.json").is_file():
        pytest.skip("the shipped data is not here")
    return path


def copy_tree(src: Path, dst: Path) -> Path:
    """A writable copy: the shipped data is read-only."""
    shutil.copytree(src, dst, copy_function=shutil.copyfile)
    for folder, _, files in os.walk(dst):
        os.chmod(folder, stat.S_IRWXU)
        for name in files:
            os.chmod(os.path.join(folder, name), stat.S_IRUSR | stat.S_IWUSR)
    return dst


def picture(path: Path, w: int = 64, h: int = 48, seed: int = 0) -> Path:
    """A small image with content, JPEG or PNG by its suffix."""
    y, x = np.mgrid[0:h, 0:w]
    image = np.stack([x * 3 % 256, y * 4 % 256, (x + y + 31 * seed) % 256], -1).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_core.encode_png(image) if path.suffix == ".png" else _core.encode_jpeg(image))
    return path
