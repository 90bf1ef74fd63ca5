"""How lanes see one task differently: each its own samples, or its own order of the features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """The samples of one task as each of S lanes sees them.

    Nothing is copied before a mini-batch is taken, so that any number of orders costs no memory.

    Attributes
    ----------
    lanes : S.
    offsets : (S, 1) first row of each lane's samples, where the rows of all stand one after the
        other; None where all lanes share their samples.
    columns : (S, in) the feature that each lane has in each place; None for the order as it is.
    samples : (S, n) the rows that are each lane's; None where it has all of them.
    """

    lanes: int
    offsets: Tensor | None = None
    columns: Tensor | None = None
    samples: Tensor | None = None

    def size(self, rows: int) -> int:
        """Return how many of all rows are one lane's."""
        if self.samples is not None:
            return self.samples.shape[1]
        return rows if self.offsets is None else rows // self.lanes

    def rows(self, chunk: slice) -> Tensor:
        """Return the rows of a chunk of samples for each lane, (S, b)."""
        own = (self.offsets, self.columns, self.samples)
        device = next((t.device for t in own if t is not None), None)
        return torch.arange(chunk.start, chunk.stop, device=device).expand(self.lanes, -1)

    def take(self, inputs: Tensor, labels: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs (S, B, in) and labels (S, B) of each lane's own ``rows`` (S, B)."""
        if self.samples is not None:
            rows = self.samples.gather(1, rows)
        of_all = (rows if self.offsets is None else rows + self.offsets).reshape(-1)
        taken = inputs.index_select(0, of_all).view(*rows.shape, -1)
        if self.columns is not None:
            taken = taken.gather(2, self.columns.unsqueeze(1).expand_as(taken))
        return taken, labels.index_select(0, of_all).view(rows.shape)
