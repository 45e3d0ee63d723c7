"""With the real PyYAML: pipelines as YAML."""

from __future__ import annotations

import io
from pathlib import Path

import ferraug as F
import numpy as np
import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed (make test-integrations installs it)")

IMAGE = np.random.default_rng(1).integers(0, 256, (60, 70, 3), np.uint8)


def pipeline() -> F.Compose:
    return F.Compose(
        [
            F.OneOf([F.RandomCrop(40, 50), F.CenterCrop(40, 50)], p=1),
            F.SomeOf([F.HorizontalFlip(p=1), F.VerticalFlip(p=1), F.Transpose(p=1)], n=2, p=0.5),
            F.Affine(scale={"x": (0.9, 1.1), "y": (0.8, 1.2)}, rotate=(-9, 9), p=0.5),
            F.CoarseDropout(fill="random", p=0.5),
            F.Pad((1, 2, 3, 4), fill=(1, 2, 3), p=1),
            F.Normalize(p=1),
        ],
        bbox_params=F.BboxParams("coco", label_fields=["label"], min_visibility=0.1),
        keypoint_params=F.KeypointParams("xyas"),
        seed=7,
    )


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    F.save(pipeline(), path, data_format="yaml")
    loaded = F.load(path, data_format="yaml")
    assert repr(loaded) == repr(pipeline())
    data = {"image": IMAGE, "bboxes": [[9, 9, 30, 30]], "label": ["a"], "keypoints": [[20.0, 20, 0, 1]]}
    for key in range(5):
        got, want = loaded.run(dict(data), key=key), pipeline().run(dict(data), key=key)
        assert got["image"].tobytes() == want["image"].tobytes()
        assert got["bboxes"] == want["bboxes"] and got["keypoints"] == want["keypoints"]


def test_every_class_that_is_stored(tmp_path: Path) -> None:
    """What `to_dict` says, YAML keeps."""
    body = F.to_dict(pipeline())
    text = io.StringIO()
    F.save(pipeline(), text, data_format="yaml")
    assert repr(F.from_dict(yaml.safe_load(text.getvalue()))) == repr(F.from_dict(body))


def test_the_text_is_plain() -> None:
    """Any YAML reader may read it: no tags, no aliases."""
    text = io.StringIO()
    F.save(pipeline(), text, data_format="yaml")
    assert "!!" not in text.getvalue() and "&" not in text.getvalue() and "*" not in text.getvalue()


def test_text_of_another_writer() -> None:
    text = """
    # by hand
    transform:
      __class_fullname__: albumentations.core.composition.Compose
      p: 1.0
      transforms:
        - {__class_fullname__: albumentations.augmentations.geometric.flip.HorizontalFlip, p: 1.0}
    """
    assert np.array_equal(F.load(io.StringIO(text), data_format="yaml")(image=IMAGE)["image"], IMAGE[:, ::-1])
