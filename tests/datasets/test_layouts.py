"""Folder layouts that exporters write, and the answers to damaged sets."""

import json
import shutil
from pathlib import Path

import pytest
from dataset_helpers import CLASSES, SAMPLES, picture, write_coco, write_voc, write_yolo
from ferraug._core import ConfigError, UnsafePathError
from ferraug.cli import main
from ferraug.datasets import coco, read, voc, yolo


def splits(root: Path) -> dict[str, int]:
    data, _ = read(str(root), errors="raise")
    return {name: len(part) for name, part in data.splits.items()}


def coco_file(path: Path, folder: Path, count: int, first: int = 0, categories_last: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in range(count):
        picture(folder / f"{first + i}.png", seed=first + i)
        images.append({"id": first + i, "file_name": f"{first + i}.png", "width": 64, "height": 48})
        annotations.append({"id": i, "image_id": first + i, "category_id": 0, "bbox": [4, 4, 20, 20], "area": 400})
    value = {"categories": [{"id": 0, "name": "a"}], "images": images, "annotations": annotations}
    if categories_last:
        value = {"annotations": annotations, "images": images, "categories": value["categories"]}
    path.write_text(json.dumps(value))


def test_coco_official(tmp_path: Path) -> None:
    coco_file(tmp_path / "annotations/instances_train2017.json", tmp_path / "train2017", 3)
    coco_file(tmp_path / "annotations/instances_val2017.json", tmp_path / "val2017", 2, 10)
    assert splits(tmp_path) == {"train": 3, "val": 2}
    out = tmp_path.parent / f"{tmp_path.name}-out"
    assert main(["augment", str(tmp_path), "--out", str(out), "-n", "1"]) == 0
    assert splits(out) == {"train": 6, "val": 2}
    assert (out / "val2017/10.png").exists() and (out / "train2017/0__ferraug-0001.png").exists()
    value = (out / "annotations/instances_val2017.json").read_bytes()
    assert value == (tmp_path / "annotations/instances_val2017.json").read_bytes()


def test_coco_roboflow(tmp_path: Path) -> None:
    for n, split in enumerate(("train", "valid", "test")):
        coco_file(tmp_path / split / "_annotations.coco.json", tmp_path / split, n + 1, 0, categories_last=n == 1)
    assert splits(tmp_path) == {"train": 1, "valid": 2, "test": 3}
    # from one file alone
    assert len(coco.read(str(tmp_path), documents=["valid/_annotations.coco.json"]).samples()) == 2
    data, _ = read(str(tmp_path / "test/_annotations.coco.json"))
    assert len(data.samples()) == 3


def test_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    results = []
    for last in (False, True):
        root = tmp_path / str(last)
        coco_file(root / "a.json", root / "images", 4, categories_last=last)
        data, _ = read(str(root), errors="raise")
        results.append([(s.path, [(i.category, i.box, i.where) for i in s.instances]) for s in data.samples()])
    assert results[0] == results[1]


def test_string_ids(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "src")
    value = json.loads((root / "boxes.json").read_text())
    for image in value["images"]:
        image["id"] = f"im{image['id']}"
    for record in value["annotations"]:
        record["id"], record["image_id"] = f"an{record['id']}", f"im{record['image_id']}"
    (root / "boxes.json").write_text(json.dumps(value))
    out = tmp_path / "out"
    assert main(["augment", str(root), "--out", str(out), "-n", "1"]) == 0
    after = json.loads((out / "boxes.json").read_text())
    assert [i["id"] for i in after["images"][3:]] == [f"im{n}__ferraug-0001" for n in (7, 8, 9)]
    assert after["annotations"][-1]["id"].startswith("an") and after["annotations"][-1]["id"].endswith("__ferraug-0001")


def test_yolo_darknet(tmp_path: Path) -> None:
    for name in ("astronaut", "rocket"):
        path = tmp_path / f"obj_train_data/{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(SAMPLES / f"images/{name}.jpg", path)
        path.with_suffix(".txt").write_text("1 0.5 0.5 0.25 0.25\n")
    (tmp_path / "obj.names").write_text("a\nb\n")
    (tmp_path / "obj.data").write_text(
        "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n"
    )
    (tmp_path / "train.txt").write_text("data/obj_train_data/astronaut.jpg\r\ndata/obj_train_data/rocket.jpg")
    data, found = read(str(tmp_path), errors="raise")
    assert (
        found.format == "yolo" and splits(tmp_path) == {"train": 2} and [c.name for c in data.categories] == ["a", "b"]
    )
    out = tmp_path.parent / f"{tmp_path.name}-out"
    assert main(["augment", str(tmp_path), "--out", str(out), "-n", "1"]) == 0
    assert (out / "train.txt").read_bytes() == (
        b"data/obj_train_data/astronaut.jpg\r\ndata/obj_train_data/rocket.jpg\r\n"
        b"data/obj_train_data/astronaut__ferraug-0001.jpg\r\ndata/obj_train_data/rocket__ferraug-0001.jpg\r\n"
    )
    assert (out / "obj_train_data/rocket__ferraug-0001.txt").exists() and (out / "obj.data").exists()


def test_yolo_without_names(tmp_path: Path) -> None:
    root = write_yolo(tmp_path / "src")
    (root / "data.yaml").unlink()
    data, _ = read(str(root), "yolo", errors="raise")
    assert [c.name for c in data.categories] == [f"class_{i}" for i in range(len(CLASSES))]
    with pytest.raises(ConfigError, match="astronaut.txt"):
        read(str(root))


def test_yolo_scores(tmp_path: Path) -> None:
    """Six columns are a box with its confidence if all rows of the file have them."""
    root = write_yolo(tmp_path / "src")
    (root / "labels/rocket.txt").write_text("0 0.5 0.5 0.2 0.2 0.75\n1 0.4 0.4 0.2 0.2 0.5\n")
    (root / "labels/chelsea.txt").write_text("0 0.5 0.5 0.2 0.2 0.75\n1 0.4 0.4 0.2 0.2\n")
    data = yolo.read(str(root), "collect")
    by_name = {s.path.split("/")[1]: s for s in data.samples()}
    assert [i.flags["score"] for i in by_name["rocket.jpg"].instances] == ["0.75", "0.5"]
    assert len(by_name["chelsea.jpg"].instances) == 1 and sum(p.level == "invalid" for p in data.problems) == 1


def test_voc_sets_and_odd_records(tmp_path: Path) -> None:
    root = tmp_path / "src"
    flat = write_voc(tmp_path / "flat")
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / part).mkdir(parents=True)
    for path in (flat / "images").iterdir():
        shutil.copyfile(path, root / ("Annotations" if path.suffix == ".xml" else "JPEGImages") / path.name)
    (root / "ImageSets/Main/train.txt").write_text("rocket\n")
    (root / "ImageSets/Main/val.txt").write_text("chelsea\n")
    assert splits(root) == {"train": 1, "val": 1, "unlisted": 1}
    out = tmp_path / "out"
    assert main(["augment", str(root), "--out", str(out), "-n", "2"]) == 0
    assert splits(out) == {"train": 3, "val": 1, "unlisted": 1}
    # the image by the stem of the XML, if the file name leads nowhere
    path = root / "Annotations/chelsea.xml"
    path.write_text(path.read_text().replace("chelsea.jpg", "gone.jpg"))
    assert splits(root) == {"train": 1, "val": 1, "unlisted": 1}
    shutil.copyfile(path, root / "Annotations/zzz.xml")
    path.write_text(path.read_text().replace("<width>400", "<width>401"))
    data = voc.read(str(root), "collect")
    assert [p.what for p in data.problems if p.level == "invalid"] == ["image", "image"]
    path.write_text('<!DOCTYPE annotation [<!ENTITY a "b">]><annotation><object/></annotation>')
    with pytest.raises(ConfigError, match="entity"):
        voc.read(str(root), "collect")
    path.write_text("<annotation><filename>../x.jpg</filename></annotation>")
    with pytest.raises(UnsafePathError):
        voc.read(str(root), "collect")


