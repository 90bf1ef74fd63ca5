"""Records, the store that holds them, and the selection of the records of a study."""
