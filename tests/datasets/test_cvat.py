"""CVAT images XML: every shape read, kept byte for byte, mirrored and cropped; videos refused; other sets as CVAT."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from dataset_helpers import SCENES, picture, policy, write_coco
from ferraug import ConfigError, UnsafePathError
from ferraug.cli import main
from ferraug.datasets import coco, cvat, cvat_write, formats, rle, xmlspan
from ferraug.datasets.detect import read

W, H = 64, 48
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><name>é</name><labels>
    <label><name>unused</name></label><label><name>thing</name></label>
  </labels></task></meta>
"""
SHAPES = """    <box label="thing" source="manual" occluded="1" xtl="20.00" ytl="22.50" xbr="40.00" ybr="30.00" z_order="4">
      <attribute name="model">a &lt; b</attribute>
    </box>
    <polygon label='thing' occluded='0' points='10.00,8.50;30.00,8.50;30.00,20.00'></polygon>
    <points label="dot" points="5.25,6.00;7.00,8.00" note="x > y"/>
    <polyline label="wire" points="1.00,1.00;9.00,9.00"/>
    <ellipse label="disc" cx="50.00" cy="12.00" rx="6.00" ry="3.00"/>
    <mask label="blob" rle="1, 2, 2, 3, 1" left="30" top="40" width="3" height="3"/>
    <polygon label="thing" points="2,30;8,30;8,36" group_id="3"/>
    <polygon label="thing" points="10,30;16,30;16,36" group_id="3"/>
    <tag label="good"/>
    <cuboid label="thing" xtl1="1"/>
"""


def write(root: Path, shapes: str = SHAPES, name: str = "a.png") -> Path:
    picture(root / "images" / name, W, H)
    image = f'  <image id="7" name="{name}" width="{W}" height="{H}">\n{shapes}  </image>\n'
    (root / "annotations.xml").write_text(HEAD + image + "</annotations>\n", encoding="utf-8")
    return root


def augment(root: Path, out: Path, *args: object) -> list[str]:
    """The image elements of DST."""
    given = [str(root), "--out", str(out), "-n", "1", "--min-side", "0", *map(str, args)]
    assert main(["augment", *given]) == 0
    text = (out / "annotations.xml").read_text(encoding="utf-8")
    return re.findall(r"<image.*?</image>", text, re.S)


def test_every_shape_is_read(tmp_path: Path) -> None:
    data, found = read(str(write(tmp_path)))
    assert found.format == "cvat" and [p.level for p in data.problems] == ["notice"] and data.task == "segment"
    [sample] = data.samples()
    names = [c.name for c in data.categories]
    assert names == ["unused", "thing", "dot", "wire", "disc", "blob"]
    seen = [(names[i.category], i.box) for i in sample.objects()]
    assert seen == [
        ("thing", (20, 22.5, 40, 30)), ("thing", (10, 8.5, 30, 20)), ("dot", (4.75, 5.5, 7.5, 8.5)),
        ("wire", (0.5, 0.5, 9.5, 9.5)), ("disc", (44, 9, 56, 15)), ("blob", (30, 40, 33, 43)),
        ("thing", (2, 30, 16, 36)),
    ]  # fmt: skip
    assert sample.instances[0].flags == {"shape": "box", "occluded": True, "attributes": {"model": "a < b"}}
    mask = sample.instances[5].rle
    assert mask is not None
    # 0110 0111 0 along the rows of 3 x 3
    assert rle.decode(mask.counts, H, W)[40:43, 30:33].tolist() == [[0, 1, 1], [0, 0, 1], [1, 1, 0]]
    assert len(sample.instances[6].parts or ()) == 2 and sample.instances[6].raw == [6, 7]


def test_originals_and_untouched_shapes_stay(tmp_path: Path) -> None:
    root = write(tmp_path / "src")
    steps = policy(tmp_path / "p.json", {"__class_fullname__": "InvertImg"})
    old, new = augment(root, tmp_path / "out", "--policy", steps)
    source = (root / "annotations.xml").read_text(encoding="utf-8")
    assert old in source and (tmp_path / "out/annotations.xml").read_text(encoding="utf-8").startswith(
        source[: source.index("</image>")]
    )
    expected = old.replace('id="7"', 'id="8"').replace("a.png", "a__ferraug-0001.png")
    assert new == expected.replace('\n    <cuboid label="thing" xtl1="1"/>', "")
    assert not [p for p in read(str(tmp_path / "out"), errors="raise")[0].problems if p.level != "notice"]


