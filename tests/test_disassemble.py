from __future__ import annotations

from decision_lists import decision_lists
from hypothesis import HealthCheck, given, settings

from otio_mapedit.assemble import assemble
from otio_mapedit.disassemble import disassemble
from otio_mapedit.operations import DecisionList


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(decision_lists())
def test_inverse(decisions: DecisionList) -> None:
    assert disassemble(assemble(decisions)) == decisions
