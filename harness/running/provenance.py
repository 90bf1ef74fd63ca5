"""Where a number was computed: packages, hardware, and a fingerprint of the arithmetic."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.architecture import Architecture
from methods.network import Network
from methods.products import description, multiplies_bfloat16


@cache
def environment(device: str) -> dict[str, Any]:
    """Describe the process that trains: to be called in the worker, after its set-up."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "products": description() if device == "cpu" else "cuBLAS",
        "bfloat16": "native" if multiplies_bfloat16(device) else "emulated",
        "numerics": numerics_fingerprint(device),
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def numerics_fingerprint(device: str) -> str:
    """Return a hash of the bits that a small fixed training makes here, and of the library.

    Two machines with the same fingerprint round alike (same kernels, same library versions), so
    their records can be expected to agree bit for bit; with different ones they cannot.
    """
    draws = np.random.default_rng(0)
    one = torch.ones(1, 1, 1)
    architecture = Architecture(784, (256, 256), 10, "on", "blog", bias=False)
    network = Network(architecture, [0], 0.01 * one, 0.01 * one, device=device)
    inputs = torch.from_numpy(draws.random((1, 64, 784), dtype=np.float32)).to(device)
    labels = torch.from_numpy(draws.integers(0, 10, (1, 64))).to(device)
    mask = network.output_mask(range(10))
    for _ in range(3):
        network.loss_and_gradients(inputs, labels, mask)
        for name, parameter in network.parameters.items():
            parameter.sub_(network.gradients[name], alpha=0.1)
    digest = hashlib.sha256(description().encode() if device == "cpu" else b"")
    for parameter in network.parameters.values():
        digest.update(parameter.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
