"""The small tools under the readers and writers, each against what it promises."""

import json
import random
from array import array

import numpy as np
import pytest
from ferraug._core import ConfigError, UnsafePathError
from ferraug.datasets import jsonspan, rle, xmlspan, yamlsubset, yolo, yolo_write
from ferraug.datasets.coco_values import turn_mask
from ferraug.datasets.model import Box
from ferraug.datasets.paths import check_collisions, safe_rel_path
from ferraug.datasets.polygon import area, clip, extent, turned, turned_box
from ferraug.datasets.voc_write import box_texts, round_half_away
from ferraug.datasets.yolo_text import box_columns

# paths


@pytest.mark.parametrize(
    "name", ["a.png", "a/b.png", "a//b.png", "./a.png", "é/ü.jpg", "a b.png", ".a", "..a", "a..b", "x" * 255]
)
def test_safe_names(name: str) -> None:
    assert safe_rel_path(name, "here") == name.replace("//", "/").removeprefix("./")


def test_unsafe_names_say_where() -> None:
    for name in ("..", "a/..", "/a", "a\\b", "c:a", "nul.txt", "COM1", "a.", "a\ud800", 3, None):
        with pytest.raises(UnsafePathError, match="here: unsafe path"):
            safe_rel_path(name, "here")


def test_collisions() -> None:
    check_collisions(["a", "b", "a/b"])
    for pair in (["a.png", "A.png"], ["a", "a"], ["caf\u00e9", "cafe\u0301"], ["ß", "SS"]):
        with pytest.raises(ConfigError, match="one name"):
            check_collisions(pair)


# JSON


@pytest.mark.parametrize(
    "style",
    [
        {"separators": (",", ":")},
        {},
        {"indent": 1},
        {"indent": 2},
        {"indent": 4},
        {"indent": "\t"},
        {"ensure_ascii": False},
    ],
)
def test_json_is_edited_in_its_own_style(style: dict[str, object]) -> None:
    value = {
        "info": {"é": "ü"},
        "images": [{"id": i, "n": [1.5, -2e-9], "s": "ø"} for i in range(4)],
        "annotations": [],
        "z": 1,
    }
    text = json.dumps(value, **style)  # type: ignore[arg-type]
    seen: list[int] = []
    takers = {"images": lambda v, i: seen.append(v["id"]), "annotations": lambda v, i: None}
    doc = jsonspan.parse(text.encode(), "f", takers)
    assert seen == [0, 1, 2, 3] and doc.values == {"info": {"é": "ü"}, "z": 1}
    assert "".join(jsonspan.edited(doc, {}, {})) == text
    dumps = jsonspan.style_of(doc, "images").dumps
    new = {"id": 9, "n": [0.1], "s": "ø"}
    for gone in ([], [0], [3], [1, 2], [0, 1, 2, 3]):
        got = "".join(
            jsonspan.edited(doc, {"images": set(gone)}, {"images": [dumps(new)], "annotations": [dumps({"a": 1})]})
        )
        want = dict(value)
        want["images"] = [v for i, v in enumerate(value["images"]) if i not in gone] + [new]  # type: ignore[arg-type,var-annotated]
        want["annotations"] = [{"a": 1}]
        assert json.loads(got) == want
        if gone != [0, 1, 2, 3]:
            head = json.dumps({**want, "annotations": []}, **style)  # type: ignore[arg-type]
            assert got.replace(dumps({"a": 1}), "") == head
    assert jsonspan.style_of(doc, "annotations").dumps(new) == dumps(new)


def test_odd_tokens_stay() -> None:
    text = '{ "annotations" :[ {"a":1.50,"b":1E2} ,\n\t{"a":007e0} ], "images": [] }'.replace("007e0", "7e0")
    doc = jsonspan.parse(text.encode(), "f", {"annotations": lambda v, i: None, "images": lambda v, i: None})
    assert "".join(jsonspan.edited(doc, {}, {})) == text
    assert (
        "".join(jsonspan.edited(doc, {"annotations": {1}}, {}))
        == '{ "annotations" :[ {"a":1.50,"b":1E2} ], "images": [] }'
    )


