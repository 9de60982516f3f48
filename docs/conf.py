"""The documentation site: pages beside this file, and a reference made from the package when the site is built."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / ".links"), str(HERE)]

from made import write_reference  # noqa: E402  # beside this file

from coolgp import __version__  # noqa: E402

project, author, release = "coolgp", "The coolgp developers", __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build"]
default_role = "literal"  # type: ignore[assignment]
html_theme, html_title = "furo", "coolgp"
html_show_sphinx = html_show_copyright = html_copy_source = False
html_static_path: list[str] = []
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
ROUTING = ("fit", "partial_fit", "predict", "predict_proba", "score")  # scikit-learn adds a method for each
autodoc_default_options = {"members": True, "exclude-members": ",".join(f"set_{name}_request" for name in ROUTING)}
napoleon_google_docstring = napoleon_numpy_docstring = True
napoleon_use_ivar = True

write_reference(HERE / "reference")
