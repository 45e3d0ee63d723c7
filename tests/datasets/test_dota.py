"""DOTA: read, verbatim, written."""

import shutil
from pathlib import Path

import ferraug as A
import numpy as np
import pytest
from dataset_helpers import picture, tree
from ferraug._core import ConfigError
from ferraug.cli import main
from ferraug.datasets import FORMATS, detect, dota_write, read
from ferraug.datasets.dota_write import corner_columns
from ferraug.datasets.geometry import Limits, Tracer
from ferraug.datasets.model import Copy, Dataset

HEAD = "imagesource:GoogleEarth\ngsd:0.146\n"
ROWS = "30.0 20.0 50.0 10.0 55.0 20.0 35.0 30.0 small-vehicle 0\n60 30 80 30 80 50 60 50 ship 1\n"


def one(root: Path, text: str = HEAD + ROWS, split: str = "train/") -> Path:
    picture(root / f"{split}images/a.png", 100, 60)
    path = root / f"{split}labelTxt/a.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return root


def written(data: Dataset, *transforms: A.BasicTransform) -> list[str]:
    [sample] = data.samples()
    w, h = sample.size
    result, record = A.Compose(list(transforms), seed=1).run(
        {"image": np.zeros((h, w, 3), np.uint8)}, key=(1, 2, 3), record=True
    )
    size = (result["image"].shape[1], result["image"].shape[0])
    kept, _ = Tracer(sample, data.categories).map(record["ops"], size, {}, Limits(visibility=0, side=0))
    writer = dota_write.Writer(data, [sample], 1)
    [(path, text)] = writer.label_files(Copy(sample, 1, "train/images/a__ferraug-0001.png", size, kept), None)
    assert path == "train/labelTxt/a__ferraug-0001.txt"
    return text.decode().splitlines()


def test_rows(tmp_path: Path) -> None:
    data, found = read(str(one(tmp_path)), errors="raise")
    assert (found.format, data.task, list(data.splits)) == ("dota", "obb", ["train"])
    assert [c.name for c in data.categories] == ["small-vehicle", "ship"]
    a, b = data.samples()[0].instances
    assert list(a.quad or ()) == [30, 20, 50, 10, 55, 20, 35, 30] and a.box == (30, 10, 55, 30)
    assert "difficult" not in a.flags and b.flags["difficult"]
    assert written(data, A.InvertImg(p=1)) == (HEAD + ROWS).splitlines()
    assert written(data, A.HorizontalFlip(p=1)) == [
        *HEAD.splitlines(),
        "50.00 10.00 70.00 20.00 65.00 30.00 45.00 20.00 small-vehicle 0",
        "20.00 30.00 40.00 30.00 40.00 50.00 20.00 50.00 ship 1",
    ]


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    data, _ = read(str(one(tmp_path, "60 30 80 30 80 50 60 50 ship\n")), errors="raise")
    assert written(data, A.Affine(rotate=(3, 3), p=1))[0].replace("-", "").replace(" ", "").removesuffix("ship").isdigit()
    assert corner_columns([0.5, -0.5, 1.49, -0.2, 2, 3, 4, 5], True) == ["1", "-1", "1", "0", "2", "3", "4", "5"]
    assert corner_columns([-0.001, 1.005, 2, 3], False)[0] == "0.00"


def test_beyond_the_image(tmp_path: Path) -> None:
    """Verbatim while nothing moves; else what shows, along its own axes, and not clamped."""
    row = "-10 20 10 0 30 20 10 40 ship 0"
    data, _ = read(str(one(tmp_path, f"{row}\n")))
    [instance] = data.samples()[0].instances
    assert instance.box == pytest.approx((0, 0, 30, 40)) and any("beyond" in p.text for p in data.problems)
    assert written(data, A.InvertImg(p=1)) == [row]
    data.header.whole = False
    [flipped] = written(data, A.HorizontalFlip(p=1))
    values = [float(v) for v in flipped.split()[:8]]
    assert max(values[0::2]) > 100 and flipped.endswith("ship 0")
    d = np.diff(np.reshape(values, (4, 2))[[0, 1, 2]], axis=0)
    assert abs(d[0] @ d[1]) < 0.1 and abs(abs(d[0][0]) - abs(d[0][1])) < 0.05


