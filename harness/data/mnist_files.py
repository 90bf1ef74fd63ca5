"""Read the four files of MNIST, download them, and explain what is wrong with them.

Their format is IDX: two zero bytes, the type of a number (8: a byte), the number of dimensions,
each dimension's size as four bytes (the highest first), then the numbers.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import InputError, NoDataError

CONTENTS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of the content of the original files, by name; a file may also be ``NAME.gz``."""
TRAIN_SAMPLES, TEST_SAMPLES, SIDE, CLASSES = 60_000, 10_000, 28, 10
GZIP_SIGN = b"\x1f\x8b"
CHUNK = 2**24
OTHER_DATA = (
    "To train on such data all the same, pass --allow-other-data: everything is then named NOT "
    "THE CLAIM'S DATA SET"
)

Bytes = NDArray[np.uint8]
Four = tuple[Bytes, Bytes, Bytes, Bytes]


def read_mnist(data_dir: Path, *, allow_other: bool) -> Four:
    """Return the training images and labels and the test images and labels of ``MNIST/raw``.

    If none of the files exists, all are downloaded.

    Parameters
    ----------
    data_dir : the folder that holds ``MNIST/raw`` (torchvision's layout).
    allow_other : read any data set in this format: images of one size, labels from 0 to 9, each
        class in both parts. Otherwise the files must hold MNIST.

    Returns
    -------
    Images (N, pixels) and labels (N,), as bytes.

    Raises
    ------
    NoDataError
        Where no file exists and none could be downloaded.
    InputError
        Where a file is missing, damaged or holds other data; names the file.
    """
    raw = data_dir / "MNIST" / "raw"
    path_of = {name: _find(raw, name) for name in CONTENTS}
    if not any(path_of.values()):
        _refuse_other_layouts(data_dir)
        _download(data_dir)
        path_of = {name: _find(raw, name) for name in CONTENTS}
    paths = []
    for name, path in path_of.items():
        if path is None:
            raise InputError(f"{raw / name} is missing, and so is {name}.gz. {_remedy(raw)}")
        paths.append(path)
    try:
        arrays = _read_all(paths, None if allow_other else (TRAIN_SAMPLES, TEST_SAMPLES))
        if not allow_other:
            _refuse_other_data(paths, arrays)
    except ValueError as error:
        raise InputError(f"{error}. {_remedy(raw)}") from None
    train_images, train_labels, test_images, test_labels = arrays
    return (
        train_images.reshape(len(train_images), -1),
        train_labels,
        test_images.reshape(len(test_images), -1),
        test_labels,
    )


def _remedy(raw: Path) -> str:
    return (
        f"Put MNIST's four original files there, or delete {raw} to have them downloaded, or name "
        "another folder with --data-dir or REPRO_DATA_DIR; the study dhp-split-digits needs none"
    )


def _find(raw: Path, name: str) -> Path | None:
    """Return the path of a file, compressed or not; None if neither exists."""
    for path in (raw / name, raw / f"{name}.gz"):
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}). {_remedy(raw)}") from None
        if not path.is_file():  # a folder, a pipe or a broken link
            raise InputError(f"{path} is no regular file. {_remedy(raw)}")
        return path
    return None


def _refuse_other_layouts(data_dir: Path) -> None:
    """Raise InputError where the files lie at another depth than ``MNIST/raw``."""
    for folder in (data_dir, data_dir / "raw", data_dir / "MNIST"):
        if any(_find(folder, name) for name in CONTENTS):
            raise InputError(
                f"{folder} holds MNIST's files, which belong in MNIST/raw below the folder that "
                "--data-dir or REPRO_DATA_DIR names: move them there, or name the folder above "
                "MNIST/raw"
            )


