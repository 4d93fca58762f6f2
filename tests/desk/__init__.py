"""The counter's desk: its own process, driven by keyboard alone, beside a real broker and a real phone."""
