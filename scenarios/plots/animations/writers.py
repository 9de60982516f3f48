"""Animations as files: GIF by pillow, MP4 by ffmpeg, and a page with a slider that needs no network."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.base.files import whole, write_whole
from coolgp.scenarios.plots.animations.animation import Moving
from coolgp.scenarios.plots.html import rendered

__all__ = ["WRITERS", "Film", "check_film_path", "filmed"]

FRAMES = 120
"""Of an animation, at most: of more rounds, some evenly spaced."""
DOTS = 100
"""Of an inch."""
PAGE_BYTES = 3_600_000
"""Of all pictures in a page, at most: base64 makes 4.8 MB of them."""
QUALITIES = ((92, 1.0), (80, 1.0), (60, 1.0), (80, 0.75), (60, 0.75), (40, 0.6))
"""Of pictures in a page, and their scale: the first that fits."""
WHITE = 255
"""The place of white in the palette of a GIF."""
HOLD = 2.0
"""Seconds that a GIF or MP4 stays at the last round."""


@dataclass(frozen=True)
class Film:
    """Pictures of rounds, all of one size, with what there is to say of them. fps: pictures in a second."""

    title: str
    caption: str
    rounds: Ints
    pictures: Sequence[Image.Image]
    fps: float

    @property
    def seconds(self) -> list[float]:
        """How long each picture stays."""
        return [1 / self.fps] * (len(self.pictures) - 1) + [max(HOLD, 1 / self.fps)]


def filmed(moving: Moving, title: str, caption: str, fps: float | None = None) -> Film:
    """Draw an animation in the style in force. fps: by default such that all takes some ten seconds."""
    count = len(moving.rounds)
    places = np.unique(np.linspace(0, count - 1, min(count, FRAMES)).round().astype(np.int64))
    figure, last = moving.figure, moving.rounds[-1]
    figure.set_dpi(DOTS)
    canvas: Any = FigureCanvasAgg(figure)
    words = figure.suptitle(f"Round {last} of {last}")
    moving.show(count - 1)
    canvas.draw()
    figure.set_layout_engine("none")  # panels stay where they are

    def picture(place: int) -> Image.Image:
        words.set_text(f"Round {moving.rounds[place]} of {last}")
        moving.show(place)
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())

    pictures = [picture(int(place)) for place in places]
    return Film(title, caption, moving.rounds[places], pictures, fps or float(np.clip(count / 10, 2.5, 15)))


def _one_palette(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """The pictures in 256 colours, the same in all, so that nothing flickers.

    Each colour of the first, the middle and the last counts once, or those of colour bars would be lost in large areas.
    """
    some = [np.asarray(pictures[place]) for place in {0, len(pictures) // 2, len(pictures) - 1}]
    numbers = np.unique(np.concatenate(some).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32))
    colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=-1).astype(np.uint8)
    palette = Image.fromarray(colours[None]).quantize(WHITE)
    return [_in_palette(picture, palette) for picture in pictures]


def _in_palette(picture: Image.Image, palette: Image.Image) -> Image.Image:
    """A picture in the colours of a palette, and in white, which the background is."""
    numbers = np.array(picture.quantize(palette=palette, dither=Image.Dither.NONE))
    numbers[(np.asarray(picture) == 255).all(axis=-1)] = WHITE
    coloured = Image.fromarray(numbers)
    entries = (palette.getpalette() or [])[: 3 * WHITE]
    coloured.putpalette([*entries, *[255] * (3 * (WHITE + 1) - len(entries))])
    return coloured


def write_gif(film: Film, path: Path) -> None:
    """An animated GIF that starts again at its end."""
    first, *others = _one_palette(film.pictures)
    durations = [round(1000 * seconds) for seconds in film.seconds]
    with whole(path) as temporary:
        first.save(
            temporary, format="GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False
        )


def write_mp4(film: Film, path: Path) -> None:
    """A video that any player shows. Raises ValueError where ffmpeg refuses."""
    width, height = (side - side % 2 for side in film.pictures[0].size)  # its colours are stored for pairs of dots
    raw = f"-y -loglevel error -f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {film.fps:.6g} -i -"
    coded = "-an -c:v libx264 -pix_fmt yuv420p -movflags +faststart -f mp4"
    repeats = [max(1, round(seconds * film.fps)) for seconds in film.seconds]
    frames = [picture.crop((0, 0, width, height)).tobytes() for picture in film.pictures]
    content = b"".join(frame * times for frame, times in zip(frames, repeats, strict=True))
    with whole(path) as temporary:
        command = [ffmpeg(), *raw.split(), *coded.split(), str(temporary)]
        result = subprocess.run(command, input=content, capture_output=True, check=False)
        if result.returncode:
            raise ValueError(f"{path}: ffmpeg failed: {result.stderr.decode(errors='replace').strip()[-300:]}")


def write_html(film: Film, path: Path) -> None:
    """A page with a slider; all that it shows is in it."""
    sources = [f"data:image/webp;base64,{base64.b64encode(picture).decode()}" for picture in _webp(film.pictures)]
    width, height = film.pictures[0].size
    page = rendered(
        "animation.html.j2",
        title=film.title,
        caption=film.caption,
        rounds=film.rounds.tolist(),
        frames=sources,
        milliseconds=round(1000 / film.fps),
        width=width,
        height=height,
    )
    write_whole(path, page)


def _webp(pictures: Sequence[Image.Image]) -> list[bytes]:
    """Pictures in all their colours, in a fraction of the bytes of PNG files; as good as the size of a page allows."""
    for quality, scale in QUALITIES:
        coded = [_coded(picture, quality, scale) for picture in pictures]
        if sum(map(len, coded)) <= PAGE_BYTES:
            break
    return coded


def _coded(picture: Image.Image, quality: int, scale: float) -> bytes:
    content = io.BytesIO()
    width, height = (round(scale * side) for side in picture.size)
    picture.resize((width, height)).save(content, format="WEBP", quality=quality, method=2)
    return content.getvalue()


def ffmpeg() -> str:
    """The program. Raises ValueError where there is none."""
    if found := shutil.which("ffmpeg"):
        return found
    if find_spec("imageio_ffmpeg"):
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    raise ValueError('an .mp4 needs ffmpeg: pip install "coolgp[video]", or take a file that ends in .gif or .html')


WRITERS: dict[str, Callable[[Film, Path], None]] = {".gif": write_gif, ".mp4": write_mp4, ".html": write_html}
"""By the end of a file's name."""


def check_film_path(path: Path) -> None:
    """Refuse a name with another end, a folder that is not there, and a video without ffmpeg. Raises ValueError."""
    if path.suffix.lower() not in WRITERS:
        raise ValueError(f"--out needs a file that ends in {_either(WRITERS)}; got {path}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.absolute().parent}")
    if WRITERS[path.suffix.lower()] is write_mp4:
        ffmpeg()


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
