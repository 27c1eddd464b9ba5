"""The daemon: it puts the other packages together, and alone knows APScheduler, the store, the web and the terminal."""
