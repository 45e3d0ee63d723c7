"""Policies: two by name, a `to_dict` file, or a Python file; made for a size, cached, never shared state.

A policy only decides what happens to pixels and positions. What objects must keep is the command's own rule, so of a
policy's `bbox_params` only the minima count.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from .._core import ConfigError
from ..datasets import yamlsubset
from .options import Size

#: transforms at the end of a training pipeline that make no sense in an image file
TRAILING = ("Normalize", "ToFloat", "ToTensorV2", "ToTensor3D")

_BOX_QUESTIONS = ("AtLeastOneBBoxRandomCrop", "BBoxSafeRandomCrop", "RandomSizedBBoxSafeCrop")

_MAX_POLICY = 4 << 20


class Policy:
    """A policy by name or file; `pipe(w, h)` is the pipeline for an image size."""

    def __init__(self, spec: str, seed: int, size: Size | None = None) -> None:
        self.spec, self.seed, self.size = spec, seed, size
        self.notices: list[str] = []
        self.minima: dict[str, float] = {}
        self._cache: dict[Any, Any] = {}
        self._refusals: dict[str, str | None] = {}
        self._lock = threading.Lock()
        self.sized = False
        #: masks hold classes, not single objects: a dropout may paint them if its `fill_mask` says so
        self.semantic = False
        #: what masks of classes hold where nothing of the source is; None leaves it to each `fill_mask`
        self.mask_fill: int | None = None
        self.make = self._resolve(spec)
        pipeline = self._raw(1000, 1000)
        self._minima(pipeline)
        self.asks_boxes = any(type(t).__name__ in _BOX_QUESTIONS for t in _walk(pipeline))
        self.hash = self._hash(pipeline)

    def _resolve(self, spec: str) -> Callable[..., Any]:
        import ferraug as A

        if spec == "basic":
            self.sized = True

            def basic(width: int, height: int) -> Any:
                return A.Compose(
                    [
                        A.RandomCrop(height=max(1, height * 4 // 5), width=max(1, width * 4 // 5)),
                        A.HorizontalFlip(p=0.5),
                        A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2),
                        A.Rotate(limit=15, border_mode=0, fill=0),
                    ]
                )

            return basic
        if spec == "seed":
            return lambda: A.Compose(
                [
                    A.RandomCrop(width=256, height=256),
                    A.HorizontalFlip(p=0.5),
                    A.RandomBrightnessContrast(brightness_limit=0.5, contrast_limit=0.3),
                    A.Rotate(),
                ]
            )
        path, colon, name = spec.rpartition(":")
        if colon and path.endswith(".py"):
            return self._python(path, name)
        if spec.endswith((".json", ".yaml", ".yml")):
            return self._file(spec)
        raise ConfigError(f"--policy {spec}: allowed basic, seed, policy.json, policy.yaml, file.py:name")

    def _file(self, path: str) -> Callable[..., Any]:
        import ferraug as A

        try:
            with open(path, "rb") as file:
                raw = file.read(_MAX_POLICY + 1)
        except OSError as error:
            raise ConfigError(f"--policy {path}: {error.strerror}") from None
        if len(raw) > _MAX_POLICY:
            raise ConfigError(f"--policy {path}: more than {_MAX_POLICY} bytes")
        value = load_json(raw, path) if path.endswith(".json") else load_yaml(raw, path)
        try:
            A.from_dict(value)
        except ConfigError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigError(f"--policy {path}: {_say(error)}") from None
        return lambda: A.from_dict(value)

    def _python(self, path: str, name: str) -> Callable[..., Any]:
        if not os.path.isfile(path):
            raise ConfigError(f"--policy {path}: no such file")
        spec = importlib.util.spec_from_file_location("ferraug_policy", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["ferraug_policy"] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise ConfigError(f"--policy {path}: {_say(error)}") from error
        value = getattr(module, name, None)
        if value is None:
            raise ConfigError(f"--policy {path}: no {name!r} in it")
        if hasattr(value, "transforms") or not callable(value):
            return lambda: value
        try:
            wanted = len(inspect.signature(value).parameters)
        except (TypeError, ValueError):
            wanted = 0
        if wanted not in (0, 2):
            raise ConfigError(f"--policy {path}:{name}: a function of nothing or of (width, height) is needed")
        self.sized = wanted == 2
        return value  # type: ignore[no-any-return]

    def _raw(self, w: int, h: int) -> Any:
        import ferraug as A

        try:
            pipeline = self.make(w, h) if self.sized else self.make()
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"--policy {self.spec}: {_say(error)}") from error
        if not hasattr(pipeline, "transforms"):
            if not (hasattr(pipeline, "p") and callable(pipeline)):
                raise ConfigError(f"--policy {self.spec}: a pipeline is needed, got {type(pipeline).__name__}")
            pipeline = A.Compose([pipeline])
        return pipeline

    def pipe(self, w: int, h: int) -> Any:
        """The pipeline for images of w x h, seeded, without what belongs to training."""
        key = (w, h) if self.sized else None
        with self._lock:
            if key not in self._cache:
                if len(self._cache) > 4096:
                    self._cache.clear()
                self._cache[key] = self._build(self._raw(w, h))
            return self._cache[key]

    def _build(self, pipeline: Any) -> Any:
        import ferraug as A

        transforms = list(pipeline.transforms)
        while transforms and type(transforms[-1]).__name__ in TRAILING:
            transforms.pop()
        for inner in _walk_list(transforms):
            if type(inner).__name__ in TRAILING:
                raise ConfigError(
                    f"--policy {self.spec}: {type(inner).__name__} before the end; image files hold bytes, move it last"
                )
            self._keep_classes(inner)
        # a list is run as its transforms; OneOf and the like stay one node with their own rule
        if type(pipeline).__name__ not in ("Compose", "ReplayCompose"):
            transforms = [pipeline]
        transforms += _fitted(self.size)
        boxes = A.BboxParams(format="pascal_voc", min_visibility=0.0, clip=True) if self.asks_boxes else None
        share = float(getattr(pipeline, "p", 1.0)) if type(pipeline).__name__ in ("Compose", "ReplayCompose") else 1.0
        return A.Compose(transforms, bbox_params=boxes, p=share, seed=self.seed, mask_interpolation=0)

    def refuses(self, image: Any) -> str | None:
        """Why a transform of the policy does not take images of this dtype; None if all do. Asked once a dtype."""
        h, w = image.shape[:2]
        key = str(image.dtype)
        with self._lock:
            if key not in self._refusals:
                self._refusals[key] = self._refusal(self._build(self._raw(w, h)), (h, w, 3), key)
            return self._refusals[key]

    def _refusal(self, pipeline: Any, shape: tuple[int, ...], dtype: str) -> str | None:
        for transform in _walk(pipeline):
            if hasattr(transform, "transforms"):
                continue
            try:
                # every branch of a choice, whether it would fire or not
                transform.explain(shape, dtype)
            except TypeError as error:
                return f"{type(transform).__name__}: {_say(error).split('; .')[0]}"
            except Exception:
                continue  # another reason than the dtype: the run tells it
        return None

    def _keep_classes(self, transform: Any) -> None:
        """Masks hold classes or objects: never averaged, and outside the source what the format says."""
        if getattr(transform, "area_for_downscale", None) == "image_mask":
            transform.area_for_downscale = "image"
        fill = getattr(transform, "fill_mask", None)
        if fill is None:
            return
        field = getattr(type(transform), "fields", {}).get("fill_mask")
        if field is not None and field.default is None:
            # a hole: it may paint a class, but hides nothing of a single object
            transform.fill_mask = fill if self.semantic else None
        elif not self.semantic:
            transform.fill_mask = 0
        elif self.mask_fill is not None:
            transform.fill_mask = self.mask_fill

    def _minima(self, pipeline: Any) -> None:
        left = [type(t).__name__ for t in pipeline.transforms if type(t).__name__ in TRAILING]
        if left:
            self.notices.append(f"policy: {', '.join(left)} left out; image files hold bytes")
        params = getattr(pipeline, "bbox_params", None)
        for name in ("visibility", "width", "height", "area"):
            key = f"min_{name}"
            value = params.get(key) if isinstance(params, dict) else getattr(params, key, None)
            if value:
                self.minima[name] = float(value)

    def _hash(self, pipeline: Any) -> str:
        import ferraug as A

        try:
            value: Any = [self.spec if self.sized else "", A.to_dict(pipeline), str(self.size or "")]
            text = json.dumps(value, sort_keys=True, default=str)
        except Exception:
            text = f"{self.spec} {self.size}"
            path = self.spec.rpartition(":")[0]
            if path.endswith(".py") and os.path.isfile(path):
                with open(path, "rb") as file:
                    text = f"{hashlib.sha256(file.read()).hexdigest()} {self.size}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fitted(size: Size | None) -> list[Any]:
    """The transforms of `--size`: inside the frame, the rest filled with 0, or stretched to it."""
    import ferraug as A

    if size is None:
        return []
    if size.mode == "stretch":
        return [A.Resize(size.height, size.width, area_for_downscale="image", p=1)]
    fit = A.LongestMaxSize(max_size_hw=(size.height, size.width), area_for_downscale="image", p=1)
    if size.mode == "fit":
        return [fit]
    return [fit, A.PadIfNeeded(min_height=size.height, min_width=size.width, border_mode=0, fill=0, p=1)]


def _walk(pipeline: Any) -> list[Any]:
    return [pipeline, *_walk_list(getattr(pipeline, "transforms", None) or ())]


def _walk_list(transforms: Any) -> list[Any]:
    found = []
    for transform in transforms:
        found += _walk(transform)
    return found


def _say(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def load_yaml(raw: bytes, where: str) -> Any:
    """The subset of YAML that `A.save` writes; ConfigError with the line for anything beyond it."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: not UTF-8 at byte {error.start}") from None
    return yamlsubset.load(text, where).value


def load_json(raw: bytes, where: str) -> Any:
    """JSON without duplicate keys, NaN or infinity; ConfigError with the offset."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise ConfigError(f"{where}: duplicate key")
        return found

    def constant(name: str) -> Any:
        raise ConfigError(f"{where}: {name} is not allowed")

    def number(text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ConfigError(f"{where}: {text} is out of range")
        return value

    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=constant, parse_float=number)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: {error.msg} at offset {error.pos}") from None
    except RecursionError:
        raise ConfigError(f"{where}: depth: nested too deeply") from None
