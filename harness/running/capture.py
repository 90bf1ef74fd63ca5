"""CUDA graphs: training steps on a GPU without a launch of every kernel from Python."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]
WARM_UP = 3
"""Number of steps of a shape that run normally before one is captured.

Libraries allocate their workspaces in these steps. They count as training steps and are not
repeated."""


class CapturedStep:
    """A step that is captured once and then replayed.

    A step reads its argument and tensors at fixed addresses, and changes these in place. Its
    control flow and its shapes must not change from call to call. Consolidation replaces its
    tensors between tasks, so each task needs an object of its own.

    Parameters
    ----------
    step : takes (S, B) rows of samples, returns (S,) losses. B may differ from call to call (the
        last mini-batch of an epoch is shorter); each shape is captured separately.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._calls: dict[torch.Size, int] = {}
        self._graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, rows: Tensor) -> Tensor:
        """Make a step and return its losses; the next step of the same shape overwrites them."""
        shape = rows.shape
        if shape not in self._graphs:
            self._calls[shape] = self._calls.get(shape, 0) + 1
            if self._calls[shape] <= WARM_UP:
                return self._step(rows)
            static_rows = rows.clone()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # captures the step without running it
                losses = self._step(static_rows)
            self._graphs[shape] = (graph, static_rows, losses)
        graph, static_rows, losses = self._graphs[shape]
        static_rows.copy_(rows)
        graph.replay()
        return losses


def fastest(step: Step, device: str) -> Step:
    """Return the step in the form that suits the device."""
    return CapturedStep(step) if device == "cuda" else step
