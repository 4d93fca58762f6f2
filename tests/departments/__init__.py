"""Every kind of department, each told every fault, and what that costs the others."""
