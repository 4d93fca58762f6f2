"""What happens when things go wrong: each promise under the fault that would break it."""
