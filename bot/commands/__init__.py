"""What an operator does beside running the bot: check, back up, restore, move.

May import anything of this package but `__main__`, which starts these commands.
"""
