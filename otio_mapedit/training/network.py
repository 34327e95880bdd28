"""The shot network: a factorised 3-D convolution pyramid, a similarity band, a GRU.

A frame's thumbnail passes four stages, each a spatial 1 x 3 x 3 convolution that halves the picture
and, from the second on, a temporal convolution that mixes it with its neighbours, the further the
later the stage. On a CPU both are fastest as 2-D operators over batch x time: the temporal one is a
1 x 1 convolution of shifted copies. The pooled features of every stage together (the multi-scale
fusion) describe the frame. Beside them stands the similarity band: how far the frame is from each
of its neighbours up to ``lags`` away, by a learned embedding, by the picture itself, by its light
alone and by its colours. The patch band says the same of twelve parts of the picture, so that a
part that changes (a screen, a title, a window) can be told from a whole that does. Temporal
convolutions and a GRU in both directions read all of it and answer for every frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..spec import ShotSpec

PATCHES = 12
"""Parts of the picture, three rows of four, that the patch band compares."""


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network; ``spec`` fixes what goes in and comes out.

    ``widths`` are the channels of the pyramid's stages, ``sight`` how many frames before and after
    the second and every later one looks (at 1, 2, 4, ... frames up to that), ``fused`` the size of
    a frame's description, ``lags`` the reach of the band in frames (0: no band), ``patches`` the
    distances at which parts of the picture are compared, ``reaches`` those of the temporal
    convolutions, ``state`` the GRU's size per direction (0: no GRU), ``bins`` the histogram's bins
    per colour. Without ``scales`` only the last stage describes the frame.
    """

    widths: tuple[int, ...] = (16, 32, 64, 96)
    sight: tuple[int, ...] = (1, 1, 1)
    fused: int = 64
    lags: int = 16
    patches: tuple[int, ...] = (1, 2, 4, 8)
    reaches: tuple[int, ...] = (1, 2, 4, 8)
    state: int = 64
    bins: int = 8
    scales: bool = True
    spec: ShotSpec = field(default_factory=ShotSpec)


class Stage(nn.Module):
    """One stage of the pyramid: ``(B*T, C, h, w)`` to ``(B*T, width, h/2, w/2)``."""

    def __init__(self, channels: int, width: int, sight: int) -> None:
        super().__init__()
        far = [side << power for power in range(1, sight.bit_length()) for side in (1, -1)]
        self.shifts = [1, 0, -1, *far] if sight else []
        self.spatial = nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.temporal = nn.Conv2d(len(self.shifts) * width, width, 1) if sight else None

    def forward(self, frames: Tensor) -> Tensor:
        """Runs lie end to end on the first axis; at their ends the neighbour is another run.

        That spoils as many frames at either end of a run as the stages look far, which is less
        than the context that is thrown away there.
        """
        here = functional.relu(self.norm(self.spatial(frames)))
        if self.temporal is None:
            return here
        seen = [here.roll(shift, 0) if shift else here for shift in self.shifts]
        return functional.relu(here + self.temporal(torch.cat(seen, 1)))


