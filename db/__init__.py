"""What the bot remembers, in SQLite or PostgreSQL: the tables and all that is asked of them."""
