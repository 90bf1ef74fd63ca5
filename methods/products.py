"""The large matrix products, lane by lane through the library that is fastest on the processor.

Three libraries multiply float32 matrices in a Python process with PyTorch: MKL behind
``torch.bmm``, oneDNN behind an internal operator of torch, and OpenBLAS behind ``numpy.matmul``.
Which library is fastest depends on the vendor of the processor and on its vector instructions. A
table makes the choice, not a race at run time: the winner of a race, and with it the last bits of
every result, would change from run to run.

These measurements justify the table (``python -m harness.bench --products`` repeats them). They are
GFLOP/s of one core in the shapes of the published network, mini-batches of 64 through 784-256-256,
medians of alternated rounds in processor time:

    processor                    product                oneDNN   torch.bmm   numpy.matmul
    AMD EPYC family 25, AVX2     forward, 64x784x256        52          67             68
                                 forward, 64x256x256        42          67             66
                                 back, 64x256x256           41          65             66
                                 gradient, 784x64x256       45          66             70
                                 gradient, 256x64x256       36          63             66
    Intel Xeon, AVX-512 and AMX  forward, 64x784x256               120         151             99
                                 forward, 64x256x256                84         143             91
                                 back, 64x256x256                   86         122             95
                                 gradient, 784x64x256               82         145            115
                                 gradient, 256x64x256               72         145            112
    AMD EPYC family 26, AVX-512  a training step takes half as long with oneDNN as with torch.bmm

A lane's product is a call of its own or an item of a batch that the library loops over, so it does
not depend on the other lanes. The tests check that for every library.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Multiply = Callable[[Tensor, Tensor, Tensor], None]
"""Writes the products of (S, m, k) and (S, k, n) to (S, m, n)."""


def _by_torch(a: Tensor, b: Tensor, out: Tensor) -> None:
    torch.bmm(a, b, out=out)


def _by_numpy(a: Tensor, b: Tensor, out: Tensor) -> None:
    with np.errstate(all="ignore"):  # a lane that diverges is a result, as with torch
        np.matmul(a.numpy(), b.numpy(), out=out.numpy())


def _by_onednn(a: Tensor, b: Tensor, out: Tensor) -> None:
    for lane in range(a.shape[0]):
        # The operator wants the second factor transposed: x, w -> x w^T.
        out[lane] = torch.ops.mkldnn._linear_pointwise(a[lane], b[lane].t(), None, "none", [], "")


def _openblas() -> str | None:
    """Return the version of OpenBLAS that numpy uses; None if numpy uses another library."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return str(blas["version"]) if "openblas" in blas["name"] else None


def _onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def libraries() -> Mapping[str, Multiply]:
    """Return the installed libraries that multiply float32 matrices on a CPU, by name."""
    installed: dict[str, Multiply] = {"torch": _by_torch}
    if _openblas():
        installed["openblas"] = _by_numpy
    if _onednn():
        installed["onednn"] = _by_onednn
    return installed


FASTEST = {
    ("AuthenticAMD", "AVX512"): "onednn",
    ("AuthenticAMD", "AVX2"): "openblas",
}
"""Fastest library by vendor and instruction set.

Other processors use "torch": on processors of Intel and Apple, torch brings the library of the
vendor. On a Xeon it is the fastest; we have measured none of Apple's."""


@cache
def chosen_library() -> str:
    """Return the name of the library that multiplies float32 matrices on this processor."""
    capability = torch.backends.cpu.get_cpu_capability()
    fastest = FASTEST.get((_vendor(), capability.partition("_")[0]), "torch")
    return fastest if fastest in libraries() else "torch"


def _vendor() -> str:
    processor_file = Path("/proc/cpuinfo")
    if processor_file.is_file():
        for line in processor_file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("vendor_id"):
                return line.partition(":")[2].strip()
    return platform.processor().rpartition(", ")[2]  # the format of Windows


def description() -> str:
    """Return the name and version of the library of the float32 products, for a record."""
    name = chosen_library()
    version = _openblas() if name == "openblas" else torch.__version__.partition("+")[0]
    return f"{name} {version}"


@cache
def multiplies_bfloat16(device: str = "cpu") -> bool:
    """Tell whether a library multiplies bfloat16 matrices here; else ``product`` emulates it."""
    if device != "cpu":
        return True
    # Below AVX-512, oneDNN refuses them or falls back on its reference loops.
    if not _onednn() or torch.backends.cpu.get_cpu_capability() == "AVX2":
        return False
    a, b = torch.ones(2, 16, dtype=torch.bfloat16), torch.ones(3, 16, dtype=torch.bfloat16)
    try:
        torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
    except RuntimeError:  # the processor has no such instructions
        return False
    return True


def product(
    a: Tensor,
    b: Tensor,
    *,
    bias: Tensor | None = None,
    out: Tensor | None = None,
    reduced: bool = False,
) -> Tensor:
    """Return ``a b + bias`` for each lane.

    Parameters
    ----------
    a, b : (S, m, k) and (S, k, n); transposed views are allowed.
    bias : (S, 1, n), or None.
    out : (S, m, n) to write to and return; a new tensor if None.
    reduced : round the factors and the product, but not the sums inside, to bfloat16.
    """
    if out is None:
        out = a.new_empty(a.shape[0], a.shape[1], b.shape[2])
    if reduced:
        out.copy_(_rounded_product(a.bfloat16(), b.bfloat16()))
    elif a.device.type == "cpu" and a.dtype is torch.float32:
        libraries()[chosen_library()](a, b, out)
    else:
        torch.bmm(a, b, out=out)
    return out if bias is None else out.add_(bias)


def _rounded_product(a: Tensor, b: Tensor) -> Tensor:
    """Return the bfloat16 product of bfloat16 factors, its sums taken in float32."""
    if not multiplies_bfloat16(a.device.type):
        return product(a.float(), b.float()).bfloat16()
    if a.device.type != "cpu":
        return torch.bmm(a, b)
    out = a.new_empty(a.shape[0], a.shape[1], b.shape[2])
    _by_onednn(a, b, out)
    return out
