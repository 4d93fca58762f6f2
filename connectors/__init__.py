"""How a department is asked: configured, never coded, per department. Sees no database, consent or audit."""
