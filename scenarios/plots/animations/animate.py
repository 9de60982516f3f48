"""Drawing an animation of a run into a file."""

from __future__ import annotations

from pathlib import Path

from coolgp.scenarios.plots.animations.animation import Moving
from coolgp.scenarios.plots.animations.registry import ANIMATIONS
from coolgp.scenarios.plots.animations.writers import WRITERS, check_film_path, filmed
from coolgp.scenarios.plots.style import house_style
from coolgp.scenarios.records.frames import Frames, read_frames
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["animate"]


def animate(folder: RunFolder, what: str | None = None, out: Path | None = None, fps: float | None = None) -> Path:
    """Draw an animation of a run into a file, by default ``RUN/<what>.gif``; its path.

    what: a name in `ANIMATIONS`. fps: rounds in a second. Raises ValueError where the run does not have what it needs.
    """
    if what is not None and what not in ANIMATIONS:
        raise ValueError(f"--what needs one of {', '.join(ANIMATIONS)}; got {what}")
    if out is not None:
        check_film_path(out)
    frames = read_frames(folder.path)
    with house_style():
        name, moving = _first(folder, frames, [what] if what else list(ANIMATIONS))
        film = filmed(moving, f"{folder.config.name}: {name}", ANIMATIONS[name].caption, fps)
    path = out or folder.path / f"{name}.gif"
    WRITERS[path.suffix.lower()](film, path)
    return path


def _first(folder: RunFolder, frames: Frames | None, names: list[str]) -> tuple[str, Moving]:
    """The first animation of these that the run allows."""
    for name in names:
        if (moving := ANIMATIONS[name].begin(folder, frames)) is not None:
            return name, moving
    raise ValueError(_why_not(folder, frames, names[0]))


def _why_not(folder: RunFolder, frames: Frames | None, name: str) -> str:
    """Why an animation cannot be drawn, and what to do."""
    always = ", ".join(other for other, animation in ANIMATIONS.items() if not animation.kept)
    if frames is None and ANIMATIONS[name].kept:
        again = f"coolgp run {folder.path / 'config.toml'} --set run.keep_predictions=true"
        lacks = f"{folder.path} keeps no predictions of single rounds, which {name} needs"
        return f"{lacks}: run it again with {again}; {always} need none"
    return f"{folder.path}: {name} is for {ANIMATIONS[name].when}; take one of {always}"
