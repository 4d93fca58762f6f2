"""What may be said of an error that nobody foresaw."""


def where_raised(error: Exception) -> str:
    """The error's type and the line that raised it: enough to mend it, and no value in it."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
