"""How critpath speaks to a target: HTTP, sessions, and a real browser. All from the words of the profile."""
