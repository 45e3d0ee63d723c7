"""YOLO beyond boxes: outlines, poses, oriented boxes."""

import shutil
from array import array
from collections import Counter
from pathlib import Path

import ferraug as A
import numpy as np
import pytest
from dataset_helpers import picture, tree
from ferraug._core import ConfigError
from ferraug.cli import main
from ferraug.cli.raster import polygon_mask
from ferraug.datasets import quads, read, yolo, yolo_write
from ferraug.datasets.geometry import Limits, Tracer
from ferraug.datasets.model import Category, Copy, Dataset, Instance, Mapped, Options, Sample
from ferraug.datasets.polygon import area, extent
from ferraug.datasets.yolo_rows import order_of, swaps_of
from ferraug.datasets.yolo_text import joined, object_columns, pose_columns

W, H = 100, 60
ALL = Limits(visibility=0.0, side=0.0)


def one(root: Path, rows: str, yaml: str = "", size: tuple[int, int] = (W, H)) -> Path:
    """A set of one image."""
    picture(root / "images/train/a.png", *size)
    (root / "labels/train").mkdir(parents=True, exist_ok=True)
    (root / "labels/train/a.txt").write_text(rows)
    (root / "data.yaml").write_text(f"train: images/train\nnames: [cat, dog]\n{yaml}")
    return root


def through(sample: Sample, categories: list[Category], *transforms: A.BasicTransform) -> tuple[list[Mapped], Copy]:
    """The sample's objects through transforms."""
    image = np.zeros((sample.size[1], sample.size[0], 3), np.uint8)
    result, record = A.Compose(list(transforms), seed=1).run({"image": image}, key=(1, 2, 3), record=True)
    size = (result["image"].shape[1], result["image"].shape[0])
    kept, _ = Tracer(sample, categories).map(record["ops"], size, {}, ALL)
    return kept, Copy(sample, 1, "images/train/a__ferraug-0001.png", size, kept)


def written(data: Dataset, *transforms: A.BasicTransform) -> list[str]:
    """The rows of a copy of the only image."""
    [sample] = data.samples()
    _, copy = through(sample, data.categories, *transforms)
    [(path, text)] = yolo_write.Writer(data, [sample], 1).label_files(copy, None)
    assert path == "labels/train/a__ferraug-0001.txt" and (not text or text.endswith(b"\n"))
    return text.decode().splitlines()


def values(row: str) -> list[float]:
    return [float(v) for v in row.split()[1:]]


def load(root: Path, task: str | None = None, parts: str = "join") -> Dataset:
    data, _ = read(str(root), errors="raise", options=Options(task=task, parts=parts))
    return data


# which task


@pytest.mark.parametrize(
    ("rows", "yaml", "task"),
    [
        ("0 .5 .5 .2 .2\n", "", "detect"),
        ("0 .5 .5 .2 .2 .9\n", "", "detect"),
        ("0 .1 .1 .5 .1 .5 .5\n", "", "segment"),
        ("0 .1 .1 .5 .1 .5 .5 .1 .5\n", "", "obb"),
        ("0 .1 .1 .5 .1 .5 .5 .1 .5\n0 .1 .1 .5 .1 .5 .5\n", "", "segment"),
        ("0 .5 .5 .2 .2 .4 .4 2 .6 .6 1\n", "kpt_shape: [2, 3]\n", "pose"),
        ("0 .5 .5 .2 .2 .4 .4 .6 .6\n", "kpt_shape: [2, 2]\n", "pose"),
        ("", "", "detect"),
    ],
)
def test_the_task(tmp_path: Path, rows: str, yaml: str, task: str) -> None:
    root = one(tmp_path / "src", rows, yaml)
    data = load(root)
    assert data.task == task
    assert any("oriented" in p.text for p in data.problems) == (task == "obb")
    assert main(["augment", str(root), "--out", str(tmp_path / "out"), "-n", "2"]) == 0
    again = load(tmp_path / "out")
    assert len(again.samples()) == 3 and again.task == task


