"""Where files come from: downloads by URL, and the simulation of the demo."""
