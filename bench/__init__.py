"""What a plain check costs: the daemon beside Debian's blackbox exporter, on one target. See README.md."""
