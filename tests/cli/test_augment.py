"""`ferraug augment` from end to end on small sets."""

import json
import shutil
from pathlib import Path

import ferraug as A
import numpy as np
import pytest
from dataset_helpers import CLASSES, SAMPLES, SCENES, picture, tree, write_coco, write_voc, write_yolo
from ferraug import _core
from ferraug.cli import main
from ferraug.datasets import read
from ferraug.datasets.polygon import area, extent

BUILDERS = {"coco": write_coco, "yolo": write_yolo, "voc": write_voc}


def run(*args: object) -> int:
    return main(["augment", *map(str, args)])


def plain_tree(root: Path) -> dict[str, bytes]:
    """A DST without the run's own files."""
    return {k: v for k, v in tree(root).items() if not k.startswith("ferraug-")}


def manifest(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "ferraug-manifest.jsonl").read_text().splitlines()]


def test_samples_as_coco(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(SAMPLES, "--out", out, "-n", 4, "--seed", 11, "--json") == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert "3 images → 15 (+12)" in printed.err and result["report"]["images"]["new"] == 12

    before = json.loads((SAMPLES / "annotations.json").read_text())
    text = (out / "annotations.json").read_text()
    after = json.loads(text)
    for key in ("info", "licenses", "categories"):
        assert after[key] == before[key]
    assert after["images"][:3] == before["images"] and after["annotations"][:10] == before["annotations"]
    head = (SAMPLES / "annotations.json").read_text()
    assert text.startswith(head[: head.index('"annotations"') - 6])
    for key in ("images", "annotations"):
        ids = [r["id"] for r in after[key]]
        assert len(ids) == len(set(ids))
    assert [i["id"] for i in after["images"][3:]] == list(range(4, 16))

    sizes = {i["id"]: (i["width"], i["height"]) for i in after["images"]}
    for image in after["images"]:
        content = (out / "images" / image["file_name"]).read_bytes()
        assert _core.probe(content)["size"] == (image["width"], image["height"])
    moved = after["annotations"][10:]
    assert len(moved) == result["report"]["objects"]["new"] > 20
    for record in moved:
        w, h = sizes[record["image_id"]]
        x, y, bw, bh = record["bbox"]
        assert 0 <= x and 0 <= y and x + bw <= w + 0.011 and y + bh <= h + 0.011
        parts = record["segmentation"]
        if isinstance(parts, list) and parts:
            x0, y0, x1, y1 = extent(parts)
            assert (x, y) == (x0, y0) and bw == pytest.approx(x1 - x0) and bh == pytest.approx(y1 - y0)
            assert record["area"] == pytest.approx(sum(area(p) for p in parts))
        if "keypoints" in record:
            flat = record["keypoints"]
            assert record["num_keypoints"] == sum(v > 0 for v in flat[2::3])
            for px, py, v in zip(flat[0::3], flat[1::3], flat[2::3]):
                assert (px, py) == (0, 0) if v == 0 else (-0.5 <= px <= w and -0.5 <= py <= h)
    for name in ("astronaut", "chelsea", "rocket"):
        assert (out / f"images/{name}.jpg").read_bytes() == (SAMPLES / f"images/{name}.jpg").read_bytes()
    assert (out / "LICENSE.txt").read_bytes() == (SAMPLES / "LICENSE.txt").read_bytes()

    lines = manifest(out)
    assert [line["replica"] for line in lines] == [r for r in range(1, 5) for _ in range(3)]
    assert sum(len(line["dropped"]) for line in lines) + len(moved) == 4 * 10
    again, found = read(str(out), errors="raise")
    assert found.format == "coco" and len(again.samples()) == 15 and not again.problems


def test_a_record_makes_the_pixels_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(SAMPLES, "--out", out, "-n", 2, "--format", "png") == 0
    for line in manifest(out):
        source, _ = _core.decode((out / line["source"]).read_bytes())
        made, info = _core.decode((out / line["out"]).read_bytes())
        assert list(info["size"]) == line["size"]
        assert np.array_equal(A.replay(line["record"], image=source)["image"], made)


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "plain"])
def test_workers_change_nothing(tmp_path: Path, kind: str) -> None:
    src = tmp_path / "src"
    if kind == "plain":
        shutil.copytree(SAMPLES / "images", src / "a")
    else:
        BUILDERS[kind](src)
    trees = []
    for workers in (1, 2, 3):
        out = tmp_path / f"out{workers}"
        assert run(src, "--out", out, "-n", 3, "--seed", 5, "--workers", workers) == 0
        trees.append(tree(out))
    assert trees[0] == trees[1] == trees[2]
    assert sum("__ferraug-" in name and name.endswith(".jpg") for name in trees[0]) == 9


