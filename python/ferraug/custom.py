"""Base classes for users' own transforms, with the protocol of Albumentations 2.0.8.

Such a transform is a cut in the list of ops: the lanes it has functions for run up to it and become arrays, the user's
functions work on them, and the results go back as new lane contents. Everything else of the call stays pending.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ferraug.call import ARRAYS, KINDS, note, worker_key
from ferraug.context import Context
from ferraug.params import Prob
from ferraug.rows import hand_out, labels_now, take_back
from ferraug.transform import Declaration, Node, Transform
from ferraug.values import show

if TYPE_CHECKING:
    import random

    import numpy as np

ROWS = ("bboxes", "keypoints")
IMAGES = ("image", "images", "volume", "volumes")
RANKS = {"image": 2, "mask": 2, "volumes": 4, "masks3d": 4, "images": 3, "masks": 3, "volume": 3, "mask3d": 3}
VOLUMES = ("volume", "volumes", "mask3d", "masks3d")
LISTS = ("images", "masks")  # what may come as an empty list or stack, and comes back as it is
running = threading.local()  # the call that this thread is inside of


class Generators:
    """The two generators of one transform in one call, made on first touch from the call's own numbers."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    @property
    def python(self) -> random.Random:
        """`random.Random` of the call."""
        found = self.__dict__.get("_python")
        if found is None:
            from random import Random

            found = self.__dict__["_python"] = Random(self.draw.seed64())
        return found

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy generator of the call."""
        found = self.__dict__.get("_numpy")
        if found is None:
            from numpy.random import default_rng

            found = self.__dict__["_numpy"] = default_rng(self.draw.seed64())
        return found


class UserDeclaration(Declaration):
    """Counts the built-in transforms as kinds of the base classes they have in 2.0.8."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass: type) -> bool:
        if super().__subclasscheck__(subclass):
            return True
        stands_for = cls.__dict__.get("stands_for")
        return stands_for is not None and issubclass(subclass, Transform) and subclass.kind in stands_for


