"""The page on deploying it, held against real processes and programs."""
