"""Where the tests find real data sets, and small made-up ones."""

import json
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


SAMPLES = Path(__file__).parents[2] / "samples" / "pets-and-space"


def tree(root: Path) -> dict[str, bytes]:
    """Every file beneath a folder with its bytes."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


#: (image, width, height, boxes of (class, x0, y0, x1, y1))
SCENES = [
    ("astronaut", 400, 400, [(0, 18, 12, 284, 400), (2, 277, 0, 369, 224), (1, 217, 268, 400, 400)]),
    ("chelsea", 400, 266, [(3, 0, 0, 352, 266), (4, 119, 75, 183, 131), (4, 260, 97, 304, 146)]),
    ("rocket", 400, 267, [(2, 193, 79, 210, 254), (5, 104, 77, 128, 262), (5, 275, 77, 299, 267)]),
]
CLASSES = ["person", "helmet", "spacecraft", "cat", "eye", "tower"]


def write_yolo(root: Path, split: str = "") -> Path:
    """The scenes as YOLO: flat images and labels, or in a split's folders."""
    for name, w, h, boxes in SCENES:
        image = root / "images" / split / f"{name}.jpg"
        label = root / "labels" / split / f"{name}.txt"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLES / "images" / f"{name}.jpg", image)
        rows = [
            f"{c} {(x0 + x1) / 2 / w:.9f} {(y0 + y1) / 2 / h:.9f} {(x1 - x0) / w:.9f} {(y1 - y0) / h:.9f}"
            for c, x0, y0, x1, y1 in boxes
        ]
        label.write_text("\n".join(rows) + "\n")
    place = f"images/{split}" if split else "images"
    names = "\n".join(f"  {i}: {n}" for i, n in enumerate(CLASSES))
    (root / "data.yaml").write_text(f"# scenes\ntrain: {place}\nnames:\n{names}\n")
    return root


def write_voc(root: Path) -> Path:
    """The scenes as Pascal VOC, XML beside images in `images`, so that all formats share their images' paths."""
    for name, w, h, boxes in SCENES:
        image = root / "images" / f"{name}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLES / "images" / f"{name}.jpg", image)
        objects = "".join(
            f"\t<object>\n\t\t<name>{CLASSES[c]}</name>\n\t\t<truncated>0</truncated>\n\t\t<bndbox>"
            f"<xmin>{x0}.0</xmin><ymin>{y0}.0</ymin><xmax>{x1}.0</xmax><ymax>{y1}.0</ymax></bndbox>\n\t</object>\n"
            for c, x0, y0, x1, y1 in boxes
        )
        image.with_suffix(".xml").write_text(
            f"<annotation>\n\t<filename>{name}.jpg</filename>\n\t<size><width>{w}</width><height>{h}</height>"
            f"<depth>3</depth></size>\n{objects}</annotation>\n"
        )
    return root


def write_coco(root: Path) -> Path:
    """The scenes as COCO boxes without outlines."""
    images, annotations = [], []
    for name, w, h, boxes in SCENES:
        image = root / "images" / f"{name}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLES / "images" / f"{name}.jpg", image)
        images.append({"id": len(images) + 7, "file_name": f"{name}.jpg", "width": w, "height": h})
        for c, x0, y0, x1, y1 in boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": images[-1]["id"], "category_id": c + 1, "iscrowd": 0,
                    "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "segmentation": [],
                }
            )  # fmt: skip
    categories = [{"id": i + 1, "name": n} for i, n in enumerate(CLASSES)]
    (root / "boxes.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return root


def policy(path: Path, *transforms: dict[str, object]) -> Path:
    """A policy file of transforms that always happen; a mirror if none is named."""
    steps = transforms or ({"__class_fullname__": "HorizontalFlip"},)
    value = {
        "__version__": "2.0.8",
        "transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": [{"p": 1.0, **t} for t in steps]},
    }
    path.write_text(json.dumps(value))
    return path
