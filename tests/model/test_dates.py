"""A business day is a day of the calendar; an instant becomes one only in a named zone."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.dates import (
    EARLIEST,
    LATEST,
    day_of,
    instant_text,
    months_after,
    parse_day,
    parse_instant,
    time_zone,
)
from tieout.model.errors import ValueRefused

ZONES = [
    "Africa/Cairo",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Oslo",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
]
zones = st.sampled_from(ZONES)
days = st.dates(date(1971, 1, 1), date(2100, 12, 31))
instants = st.integers(31_536_000, 4_133_894_400).map(  # the seconds of 1971 to 2100
    lambda secs: datetime.fromtimestamp(secs, UTC)
)


def first_instant(day, zone):
    """The first instant of a day there: found from its noon, hour by hour and second by second."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for secs in (3600, 60, 1):
        while day_of(noon - timedelta(seconds=secs), zone) == day:
            noon -= timedelta(seconds=secs)
    return noon


@given(st.dates(EARLIEST, LATEST))
def test_a_day_is_read_as_it_is_written(day):
    assert parse_day(day.isoformat()) == day
    assert type(parse_day(day.isoformat())) is date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-3-31",
        "31.03.2026",
        "03/31/2026",
        "20260331",
        "2026-03-31T00:00:00Z",
        "2026-03-31\n",
        " 2026-03-31",
        "２０２６-03-31",
        "1774915200000",
        "x" * 10_000,
    ],
)
def test_only_one_form_of_a_day_is_read(text):
    with pytest.raises(ValueRefused, match="write it as 2026-03-31") as refused:
        parse_day(text)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "0000-01-01"]
)
def test_a_day_that_the_calendar_lacks_is_refused(text):
    with pytest.raises(ValueRefused, match="not a day of the calendar"):
        parse_day(text)


@pytest.mark.parametrize("text", ["1970-01-01", "0001-01-01", "9998-12-31", "9999-12-31"])
def test_a_day_that_stands_for_nothing_is_refused(text):
    """Systems answer their first or last day for "none"."""
    with pytest.raises(ValueRefused, match="outside the years that books hold"):
        parse_day(text)


@given(days, zones)
def test_a_day_begins_at_its_first_second_in_each_zone_and_not_one_earlier(day, zone):
    if zone == "Pacific/Apia" and day == date(2011, 12, 30):
        return  # Samoa left this day out
    start = first_instant(day, zone)
    assert day_of(start, zone) == day
    assert day_of(start - timedelta(microseconds=1), zone) < day


@given(instants, zones)
def test_later_instants_never_have_earlier_days(instant, zone):
    assert day_of(instant, zone) <= day_of(instant + timedelta(hours=1), zone)


@given(instants, zones, st.integers(-14 * 60, 14 * 60))
def test_the_day_depends_on_the_instant_and_not_on_how_it_is_written(instant, zone, offset_mins):
    elsewhere = instant.astimezone(timezone(timedelta(minutes=offset_mins)))
    assert day_of(elsewhere, zone) == day_of(instant, zone)
    assert day_of(parse_instant(elsewhere.isoformat()), zone) == day_of(instant, zone)


