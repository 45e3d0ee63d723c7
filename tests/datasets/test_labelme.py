"""LabelMe: every kind of shape read, kept token for token, mirrored and cropped; other sets as LabelMe."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_helpers import picture, policy, tree, write_coco
from ferraug import ConfigError, UnsafePathError, _core
from ferraug.cli import main
from ferraug.datasets import coco, formats, labelme, labelme_write, rle
from ferraug.datasets.detect import detect, read

W, H = 64, 48


def shape(kind: str, points: list[Any], label: str = "thing", **more: Any) -> dict[str, Any]:
    return {
        "label": label, "points": points, "group_id": None, "description": "as is", "shape_type": kind,
        "flags": {"odd": True}, "mask": None, "attributes": {"colour": "red", "n": 1.50}, **more,
    }  # fmt: skip


def mask_text(mask: np.ndarray) -> str:
    return base64.b64encode(_core.encode_png(mask)).decode()


BLOB = np.zeros((6, 10), np.uint8)
BLOB[1:5, 2:9] = 1
SHAPES = [
    shape("polygon", [[10, 8.5], [30, 8.5], [30, 20]]),
    shape("rectangle", [[40, 30], [20, 22]], "box"),
    shape("circle", [[50, 12], [56, 12]], "disc"),
    shape("point", [[5.25, 6]], "dot"),
    shape("points", [[5, 6], [7, 8]], "dot"),
    shape("line", [[1, 1], [9, 9]], "wire"),
    shape("linestrip", [[1, 40], [9, 41], [12, 44]], "wire"),
    shape("mask", [[30, 40], [39, 45]], "blob", mask=mask_text(BLOB)),
    shape("polygon", [[2, 30], [8, 30], [8, 36]], group_id=3),
    shape("polygon", [[10, 30], [16, 30], [16, 36]], group_id=3),
]


def write(root: Path, shapes: list[dict[str, Any]], name: str = "a", **more: Any) -> Path:
    picture(root / f"{name}.png", W, H)
    value = {
        "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"{name}.png", "imageData": "QUJD",
        "imageHeight": H, "imageWidth": W, "own": [1.0, "é"], **more,
    }  # fmt: skip
    (root / f"{name}.json").write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
    return root


def augment(root: Path, out: Path, *args: object) -> Any:
    assert main(["augment", str(root), "--out", str(out), "-n", "1", "--min-side", "0", *map(str, args)]) == 0
    return json.loads((out / "a__ferraug-0001.json").read_text(encoding="utf-8"))


def test_every_kind_is_read(tmp_path: Path) -> None:
    data, found = read(str(write(tmp_path, SHAPES)))
    assert found.format == "labelme" and not data.problems and data.task == "segment"
    [sample] = data.samples()
    seen = [(data.categories[i.category].name, i.box) for i in sample.objects()]
    assert seen[0] == ("thing", (10, 8.5, 30, 20)) and seen[1] == ("box", (20, 22, 40, 30))
    assert seen[2] == ("disc", (44, 6, 56, 18)) and seen[3] == ("dot", (4.75, 5.5, 5.75, 6.5))
    assert seen[7] == ("blob", (30, 40, 40, 46)) and seen[8] == ("thing", (2, 30, 16, 36)) and len(seen) == 9
    blob, group = sample.instances[7], sample.instances[8]
    assert (
        blob.rle is not None
        and rle.decode(blob.rle.counts, H, W)[41:45, 32:39].all()
        and sum(blob.rle.counts[1::2]) == 28
    )
    assert group.parts is not None and len(group.parts) == 2 and group.raw == [8, 9]


def test_the_original_and_untouched_shapes_stay(tmp_path: Path) -> None:
    root = write(tmp_path / "src", SHAPES)
    out = tmp_path / "out"
    value = augment(root, out, "--policy", policy(tmp_path / "p.json", {"__class_fullname__": "InvertImg"}))
    assert (out / "a.json").read_bytes() == (root / "a.json").read_bytes()
    source = (root / "a.json").read_text(encoding="utf-8")
    expected = source.replace('"QUJD"', "null").replace('"a.png"', '"a__ferraug-0001.png"')
    assert (out / "a__ferraug-0001.json").read_text(encoding="utf-8") == expected
    assert value["imageData"] is None and "1.5" in expected
    assert detect(str(out)).format == "labelme" and not read(str(out), errors="raise")[0].problems


def test_a_mirror(tmp_path: Path) -> None:
    root = write(tmp_path / "src", SHAPES)
    value = augment(root, tmp_path / "out", "--policy", policy(tmp_path / "p.json"))
    shapes = value["shapes"]
    assert [s["shape_type"] for s in shapes] == [
        "polygon", "rectangle", "polygon", "point", "points", "line", "linestrip", "mask", "polygon", "polygon",
    ]  # fmt: skip
    assert sorted(shapes[0]["points"]) == sorted([[54, 8.5], [34, 8.5], [34, 20]])
    assert shapes[1]["points"] == [[24, 22], [44, 30]] and len(shapes[2]["points"]) == labelme.CIRCLE
    assert shapes[3]["points"] == [[58.75, 6]] and shapes[5]["points"] == [[63, 1], [55, 9]]
    assert shapes[7]["points"] == [[25, 41], [31, 44]]
    pixels, _ = _core.decode(base64.b64decode(shapes[7]["mask"]))
    assert pixels.shape == (4, 7) and pixels.all()
    assert [s["group_id"] for s in shapes[8:]] == [3, 3]
    for old, new in zip(SHAPES, shapes, strict=True):
        assert {k: v for k, v in old.items() if k not in ("points", "shape_type", "mask")} == {
            k: v for k, v in new.items() if k not in ("points", "shape_type", "mask")
        }


def test_a_crop_parts_objects(tmp_path: Path) -> None:
    # a U that loses its bottom is two parts, which need a group; lines that are cut and points that left are gone
    u = [[4, 4], [12, 4], [12, 30], [20, 30], [20, 4], [28, 4], [28, 40], [4, 40]]
    shapes = [shape("polygon", u), shape("line", [[2, 2], [2, 44]]), shape("points", [[3, 3], [3, 44]])]
    crop = {"__class_fullname__": "Crop", "x_min": 0, "y_min": 0, "x_max": 40, "y_max": 24}
    value = augment(write(tmp_path / "src", shapes), tmp_path / "out", "--policy", policy(tmp_path / "p.json", crop))
    assert (value["imageWidth"], value["imageHeight"]) == (40, 24)
    kinds = [(s["shape_type"], s["group_id"]) for s in value["shapes"]]
    assert kinds == [("polygon", 1), ("polygon", 1), ("points", None)]
    assert value["shapes"][-1]["points"] == [[3, 3]]


@pytest.mark.parametrize(
    "bad",
    [
        {"points": [[1, 1], [2, 2]]},
        {"points": [[1, 1], [2, 2], [3]]},
        {"points": [[1, 1], [2, 2], [3, "4"]]},
        {"points": [[1, 1], [2, 2], [3, float("nan")]]},
        {"points": [[1, 1], [2, 2], [3, 3]]},
        {"points": [[100, 1], [120, 2], [130, 30]]},
        {"points": 3},
        {"label": ""},
        {"shape_type": "star"},
        {"shape_type": "rectangle", "points": [[1, 1], [1, 5]]},
        {"shape_type": "circle", "points": [[1, 1], [1, 1]]},
        {"shape_type": "point", "points": [[1, 100]]},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]]},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "!"},
        {"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": mask_text(BLOB)},
        {"shape_type": "mask", "points": [[60, 40], [69, 45]], "mask": mask_text(BLOB)},
    ],
)
def test_an_invalid_shape_leaves_alone(tmp_path: Path, bad: dict[str, Any]) -> None:
    root = write(tmp_path, [SHAPES[0], {**SHAPES[0], **bad}, SHAPES[1]])
    data, _ = read(str(root))
    [problem] = data.problems
    assert problem.level == "invalid" and problem.where == "a.json: shapes[1]"
    assert len(data.samples()[0].instances) == 2
    [(path, content)] = labelme_write.Writer(data, [], 0).originals(set())
    assert path == "a.json" and content is not None
    assert json.loads(content)["shapes"] == [SHAPES[0], SHAPES[1]]
    with pytest.raises(ValueError, match="shapes"):
        labelme.read(str(root))


def test_images_are_found_beside_and_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, SHAPES[:1])
    (tmp_path / "images").mkdir()
    (tmp_path / "json").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "images/a.png")
    text = (tmp_path / "a.json").read_text().replace('"a.png"', '"..\\\\images\\\\a.png"')
    (tmp_path / "a.json").unlink()
    (tmp_path / "json/a.json").write_text(text)
    data, _ = read(str(tmp_path))
    assert [s.path for s in data.samples()] == ["images/a.png"]
    (tmp_path / "json/a.json").write_text(text.replace("..\\\\images", "../../x"))
    with pytest.raises(UnsafePathError, match="leads out"):
        read(str(tmp_path))


def test_a_size_of_another_picture_is_invalid(tmp_path: Path) -> None:
    write(tmp_path, SHAPES[:1])
    write(tmp_path, SHAPES[:1], "b", imageWidth=W + 1)
    data, _ = read(str(tmp_path))
    assert [s.path for s in data.samples()] == ["a.png"] and data.problems[0].what == "image"


def test_other_sets_as_labelme(tmp_path: Path) -> None:
    data = coco.read(str(write_coco(tmp_path / "coco")))
    out = tmp_path / "out"
    assert main(["augment", str(tmp_path / "coco"), "--to", "labelme", "--out", str(out), "-n", "2"]) == 0
    again, found = read(str(out), errors="raise")
    assert found.format == "labelme" and len(again.samples()) == 9 and not again.problems
    boxes = {s.path: [i.box for i in s.objects()] for s in again.samples()}
    for sample in data.samples():
        assert boxes[f"train/{sample.path.rsplit('/', 1)[-1]}"] == [i.box for i in sample.objects()]
    assert json.loads((out / "train/rocket.json").read_text())["shapes"][0]["shape_type"] == "rectangle"
    assert len([n for n in tree(out) if n.endswith(".json") and not n.startswith("ferraug-")]) == 9


def test_masks_and_parts_of_coco_as_labelme(shared: Path, tmp_path: Path) -> None:
    data = coco.read(str(shared / "coco"))
    adopted = formats.adopt(data, "labelme")
    for path, content in labelme_write.Writer(adopted, [], 0).originals(set()):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content or b"")
    for sample in adopted.samples():
        (tmp_path / sample.path).write_bytes((shared / "coco" / sample.source).read_bytes())
    again = labelme.read(str(tmp_path))
    old = {s.source.rsplit("/", 1)[-1]: s for s in data.samples()}
    count = 0
    for sample in again.samples():
        for a, b in zip(old[sample.path.rsplit("/", 1)[-1]].instances, sample.instances, strict=True):
            count += 1
            assert a.parts == b.parts and (a.rle is None) == (b.rle is None)
            if a.rle is not None and b.rle is not None:
                assert list(a.rle.counts) == list(b.rle.counts)
    assert count == 256


def test_a_broken_file_skips_its_image(tmp_path: Path) -> None:
    write(tmp_path, SHAPES[:1])
    write(tmp_path, SHAPES[:1], "b")
    path = tmp_path / "b.json"
    path.write_text(path.read_text()[:-40])
    data, _ = read(str(tmp_path))
    assert [s.path for s in data.samples()] == ["a.png"] and "offset" in data.problems[0].text
    assert not data.files
    path.unlink()
    (tmp_path / "a.json").unlink()
    with pytest.raises(ConfigError):
        labelme.read(str(tmp_path))
