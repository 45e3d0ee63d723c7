"""Sets of one format as another: what must come back exactly, what may be lost and is counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_helpers import CLASSES, SCENES, picture, write_coco, write_voc, write_yolo
from ferraug import ConfigError
from ferraug.datasets import coco, coco_adopt, coco_write, convert, formats, plain, rle, voc, voc_adopt, yolo
from ferraug.datasets.detect import read
from ferraug.datasets.model import Dataset, Options, Sample


def materialise(data: Dataset, root: Path) -> Path:
    """Writes an adopted set as the command does without copies."""
    writer = formats.FORMATS[data.format].write(data, data.samples(), 0)
    files: list[tuple[str, Any]] = [*writer.originals(set())]
    files += [(path, b"".join(pieces)) for path, pieces in writer.aggregates(lambda: [], set())]
    for sample in data.samples():
        files.append((sample.path, (Path(data.root) / sample.source).read_bytes()))
    assert len({path for path, _ in files}) == len(files)
    for path, content in files:
        assert content is not None, f"{path}: no such file in the source"
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return root


def boxes(data: Dataset) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """By the image's own name: class and box of every object, in order."""
    return {
        Path(s.source).name: [(data.categories[i.category].name, i.box or ()) for i in s.objects()]
        for s in data.samples()
    }


def near(a: Dataset, b: Dataset, normalised: float) -> None:
    """Equal objects; coordinates differ by no more than a share of the image's side."""
    sides = {Path(s.source).name: s.size for s in a.samples()}
    left, right = boxes(a), boxes(b)
    assert left.keys() == right.keys()
    for name, found in left.items():
        assert [n for n, _ in found] == [n for n, _ in right[name]]
        for (_, one), (_, two) in zip(found, right[name], strict=True):
            for x, y, side in zip(one, two, sides[name] * 2, strict=True):
                assert abs(x - y) <= normalised * side


def test_boxes_of_yolo_come_through_coco(tmp_path: Path) -> None:
    data = yolo.read(str(write_yolo(tmp_path / "a")))
    adopted = coco_adopt.adopt(data)
    again = coco.read(str(materialise(adopted, tmp_path / "b")))
    near(data, again, 1e-7)
    assert [c.name for c in again.categories] == CLASSES and [c.key for c in again.categories] == [1, 2, 3, 4, 5, 6]
    assert not adopted.losses and [s.source_id for s in adopted.samples()] == [s.source_id for s in data.samples()]
    assert {s.path for s in again.samples()} == {f"images/train/{name}.jpg" for name, *_ in SCENES}


def test_splits_stay(shared: Path, tmp_path: Path) -> None:
    data = yolo.read(str(shared / "yolo/aquarium"), "collect")
    for target in ("coco", "voc"):
        adopted = formats.adopt(data, target)
        again, found = read(str(materialise(adopted, tmp_path / target)))
        assert found.format == target
        assert {k: len(v) for k, v in again.splits.items()} == {"train": 9, "val": 4, "test": 5}
        near(data, again, 1e-7 if target == "coco" else 0.003)


@pytest.mark.parametrize("part", ["voc/bccd", "voc/neon_trees"])
def test_voc_comes_through_coco_exactly(shared: Path, tmp_path: Path, part: str) -> None:
    data = voc.read(str(shared / part), "collect")
    middle = coco.read(str(materialise(formats.adopt(data, "coco"), tmp_path / "coco")))
    adopted = voc_adopt.adopt(middle)
    again = voc.read(str(materialise(adopted, tmp_path / "voc")))
    assert boxes(data) == boxes(again) == boxes(middle)
    flags = [[{**i.flags} for i in s.objects()] for s in data.samples()]
    assert flags == [[i.flags for i in s.objects()] for s in again.samples()]
    assert again.header.least == data.header.least and not adopted.losses


