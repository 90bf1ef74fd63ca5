"""Blocks as tasks of Ray, in a process of their own, so that nothing of Ray can end the driver."""
