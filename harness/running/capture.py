"""Training steps on a GPU without launching every kernel from Python: CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor], Tensor]
WARM_UP = 3
"""Steps of a shape that run as they are before one is captured: libraries set up their
workspaces in them. They are real steps, not repeated ones."""


class CapturedStep:
    """A step that is recorded once and then replayed.

    A step reads its argument and tensors that stay where they are, and changes them in place;
    its control flow and its shapes must not change from call to call. So one object serves one
    task: consolidation replaces its tensors between tasks.

    Parameters
    ----------
    step : takes (S, B) rows of samples, returns (S,) losses. B may differ from call to call (the
        last mini-batch of an epoch is shorter); each shape has a recording of its own.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._calls: dict[torch.Size, int] = {}
        self._graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, rows: Tensor) -> Tensor:
        """Make a step; the losses returned are overwritten by the next of the same shape."""
        shape = rows.shape
        if shape not in self._graphs:
            self._calls[shape] = self._calls.get(shape, 0) + 1
            if self._calls[shape] <= WARM_UP:
                return self._step(rows)
            static = rows.clone()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # records, does not run
                losses = self._step(static)
            self._graphs[shape] = (graph, static, losses)
        graph, static, losses = self._graphs[shape]
        static.copy_(rows)
        graph.replay()
        return losses


def fastest(step: Step, device: str) -> Step:
    """Return the step in the form that suits the device."""
    return CapturedStep(step) if device == "cuda" else step