def boxes_of(out: Path) -> dict[str, list[tuple[str, tuple[float, float, float, float]]]]:
    data, _ = read(str(out), errors="raise")
    return {s.path: sorted((data.categories[i.category].name, i.box) for i in s.instances) for s in data.samples()}


def test_formats_agree(tmp_path: Path) -> None:
    """The same pictures and boxes in three formats give the same copies and, to their rounding, the same boxes."""
    found = {}
    for kind, build in BUILDERS.items():
        out = tmp_path / f"{kind}-out"
        assert run(build(tmp_path / kind), "--out", out, "-n", 3, "--seed", 2) == 0
        found[kind] = boxes_of(out)
        assert (
            tree(out)["images/rocket__ferraug-0002.jpg"]
            == tree(tmp_path / "coco-out")["images/rocket__ferraug-0002.jpg"]
        )
    assert found["coco"].keys() == found["yolo"].keys() == found["voc"].keys()
    compared = 0
    for path, boxes in found["coco"].items():
        for kind, slack in (("yolo", 1e-3), ("voc", 0.011)):
            assert [n for n, _ in boxes] == [n for n, _ in found[kind][path]]
            for (_, a), (_, b) in zip(boxes, found[kind][path]):
                assert a == pytest.approx(b, abs=slack + 0.011)
                compared += 1
    assert compared > 40


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "samples"])
def test_no_copies_is_the_source(tmp_path: Path, kind: str) -> None:
    src = SAMPLES if kind == "samples" else BUILDERS[kind](tmp_path / "src")
    assert run(src, "--out", tmp_path / "out", "-n", 0) == 0
    assert plain_tree(tmp_path / "out") == tree(src)


def test_shipped_sets_with_no_copies(shared: Path, tmp_path: Path) -> None:
    for part, changed in (
        ("coco", set()),
        ("coco_keypoints/coco", set()),
        ("semseg/coco", set()),
        ("voc/neon_trees", set()),
        ("voc/bccd", {"Annotations/BloodImage_00338.xml"}),
        ("yolo/aquarium", {"data.yaml", "test/labels/IMG_2423_jpeg_jpg.rf.1c0901882e71d5ebd26f036f4e22da65.txt"}),
    ):
        out = tmp_path / part.replace("/", "_")
        assert run(shared / part, "--out", out, "-n", 0) == (3 if part in ("voc/bccd", "yolo/aquarium") else 0)
        want, got = tree(shared / part), plain_tree(out)
        assert want.keys() == got.keys()
        assert {name for name in want if want[name] != got[name]} == changed


def test_only_train_is_multiplied(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src", "train")
    write_yolo(src, "val")
    (src / "data.yaml").write_text(
        "train: ../images/train # too high\nval: ../images/val\nnames: [" + ", ".join(CLASSES) + "]\n"
    )
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 2) == 0
    names = [n for n in tree(out) if "__ferraug-" in n]
    assert len(names) == 12 and all("/train/" in n for n in names)
    assert (out / "data.yaml").read_text() == (src / "data.yaml").read_text().replace("../", "")
    data, _ = read(str(out), errors="raise")
    assert [len(v) for v in data.splits.values()] == [9, 3]
    out = tmp_path / "both"
    assert run(src, "--out", out, "-n", 1, "--splits", "train,val", "--duplicates", "keep") == 0
    assert sum("/val/" in n for n in tree(out) if "__ferraug-" in n) == 6
    assert run(src, "--out", tmp_path / "no", "--splits", "nope") == 2


