"""Claims of every kind: what number each is about, its rules, and its words."""
