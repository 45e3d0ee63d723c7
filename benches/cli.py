"""Times `ferraug augment` against what people write instead, on whole folders.

    A   one process, every copy decodes its source again, cv2.imread and cv2.imwrite
    B   one process a core, each source is decoded once, the faster of Pillow and OpenCV for files

Both use Albumentations with the same policy, the same number of copies, JPEG quality and boxes, and write a COCO JSON.
Contenders run in turn, A B C A B C, files in memory (/dev/shm where there is one); the figure is the best of the rounds.

    python benches/cli.py [--rounds 5] [--copies 5] [--save]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("FERRAUG_DATA", "../shared/data"))
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

DETECTION = """
import ferraug as A

def policy():
    return A.Compose([
        A.HorizontalFlip(p=0.5),
        A.ShiftScaleRotate(p=0.5),
        A.HueSaturationValue(p=0.5),
        A.RandomBrightnessContrast(p=0.5),
    ])
"""


def peer_policy(name: str) -> Any:
    """The same policy of Albumentations."""
    import albumentations as A

    boxes = A.BboxParams(format="coco", label_fields=["ids"], min_visibility=0.1)
    if name == "seed":
        steps = [
            A.RandomCrop(width=256, height=256),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(brightness_limit=0.5, contrast_limit=0.3),
            A.Rotate(),
        ]
    else:
        steps = [
            A.HorizontalFlip(p=0.5),
            A.ShiftScaleRotate(p=0.5),
            A.HueSaturationValue(p=0.5),
            A.RandomBrightnessContrast(p=0.5),
        ]
    return A.Compose(steps, bbox_params=boxes)


def peer(jobs: list[dict[str, Any]], out: str, policy: str, suffix: str, copies: int, once: bool, files: str) -> list[Any]:
    """All copies of these sources by Albumentations; `once`: decode each source once. Returns COCO records."""
    import cv2
    import numpy as np
    from PIL import Image

    cv2.setNumThreads(1)
    pipeline = peer_policy(policy)

    def load(path: str) -> Any:
        if files == "pillow":
            return np.array(Image.open(path).convert("RGB"))
        return cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def save(path: str, image: Any) -> None:
        if files == "pillow":
            extra = {"quality": 95} if suffix == "jpg" else {}
            Image.fromarray(image).save(path, **extra)
        else:
            extra_cv = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix == "jpg" else []
            cv2.imwrite(path, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), extra_cv)

    records = []
    for job in jobs:
        image = load(job["path"]) if once else None
        for replica in range(copies):
            source = image if image is not None else load(job["path"])
            if policy == "seed" and min(source.shape[:2]) < 256:
                continue
            made = pipeline(image=source, bboxes=job["boxes"], ids=job["ids"])
            name = f"{job['stem']}_{replica}.{suffix}"
            save(os.path.join(out, name), made["image"])
            records.append((name, made["image"].shape[:2], [list(map(float, b)) for b in made["bboxes"]], made["ids"]))
    return records


def write_coco(records: list[Any], out: str) -> None:
    """What the scripts write at the end."""
    images, annotations = [], []
    for name, (h, w), boxes, ids in records:
        images.append({"id": len(images), "file_name": name, "width": w, "height": h})
        for box, category in zip(boxes, ids, strict=True):
            annotations.append(
                {"id": len(annotations), "image_id": len(images) - 1, "category_id": int(category), "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
    with open(os.path.join(out, "instances.json"), "w") as file:
        json.dump({"images": images, "annotations": annotations}, file)


def jobs_of(src: Path) -> list[dict[str, Any]]:
    """The sources and their boxes."""
    value = json.loads((src / "instances.json").read_text())
    found = {i["id"]: {"path": str(src / "images" / i["file_name"]), "stem": Path(i["file_name"]).stem, "boxes": [], "ids": [],
                       "size": (i["width"], i["height"])} for i in value["images"]}  # fmt: skip
    for a in value["annotations"]:
        job = found[a["image_id"]]
        x, y, w, h = a["bbox"]
        # Albumentations refuses boxes that overhang by a rounding
        w, h = min(w, job["size"][0] - x), min(h, job["size"][1] - y)
        if w > 0 and h > 0:
            job["boxes"].append([x, y, w, h])
            job["ids"].append(a["category_id"])
    return list(found.values())


def script(kind: str, args: argparse.Namespace) -> None:
    """Runs as a process of its own, as a user's script would; prints its seconds without the imports."""
    import albumentations  # noqa: F401

    start = time.perf_counter()
    src, out = Path(args.src), args.out
    os.makedirs(out)
    jobs = jobs_of(src)
    rest = (out, args.policy, args.suffix, args.copies, kind == "B", args.files)
    if kind == "A":
        records = peer(jobs, *rest)
    else:
        parts = [jobs[i::CORES] for i in range(CORES)]
        with multiprocessing.Pool(CORES) as pool:
            records = sum(pool.starmap(peer, [(part, *rest) for part in parts]), [])
    write_coco(records, out)
    print(time.perf_counter() - start)


