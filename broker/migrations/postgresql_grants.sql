-- Rights of the broker's processes on PostgreSQL: the log is insert-only for them.
--
-- Two roles: one owns the database and runs `broker init` and `broker migrate`; the other, which serves, owns nothing.
-- Run as the owner after `broker init` and again after each `broker migrate`:
--
--     psql -d consent -v serving=broker_serving -f broker/migrations/postgresql_grants.sql
--
-- A guard rail, not the proof: the owner and any superuser can still change every row, which the tree's root shows.
\set ON_ERROR_STOP on
BEGIN;
GRANT USAGE ON SCHEMA public TO :"serving";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"serving";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"serving";
REVOKE UPDATE, DELETE ON audit_entry, audit_tile FROM :"serving";
-- The head is one row that is rewritten by each commit, never added to or removed
REVOKE INSERT, DELETE ON audit_head FROM :"serving";
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM :"serving";
COMMIT;