def test_a_mirror(tmp_path: Path) -> None:
    root = write(tmp_path / "src")
    [_, new] = augment(root, tmp_path / "out", "--policy", policy(tmp_path / "p.json"))
    assert (
        '<box label="thing" source="manual" occluded="1" xtl="24.00" ytl="22.50" xbr="44.00" ybr="30.00" z_order="4">'
        in new
    )
    assert '<attribute name="model">a &lt; b</attribute>' in new and '<tag label="good"/>' in new
    assert '<points label="dot" points="58.75,6.00;57.00,8.00" note="x > y"/>' in new
    assert '<polyline label="wire" points="63.00,1.00;55.00,9.00"/>' in new
    assert '<mask label="blob" rle="0, 2, 1, 1, 3, 2" left="31" top="40" width="3" height="3"/>' in new
    assert "<ellipse" not in new and "cx=" not in new and 'label="disc" points="' in new
    assert new.count('group_id="3"') == 2
    data, _ = read(str(tmp_path / "out"))
    assert len(data.samples()) == 2
    boxes = [[i.box for i in s.objects()] for s in data.samples()]
    for (x0, y0, x1, y1), after in zip(boxes[0], boxes[1], strict=True):  # type: ignore[misc]
        assert after == pytest.approx((W - x1, y0, W - x0, y1), abs=0.006)


def test_a_cut_outline_gets_a_group(tmp_path: Path) -> None:
    u = '    <polygon label="u" points="4,4;12,4;12,30;20,30;20,4;28,4;28,40;4,40"/>\n    <box label="b" xtl="1" ytl="40" xbr="9" ybr="47"/>\n'
    crop = {"__class_fullname__": "Crop", "x_min": 0, "y_min": 0, "x_max": 40, "y_max": 24}
    [old, new] = augment(write(tmp_path / "src", u), tmp_path / "out", "--policy", policy(tmp_path / "p.json", crop))
    assert new.count("<polygon") == 2 and new.count('group_id="1"') == 2 and "<box" not in new and "<box" in old
    assert 'width="40" height="24"' in new
    data, _ = read(str(tmp_path / "out"))
    assert [len(s.objects()) for s in data.samples()] == [2, 1]


def test_a_rotated_box_is_four_corners(tmp_path: Path) -> None:
    root = write(tmp_path, '<box label="b" xtl="20" ytl="20" xbr="40" ybr="30" rotation="90"/>')
    data, _ = read(str(root))
    [instance] = data.samples()[0].instances
    assert data.task == "obb" and list(instance.quad or ()) == pytest.approx([35, 15, 35, 35, 25, 35, 25, 15])
    adopted = formats.adopt(data, "coco")
    record = json.loads(adopted.header[0].document.text)["annotations"][0]
    assert record["segmentation"] == [[35, 15, 35, 35, 25, 35, 25, 15]] and record["area"] == 200


@pytest.mark.parametrize("angle", [0.5, 30.0, 90.0, 200.25, 359.0])
def test_corners_come_back_as_box_and_rotation(angle: float) -> None:
    box = (20.0, 12.0, 50.0, 30.0)
    tag, attributes = cvat_write._rotated(cvat.rotated(box, angle))
    assert tag == "box" and attributes == {
        "xtl": "20.00", "ytl": "12.00", "xbr": "50.00", "ybr": "30.00", "rotation": f"{angle:.2f}",
    }  # fmt: skip
    skewed = cvat.rotated(box, angle)
    skewed[0] += 3
    assert cvat_write._rotated(skewed)[0] == "polygon"


def test_a_rotated_box_in_a_mirror(tmp_path: Path) -> None:
    root = write(tmp_path / "src", '<box label="b" xtl="20" ytl="20" xbr="40" ybr="30" rotation="30"/>')
    [_, new] = augment(root, tmp_path / "out", "--policy", policy(tmp_path / "p.json"))
    assert 'xtl="24.00" ytl="20.00" xbr="44.00" ybr="30.00"' in new and 'rotation="330.00"' in new


