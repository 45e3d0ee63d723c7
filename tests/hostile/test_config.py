"""Stored pipelines that are wrong, odd or dangerous: rows 81–92 of the list of bad inputs, as far as they exist."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import ferraug as F
import pytest
from hostile_helpers import IMAGE, raises

GOOD = F.to_dict(F.Compose([F.HorizontalFlip(p=1), F.Rotate(limit=(3, 9), p=0.5)]))


def stored(**child: Any) -> dict[str, Any]:
    """A pipeline whose only child says this."""
    return {"transform": {"__class_fullname__": "Compose", "p": 1, "transforms": [{"p": 1, **child}]}}


def load(text: str | bytes, data_format: str = "json") -> Any:
    return F.load(io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text), data_format)


@pytest.mark.parametrize("name", ["os.system", "albumentations.os.system", "builtins.eval", "subprocess.Popen", "", "Compose.x", "a" * 500])
def test_81_classes_are_looked_up_never_imported(name: str) -> None:
    before = set(sys.modules)
    raises(lambda: F.from_dict(stored(__class_fullname__=name)), F.ConfigError, "unknown transform", "$.transform.transforms[0]")
    raises(lambda: F.from_dict(stored(__class_fullname__="antigravity.x")), F.ConfigError, "unknown transform")
    assert "antigravity" not in sys.modules
    assert not {m for m in set(sys.modules) - before if m.partition(".")[0] not in ("difflib", "inspect")} - {"ast", "dis", "opcode", "tokenize", "token", "linecache"}


def test_81_near_misses_are_named() -> None:
    raises(lambda: F.from_dict(stored(__class_fullname__="HorizontalFlop")), F.ConfigError, "did you mean 'HorizontalFlip'?")


def test_82_unknown_arguments() -> None:
    raises(lambda: F.from_dict(stored(__class_fullname__="Rotate", limt=3)), F.ConfigError,
           "$.transform.transforms[0].limt", "did you mean 'limit'?")  # fmt: skip
    raises(lambda: F.from_dict(stored(__class_fullname__="Rotate", limit="x")), F.ConfigError,
           "$.transform.transforms[0]", "limit")  # fmt: skip
    raises(lambda: F.from_dict(stored(__class_fullname__="HorizontalFlip") | {"transform": []}), F.ConfigError, "$")


@pytest.mark.parametrize("body", [None, [], "x", 7, {}, {"transform": None}, {"transform": {}}, {"transform": {"__class_fullname__": 3}}])
def test_82_other_shapes(body: Any) -> None:
    raises(lambda: F.from_dict(body), F.ConfigError, "$")


def test_83_duplicate_keys() -> None:
    raises(lambda: load('{"transform": 1, "transform": 2}'), F.ConfigError, "duplicate key 'transform'")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_84_numbers_that_are_none(word: str) -> None:
    text = json.dumps(GOOD).replace("0.5", word, 1)
    assert word in text
    raises(lambda: load(text), F.ConfigError, word)


def test_84_integers_of_many_digits() -> None:
    raises(lambda: load(json.dumps(GOOD).replace("0.5", "9" * 5000, 1)), F.ConfigError)


@pytest.mark.parametrize("text", ["[" * 10**5, "[" * 10**5 + "]" * 10**5, '{"a":' * 10**5])
def test_85_nested_brackets(text: str) -> None:
    raises(lambda: load(text), F.ConfigError)
    assert F.from_dict(GOOD)(image=IMAGE)["image"].shape == IMAGE.shape


def test_85_nested_compositions() -> None:
    node: dict[str, Any] = {"__class_fullname__": "NoOp", "p": 1}
    for _ in range(300):
        node = {"__class_fullname__": "Sequential", "p": 1, "transforms": [node]}
    raises(lambda: F.from_dict({"transform": node}), F.ConfigError, "depth > 64")
    own: dict[str, Any] = {"__class_fullname__": "Compose", "p": 1, "transforms": []}
    own["transforms"].append(own)
    raises(lambda: F.from_dict({"transform": own}), F.ConfigError, "depth > 64")


def test_86_large_files(tmp_path: Path) -> None:
    """A file of a gigabyte of nothing is refused after its first megabytes."""
    path = tmp_path / "large.json"
    with open(path, "wb") as file:
        file.truncate(1 << 30)
    raises(lambda: F.load(path), F.ConfigError, "larger than")


class TestYaml:
    @pytest.fixture(autouse=True)
    def yaml(self) -> None:
        pytest.importorskip("yaml", reason="PyYAML is not installed")

    @pytest.mark.parametrize(
        "text",
        [
            "!!python/object/apply:os.system ['true']", "transform: !!python/name:os.system ''",
            "!!python/object/new:os.system ['true']", "!custom {a: 1}",
        ],
    )  # fmt: skip
    def test_87_objects(self, text: str) -> None:
        raises(lambda: load(text, "yaml"), F.ConfigError, "not plain YAML")

    def test_88_aliases(self) -> None:
        bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
        raises(lambda: load(bomb, "yaml"), F.ConfigError, "aliases")
        raises(lambda: load("&a [*a]", "yaml"), F.ConfigError, "aliases")
        raises(lambda: load("a: &a {x: 1}\nb: {<<: *a}", "yaml"), F.ConfigError, "aliases")

    def test_83_duplicate_keys(self) -> None:
        raises(lambda: load("transform: 1\ntransform: 2\n", "yaml"), F.ConfigError, "duplicate key")

    def test_keys_that_cannot_be_hashed(self) -> None:
        raises(lambda: load("? [1, 2]\n: 3\n", "yaml"), F.ConfigError)
        raises(lambda: load("? {a: 1}\n: 3\n", "yaml"), F.ConfigError)

    @pytest.mark.parametrize("word", [".nan", ".inf", "-.inf", "2020-01-01"])
    def test_84_values_that_are_no_numbers(self, word: str) -> None:
        text = f"transform: {{__class_fullname__: Rotate, p: {word}}}"
        raises(lambda: load(text, "yaml"), F.ConfigError)

    def test_85_nested(self) -> None:
        raises(lambda: load("[" * 5000, "yaml"), F.ConfigError)
        raises(lambda: load("[" * 5000 + "]" * 5000, "yaml"), F.ConfigError)

    @pytest.mark.parametrize("text", [b"\xff\xfe", b"", b"a: b: c", b"\x00", b"- - - -", b"%YAML 9.9\n---\n"])
    def test_92_broken(self, text: bytes) -> None:
        raises(lambda: load(text, "yaml"), F.ConfigError)


@pytest.mark.parametrize("schema", [999, 2, "1", None, [1], -1, 10**30])
def test_89_schemas(schema: Any) -> None:
    if schema in (-1,):
        return
    kind = "newer" if isinstance(schema, int) else "schema"
    raises(lambda: F.from_dict({**GOOD, "schema": schema}), F.ConfigError, kind)


def test_90_stored_functions() -> None:
    body = F.to_dict(F.Lambda(name="mine", p=1))
    raises(lambda: F.from_dict(body), F.ConfigError, "mine", "pass")
    mine = F.Lambda(name="mine", p=1)
    assert F.from_dict(body, {"mine": mine}) is mine


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe{}", "byte 0"), (b'{"a": "\xc3(' + b'"}', "byte 7"), (b"", "offset 0"), (b'{"transform": {', "offset"),
        (b"\x00", "offset 0"), (b"{'a': 1}", "offset 1"), (b'{"a": 1} x', "offset 9"),
    ],
)  # fmt: skip
def test_92_broken_text(text: bytes, says: str) -> None:
    raises(lambda: load(text), F.ConfigError, says)


def test_92_a_byte_order_mark_is_nothing() -> None:
    assert repr(load(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())) == repr(F.from_dict(GOOD))


def test_92_every_cut_of_a_file_is_refused() -> None:
    text = json.dumps(GOOD)
    for n in range(0, len(text), 3):
        raises(lambda n=n: load(text[:n]), F.ConfigError, "offset")


def test_unknown_format() -> None:
    raises(lambda: load("{}", "toml"), ValueError, "toml")
