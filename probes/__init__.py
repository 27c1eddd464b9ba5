"""What critpath knows of walking a path: the clients, and a folder of probes for each critical path."""