def test_outlines_and_keypoints_of_coco(shared: Path) -> None:
    data, _ = read(str(shared / "coco_keypoints/coco"))
    adopted = voc_adopt.adopt(data)
    assert len(adopted.samples()) == 12 and sum(len(s.instances) for s in adopted.samples()) == 139
    assert adopted.losses == {
        convert.CAPTIONS: 60, convert.IMAGE_FIELDS: 12, convert.MERGED: 36, convert.OUTLINES: 139,
        convert.KEYPOINTS: 36, convert.CLASSES: 44, convert.CROWDS_DIFFICULT: 3, convert.ROUNDED: 136,
    }  # fmt: skip
    # the persons that have keypoints are those of the other document
    neutral = convert.neutral(data, "x")
    points = [i for s in neutral.samples for i in s.instances if i.keypoints is not None]
    assert len(points) == 36 and all(neutral.categories[i.category].name == "person" for i in points)
    assert neutral.categories[points[0].category].keypoints is not None


def test_voc_counts_from_one_if_asked(tmp_path: Path) -> None:
    write_voc(tmp_path)
    plain_boxes, _ = read(str(tmp_path))
    shifted, _ = read(str(tmp_path), options=Options(voc_origin=1))
    for a, b in zip(boxes(plain_boxes).values(), boxes(shifted).values(), strict=True):
        for (_, one), (_, two) in zip(a, b, strict=True):
            # 0 is outside for pixels that count from 1; what overhangs by no more than rounding is cut
            assert two == (max(one[0] - 1, 0), max(one[1] - 1, 0), one[2], one[3])
    data = coco.read(str(write_coco(tmp_path / "c")))
    data.options = Options(voc_origin=1)
    text = voc_adopt.adopt(data).header.files["JPEGImages/chelsea.jpg"].text.decode()
    assert "<xmin>1</xmin>\n\t\t\t<ymin>1</ymin>\n\t\t\t<xmax>352</xmax>\n\t\t\t<ymax>266</ymax>" in text


def _by_hand(tmp_path: Path, **given: Any) -> Dataset:
    picture(tmp_path / "a/x.jpg")
    data = plain.read(str(tmp_path))
    data.task, data.format = given.pop("task", "segment"), "x"
    sample: Sample = data.samples()[0]
    from ferraug.datasets.model import Category, Instance

    data.categories = [Category(0, "thing", flip_pairs=given.pop("flip_pairs", None))]
    sample.instances = [Instance(0, (8.0, 8.0, 24.0, 24.0), "here", **given)]
    return data


def test_oriented_boxes_become_polygons(tmp_path: Path) -> None:
    from array import array

    corners = array("d", [16, 8, 24, 16, 16, 24, 8, 16])
    adopted = coco_adopt.adopt(_by_hand(tmp_path, quad=corners, task="obb"))
    record = json.loads(adopted.header[0].document.text)["annotations"][0]
    assert record["segmentation"] == [list(corners)] and record["area"] == 128 and record["bbox"] == [8, 8, 16, 16]


def test_run_lengths_stay(tmp_path: Path) -> None:
    import numpy as np
    from ferraug.datasets.model import Rle

    mask = np.zeros((48, 64), np.uint8)
    mask[8:24, 8:24] = 1
    adopted = coco_adopt.adopt(_by_hand(tmp_path, rle=Rle(rle.encode(mask), 48, 64, False)))
    again = coco.read(str(materialise(adopted, tmp_path / "b")))
    [instance] = again.samples()[0].instances
    assert instance.rle is not None and list(instance.rle.counts) == rle.encode(mask)
    record = json.loads(adopted.header[0].document.text)["annotations"][0]
    assert isinstance(record["segmentation"]["counts"], str) and record["area"] == 256


def test_keypoints_get_names(tmp_path: Path) -> None:
    points = [(10.5, 9.25, 2), (0.0, 0.0, 0), (20.0, 20.0, 1)]
    adopted = coco_adopt.adopt(_by_hand(tmp_path, keypoints=points, flip_pairs=[(0, 2)], task="pose"))
    assert adopted.losses == {convert.SIDES: 1}
    again = coco.read(str(materialise(adopted, tmp_path / "b")))
    [instance] = again.samples()[0].instances
    assert instance.keypoints == points and again.categories[0].keypoints == ["kp_1", "kp_2", "kp_3"]
    record = json.loads(adopted.header[0].document.text)["annotations"][0]
    assert record["num_keypoints"] == 2 and record["keypoints"] == [10, 8.75, 2, 0, 0, 0, 19.5, 19.5, 1]


