"""The running program: the one path, the wire, the pages and the commands. Nobody imports it."""
