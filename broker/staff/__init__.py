"""Named people with one role each: auditors, stewards of departments, system and security administrators."""
