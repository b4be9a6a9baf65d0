"""All that a person reads, in Russian and in English; languages.py says who reads which.

Imports services, whose findings it words; holds no numbers and no layout.
"""