def test_unknown_fields_survive(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "src")
    value = json.loads((root / "boxes.json").read_text())
    value["images"][0]["flickr_url"] = "http://x/é"
    value["annotations"][0] |= {"mine": {"a": [1, 2]}, "angles": [1.5, 2]}
    value["extra"] = {"k": 1.50}
    (root / "boxes.json").write_text(json.dumps(value, indent=2))
    out = tmp_path / "out"
    assert main(["augment", str(root), "--out", str(out), "-n", "1"]) == 0
    after = json.loads((out / "boxes.json").read_text())
    assert after["extra"] == {"k": 1.5} and after["images"][3]["flickr_url"] == "http://x/é"
    copy = next(a for a in after["annotations"][9:] if a["category_id"] == 1)
    assert copy["mine"] == {"a": [1, 2]} and copy["angles"] == [1.5, 2]
    assert (out / "boxes.json").read_text() == json.dumps(after, indent=2)
    notices = json.loads((out / "ferraug-report.json").read_text())["notices"]
    assert sum("angles" in n for n in notices) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"bbox": [1, 2, 3]}, {"bbox": [1, 2, 0, 3]}, {"bbox": [1, 2, -1, 3]}, {"bbox": ["1", 2, 3, 4]}, {"bbox": [1, 2, True, 4]},
        {"bbox": [5000, 2, 3, 4]}, {"bbox": {}}, {"bbox": [1, 2, 1e400, 4]}, {"segmentation": [[1, 2, 3]]}, {"segmentation": "x"},
        {"segmentation": [[1, 2, 3, "4", 5, 6]]}, {"segmentation": [[1, 2, 3, True, 5, 6]]}, {"segmentation": {"size": [400, 400]}},
        {"segmentation": {"size": [400, 400], "counts": [1, 2]}}, {"segmentation": {"size": [400, 400], "counts": [-1, 160001]}},
        {"segmentation": {"size": [1, 1], "counts": [1]}}, {"segmentation": {"size": [400, 400], "counts": "~~~"}},
        {"segmentation": {"size": [400, 400], "counts": [10**30]}}, {"segmentation": [[1, 2, 10**400, 4, 5, 6]]},
        {"category_id": 99}, {"category_id": None}, {"category_id": True}, {"image_id": 5}, {"image_id": [7]}, {"id": 2}, {"id": None},
        {"keypoints": [1, 2]}, {"keypoints": [1, 2, 3]}, {"keypoints": ["a", 2, 1]},
    ],
)  # fmt: skip
def test_invalid_records(tmp_path: Path, change: dict[str, object]) -> None:
    root = write_coco(tmp_path / "src")
    value = json.loads((root / "boxes.json").read_text())
    value["annotations"][2] |= change
    (root / "boxes.json").write_text(json.dumps(value))
    data = coco.read(str(root), "collect")
    count = len(value["annotations"])
    assert sum(len(s.instances) for s in data.samples()) == count - 1
    [problem] = [p for p in data.problems if p.level == "invalid"]
    assert problem.what == "object" and "annotation" in problem.where
    with pytest.raises(ValueError, match="annotation"):
        coco.read(str(root))
    out = tmp_path / "out"
    assert main(["augment", str(root), "--out", str(out), "-n", "0"]) == 3
    assert len(json.loads((out / "boxes.json").read_text())["annotations"]) == count - 1