@pytest.mark.parametrize(
    "text", ["", " ", "[]", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{"images":[', '{"images":[1', '{"images":[1,',
             '{"images":[1 2]}', '{"a":1} x', '{"a":1,"a":2}', '{"images":[],"images":[]}', '{"a":' + "[" * 100000, "{a:1}", '{"a":01}']
)  # fmt: skip
def test_malformed_json_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError, match="f: "):
        jsonspan.parse(text.encode(), "f", {"images": lambda v, i: None})


def test_every_prefix_of_a_json_is_refused() -> None:
    text = json.dumps({"images": [{"id": 1, "s": "a\u00e9"}, {"id": 2}], "b": [1, {"c": None}]}).encode()
    for cut in range(len(text)):
        with pytest.raises(ConfigError):
            jsonspan.parse(text[:cut], "f", {"images": lambda v, i: None})


# YAML


def test_yaml() -> None:
    text = (
        "# a\n---\npath: ../data # b\ntrain: [a/b, 'c d']\nval:\n- x\n- y: 1\n  z:\n  - 2\ntest:\nnames:\n  0: a: b\n"
        "  1: 'it''s'\n  4: \"q\\\"\\u00e9\"\nflow: {a: [1, 2.5,\n  true], 'b': null}\nblock: |\n  one: 1\n   two\nn: -3\n...\n"
    ).replace("0: a: b", "0: a:b")
    got = yamlsubset.load(text, "f")
    assert got.value == {
        "path": "../data", "train": ["a/b", "c d"], "val": ["x", {"y": 1, "z": [2]}], "test": None,
        "names": {0: "a:b", 1: "it's", 4: 'q"é'}, "flow": {"a": [1, 2.5, True], "b": None},
        "block": " one: 1\n  two", "n": -3,
    }  # fmt: skip
    assert {k: text[a:b] for k, (a, b) in got.spans.items() if k[0] in ("path", "train", "test")} == {
        ("path",): "../data", ("train", 0): "a/b", ("train", 1): "'c d'", ("test",): "",
    }  # fmt: skip
    assert yamlsubset.load("", "f").value is None and yamlsubset.load("\ufeffa: 1\r\nb: 2\r\n", "f").value == {
        "a": 1,
        "b": 2,
    }


@pytest.mark.parametrize(
    "text", ["a: &x 1", "a: *x", "a: !!python/object:os.system x", "a: [*x]", "&a b: 1", "a: {<<: *b}", "a:\n\tb: 1", "a: 1\na: 2",
             "a: [1", "a: {b: 1", 'a: "x', "a: 'x", "a: b\n  c: d", "- a\nb: 1", "a: [1] x", "---\na: 1\n---\nb: 2", "[" * 200, '"\\q": 1',
             "\n".join("  " * i + "a:" for i in range(200))]
)  # fmt: skip
def test_yaml_outside_the_subset(text: str) -> None:
    with pytest.raises(ConfigError, match="f:"):
        yamlsubset.load(text, "f")


def test_yaml_never_fails_otherwise() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        text = "".join(rng.choice("a:-[]{},'\"# \n\t&*!|>1.~\\") for _ in range(rng.randint(0, 24)))
        try:
            yamlsubset.load(text, "f")
        except ConfigError:
            pass


@pytest.mark.parametrize(
    "value", ["a", "a b", "1", "true", "", " a", "a: b", "a #b", "it's", "- a", "[x", "../x", "é", "null", "a:"]
)
def test_yaml_quotes_what_needs_it(value: str) -> None:
    assert yamlsubset.load(f"k: {yamlsubset.quote(value)}\n", "f").value == {"k": value}


# XML


def test_xml_spans_and_edits() -> None:
    raw = b'<?xml version="1.0"?><a x=">" >\n <b/>\n <c>1 &lt; 2</c><c></c >\n</a>'
    root = xmlspan.parse(raw, "f")
    assert [c.tag for c in root.children] == ["b", "c", "c"]
    b, c, d = root.children
    assert (
        raw[b.start : b.end] == b"<b/>"
        and raw[c.inner : c.close] == b"1 &lt; 2"
        and raw[d.start : d.end] == b"<c></c >"
    )
    assert root.value("c") == "1 < 2" and root.find("x") is None
    assert xmlspan.spliced(raw, [xmlspan.removal(raw, b), (c.inner, c.close, xmlspan.escape("é<&"))]) == raw.replace(
        b"\n <b/>", b""
    ).replace(b"1 &lt; 2", b"&#233;&lt;&amp;")


def test_xml_bombs() -> None:
    for raw in (
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://x/"><a/>',
        b"<!DOCTYPE a><a/>",
    ):
        with pytest.raises(ConfigError, match="document type"):
            xmlspan.parse(raw, "f")
    for raw in (b"", b"<a>", b"<a></b>", b"a", b"<a>" * 100 + b"</a>" * 100, b"<a>&x;</a>", "<a/>".encode("utf-16")):
        with pytest.raises(xmlspan.XmlError):
            xmlspan.parse(raw, "f")


# run lengths


def test_rle_round_trips() -> None:
    rng = np.random.default_rng(3)
    for h, w in ((1, 1), (3, 5), (17, 4), (40, 60)):
        for density in (0.0, 0.1, 0.5, 1.0):
            mask = (rng.random((h, w)) < density).astype(np.uint8)
            counts = rle.encode(mask)
            assert sum(counts) == h * w and np.array_equal(rle.decode(counts, h, w), mask)
            assert rle.from_string(rle.to_string(counts)) == counts
    assert rle.encode(np.array([[0, 1], [1, 1]])) == [1, 3]
    for bad in ("0P", "\x7f", "é", "oooooooooooooooooooo", "0O"):
        with pytest.raises(ValueError, match="RLE string"):
            rle.from_string(bad)


# polygons and boxes


def test_clip_and_area() -> None:
    square = array("d", [-5, -5, 15, -5, 15, 15, -5, 15])
    assert area(clip(square, 10, 8)) == 80 and extent([clip(square, 10, 8)]) == (0, 0, 10, 8)
    inside = array("d", [1, 1, 4, 1, 2, 3])
    assert list(clip(inside, 10, 10)) == list(inside) and area(inside) == 3
    assert len(clip(array("d", [20, 20, 30, 20, 30, 30]), 10, 10)) == 0


def test_turning_agrees_with_the_pixels() -> None:
    w, h = 7, 5
    for orientation in range(1, 9):
        for x, y in ((0, 0), (6, 4), (3, 1)):
            mask = np.zeros((h, w), np.uint8)
            mask[y, x] = 1
            upright = turn_mask(mask, orientation)
            [(row, column)] = np.argwhere(upright)
            px, py = turned(x + 0.5, y + 0.5, (w, h), orientation)
            assert (px, py) == (column + 0.5, row + 0.5), orientation
            box: Box = (x, y, x + 1, y + 1)
            assert turned_box(box, (w, h), orientation) == (column, row, column + 1, row + 1)


def test_yolo_columns_stay_inside() -> None:
    rng = random.Random(2)
    for _ in range(5000):
        size = (rng.randint(1, 4000), rng.randint(1, 4000))
        x0, x1 = sorted(rng.choice([0.0, size[0], rng.uniform(0, size[0])]) for _ in range(2))
        y0, y1 = sorted(rng.choice([0.0, size[1], rng.uniform(0, size[1])]) for _ in range(2))
        if x1 - x0 < 0.01 or y1 - y0 < 0.01:
            continue
        cx, cy, w, h = (float(v) for v in box_columns((x0, y0, x1, y1), size))
        assert w > 0 and h > 0 and cx - w / 2 >= 0 and cx + w / 2 <= 1 and cy - h / 2 >= 0 and cy + h / 2 <= 1
        assert abs((cx - w / 2) * size[0] - x0) < 2e-6 * size[0] and abs((cy + h / 2) * size[1] - y1) < 2e-6 * size[1]


def test_voc_numbers() -> None:
    assert [round_half_away(v) for v in (0.5, 1.5, 2.4, -0.5, -1.5)] == [1, 2, 2, -1, -2]
    assert box_texts((0.2, 0.6, 9.7, 9.9), (10, 10), True, 1.0) == ["1", "1", "10", "10"]
    assert box_texts((3.1, 3.2, 3.4, 3.4), (10, 10), True, 0.0) == ["3", "3", "4", "4"]
    assert box_texts((9.9, 0, 10, 5), (10, 10), True, 0.0) == ["9", "0", "10", "5"]
    assert box_texts((0.123, 0, 5.678, 5), (10, 10), False, 0.0) == ["0.12", "0.00", "5.68", "5.00"]


def test_yaml_paths_resolve_to_the_longest_suffix() -> None:
    tree = yolo.Tree(["train/images/a.jpg", "train/labels/a.txt", "sub/val/images/b.jpg", "list.txt"])
    assert tree.resolve("", None, "../train/images") == "train/images"
    assert tree.resolve("", "C:\\data\\set", "train\\images") == "train/images"
    assert tree.resolve("", "/home/x/sub", "val/images") == "sub/val/images"
    assert tree.resolve("sub", None, "val/images") == "sub/val/images"
    assert tree.resolve("", None, "nope") is None and tree.resolve("", None, "./list.txt") == "list.txt"
    assert tree.label_of("train/images/a.jpg") == "train/labels/a.txt"
    assert tree.label_of("x/a.jpg") == "x/a.txt"
    assert yolo_write._relative("val.txt", "cfg") == "../val.txt"
