"""A training function of one's own, without torch: a perceptron, and averaging as the trick.

``examples/mine.toml`` claims what averaging gains; run it from here or anywhere:

    python run_all.py run examples/mine.toml
"""

import random


def train(seed: int, average: bool = False, epochs: int = 5, noise: float = 1.5) -> float:
    """Return the accuracy on fresh samples, a fraction, of a perceptron trained on noisy labels."""
    draw = random.Random(seed)
    truth = [draw.gauss(0, 1) for _ in range(10)]

    def sample() -> tuple[list[float], int]:
        x = [draw.gauss(0, 1) for _ in truth]
        return x, 1 if dot(truth, x) + draw.gauss(0, noise) > 0 else -1

    training, test = [sample() for _ in range(200)], [sample() for _ in range(1000)]
    weights, total = [0.0] * len(truth), [0.0] * len(truth)
    for _ in range(epochs):
        draw.shuffle(training)
        for x, label in training:
            if label * dot(weights, x) <= 0:
                weights = [w + label * value for w, value in zip(weights, x, strict=True)]
            total = [t + w for t, w in zip(total, weights, strict=True)]
    used = total if average else weights
    return sum((dot(used, x) > 0) == (label > 0) for x, label in test) / len(test)


def dot(a: list[float], b: list[float]) -> float:
    """Return the inner product."""
    return sum(x * y for x, y in zip(a, b, strict=True))
