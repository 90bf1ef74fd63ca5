"""MNIST's files: what they hold is MNIST, or is refused in one line that names the file."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mnist_folder import NAMES, idx, small_files, write

from harness.data.benchmarks import split_mnist
from harness.errors import InputError, NoDataError
from harness.studies.known_data import KNOWN_DATA

MNIST = Path(os.environ.get("REPRO_DATA_DIR", "data"))
needs_mnist = pytest.mark.skipif(
    not (MNIST / "MNIST" / "raw").is_dir(), reason="REPRO_DATA_DIR holds no MNIST"
)
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = NAMES
Files = dict[str, bytes]


def refusal(folder: Path, *, allow_other: bool = True) -> str:
    with pytest.raises(InputError) as caught:
        split_mnist(folder, allow_other=allow_other)
    assert not isinstance(caught.value, NoDataError), "what is there is never passed over"
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "MNIST" / "raw") in message
    assert "--data-dir" in message, "the remedy"
    return message


def swapped(files: Files, one: str, other: str) -> Files:
    return files | {one: files[other], other: files[one]}


def with_label(label: int) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        content = bytearray(files[TEST_LABELS])
        content[8 + 3] = label
        return files | {TEST_LABELS: bytes(content)}

    return change


FAULTS: list[tuple[str, Callable[[Files], Files], str, str]] = [
    ("truncated", lambda f: f | {TRAIN_IMAGES: f[TRAIN_IMAGES][:-1]}, TRAIN_IMAGES, "truncated"),
    ("header", lambda f: f | {TRAIN_LABELS: f[TRAIN_LABELS][:6]}, TRAIN_LABELS, "in its header"),
    ("nothing in it", lambda f: f | {TEST_LABELS: b""}, TEST_LABELS, "no IDX file"),
    ("too long", lambda f: f | {TEST_IMAGES: f[TEST_IMAGES] + b"x"}, TEST_IMAGES, "longer than"),
    ("a web page", lambda f: f | {TRAIN_IMAGES: b"<html>"}, TRAIN_IMAGES, "no IDX file"),
    ("floats", lambda f: f | {TRAIN_IMAGES: b"\0\0\x0d\3" + b"\0" * 12}, TRAIN_IMAGES, "type"),
    (
        "train for test images",
        lambda f: swapped(f, TRAIN_IMAGES, TEST_IMAGES),
        TRAIN_LABELS,
        "40 labels for the 20 images of train-images-idx3-ubyte",
    ),
    (
        "images for labels",
        lambda f: swapped(f, TRAIN_IMAGES, TRAIN_LABELS),
        TRAIN_IMAGES,
        "holds labels where images belong: the files of images and labels seem swapped",
    ),
    (
        "labels for images",
        lambda f: f | {TEST_LABELS: f[TEST_IMAGES]},
        TEST_LABELS,
        "holds images where labels belong",
    ),
    ("label out of range", with_label(10), TEST_LABELS, "the label 10 (sample 3)"),
    (
        "a class is missing",
        lambda f: f | {TEST_LABELS: idx(np.zeros(20, np.uint8))},
        TEST_LABELS,
        "no sample of class 1",
    ),
    (
        "no samples",
        lambda f: f | {TEST_IMAGES: idx(np.zeros((0, 4, 4), np.uint8))},
        TEST_IMAGES,
        "is empty",
    ),
    (
        "another size",
        lambda f: f | {TEST_IMAGES: idx(np.zeros((20, 5, 4), np.uint8))},
        TEST_IMAGES,
        "another size",
    ),
    (
        "a promise beyond memory",
        lambda f: f | {TRAIN_IMAGES: struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3) + b"x"},
        TRAIN_IMAGES,
        "truncated",
    ),
    ("missing", lambda f: {n: c for n, c in f.items() if n != TEST_LABELS}, TEST_LABELS, "missing"),
]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("change", "file", "says"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_fault_is_one_line_that_names_the_file(
    change: Callable[[Files], Files], file: str, says: str, compressed: bool, tmp_path: Path
) -> None:
    message = refusal(write(tmp_path, change(small_files()), compressed=compressed))
    assert file in message.partition(". ")[0]
    assert says in message


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-9],
        lambda packed: packed[:40] + b"\xff" * 20 + packed[60:],
        lambda packed: packed[:2],
    ],
    ids=["truncated", "garbled", "no content"],
)
def test_a_damaged_gz_file_is_named(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    write(tmp_path, small_files(), compressed=True)
    path = tmp_path / "MNIST" / "raw" / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert f"{path} cannot be decompressed" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link"])
def test_what_is_no_regular_file_is_named_and_never_waited_for(kind: str, tmp_path: Path) -> None:
    files = small_files()
    del files[TEST_IMAGES]
    path = write(tmp_path, files) / "MNIST" / "raw" / TEST_IMAGES
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    assert f"{path} is no regular file" in refusal(tmp_path)


def test_files_at_another_depth_are_found_out(tmp_path: Path) -> None:
    folder = write(tmp_path, small_files()) / "MNIST"
    for given in (folder, folder / "raw"):
        with pytest.raises(InputError, match="name the folder above MNIST/raw"):
            split_mnist(given)


def test_compressed_files_give_the_same_data(tmp_path: Path) -> None:
    plain = split_mnist(write(tmp_path / "plain", small_files()), allow_other=True)
    packed = write(tmp_path / "packed", small_files(), compressed=True)
    assert split_mnist(packed, allow_other=True).checksum() == plain.checksum()
    raw = packed / "MNIST" / "raw"
    for name in NAMES:  # compressed under the plain name
        (raw / f"{name}.gz").rename(raw / name)
    assert split_mnist(packed, allow_other=True).checksum() == plain.checksum()


def test_other_data_are_read_as_they_are_where_they_are_allowed(tmp_path: Path) -> None:
    data = split_mnist(write(tmp_path, small_files()), allow_other=True)
    assert (data.train_images.shape, data.test_images.shape) == ((40, 16), (20, 16))
    assert data.train_images.tobytes() == small_files()[TRAIN_IMAGES][16:]
    assert data.test_labels.tolist() == [*range(10)] * 2
    assert not data.genuine


def like_mnist() -> Files:
    """Return random pixels in MNIST's own sizes."""
    return small_files(60_000, 10_000, 28)


