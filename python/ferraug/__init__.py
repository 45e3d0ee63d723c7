"""Image augmentation for machine learning: Albumentations 2.0.8's interface on a Rust core.

import ferraug as A

transform = A.Compose([A.RandomCrop(256, 256), A.HorizontalFlip(p=0.5), A.RandomBrightnessContrast(p=0.2)])
augmented = transform(image=image, mask=mask)
"""

from ferraug._core import (
    ConfigError,
    CropSizeError,
    DecodeError,
    InternalError,
    LimitError,
    UnsafePathError,
    __version__,
)
from ferraug.boxes import BboxParams
from ferraug.compose import (
    BaseCompose,
    Compose,
    OneOf,
    OneOrOther,
    RandomOrder,
    SelectiveChannelTransform,
    Sequential,
    SomeOf,
)
from ferraug.custom import BasicTransform, DualTransform, ImageOnlyTransform, Lambda
from ferraug.keypoints import KeypointParams
from ferraug.replay import ReplayCompose, replay
from ferraug.serialize import from_dict, load, save, to_dict
from ferraug.transform import Transform
from ferraug.transforms import *  # noqa: F403
from ferraug.transforms import __all__ as _transforms

__all__ = [
    "BaseCompose",
    "BasicTransform",
    "BboxParams",
    "Compose",
    "ConfigError",
    "CropSizeError",
    "DecodeError",
    "DualTransform",
    "ImageOnlyTransform",
    "InternalError",
    "KeypointParams",
    "Lambda",
    "LimitError",
    "OneOf",
    "OneOrOther",
    "RandomOrder",
    "ReplayCompose",
    "SelectiveChannelTransform",
    "Sequential",
    "SomeOf",
    "Transform",
    "UnsafePathError",
    "__version__",
    "from_dict",
    "load",
    "replay",
    "save",
    "to_dict",
    *_transforms,
]
