"""What the command refuses, skips and survives."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dataset_helpers import SAMPLES, copy_tree, picture, tree, write_coco, write_voc, write_yolo
from ferraug import _core
from ferraug.cli import main
from ferraug.datasets import detect

HOSTILE = [
    "../../x.png", "/etc/x", "C:\\x", "\\\\srv\\x", "a\0b", "..\\x", "", ".", "a/../../b", "con.png", "a" * 300,
    "a/" + "b" * 300 + ".png", "..", "./..", "x/..", "NUL", "aux.jpg", "lpt1.png", "a./b", "a ", "C:x", "a\nb", "a\x7fb",
]  # fmt: skip


def run(*args: object) -> int:
    return main(["augment", *map(str, args)])


def everything(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stop_with_4(tmp_path: Path, name: str) -> None:
    src = write_coco(tmp_path / "in/coco")
    value = json.loads((src / "boxes.json").read_text())
    value["images"][1]["file_name"] = name
    (src / "boxes.json").write_text(json.dumps(value))
    before = everything(tmp_path)
    assert run(src, "--out", tmp_path / "out") == 4
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["../../x.png", "/etc/x.jpg", "C:\\x.jpg", "..\\x.jpg", "a/../../b.jpg", "con.png", "a" * 300]
)
def test_hostile_names_in_voc_and_lists(tmp_path: Path, name: str) -> None:
    src = write_voc(tmp_path / "in/voc")
    path = src / "images/rocket.xml"
    path.write_text(path.read_text().replace("rocket.jpg", name))
    src2 = write_yolo(tmp_path / "in/yolo")
    (src2 / "train.txt").write_text(f"images/rocket.jpg\n{name}\n")
    (src2 / "data.yaml").write_text((src2 / "data.yaml").read_text().replace("train: images", "train: train.txt"))
    before = everything(tmp_path)
    assert run(src, "--out", tmp_path / "out") == 4
    assert everything(tmp_path) == before
    # a list may hold any path of another machine: what leads nowhere is an error only if it tries to leave
    assert run(src2, "--out", tmp_path / "out2") in (3, 4)
    assert [n for n in everything(tmp_path) if not n.startswith("out2")] == before


@pytest.mark.parametrize(
    "part", ["coco_keypoints/mirror_mouse", "volume", "corrupt", "nope"]
)
def test_refused_with_2(shared: Path, tmp_path: Path, part: str) -> None:
    assert run(shared / part, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_recognised_folders_are_never_plain(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        picture(tmp_path / f"classes/{name}/a.png")
    picture(tmp_path / "masks/images/a.png")
    picture(tmp_path / "masks/masks/a.png")
    picture(tmp_path / "labelled/a.png")
    (tmp_path / "labelled/a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    picture(tmp_path / "cvat/a.png")
    (tmp_path / "cvat/a.xml").write_text("<annotations></annotations>")
    for kind in ("labelled", "cvat"):
        assert run(tmp_path / kind, "--out", tmp_path / "out") == 2, kind
    for kind in ("classes", "masks"):
        assert detect(str(tmp_path / kind)).format == kind
    assert run(tmp_path / "classes", "--out", tmp_path / "out", "--from", "plain", "-n", 1) == 0
    assert (tmp_path / "out/cat/a__ferraug-0001.png").exists()
    assert run(tmp_path / "labelled", "--out", tmp_path / "out2", "--from", "yolo", "-n", 1) == 0
    assert (tmp_path / "out2/a__ferraug-0001.txt").exists()


def test_usage_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = write_coco(tmp_path / "src")
    out = tmp_path / "out"
    for args in (
        [], [src], [src, "--out", out, "-n", "-1"], [src, "--out", out, "-n", "x"], [src, "--out", out, "--seed", 2**64],
        [src, "--out", out, "--quality", 0], [src, "--out", out, "--workers", 0], [src, "--out", out, "--from", "nope"],
        [src, "--out", out, "--min-visibility", "nan"], [src, "--out", out, "--max-errors", "x"],
        [src, "--out", out, "--nope"], [src, "--out", src / "inside"], [src / "images", "--out", src],
        [src, "--out", src], [src, "--out", out, "--from", "masks"],
    ):  # fmt: skip
        assert run(*args) == 2, args
    assert not out.exists() and "error:" in capsys.readouterr().err
    assert main([]) == 2 and main(["--version"]) == 0 and main(["augment", "--help"]) == 0


def test_a_used_folder_is_refused_and_overwritten(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    out = tmp_path / "out"
    out.mkdir()
    assert run(src, "--out", out, "-n", 1) == 0
    first = tree(out)
    assert run(src, "--out", out, "-n", 1) == 2
    assert tree(out) == first
    (out / "mine.txt").write_text("keep")
    (out / "images/.ferraug-0-1.tmp").write_text("left over")
    assert run(src, "--out", out, "-n", 2, "--overwrite") == 0
    assert (out / "mine.txt").read_text() == "keep" and not (out / "images/.ferraug-0-1.tmp").exists()
    assert run(src, "--out", out, "-n", 1, "--overwrite") == 0
    (out / "mine.txt").unlink()
    assert tree(out) == first
    # a name that would be written but is nobody's of an earlier run
    (out / "images/rocket__ferraug-0002.jpg").write_text("mine")
    assert run(src, "--out", out, "-n", 2, "--overwrite") == 2
    assert (out / "images/rocket__ferraug-0002.jpg").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("x")
    assert run(src, "--out", other, "--overwrite") == 2 and everything(other) == ["a.txt"]
    (other / "ferraug-run.json").write_text('{"files": ["../src/boxes.json"]}')
    assert run(src, "--out", other, "--overwrite") == 4 and (src / "boxes.json").exists()


def test_links_are_not_followed_out(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 1) == 0
    shutil.rmtree(out / "images")
    (tmp_path / "elsewhere").mkdir()
    (out / "images").symlink_to(tmp_path / "elsewhere")
    assert run(src, "--out", out, "-n", 1, "--overwrite") == 4
    assert not everything(tmp_path / "elsewhere")

    secret = picture(tmp_path / "secret/s.png")
    plain = tmp_path / "plain"
    picture(plain / "a.png")
    (plain / "out.png").symlink_to(secret)
    (plain / "loop").symlink_to(plain)
    (plain / "dead.png").symlink_to(plain / "nope.png")
    (plain / "b.png").symlink_to(plain / "a.png")
    os.mkfifo(plain / "pipe.png")
    assert run(plain, "--out", tmp_path / "out2", "-n", 1, "--duplicates", "keep") == 3
    assert sorted(n for n in tree(tmp_path / "out2") if n.endswith(".png")) == [
        "a.png", "a__ferraug-0001.png", "b.png", "b__ferraug-0001.png",
    ]  # fmt: skip


def test_two_outputs_of_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for a, b in (("x.png", "X.png"), ("caf\u00e9.png", "cafe\u0301.png")):
        src = tmp_path / f"src{len(a)}"
        picture(src / a)
        picture(src / b)
        if len(list(src.iterdir())) < 2:
            pytest.skip("this file system takes them for one")
        assert run(src, "--out", tmp_path / "out") == 2
        assert "one name" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "plain"])
def test_corrupt_images_leave_with_their_records(shared: Path, tmp_path: Path, kind: str) -> None:
    src = tmp_path / "src"
    if kind == "plain":
        shutil.copytree(SAMPLES / "images", src / "images")
    else:
        {"coco": write_coco, "yolo": write_yolo, "voc": write_voc}[kind](src)
    rocket = src / "images/rocket.jpg"
    whole = rocket.read_bytes()
    trees = []
    for number, content in enumerate([b"", b"text, no picture", whole[:9], whole[: len(whole) // 2], whole[:-2]]):
        rocket.write_bytes(content)
        out = tmp_path / f"out{number}"
        assert run(src, "--out", out, "-n", 2) == 3
        found = {k: v for k, v in tree(out).items() if k != "ferraug-report.json"}
        assert not any("rocket" in n for n in found), found.keys()
        [skip] = json.loads((out / "ferraug-report.json").read_text())["skipped"]
        assert "rocket" in skip["where"] + skip["text"]
        trees.append({k: v for k, v in found.items() if k != "ferraug-run.json"})
        if kind == "coco":
            value = json.loads((out / "boxes.json").read_text())
            assert {i["id"] for i in value["images"][:2]} == {7, 8} and len(value["images"]) == 6
            assert all(a["image_id"] != 9 for a in value["annotations"])
    assert all(t.keys() == trees[0].keys() for t in trees)


def test_max_errors(tmp_path: Path) -> None:
    src = tmp_path / "src"
    for i in range(6):
        picture(src / f"{i}.png", seed=i)
    for i in (1, 3, 4):
        (src / f"{i}.png").write_bytes((src / f"{i}.png").read_bytes()[:-5])
    assert run(src, "--out", tmp_path / "a", "-n", 1) == 3
    assert json.loads((tmp_path / "a/ferraug-run.json").read_text())["complete"]
    assert run(src, "--out", tmp_path / "b", "-n", 1, "--max-errors", 1, "--workers", 1) == 3
    assert not json.loads((tmp_path / "b/ferraug-run.json").read_text())["complete"]
    assert run(src, "--out", tmp_path / "b", "-n", 1, "--overwrite") == 3
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    (src / "1.png").write_bytes(b"")
    assert run(src, "--out", tmp_path / "c", "-n", 1, "--max-errors", 0) == 3 and not (tmp_path / "c").exists()


def test_nothing_in_dst_tells_where_it_was_made(tmp_path: Path) -> None:
    a, b = tmp_path / "one/src", tmp_path / "another/place/src"
    write_yolo(a)
    copy_tree(a, b)
    assert run(a, "--out", tmp_path / "outa", "-n", 1) == 0
    time.sleep(1.1)
    os.chdir(b.parent)
    assert run("src", "--out", "outb", "-n", 1, "--workers", 3) == 0
    assert tree(tmp_path / "outa") == tree(b.parent / "outb")


def test_an_added_source_changes_no_other(tmp_path: Path) -> None:
    src = write_yolo(tmp_path / "src")
    assert run(src, "--out", tmp_path / "a", "-n", 2) == 0
    picture(src / "images/aaa.jpg", 90, 70)
    assert run(src, "--out", tmp_path / "b", "-n", 2) == 0
    before, after = tree(tmp_path / "a"), tree(tmp_path / "b")
    assert {n for n in before if after[n] != before[n]} <= {
        "ferraug-manifest.jsonl", "ferraug-report.json", "ferraug-run.json",
    }  # fmt: skip


def test_unwritable_target(tmp_path: Path) -> None:
    src = write_coco(tmp_path / "src")
    (tmp_path / "file").write_text("")
    assert run(src, "--out", tmp_path / "file") == 2
    assert run(src, "--out", tmp_path / "file/below") == 2
    if os.geteuid() != 0:
        (tmp_path / "ro").mkdir(mode=0o555)
        assert run(src, "--out", tmp_path / "ro/out") == 2


def test_write_errors_are_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferraug.cli import output

    src = write_coco(tmp_path / "src")
    calls = 0

    rename = output.Folder.rename_new

    def full(self: output.Folder, temp: str, name: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise OSError(28, "No space left on device", name)
        rename(self, temp, name)

    monkeypatch.setattr(output.Folder, "rename_new", full)
    out = tmp_path / "out"
    assert run(src, "--out", out, "-n", 3, "--workers", 2) == 5
    assert not [n for n in everything(out) if n.endswith(".tmp")]
    monkeypatch.undo()
    assert run(src, "--out", out, "-n", 3, "--overwrite") == 0
    assert run(src, "--out", tmp_path / "clean", "-n", 3) == 0
    assert tree(out) == tree(tmp_path / "clean")


def test_unexpected_errors_are_70(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferraug.cli import run as module

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(module.Run, "augment", broken)
    assert run(write_coco(tmp_path / "src"), "--out", tmp_path / "out") == 70


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("delay", [0.0, 0.15])
def test_interrupt(tmp_path: Path, delay: float) -> None:
    src = write_yolo(tmp_path / "src")
    out = tmp_path / "out"
    # A shell that starts this in the background leaves SIGINT ignored.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from ferraug.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    args = [sys.executable, "-c", code, "augment", str(src), "--out", str(out), "-n", "400", "--workers", "2"]
    process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not list(out.glob("images/*__ferraug-0003*")) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert "interrupted" in text and "Traceback" not in text
    assert not list(out.rglob("*.tmp"))
    assert not json.loads((out / "ferraug-run.json").read_text())["complete"]
    for image in out.glob("images/*.jpg"):
        _core.decode(image.read_bytes())
        if "__ferraug" in image.name:
            assert (out / "labels" / f"{image.stem}.txt").exists()
    assert run(src, "--out", out, "-n", 1, "--overwrite") == 0
    assert run(src, "--out", tmp_path / "clean", "-n", 1) == 0
    assert tree(out) == tree(tmp_path / "clean")
