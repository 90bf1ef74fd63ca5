"""torchvision's MNIST, for the download and for the benchmark of the user's programs.

The import of torch and torchvision takes seconds: import this module only where it is needed.
"""

from __future__ import annotations

import gzip
import importlib
import socket
import tempfile
from pathlib import Path
from typing import Any

import torch

DOWNLOAD_TIMEOUT_S = 10.0


def mnist_class() -> Any:
    """Return torchvision's MNIST class.

    The import of torchvision fails where its compiled operators cannot be loaded (its wheel from
    the package index is built for CUDA and cannot load them beside a CPU build of torch). Reading
    a data set needs none of the operators, so this function declares their names and imports
    torchvision again.
    """
    try:
        return importlib.import_module("torchvision.datasets").MNIST
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define(f"nms{signature}")
        library.define(f"qnms{signature}")
        _declared.append(library)  # the declarations last as long as this object
        return importlib.import_module("torchvision.datasets").MNIST


def training_set(root: Path, transform: Any) -> Any:
    """Return torchvision's training set of MNIST, also where only packed files are there.

    torchvision reads unpacked files alone; packed ones are unpacked to a folder that lasts as long
    as the process.
    """
    raw = root / "MNIST" / "raw"
    if not (raw / "train-images-idx3-ubyte").is_file():
        folder = tempfile.TemporaryDirectory(prefix="mnist-")
        _unpacked.append(folder)
        root = Path(folder.name)
        (root / "MNIST" / "raw").mkdir(parents=True)
        for packed in raw.glob("*.gz"):
            content = gzip.decompress(packed.read_bytes())
            (root / "MNIST" / "raw" / packed.stem).write_bytes(content)
    return mnist_class()(str(root), train=True, transform=transform)


_unpacked: list[tempfile.TemporaryDirectory[str]] = []
_declared: list[torch.library.Library] = []


def download(root: Path) -> None:
    """Download MNIST to ``root/MNIST/raw`` and unpack it there.

    Raises
    ------
    RuntimeError, OSError
        Where no server delivers all files.
    """
    mnist = mnist_class()
    previous_timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        mnist(str(root), download=True)
    finally:
        socket.setdefaulttimeout(previous_timeout)
