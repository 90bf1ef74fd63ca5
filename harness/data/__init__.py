"""Data sets, their sources, and the tasks that they are cut into."""
