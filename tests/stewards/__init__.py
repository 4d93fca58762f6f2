"""The department steward's desk: the stop, who used what, corrections, applications, agreements."""
