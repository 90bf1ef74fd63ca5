"""The gate's answer as files and on the screen."""