def test_yolo_rows_are_safe_for_trainers(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    (src / "labels/astronaut.txt").write_text("0 0.5 0.5 1 1\n2 0.9 0.9 0.2 0.2\n")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 8, "--seed", 3) == 0
    rows = [r for p in (out / "labels").glob("*__ferraug*.txt") for r in p.read_text().splitlines()]
    assert len(rows) > 20
    for row in rows:
        cx, cy, w, h = map(float, row.split()[1:])
        assert w > 0 and h > 0 and cx - w / 2 >= 0 and cx + w / 2 <= 1 and cy - h / 2 >= 0 and cy + h / 2 <= 1


def test_missing_and_empty_labels_come_back_the_same(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    (src / "labels/astronaut.txt").unlink()
    (src / "labels/chelsea.txt").write_text("")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1) == 0
    assert (out / "images/astronaut__ferraug-0001.jpg").exists()
    assert not list((out / "labels").glob("astronaut*"))
    assert (out / "labels/chelsea__ferraug-0001.txt").read_bytes() == b""


def test_lists_and_shared_folders(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    (src / "train.txt").write_text("data/images/astronaut.jpg\ndata/images/chelsea.jpg\n")
    (src / "data.yaml").write_text("train: train.txt\nval: images\nnames: [" + ", ".join(CLASSES) + "]\n")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1) == 0
    assert (out / "train.txt").read_text().splitlines() == [
        "data/images/astronaut.jpg",
        "data/images/chelsea.jpg",
        "data/images/astronaut__ferraug-0001.jpg",
        "data/images/chelsea__ferraug-0001.jpg",
    ]
    # val is the folder the copies land in: it becomes a list of originals
    assert (out / "val.txt").read_text().splitlines() == [
        f"./images/{n}.jpg" for n in ("astronaut", "chelsea", "rocket")
    ]
    assert "val: val.txt" in (out / "data.yaml").read_text()


def test_voc_edits_the_source_text(tmp_path: Path) -> None:
    src = tmp_path / "src"
    picture(src / "JPEGImages/a.png", 200, 100)
    (src / "Annotations").mkdir()
    (src / "ImageSets/Main").mkdir(parents=True)
    for name in ("train", "trainval"):
        (src / f"ImageSets/Main/{name}.txt").write_text("a\n")
    (src / "ImageSets/Main/cat_train.txt").write_text("a  1\n")
    (src / "ImageSets/Main/val.txt").write_text("")
    (src / "Annotations/a.xml").write_text(
        '<?xml version="1.0"?>\n<annotation a="x>y">\n  <folder>old</folder>\n  <path>C:\\x\\a.png</path>\n'
        "  <filename> a.png </filename>\n  <size><depth>3</depth><width>200</width><height>100</height></size>\n"
        "  <object><name>k &amp; l</name><mine>7</mine><truncated/>"
        "<bndbox><ymax>60</ymax><xmax>100</xmax><ymin>1</ymin><xmin>1</xmin></bndbox>"
        "<part><name>head</name><bndbox><xmin>20</xmin><ymin>20</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></part>"
        "</object>\n</annotation>\n"
    )
    policy = tmp_path / "p.py"
    policy.write_text("import ferraug as A\np = A.Compose([A.Crop(x_min=50, y_min=0, x_max=150, y_max=100)])\n")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1, "--policy", f"{policy}:p") == 0
    text = (out / "Annotations/a__ferraug-0001.xml").read_text()
    want = (src / "Annotations/a.xml").read_text()
    for old, new in (
        ("C:\\x\\a.png", "a__ferraug-0001.png"),
        (" a.png ", " a__ferraug-0001.png "),
        ("<width>200", "<width>100"),
        ("<truncated/>", "<truncated>1</truncated>"),
        ("<xmax>100</xmax><ymin>1</ymin><xmin>1<", "<xmax>50</xmax><ymin>1</ymin><xmin>1<"),
        (
            "<part><name>head</name><bndbox><xmin>20</xmin><ymin>20</ymin><xmax>40</xmax><ymax>40</ymax></bndbox></part>",
            "",
        ),
    ):
        assert old in want
        want = want.replace(old, new)
    assert text == want
    sets = {p.name: p.read_text() for p in (out / "ImageSets/Main").iterdir()}
    assert sets == {
        "train.txt": "a\na__ferraug-0001\n",
        "trainval.txt": "a\na__ferraug-0001\n",
        "cat_train.txt": "a  1\na__ferraug-0001  1\n",
        "val.txt": "",
    }


