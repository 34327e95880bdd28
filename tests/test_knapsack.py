"""The knapsack against trying everything."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.knapsack import knapsack

items = st.lists(st.tuples(st.integers(-3, 20), st.integers(1, 12)), max_size=9)


@given(items, st.integers(0, 40))
def test_nothing_better_fits(pairs: list[tuple[int, int]], budget: int) -> None:
    values = np.array([value for value, _ in pairs], float)
    lengths = np.array([length for _, length in pairs], int)
    taken = knapsack(values, lengths, budget)
    assert lengths[taken].sum() <= budget
    every = (np.array(choice, bool) for choice in product([0, 1], repeat=len(pairs)))
    best = max(values[chosen].sum() for chosen in every if lengths[chosen].sum() <= budget)
    assert values[taken].sum() == best


@given(items, st.integers(0, 40), st.integers(10, 60))
def test_a_coarse_table_still_fits(
    pairs: list[tuple[int, int]], budget: int, most_cells: int
) -> None:
    values = np.array([value for value, _ in pairs], float)
    lengths = np.array([length for _, length in pairs], int)
    taken = knapsack(values, lengths, budget, most_cells)
    assert lengths[taken].sum() <= budget
    assert (values[taken] > 0).all()


def test_of_equals_the_earlier_wins() -> None:
    assert knapsack(np.ones(4), np.full(4, 5), 12).tolist() == [True, True, False, False]
