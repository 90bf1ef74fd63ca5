"""Studies with their conditions, factors and claims, and the studies that ship."""