class BasicTransform(Node, metaclass=UserDeclaration):
    """Base of users' transforms with full control: `targets` maps keys of the call to functions.

    Numbers are drawn in `get_params` or `get_params_dependent_on_data` with `self.py_random` or
    `self.random_generator`, which belong to the running call and are decided by its key.
    """

    stands_for: ClassVar[tuple[str, ...]] = ("image", "dual", "tensor")
    _targets: Any = ()
    _own_python: random.Random | None = None
    _own_numpy: np.random.Generator | None = None

    class InitSchema:
        """Kept so that classes written for 2.0.8 load; arguments are not validated by it."""

    def __init__(self, p: float = 0.5) -> None:
        try:
            self.p = Prob().parse(p)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{type(self).__name__}: p {error}") from None
        self.params: dict[str, Any] = {}

    # -- what users write ----------------------------------------------------------------------------------------------

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """Key of the call -> function(value, **params)."""
        raise NotImplementedError(f"{type(self).__name__} must define targets, or derive from DualTransform")

    @property
    def targets_as_params(self) -> list[str]:
        """Keys that must be in the call."""
        return []

    def get_params(self) -> dict[str, Any]:
        """Parameters of one call."""
        return {}

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Further parameters of one call, drawn with its data in sight."""
        return {}

    def apply(self, img: Any, *args: Any, **params: Any) -> Any:
        """The new image."""
        raise NotImplementedError(f"{type(self).__name__} must define apply")

    # -- generators ----------------------------------------------------------------------------------------------------

    @property
    def py_random(self) -> random.Random:
        """`random.Random` of the running call, or the one that was set."""
        if self._own_python is not None:
            return self._own_python
        return self._generators().python

    @py_random.setter
    def py_random(self, value: Any) -> None:
        self._own_python = value

    @property
    def random_generator(self) -> np.random.Generator:
        """NumPy generator of the running call, or the one that was set."""
        if self._own_numpy is not None:
            return self._own_numpy
        return self._generators().numpy

    @random_generator.setter
    def random_generator(self, value: Any) -> None:
        self._own_numpy = value

    def _generators(self) -> Generators:
        found: Generators | None = getattr(running, "generators", None)
        if found is None:  # outside a call: numbers of no call
            found = Generators((self._root or self._remake()).calls.next(worker_key()))
        return found

    def set_random_state(self, random_generator: Any, py_random: Any) -> None:
        """Sets both generators."""
        self._own_numpy, self._own_python = random_generator, py_random

    def set_random_seed(self, seed: int | None) -> None:
        super().set_random_seed(seed)
        self._own_numpy = self._own_python = None

    # -- the call ------------------------------------------------------------------------------------------------------

    @property
    def own_targets(self) -> set[str]:
        """Keys beyond the usual ones that it has functions for."""
        return set(self.targets) - set(KINDS)

    def takes(self, target: str) -> bool:
        """Whether it has a function for a target."""
        return target in self.targets

    def functions(self, ctx: Context) -> dict[str, Callable[..., Any]]:
        """The functions for the keys of this call; in an aside, for its images. Labels go with their rows."""
        known = dict(self.targets)
        kinds = {**ctx.kinds, **self._extra_targets}
        for name, kind in kinds.items():
            if kind in known:
                known.setdefault(name, known[kind])
        labels = {name for _, name in ctx.label_fields}
        return {
            key: known[key]
            for key, value in ctx.data.items()
            if key in known
            and key not in labels
            and value is not None
            and not (kinds.get(key) in LISTS and len(value) == 0)
            and not (ctx.inside and kinds.get(key) not in IMAGES)
        }

    def fire(self, ctx: Context, step: Any) -> None:
        first = len(ctx.ops)
        try:
            self.emit(ctx)
        except Exception as error:
            note(error, step)
            raise
        ctx.marks.append((step, first, len(ctx.ops)))

    def emit(self, ctx: Context) -> None:
        """Runs the user's code in the middle of the call."""
        if ctx.blank:
            ctx.op("call", type(self).__name__, tuple(self.targets))
            return
        before = getattr(running, "generators", None)
        running.generators = Generators(ctx.draw)
        try:
            self._cut(ctx)
        finally:
            running.generators = before

    def _cut(self, ctx: Context) -> None:
        functions = self.functions(ctx)
        kinds = ctx.kinds
        touched = [key for key in functions if key in kinds]
        rows = [key for key in touched if kinds[key] in ROWS]
        looks = type(self).get_params_dependent_on_data is not BasicTransform.get_params_dependent_on_data
        if rows or (looks and (ctx.has_boxes or ctx.session.has_keypoints)):
            ctx.settle()
        current: dict[str, Any] = {}
        owners = {name: owner for owner, name in ctx.label_fields if ctx.data.get(owner) is not None}

        def now(key: str) -> Any:
            """The content of a key at this point of the pipeline."""
            if key not in current:
                if key in owners:
                    current[key] = labels_now(ctx, owners[key], key)
                elif key not in kinds or (kinds[key] in LISTS and len(ctx.data[key]) == 0):
                    current[key] = ctx.data[key]
                elif kinds[key] in ROWS:
                    current[key] = hand_out(ctx, key, kinds[key])
                else:
                    value = ctx.session.array(ctx.ops, key)
                    current[key] = ctx.wrap(value) if ctx.wrap is not None else value
            return current[key]

        params = self.get_params()
        params["shape"] = shape_of(ctx, now, functions, looks)
        for name in ("interpolation", "fill", "fill_mask"):
            if hasattr(self, name):
                params[name] = getattr(self, name)
        absent = [
            key
            for key in self.targets_as_params
            if key not in ctx.data and not (key == "image" and "images" in ctx.data)
        ]
        if absent:
            raise ValueError(f"{type(self).__name__} requires {self.targets_as_params} missing keys: {absent}")
        if looks:
            data = {key: now(key) if value is not None else None for key, value in ctx.data.items()}
            params.update(self.get_params_dependent_on_data(params, data))
        self.params = params
        for key in rows:  # as fractions of the size before
            now(key)
        # arrays first: rows come back as fractions of the size after
        for key in sorted(functions, key=rows.__contains__):
            value = now(key)
            result = functions[key](value, **params)
            if key not in kinds:
                ctx.data[key] = result
            elif key in rows:
                ctx.moving()
                take_back(ctx, type(self).__name__, key, kinds[key], result)
            else:
                self._give(ctx, key, value, result)
        ctx.op("call", type(self).__name__, tuple(touched))

    def _give(self, ctx: Context, key: str, value: Any, result: Any) -> None:
        frame = ctx.session.put(key, checked(type(self).__name__, key, RANKS[ctx.kinds[key]], value, result))
        if frame is None:
            return
        if frame[:2] != (ctx.w, ctx.h):
            ctx.moving()
        ctx.w, ctx.h, depth, ctx.c, ctx.dtype, ctx.max_value = frame
        if ctx.kinds[key] in VOLUMES:
            ctx.d = depth
        if not ctx.inside:
            ctx.session.set_size(ctx.w, ctx.h, ctx.d)

    # -- storing -------------------------------------------------------------------------------------------------------

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """Names of the constructor's arguments, over all its classes."""
        from inspect import Parameter, signature

        names: dict[str, None] = {}
        for cls in type(self).__mro__:
            if "__init__" in cls.__dict__ and issubclass(cls, Node):
                for name, argument in list(signature(cls.__init__).parameters.items())[1:]:
                    if argument.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY) and name != "p":
                        names[name] = None
        return tuple(names)

    def stored(self) -> dict[str, Any]:
        names = self.get_transform_init_args_names()
        return {"p": self.p, **{name: getattr(self, name) for name in names if hasattr(self, name)}}

    def get_base_init_args(self) -> dict[str, Any]:
        """{"p": p}."""
        return {"p": self.p}

    def get_transform_init_args(self) -> dict[str, Any]:
        """The constructor's arguments but p."""
        return {name: getattr(self, name) for name in self.get_transform_init_args_names() if hasattr(self, name)}

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("params", None)
        return {**state, "params": {}}


