"""The measuring program itself; nothing here looks at a time."""
