"""`make overload`: three times as much as can be done, and thousands of slow clients, held against what is promised."""
