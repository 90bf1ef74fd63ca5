"""Running a study: the plan, the training of a block, the executors, the run from start to end."""