def run(command: list[str], out: Path) -> tuple[float, int]:
    """(seconds, new images). A script's seconds are its own word, without its imports; ours are the whole process."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    if "--script" in command:
        seconds = float(done.stdout)
    count = sum(1 for p in out.rglob("*") if p.suffix in (".jpg", ".png") and ("_" in p.stem or "__ferraug-" in p.stem))
    return seconds, count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=4, help="how often each source is in the set, for longer runs")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--only", help="rows whose name holds this")
    for name in ("script", "src", "out", "policy", "suffix", "files"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.script:
        script(args.script, args)
        return

    place = Path("/dev/shm") if os.path.isdir("/dev/shm") else Path(tempfile.gettempdir())
    work = Path(tempfile.mkdtemp(prefix="ferraug-bench-", dir=place))
    try:
        lines = measure(args, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    text = "\n".join(lines) + "\n"
    print(text)
    if args.save:
        (Path(__file__).parent / "results" / "command.md").write_text(text)


def repeated(work: Path, times: int) -> Path:
    """The coco sample with every image `times` times under other names and ids."""
    src = work / "src"
    (src / "images").mkdir(parents=True)
    value = json.loads((DATA / "coco/instances.json").read_text())
    out: dict[str, Any] = {**value, "images": [], "annotations": []}
    for turn in range(times):
        for image in value["images"]:
            name = f"{turn}-{image['file_name']}"
            shutil.copyfile(DATA / "coco/images" / image["file_name"], src / "images" / name)
            out["images"].append({**image, "id": image["id"] + turn * 10**7, "file_name": name})
        for record in value["annotations"]:
            out["annotations"].append(
                {**record, "id": record["id"] + turn * 10**13, "image_id": record["image_id"] + turn * 10**7}
            )
    (src / "instances.json").write_text(json.dumps(out))
    return src


def measure(args: argparse.Namespace, work: Path) -> list[str]:
    """The page."""
    import albumentations
    import cv2
    import ferraug
    import PIL

    src = repeated(work, args.repeat)
    policy = work / "detection.py"
    policy.write_text(DETECTION)
    own = [sys.executable, "-m", "ferraug.cli", "augment", str(src), "-n", str(args.copies), "--duplicates", "keep"]
    lines = [
        "# Speed of the command",
        "",
        f"- machine: {CORES} cores, {cpu()}",
        f"- versions: ferraug {ferraug.__version__}, Python {platform.python_version()}, Albumentations "
        f"{albumentations.__version__}, OpenCV {cv2.__version__}, Pillow {PIL.__version__}",
        f"- set: the 23 images of `coco/` taken {args.repeat} times, n={args.copies}, quality 95, files in memory",
        f"- best of {args.rounds} interleaved rounds; new images a second, of the whole process for ferraug, without imports for A and B",
        "",
        "| job | A | B (files by) | ferraug, 1 worker | ferraug | over A | over B | 2 workers over 1 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, spec, suffix in (
        ("seed → JPEG", "seed", "jpg"),
        ("detection → JPEG", "detection", "jpg"),
        ("seed → PNG", "seed", "png"),
        ("detection → PNG", "detection", "png"),
    ):
        if args.only and args.only not in name:
            continue
        chosen = "seed" if spec == "seed" else f"{policy}:policy"
        common = ["--src", str(src), "--policy", spec, "--suffix", suffix, "--copies", str(args.copies)]
        me = [sys.executable, __file__]
        rows = {
            "A": [*me, "--script", "A", "--files", "opencv", *common, "--out", str(work / "A")],
            "B pillow": [*me, "--script", "B", "--files", "pillow", *common, "--out", str(work / "B pillow")],
            "B opencv": [*me, "--script", "B", "--files", "opencv", *common, "--out", str(work / "B opencv")],
            "one": [*own, "--policy", chosen, "--format", suffix, "--workers", "1", "--out", str(work / "one")],
            "two": [*own, "--policy", chosen, "--format", suffix, "--workers", "2", "--out", str(work / "two")],
        }
        best: dict[str, float] = {}
        for _ in range(args.rounds):
            for key, command in rows.items():
                seconds, count = run(command, work / key)
                best[key] = max(best.get(key, 0.0), count / seconds)
        b_name = max(("B pillow", "B opencv"), key=lambda k: best[k])
        b, a, two, one = best[b_name], best["A"], best["two"], best["one"]
        lines.append(
            f"| {name} | {a:.0f} | {b:.0f} ({b_name[2:]}) | {one:.0f} | {two:.0f} | {two / a:.1f}× | {two / b:.1f}× | {two / one:.2f}× |"
        )
        print(lines[-1], file=sys.stderr)
    return lines


def cpu() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


if __name__ == "__main__":
    main()
