"""The edit network: a decoder with additive temporal attention over what the encoder says.

The memory h_i of the encoder (:mod:`~otio_mapedit.training.edit_encoder`) is kept in slots of a
second. The decoder takes one step at a time:

    e_ti = v^T tanh(W_h h_i + W_s s_{t-1} + b) + r_{i-t} + u m_ti
    alpha_t = softmax(e_t),  c_t = sum_i alpha_ti h_i
    s_t = GRU([x_t, y_{t-1}, c_t], s_{t-1})

(Bahdanau, Cho and Bengio 2015), y_{t-1} being the previous operation, over the slots from ``past``
before to ``future`` after the step. r is a learned bias for the distance, and m_ti says whether the
sound of step t is repeated in slot i (:mod:`otio_mapedit.repeats`), as in location-aware attention
(Chorowski and others 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..edit_spec import FEATURES
from .edit_encoder import EditNetworkConfig, Encoder, Reader


@dataclass(frozen=True)
class EditAnswer:
    """What the network says of the decoded steps, before probabilities; all ``(B, D, ...)``.

    ``D`` are the run-up and the steps that the window answers for. ``read`` are the normalised
    features that ``reconstruction`` should be.
    """

    operation: Tensor
    splice: Tensor
    speed: Tensor
    grade: Tensor
    importance: Tensor
    reconstruction: Tensor
    quality: Tensor
    attention: Tensor
    read: Tensor


class EditNetwork(nn.Module):
    """See the module; reads ``(B, window, F)``."""

    def __init__(self, config: EditNetworkConfig) -> None:
        super().__init__()
        self.config = config
        spec = config.spec
        kinds = len(spec.operations)
        self.reader = Reader(config)
        self.encoder = Encoder(config)
        self.remember = nn.Linear(config.encoded, config.memory)
        self.keys = nn.Linear(config.memory, config.attended)
        self.query = nn.Linear(config.state, config.attended, bias=False)
        self.energy = nn.Linear(config.attended, 1, bias=False)
        self.distance = nn.Parameter(torch.zeros(spec.reach))
        self.match = nn.Parameter(torch.tensor([1.0, 1.0, 0.5]))
        self.given = nn.Linear(config.encoded, 3 * config.state)
        self.before = nn.Linear(kinds, 3 * config.state, bias=False)
        self.context = nn.Linear(config.memory, 3 * config.state, bias=False)
        self.held = nn.Linear(config.state, 3 * config.state)
        wide = config.state + config.encoded + config.memory
        self.operate = nn.Linear(config.state + config.memory, kinds)
        self.straight = nn.Linear(config.encoded, kinds)
        self.hidden = nn.Linear(wide, config.encoded)
        self.heads = nn.Linear(config.encoded, 3 + len(spec.speeds) + len(spec.quality))
        self.reconstruct = nn.Linear(config.state + config.memory, len(FEATURES))
        self._forget_hidden()

    def _forget_hidden(self) -> None:
        """Features that are not shown weigh nothing, so that a training that goes on with them
        shown begins where this one ended."""
        hidden = torch.nonzero(self.reader.get_buffer("shown") == 0)[:, 0]
        with torch.no_grad():
            self.encoder.project.weight[:, hidden] = 0
            self.encoder.fuse.weight[:, hidden] = 0

    def forward(
        self,
        steps: Tensor,
        truth: Tensor | None = None,
        taught: float = 0.0,
        stretches: int = 1,
    ) -> EditAnswer:
        """Answer for the decoded steps.

        ``truth`` (B, D) are the true operations, fed back in place of the network's own with the
        probability ``taught`` (scheduled sampling, Bengio and others 2015). In training the decoded
        steps may be cut into ``stretches`` of whole slots that are decoded beside each other, each
        from nothing: many times fewer steps wait for each other.
        """
        parts = self.prepare(steps)
        if stretches == 1:
            return self.finish(parts, *self._decoded(parts, truth, taught))
        batch, count = parts.given.shape[:2]
        length = count // stretches
        cut = self._side_by_side(parts, stretches)
        told = None if truth is None else truth.reshape(batch * stretches, length)
        states, contexts, operation, attention = (
            part.reshape(batch, count, part.shape[-1]) for part in self._decoded(cut, told, taught)
        )
        return self.finish(parts, states, contexts, operation, attention)

    def _side_by_side(self, parts: Prepared, stretches: int) -> Prepared:
        """Stretches of the decoded steps, each with its slots, as rows of a batch."""
        spec = self.config.spec
        batch, count = parts.given.shape[:2]
        length = count // stretches
        if length * stretches != count or length % spec.slot:
            raise ValueError(f"{count} steps are not {stretches} stretches of whole slots")

        def steps(values: Tensor) -> Tensor:
            return values.reshape(batch * stretches, length, values.shape[-1])

        def slots(values: Tensor) -> Tensor:
            by, wide = length // spec.slot, length // spec.slot + spec.reach - 1
            enough = values[:, : (stretches - 1) * by + wide]
            return enough.unfold(1, wide, by).transpose(2, 3).reshape(-1, wide, values.shape[-1])

        return Prepared(
            steps(parts.read),
            steps(parts.decoded),
            steps(parts.given),
            steps(parts.straight),
            slots(parts.slots),
            slots(parts.keys),
            steps(parts.bias),
        )

    def undecoded(self, steps: Tensor) -> EditAnswer:
        """What can be said without the decoder, whose state and context count as zero."""
        parts, config = self.prepare(steps), self.config
        states = parts.decoded.new_zeros(*parts.decoded.shape[:2], config.state)
        contexts = parts.decoded.new_zeros(*parts.decoded.shape[:2], config.memory)
        return self.finish(parts, states, contexts, parts.straight, parts.bias)

    def prepare(self, steps: Tensor) -> Prepared:
        """Everything that does not wait for the decoder."""
        spec = self.config.spec
        read = self.reader(steps)
        series = self.encoder(read)
        first = spec.before - spec.run_up
        decoded = series[:, first : first + spec.run_up + spec.stride]
        slots = functional.avg_pool1d(
            self.remember(series).transpose(1, 2), spec.slot, spec.slot
        ).transpose(1, 2)
        inside = steps[:, :: spec.slot, FEATURES.index("inside")]
        now = steps[:, first : first + spec.run_up + spec.stride]
        return Prepared(
            read[:, first : first + spec.run_up + spec.stride],
            decoded,
            self.given(decoded),
            self.straight(decoded),
            slots,
            self.keys(slots),
            self._bias(now, inside),
        )

    def _bias(self, now: Tensor, inside: Tensor) -> Tensor:
        """What each slot has in its favour without looking at the memory: ``(B, D, reach)``."""
        spec = self.config.spec
        count = now.shape[1]
        # The decoder begins where the window's attention has its first slot.
        places = torch.arange(spec.reach, device=now.device)
        within = (torch.arange(count, device=now.device) % spec.slot) / spec.slot
        bumps = []
        for name, sign in (("again", 1.0), ("next", 1.0), ("before", -1.0)):
            lag = now[..., FEATURES.index(f"{name} lag")]
            score = now[..., FEATURES.index(f"{name} score")].clamp(0, 6)
            steady = now[..., FEATURES.index(f"{name} steady")]
            at = spec.past + within + sign * lag - 0.5
            near = functional.relu(1 - (places - at[..., None]).abs() / 1.5)
            bumps.append(near * (score * (0.2 + steady) * (lag > 0))[..., None])
        shown = self.config.sound and self.config.repeats
        found = torch.stack(bumps, -1) @ self.match * float(shown)
        slot = torch.arange(count, device=now.device) // spec.slot
        there = inside[:, slot[:, None] + places]
        return self.distance + found - 30 * (1 - there)

    def step(
        self,
        given: Tensor,
        bias: Tensor,
        keys: Tensor,
        memory: Tensor,
        straight: Tensor,
        state: Tensor,
        before: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One step of the decoder: new state, context, operation logits, attention."""
        size = self.config.state
        if self.config.attention:
            seen = torch.tanh(keys + self.query(state)[:, None])
            alpha = (self.energy(seen)[..., 0] + bias).softmax(-1)
            context = (alpha[:, None] @ memory)[:, 0]
        else:
            alpha = torch.softmax(bias * 0, -1)
            context = memory[:, self.config.spec.past] * 0
        gates = given + self.before(before) + self.context(context)
        held = self.held(state)
        update = torch.sigmoid(gates[:, :size] + held[:, :size])
        reset = torch.sigmoid(gates[:, size : 2 * size] + held[:, size : 2 * size])
        fresh = torch.tanh(gates[:, 2 * size :] + reset * held[:, 2 * size :])
        state = (1 - update) * fresh + update * state
        logits = straight + self.operate(torch.cat([state, context], -1))
        return state, context, logits, alpha

    def _decoded(
        self, parts: Prepared, truth: Tensor | None, taught: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        spec = self.config.spec
        batch = len(parts.given)
        state = parts.given.new_zeros(batch, self.config.state)
        before = parts.given.new_zeros(batch, len(spec.operations))
        rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        # Taken apart at once: the gradient of every single cut would be as large as the whole.
        keys, slots = (
            part.unfold(1, spec.reach, 1).transpose(2, 3).unbind(1)
            for part in (parts.keys, parts.slots)
        )
        apart = zip(
            parts.given.unbind(1), parts.bias.unbind(1), parts.straight.unbind(1), strict=True
        )
        for at, (given, bias, straight) in enumerate(apart):
            low = at // spec.slot
            row = self.step(given, bias, keys[low], slots[low], straight, state, before)
            rows.append(row)
            state, before = row[0], row[2].detach().softmax(-1)
            if truth is not None and taught > 0:
                told = functional.one_hot(truth[:, at], len(spec.operations)).float()
                use = (torch.rand(batch, 1) < taught).float().to(told.device)
                before = use * told + (1 - use) * before
        states, contexts, logits, alphas = (
            torch.stack([row[part] for row in rows], 1) for part in range(4)
        )
        return states, contexts, logits, alphas

    def finish(
        self,
        parts: Prepared,
        states: Tensor,
        contexts: Tensor,
        operation: Tensor,
        attention: Tensor,
    ) -> EditAnswer:
        """The heads that nothing waits for."""
        spec = self.config.spec
        both = torch.cat([states, contexts], -1)
        said = self.heads(
            functional.relu(self.hidden(torch.cat([states, parts.decoded, contexts], -1)))
        )
        one, speed, quality = said.split([3, len(spec.speeds), len(spec.quality)], -1)
        return EditAnswer(
            operation=operation,
            splice=one[..., 0],
            speed=speed,
            grade=one[..., 1],
            importance=one[..., 2],
            reconstruction=self.reconstruct(both),
            quality=quality,
            attention=attention,
            read=parts.read,
        )


@dataclass(frozen=True)
class Prepared:
    """What the decoder works on; ``(B, D, ...)`` but for the slots, ``(B, slots, ...)``."""

    read: Tensor
    decoded: Tensor
    given: Tensor
    straight: Tensor
    slots: Tensor
    keys: Tensor
    bias: Tensor