class ImageOnlyTransform(BasicTransform):
    """Base of users' transforms that change the image and nothing else: write `apply(img, **params)`."""

    stands_for: ClassVar[tuple[str, ...]] = ("image",)

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        return {
            "image": self.apply,
            "images": self.apply_to_images,
            "volume": self.apply_to_volume,
            "volumes": self.apply_to_volumes,
        }

    def apply_to_images(self, images: Any, *args: Any, **params: Any) -> Any:
        """Every image with the same parameters."""
        return each(self.apply, images, args, params)

    def apply_to_volume(self, volume: Any, *args: Any, **params: Any) -> Any:
        """Every slice with the same parameters."""
        return self.apply_to_images(volume, *args, **params)

    def apply_to_volumes(self, volumes: Any, *args: Any, **params: Any) -> Any:
        """Every volume with the same parameters."""
        return each(self.apply_to_volume, volumes, args, params)


class DualTransform(ImageOnlyTransform):
    """Base of users' transforms that change image, masks, boxes and keypoints together.

    Write `apply`, and `apply_to_mask`, `apply_to_bboxes`, `apply_to_keypoints` for the targets it is used with. Boxes
    are rows x_min, y_min, x_max, y_max in fractions of the image, keypoints x, y, z, angle (radians), scale; both are
    followed by the extra columns, the label fields and the number of the row.
    """

    stands_for: ClassVar[tuple[str, ...]] = ("dual",)

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        return {
            **super().targets,
            "mask": self.apply_to_mask,
            "masks": self.apply_to_masks,
            "mask3d": self.apply_to_mask3d,
            "masks3d": self.apply_to_masks3d,
            "bboxes": self.apply_to_bboxes,
            "keypoints": self.apply_to_keypoints,
        }

    def apply_to_mask(self, mask: Any, *args: Any, **params: Any) -> Any:
        """The new mask: as the image, with nearest interpolation."""
        if "interpolation" in params:
            params["interpolation"] = getattr(self, "mask_interpolation", 0)
        return self.apply(mask, *args, **params)

    def apply_to_masks(self, masks: Any, *args: Any, **params: Any) -> Any:
        """Every mask with the same parameters."""
        return each(self.apply_to_mask, masks, args, params)

    def apply_to_mask3d(self, mask3d: Any, *args: Any, **params: Any) -> Any:
        """Every slice with the same parameters."""
        return self.apply_to_masks(mask3d, *args, **params)

    def apply_to_masks3d(self, masks3d: Any, *args: Any, **params: Any) -> Any:
        """Every mask with the same parameters."""
        return each(self.apply_to_mask3d, masks3d, args, params)

    def apply_to_bboxes(self, bboxes: Any, *args: Any, **params: Any) -> Any:
        """The new rows of boxes."""
        raise NotImplementedError(f"BBoxes not implemented for {type(self).__name__}")

    def apply_to_keypoints(self, keypoints: Any, *args: Any, **params: Any) -> Any:
        """The new rows of keypoints."""
        raise NotImplementedError(f"Keypoints not implemented for {type(self).__name__}")


