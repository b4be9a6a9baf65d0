"""What the bot remembers, in SQLite or PostgreSQL: the tables in models.py, and a module of queries
for each concern. address.py reads the URL, engine.py connects, migrate.py brings the schema up to
date.
"""
