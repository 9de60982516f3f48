"""What is installed is what is in the repository."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("agents", "network", "fusion", "scenarios")


def test_the_wheel_holds_every_tracked_file_of_the_four_folders_and_nothing_else(tmp_path: Path) -> None:
    listing = ["git", "ls-files", *FOLDERS, "pyproject.toml", "README.md", "LICENSE"]
    tracked = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    for name in tracked:  # a copy: what earlier builds left beside the sources must not help or harm
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "source")], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("coolgp-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {f"coolgp/{name}" for name in tracked if name.startswith(FOLDERS)}
