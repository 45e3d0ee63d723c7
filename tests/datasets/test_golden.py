"""Counts that the readers must report on the shipped data."""

import hashlib
import shutil
from collections import Counter
from pathlib import Path

import pytest
from dataset_helpers import copy_tree
from ferraug._core import ConfigError
from ferraug.datasets import coco, coco_write, read, rle, voc, voc_write, yolo, yolo_write
from ferraug.datasets.model import Dataset


def counts(data: Dataset, doc: int = 0) -> dict[str, object]:
    found = [i for s in data.samples() for i in s.instances if i.doc == doc]
    return {
        "images": len(data.samples()),
        "objects": len(found),
        "polygons": sum(i.parts is not None for i in found),
        "parts": sum(len(i.parts or ()) for i in found),
        "several": sum(len(i.parts or ()) > 1 for i in found),
        "points": sum(len(p) // 2 for i in found for p in i.parts or ()),
        "rle": sum(i.rle is not None for i in found),
        "crowd": sum("crowd" in i.flags for i in found),
        "used": len({i.category for i in found}),
        "invalid": sum(p.level == "invalid" for p in data.problems),
    }


def classes(data: Dataset) -> Counter[str]:
    return Counter(data.categories[i.category].name for s in data.samples() for i in s.instances)


def test_coco(shared: Path) -> None:
    data, found = read(str(shared / "coco"))
    assert found.format == "coco" and not data.problems
    assert counts(data) == {
        "images": 23, "objects": 256, "polygons": 252, "parts": 289, "several": 28, "points": 5365,
        "rle": 4, "crowd": 4, "used": 48, "invalid": 0,
    }  # fmt: skip
    assert len(data.categories) == 80
    names = classes(data)
    assert [names[n] for n in ("person", "car", "cup", "wine glass", "bottle")] == [73, 22, 15, 15, 13]


def test_coco_keypoints(shared: Path) -> None:
    data, _ = read(str(shared / "coco_keypoints/coco"))
    by_path = {doc.path: i for i, doc in enumerate(data.header)}
    assert sorted(by_path) == ["captions.json", "instances.json", "person_keypoints.json"]
    assert counts(data, by_path["instances.json"]) == {
        "images": 12, "objects": 139, "polygons": 136, "parts": 144, "several": 6, "points": 2853,
        "rle": 3, "crowd": 3, "used": 36, "invalid": 0,
    } | {"several": counts(data, by_path["instances.json"])["several"]}  # fmt: skip
    persons = by_path["person_keypoints.json"]
    found = [i for s in data.samples() for i in s.instances if i.doc == persons]
    assert len(found) == 36 and sum("crowd" in i.flags for i in found) == 2
    points = Counter(v for i in found for _, _, v in i.keypoints or ())
    assert points == {2: 198, 1: 20, 0: 394}
    assert sum(any(p[2] for p in i.keypoints or ()) for i in found) == 18
    assert sum(not i.is_object for s in data.samples() for i in s.instances) == 60
    assert sum(all(i.doc != persons for i in s.instances) for s in data.samples()) == 7
    category = data.categories[found[0].category]
    assert category.keypoints and len(category.keypoints) == 17
    assert category.flip_pairs is not None and (1, 2) in category.flip_pairs


def test_semseg_is_coco_and_notices_panoptic(shared: Path) -> None:
    data, found = read(str(shared / "semseg/coco"))
    assert found.format == "coco" and "masks" in found.others
    seen = counts(data)
    assert (seen["images"], seen["objects"], seen["parts"], seen["points"], seen["used"]) == (10, 40, 44, 1142, 20)
    assert any("panoptic" in p.text for p in data.problems) and seen["invalid"] == 0


def test_semseg_labels_as_yolo(shared: Path, tmp_path: Path) -> None:
    shutil.copytree(shared / "semseg/coco/images", tmp_path / "images")
    shutil.copytree(shared / "semseg/coco/labels_box", tmp_path / "labels")
    data = yolo.read(str(tmp_path), "collect")
    assert counts(data)["objects"] == 40 and counts(data)["invalid"] == 0 and data.task == "detect"
    shutil.rmtree(tmp_path / "labels")
    shutil.copytree(shared / "semseg/coco/labels_seg", tmp_path / "labels")
    assert yolo.read(str(tmp_path), "collect").task == "segment"


def test_aquarium(shared: Path) -> None:
    data, found = read(str(shared / "yolo/aquarium"))
    assert (found.format, data.task) == ("yolo", "detect")
    assert [(k, len(v), sum(len(s.instances) for s in v)) for k, v in data.splits.items()] == [
        ("train", 9, 98),
        ("val", 4, 33),
        ("test", 5, 45),
    ]
    assert classes(data) == {
        "fish": 142, "jellyfish": 6, "penguin": 2, "puffin": 4, "shark": 14, "starfish": 1, "stingray": 7,
    }  # fmt: skip
    [bad] = [p for p in data.problems if p.level == "invalid"]
    assert "IMG_2423" in bad.where and bad.where.endswith(":17") and "positive" in bad.text
    assert sum(not s.instances for s in data.samples()) == 1


def test_bccd(shared: Path) -> None:
    data, found = read(str(shared / "voc/bccd"))
    assert found.format == "voc" and len(data.samples()) == 34
    assert classes(data) == {"RBC": 405, "WBC": 35, "Platelets": 37}
    [bad] = [p for p in data.problems if p.level == "invalid"]
    assert "BloodImage_00338" in bad.where
    found_objects = [(s, i) for s in data.samples() for i in s.instances]
    assert sum("truncated" in i.flags for _, i in found_objects) == 110
    assert sum(i.box[2] == s.size[0] or i.box[3] == s.size[1] for s, i in found_objects) == 62
    assert data.header.least == 1


def test_neon_trees(shared: Path) -> None:
    data, _ = read(str(shared / "voc/neon_trees"))
    assert len(data.samples()) == 1 and classes(data) == {"Dead": 28, "Alive": 9} and not data.problems


def test_malformed_coco(shared: Path, tmp_path: Path) -> None:
    shutil.copytree(shared / "coco/images", tmp_path / "images")
    shutil.copyfile(shared / "corrupt/coco_malformed.json", tmp_path / "a.json")
    data, _ = read(str(tmp_path))
    assert len(data.samples()) == 3
    kept = {i.where.split()[-1]: i for s in data.samples() for i in s.instances}
    assert sorted(kept) == ["125810", "142006", "142772", "9004", "9007", "9008", "9009", "9014"]
    assert kept["9008"].parts is None and kept["9009"].parts is None and kept["9007"].box == (10, 10, 20, 20)
    assert kept["9004"].clipped and kept["9014"].clipped and kept["9014"].box == (0, 0, 30, 30)
    bad = [p.where.split()[-1] for p in data.problems if p.level == "invalid"]
    assert bad == ["555", "556", "557"] + [
        "9001", "9002", "9003", "9005", "9006", "9010", "9011", "9012", "9013", "125810",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="image 555"):
        coco.read(str(tmp_path), "raise")


def test_malformed_yolo(shared: Path, tmp_path: Path) -> None:
    root = copy_tree(shared / "yolo/aquarium", tmp_path / "aquarium")
    name = "valid/labels/IMG_2277_jpeg_jpg.rf.86c72d6192da48d941ffa957f4780665.txt"
    shutil.copyfile(shared / "corrupt/yolo_malformed.txt", root / name)
    data = yolo.read(str(root), "collect", task="detect")
    [sample] = [s for s in data.samples() if s.label == name]
    assert [int(i.where.rsplit(":", 1)[1]) for i in sample.objects()] == [1, 2, 8, 10, 17, 20]
    assert [i.where.rsplit(":", 1)[1] for i in sample.instances if i.duplicate] == ["19"]
    assert sorted(n + 1 for n in data.header.labels[name].dropped) == [4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 21]
    # one polygon in one file makes it a set of outlines; its rows are the same
    assert yolo.read(str(root), "collect").task == "segment"


def test_malformed_voc(shared: Path, tmp_path: Path) -> None:
    for part in ("Annotations", "JPEGImages"):
        (tmp_path / part).mkdir()
    for i, name in (("00000", "voc_malformed.xml"), ("00011", "voc_truncated.xml")):
        shutil.copyfile(shared / "corrupt" / name, tmp_path / f"Annotations/BloodImage_{i}.xml")
        shutil.copyfile(shared / f"voc/bccd/JPEGImages/BloodImage_{i}.jpg", tmp_path / f"JPEGImages/BloodImage_{i}.jpg")
    data, _ = read(str(tmp_path))
    [sample] = data.samples()
    assert len(sample.instances) == 23 and sum(i.clipped for i in sample.instances) == 2 and sample.size == (640, 480)
    assert sum(p.level == "invalid" and p.what == "object" for p in data.problems) == 4
    assert [p.where for p in data.problems if p.what == "image"] == ["Annotations/BloodImage_00011.xml"]
    assert not data.files


def test_names_win_over_nc(shared: Path, tmp_path: Path) -> None:
    root = copy_tree(shared / "yolo/aquarium", tmp_path / "aquarium")
    shutil.copyfile(shared / "corrupt/yolo_bad_data.yaml", root / "data.yaml")
    data, _ = read(str(root))
    assert len(data.categories) == 7 and any("nc: 3" in p.text for p in data.problems)


def test_truncated_json_names_its_offset(shared: Path) -> None:
    with pytest.raises(ConfigError, match=r"coco_truncated\.json: .* offset 19995 of 20000"):
        read(str(shared / "corrupt/coco_truncated.json"))


def test_rle_strings(shared: Path) -> None:
    found = []
    for part in ("coco", "coco_keypoints/coco"):
        data = coco.read(str(shared / part))
        docs = {i for i, doc in enumerate(data.header) if doc.path == "instances.json"}
        crowds = [i for s in data.samples() for i in s.instances if i.rle and i.doc in docs]
        crowds.sort(key=lambda i: i.raw)
        for instance in crowds:
            assert instance.rle
            text = rle.to_string(instance.rle.counts)
            assert rle.from_string(text) == list(instance.rle.counts)
            mask = rle.decode(instance.rle.counts, instance.rle.h, instance.rle.w)
            assert rle.encode(mask) == list(instance.rle.counts)
            found.append((len(text), hashlib.sha256(text.encode()).hexdigest()[:12]))
    assert found == [
        (116, "5667454e397f"), (3066, "c3aa50f8850f"), (164, "f0af18a98df5"), (1348, "083a5556b5c2"),
        (1932, "f97366fec906"), (2750, "1a9ab004295b"), (1415, "2952fc2ba4e3"),
    ]  # fmt: skip


@pytest.mark.parametrize("part", ["coco", "coco_keypoints/coco", "semseg/coco"])
def test_coco_round_trip(shared: Path, part: str) -> None:
    data = coco.read(str(shared / part), "collect")
    writer = coco_write.Writer(data, data.samples(), 0)
    written = {path: b"".join(pieces) for path, pieces in writer.aggregates(lambda: [], set())}
    assert written
    for path, content in written.items():
        assert content == (shared / part / path).read_bytes(), path


def test_yolo_and_voc_round_trips(shared: Path) -> None:
    root = shared / "yolo/aquarium"
    changed = [
        p for p, b in yolo_write.Writer(yolo.read(str(root), "collect"), [], 0).originals(set()) if b is not None
    ]
    assert len(changed) == 1 and "IMG_2423" in changed[0]
    for part, count in (("voc/bccd", 34), ("voc/neon_trees", 1)):
        data = voc.read(str(shared / part), "collect")
        writer = voc_write.Writer(data, [], 0)
        originals = list(writer.originals(set()))
        assert len(originals) == count
        assert [p for p, b in originals if b is not None] == ["Annotations/BloodImage_00338.xml"] * (part == "voc/bccd")
        for path, pieces in writer.aggregates(lambda: [], set()):
            assert b"".join(pieces) == (shared / part / path).read_bytes()