def test_pixel_ops_keep_the_text_of_objects(tmp_path: Path) -> None:
    policy = tmp_path / "p.json"
    policy.write_text(json.dumps(A.to_dict(A.Compose([A.InvertImg(p=1.0)]))))
    out = tmp_path / "out"
    assert run(write_yolo(tmp_path / "src"), "--out", out, "-n", 1, "--policy", policy) == 0
    for name, *_ in SCENES:
        assert (out / f"labels/{name}__ferraug-0001.txt").read_bytes() == (out / f"labels/{name}.txt").read_bytes()


def test_keypoints_swap_in_a_mirror(tmp_path: Path) -> None:
    policy = tmp_path / "p.json"
    policy.write_text(json.dumps(A.to_dict(A.Compose([A.HorizontalFlip(p=1.0)]))))
    out = tmp_path / "out"
    assert run(SAMPLES, "--out", out, "-n", 1, "--policy", policy) == 0
    records = json.loads((out / "annotations.json").read_text())["annotations"]
    source = records[0]["keypoints"]
    moved = next(r for r in records[10:] if r["category_id"] == 1)["keypoints"]
    assert moved[:3] == [399 - source[0], source[1], 2]
    assert moved[3:6] == [399 - source[6], source[7], 2] and moved[6:9] == [399 - source[3], source[4], 2]


def test_masks_follow_their_outlines(shared: Path, tmp_path: Path) -> None:
    """The outline drawn after the run and the outline's mask moved by the run cover the same pixels."""
    from ferraug.cli.raster import polygon_mask

    out = tmp_path / "out"
    assert run(shared / "semseg/coco", "--out", out, "-n", 1, "--format", "png", "--seed", 4) == 0
    after = json.loads((out / "instances.json").read_text())
    before = {a["id"]: a for a in json.loads((shared / "semseg/coco/instances.json").read_text())["annotations"]}
    rank = {key: i for i, key in enumerate(before)}
    first = max(before) + 1
    lines = {str(line["out"]).rsplit("/", 1)[-1]: line for line in manifest(out)}
    names = {i["id"]: i for i in after["images"]}
    exact = 0
    shifts: list[list[float]] = []
    for record in after["annotations"][len(before) :]:
        source = before[list(rank)[record["id"] - first]]
        if not isinstance(source["segmentation"], list):
            continue
        image = names[record["image_id"]]
        line = lines[image["file_name"]]
        size = line["record"]["input"]
        pixels = np.zeros((size["h"], size["w"], 3), np.uint8)

        def raster(parts: list[list[float]], shape: tuple[int, int]) -> np.ndarray:
            return polygon_mask(shape, [list(zip(p[0::2], p[1::2])) for p in parts])

        mask = raster(source["segmentation"], pixels.shape[:2]).astype(np.uint8)
        moved = A.replay(line["record"], image=pixels, mask=mask)["mask"] != 0
        drawn = raster(record["segmentation"], (image["height"], image["width"]))
        if all(op[0] != "warp" for op in line["record"]["ops"]):
            assert np.array_equal(moved, drawn), record["id"]
            exact += 1
            continue
        # the nearest warp moves an edge by up to half a pixel either way, but not the whole shape
        union = (moved | drawn).sum()
        assert (moved & drawn).sum() / union > (0.92 if union < 2000 else 0.96), (record["id"], union)
        shifts.append([np.mean(a) - np.mean(b) for a, b in zip(np.nonzero(moved), np.nonzero(drawn))])
    assert exact > 10 and len(shifts) > 10
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.05


