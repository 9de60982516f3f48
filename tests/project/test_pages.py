"""Pages that are programs: every block runs, and what a page says comes out does."""

from pathlib import Path

import pytest

from tests.pages import differs, run_page
from tests.paths import ROOT

TUTORIAL = tuple(f"tutorial/{page}.md" for page in ("sums", "network", "apart", "personal"))
PAGES = ("estimators.md", "personalise.md", *TUTORIAL)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_comes_out_of_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code, came, said in run_page(ROOT / "docs" / name):
        assert not differs(came, said), f"after\n{code}\nthe page says\n{said}\nand there came\n{came}"