@pytest.mark.parametrize(
    "row",
    ["1 2 3 4 5 6 7 ship", "1 2 3 4 5 6 7 8 ship 0 0", "a 2 3 4 5 6 7 8 ship 0", "1 1 2 2 3 3 4 4 ship 0",
     "1 1 9 1 9 9 1 9 ship x", "200 1 210 1 210 9 200 9 ship 0", "1 1 nan 1 9 9 1 9 ship 0", "1 1 9 1 9e300 9 1 9 s 0"],
)  # fmt: skip
def test_invalid_rows(tmp_path: Path, row: str) -> None:
    root = one(tmp_path, f"{HEAD}{row}\n{ROWS}")
    data, _ = read(str(root))
    assert [p.where for p in data.problems if p.level == "invalid"] == ["train/labelTxt/a.txt:3"]
    assert len(data.samples()[0].instances) == 2
    [(_, text)] = dota_write.Writer(data, [], 0).originals(set())
    assert text == (HEAD + ROWS).encode()
    with pytest.raises(ValueError, match=r"a\.txt:3"):
        read(str(root), errors="raise")


def test_layouts(tmp_path: Path) -> None:
    one(tmp_path / "a")
    one(tmp_path / "a", split="val/")
    picture(tmp_path / "a/val/images/empty.png")
    data, _ = read(str(tmp_path / "a"), errors="raise")
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 1, "val": 2}
    one(tmp_path / "b", split="")
    shutil.move(tmp_path / "b/labelTxt", tmp_path / "b/labelTxt-v1.0")
    shutil.move(tmp_path / "b/images/a.png", tmp_path / "b/a.png")
    data, found = read(str(tmp_path / "b"), errors="raise")
    assert found.format == "dota" and len(data.samples()[0].instances) == 2
    (tmp_path / "b/a.png").unlink()
    with pytest.raises(ConfigError):
        read(str(tmp_path / "b"), "dota")


def test_the_command(tmp_path: Path) -> None:
    src = one(tmp_path / "src")
    one(src, split="val/")
    assert main(["augment", str(src), "--out", str(tmp_path / "none"), "-n", "0"]) == 0
    assert {k: v for k, v in tree(tmp_path / "none").items() if not k.startswith("ferraug-")} == tree(src)
    assert main(["augment", str(src), "--out", str(tmp_path / "out"), "-n", "3"]) == 0
    data, _ = read(str(tmp_path / "out"), errors="raise")
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 4, "val": 1}
    assert (tmp_path / "out/val/labelTxt/a.txt").read_text() == HEAD + ROWS


def test_pklot(shared: Path, tmp_path: Path) -> None:
    assert detect(str(shared / "obb/pklot")).others == ["dota"]
    data, _ = read(str(shared / "obb/pklot"), "dota", errors="raise")
    twin, _ = read(str(shared / "obb/pklot"), "yolo", errors="raise")
    assert sum(len(s.instances) for s in data.samples()) == 120 and len(data.samples()) == 3
    for s, t in zip(data.samples(), twin.samples(), strict=True):
        assert s.path == t.path
        for i, j in zip(s.instances, t.instances, strict=True):
            assert np.allclose(i.quad, j.quad, atol=1e-3)
    assert [b for _, b in dota_write.Writer(data, [], 0).originals(set())] == [None] * 3
    assert main(["augment", str(shared / "obb/pklot"), "--from", "dota", "--out", str(tmp_path / "o"), "-n", "2"]) == 0
    again, _ = read(str(tmp_path / "o"), "dota", errors="raise")
    assert len(again.samples()) == 9 and again.header.whole


def test_yolo_becomes_dota_and_returns(shared: Path) -> None:
    data, _ = read(str(shared / "obb/pklot"), errors="raise")
    there = FORMATS["dota"].adopt(data)  # type: ignore[misc]
    assert there.format == "dota" and there.samples()[0].path == "train/images/2013-02-24_10_05_04.jpg"
    assert [c.name for c in there.categories] == ["empty", "occupied"]
    back = FORMATS["yolo"].adopt(there)  # type: ignore[misc]
    assert back.task == "obb" and back.samples()[0].path == "images/train/2013-02-24_10_05_04.jpg"
    for s, t in zip(data.samples(), back.samples(), strict=True):
        assert s.source_id == t.source_id and t.source == s.path
        for i, j in zip(s.instances, t.instances, strict=True):
            assert np.allclose(i.quad, j.quad, atol=1e-9) and i.category == j.category
            assert np.allclose([float(v) for v in i.raw.split()], [float(v) for v in j.raw.split()], atol=1e-5)