def _read_all(paths: Sequence[Path], sizes: tuple[int, int] | None) -> Four:
    """Read the four files; raise ValueError, which names the first file that does not fit.

    ``sizes`` are the required numbers of training and test samples. They also require images of
    28 x 28; None allows any size.
    """
    arrays: list[Bytes] = []
    for part in (0, 1):
        images_path, labels_path = paths[2 * part : 2 * part + 2]
        images, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1)
        for path, array in ((images_path, images), (labels_path, labels)):
            if array.size == 0:
                raise ValueError(f"{path} is empty")
            if sizes is not None and len(array) != sizes[part]:
                swapped = len(array) == sizes[1 - part]
                swapped_hint = ": the files for training and test seem swapped"
                raise ValueError(
                    f"{path} holds {len(array)} samples, MNIST's has {sizes[part]}"
                    + (swapped_hint if swapped else f". {OTHER_DATA}")
                )
        side = images.shape[1:]
        if sizes is not None and side != (SIDE, SIDE):
            raise ValueError(
                f"{images_path} holds images of {side[0]} x {side[1]}, not 28 x 28. {OTHER_DATA}"
            )
        if arrays and side != arrays[0].shape[1:]:
            raise ValueError(f"{images_path} holds images of another size than {paths[0].name}")
        if len(labels) != len(images):
            raise ValueError(
                f"{labels_path} holds {len(labels)} labels for the {len(images)} images of "
                f"{images_path.name}"
            )
        if labels.max() >= CLASSES:
            sample = int(np.argmax(labels >= CLASSES))
            raise ValueError(
                f"{labels_path} holds the label {labels[sample]} (sample {sample}); labels go "
                f"from 0 to {CLASSES - 1}"
            )
        absent = np.setdiff1d(np.arange(CLASSES), labels)
        if len(absent):
            raise ValueError(f"{labels_path} holds no sample of class {absent[0]}")
        arrays += [images, labels]
    return arrays[0], arrays[1], arrays[2], arrays[3]


def _read_idx(path: Path, dimensions: int) -> Bytes:
    """Read an IDX file of bytes and decompress gzip; raise ValueError, which names the file."""
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_SIGN
        with gzip.open(path) if compressed else path.open("rb") as file:
            header = file.read(4)
            if len(header) < 4 or header[:2] != b"\x00\x00":
                raise ValueError(f"{path} is no IDX file")
            if header[2] != 8:
                raise ValueError(f"{path} holds numbers of another type than bytes")
            if header[3] != dimensions:
                kinds = {1: "labels", 3: "images"}
                content_kind = kinds.get(header[3], f"an array of {header[3]} dimensions")
                swapped = header[3] in kinds
                raise ValueError(
                    f"{path} holds {content_kind} where {kinds[dimensions]} belong"
                    + (": the files of images and labels seem swapped" if swapped else "")
                )
            sizes = file.read(4 * dimensions)
            if len(sizes) < 4 * dimensions:
                raise ValueError(f"{path} is truncated: it ends in its header")
            shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
            expected_size, content = math.prod(shape), bytearray()
            # A header may state any size, so this reads chunks, and at most one byte too many.
            while chunk := file.read(min(CHUNK, expected_size + 1 - len(content))):
                content += chunk
    except (OSError, EOFError, zlib.error) as error:
        problem = "cannot be decompressed" if _is_gzip(error) else "cannot be read"
        raise ValueError(f"{path} {problem} ({_reason(error)})") from None
    if len(content) < expected_size:
        raise ValueError(
            f"{path} is truncated: {expected_size} bytes of content, {len(content)} there"
        )
    if len(content) > expected_size:
        raise ValueError(f"{path} is longer than the {expected_size} bytes that its header says")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _is_gzip(error: Exception) -> bool:
    return isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error))


def _refuse_other_data(paths: Sequence[Path], arrays: Four) -> None:
    """Raise ValueError where files do not hold MNIST; it names all these files."""
    other_files = []
    for path, array, expected in zip(paths, arrays, CONTENTS.values(), strict=True):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        if hashlib.sha256(header + array.tobytes()).hexdigest() != expected:
            other_files.append(path)
    if other_files:
        files = ", ".join([str(other_files[0]), *(path.name for path in other_files[1:])])
        raise ValueError(f"{files}: other data than MNIST's. {OTHER_DATA}")


def _download(data_dir: Path) -> None:
    """Download all four files of MNIST; raise NoDataError, and keep none, where that fails.

    Folders are made when the files are there, so that a download that fails, or is killed, leaves
    no empty ones.
    """
    raw = data_dir / "MNIST" / "raw"
    try:
        there = next(folder for folder in (raw, *raw.absolute().parents) if folder.is_dir())
        with tempfile.TemporaryDirectory(prefix=".mnist-download-", dir=there) as temporary:
            from harness.data.torchvision_mnist import download

            download(Path(temporary))
            raw.mkdir(parents=True, exist_ok=True)
            for name in CONTENTS:
                (Path(temporary) / "MNIST" / "raw" / name).replace(raw / name)
    except (ImportError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise NoDataError(
            f"no MNIST: {data_dir} holds no MNIST/raw with its files, and they could not be "
            f"downloaded ({_reason(error)}). Pass the folder that contains MNIST/raw with "
            "--data-dir or REPRO_DATA_DIR, or run the study dhp-split-digits, which needs no data"
        ) from error


def _reason(error: BaseException) -> str:
    """Return the last line of an error's text, which states the cause in torchvision's errors."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
