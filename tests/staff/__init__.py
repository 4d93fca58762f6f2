"""Staff: roles kept apart, second persons, sessions, and each role's pages and nobody else's."""