def test_other_data_in_the_same_sizes_are_refused_by_file_with_the_way_to_allow_them(
    tmp_path: Path,
) -> None:
    message = refusal(write(tmp_path, like_mnist()), allow_other=False)
    assert "other data than MNIST's" in message
    assert all(name in message for name in NAMES)
    assert "--allow-other-data" in message


def test_training_files_in_place_of_the_test_files_are_told_as_swapped(tmp_path: Path) -> None:
    files = like_mnist()
    files = swapped(swapped(files, TRAIN_IMAGES, TEST_IMAGES), TRAIN_LABELS, TEST_LABELS)
    message = refusal(write(tmp_path, files), allow_other=False)
    assert "holds 10000 samples, MNIST's has 60000" in message
    assert "the files for training and test seem swapped" in message


@needs_mnist
@pytest.mark.mnist
def test_mnist_is_recognised_and_one_other_file_is_found_out(tmp_path: Path) -> None:
    data = split_mnist(MNIST)
    assert data.genuine
    assert np.bincount(data.train_labels).tolist() == list(KNOWN_DATA["split-mnist"].train_sizes)
    raw = MNIST / "MNIST" / "raw"
    files: Files = {}
    for name in NAMES:
        packed = raw / f"{name}.gz"
        files[name] = (
            gzip.decompress(packed.read_bytes()) if packed.exists() else (raw / name).read_bytes()
        )
    content = bytearray(files[TEST_IMAGES])
    content[12345] ^= 1  # one bit of one pixel
    message = refusal(write(tmp_path, files | {TEST_IMAGES: bytes(content)}), allow_other=False)
    assert f"{TEST_IMAGES}: other data than MNIST's" in message
    assert TRAIN_IMAGES not in message


def test_the_digits_are_the_known_ones_and_others_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from harness.data.benchmarks import split_digits

    data = split_digits(Path("unused"))
    assert data.genuine
    assert np.bincount(data.train_labels).tolist() == list(KNOWN_DATA["split-digits"].train_sizes)
    monkeypatch.setattr("harness.data.benchmarks.DIGITS_SPLIT_SEED", 1)
    with pytest.raises(InputError, match="has other digits than split-digits"):
        split_digits(Path("unused"))
    assert not split_digits(Path("unused"), allow_other=True).genuine


def test_a_download_is_whole_or_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def server(files: Files) -> Callable[[Path], None]:
        def download(root: Path) -> None:
            write(root, files)
            if len(files) < len(NAMES):
                raise RuntimeError("Error downloading the rest\nthe network is gone")

        return download

    files, folder = small_files(), tmp_path / "new" / "data"
    half = {name: files[name] for name in NAMES[:2]}
    monkeypatch.setattr("harness.data.torchvision_mnist.download", server(half))
    with pytest.raises(NoDataError, match=r"no MNIST: .*new/data .*the network is gone"):
        split_mnist(folder)
    assert not folder.parent.exists()

    def interrupted(root: Path) -> None:
        write(root, half)
        assert not (folder / "MNIST").exists(), "a process that is killed now leaves no empty one"
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.data.torchvision_mnist.download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        split_mnist(folder)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("harness.data.torchvision_mnist.download", server(files))
    data = split_mnist(folder, allow_other=True)
    assert len(data.train_labels) == 40
    assert sorted(p.name for p in (folder / "MNIST").rglob("*")) == sorted(["raw", *NAMES])