@pytest.mark.parametrize("target", ["coco", "voc"])
def test_images_alone_are_refused(tmp_path: Path, target: str) -> None:
    picture(tmp_path / "x.jpg")
    with pytest.raises(ConfigError, match=f"--to {target}: the source holds no annotations"):
        formats.adopt(plain.read(str(tmp_path)), target)
    with pytest.raises(ConfigError, match="--to plain: allowed"):
        formats.adopt(coco.read(str(write_coco(tmp_path / "c"))), "plain")


def test_names_stay_unique(tmp_path: Path) -> None:
    data = yolo.read(str(write_yolo(tmp_path / "a")))
    samples = data.samples()
    names = ["train/x.jpg", "val/X.png", "val/y.jpg"]
    for sample, name in zip(samples, names, strict=True):
        sample.path = name
    convert.place(samples, lambda sample: "all")
    assert [s.path for s in samples] == ["all/train__x.jpg", "all/val__X.png", "all/y.jpg"]


def test_run_lengths_as_text_and_list(shared: Path) -> None:
    for document in json.loads((shared / "coco/instances.json").read_text())["annotations"]:
        outline = document["segmentation"]
        if isinstance(outline, dict):
            assert rle.from_string(rle.to_string(outline["counts"])) == outline["counts"]


def test_a_set_of_its_own_format_is_itself(tmp_path: Path) -> None:
    data = coco.read(str(write_coco(tmp_path)))
    assert formats.adopt(data, "coco") is data
    [(path, pieces)] = coco_write.Writer(data, [], 0).aggregates(lambda: [], set())
    assert b"".join(pieces) == (tmp_path / path).read_bytes()


def _shapes(root: Path) -> Path:
    """A set of outlines, a box and a mask, as COCO."""
    picture(root / "images/a.png")
    picture(root / "images/b.png", seed=1)
    ring = [[8, 8, 30, 8, 30, 24, 8, 24], [34, 10, 44, 10, 44, 20]]
    runs = {"size": [48, 64], "counts": rle.to_string([970, 12, 36, 12, 48 * 64 - 970 - 60])}
    rows: list[dict[str, Any]] = [
        {"segmentation": ring, "bbox": [8, 8, 36, 16]},
        {"segmentation": [ring[0]], "bbox": [8, 8, 22, 16]},
    ]
    rows.append({"segmentation": runs, "bbox": [20, 10, 2, 12]})
    annotations = [
        {"id": n, "image_id": 1 + n % 2, "category_id": 1 + n % 2, "iscrowd": 0, "area": 1, **row}
        for n, row in enumerate(rows)
    ]
    value = {
        "images": [{"id": i, "file_name": f"{n}.png", "width": 64, "height": 48} for i, n in ((1, "a"), (2, "b"))],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
    }
    (root / "x.json").write_text(json.dumps(value))
    return root


ABLE = [name for name, f in formats.FORMATS.items() if f.adopt is not None]


@pytest.mark.parametrize("source", [n for n in ABLE if n not in ("masks",)])
@pytest.mark.parametrize("target", ABLE)
def test_every_set_as_every_other(tmp_path: Path, source: str, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    from ferraug.cli import main

    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["augment", str(_shapes(tmp_path / "src")), "--to", source, "--out", str(first), "-n", "0"]) == 0
    code = main(["augment", str(first), "--from", source, "--to", target, "--out", str(second), "-n", "1"])
    said = capsys.readouterr().err
    if code == 2:
        # nothing to draw masks of, and nothing else may stop it
        assert target in ("instances", "masks") and "without outlines" in said
        return
    assert code == 0, said
    data, found = read(str(second), target)
    assert len(data.samples()) == 4 and not [p for p in data.problems if p.level == "invalid"]
    if target != "masks":
        originals = [len(s.objects()) for s in data.samples() if "__ferraug" not in s.path]
        assert sorted(originals) == [1, 2]
        assert read(str(second))[1].format == target
