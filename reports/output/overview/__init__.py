"""Several results directories on one page, as JSON, and on the screen."""
