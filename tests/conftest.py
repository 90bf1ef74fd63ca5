"""One thread: the laws on bits are stated for it, and the machine may be shared."""

import torch

torch.set_num_threads(1)
