"""Time: SMPTE's known values, and that nothing is lost on any way there and back."""

from __future__ import annotations

import re
from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otio_mapedit.errors import OptionError
from otio_mapedit.timing import (
    NTSC_24,
    NTSC_30,
    NTSC_60,
    STANDARD_RATES,
    FrameRange,
    Length,
    can_drop_frames,
    exact_rate,
    exact_seconds,
    exact_time,
    frame_at,
    frame_of_timecode,
    frame_within,
    frames_covering,
    nominal_rate,
    parse_length,
    parse_rate,
    rate_text,
    rational_time,
    rescale_floor,
    rescale_round,
    seconds_at,
    standard_rate,
    time_range,
    timecode,
)

NTSC_120 = Fraction(120000, 1001)
DROP_RATES = [NTSC_30, NTSC_60, NTSC_120]

rates = st.sampled_from([*STANDARD_RATES, Fraction(12), Fraction(15), Fraction(179, 6)])
frames = st.integers(0, 10**7)


def per_day(rate: Fraction, drop_frame: bool) -> int:
    """Frames whose timecode is different, by SMPTE ST 12-1."""
    labels = nominal_rate(rate)
    dropped = labels // 15 if drop_frame else 0
    return labels * 86400 - dropped * (24 * 60 - 24 * 6)


# Timecode


@pytest.mark.parametrize(
    ("frame", "rate", "drop_frame", "text"),
    [
        (0, NTSC_30, True, "00:00:00;00"),
        (1799, NTSC_30, True, "00:00:59;29"),
        (1800, NTSC_30, True, "00:01:00;02"),
        (3597, NTSC_30, True, "00:01:59;29"),
        (3598, NTSC_30, True, "00:02:00;02"),
        (17981, NTSC_30, True, "00:09:59;29"),
        (17982, NTSC_30, True, "00:10:00;00"),
        (17983, NTSC_30, True, "00:10:00;01"),
        (107892, NTSC_30, True, "01:00:00;00"),
        (2589407, NTSC_30, True, "23:59:59;29"),
        (2589408, NTSC_30, True, "00:00:00;00"),
        (1800, NTSC_30, False, "00:01:00:00"),
        (108000, NTSC_30, False, "01:00:00:00"),
        (3599, NTSC_60, True, "00:00:59;59"),
        (3600, NTSC_60, True, "00:01:00;04"),
        (35964, NTSC_60, True, "00:10:00;00"),
        (215784, NTSC_60, True, "01:00:00;00"),
        (7200, NTSC_120, True, "00:01:00;008"),
        (71928, NTSC_120, True, "00:10:00;000"),
        (86400, NTSC_24, False, "01:00:00:00"),
        (86399, Fraction(24), False, "00:59:59:23"),
        (90000, Fraction(25), False, "01:00:00:00"),
        (899, Fraction(50), False, "00:00:17:49"),
        (119, Fraction(120), False, "00:00:00:119"),
        (100, Fraction(100), False, "00:00:01:00"),
        (30, Fraction(179, 6), False, "00:00:01:00"),
        (-1, Fraction(25), False, "23:59:59:24"),
        (-1, NTSC_30, True, "23:59:59;29"),
    ],
)
def test_known_labels(frame: int, rate: Fraction, drop_frame: bool, text: str) -> None:
    assert timecode(frame, rate, drop_frame) == text
    assert frame_of_timecode(text, rate, drop_frame) == frame % per_day(rate, drop_frame)


@given(frames, rates)
def test_timecode_and_back(frame: int, rate: Fraction) -> None:
    text = timecode(frame, rate, False)
    assert frame_of_timecode(text, rate) == frame % per_day(rate, False)


@given(frames, st.sampled_from(DROP_RATES))
def test_drop_frame_timecode_and_back(frame: int, rate: Fraction) -> None:
    text = timecode(frame, rate, True)
    assert frame_of_timecode(text, rate) == frame % per_day(rate, True)
    assert frame_of_timecode(text, rate, True) == frame % per_day(rate, True)


