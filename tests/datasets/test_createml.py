"""CreateML: boxes by their middle, kept token for token, moved; other sets as CreateML."""

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_helpers import SCENES, picture, policy, write_coco
from ferraug import ConfigError
from ferraug.cli import main
from ferraug.datasets import coco, createml, createml_write
from ferraug.datasets.detect import read

W, H = 64, 48


def row(x: Any, y: Any, w: Any, h: Any, label: Any = "thing", **more: Any) -> dict[str, Any]:
    return {"label": label, "coordinates": {"x": x, "y": y, "width": w, "height": h}, **more}


ROWS = [row(20, 15, 11, 9), row(40.25, 30, 10.50, 10, "other", own=[1.0])]


def write(root: Path, rows: list[dict[str, Any]], indent: int | None = None) -> Path:
    value = []
    for name in ("a", "b"):
        picture(root / f"{name}.png", W, H, seed=ord(name))
        value.append({"image": f"{name}.png", "annotations": rows if name == "a" else [], "own": 1.0})
    (root / "x.json").write_text(json.dumps(value, indent=indent))
    return root


def test_boxes_by_their_middle(tmp_path: Path) -> None:
    data, found = read(str(write(tmp_path, ROWS)))
    assert found.format == "createml" and not data.problems and data.task == "detect"
    [a, b] = data.samples()
    assert [i.box for i in a.objects()] == [(14.5, 10.5, 25.5, 19.5), (35, 25, 45.5, 35)] and not b.instances
    assert [c.name for c in data.categories] == ["thing", "other"]


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_mirror(tmp_path: Path, indent: int | None) -> None:
    root, out = write(tmp_path / "src", ROWS, indent), tmp_path / "out"
    args = ["augment", str(root), "--out", str(out), "-n", "1", "--policy", str(policy(tmp_path / "p.json"))]
    assert main(args) == 0
    text, source = (out / "x.json").read_text(), (root / "x.json").read_text()
    assert text.startswith(source.rstrip("]\n"))
    value = json.loads(text)
    assert [r["image"] for r in value] == ["a.png", "b.png", "a__ferraug-0001.png", "b__ferraug-0001.png"]
    assert value[2]["annotations"] == [row(44, 15, 11, 9), row(23.75, 30, 10.5, 10, "other", own=[1.0])]
    assert value[3] == {"image": "b__ferraug-0001.png", "annotations": [], "own": 1.0}
    assert not read(str(out), errors="raise")[0].problems


@pytest.mark.parametrize(
    "bad",
    [
        row(20, 15, 0, 9), row(20, 15, 11, "9"), row(200, 15, 11, 9), row(20, 15, 11, 9, ""), {"label": "x"}, 3,
        row(20, 15, 11, float("nan")), row(20, 15, 11, True),
    ],
)  # fmt: skip
def test_an_invalid_object_leaves_alone(tmp_path: Path, bad: Any) -> None:
    root = write(tmp_path, [ROWS[0], bad, ROWS[1]], 1)
    data, _ = read(str(root))
    [problem] = data.problems
    assert problem.level == "invalid" and problem.where == "x.json: [0].annotations[1]"
    [(_, pieces)] = createml_write.Writer(data, [], 0).aggregates(lambda: [], set())
    write(tmp_path / "clean", ROWS, 1)
    assert b"".join(pieces) == (tmp_path / "clean/x.json").read_bytes()
    with pytest.raises(ValueError, match="annotations"):
        createml.read(str(root))


def test_originals_stay_and_images_may_be_missing(tmp_path: Path) -> None:
    root = write(tmp_path, ROWS)
    data, _ = read(str(root))
    [(path, pieces)] = createml_write.Writer(data, [], 0).aggregates(lambda: [], set())
    assert b"".join(pieces) == (root / path).read_bytes()
    (root / "b.png").unlink()
    data, _ = read(str(root))
    assert [s.path for s in data.samples()] == ["a.png"] and "no such image" in data.problems[0].text
    [(_, pieces)] = createml_write.Writer(data, [], 0).aggregates(lambda: [], set())
    assert [r["image"] for r in json.loads(b"".join(pieces))] == ["a.png"]
    (root / "x.json").write_text((root / "x.json").read_text()[:-1])
    with pytest.raises(ConfigError, match="offset"):
        read(str(root), "createml")


def test_other_sets_as_createml(tmp_path: Path) -> None:
    src, out = write_coco(tmp_path / "coco"), tmp_path / "out"
    assert main(["augment", str(src), "--to", "createml", "--out", str(out), "-n", "2"]) == 0
    again, found = read(str(out), errors="raise")
    assert found.format == "createml" and len(again.samples()) == 9 and not again.problems
    for a, b in zip(coco.read(str(src)).samples(), again.samples()[: len(SCENES)], strict=True):
        assert [i.box for i in a.objects()] == [i.box for i in b.objects()]
