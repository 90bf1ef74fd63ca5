"""What is run: studies, their conditions, factors and claims; and the studies that ship."""
