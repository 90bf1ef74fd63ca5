"""Several sites together, as files and on the screen."""
