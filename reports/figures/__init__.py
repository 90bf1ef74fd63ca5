"""Figures, one file a finding."""
