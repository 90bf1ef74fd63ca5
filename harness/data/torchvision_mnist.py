"""torchvision's MNIST: for the download, and for the benchmark of what a user would write.

Importing it takes seconds, and torch with it: import this module where it is needed only.
"""

from __future__ import annotations

import importlib
import socket
from pathlib import Path
from typing import Any

import torch

DOWNLOAD_TIMEOUT_S = 10.0


def mnist_class() -> Any:
    """Return torchvision's MNIST class.

    torchvision's package refuses to be imported where its compiled operators cannot be loaded
    (its wheel from the package index is built for CUDA; beside a CPU build of torch they
    cannot). Reading a data set needs none of them, so their names are declared and the
    import is tried again.
    """
    try:
        return importlib.import_module("torchvision.datasets").MNIST
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define(f"nms{boxes}")
        library.define(f"qnms{boxes}")
        _declared.append(library)  # its declarations vanish with it
        return importlib.import_module("torchvision.datasets").MNIST


_declared: list[torch.library.Library] = []


def download(root: Path) -> None:
    """Download MNIST to ``root/MNIST/raw`` and unpack it there.

    Raises
    ------
    RuntimeError, OSError
        Where no server gives all of it.
    """
    mnist = mnist_class()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        mnist(str(root), download=True)
    finally:
        socket.setdefaulttimeout(before)
