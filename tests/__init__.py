"""The tests mirror the rooms; they check the world, not mocks."""
