"""COCO files of many records: what is read at once, what waits, and that the quick way refuses what the long one does.

Run as a script it makes a big set and times it: `python tests/datasets/test_coco_big.py FOLDER MEGABYTES`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from dataset_helpers import SCENES, write_coco
from ferraug.datasets import coco
from ferraug.datasets.coco_records import CocoInstance, _held


def big(root: Path, megabytes: float) -> Path:
    """The scenes over and over, each time as other images with outlines of 20 points."""
    write_coco(root)
    first = json.loads((root / "boxes.json").read_text())
    images: list[Any] = []
    annotations: list[Any] = []
    size = 0
    while size < megabytes * 1e6:
        turn = len(images) // len(first["images"])
        for image in first["images"]:
            name = image["file_name"] if not turn else f"{turn:05d}-{image['file_name']}"
            if turn:
                os.link(root / "images" / image["file_name"], root / "images" / name)
            images.append({**image, "id": image["id"] + 100 * turn, "file_name": name})
        for record in first["annotations"]:
            x, y, w, h = record["bbox"]
            ring = [v for i in range(20) for v in (x + w * (i * 37 % 100) / 100, y + h * (i * 53 % 100) / 100)]
            row = {**record, "id": record["id"] + 1000 * turn, "image_id": record["image_id"] + 100 * turn}
            annotations.append({**row, "segmentation": [ring]})
            size += len(json.dumps(annotations[-1]))
    (root / "boxes.json").write_text(json.dumps({**first, "images": images, "annotations": annotations}))
    return root


def test_outlines_wait_as_text(tmp_path: Path) -> None:
    data = coco.read(str(big(tmp_path, 0.02)))
    instances = [i for s in data.samples() for i in s.instances]
    assert len(instances) >= 2 * sum(len(boxes) for *_, boxes in SCENES)
    assert all(isinstance(i, CocoInstance) and not isinstance(_held(i), list) for i in instances)
    record = json.loads((tmp_path / "boxes.json").read_text())["annotations"][4]
    assert instances[4].parts is not None and [list(p) for p in instances[4].parts] == record["segmentation"]
    assert isinstance(_held(instances[4]), list) and data.task == "segment"
    instances[4].parts = None
    assert instances[4].parts is None


@pytest.mark.parametrize(
    "ring",
    [
        [1, 1, True, 1, 9, 9],
        [1, 1, "9", 1, 9, 9],
        ["1", "1", "9", "1", "9", "9"],
        [1, 1, None, 1, 9, 9],
        [1, 1, [], 1, 9, 9],
        [1, 1, 9, 1, 9, float("nan")],
        [1, 1, float("inf"), 1, 9, 9],
        [1, 1, 9, 1, 9],
        [1, 1, 10**400, 1, 9, 9],
        "1,1,9,1,9,9",
    ],
)
def test_an_outline_of_anything_but_numbers_is_invalid(tmp_path: Path, ring: Any) -> None:
    path = write_coco(tmp_path) / "boxes.json"
    value = json.loads(path.read_text())
    value["annotations"][1]["segmentation"] = [ring]
    path.write_text(json.dumps(value))
    data = coco.read(str(tmp_path), "collect")
    [problem] = data.problems
    assert problem.level == "invalid" and "annotation 2" in problem.where


if __name__ == "__main__":
    import subprocess

    folder = big(Path(sys.argv[1]), float(sys.argv[2]))
    # a process of its own, so that what made the file does not count
    code = """if True:
        import resource, sys, time
        from ferraug.datasets import coco
        start = time.perf_counter()
        coco.read(sys.argv[1], "collect")
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{time.perf_counter() - start:.2f} s, {most} MB at most")
    """
    print(f"{(folder / 'boxes.json').stat().st_size / 1e6:.0f} MB:", flush=True)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