@given(frames, st.sampled_from(DROP_RATES))
def test_drop_frame_labels_follow_the_clock(frame: int, rate: Fraction) -> None:
    """Within a day the label is never two frames away from real time."""
    frame %= per_day(rate, True)
    hours, minutes, seconds, count = map(int, re.split("[:;]", timecode(frame, rate, True)))
    label = Fraction(hours * 3600 + minutes * 60 + seconds) + Fraction(count, nominal_rate(rate))
    # SMPTE ST 12-1: at most about 75 ms over 24 hours, and the labels left out each minute.
    assert abs(label - seconds_at(frame, rate)) < Fraction(15, 100)


@given(frames, st.sampled_from(DROP_RATES))
def test_next_frame_has_the_next_label(frame: int, rate: Fraction) -> None:
    labels = nominal_rate(rate)
    before, after = (
        [int(part) for part in re.split("[:;]", timecode(number, rate, True))]
        for number in (frame, frame + 1)
    )
    if after[2] != before[2]:
        assert before[3] == labels - 1
        dropped = after[2] == 0 and after[1] % 10 != 0
        assert after[3] == (labels // 15 if dropped else 0)
    else:
        assert after[3] == before[3] + 1


def test_our_drop_frame_agrees_with_otio() -> None:
    for frame in (0, 1799, 1800, 17982, 107892, 2589407):
        for rate in (NTSC_30, NTSC_60):
            theirs = rational_time(frame, rate).to_timecode(float(rate), True)
            assert timecode(frame, rate, True) == theirs


@pytest.mark.parametrize(
    "text",
    ["", "noon", "1:2:3:4", "00:00:00", "00:00:00:30", "24:00:00:00", "00:60:00:00", "00:00:60:00",
     "-1:00:00:00", "00:00:00:00x", "0x:00:00:00", "00:01:00;00", "00:01:00;01", "01:59:00,01"],
)  # fmt: skip
def test_labels_that_do_not_exist(text: str) -> None:
    with pytest.raises(OptionError):
        frame_of_timecode(text, NTSC_30)


def test_left_out_label_names_the_next() -> None:
    with pytest.raises(OptionError, match=re.escape("00:01:00;02")):
        frame_of_timecode("00:01:00;00", NTSC_30)
    with pytest.raises(OptionError, match=re.escape("00:01:00;04")):
        frame_of_timecode("00:01:00;03", NTSC_60)
    assert frame_of_timecode("00:10:00;00", NTSC_30) == 17982


def test_drop_frame_is_only_where_it_is_defined() -> None:
    for rate in STANDARD_RATES:
        if can_drop_frames(rate):
            continue
        with pytest.raises(ValueError, match="drop-frame"):
            timecode(0, rate, True)
        with pytest.raises(OptionError):
            frame_of_timecode("00:00:00:00", rate, True)
        # A semicolon alone asks for nothing that the rate does not have.
        assert frame_of_timecode("00:00:01;00", rate) == nominal_rate(rate)


def test_separator_says_drop_frame() -> None:
    assert frame_of_timecode("01:00:00;00", NTSC_30) == 107892
    assert frame_of_timecode("01:00:00,00", NTSC_30) == 107892
    assert frame_of_timecode("01:00:00:00", NTSC_30) == 108000
    assert frame_of_timecode("01:00:00.00", NTSC_30) == 108000
    assert frame_of_timecode(" 01:00:00:00 ", NTSC_30, True) == 107892


# Rates


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (Fraction(2997, 100), NTSC_30),
        (Fraction(5994, 100), NTSC_60),
        (Fraction(23976, 1000), NTSC_24),
        (Fraction(2398, 100), NTSC_24),
        (Fraction(11988, 100), NTSC_120),
        (Fraction(25), Fraction(25)),
        (Fraction(24), Fraction(24)),
        (Fraction(30), Fraction(30)),
        (Fraction(179, 6), Fraction(179, 6)),
        (Fraction(12), Fraction(12)),
        (Fraction(90000), Fraction(90000)),
    ],
)
def test_standard_rate(rate: Fraction, exact: Fraction) -> None:
    assert standard_rate(rate) == exact


@given(st.sampled_from(STANDARD_RATES))
def test_standard_rates_survive_text_and_float(rate: Fraction) -> None:
    assert standard_rate(rate) == rate
    assert exact_rate(float(rate)) == rate
    assert parse_rate(rate_text(rate)) == rate
    assert parse_rate(f"{rate.numerator}/{rate.denominator}") == rate
    assert exact_rate(round(float(rate), 2)) == rate


