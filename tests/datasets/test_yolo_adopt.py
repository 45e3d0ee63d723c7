"""Any set as YOLO: what must come back, what is lost and counted, what is refused."""

import json
from array import array
from pathlib import Path

import numpy as np
import pytest
from dataset_helpers import CLASSES, SCENES, picture, tree, write_coco, write_voc, write_yolo
from ferraug import _core
from ferraug.cli import main
from ferraug.cli import run as command
from ferraug.datasets import FORMATS, coco, contour, convert, plain, quads, read, rle, yolo, yolo_adopt
from ferraug.datasets.model import Category, Dataset, Instance, Options, Rle
from ferraug.datasets.polygon import area, extent
from test_convert import boxes, materialise, near
from test_yolo_tasks import one, semseg


def adopted(data: Dataset, task: str | None = None, parts: str = "join") -> Dataset:
    data.options = Options(task=task, parts=parts)
    take = FORMATS["yolo"].adopt
    assert take is not None
    return take(data)


def returned(data: Dataset, root: Path, task: str | None = None, parts: str = "join") -> tuple[Dataset, Dataset]:
    """The set as YOLO, and read again from files."""
    new = adopted(data, task, parts)
    return new, read(str(materialise(new, root)), "yolo", errors="raise")[0]


def outline(instance: Instance) -> np.ndarray:
    assert instance.parts is not None
    return np.concatenate(instance.parts).reshape(-1, 2)


# names and places


def test_places_and_yaml(tmp_path: Path) -> None:
    data = coco.read(str(write_coco(tmp_path / "src")))
    new, again = returned(data, tmp_path / "yolo")
    assert [s.path for s in new.samples()] == [f"images/train/{name}.jpg" for name, *_ in SCENES]
    assert [s.source_id for s in new.samples()] == [s.source_id for s in data.samples()]
    names = "".join(f"  {i}: {n}\n" for i, n in enumerate(CLASSES))
    assert (tmp_path / "yolo/data.yaml").read_text() == f"train: images/train\nnames:\n{names}"
    assert (tmp_path / "yolo/labels/train/rocket.txt").read_text().splitlines() == [
        "2 0.503750 0.623596 0.042500 0.655431", "5 0.290000 0.634831 0.060000 0.692884",
        "5 0.717500 0.644195 0.060000 0.711610",
    ]  # fmt: skip
    near(data, again, 1e-6)
    assert not new.losses and again.task == "detect"


def test_odd_names(tmp_path: Path) -> None:
    data = coco.read(str(write_coco(tmp_path)))
    odd = ["no", "a: b", "it's", "1", "x\ny #1", "[ok]"]
    for category, name in zip(data.categories, odd, strict=True):
        category.name = name
    paths = ["a/images/x.jpg", "b/x.png", "train/b/X.jpg"]
    for sample, path in zip(data.samples(), paths, strict=True):
        sample.path, sample.file = path, sample.source
    new, again = returned(data, tmp_path / "out")
    assert [c.name for c in again.categories] == [n.replace("\n", " ") for n in odd]
    assert [s.path for s in new.samples()] == ["images/train/a/x.jpg", "images/train/b/x.png", "images/train/b/X-2.jpg"]
    assert sorted(s.path for s in again.samples()) == sorted(s.path for s in new.samples())


def test_one_class_of_each_name_in_the_order_of_the_list(shared: Path) -> None:
    data, _ = read(str(shared / "coco_keypoints/coco"))
    new = adopted(data)
    assert [c.key for c in new.categories] == list(range(80)) and new.categories[79].name == "toothbrush"
    assert sum(len(s.instances) for s in new.samples()) == 136
    assert new.losses == {
        convert.CAPTIONS: 60, convert.IMAGE_FIELDS: 12, convert.MERGED: 36, yolo_adopt.CROWDS: 3,
        convert.OUTLINES: 136, convert.KEYPOINTS: 34,
    }  # fmt: skip


