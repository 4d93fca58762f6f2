"""A day in an hour: load that goes on while processes die, departments fail and people withdraw. `make soak`."""