def test_the_task_asked_for(tmp_path: Path) -> None:
    root = one(tmp_path / "src", "0 .1 .1 .5 .1 .5 .5 .1 .5\n")
    [quad] = load(root).samples()[0].instances
    [polygon] = load(root, "segment").samples()[0].instances
    assert quad.quad is not None and quad.parts is None and polygon.parts is not None and polygon.quad is None
    assert quad.box == polygon.box == pytest.approx((10, 6, 50, 30))
    with pytest.raises(ConfigError, match="kpt_shape"):
        load(root, "pose")
    with pytest.raises(ConfigError, match="allowed detect"):
        load(root, "boxes")


def test_mixed_rows_keep_their_kinds(tmp_path: Path) -> None:
    root = one(tmp_path / "src", "0 .5 .5 .2 .2\n1 .1 .1 .5 .1 .5 .5\n")
    data = load(root)
    assert any("mixed" in p.text for p in data.problems)
    assert [len(row.split()) for row in written(data, A.HorizontalFlip(p=1))] == [5, 7]


@pytest.mark.parametrize(
    ("rows", "yaml", "bad"),
    [
        ("0 .1 .1 .5 .1 .5\n0 .1 .1 .5 .1 .5 5\n0 .1 .1 .5 .5 .2 .2\n1 .1 .1 .5 .1 .5 .5\n", "", [1, 2, 3]),
        ("0 .5 .5 .2 .2\n0 .5 .5 .2 .2 .4 .4 3\n0 .5 .5 .2 .2 .4 .4 2\n", "kpt_shape: [1, 3]\n", [1, 2]),
        ("0 .5 .5 .2 .2 .4 .4 nan\n0 .5 .5 .2 .2 .4 7 2\n0 .5 .5 .2 0 .4 .4 2\n", "kpt_shape: [1, 3]\n", [1, 2, 3]),
        ("0 1.1 .1 1.5 .1 1.5 .5 1.1 .5\n2 .1 .1 .5 .1 .5 .5 .1 .5\n0 .1 .1 .5 .5 .1 .1 .5 .5\n", "", [1, 2, 3]),
    ],
)
def test_invalid_rows(tmp_path: Path, rows: str, yaml: str, bad: list[int]) -> None:
    data, _ = read(str(one(tmp_path, rows, yaml)))
    assert [int(p.where.rsplit(":", 1)[1]) for p in data.problems if p.level == "invalid"] == bad
    kept = [rows.splitlines()[i - 1] for i in range(1, rows.count("\n") + 1) if i not in bad]
    [(_, text)] = yolo_write.Writer(data, [], 0).originals(set())
    assert text is not None and text.decode().splitlines() == kept


@pytest.mark.parametrize(
    "yaml",
    ["kpt_shape: 3\n", "kpt_shape: [0, 3]\n", "kpt_shape: [2, 4]\n", "kpt_shape: [2, 3]\nflip_idx: [0, 0]\n",
     "kpt_shape: [2, 3]\nflip_idx: [0, 1, 2]\n"],
)  # fmt: skip
def test_bad_pose_descriptions(tmp_path: Path, yaml: str) -> None:
    with pytest.raises(ConfigError, match=r"kpt_shape|flip_idx"):
        load(one(tmp_path, "", yaml))


# outlines


def test_segment_rows(tmp_path: Path) -> None:
    root = one(tmp_path, "1  .2 .1 .8 .1 .8 .9 .2 .9 .2 .5\n")
    data = load(root, "segment")
    assert written(data, A.InvertImg(p=1)) == ["1  .2 .1 .8 .1 .8 .9 .2 .9 .2 .5"]
    assert written(data, A.HorizontalFlip(p=1)) == [
        "1 0.800000 0.100000 0.200000 0.100000 0.200000 0.900000 0.800000 0.900000 0.800000 0.500000"
    ]
    [row] = written(data, A.Crop(x_min=0, y_min=0, x_max=50, y_max=60))
    assert extent([array("d", values(row))]) == pytest.approx((0.4, 0.1, 1, 0.9), abs=1e-6)