class Band(nn.Module):
    """Similarity of every frame to its neighbours: ``(B, T, E)`` to ``(B, T, 2 * lags)``.

    Features of unit length are compared by their scalar product. Beyond the ends of the run the
    last frame stands in.
    """

    def __init__(self, lags: int) -> None:
        super().__init__()
        steps = [step for step in range(-lags, lags + 1) if step]
        self.register_buffer("steps", torch.tensor(steps), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        alike = features @ features.transpose(1, 2)
        count = features.shape[1]
        steps: Tensor = self.get_buffer("steps")
        neighbours = torch.arange(count, device=features.device)[:, None] + steps
        neighbours = neighbours.clamp(min=0).minimum(torch.full_like(neighbours, 1) * (count - 1))
        return alike.gather(2, neighbours.expand(features.shape[0], -1, -1))


class TemporalBlock(nn.Module):
    """A residual temporal convolution over ``(B, C, T)`` that reaches ``dilation`` frames."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, series: Tensor) -> Tensor:
        """See the class."""
        return functional.relu(series + self.norm(self.mix(series)))


@dataclass(frozen=True)
class Answer:
    """What the network says before probabilities are made of it; all ``(B, T, ...)``.

    ``reconstructed`` are the pooled features as the GRU's state remembers them and ``pooled`` what
    they were; the two meet in the reconstruction loss. ``taught (B, T, 2)`` says what the teacher
    would: that the frame is the last before a change, that it is part of one.
    """

    cut: Tensor
    transition: Tensor
    kind: Tensor
    embedding: Tensor
    quality: Tensor
    taught: Tensor
    pooled: Tensor
    reconstructed: Tensor


class ShotNetwork(nn.Module):
    """See the module; reads uint8 ``(B, T, 27, 48, 3)``."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        spec, widths = config.spec, config.widths
        self.stages = nn.ModuleList(
            Stage(before, width, sight)
            for before, width, sight in zip(
                (3, *widths[:-1]), widths, (0, *config.sight)[: len(widths)], strict=True
            )
        )
        pooled = (sum(widths) if config.scales else 0) + 6 * widths[-1]
        self.pooled_norm = nn.LayerNorm(pooled)
        self.fuse = nn.Linear(pooled, config.fused)
        self.embed = nn.Linear(pooled, spec.embedding)
        self.band = Band(config.lags)
        compared = 4 * 2 * config.lags + PATCHES * 2 * len(config.patches)
        self.read_band = nn.Linear(compared, config.fused) if compared else None
        wide = config.fused * (2 if compared else 1)
        self.blocks = nn.Sequential(*(TemporalBlock(wide, reach) for reach in config.reaches))
        self.gru = (
            nn.GRU(wide, config.state, batch_first=True, bidirectional=True)
            if config.state
            else None
        )
        self.sizes = [1, 1, len(spec.kinds), len(spec.quality), 2]
        self.hidden = nn.Linear(wide + 2 * config.state, 2 * config.fused)
        self.heads = nn.Linear(2 * config.fused, sum(self.sizes))
        self.reconstruct = nn.Linear(2 * config.state or wide, pooled)

    def forward(self, frames: Tensor) -> Answer:
        """Answer for every frame of every run."""
        batch = frames.shape[0]
        flat = frames.flatten(0, 1).permute(0, 3, 1, 2).float() / 127.5 - 1
        pooled = self._pooled(flat, batch)
        embedding = functional.normalize(self.embed(pooled), dim=-1)
        series = self.fuse(pooled)
        if self.read_band is not None:
            compared = self._compared(flat, batch, embedding.float())
            series = torch.cat([series, self.read_band(compared).to(series.dtype)], -1)
        series = self.blocks(functional.relu(series).transpose(1, 2)).transpose(1, 2)
        state, known = series, series
        if self.gru is not None:
            state, _ = self.gru(series)
            known = torch.cat([series, state], -1)
        said = self.heads(functional.relu(self.hidden(known)))
        cut, transition, kind, quality, taught = said.float().split(self.sizes, -1)
        return Answer(
            cut[..., 0],
            transition[..., 0],
            kind,
            embedding,
            quality,
            taught,
            pooled,
            self.reconstruct(state),
        )

    def _compared(self, flat: Tensor, batch: int | Tensor, embedding: Tensor) -> Tensor:
        """How far every frame is from its neighbours, as a whole and in parts."""
        config, apart = self.config, []
        if config.lags:
            bands = [embedding, *_raw_features(flat, batch, config.bins)]
            similar = torch.cat([self.band(features) for features in bands], -1)
            # Distances, not products: they tell near-equal frames from equal ones.
            apart.append((2 * (1 - similar).clamp(min=0) + 1e-4).sqrt())
        if config.patches:
            apart.append(_patch_band(flat, batch, config.patches))
        return torch.cat(apart, -1)

    def _pooled(self, flat: Tensor, batch: int | Tensor) -> Tensor:
        """Features of every scale, pooled over the picture; of the last also its six parts."""
        picture, scales = flat.contiguous(memory_format=torch.channels_last), []
        for stage in self.stages:
            picture = stage(picture)
            if self.config.scales:
                scales.append(picture.mean((2, 3)))
        scales.append(picture.flatten(1))
        return self.pooled_norm(torch.cat(scales, 1).reshape(batch, -1, self.fuse.in_features))


def _patch_band(flat: Tensor, batch: int | Tensor, distances: tuple[int, ...]) -> Tensor:
    """How much each of 3 x 4 parts of the picture changes: ``(B, T, 24 * len(distances))``.

    The mean absolute difference of a part, in a small picture of 9 x 12, to the frames that far
    before and after; its square root, so that small changes count, too. Beyond the ends of the
    run the picture of that end stands in.
    """
    small = functional.avg_pool2d(flat, (3, 4)).flatten(1)
    small = small.reshape(batch, -1, 3 * 9 * 12)
    changes = []
    for distance in distances:
        head, tail = small[:, :1].expand(-1, distance, -1), small[:, -1:].expand(-1, distance, -1)
        before = torch.cat([head, small], 1)[:, : -distance or None]
        after = torch.cat([small, tail], 1)[:, distance:]
        changes += [(small - before).abs(), (small - after).abs()]
    every = torch.stack(changes, 2).flatten(0, 2).unflatten(1, (3, 9, 12))
    parts = functional.avg_pool2d(every, 3).mean(1).flatten(1)
    return (parts + 1e-4).sqrt().reshape(batch, -1, PATCHES * len(changes))


def _raw_features(flat: Tensor, batch: int | Tensor, bins: int) -> list[Tensor]:
    """The picture in small, its light alone, and its colours: three ``(B, T, n)`` of unit length.

    The histogram spreads each value over its two nearest bins, so that it changes smoothly.
    """
    small = functional.avg_pool2d(flat, (3, 4))
    light = small.mean(1, keepdim=True)
    light = light - light.mean((2, 3), keepdim=True)
    coarse = functional.avg_pool2d(flat, 3)
    middles = torch.linspace(-1, 1, bins, device=flat.device)
    nearness = functional.relu(1 - (coarse.flatten(2)[..., None] - middles).abs() * (bins - 1) / 2)
    features = (small.flatten(1), light.flatten(1), nearness.sum(2).flatten(1))
    return [functional.normalize(one.reshape(batch, -1, one.shape[1]), dim=-1) for one in features]


class Probabilities(nn.Module):
    """The network as it is shipped: ``frames`` to the five outputs of ``ShotSpec``.

    ``cut`` is a mean, on the logit scale, of what exact truth taught and, with the weight
    ``teacher_share``, of what the teacher did, which marks the last frame before a change, we the
    first after it. Of transitions exact truth alone has a say: the teacher does not see many a
    wipe. ``sharpness`` stretches both on that scale, so that what is said to be nine in ten is:
    softened truth makes a network say less than it knows.
    """

    def __init__(
        self, network: ShotNetwork, teacher_share: float = 0.0, sharpness: float = 1.0
    ) -> None:
        super().__init__()
        self.network, self.teacher_share, self.sharpness = network, teacher_share, sharpness

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """``cut``, ``transition``, ``kind``, ``embedding``, ``quality``."""
        said: Answer = self.network(frames)
        cut, share = said.cut, self.teacher_share
        if share:
            single = said.taught[..., 0]
            single = torch.cat([single[:, :1], single[:, :-1]], 1)
            cut = (1 - share) * cut + share * single
        return (
            (self.sharpness * cut).sigmoid(),
            (self.sharpness * said.transition).sigmoid(),
            said.kind.softmax(-1),
            said.embedding,
            said.quality.sigmoid(),
        )
