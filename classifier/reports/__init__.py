"""What people read.

- report, plots, length_errors: a model version's report.html; model_card: its README.md
- why: why the models answered so, as pages show it
- templates: the environment of pages and cards; base and macros are what the pages share
- drawing, theme: the style of plots and charts, the colours of plots and pages

Imports evaluation and what is below it.
"""
