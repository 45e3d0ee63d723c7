"""Pascal VOC's own corners: palette masks that go along, lists, pixels that count from 1, named parts."""

import json
from pathlib import Path

import numpy as np
import pytest
from dataset_helpers import picture, policy
from ferraug.cli import main
from ferraug.datasets import maskfile
from ferraug.datasets.detect import read

Image = pytest.importorskip("PIL.Image")

W, H = 64, 48
OBJECT = """\t<object>
\t\t<name>cat</name>
\t\t<pose>Left</pose>
\t\t<truncated>0</truncated>
\t\t<bndbox><xmin>11</xmin><ymin>9</ymin><xmax>30</xmax><ymax>24</ymax></bndbox>
\t\t<part><name>head</name><bndbox><xmin>11</xmin><ymin>9</ymin><xmax>15</xmax><ymax>14</ymax></bndbox></part>
\t</object>
"""


def palette(path: Path, value: int) -> np.ndarray:
    """A palette mask: 255 around a block of one value, on 0."""
    array = np.zeros((H, W), np.uint8)
    array[7:25, 9:31] = 255
    array[8:24, 10:30] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.frombytes("P", (W, H), array.tobytes())
    image.putpalette([v for i in range(256) for v in (i, 255 - i, i * 7 % 256)])
    image.save(path)
    return array


def write(root: Path) -> Path:
    for name in ("a", "b", "c"):
        picture(root / f"JPEGImages/{name}.jpg", W, H, seed=ord(name))
        xml = root / f"Annotations/{name}.xml"
        xml.parent.mkdir(exist_ok=True)
        xml.write_text(
            f"<annotation>\n\t<filename>{name}.jpg</filename>\n\t<path>/x/{name}.jpg</path>\n"
            f"\t<size><width>{W}</width><height>{H}</height><depth>3</depth></size>\n{OBJECT}</annotation>\n"
        )
    palette(root / "SegmentationClass/a.png", 8)
    palette(root / "SegmentationObject/a.png", 1)
    lists = {
        "Main/train": "a\nb\n", "Main/val": "c\nb\n", "Main/trainval": "a\nb\nc\n", "Main/cat_train": "a  1\nb -1\n",
        "Main/cat_val": "c  1\nb  1", "Segmentation/train": "a\n", "Layout/train": "a 1\n",
    }  # fmt: skip
    for name, text in lists.items():
        path = root / f"ImageSets/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def augment(tmp_path: Path, *args: object) -> Path:
    out = tmp_path / "out"
    given = ["--out", out, "-n", 1, "--policy", policy(tmp_path / "p.json"), *args]
    assert main(["augment", str(write(tmp_path / "src")), *map(str, given)]) == 0
    return out


def test_palette_masks_go_along(tmp_path: Path) -> None:
    out = augment(tmp_path)
    for folder, value in (("SegmentationClass", 8), ("SegmentationObject", 1)):
        old, new = (maskfile.decode((out / folder / f"{n}.png").read_bytes()) for n in ("a", "a__ferraug-0001"))
        assert (out / folder / "a.png").read_bytes() == (tmp_path / "src" / folder / "a.png").read_bytes()
        assert new.mode == "P" and new.palette == old.palette and set(np.unique(new.array)) == {0, value, 255}
        assert np.array_equal(new.array, old.array[:, ::-1])
        assert len(list((out / folder).iterdir())) == 2
    data, _ = read(str(out), "voc", errors="raise")
    assert not data.problems and sum(s.mask is not None and s.second is not None for s in data.samples()) == 2


def test_lists_take_copies_of_their_own_split(tmp_path: Path) -> None:
    out = augment(tmp_path) / "ImageSets"
    a, b = "a__ferraug-0001", "b__ferraug-0001"
    assert (out / "Main/train.txt").read_text() == f"a\nb\n{a}\n{b}\n"
    assert (out / "Main/trainval.txt").read_text() == f"a\nb\nc\n{a}\n{b}\n"
    assert (out / "Main/val.txt").read_text() == "c\nb\n" and (out / "Main/cat_val.txt").read_text() == "c  1\nb  1"
    assert (out / "Main/cat_train.txt").read_text() == f"a  1\nb -1\n{a}  1\n{b} -1\n"
    assert (out / "Segmentation/train.txt").read_text() == f"a\n{a}\n"
    assert (out / "Layout/train.txt").read_text() == f"a 1\n{a} 1\n"
    data, _ = read(str(out.parent), "voc", errors="raise")
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 4, "val": 1}


def test_val_takes_copies_if_it_is_multiplied(tmp_path: Path) -> None:
    out = augment(tmp_path, "--splits", "val") / "ImageSets"
    assert (out / "Main/val.txt").read_text() == "c\nb\nc__ferraug-0001\n"
    assert (out / "Main/train.txt").read_text() == "a\nb\n"
    assert (out / "Main/cat_val.txt").read_text() == "c  1\nb  1\nc__ferraug-0001  1\n"


@pytest.mark.parametrize(
    ("origin", "box", "part"), [(0, (34, 9, 53, 24), (49, 9, 53, 14)), (1, (35, 9, 54, 24), (50, 9, 54, 14))]
)
def test_a_mirror_counts_from_where_it_is_told(
    tmp_path: Path, origin: int, box: tuple[int, ...], part: tuple[int, ...]
) -> None:
    out = augment(tmp_path, "--voc-origin", origin)
    text = (out / "Annotations/a__ferraug-0001.xml").read_text()
    for x0, y0, x1, y1 in (box, part):
        assert f"<xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>" in text
    assert "<pose>Left</pose>" in text and "<path>a__ferraug-0001.jpg</path>" in text and "/x/" not in text


def test_a_mask_of_another_size_is_only_copied(tmp_path: Path) -> None:
    root = write(tmp_path / "src")
    Image.new("P", (W, H + 1)).save(root / "SegmentationClass/a.png")
    data, _ = read(str(root), "voc")
    assert all(s.mask is None and s.second is None for s in data.samples())
    assert any("another size" in p.text for p in data.problems)
    assert {"SegmentationClass/a.png", "SegmentationObject/a.png"} <= set(data.files)
    assert main(["augment", str(root), "--out", str(tmp_path / "out"), "-n", "1"]) == 0
    report = json.loads((tmp_path / "out/ferraug-report.json").read_text())
    assert any("2 masks belong to no image" in n for n in report["notices"])