def test_overhanging_outlines_are_written_inside(tmp_path: Path) -> None:
    data = load(one(tmp_path, "0 -.1 .1 .5 .1 .5 1.2\n"))
    [row] = written(data, A.NoOp(p=1))
    assert all(0 <= v <= 1 for v in values(row))


def covered(flat: array, scale: float = 4.0) -> np.ndarray:
    points = [(x * scale, y * scale) for x, y in zip(flat[0::2], flat[1::2])]
    return polygon_mask((int(H * scale), int(W * scale)), [points])


U = "0 .1 .1 .9 .1 .9 .9 .7 .9 .7 .3 .5 .3 .5 .9 .3 .9 .3 .3 .1 .3\n"


@pytest.mark.parametrize("parts", ["join", "largest", "split"])
def test_a_cut_outline_is_one_row(tmp_path: Path, parts: str) -> None:
    """The bar of a comb cropped away leaves its teeth."""
    data = load(one(tmp_path, U), parts=parts)
    rows = written(data, A.Crop(x_min=0, y_min=30, x_max=100, y_max=60))
    [m], _ = through(data.samples()[0], data.categories, A.Crop(x_min=0, y_min=30, x_max=100, y_max=60))
    assert m.parts is not None and len(m.parts) == 2
    assert len(rows) == (2 if parts == "split" else 1)
    total = sum(area(array("d", [v * (100, 30)[i % 2] for i, v in enumerate(values(row))])) for row in rows)
    assert total == pytest.approx(area(m.parts[0]) + area(m.parts[1]) if parts != "largest" else 20 * 24, abs=1e-2)


def test_bridges() -> None:
    """Joined parts cover what they cover apart; a bridge goes to and fro between the nearest vertices."""
    a = array("d", [10, 10, 30, 10, 30, 30, 10, 30])
    b = array("d", [60, 10, 60, 30, 80, 30, 80, 10])  # the other way around
    c = array("d", [35, 40, 50, 40, 50, 55, 35, 55])
    d = array("d", [33, 2, 38, 2, 38, 8])
    flat = joined([a, b, c, d])
    points = list(zip(flat[0::2], flat[1::2]))
    assert len(points) == 4 + 4 + 4 + 3 + 2 * 3
    assert area(flat) == pytest.approx(sum(map(area, (a, b, c, d))))
    assert np.array_equal(covered(flat), covered(a) | covered(b) | covered(c) | covered(d))
    steps = Counter(zip(points, points[1:] + points[:1]))
    bridges = [(p, q) for p, q in steps if (q, p) in steps]
    assert {frozenset(s) for s in bridges} == {
        frozenset({(30, 30), (35, 40)}), frozenset({(30, 10), (38, 8)}), frozenset({(50, 40), (60, 30)})
    }  # fmt: skip
    assert joined([a, a])[:2] == array("d", [10, 10])


# poses

POSE = "kpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n"
PERSON = "1 .5 .5 .4 .4 .5 .4 2 .4 .5 1 .6 .5 2\n"


def test_pose_points_are_edges(tmp_path: Path) -> None:
    """No half pixel: a point at the very border stays there in a mirror."""
    data = load(one(tmp_path, "0 .5 .5 1 1 0 .5 2 1 .25 1 .4 .5 2\n", POSE))
    [instance] = data.samples()[0].instances
    assert instance.keypoints == [(0, 30, 2), (100, 15, 1), (40, 30, 2)]
    [row] = written(data, A.HorizontalFlip(p=1))
    assert row == ("0 0.500000 0.500000 1.000000 1.000000 1.000000 0.500000 2 0.600000 0.500000 2 0.000000 0.250000 1")


def test_points_that_leave(tmp_path: Path) -> None:
    crop = A.Crop(x_min=45, y_min=0, x_max=100, y_max=60)
    [row] = written(load(one(tmp_path / "3", PERSON, POSE)), crop)
    assert row.split()[5:] == ["0.090909", "0.400000", "2", "0", "0", "0", "0.272727", "0.500000", "2"]
    two = "1 .5 .5 .4 .4 .5 .4 .4 .5 0 0\n"
    data = load(one(tmp_path / "2", two, "kpt_shape: [3, 2]\n"))
    assert data.samples()[0].instances[0].keypoints[2] == (0, 0, 0)  # type: ignore[index]
    assert any("flip_idx" in p.text for p in data.problems)
    [row] = written(data, crop)
    assert row.split()[5:] == ["0.090909", "0.400000", "0", "0", "0", "0"]
    assert pose_columns([(120, 30, 2)], 3, (W, H)) == ["1.000000", "0.500000", "2"]


