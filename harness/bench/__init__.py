"""Benchmark: how a step spends its time, and how much time the stack saves."""
