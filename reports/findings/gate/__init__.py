"""The regression gate: what new results say against accepted ones."""
