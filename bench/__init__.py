"""`make bench`: how fast an exchange is, as a share of what a bare FastAPI hello costs in the same process."""
