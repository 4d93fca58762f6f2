"""What must hold however large the log is: searching, its projection, and the bench that measures both."""
