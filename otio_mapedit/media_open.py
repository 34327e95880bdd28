"""Opening media without surprises: regular files only, known containers only, nothing else read.

libav would otherwise follow playlists to other files and to the network, play text files as
pictures, and wait forever on a pipe.
"""

from __future__ import annotations

import errno
import io
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from .errors import MediaError
from .quicktime import lacks_index

#: libav's names of the containers that are taken. Playlists (hls, concat, dash), pictures
#: (image2 and the *_pipe family), text that libav plays (tty, subtitles) and raw streams without
#: timestamps are left out on purpose.
CONTAINERS: tuple[str, ...] = (
    "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts", "mxf",
    "gxf", "lxf", "dv", "asf", "flv", "ogg", "nut", "rm", "wtv", "ivf", "yuv4mpegpipe",
    "wav", "w64", "aiff", "caf", "au", "flac", "mp3", "aac", "ac3", "eac3", "dts", "amr",
    "wv", "ape", "tta", "tak",
)  # fmt: skip

#: Largest picture that is taken: 8192 x 8192. A damaged header may claim any size.
MAX_PIXELS = 1 << 26

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(CONTAINERS),
    "max_pixels": str(MAX_PIXELS),
}

_COPY_AGAIN = "Copy it again from its source."

#: Packets of streams that appear in the middle of a file (transport streams) that are passed over.
_MOST_NEW_STREAMS = 100_000

#: Seconds for opening and for one read, so that a disk that does not answer ends in an error.
_PATIENCE = (60.0, 60.0)

_LAYOUT = re.compile(r"^#channel_layout_name 0: (.+)$", re.MULTILINE)
_COUNTED = re.compile(r"^(\d+) channels")

_REASONS = {
    errno.ENOENT: ("no such file", "Check the path."),
    errno.ENOTDIR: ("no such file", "Check the path."),
    errno.EACCES: ("no permission to read it", "Change its permissions or copy it elsewhere."),
    errno.EPERM: ("no permission to read it", "Change its permissions or copy it elsewhere."),
    errno.ELOOP: ("a loop of links", "Name the file that is meant."),
    errno.ENAMETOOLONG: ("the name is too long", "Check the path."),
    errno.EIO: ("the disk reports a read error", "Copy the file again from its source."),
    errno.ETIMEDOUT: ("the disk does not answer", "Copy the file to a local disk."),
}


def regular_file(path: Path) -> Path:
    """``path`` made absolute, after making sure that it is a file with something in it.

    Raises:
        MediaError: missing, a folder, a device or pipe, empty, or a loop of links.
    """
    try:
        path = path.absolute()
        found = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise MediaError(path, "the path holds a null byte", "Check the path.") from error
    if stat.S_ISDIR(found.st_mode):
        raise MediaError(path, "a folder, not a file", "Name the files in it.")
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(path, "not a regular file", "Name a file on a disk.")
    if found.st_size == 0:
        raise MediaError(path, "the file is empty", "Copy it again from its source.")
    return path


def open_media(path: Path) -> InputContainer:
    """Open a media file for reading; use it in a ``with`` statement.

    Raises:
        MediaError: see :func:`regular_file`; also not media, or cut off before its index.
    """
    path = regular_file(path)
    try:
        with path.open("rb"):
            pass
        return av.open(
            str(path), "r", options=_OPTIONS, metadata_errors="replace", timeout=_PATIENCE
        )
    except (av.error.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise unreadable(path, error) from error


def packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Any]]:
    """Packets of some streams; each stream's last one is empty and brings out the decoder's rest.

    Raises:
        FFmpegError, OSError: reading failed before the end of the file.
    """
    for _ in range(_MOST_NEW_STREAMS):
        try:
            yield from container.demux(*streams)
        except IndexError:
            # A packet of a stream that was not there when the file was opened: passed over.
            continue
        return


def channel_layout(stream: Stream) -> tuple[int, str]:
    """Number of channels and the name of their layout, as libav names it, of a sound stream.

    PyAV's own ``layout`` and ``channels`` free memory that is not theirs where the channels stand
    in an order of their own, and the process dies; decoding does the same. So libav is asked by
    way of the header of its ``framecrc`` format, which is text.

    Raises:
        FFmpegError, ValueError: libav cannot tell.
    """
    text = io.BytesIO()
    with av.open(text, "w", format="framecrc") as description:
        description.add_stream_from_template(stream)
        description.start_encoding()
    found = _LAYOUT.search(text.getvalue().decode("utf-8", "replace"))
    if not found:
        raise ValueError("no channel layout")
    name = found[1].strip()
    counted = _COUNTED.match(name)
    return (int(counted[1]) if counted else av.AudioLayout(name).nb_channels), name


def own_order(layout: str) -> bool:
    """Whether the channels of a layout stand in an order of their own."""
    return _COUNTED.match(layout) is not None and "(" in layout


def unreadable(path: Path, error: BaseException) -> MediaError:
    """What the system or libav said about reading ``path``, in words."""
    number = getattr(error, "errno", None)
    if number in _REASONS:
        return MediaError(path, *_REASONS[number])
    if isinstance(error, av.error.ExitError):
        return MediaError(path, *_REASONS[errno.ETIMEDOUT])
    if isinstance(error, MemoryError):
        return MediaError(path, "damaged: it asks for more memory than there is", _COPY_AGAIN)
    if lacks_index(path):
        return MediaError(
            path,
            "cut off before its end: the index (moov) is missing",
            "Finish the recording or copy, or repair the file.",
        )
    return MediaError(
        path, "not a video or sound file that can be read", "Name a file such as a .mov or .wav."
    )
