"""The consent room: keys, the strict token reader, claims, and others' vectors against them."""
