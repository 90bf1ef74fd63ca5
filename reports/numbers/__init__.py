"""Numbers: metrics of an accuracy matrix, statistics, verdicts. Pure functions."""
