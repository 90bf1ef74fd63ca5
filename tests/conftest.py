"""One thread: the laws on bits are stated for it, and the machine may be shared."""

import signal

import torch

torch.set_num_threads(1)

# A shell ignores SIGINT in what it starts in the background, and so would the programs of the tests
# that are interrupted by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
