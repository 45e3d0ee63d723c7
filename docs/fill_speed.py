#!/usr/bin/env python3
"""Fills the speed table of the README from a page that `benches/compare.py --save` wrote.

    python3 docs/fill_speed.py benches/results/<page>.md
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZE = "512"
#: rows of the bench -> how the README names them; slow and fast alike
SHOWN = {
    "RandomCrop_half": "RandomCrop to 256×256",
    "HorizontalFlip": "HorizontalFlip",
    "Transpose": "Transpose",
    "PadIfNeeded_1.25": "PadIfNeeded to 640×640",
    "Rotate30_const": "Rotate, linear",
    "Rotate30_cubic": "Rotate, cubic",
    "Perspective": "Perspective",
    "GridDistortion": "GridDistortion",
    "Resize_224": "Resize to 224×224",
    "RandomBrightnessContrast": "RandomBrightnessContrast",
    "RandomGamma": "RandomGamma",
    "HueSaturationValue": "HueSaturationValue",
    "ColorJitter": "ColorJitter",
    "Equalize": "Equalize",
    "GaussianBlur_s1.5_k7": "GaussianBlur, 7 taps",
    "GaussNoise": "GaussNoise",
    "Normalize": "Normalize",
    "CoarseDropout8": "CoarseDropout, 8 holes",
}


def cells(line: str) -> list[str]:
    """The cells of a table's line."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(page: str, link: str) -> str:
    """The README's part: where it was measured, transforms, pipelines."""
    head, transforms, pipelines = page.split("\n## ")[:3]
    facts = dict(line[2:].split(": ", 1) for line in head.splitlines() if line.startswith("- ") and ": " in line)
    level = head.splitlines()[0].rpartition(" ")[2]
    lines = [
        f"Level {level}, one thread; {facts['machine'].partition(', load')[0]}; {facts['versions']}. All rows, sizes and",
        f"pipelines: [{link}]({link}).",
        "",
        f"Microseconds a call on {SIZE}×{SIZE} RGB uint8, and how many times longer the others take:",
        "",
        "| transform | ferraug | Albumentations | OpenCV | NumPy | Pillow |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    found = {}
    for line in transforms.splitlines():
        row = cells(line)
        if len(row) > 7 and row[1] == SIZE:
            found.setdefault(row[0], row)
    for name, words in SHOWN.items():
        if name in found:
            _, _, ours, _, *others = found[name]
            lines.append(f"| {words} | {ours} | {' | '.join(other or '–' for other in others[:4])} |")
    lines += ["", "| pipeline | ferraug | Albumentations |", "|---|--:|--:|"]
    for line in pipelines.splitlines():
        row = cells(line)
        if len(row) > 3 and row[0][:1] == "P" and row[0][1:2].isdigit():
            lines.append(f"| {row[0].partition(': ')[2].replace('P1 with', 'the first with')} | {row[1]} | {row[2].rpartition('= ')[2]} |")
    return "\n".join(lines)


def main() -> None:
    page = Path(sys.argv[1]).resolve()
    link = str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- speed -->\n")
    after = rest.partition("<!-- /speed -->")[2]
    part = table(page.read_text(encoding="utf-8"), link)
    readme.write_text(f"{before}<!-- speed -->\n{part}\n<!-- /speed -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
