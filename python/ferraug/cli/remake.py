"""`ferraug replay`: one new image made again from its line in the manifest."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from argparse import Namespace
from typing import Any

import numpy as np

from .. import _core, replay
from .._core import ConfigError
from ..datasets.model import Dataset, Sample
from ..datasets.paths import safe_rel_path
from .output import MANIFEST, RUN
from .policy import Policy
from .work import Skip, encode_image, load, opaque, put_back

DONE, DIFFERS = 0, 1


class Remake:
    """One call of the command."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.root, self.rel = _find(args.image)
        self.line = _line(self.root, self.rel)
        try:
            with open(os.path.join(self.root, RUN), encoding="utf-8") as file:
                self.options: dict[str, Any] = json.load(file)["options"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ConfigError(f"{self.root}: no readable {RUN}") from None

    def run(self) -> int:
        """Writes the image, or compares it with the one that is there."""
        image, kind = self._image()
        if self.args.out and self.args.out.lower().endswith(".png"):
            kind = "png"
        content = encode_image(image, kind, self.options)
        same = hashlib.sha256(content).hexdigest() == self.line["sha256"]
        if self.args.out:
            with open(self.args.out, "wb") as file:
                file.write(content)
            text = f"{self.args.out}: {self.rel} made again"
        else:
            text = f"{self.rel}: {'the same bytes' if same else 'DIFFERENT bytes'} as in the manifest"
        if not self.args.quiet:
            print(text, file=sys.stderr)
        code = DONE if same or self.args.out else DIFFERS
        if self.args.json:
            size = [image.shape[1], image.shape[0]]
            print(json.dumps({"exit": code, "image": self.rel, "same": same, "size": size}))
        return code

    def _image(self) -> tuple[Any, str]:
        """(new image, format of its file)."""
        line = self.line
        root, path = self.root, line["source"]
        if self.args.src:
            root, path = self.args.src, line.get("file", path)
            root = root if os.path.isdir(root) else os.path.dirname(os.path.abspath(root))
        path = safe_rel_path(path, MANIFEST)
        if not os.path.isfile(os.path.join(root, path)):
            hint = "" if self.args.src else "; name the set it came from by --src"
            raise ConfigError(f"{path}: its source is not in {root}{hint}")
        sample = Sample(path, path, line["split"], (0, 0))
        try:
            _, picture = load(Dataset(root, "plain", "plain"), sample, self.options.get("depth"))
        except Skip as skip:
            raise ConfigError(f"{path}: {skip}") from None
        data: dict[str, Any] = {"image": picture.image}
        if picture.alpha is not None:
            data["masks"] = [picture.alpha]
        policy = None
        if any(op[0] == "call" for op in line["record"]["ops"]):
            # user code is not in a record: the policy is needed
            h, w = picture.image.shape[:2]
            policy = Policy(self.options["policy"], int(self.options["seed"])).pipe(w, h)
        result = replay(line["record"], transforms=policy, **data)
        nearest = result["masks"][0] if picture.alpha is not None else None
        image = put_back(result["image"], picture, line["record"], nearest)
        kind = "png" if self.rel.lower().endswith(".png") else "webp" if self.rel.lower().endswith(".webp") else "jpeg"
        if picture.opaque and kind == "png" and self.options["format"] == "keep":
            image = opaque(image)
        return np.ascontiguousarray(image), kind


def _find(image: str) -> tuple[str, str]:
    """(DST, path beneath it): the nearest folder above the image that holds a manifest."""
    path = os.path.abspath(image)
    folder = os.path.dirname(path)
    while not os.path.isfile(os.path.join(folder, MANIFEST)):
        if os.path.dirname(folder) == folder:
            raise ConfigError(f"{image}: no {MANIFEST} in a folder above it")
        folder = os.path.dirname(folder)
    return folder, os.path.relpath(path, folder).replace(os.sep, "/")


def _line(root: str, rel: str) -> dict[str, Any]:
    with open(os.path.join(root, MANIFEST), encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            # most lines are long: look before parsing
            if json.dumps(rel, ensure_ascii=False) not in text:
                continue
            try:
                line: dict[str, Any] = json.loads(text)
                if line["out"] == rel and isinstance(line["record"], dict):
                    return line
            except (ValueError, KeyError, TypeError):
                raise ConfigError(f"{MANIFEST}:{number}: not a line of a manifest") from None
    raise ConfigError(f"{rel}: not in {MANIFEST}; originals are byte copies of their sources")


__all__ = ["Remake"]