def test_any_order_of_mirrored_points(tmp_path: Path) -> None:
    for order in ([1, 2, 0], [3, 0, 1, 2], [0, 1], [4, 3, 2, 1, 0], [1, 2, 0, 4, 3]):
        swaps = swaps_of(order)
        assert order_of(swaps, len(order)) == order
        now = list(range(len(order)))
        for i, j in swaps:
            now[i], now[j] = now[j], now[i]
        assert now == order
    data = load(one(tmp_path, PERSON, "kpt_shape: [3, 3]\nflip_idx: [1, 2, 0]\n"))
    [row] = written(data, A.HorizontalFlip(p=1))
    assert row.split()[5::3] == ["0.600000", "0.400000", "0.500000"]
    [row] = written(data, A.HorizontalFlip(p=1), A.VerticalFlip(p=1))
    assert row.split()[5::3] == ["0.500000", "0.600000", "0.400000"]


# oriented boxes

TURNED = [30.0, 20.0, 50.0, 10.0, 55.0, 20.0, 35.0, 30.0]  # 2:1, its head from (30, 20) to (50, 10)


def thing(quad: list[float]) -> Instance:
    flat = array("d", quad)
    ring = quads.ring(flat, (W, H))
    return Instance(0, extent([ring]), "t", raw="", quad=flat, clipped=list(ring) != quad)


def turned(quad: list[float], *transforms: A.BasicTransform) -> list[Mapped]:
    sample = Sample("a.png", "a.png", "train", (W, H), instances=[thing(quad)])
    return through(sample, [Category(0, "a")], *transforms)[0]


def head(flat: array) -> np.ndarray:
    """The direction of the first edge."""
    d = np.array([flat[2] - flat[0], flat[3] - flat[1]])
    return d / np.hypot(*d)


def test_corners_move_exactly_and_keep_their_order() -> None:
    [m] = turned(TURNED, A.VerticalFlip(p=1), A.HorizontalFlip(p=1))
    assert list(m.quad) == [70, 40, 50, 50, 45, 40, 65, 30] and m.share == 1  # type: ignore[arg-type]
    [m] = turned(TURNED, A.HorizontalFlip(p=1))
    # 2, 1, 4, 3
    assert list(m.quad) == [50, 10, 70, 20, 65, 30, 45, 20]  # type: ignore[arg-type]
    [m] = turned(TURNED, A.Transpose(p=1))
    assert list(m.quad) == [10, 50, 20, 30, 30, 35, 20, 55]  # type: ignore[arg-type]
    for there in (A.HorizontalFlip(p=1), A.VerticalFlip(p=1), A.Transpose(p=1)):
        [m] = turned(TURNED, there, there)
        assert m.quad is not None and np.allclose(m.quad, TURNED, atol=1e-9)


def test_rotation_turns_the_head() -> None:
    [m] = turned(TURNED, A.Affine(rotate=(30, 30), p=1))
    assert m.quad is not None
    angle = np.degrees(np.arccos(np.clip(head(m.quad) @ head(array("d", TURNED)), -1, 1)))
    assert angle == pytest.approx(30, abs=1e-6) and area(m.quad) == pytest.approx(area(array("d", TURNED)))


