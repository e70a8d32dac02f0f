"""Sphinx: the pages of this folder as a site. `make docs` builds it below docs/_build."""

# ruff: noqa: INP001 - Sphinx runs it from here; it is no package

project = "trueup"
copyright = "the trueup authors"  # noqa: A001 - the name that Sphinx wants
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "trueup"
myst_heading_anchors = 3
suppress_warnings = [
    "misc.highlighting_failure",  # Pygments' SQL does not know $$
    "myst.xref_missing",  # links to files outside of this folder
]
nitpicky = True
