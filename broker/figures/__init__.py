"""What the work comes to, in numbers: counted from the log alone, by the month, and safe to show to everybody."""