def test_a_cut_box_keeps_its_axes() -> None:
    crop = A.Crop(x_min=42, y_min=0, x_max=100, y_max=60)
    [m] = turned(TURNED, crop)
    assert m.quad is not None and np.allclose(head(m.quad), head(array("d", TURNED)), atol=1e-12)
    assert 0 < m.share < 1 and quads.is_rectangle(quads.corners_of(m.quad))
    # it holds all that shows and no more along its own axes
    from ferraug.datasets.polygon import clip

    shown = clip(array("d", [v - 42 * (i % 2 == 0) for i, v in enumerate(TURNED)]), 58, 60)
    assert m.share == pytest.approx(area(shown) / area(array("d", TURNED)))
    u = head(m.quad)
    for axis in (u, np.array([-u[1], u[0]])):
        a, b = np.reshape(m.quad, (-1, 2)) @ axis, np.reshape(shown, (-1, 2)) @ axis
        assert (a.min(), a.max()) == pytest.approx((b.min(), b.max()))
    # what was cropped away does not return
    [back] = turned(TURNED, crop, A.PadIfNeeded(60, 100, border_mode=0, position="top_right"))
    assert np.allclose(np.array(back.quad)[0::2] - 42, np.array(m.quad)[0::2])


def test_other_quads_get_their_smallest_rectangle() -> None:
    kite = [30.0, 10.0, 60.0, 20.0, 40.0, 30.0, 30.0, 28.0]
    [m] = turned(kite, A.Crop(x_min=0, y_min=0, x_max=50, y_max=60))
    assert m.quad is not None and quads.is_rectangle(quads.corners_of(m.quad))
    assert np.sign(quads.signed_area(quads.corners_of(m.quad))) == np.sign(quads.signed_area(quads.corners_of(kite)))
    [whole] = turned(kite, A.HorizontalFlip(p=1))
    assert sorted(whole.quad) == sorted([70, 10, 40, 20, 60, 30, 70, 28])  # type: ignore[arg-type]


def test_smallest_rectangles() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        points = [tuple(p) for p in random.uniform(0, 50, (12, 2))]
        found = quads.smallest(points)
        sides = [np.subtract(found[i], found[i - 1]) for i in range(4)]
        assert abs(sides[0] @ sides[1]) < 1e-6 and quads.signed_area(found) > 0
        for p in points:
            inside = [
                np.cross(np.append(np.subtract(found[i], found[i - 1]), 0), np.append(np.subtract(p, found[i - 1]), 0))[
                    2
                ]
                for i in range(4)
            ]
            assert min(inside) > -1e-6
        turns = np.radians(np.arange(0, 90, 0.25))
        least = min(
            np.ptp([p @ np.array([np.cos(t), np.sin(t)]) for p in map(np.array, points)])
            * np.ptp([p @ np.array([-np.sin(t), np.cos(t)]) for p in map(np.array, points)])
            for t in turns[::8]
        )
        assert quads.signed_area(found) <= least + 1e-6
    assert quads.smallest([(1, 1), (3, 1), (3, 4), (1, 4)]) == [(1, 1), (3, 1), (3, 4), (1, 4)]


def test_mirrored_copies_of_oriented_boxes() -> None:
    pad = A.PadIfNeeded(60, 190, border_mode=4, position="top_right")
    found = turned(TURNED, pad)
    assert [m.ghost for m in found] == [False, True]
    assert list(found[0].quad) == [v + 90 * (i % 2 == 0) for i, v in enumerate(TURNED)]  # type: ignore[arg-type]
    assert list(found[1].quad) == [40, 10, 60, 20, 55, 30, 35, 20]  # type: ignore[arg-type]


def test_slivers_are_no_objects(tmp_path: Path) -> None:
    """The sides of an oriented box are its own; what has no area as rounded is not written."""
    sample = Sample("a.png", "a.png", "train", (W, H), instances=[thing([10, 10, 50, 50, 50.1, 49.9, 10.1, 9.9])])
    image = np.zeros((H, W, 3), np.uint8)
    _, record = A.Compose([A.HorizontalFlip(p=1)], seed=1).run({"image": image}, key=(1, 2, 3), record=True)
    kept, [gone] = Tracer(sample, [Category(0, "a")]).map(record["ops"], (W, H), {}, Limits())
    assert not kept and gone.reason == "side"
    line = array("d", [10, 10, 50, 50, 50, 50, 10, 10])
    mapped = Mapped(Instance(0, (10, 10, 50, 50), "t", quad=line), (10, 10, 50, 50), 1.0, True, quad=line)
    assert object_columns(mapped, (W, H), None, None, "join") == []


