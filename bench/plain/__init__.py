"""The plain program: what a good engineer would write in a day for the same exchange, measured beside ours.

FastAPI with pydantic, PyJWT, an ORM session per request, a commit before asking and one after, a hash chain, httpx.
It takes the same signed bytes, asks the same departments, cuts to the granted fields and is as durable (WAL with
synchronous=FULL, or PostgreSQL). What it leaves out: reading tokens more strictly than PyJWT does; rules (who may
ask what for which matter); a signed, provable log (its receipt is a hash of its chain); sealed persons; repeats and
late answers; limits, breakers and retries for departments; problems with codes; metrics and a log line per request.
"""
