"""Benchmarks: the right images in the right tasks, and never the test set where it is barred."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import small_data

from harness.data.benchmarks import Dataset, split_digits, split_mnist
from harness.data.tasks import Task, cut_into_tasks, latest_tasks
from harness.errors import InputError
from harness.studies.known_data import BINARY_TASKS

MNIST = Path(os.environ.get("REPRO_DATA_DIR", "data"))
needs_mnist = pytest.mark.skipif(
    not (MNIST / "MNIST" / "raw").is_dir(), reason="REPRO_DATA_DIR holds no MNIST"
)


def cut(data: Dataset, scaling: str = "unit", validation: float = 0.0) -> list[Task]:
    return cut_into_tasks(
        data,
        scaling=scaling,
        validation_fraction=validation,
        width=data.train_images.shape[1] + 3,
        dtype=torch.float64,
        device="cpu",
    )


def test_digits_are_split_the_same_way_for_ever() -> None:
    data = split_digits(Path("unused"))
    assert data.train_images.shape == (1347, 64)
    assert data.test_images.shape == (450, 64)
    assert data.checksum() == split_digits(Path("unused")).checksum()
    assert data.checksum().startswith("8ee95e5e3371abc2")
    counts = np.bincount(data.test_labels)
    assert counts.min() >= 43, "stratified: a quarter of each class"
    assert counts.max() <= 46


def test_tasks_hold_their_classes_and_every_sample_once() -> None:
    data = split_digits(Path("unused"))
    tasks = cut(data)
    assert tuple(task.classes for task in tasks) == BINARY_TASKS
    for task in tasks:
        assert set(task.train_labels.tolist()) == set(task.classes)
        assert set(task.test_labels.tolist()) == set(task.classes)
    assert sum(len(task.train_labels) for task in tasks) == 1347
    assert sum(len(task.test_labels) for task in tasks) == 450
    first = data.train_images[np.isin(data.train_labels, (0, 1))] / 16
    assert np.array_equal(tasks[0].train_inputs[:, :64].numpy(), first)
    assert not tasks[0].train_inputs[:, 64:].any(), "padding is zero"


def test_standardised_inputs_have_mean_zero_and_deviation_one() -> None:
    data = small_data()
    pixels = torch.cat([task.train_inputs[:, :11] for task in cut(data, "standardised")])
    assert abs(float(pixels.mean())) < 1e-12
    assert abs(float(pixels.std(correction=0)) - 1) < 1e-12


def test_tasks_are_cut_anew_only_for_other_data_settings_or_tasks_of_the_seed() -> None:
    data = split_digits(Path("unused"))

    def latest(data: Dataset, scaling: str = "unit", *seeds: int) -> list[Task]:
        return latest_tasks(
            data,
            scaling=scaling,
            validation_fraction=0.0,
            width=64,
            dtype=torch.float32,
            device="cpu",
            seeds=seeds,
        )

    tasks = latest(data)
    assert latest(data, "unit", 3, 4) is tasks
    standardised = latest(data, "standardised")
    assert standardised[0].train_inputs.std() > 2 * tasks[0].train_inputs.std()
    darker = latest(replace(data, white=32))
    assert torch.equal(2 * darker[0].train_inputs, tasks[0].train_inputs)
    assert torch.equal(latest(data)[0].train_inputs, tasks[0].train_inputs)
    permuted = replace(data, permuted=True)
    assert latest(permuted, "unit", 3, 4) is latest(permuted, "unit", 3, 4)
    assert latest(permuted, "unit", 3, 4) is not latest(permuted, "unit", 4, 3)


def test_validation_takes_its_share_of_every_class_and_never_reads_the_test_set() -> None:
    data = small_data(per_class=20)
    barred = replace(data, test_images=np.zeros((0, 0), np.uint8), test_labels=np.zeros(0, int))
    tasks, whole = cut(barred, validation=0.1), cut(data)
    for part, full in zip(tasks, whole, strict=True):
        assert np.bincount(part.test_labels)[list(part.classes)].tolist() == [2, 2]
        rows = torch.cat([part.train_inputs, part.test_inputs]).tolist()
        assert sorted(rows) == sorted(full.train_inputs.tolist())


def test_the_checksum_sees_every_pixel_label_and_the_tasks() -> None:
    data = small_data()
    pixels = data.train_images.copy()
    pixels[3, 5] += 1
    labels = data.test_labels[::-1].copy()
    variants = [
        data,
        replace(data, train_images=pixels),
        replace(data, test_labels=labels),
        replace(data, tasks=data.tasks[::-1]),
    ]
    assert len({variant.checksum() for variant in variants}) == len(variants)


def test_without_mnist_the_error_names_folder_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"not MNIST")
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path, tmp_path / "file" / "below"):
        with pytest.raises(InputError) as caught:
            split_mnist(folder)
        assert str(folder) in str(caught.value)
        assert "--data-dir" in str(caught.value)


@needs_mnist
@pytest.mark.mnist
def test_mnist_is_the_real_one() -> None:
    data = split_mnist(MNIST)
    assert data.train_images.shape == (60000, 784)
    assert np.bincount(data.train_labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert data.test_images.shape == (10000, 784)
    mean = data.train_images.mean() / 255
    assert abs(mean - 0.1307) < 1e-4
