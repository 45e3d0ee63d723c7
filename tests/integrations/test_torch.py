"""With the real PyTorch: tensors, and data loaders of every kind."""

from __future__ import annotations

from typing import Any

import ferraug as F
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (make test-integrations installs it)")

SIDE = 64
IMAGE = np.arange(SIDE * SIDE, dtype=np.int64).reshape(SIDE, SIDE)  # every pixel says where it was
PIXELS = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_to_tensor(dtype: str) -> None:
    image = PIXELS.astype(dtype)
    mask = PIXELS[..., 0]
    got = F.Compose([F.HorizontalFlip(p=1), F.ToTensorV2()])(image=image, mask=mask, masks=[mask, mask])
    tensor = got["image"]
    assert type(tensor) is torch.Tensor and tensor.is_contiguous() and tensor.shape == (3, 40, 50)
    assert tensor.dtype == getattr(torch, dtype)
    assert np.array_equal(tensor.numpy(), image[:, ::-1].transpose(2, 0, 1))
    assert type(got["mask"]) is torch.Tensor and np.array_equal(got["mask"].numpy(), mask[:, ::-1])
    assert all(type(m) is torch.Tensor for m in got["masks"])


def test_normalized_tensors() -> None:
    got = F.Compose([F.Normalize(), F.ToTensorV2()])(image=PIXELS)["image"]
    want = F.Normalize(p=1)(image=PIXELS)["image"].transpose(2, 0, 1)
    assert got.dtype == torch.float32 and got.is_contiguous() and np.array_equal(got.numpy(), want)


def test_the_tensor_is_not_the_input() -> None:
    image = PIXELS[..., :1].copy()
    tensor = F.Compose([F.ToTensorV2()])(image=image)["image"]
    tensor += 1
    assert np.array_equal(image, PIXELS[..., :1])


def test_transposed_masks_and_stacks() -> None:
    got = F.Compose([F.ToTensorV2(transpose_mask=True)])(image=PIXELS, mask=PIXELS, images=np.stack([PIXELS] * 2))
    assert got["mask"].shape == (3, 40, 50) and got["images"].shape == (2, 3, 40, 50)


def test_tensors_are_refused_as_images() -> None:
    with pytest.raises(TypeError, match=r"image: expected numpy.ndarray, got torch.Tensor; pass tensor.numpy\(\)"):
        F.HorizontalFlip(p=1)(image=torch.zeros(4, 4))


def test_results_go_to_torch_without_a_copy() -> None:
    for pipe in (F.HorizontalFlip(p=1), F.Transpose(p=1), F.Rotate(p=1), F.NoOp(p=1)):
        array = pipe(image=PIXELS.copy())["image"]
        tensor = torch.from_numpy(array)
        assert tensor.data_ptr() == array.__array_interface__["data"][0]


class Places(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
    """Item i is where a crop of one pixel, drawn for it, came from, and in which worker."""

    def __init__(self, keyed: bool, n: int = 32) -> None:
        self.pipe = F.Compose([F.RandomCrop(1, 1)], seed=5)
        self.keyed, self.n, self.epoch = keyed, n, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple[int, int, int]:
        call = self.pipe.at(self.epoch, i) if self.keyed else self.pipe
        info = torch.utils.data.get_worker_info()
        return i, int(call(image=IMAGE)["image"].item()), -1 if info is None else info.id


def epochs(workers: int, context: str | None, keyed: bool, count: int = 2, **options: Any) -> list[list[tuple[int, int, int]]]:
    data = Places(keyed)
    out = []
    for epoch in range(count):
        data.epoch = epoch
        loader = torch.utils.data.DataLoader(
            data, batch_size=4, num_workers=workers, multiprocessing_context=context if workers else None, **options
        )
        items = [tuple(map(int, item)) for batch in loader for item in zip(*batch)]
        assert [item[0] for item in items] == list(range(len(data)))
        out.append(items)
    return out  # type: ignore[return-value]


WAYS = [(0, None), (2, "fork"), (2, "spawn")]


@pytest.mark.parametrize(("workers", "context"), WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_worker_and_epoch_draws_other_numbers(workers: int, context: str | None) -> None:
    first, second = epochs(workers, context, keyed=False)
    places = [place for epoch in (first, second) for _, place, _ in epoch]
    # 64 draws of 4096 places: two or three equal pairs are to be expected, a repeated sequence is not
    assert len(set(places)) > 52
    if workers:
        assert {worker for _, _, worker in first} == {0, 1}
        by_worker = [[place for _, place, worker in first if worker == w] for w in (0, 1)]
        assert by_worker[0] != by_worker[1]


@pytest.mark.parametrize(("workers", "context"), [*WAYS, (1, "fork"), (3, "fork")])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keys_do_not_know_the_workers(workers: int, context: str | None) -> None:
    plain = F.Compose([F.RandomCrop(1, 1)], seed=5)
    want = [[int(plain.at(epoch, i)(image=IMAGE)["image"].item()) for i in range(32)] for epoch in (0, 1)]
    got = [[place for _, place, _ in epoch] for epoch in epochs(workers, context, keyed=True)]
    assert got == want and got[0] != got[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_seeded_loader_repeats() -> None:
    """The same torch seed gives the same sequence of a seeded pipeline, worker by worker."""

    def once(seed: int) -> list[list[tuple[int, int, int]]]:
        torch.manual_seed(seed)
        return epochs(2, "fork", keyed=False)

    assert once(1) == once(1) and once(1) != once(2)


class Errors(Places):
    def __getitem__(self, i: int) -> Any:
        return self.pipe(image=np.zeros((0, 4), np.uint8))


@pytest.mark.parametrize(("workers", "context"), WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_come_out_of_workers(workers: int, context: str | None) -> None:
    """They pickle, and name what was wrong."""
    loader = torch.utils.data.DataLoader(Errors(False), num_workers=workers, multiprocessing_context=context if workers else None)
    with pytest.raises(ValueError, match="height and width must be ≥1"):
        next(iter(loader))


class Samples(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        self.pipe = F.Compose(
            [F.RandomCrop(32, 32), F.HorizontalFlip(), F.Normalize(), F.ToTensorV2()],
            bbox_params=F.BboxParams("pascal_voc", label_fields=["label"]), seed=1,
        )  # fmt: skip

    def __len__(self) -> int:
        return 16

    def __getitem__(self, i: int) -> Any:
        got = self.pipe.at(0, i)(image=PIXELS, mask=PIXELS[..., 0], bboxes=[[2, 3, 48, 38]], label=[i])
        return got["image"], got["mask"], got["label"][0]


@pytest.mark.parametrize(("workers", "context"), WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_batches(workers: int, context: str | None) -> None:
    loader = torch.utils.data.DataLoader(
        Samples(), batch_size=8, num_workers=workers, multiprocessing_context=context if workers else None
    )
    images, masks, names = zip(*loader)
    assert [image.shape for image in images] == [(8, 3, 32, 32)] * 2 and images[0].dtype == torch.float32
    assert masks[0].shape == (8, 32, 32) and torch.cat(names).tolist() == list(range(16))
    want = Samples()[9][0]
    assert torch.equal(images[1][1], want)
