"""The origin of a number: packages, hardware, and a fingerprint of the arithmetic."""

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
from methods.softmax import DHPSoftmax


@cache
def environment(device: str) -> dict[str, Any]:
    """Describe the process that trains; the worker calls this after its set-up."""
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
    processor_file = Path("/proc/cpuinfo")
    if processor_file.is_file():
        for line in processor_file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def numerics_fingerprint(device: str) -> str:
    """Return a hash of the library, and of the bits that a small fixed training computes here.

    Two machines with the same fingerprint round in the same way (same kernels, same library
    versions), so their records should agree bit for bit. With different fingerprints they may not.
    """
    generator = np.random.default_rng(0)
    ones = torch.ones(1, 1, 1)
    architecture = Architecture(784, (256, 256), 10)
    settings = DHPSoftmax.Settings(
        head_init="blog", bias=False, eta=0.01 * ones, alpha_scale=0.01 * ones
    )
    network = Network(architecture, [0], DHPSoftmax, settings, device=device)
    inputs = torch.from_numpy(generator.random((1, 64, 784), dtype=np.float32)).to(device)
    labels = torch.from_numpy(generator.integers(0, 10, (1, 64))).to(device)
    mask = network.output_mask(range(10))
    for _ in range(3):
        network.loss_and_gradients(inputs, labels, mask)
        for name, parameter in network.parameters.items():
            parameter.sub_(network.gradients[name], alpha=0.1)
    digest = hashlib.sha256(description().encode() if device == "cpu" else b"")
    for parameter in network.parameters.values():
        digest.update(parameter.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
