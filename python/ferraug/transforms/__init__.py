"""The transforms, one family a file: declarations and what each says, no pixels."""

from ferraug.transforms.affine import Affine, Perspective, Rotate, ShiftScaleRotate
from ferraug.transforms.blur import GaussianBlur
from ferraug.transforms.colour import (
    ChannelShuffle,
    ColorJitter,
    Equalize,
    HueSaturationValue,
    InvertImg,
    Normalize,
    RandomBrightnessContrast,
    RandomGamma,
    ToFloat,
    ToGray,
)
from ferraug.transforms.crops import (
    BBoxSafeRandomCrop,
    CenterCrop,
    Crop,
    CropNonEmptyMaskIfExists,
    RandomCrop,
    RandomResizedCrop,
)
from ferraug.transforms.distortion import GridDistortion
from ferraug.transforms.dropout import CoarseDropout
from ferraug.transforms.filters import Downscale, Sharpen
from ferraug.transforms.flips import D4, HorizontalFlip, RandomRotate90, Transpose, VerticalFlip
from ferraug.transforms.noise import GaussNoise
from ferraug.transforms.noop import NoOp
from ferraug.transforms.pad import Pad, PadIfNeeded
from ferraug.transforms.resize import LongestMaxSize, Resize, SmallestMaxSize
from ferraug.transforms.torch import ToTensorV2

__all__ = [
    "D4",
    "Affine",
    "BBoxSafeRandomCrop",
    "CenterCrop",
    "ChannelShuffle",
    "CoarseDropout",
    "ColorJitter",
    "Crop",
    "CropNonEmptyMaskIfExists",
    "Downscale",
    "Equalize",
    "GaussNoise",
    "GaussianBlur",
    "GridDistortion",
    "HorizontalFlip",
    "HueSaturationValue",
    "InvertImg",
    "LongestMaxSize",
    "NoOp",
    "Normalize",
    "Pad",
    "PadIfNeeded",
    "Perspective",
    "RandomBrightnessContrast",
    "RandomCrop",
    "RandomGamma",
    "RandomResizedCrop",
    "RandomRotate90",
    "Resize",
    "Rotate",
    "Sharpen",
    "ShiftScaleRotate",
    "SmallestMaxSize",
    "ToFloat",
    "ToGray",
    "ToTensorV2",
    "Transpose",
    "VerticalFlip",
]
