"""How Alembic runs here: on the connection and inside the transaction that broker/schema.py was given."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