def test_splits(shared: Path, tmp_path: Path) -> None:
    data = yolo.read(str(shared / "yolo/aquarium"), "collect")
    new, again = returned(data, tmp_path, "obb")
    assert {k: len(v) for k, v in again.splits.items()} == {"train": 9, "val": 4, "test": 5}
    assert again.task == "obb" and sum(len(s.instances) for s in again.samples()) == 176
    assert sum(s.label is None for s in new.samples()) == sum(s.label is None for s in data.samples())
    shared_split, again = returned(yolo.read(str(shared / "obb/pklot"), "collect"), tmp_path / "b", "segment")
    assert (tmp_path / "b/val.txt").read_text().splitlines() == [f"./{s.path}" for s in shared_split.samples()]
    assert {k: len(v) for k, v in again.splits.items()} == {"train": 3, "val": 0}


# there and back


def test_boxes_of_voc(tmp_path: Path) -> None:
    data, _ = read(str(write_voc(tmp_path / "src")))
    new, again = returned(data, tmp_path / "out")
    near(data, again, 1e-6)
    assert [c.name for c in again.categories] == [c.name for c in data.categories]


def test_boxes_come_through_coco(shared: Path, tmp_path: Path) -> None:
    data = yolo.read(str(shared / "yolo/aquarium"), "collect")
    middle = coco.read(str(materialise(convert_to(data, "coco"), tmp_path / "coco")))
    _, again = returned(middle, tmp_path / "yolo")
    near(data, again, 1e-5)
    assert [c.name for c in again.categories] == [c.name for c in data.categories]


def convert_to(data: Dataset, target: str) -> Dataset:
    take = FORMATS[target].adopt
    if take is None:
        pytest.skip(f"nothing becomes {target}")
    return take(data)


def test_outlines_come_through_coco(shared: Path, tmp_path: Path) -> None:
    data = yolo.read(str(semseg(shared, tmp_path / "src")))
    middle = coco.read(str(materialise(convert_to(data, "coco"), tmp_path / "coco")))
    _, again = returned(middle, tmp_path / "yolo", "segment")
    first = {Path(s.path).name: s for s in data.samples()}
    assert len(again.samples()) == 10
    for sample in again.samples():
        old = first[Path(sample.path).name]
        assert len(old.instances) == len(sample.instances)
        for a, b in zip(old.instances, sample.instances, strict=True):
            assert data.categories[a.category].name == again.categories[b.category].name
            assert np.abs((outline(a) - outline(b)) / sample.size).max() < 1e-5


def test_poses_of_coco(shared: Path, tmp_path: Path) -> None:
    data, _ = read(str(shared / "coco_keypoints/coco"))
    new, again = returned(data, tmp_path, "pose")
    assert again.task == "pose" and [c.name for c in again.categories] == ["person"]
    persons = [i for s in again.samples() for i in s.instances]
    assert len(persons) == 34 and len(again.samples()) == 12
    assert sum(p[2] > 0 for i in persons for p in i.keypoints or ()) == 218
    assert again.categories[0].keypoints is not None and again.categories[0].keypoints[1] == "left_eye"
    assert sorted(again.categories[0].flip_pairs or ()) == sorted(new.categories[0].flip_pairs or ())
    assert (tmp_path / "data.yaml").read_text().splitlines()[1:3] == [
        "kpt_shape: [17, 3]", "flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]",
    ]  # fmt: skip
    assert new.losses[yolo_adopt.NO_POINTS] == 102
    # edges, not pixel indices
    record = json.loads((shared / "coco_keypoints/coco/person_keypoints.json").read_text())
    sample = next(s for s in again.samples() if s.path.endswith("000000234748.jpg"))
    [image] = [i for i in record["images"] if i["file_name"] == "000000234748.jpg"]
    [given] = [a["keypoints"] for a in record["annotations"] if a["image_id"] == image["id"] and not a["iscrowd"]]
    for (x, y, v), gx, gy, gv in zip(sample.instances[0].keypoints or (), given[0::3], given[1::3], given[2::3]):
        assert v == gv and (not v or (abs(x - gx - 0.5) < 1e-3 and abs(y - gy - 0.5) < 1e-3))


