"""The counter's desk: a requester's own program, which knows the broker by its wire alone and keeps cases by itself."""