def test_obb_rows(tmp_path: Path) -> None:
    row = "0 0.3 0.333333 .5 0.166667 0.55 0.333333 0.35 0.5"
    data = load(one(tmp_path / "a", row + "\n"))
    assert written(data, A.InvertImg(p=1)) == [row]
    assert written(data, A.HorizontalFlip(p=1)) == [
        "0 0.500000 0.166667 0.700000 0.333333 0.650000 0.500000 0.450000 0.333333"
    ]
    [cut] = written(data, A.Crop(x_min=42, y_min=0, x_max=100, y_max=60))
    assert all(0 <= v <= 1 for v in values(cut)) and len(cut.split()) == 9
    # beyond the image: what shows of it, clamped
    data = load(one(tmp_path / "b", "0 -.1 .3 .2 .3 .2 .6 -.1 .6\n"))
    assert written(data, A.NoOp(p=1)) == ["0 0.000000 0.300000 0.200000 0.300000 0.200000 0.600000 0.000000 0.600000"]
    [instance] = data.samples()[0].instances
    assert instance.box == pytest.approx((0, 18, 20, 36))


# shipped sets


def test_pklot(shared: Path, tmp_path: Path) -> None:
    data, found = read(str(shared / "obb/pklot"))
    assert (found.format, found.others, data.task) == ("yolo", ["dota"], "obb")
    instances = [i for s in data.samples() for i in s.instances]
    names = Counter(data.categories[i.category].name for i in instances)
    assert names == {"empty": 96, "occupied": 24} and all(i.quad is not None for i in instances)
    assert len(data.splits["train"]) == 3 and not data.splits["val"]
    assert not any(p.level == "invalid" for p in data.problems)
    assert [b for _, b in yolo_write.Writer(data, [], 0).originals(set())] == [None] * 3
    assert main(["augment", str(shared / "obb/pklot"), "--out", str(tmp_path / "out"), "-n", "3"]) == 0
    again, _ = read(str(tmp_path / "out"), errors="raise")
    assert len(again.samples()) == 12 and again.task == "obb"
    for sample in again.samples():
        for i in sample.instances:
            assert i.quad is not None and all(0 <= v <= sample.size[n % 2] for n, v in enumerate(i.quad))


def semseg(shared: Path, root: Path) -> Path:
    shutil.copytree(shared / "semseg/coco/images", root / "images")
    shutil.copytree(shared / "semseg/coco/labels_seg", root / "labels")
    names = "".join(f"  {i}: class {i}\n" for i in range(1, 91))
    (root / "data.yaml").write_text(f"train: images\nnames:\n{names}")
    return root


def test_semseg_outlines(shared: Path, tmp_path: Path) -> None:
    root = semseg(shared, tmp_path / "src")
    data, _ = read(str(root))
    instances = [i for s in data.samples() for i in s.instances]
    assert data.task == "segment" and len(instances) == 40 and all(i.parts for i in instances)
    assert len({i.category for i in instances}) == 20 and not any(p.level == "invalid" for p in data.problems)
    assert main(["augment", str(root), "--out", str(tmp_path / "none"), "-n", "0"]) == 0
    assert {k: v for k, v in tree(tmp_path / "none").items() if not k.startswith("ferraug-")} == tree(root)
    assert main(["augment", str(root), "--out", str(tmp_path / "out"), "-n", "2"]) == 0
    again, _ = read(str(tmp_path / "out"), errors="raise")
    assert len(again.samples()) == 30 and again.task == "segment"


def test_malformed_rows(shared: Path, tmp_path: Path) -> None:
    root = one(tmp_path, (shared / "corrupt/yolo_malformed.txt").read_text())
    (root / "data.yaml").write_text("train: images/train\nnames: [a, b, c, d, e, f, g]\n")
    data = yolo.read(str(root), "collect")
    [sample] = data.samples()
    assert data.task == "segment" and len(sample.objects()) == 6 and len(sample.instances) == 7
    assert sum(p.level == "invalid" for p in data.problems) == 12