# outlines


@pytest.mark.parametrize("parts", ["join", "largest", "split"])
def test_outlines_of_coco(shared: Path, tmp_path: Path, parts: str) -> None:
    data, _ = read(str(shared / "coco"))
    new, again = returned(data, tmp_path, "segment", parts)
    rows = [i for s in again.samples() for i in s.instances]
    assert len(rows) == (289 if parts == "split" else 252) and all(i.parts for i in rows)
    lost = {"join": (yolo_adopt.JOINED, 28), "largest": (yolo_adopt.SMALLER, 37), "split": (yolo_adopt.SPLIT, 28)}
    assert new.losses.pop(lost[parts][0]) == lost[parts][1] and new.losses[yolo_adopt.CROWDS] == 4
    if parts == "join":
        for sample, old in zip(again.samples(), sorted(new.samples(), key=lambda s: s.path), strict=True):
            for a, b in zip(sample.instances, old.instances, strict=True):
                assert area(a.parts[0]) == pytest.approx(sum(map(area, b.parts)), abs=1 + 1e-3 * area(a.parts[0]))  # type: ignore[index,arg-type]


def test_masks_become_outlines(tmp_path: Path) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[8:24, 8:24] = 1
    mask[12:16, 12:16] = 0
    mask[30:40, 40:50] = 1
    data = by_hand(tmp_path, Rle(rle.encode(mask), 48, 64, True))
    new, again = returned(data, tmp_path / "out", "segment")
    assert new.losses == {yolo_adopt.HOLES: 1, yolo_adopt.JOINED: 1}
    [instance] = again.samples()[0].instances
    assert area(instance.parts[0]) == pytest.approx(256 + 100, abs=0.01)  # type: ignore[index]
    assert extent(instance.parts or ()) == pytest.approx((8, 8, 50, 40), abs=1e-4)


def by_hand(root: Path, mask: Rle) -> Dataset:
    picture(root / "src/x.png")
    data = plain.read(str(root / "src"))
    data.task = "segment"
    data.categories = [Category(0, "thing")]
    data.samples()[0].instances = [Instance(0, (8.0, 8.0, 50.0, 40.0), "here", rle=mask)]
    return data


def test_contours() -> None:
    random = np.random.default_rng(3)
    for n in range(60):
        mask = random.random((9, 11)) < (0.15, 0.5, 0.8)[n % 3]
        found = contour.rings(mask)
        # signed areas add up to the pixels, and every ring is closed along edges
        assert sum(contour._area(r) for r in found) == 2 * mask.sum()
        again = np.zeros((9, 11), int)
        for ring in found:
            closed = np.concatenate([ring, ring[:1]])
            assert (np.abs(np.diff(closed, axis=0)) > 0).sum() == len(ring)
            for (x0, y0), (x1, y1) in zip(closed[:-1].astype(int), closed[1:].astype(int)):
                if x0 == x1:  # downward on the right of a piece, upward on its left
                    again[min(y0, y1) : max(y0, y1), x0:] += -1 if y1 > y0 else 1
        assert np.array_equal(again, mask)
    y, x = np.mgrid[0:200, 0:200]
    disc = (x - 99.5) ** 2 + (y - 99.5) ** 2 < 80**2
    [flat], holes = contour.outlines(disc)
    assert holes == 0 and len(flat) // 2 < 0.8 * len(contour.rings(disc)[0])
    assert abs(area(flat) - disc.sum()) < 8


