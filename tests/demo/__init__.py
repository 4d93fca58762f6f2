"""The demo as a newcomer runs it, and the fund centre's client from the terminal."""