class Lambda(DualTransform):
    """Applies the user's functions, function(array, **params) each; a target without one stays as it is.

    Args:
        image: function for images.
        mask: function for masks.
        keypoints: function for rows of keypoints.
        bboxes: function for rows of boxes.
        name: name under which it is stored; needed for `to_dict`.
        p: probability of being applied.
    """

    stands_for: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        image: Callable[..., Any] | None = None,
        mask: Callable[..., Any] | None = None,
        keypoints: Callable[..., Any] | None = None,
        bboxes: Callable[..., Any] | None = None,
        name: str | None = None,
        p: float = 1.0,
    ) -> None:
        super().__init__(p)
        self.name = name
        self.custom_apply_fns = {"image": image, "mask": mask, "keypoints": keypoints, "bboxes": bboxes}
        for target, function in self.custom_apply_fns.items():
            if function is not None and not callable(function):
                raise TypeError(f"Lambda: {target} must be a function, got {show(function)}")
            if getattr(function, "__name__", "") == "<lambda>":
                warnings.warn(
                    "Using lambda is incompatible with multiprocessing. Consider using regular functions or partial().",
                    UserWarning,
                    stacklevel=3,
                )

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        given = {target: function for target, function in self.custom_apply_fns.items() if function is not None}
        every: dict[str, Callable[..., Any]] = dict(given)
        if "image" in given:
            every["images"] = self.apply_to_images
        if "mask" in given:
            every["masks"] = self.apply_to_masks
        return every

    def apply(self, img: Any, *args: Any, **params: Any) -> Any:
        function = self.custom_apply_fns["image"]
        return img if function is None else function(img, **params)

    def apply_to_mask(self, mask: Any, *args: Any, **params: Any) -> Any:
        function = self.custom_apply_fns["mask"]
        return mask if function is None else function(mask, **params)

    def stored(self) -> dict[str, Any]:
        return {"name": self.name, "p": self.p}


def each(function: Callable[..., Any], items: Any, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """The function over the items of a list or along the first axis of an array."""
    results = [function(item, *args, **params) for item in items]
    if isinstance(items, (list, tuple)) or not results:
        return results if isinstance(items, (list, tuple)) else items
    import numpy as np

    if any(isinstance(result, np.ma.MaskedArray) for result in results):
        return results[0]  # `checked` refuses it; stacking would lose its mask
    return np.stack(results)


def checked(name: str, key: str, rank: int, value: Any, result: Any) -> Any:
    """What a user's function returned for an array target of this rank (without channels), or an error that names it."""
    import numpy as np

    if isinstance(value, (list, tuple)):
        if not isinstance(result, (list, tuple, np.ndarray)):
            raise TypeError(f"{name}: the function for {key!r} must return a list, got {type(result).__name__}")
        if len(result) == 0:
            raise ValueError(f"{name}: the function for {key!r} must not return an empty list for {len(value)} arrays")
        return [checked(name, f"{key}[{i}]", 2, value[0], after) for i, after in enumerate(result)]
    if hasattr(result, "numpy") and not isinstance(result, np.ndarray):
        result = result.numpy()
    if type(result) is not np.ndarray and not isinstance(result, np.memmap):
        advice = ""
        if isinstance(result, np.ma.MaskedArray):
            advice = "; the mask would be lost; return .data or .filled()"
        elif isinstance(result, np.ndarray):
            advice = "; return np.asarray(…)"
        got = type(result).__name__
        raise TypeError(f"{name}: the function for {key!r} must return a numpy.ndarray, got {got}{advice}")
    if result.ndim not in (rank, rank + 1):
        raise ValueError(
            f"{name}: the function for {key!r} must return {rank} or {rank + 1} dimensions, got shape {result.shape}"
        )
    if result.dtype.kind not in "biuf":
        raise TypeError(f"{name}: the function for {key!r} returned dtype {result.dtype}; use a number type")
    return result


def shape_of(ctx: Context, now: Callable[[str], Any], functions: Mapping[str, Any], looks: bool) -> tuple[int, ...]:
    """params["shape"]: of the first volume, image or mask as it now is."""
    for key in ("volume", "volumes", "image", "images", *ARRAYS):
        value = ctx.data.get(key)
        if value is None:
            continue
        if looks or key in functions:
            value = now(key)
            value = value[0] if key in ("images", "volumes") else value
            return tuple(value.shape)
        ndim = getattr(value[0] if isinstance(value, (list, tuple)) else value, "ndim", 3)
        if key in ("images", "volumes") and not isinstance(value, (list, tuple)):
            ndim -= 1
        flat = (ctx.h, ctx.w) if ndim == 2 or ctx.c == 0 else (ctx.h, ctx.w, ctx.c)
        return (ctx.d, *flat[:2], *flat[2 : ndim - 1]) if key in ("volume", "volumes") else flat
    return ctx.h, ctx.w, ctx.c
