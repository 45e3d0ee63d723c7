"""Pipelines as plain data, JSON and YAML, in the schema of Albumentations 2.0.8.

Nothing is imported because a file names it: classes are looked up among those that are loaded. What 2.0.8 loses on the
way (a Compose's seed, strict, mask_interpolation, save_applied_params) is kept.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import IO, Any

from ferraug import _core
from ferraug._core import ConfigError
from ferraug.boxes import Params
from ferraug.compose import MAX_DEPTH, BaseCompose, Compose, Sequential
from ferraug.custom import Lambda
from ferraug.transform import REGISTRY, Node, unknown_argument
from ferraug.values import closest, show

SCHEMA = 1
MAX_BYTES = 16 << 20
NAME = "__class_fullname__"
KEPT = {"seed": None, "strict": False, "mask_interpolation": None, "save_applied_params": False}


def to_dict(transform: Node, on_not_implemented_error: str = "raise") -> dict[str, Any]:
    """A transform or pipeline as a dict of plain data.

    Args:
        transform: what to store.
        on_not_implemented_error: "raise", or "warn" to give {} for what cannot be stored.
    """
    if on_not_implemented_error not in ("raise", "warn"):
        raise ValueError(f"on_not_implemented_error must be 'raise' or 'warn', got {on_not_implemented_error!r}")
    if not isinstance(transform, Node):
        raise TypeError(f"to_dict: not a transform: {show(transform)}")
    try:
        body = node_to_dict(transform)
    except NotImplementedError as error:
        if on_not_implemented_error == "raise":
            raise
        warnings.warn(str(error), UserWarning, stacklevel=2)
        body = {}
    return {"__version__": _core.__version__, "schema": SCHEMA, "transform": body}


def node_to_dict(node: Node) -> dict[str, Any]:
    """One node and what is below it."""
    if isinstance(node, Lambda):
        if node.name is None:
            raise ValueError("To make a Lambda transform serializable you should provide the `name` argument")
        return {NAME: node.short_name, "__name__": node.name}
    stored = {name: plain(value, f"{type(node).__name__}.{name}") for name, value in node.stored().items()}
    body = {NAME: node.get_class_fullname(), "p": stored.pop("p", node.p)}
    if isinstance(node, BaseCompose):
        body["transforms"] = [node_to_dict(child) for child in node.transforms]
        body.update(stored)
        known = argument_names(type(node)) or ()
        for name, usual in KEPT.items():
            value = getattr(node, name, usual)
            if value != usual and name in known:
                body[name] = value
        return body
    for name in sorted(stored):
        value = stored[name]
        if not (isinstance(value, (list, tuple, dict, set)) and not value):
            body[name] = value
    return body


def plain(value: Any, where: str) -> Any:
    """A value of plain numbers, strings, lists and dicts."""
    if hasattr(value, "value") and hasattr(value, "name"):  # an Enum
        return plain(value.value, where)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Params):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item, where) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(item, where) for item in value)
    if isinstance(value, (list, set, frozenset)):
        return [plain(item, where) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    raise NotImplementedError(f"{where}: {show(value)} cannot be stored as plain data")


def from_dict(transform_dict: Mapping[str, Any], nonserializable: Mapping[str, Node] | None = None) -> Any:
    """The transform or pipeline that `to_dict` stored.

    Args:
        transform_dict: the result of `to_dict`, or what JSON or YAML made of it.
        nonserializable: {name: transform} for what is stored by name only, as Lambda.
    """
    if not isinstance(transform_dict, Mapping) or not isinstance(transform_dict.get("transform"), Mapping):
        raise ConfigError(f"$: must be a dict with the key 'transform', got {show(transform_dict)}")
    schema = transform_dict.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise ConfigError(f"$.schema: {schema!r} is newer than this version of ferraug reads ({SCHEMA})")
    return node_from_dict(transform_dict["transform"], "$.transform", nonserializable or {}, 0)


def shorten(name: str) -> str:
    """The name a class is registered under: those of albumentations and ferraug by their last part."""
    return name.rpartition(".")[2] if name.partition(".")[0] in ("albumentations", "ferraug") else name


def node_from_dict(body: Any, where: str, nonserializable: Mapping[str, Node], depth: int) -> Node:
    """One node and what is below it."""
    if depth > MAX_DEPTH:
        raise ConfigError(f"{where}: depth > {MAX_DEPTH}")
    if not isinstance(body, Mapping) or not isinstance(body.get(NAME), str):
        raise ConfigError(f"{where}: must be a dict with the key {NAME!r}, got {show(body)}")
    arguments = dict(body)
    name = arguments.pop(NAME)
    short = shorten(name)
    if "__name__" in arguments:
        found = nonserializable.get(arguments["__name__"])
        if found is None:
            raise ConfigError(
                f"{where}: {short} {arguments['__name__']!r} is stored by name; pass "
                f"nonserializable={{{arguments['__name__']!r}: transform}}"
            )
        return found
    cls = REGISTRY.get(short)
    if cls is None:
        guess = closest(short, REGISTRY)
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise ConfigError(f"{where}: unknown transform {name!r}{hint}")
    if "p" not in arguments and not issubclass(cls, (Compose, Sequential)):
        warnings.warn(f"{where}: {short} has no p; 0.5 is used", UserWarning, stacklevel=4)
        arguments["p"] = 0.5
    if issubclass(cls, BaseCompose):
        children = arguments.get("transforms")
        if not isinstance(children, (list, tuple)):
            raise ConfigError(f"{where}.transforms: must be a list, got {show(children)}")
        arguments["transforms"] = [
            node_from_dict(child, f"{where}.transforms[{i}]", nonserializable, depth + 1)
            for i, child in enumerate(children)
        ]
    known = argument_names(cls)
    if known is not None and not arguments.keys() <= set(known):
        wrong = next(key for key in arguments if key not in known)
        raise ConfigError(f"{where}.{wrong}: {unknown_argument(short, arguments, known)}")
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{where}: {error}") from error


def argument_names(cls: type[Node]) -> tuple[str, ...] | None:
    """Names a class takes; None if it takes any."""
    if cls.declared:
        return tuple(cls.fields)
    from inspect import Parameter, signature

    arguments = list(signature(cls.__init__).parameters.values())[1:]
    if any(argument.kind is Parameter.VAR_KEYWORD for argument in arguments):
        return None
    return tuple(argument.name for argument in arguments)


# -- files -------------------------------------------------------------------------------------------------------------


def save(
    transform: Node,
    filepath_or_buffer: str | os.PathLike[str] | IO[str],
    data_format: str = "json",
    on_not_implemented_error: str = "raise",
) -> None:
    """Stores a transform or pipeline in a file.

    Args:
        transform: what to store.
        filepath_or_buffer: path, or a text file open for writing.
        data_format: "json", or "yaml" if PyYAML is installed.
        on_not_implemented_error: "raise", or "warn".
    """
    check_format(data_format)
    body = to_dict(transform, on_not_implemented_error)
    to_path = isinstance(filepath_or_buffer, (str, os.PathLike))
    if data_format == "yaml":
        text = yaml().safe_dump(listed(body))
    else:
        import json

        text = json.dumps(body, indent=None if to_path else 2, allow_nan=False)
    if isinstance(filepath_or_buffer, (str, os.PathLike)):
        with open(filepath_or_buffer, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        filepath_or_buffer.write(text)


def load(
    filepath_or_buffer: str | os.PathLike[str] | IO[Any],
    data_format: str = "json",
    nonserializable: Mapping[str, Node] | None = None,
) -> Any:
    """The transform or pipeline stored in a file.

    Args:
        filepath_or_buffer: path, or a file open for reading.
        data_format: "json", or "yaml" if PyYAML is installed.
        nonserializable: {name: transform} for what is stored by name only, as Lambda.
    """
    check_format(data_format)
    if isinstance(filepath_or_buffer, (str, os.PathLike)):
        with open(filepath_or_buffer, "rb") as file:
            raw: Any = file.read(MAX_BYTES + 1)
    else:
        raw = filepath_or_buffer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"larger than {MAX_BYTES} bytes")
    if isinstance(raw, bytes):
        try:
            raw = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"not UTF-8 at byte {error.start}") from None
    body = parse_yaml(raw) if data_format == "yaml" else parse_json(raw)
    return from_dict(body, nonserializable)


def check_format(data_format: str) -> None:
    """json or yaml."""
    if data_format not in ("json", "yaml"):
        raise ValueError(f"Unknown data_format {data_format!r}; use 'json' or 'yaml'")


def listed(value: Any) -> Any:
    """Tuples as lists, for YAML."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def parse_json(text: str) -> Any:
    """Strict JSON: no duplicate keys, no NaN or infinity."""
    import json

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            names = [key for key, _ in items]
            raise ConfigError(f"duplicate key {next(key for key in names if names.count(key) > 1)!r}")
        return found

    def constant(name: str) -> Any:
        raise ConfigError(f"{name} is not a number here")

    def real(digits: str) -> float:
        value = float(digits)
        if value - value != 0:
            raise ConfigError(f"{digits} is not finite")
        return value

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=real)
    except RecursionError:
        raise ConfigError("nested too deep: depth") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON at offset {error.pos}: {error.msg}") from None
    except ValueError as error:  # an int of too many digits
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(str(error)) from None


def yaml() -> Any:
    """PyYAML, if it is installed."""
    try:
        import yaml as module  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise ImportError("YAML needs PyYAML: pip install pyyaml, or use data_format='json'") from None
    return module


def parse_yaml(text: str) -> Any:
    """Strict YAML: plain values only, no aliases, no duplicate keys."""
    module = yaml()

    class Loader(module.SafeLoader):  # type: ignore[misc,name-defined]
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(module.AliasEvent):
                raise ConfigError("aliases are not allowed")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for i, key in enumerate(keys):
                if key in keys[:i]:
                    raise ConfigError(f"duplicate key {key!r}")
            return super().construct_mapping(node, deep)

    try:
        return module.load(text, Loader)
    except RecursionError:
        raise ConfigError("nested too deep: depth") from None
    except module.YAMLError as error:
        raise ConfigError(f"not plain YAML: {error}") from None


__all__ = ["from_dict", "load", "save", "to_dict"]
