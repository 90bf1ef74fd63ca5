"""The text of a report: one file a finding, and the order in which they are read."""
