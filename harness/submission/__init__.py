"""Studies handed to a cluster: manifests, batch scripts, and Ray's jobs."""
