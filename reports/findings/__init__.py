"""What the numbers say of a study: contrasts, causes, curves, agreement, in one value."""
