"""The edit network's encoder: what it reads, and what it makes of every step of a window.

A projection, its means over spans from one second to a minute beside it (the multi-scale fusion),
dilated temporal convolutions, and, where the configuration asks for it, a GRU that runs forwards or
one in each direction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..edit_spec import (
    FEATURES,
    PICTURE_FEATURES,
    REPEAT_FEATURES,
    SHOT_NETWORK_FEATURES,
    SOUND_FEATURES,
    EditSpec,
)

SPANS = (4, 16, 64, 256)
"""Steps of the pooling spans: one second to about a minute."""


@dataclass(frozen=True)
class EditNetworkConfig:
    """Sizes of the network and what is left out for an ablation; ``spec`` fixes in- and output.

    ``width`` of the projection, ``encoded`` channels of the convolutions and the encoder's GRU,
    ``memory`` size of a slot, ``attended`` inner size of the attention, ``state`` of the decoder.
    ``both_ways``: the encoder's GRU reads the window backwards too. ``dropout`` of what the encoder
    fuses and describes, while it learns.
    """

    width: int = 64
    encoded: int = 96
    memory: int = 64
    attended: int = 32
    state: int = 96
    dropout: float = 0.0
    attention: bool = True
    recurrent: bool = True
    both_ways: bool = False
    scales: bool = True
    sound: bool = True
    repeats: bool = True
    picture: bool = True
    watched: bool = True
    spec: EditSpec = field(default_factory=EditSpec)


class Reader(nn.Module):
    """Normalises the features, and hides what an ablation leaves out."""

    def __init__(self, config: EditNetworkConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(FEATURES)))
        self.register_buffer("spread", torch.ones(len(FEATURES)))
        shown = torch.ones(len(FEATURES))
        for there, names in (
            (config.sound, SOUND_FEATURES),
            (config.sound and config.repeats, REPEAT_FEATURES),
            (config.picture, PICTURE_FEATURES),
            (config.watched, SHOT_NETWORK_FEATURES),
        ):
            if not there:
                shown[[FEATURES.index(name) for name in names]] = 0
        self.register_buffer("shown", shown, persistent=False)

    def forward(self, steps: Tensor) -> Tensor:
        """``(B, T, F)`` in units of their spread, zero outside the file."""
        inside = steps[..., FEATURES.index("inside"), None]
        scaled = (steps - self.get_buffer("mean")) / self.get_buffer("spread")
        return scaled.clamp(-5, 5) * self.get_buffer("shown") * inside


class Dilated(nn.Module):
    """A residual temporal convolution over ``(B, C, T)`` that reaches ``dilation`` steps."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, series: Tensor) -> Tensor:
        """See the class."""
        return series + functional.relu(self.norm(self.mix(series)))


class Encoder(nn.Module):
    """Steps ``(B, T, F)``, normalised, to their description ``(B, T, encoded)``."""

    def __init__(self, config: EditNetworkConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.project = nn.Linear(len(FEATURES), width)
        fused = width * (1 + (len(SPANS) if config.scales else 0)) + len(FEATURES)
        self.fuse = nn.Linear(fused, config.encoded)
        self.blocks = nn.Sequential(*(Dilated(config.encoded, reach) for reach in (1, 2, 4, 8)))
        size, ways = config.encoded, 2 if config.both_ways else 1
        if config.recurrent:
            self.gru = nn.GRU(size, size, batch_first=True, bidirectional=config.both_ways)
            self.join = nn.Linear((1 + ways) * size, size)

    def forward(self, read: Tensor) -> Tensor:
        """See the class."""
        projected = functional.relu(self.project(read))
        scales = [read, projected]
        if self.config.scales:
            series = projected.transpose(1, 2)
            scales += [self._means(series, span).transpose(1, 2) for span in SPANS]
        series = self._dropped(functional.relu(self.fuse(torch.cat(scales, -1))))
        series = self._dropped(self.blocks(series.transpose(1, 2)).transpose(1, 2))
        if not self.config.recurrent:
            return series
        state, _ = self.gru(series)
        return series + functional.relu(self.join(torch.cat([series, state], -1)))

    def _dropped(self, series: Tensor) -> Tensor:
        return functional.dropout(series, self.config.dropout, self.training)

    def _means(self, series: Tensor, span: int) -> Tensor:
        """The mean over ``span`` steps around each of ``(B, C, T)``; in training by running sums,
        which does not take longer for longer spans."""
        if not self.training:
            return functional.avg_pool1d(series, span + 1, 1, span // 2, count_include_pad=False)
        sums = functional.pad(series.cumsum(-1), (1, 0))
        count = series.shape[-1]
        places = torch.arange(count, device=series.device)
        low, high = (places - span // 2).clamp(min=0), (places + span // 2 + 1).clamp(max=count)
        return (sums[..., high] - sums[..., low]) / (high - low)
