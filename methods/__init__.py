"""The science: stacked networks, softmax layers, optimisers, consolidation. Pure PyTorch."""