@given(instants)
def test_the_days_on_earth_are_never_more_than_two_apart(instant):
    on_earth = [day_of(instant, zone) for zone in ZONES]
    assert max(on_earth) - min(on_earth) <= timedelta(days=2)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        # the last second and the first of a day
        ("2026-03-31T21:59:59.999Z", "Europe/Oslo", "2026-03-31"),
        ("2026-03-31T22:00:00Z", "Europe/Oslo", "2026-04-01"),
        ("2026-12-31T22:59:59Z", "Europe/Oslo", "2026-12-31"),
        ("2026-12-31T23:00:00Z", "Europe/Oslo", "2027-01-01"),
        # daylight saving begins and ends; the day stays
        ("2026-03-29T00:59:59Z", "Europe/Oslo", "2026-03-29"),
        ("2026-03-29T01:00:00Z", "Europe/Oslo", "2026-03-29"),
        ("2026-10-25T00:30:00Z", "Europe/Oslo", "2026-10-25"),
        ("2026-10-25T01:30:00Z", "Europe/Oslo", "2026-10-25"),
        ("2026-03-08T07:30:00Z", "America/Los_Angeles", "2026-03-07"),
        ("2026-03-09T06:59:59Z", "America/Los_Angeles", "2026-03-08"),
        ("2026-11-02T07:59:59Z", "America/Los_Angeles", "2026-11-01"),
        # midnight itself does not exist (Havana), or comes twice
        ("2026-03-08T04:59:59Z", "America/Havana", "2026-03-07"),
        ("2026-03-08T05:00:00Z", "America/Havana", "2026-03-08"),
        ("2025-11-02T04:30:00Z", "America/Havana", "2025-11-02"),
        ("2025-11-02T05:30:00Z", "America/Havana", "2025-11-02"),
        # quarters of hours, half an hour of saving, and a day that was left out
        ("2026-03-31T18:14:59Z", "Asia/Kathmandu", "2026-03-31"),
        ("2026-03-31T18:15:00Z", "Asia/Kathmandu", "2026-04-01"),
        ("2026-04-04T14:59:59Z", "Australia/Lord_Howe", "2026-04-05"),
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31"),
        # one instant, the ends of the earth
        ("2026-03-31T10:30:00Z", "Pacific/Kiritimati", "2026-04-01"),
        ("2026-03-31T10:30:00Z", "Pacific/Pago_Pago", "2026-03-30"),
    ],
)
def test_days_around_midnight(instant, zone, day):
    assert day_of(parse_instant(instant), zone) == parse_day(day)


def test_an_instant_without_a_zone_has_no_day_and_no_text():
    naive = datetime(2026, 3, 31)  # noqa: DTZ001  # this is what is refused
    with pytest.raises(ValueRefused, match="no time zone"):
        day_of(naive, "Europe/Oslo")
    with pytest.raises(ValueRefused, match="no time zone"):
        instant_text(naive)
    with pytest.raises(ValueRefused, match="no offset"):
        parse_instant("2026-03-31T12:00:00")


@pytest.mark.parametrize(
    "name",
    ["", "Oslo", "Europe", "europe/nowhere", "../../etc/hosts", "a\0b", "x" * 5000, "\ud800"],
)
def test_a_name_that_is_no_zone_is_refused(name):
    with pytest.raises(ValueRefused, match=r"is not a time zone\. Use a name as Europe/Oslo"):
        time_zone(name)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-31T12:00:00Z", datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ("2026-03-31T12:00:00.123Z", datetime(2026, 3, 31, 12, 0, 0, 123000, tzinfo=UTC)),
        ("2026-03-31T05:00:00-07:00", datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ("2026-03-31T12:00:00+0000", datetime(2026, 3, 31, 12, tzinfo=UTC)),
    ],
)
def test_the_vendors_spellings_of_an_instant_are_read_as_utc(text, instant):
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "soon", "2026-03-31T25:00:00Z", "1774915200000", "z" * 9999])
def test_a_text_that_is_no_instant_is_refused(text):
    with pytest.raises(ValueRefused, match="is not an instant"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
def test_an_instant_beyond_the_calendar_is_refused(text):
    with pytest.raises(ValueRefused, match="outside the years"):
        parse_instant(text)
    with pytest.raises(ValueRefused, match="outside the years"):
        instant_text(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("instant", "zone"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "America/New_York"),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), "Asia/Tokyo"),
        (datetime(1970, 1, 1, tzinfo=UTC), "UTC"),
    ],
)
def test_an_instant_that_stands_for_nothing_has_no_day(instant, zone):
    with pytest.raises(ValueRefused, match="outside the years"):
        day_of(instant, zone)


@given(
    st.lists(
        st.builds(lambda at, ms: at + timedelta(milliseconds=ms), instants, st.integers(0, 999))
    )
)
def test_texts_of_instants_sort_as_the_instants_do(several):
    texts = sorted(instant_text(each) for each in several)
    assert [parse_instant(text) for text in texts] == sorted(several)


def test_an_instant_is_written_in_utc_with_milliseconds():
    oslo = datetime(2026, 3, 31, 14, 0, 0, 1500, tzinfo=ZoneInfo("Europe/Oslo"))
    assert instant_text(oslo) == "2026-03-31T12:00:00.001Z"


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2026, 11, 15), 2, date(2027, 1, 15)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day, months, then):
    assert then == months_after(day, months)


def test_months_beyond_what_books_hold_are_refused():
    with pytest.raises(ValueRefused, match="outside the years"):
        months_after(date(9998, 12, 1), 1)