def test_oriented_boxes_of_outlines(tmp_path: Path) -> None:
    data = coco.read(str(write_coco(tmp_path / "src")))
    [sample] = [s for s in data.samples() if s.path.endswith("rocket.jpg")]
    slanted = array("d", [100, 100, 140, 60, 150, 70, 110, 110])
    sample.instances[0].parts, sample.instances[0].box = [slanted], (100, 60, 150, 110)
    new, again = returned(data, tmp_path / "out", "obb")
    assert again.task == "obb" and new.losses == {yolo_adopt.ORIENTED: 1}
    found = next(s for s in again.samples() if s.path.endswith("rocket.jpg")).instances
    assert np.allclose(sorted(quads.corners_of(found[0].quad or ())), sorted(quads.corners_of(slanted)), atol=1e-3)
    assert list(found[1].quad or ()) == pytest.approx([104, 77, 128, 77, 128, 262, 104, 262], abs=1e-3)


# refusals


def test_refusals(tmp_path: Path, shared: Path) -> None:
    data = coco.read(str(write_coco(tmp_path / "a")))
    for task, text in (("segment", "outlines are needed"), ("pose", "keypoints are needed"), ("x", "allowed detect")):
        with pytest.raises(_core.ConfigError, match=text):
            adopted(data, task)
    picture(tmp_path / "b/x.jpg")
    with pytest.raises(_core.ConfigError, match="objects are needed"):
        adopted(plain.read(str(tmp_path / "b")))
    root = one(tmp_path / "c", "0 .1 .1 .5 .1 .5 .5 .1 .5\n")
    with pytest.raises(_core.ConfigError, match="keypoints are needed"):
        adopted(read(str(root))[0], "pose")
    same = read(str(root))[0]
    assert adopted(same) is same and adopted(same, "detect").task == "detect"


# the command


@pytest.mark.parametrize(("part", "task"), [("coco", "segment"), ("coco", "obb"), ("voc/bccd", "detect")])
def test_copies_are_the_same_pictures(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, task: str
) -> None:
    """The same augmentation as without --to, and rows that lie on the same objects."""
    src = shared / part
    assert main(["augment", str(src), "--out", str(tmp_path / "own"), "-n", "2", "--seed", "4"]) in (0, 3)
    reading = command.read_any

    def with_task(*args: object, **rest: object) -> object:
        data, found = reading(*args, **rest)  # type: ignore[arg-type]
        data.options.task = task
        return data, found

    monkeypatch.setattr(command, "read_any", with_task)
    assert main(["augment", str(src), "--out", str(tmp_path / "yolo"), "--to", "yolo", "-n", "2", "--seed", "4"]) in (0, 3)
    own, new = tree(tmp_path / "own"), tree(tmp_path / "yolo")
    images = {Path(n).name: b for n, b in own.items() if n.endswith(".jpg")}
    assert images == {Path(n).name: b for n, b in new.items() if n.endswith(".jpg")} and len(images) > 60
    left, right = (read(str(tmp_path / n), errors="raise")[0] for n in ("own", "yolo"))
    assert right.task == task
    found = boxes(right)
    compared = 0
    for name, objects in boxes(left).items():
        sample = next(s for s in left.samples() if Path(s.source).name == name)
        kept = [o for o, i in zip(objects, sample.objects(), strict=True) if "crowd" not in i.flags]
        if task != "detect":
            assert len(kept) == len(found[name])
            continue
        for (a, one_box), (b, two) in zip(kept, found[name], strict=True):
            assert a == b and one_box == pytest.approx(two, abs=1)
            compared += 1
    assert task != "detect" or compared > 1000
    for label in (n for n in new if n.startswith("labels/")):
        for row in new[label].decode().splitlines():
            assert all(0 <= float(v) <= 1 for v in row.split()[1:])


def test_yolo_of_another_task(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "src")
    data = yolo.read(str(root))
    new, again = returned(data, tmp_path / "out", "obb")
    assert again.task == "obb" and [c.key for c in new.categories] == [c.key for c in data.categories]
    back, last = returned(again, tmp_path / "back", "detect")
    near(data, last, 3e-6)
    assert back.losses == {convert.QUADS: sum(len(found) for *_, found in SCENES)}
