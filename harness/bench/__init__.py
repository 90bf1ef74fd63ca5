"""Ratios measured in one run: where the time goes, and what the stack saves."""
