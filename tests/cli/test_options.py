"""Options that choose what is multiplied, how often, and under which name."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
from dataset_helpers import SAMPLES, copy_tree, picture, tree, write_coco, write_voc, write_yolo
from ferraug import _core
from ferraug.cli import main
from ferraug.cli.select import _first, _spread, divide
from ferraug.datasets import read


def run(*args: object) -> int:
    return main(["augment", *map(str, args)])


def copies(out: Path) -> list[str]:
    return sorted(n for n in tree(out) if "__ferraug-" in n and not n.endswith((".txt", ".xml")))


def images(out: Path) -> dict[str, bytes]:
    return {n: b for n, b in tree(out).items() if n.endswith(".jpg")}


def test_limit_is_a_prefix_of_the_plan(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    assert run(src, "--out", tmp_path / "all", "-n", 3) == 0
    whole = images(tmp_path / "all")
    for limit in (1, 4, 8, 99):
        out = tmp_path / f"l{limit}"
        assert run(src, "--out", out, "-n", 3, "--limit", limit) == 0
        made = images(out)
        order = [f"images/{n}__ferraug-{r:04d}.jpg" for r in (1, 2, 3) for n in ("astronaut", "chelsea", "rocket")]
        assert [n for n in order if n in made] == order[:limit]
        assert all(whole[n] == b for n, b in made.items())
        data, _ = read(str(out), errors="raise")
        assert len(data.samples()) == 3 + min(limit, 9)


def test_balance_gives_rare_classes_more(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    # one image alone holds class 5; the others are full of class 2
    (src / "labels/rocket.txt").write_text("5 0.5 0.5 0.4 0.4\n")
    for name in ("astronaut", "chelsea"):
        (src / f"labels/{name}.txt").write_text("2 0.3 0.3 0.2 0.2\n2 0.6 0.6 0.2 0.2\n2 0.4 0.6 0.2 0.2\n2 0.6 0.3 0.2 0.2\n")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 4, "--balance") == 0
    made = copies(out)
    count = {n: sum(m.startswith(f"images/{n}__") for m in made) for n in ("astronaut", "chelsea", "rocket")}
    assert sum(count.values()) == 12 and count["rocket"] > count["astronaut"] >= count["chelsea"] > 0
    assert run(src, "--out", tmp_path / "few", "-n", 4, "--balance", "--max-copies", 4) == 0
    assert len(copies(tmp_path / "few")) == 12


def test_max_size_is_a_prefix_that_fits(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    assert run(src, "--out", tmp_path / "all", "-n", 3, "--originals", "none") == 0
    whole = tree(tmp_path / "all")
    order = [f"{n}__ferraug-{r:04d}" for r in (1, 2, 3) for n in ("astronaut", "chelsea", "rocket")]
    sizes = [len(whole[f"images/{n}.jpg"]) + len(whole[f"labels/{n}.txt"]) for n in order]
    for most in (1000, sizes[0], sum(sizes[:4]) + 5, 10**8):
        fits = max(k for k in range(10) if sum(sizes[:k]) <= most)
        for workers in (1, 3):
            out = tmp_path / f"m{most}-{workers}"
            assert run(src, "--out", out, "-n", 3, "--max-size", most, "--workers", workers) == 0
            made = [n for n in order if f"images/{n}.jpg" in tree(out)]
            assert made == order[:fits]
            assert all(tree(out)[f"images/{n}.jpg"] == whole[f"images/{n}.jpg"] for n in made)


@pytest.mark.parametrize(
    ("weights", "total", "most", "expected"),
    [
        ([1, 1, 1], 6, 50, [2, 2, 2]),
        ([3, 1], 8, 50, [6, 2]),
        ([100, 1, 1], 12, 5, [5, 4, 3]),
        ([1, 1], 100, 5, [5, 5]),
        ([1, 1, 1], 4, 50, [2, 1, 1]),
        ([], 4, 50, []),
        ([1, 2], 0, 5, [0, 0]),
    ],
)
def test_spread(weights: list[float], total: int, most: int, expected: list[int]) -> None:
    assert _spread(weights, total, most) == expected


def test_first_goes_round() -> None:
    assert _first([3, 1, 2], 4) == [2, 1, 1]
    assert _first([3, 1, 2], 0) == [0, 0, 0]
    assert _first([3, 1, 2], 10) == [3, 1, 2]


def test_classes_choose_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = write_voc(tmp_path / "src")
    assert run(src, "--out", tmp_path / "out", "-n", 1, "--classes", "cat,tower") == 0
    assert copies(tmp_path / "out") == ["images/chelsea__ferraug-0001.jpg", "images/rocket__ferraug-0001.jpg"]
    assert run(src, "--out", tmp_path / "no", "--classes", "towr") == 2
    assert "did you mean 'tower'" in capsys.readouterr().err


def test_backgrounds(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    (src / "labels/rocket.txt").write_text("")
    for how, made, kept in (("augment", 3, True), ("copy", 2, True), ("drop", 2, False)):
        out = tmp_path / how
        assert run(src, "--out", out, "-n", 1, "--background", how) == 0
        assert len(copies(out)) == made
        names = tree(out)
        assert ("images/rocket.jpg" in names) == ("labels/rocket.txt" in names) == kept
        read(str(out), errors="raise")


def test_equal_files_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = tmp_path / "src"
    for name in ("a", "b", "c"):
        picture(src / f"{name}.png", seed=name == "c")
    assert run(src, "--out", tmp_path / "once", "-n", 2) == 0
    assert "1 byte-equal" in capsys.readouterr().err
    names = tree(tmp_path / "once")
    assert "b.png" in names and not any(n.startswith("b__") for n in names)
    assert run(src, "--out", tmp_path / "all", "-n", 2, "--duplicates", "keep") == 0
    assert len(copies(tmp_path / "all")) == 6


@pytest.mark.parametrize(("size", "expected"), [
    ("100", (100, 80)), ("100x50", (63, 50)), ("100x50:pad", (100, 50)), ("64x64:stretch", (64, 64)),
])  # fmt: skip
def test_size(tmp_path: Path, size: str, expected: tuple[int, int]) -> None:
    src, out = tmp_path / "src", tmp_path / "out"
    picture(src / "a.png", 250, 200)
    assert run(src, "--out", out, "-n", 1, "--size", size) == 0
    w, h = _core.probe((out / "a__ferraug-0001.png").read_bytes())["size"]
    assert abs(w - expected[0]) <= 1 and abs(h - expected[1]) <= 1
    if ":" in size:
        assert (w, h) == expected


def test_names(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    assert run(src, "--out", tmp_path / "out", "-n", 1, "--name", "v{replica}-{stem}") == 0
    assert {"images/v1-rocket.jpg", "labels/v1-rocket.txt"} <= set(tree(tmp_path / "out"))
    for bad in ("x", "{stem}", "{replica}", "{stem}/{replica}", "../{stem}{replica}", "{stem}{replica}{x}", "{stem!z}{replica}",
                "{stem.__class__}{replica}", ".{stem}{replica}", "{stem}{replica:q}"):  # fmt: skip
        assert run(src, "--out", tmp_path / "no", "--name", bad) == 2, bad
    # a name that two copies share is found before anything is written
    assert run(src, "--out", tmp_path / "no", "--name", "{stem:.0}{replica}") == 2
    assert not (tmp_path / "no").exists()


def test_originals(tmp_path: Path) -> None:
    for build, name in ((write_coco, "coco"), (write_yolo, "yolo"), (write_voc, "voc")):
        src = build(tmp_path / name)
        whole, bare, linked = (tmp_path / f"{name}-{w}" for w in ("copy", "none", "link"))
        assert run(src, "--out", whole, "-n", 2) == 0
        assert run(src, "--out", bare, "-n", 2, "--originals", "none") == 0
        made = images(bare)
        assert len(made) == 6 and made.items() <= images(whole).items()
        data, _ = read(str(bare), errors="raise")
        assert len(data.samples()) == 6 and not any(p.level == "invalid" for p in data.problems)
        assert run(src, "--out", linked, "-n", 2, "--originals", "link") == 0
        assert images(linked) == images(whole)
        assert (linked / "images/rocket.jpg").samefile(src / "images/rocket.jpg")


def test_whole_objects(tmp_path: Path) -> None:
    src, out = write_yolo(tmp_path / "src"), tmp_path / "out"
    for name in ("astronaut", "chelsea", "rocket"):
        (src / f"labels/{name}.txt").write_text("0 0.25 0.5 0.1 0.1\n1 0.7 0.5 0.1 0.1\n")
    policy = tmp_path / "p.py"
    policy.write_text("import ferraug as A\ndef f(w, h):\n    return A.Compose([A.RandomCrop(h // 2, w // 2)])\n")
    assert run(src, "--out", out, "-n", 5, "--policy", f"{policy}:f", "--whole") == 0
    lines = [json.loads(t) for t in (out / "ferraug-manifest.jsonl").read_text().splitlines()]
    assert len(lines) > 5 and any(line["attempt"] > 0 for line in lines)
    sides = {
        round(float(v), 3)
        for p in (out / "labels").glob("*__*.txt")
        for row in p.read_text().splitlines()
        for v in row.split()[3:]
    }
    assert sides and all(abs(side - 0.2) < 0.003 for side in sides)


def test_make_splits_keeps_families_together(tmp_path: Path) -> None:
    src = tmp_path / "src"
    for i in range(10):
        picture(src / f"p{i}_jpg.rf.{i:032x}.png", seed=i)
        picture(src / f"p{i}_jpg.rf.{i + 99:032x}.png", seed=50 + i)
    data, _ = read(str(src))
    divide(data, (60, 20, 20), 3)
    assert {n: len(p) for n, p in data.splits.items()} == {"train": 12, "val": 4, "test": 4}
    home = {}
    for sample in data.samples():
        assert home.setdefault(sample.path.split("_")[0], sample.split) == sample.split
    again, _ = read(str(src))
    divide(again, (60, 20, 20), 3)
    assert [s.path for s in again.splits["val"]] == [s.path for s in data.splits["val"]]


def test_dry_run_and_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src, out = write_coco(tmp_path / "src"), tmp_path / "out"
    assert run(src, "--out", out, "-n", 4, "--dry-run", "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["new"] == 12 and "nothing was written" in printed.err and not out.exists()
    assert run(src, "--out", out, "-n", 1, "-q") == 0
    assert capsys.readouterr().err == ""
    for args in (("-q", "-v"), ("--resume", "--overwrite"), ("--make-splits", "80,10"), ("--size", "0"), ("--max-size", "x")):
        assert run(src, "--out", tmp_path / "no", *args) == 2, args


def test_yaml_policy_equals_json(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    policy = {
        "__version__": "2.0.8",
        "transform": {
            "__class_fullname__": "Compose",
            "p": 1.0,
            "transforms": [
                {"__class_fullname__": "HorizontalFlip", "p": 0.5},
                {"__class_fullname__": "RandomBrightnessContrast", "brightness_limit": [-0.2, 0.1], "p": 1.0},
            ],
        },
    }
    (tmp_path / "p.json").write_text(json.dumps(policy))
    (tmp_path / "p.yaml").write_text(
        "__version__: 2.0.8\n"
        "transform:\n"
        "  __class_fullname__: Compose\n"
        "  p: 1.0\n"
        "  transforms:\n"
        "  - __class_fullname__: HorizontalFlip\n"
        "    p: 0.5\n"
        "  - __class_fullname__: RandomBrightnessContrast\n"
        "    brightness_limit: [-0.2, 0.1]\n"
        "    p: 1.0\n"
    )
    for kind in ("json", "yaml"):
        assert run(src, "--out", tmp_path / kind, "-n", 2, "--policy", tmp_path / f"p.{kind}") == 0
    assert images(tmp_path / "json") == images(tmp_path / "yaml")
    (tmp_path / "bad.yaml").write_text("transform: !!python/object:os.system x\n")
    assert run(src, "--out", tmp_path / "no", "--policy", tmp_path / "bad.yaml") == 2


def test_subsampling_and_quality_change_files(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    sizes = []
    for name, extra in (("a", ()), ("b", ("--subsampling", 444)), ("c", ("--quality", 60))):
        assert run(src, "--out", tmp_path / name, "-n", 1, *extra) == 0
        sizes.append((tmp_path / name / "images/rocket__ferraug-0001.jpg").stat().st_size)
    assert sizes[1] > sizes[0] > sizes[2]


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SAMPLES)]) == 0
    assert "3 images" in capsys.readouterr().err
    src = write_yolo(write_yolo(tmp_path / "src", "train"), "val")
    (src / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [a, b, c, d, e, f]\n")
    (src / "labels/train/rocket.txt").write_text("0 0.5 0.5 0 0.2\n9 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1 0.1\n")
    (src / "labels/train/ghost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (src / "images/train/chelsea.jpg").write_bytes((src / "images/train/chelsea.jpg").read_bytes()[:3000])
    before = tree(src)
    assert main(["check", str(src), "--json", "--deep", "--preview", "--preview-out", str(tmp_path / "s.png")]) == 1
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    texts = [f"{p['where']}: {p['text']}" for p in result["problems"]]
    assert any("rocket.txt:1:" in t for t in texts) and any("rocket.txt:2:" in t for t in texts)
    assert any("ghost.txt: label without an image" in t for t in texts)
    assert any("byte-equal to images/train/astronaut.jpg of split train, this is val" in t for t in texts)
    assert any("images/train/chelsea.jpg" in t and p["level"] == "invalid" for t, p in zip(texts, result["problems"], strict=True))
    assert all(p["fix"] for p in result["problems"] if p["level"] == "invalid")
    assert result["images"] == {"train": 3, "val": 3} and result["classes"]["c"] == 3 and "→" in printed.err
    assert tree(src) == before and _core.decode((tmp_path / "s.png").read_bytes())[0].shape[0] > 200


def test_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = copy_tree(SAMPLES, tmp_path / "src")
    out, bare = tmp_path / "out", tmp_path / "bare"
    assert run(src, "--out", out, "-n", 2, "--quality", 80) == 0
    assert run(src, "--out", bare, "-n", 2, "--quality", 80, "--originals", "none") == 0
    for name in copies(out):
        assert main(["replay", str(out / name)]) == 0
        assert "the same bytes" in capsys.readouterr().err
    name = copies(out)[0]
    assert main(["replay", str(out / name), "--out", str(tmp_path / "again.jpg")]) == 0
    assert (tmp_path / "again.jpg").read_bytes() == (out / name).read_bytes()
    assert main(["replay", str(out / name), "--out", str(tmp_path / "again.png")]) == 0
    png, _ = _core.decode((tmp_path / "again.png").read_bytes())
    assert list(png.shape[1::-1]) == list(_core.probe((out / name).read_bytes())["size"])
    assert main(["replay", str(bare / name)]) == 2
    assert "--src" in capsys.readouterr().err
    assert main(["replay", str(bare / name), "--src", str(src)]) == 0
    assert main(["replay", str(out / "images/rocket.jpg")]) == 2
    assert main(["replay", str(src / "images/rocket.jpg")]) == 2
    picture(out / "images/rocket.jpg")
    assert main(["replay", str(out / "images/rocket__ferraug-0001.jpg")]) in (1, 2)


def test_preview_command_equals_option(tmp_path: Path) -> None:
    src = copy_tree(SAMPLES, tmp_path / "src")
    assert main(["preview", str(src), "--count", "2", "--seed", "5"]) == 0
    assert run(src, "--preview", 2, "--seed", 5, "--preview-out", tmp_path / "b.png") == 0
    assert (tmp_path / "src-preview.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_help_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    for args, lines in ((["--help"], 26), (["augment", "--help"], 50), (["check", "--help"], 30), (["replay", "--help"], 24)):
        assert main(args) == 0
        text = capsys.readouterr().out
        assert len(text.splitlines()) <= lines, text
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(line in text for line in ("ferraug augment photos --out", "--preview", "ferraug check photos"))
    assert main(["augment", "x", "--help-all"]) == 0
    assert "--make-splits" in capsys.readouterr().out


def test_namespace_is_what_run_reads() -> None:
    from ferraug.cli.options import parse
    from ferraug.cli.run import PIXELS

    args: Namespace = parse(["augment", "x"])
    assert all(hasattr(args, key) for key in PIXELS)