@pytest.mark.parametrize(
    "bad",
    [
        '<box label="b" xtl="1" ytl="1" xbr="1" ybr="9"/>',
        '<box label="b" xtl="1" ytl="1" xbr="9"/>',
        '<box xtl="1" ytl="1" xbr="9" ybr="9"/>',
        '<box label="b" xtl="1" ytl="1" xbr="nan" ybr="9"/>',
        '<box label="b" xtl="100" ytl="1" xbr="109" ybr="9"/>',
        '<polygon label="b" points="1,1;2,2"/>',
        '<polygon label="b" points="1,1;2,2;3,3"/>',
        '<polygon label="b" points="1,1;2;3,3"/>',
        '<polygon label="b"/>',
        '<points label="b" points="99,1"/>',
        '<ellipse label="b" cx="9" cy="9" rx="0" ry="2"/>',
        '<mask label="b" rle="1, 2" left="0" top="0" width="2" height="2"/>',
        '<mask label="b" rle="4" left="0" top="0" width="2" height="2"/>',
        '<mask label="b" rle="1, x" left="0" top="0" width="2" height="2"/>',
        '<mask label="b" rle="0, 4" left="63" top="0" width="2" height="2"/>',
    ],
)
def test_an_invalid_shape_leaves_alone(tmp_path: Path, bad: str) -> None:
    good = '<box label="b" xtl="1" ytl="1" xbr="9" ybr="9"/>'
    root = write(tmp_path, f"    {good}\n    {bad}\n")
    data, _ = read(str(root))
    [problem] = data.problems
    assert problem.level == "invalid" and problem.where == "annotations.xml:9"
    [(path, pieces)] = cvat_write.Writer(data, [], 0).aggregates(lambda: [], set())
    text = (root / path).read_bytes()
    assert b"".join(pieces) == text.replace(f"\n    {bad}".encode(), b"")
    with pytest.raises(ValueError, match=r"annotations\.xml:9"):
        cvat.read(str(root))


def test_what_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path)
    path = root / "annotations.xml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</annotations>", '<track id="0" label="x"/></annotations>'))
    with pytest.raises(ConfigError, match="tracks of a video"):
        read(str(root))
    path.write_text(text.replace("a.png", "../a.png"))
    with pytest.raises(UnsafePathError):
        read(str(root))
    path.write_text(text[:-9])
    with pytest.raises(ConfigError, match=r"annotations\.xml"):
        read(str(root))
    path.write_text(
        text.replace('id="7"', 'id="7"', 1).replace("</annotations>", '<image id="7" name="b.png"/></annotations>')
    )
    data, _ = read(str(root))
    assert any("used twice" in p.text for p in data.problems) and len(data.samples()) == 1


def test_other_sets_as_cvat(shared: Path, tmp_path: Path) -> None:
    src = write_coco(tmp_path / "coco")
    out = tmp_path / "out"
    assert main(["augment", str(src), "--to", "cvat", "--out", str(out), "-n", "2"]) == 0
    again, found = read(str(out), errors="raise")
    assert found.format == "cvat" and len(again.samples()) == 9 and not again.problems
    old = coco.read(str(src))
    for a, b in zip(old.samples(), again.samples()[: len(SCENES)], strict=True):
        assert [i.box for i in a.objects()] == [i.box for i in b.objects()]
    text = (out / "annotations.xml").read_text()
    ids = re.findall(r'<image id="(\d+)"', text)
    assert len(set(ids)) == 9 and [int(i) for i in ids] == list(range(9))
    # outlines and masks
    data = coco.read(str(shared / "coco"))
    adopted = formats.adopt(data, "cvat")
    (tmp_path / "again").mkdir()
    (tmp_path / "again/annotations.xml").write_bytes(adopted.header[0].text)
    for sample in adopted.samples():
        place = tmp_path / "again" / sample.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((shared / "coco" / sample.source).read_bytes())
    back = cvat.read(str(tmp_path / "again"))
    for a, b in zip(data.samples(), back.samples(), strict=True):
        for one, two in zip(a.instances, b.instances, strict=True):
            assert one.parts == two.parts and (one.rle is None) == (two.rle is None)
            if one.rle is not None and two.rle is not None:
                assert np.array_equal(rle.decode(one.rle.counts, one.rle.h, one.rle.w), rle.decode(two.rle.counts, two.rle.h, two.rle.w))  # fmt: skip


def test_attributes_are_edited_in_place() -> None:
    data = b"<a x=\"it's y='1'\" y = '2'\n  z=\"\"/>"
    root = xmlspan.parse(data, "here")
    assert root.attrs == {"x": "it's y='1'", "y": "2", "z": ""}

    def edit(name: str, value: str | None) -> bytes:
        return xmlspan.spliced(data, [xmlspan.attribute_edit(data, root, name, value)])

    assert edit("y", '3"<') == data.replace(b"'2'", b'"3&quot;&lt;"')
    assert edit("z", None) == b"<a x=\"it's y='1'\" y = '2'/>"
    assert edit("w", "é") == data.replace(b"/>", b' w="&#233;"/>')