@pytest.mark.parametrize(
    "text", ["", "fast", "0", "-25", "25/0", "1e99999999", "inf", "nan", "2000", "25 fps", "1_0"]
)
def test_no_rate(text: str) -> None:
    with pytest.raises(OptionError):
        parse_rate(text)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_no_exact_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="frame rate"):
        exact_rate(rate)


def test_labels_per_second() -> None:
    assert [nominal_rate(rate) for rate in (NTSC_24, NTSC_30, NTSC_60)] == [24, 30, 60]
    assert nominal_rate(Fraction(25)) == 25
    assert nominal_rate(Fraction(1, 3)) == 1


# Moments and frames


@given(frames, rates)
def test_a_frame_begins_where_it_is_found(frame: int, rate: Fraction) -> None:
    moment = seconds_at(frame, rate)
    assert frame_at(moment, rate) == frame_within(moment, rate) == frame
    assert frames_covering(moment, rate) == frame
    inside = moment + 1 / rate / 3
    assert frame_within(inside, rate) == frame_at(inside, rate) == frame
    assert frames_covering(inside, rate) == frame + 1
    assert frame_at(moment + 1 / rate / 2, rate) == frame + 1


@given(frames, rates, rates)
def test_rescaling(count: int, source: Fraction, target: Fraction) -> None:
    exact = Fraction(count) / source
    floor, near = rescale_floor(count, source, target), rescale_round(count, source, target)
    assert seconds_at(floor, target) <= exact < seconds_at(floor + 1, target)
    assert abs(seconds_at(near, target) - exact) <= 1 / target / 2
    assert rescale_floor(count, source, source) == rescale_round(count, source, source) == count


@given(frames, rates)
def test_otio_and_back(frame: int, rate: Fraction) -> None:
    time = rational_time(frame, rate)
    assert isinstance(time, otio.opentime.RationalTime)
    if rate in STANDARD_RATES:
        assert exact_time(time) == seconds_at(frame, rate)
    span = time_range(FrameRange(frame, 7), rate)
    assert (span.start_time.value, span.duration.value) == (frame, 7)
    assert span.start_time.rate == span.duration.rate == float(rate)


def test_exact_seconds() -> None:
    assert exact_seconds("0.1") == Fraction(1, 10)
    assert exact_seconds(0.1) == Fraction(1, 10)
    assert exact_seconds(3) == 3


# Lengths and ranges


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0.25", Length(Fraction(1, 4))),
        ("0.25s", Length(Fraction(1, 4))),
        (" 2 S ", Length(Fraction(2))),
        ("250ms", Length(Fraction(1, 4))),
        ("6f", Length(frames=6)),
        (3, Length(Fraction(3))),
        (0.5, Length(Fraction(1, 2))),
    ],
)
def test_lengths(text: str | float, length: Length) -> None:
    assert parse_length(text) == length
    assert parse_length(str(length)) == length


@pytest.mark.parametrize("text", ["", "f", "-1s", "1.5f", "1m", "one", "1e9", "1 2", "١x", "inf"])
def test_no_length(text: str) -> None:
    with pytest.raises(OptionError):
        parse_length(text)


def test_length_in_frames() -> None:
    assert parse_length("0.25s").at(Fraction(24)) == 6
    assert parse_length("6f").at(NTSC_30) == 6
    assert parse_length("100ms").at(NTSC_30) == 3


@given(st.integers(-99, 99), st.integers(0, 50), st.integers(-99, 99), st.integers(0, 50))
def test_ranges(start: int, duration: int, other_start: int, other_duration: int) -> None:
    one, two = FrameRange(start, duration), FrameRange(other_start, other_duration)
    assert FrameRange.between(one.start, one.end) == one
    common = one.intersection(two)
    inside = set(range(one.start, one.end)) & set(range(two.start, two.end))
    assert set(range(common.start, common.end)) == inside
    assert two.intersection(one).duration == common.duration
    if common.duration:
        assert one.contains(common)
        assert two.contains(common)
    assert one.shifted(5).shifted(-5) == one


def test_no_negative_range() -> None:
    with pytest.raises(ValueError, match="-1 frames"):
        FrameRange(0, -1)