def test_gray_and_alpha(shared: Path, tmp_path: Path) -> None:
    src = tmp_path / "src"
    src.mkdir()
    for name in ("camera.png", "logo_rgba.png", "shoes_alpha_rgba.png", "flower_gray_alpha_la.png", "rgb16_64px.png"):
        shutil.copyfile(shared / "photos" / name, src / name)
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1) == 3
    info = {n: _core.probe(b) for n, b in tree(out).items() if "__ferraug" in n}
    channels = {n.split("__")[0]: (i["channels"], i["gray"]) for n, i in info.items()}
    assert channels == {
        "camera": (1, True),
        "logo_rgba": (4, False),
        "shoes_alpha_rgba": (4, False),
        "flower_gray_alpha_la": (4, True),
    }
    assert (out / "rgb16_64px.png").exists()
    report = json.loads((out / "ferraug-report.json").read_text())
    assert [s["where"] for s in report["skipped"]] == ["rgb16_64px.png"]


def test_sixteen_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kept while nothing computes on them, else skipped with the reason or, if asked for, rounded to 8."""
    src = tmp_path / "src"
    src.mkdir()
    deep = np.random.default_rng(0).integers(0, 65536, (40, 50, 4)).astype(np.uint16)
    deep[:20, :, 3] = 0
    for name, array in (("gray", deep[:, :, 0]), ("rgb", deep[:, :, :3]), ("rgba", deep), ("la", deep[:, :, 2:])):
        (src / f"{name}.png").write_bytes(_core.encode_png(np.ascontiguousarray(array)))
    (tmp_path / "p.py").write_text(
        "import ferraug as A\nmoves = [A.HorizontalFlip(p=1), A.Crop(10, 0, 50, 30)]\nmoving = A.Compose(moves)\n"
        "either = A.Compose([A.OneOf([*moves, A.GaussianBlur()], p=1)])\n"
    )
    moving = ("--policy", f"{tmp_path / 'p.py'}:moving", "-n", 1)
    assert run(src, "--out", tmp_path / "kept", *moving) == 0
    want = deep[:30, ::-1][:, 10:]
    for name, array in (("gray", want[:, :, 0]), ("rgb", want[:, :, :3]), ("rgba", want), ("la", want[:, :, 2:])):
        got, info = _core.decode_raw((tmp_path / f"kept/{name}__ferraug-0001.png").read_bytes())
        assert info["bits"] == 16 and np.array_equal(got, array), name
    capsys.readouterr()
    assert run(src, "--out", tmp_path / "skipped", "--policy", f"{tmp_path / 'p.py'}:either") == 3
    assert "GaussianBlur: dtype uint16" in capsys.readouterr().err
    assert set(plain_tree(tmp_path / "skipped")) == set(tree(src))
    assert run(src, "--out", tmp_path / "jpeg", *moving, "--format", "jpg") == 3
    assert run(src, "--out", tmp_path / "eight", *moving, "--depth", 8) == 0
    got, info = _core.decode_raw((tmp_path / "eight/rgb__ferraug-0001.png").read_bytes())
    assert info["bits"] == 8 and np.array_equal(got, (want[:, :, :3].astype(np.uint32) * 255 + 32767) // 65535)
    for kind in ("kept", "eight"):
        assert main(["replay", str(tmp_path / kind / "rgba__ferraug-0001.png")]) == 0


def test_exif_turns_annotations_too(shared: Path, tmp_path: Path) -> None:
    """A box on the same spot of the upright picture, given in the stored frame."""
    src = tmp_path / "src"
    src.mkdir()
    name = "landscape_orientation_6.jpg"
    shutil.copyfile(shared / "photos/exif" / name, src / name)
    # stored 1200x1800; upright is 1800x1200, with (x, y) -> (1200 - y, x) turned by a quarter clockwise
    (src / "landscape_orientation_6.xml").write_text(
        "<annotation><filename>landscape_orientation_6.jpg</filename><size><width>1200</width><height>1800</height>"
        "</size><object><name>a</name><bndbox><xmin>100</xmin><ymin>200</ymin><xmax>300</xmax><ymax>700</ymax>"
        "</bndbox></object></annotation>"
    )
    data, _ = read(str(src), errors="raise")
    [sample] = data.samples()
    assert sample.size == (1800, 1200) and sample.frame == "stored"
    assert sample.instances[0].box == (1800 - 700, 100, 1800 - 200, 300)


def test_crop_larger_than_the_image_is_a_skip(tmp_path: Path) -> None:
    src = tmp_path / "src"
    picture(src / "small.png", 64, 48)
    picture(src / "large.png", 300, 300)
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1, "--policy", "seed") == 3
    assert (out / "small.png").exists() and (out / "large__ferraug-0001.png").exists()
    [skip] = json.loads((out / "ferraug-report.json").read_text())["skipped"]
    assert "256" in skip["text"] and "48" in skip["text"]


def test_empty_copies(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    policy = tmp_path / "p.py"
    policy.write_text("import ferraug as A\np = A.Compose([A.Crop(x_min=0, y_min=0, x_max=4, y_max=4)])\n")
    counts = {}
    for mode in ("redraw", "keep", "drop"):
        out = tmp_path / mode
        assert run(src, "--out", out, "-n", 1, "--policy", f"{policy}:p", "--empty", mode, "--min-side", 5) == 0
        report = json.loads((out / "ferraug-report.json").read_text())
        counts[mode] = (report["images"]["new"], report["dropped"]["empty_copies"])
    assert counts == {"redraw": (0, 3), "keep": (3, 0), "drop": (0, 3)}


def test_thresholds(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    policy = tmp_path / "p.py"
    policy.write_text("import ferraug as A\np = A.Compose([A.Crop(x_min=200, y_min=0, x_max=400, y_max=260)])\n")
    kept = {}
    for low in ("0", "0.5", "1"):
        out = tmp_path / low
        assert run(src, "--out", out, "-n", 1, "--policy", f"{policy}:p", "--min-visibility", low) == 0
        kept[low] = sum(line["out_objects"] for line in manifest(out))
        reasons = {d["reason"].split()[0] for line in manifest(out) for d in line["dropped"]}
        assert reasons <= {"visibility", "side"}
    assert kept["0"] > kept["0.5"] > kept["1"] > 0


def test_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = write_coco(tmp_path / "src")
    sized = tmp_path / "sized.py"
    sized.write_text(
        "import ferraug as A\ndef make(width, height):\n    return [A.CenterCrop(height // 2, width // 2)][0]\n"
        "def normal():\n    return A.Compose([A.HorizontalFlip(), A.Normalize()])\n"
        "def inner():\n    return A.Compose([A.Normalize(), A.HorizontalFlip()])\nbroken = 3\n"
    )
    assert run(src, "--out", tmp_path / "a", "-n", 1, "--policy", f"{sized}:make") == 0
    assert {tuple(line["size"]) for line in manifest(tmp_path / "a")} == {(200, 200), (200, 133)}
    assert run(src, "--out", tmp_path / "b", "-n", 1, "--policy", f"{sized}:normal") == 0
    assert "Normalize left out" in capsys.readouterr().err
    for bad in (f"{sized}:inner", f"{sized}:broken", f"{sized}:nothing", "nope.json", "nope", "x.yaml", "no.py:p"):
        assert run(src, "--out", tmp_path / "c", "-n", 1, "--policy", bad) == 2, bad
    for text in (
        "{",
        '{"transform": {"__class_fullname__": "os.system"}}',
        '{"a": 1, "a": 2}',
        "[NaN]",
        "[1e999]",
        "[" * 100000,
    ):
        (tmp_path / "bad.json").write_text(text)
        assert run(src, "--out", tmp_path / "c", "-n", 1, "--policy", tmp_path / "bad.json") == 2, text[:40]
    assert not (tmp_path / "c").exists()


def test_preview_writes_the_sheet_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(SAMPLES, "--out", out, "--preview", 2) == 0
    assert not out.exists()
    sheet, _ = _core.decode((tmp_path / "out-preview.png").read_bytes())
    assert sheet.shape[1] == 8 + 5 * 328 and sheet.shape[0] > 300
    first = tmp_path / "x.png"
    assert run(SAMPLES, "--preview", "--preview-out", first, "--seed", 9) == 0
    assert run(SAMPLES, "--preview", "--preview-out", tmp_path / "y.png", "--seed", 9, "--workers", 1) == 0
    assert first.read_bytes() == (tmp_path / "y.png").read_bytes()
