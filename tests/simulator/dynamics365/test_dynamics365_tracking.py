"""Change tracking: the whole table, then what moved, and what it refuses."""

from urllib.parse import unquote

import pytest

TRACK = "odata.track-changes"
SELECT = "opportunities?$select=name"


def whole(crm, path=SELECT, **headers):
    """Follow a walk to its end: all rows, and the delta link."""
    rows, prefer = [], headers.pop("Prefer", TRACK)
    while True:
        status, answer = crm.get(path, Prefer=prefer)
        assert status == 200, answer
        rows += answer["value"]
        if "@odata.deltaLink" in answer:
            assert "@odata.nextLink" not in answer
            return rows, answer["@odata.deltaLink"]
        path = answer["@odata.nextLink"]


def test_d3_the_first_read_is_the_whole_table_and_ends_with_a_delta_link(crm):
    ids = [crm.create("opportunities", name=f"Deal {n}") for n in range(3)]
    rows, delta = whole(crm)
    assert [row["opportunityid"] for row in rows] == ids
    assert crm.headers["preference-applied"] == TRACK
    assert unquote(delta).startswith(f"{crm.base}/opportunities?$select=name&$deltatoken=")
    status, answer = crm.get(delta)
    assert (status, answer["value"]) == (200, [])


def test_d3_a_delta_tells_changed_rows_and_then_deleted_ones(crm):
    kept, changed, gone = (crm.create("opportunities", name=name) for name in "abc")
    _, delta = whole(crm)
    crm.ask("DELETE", f"opportunities({gone})")
    crm.patch(f"opportunities({changed})", {"name": "B"})
    _, answer = crm.get(delta)
    assert answer["@odata.context"].endswith("#opportunities(name)/$delta")
    told, deletion = answer["value"]
    assert (told["opportunityid"], told["name"]) == (changed, "B")
    assert deletion == {
        "@odata.context": f"{crm.base}/$metadata#opportunities/$deletedEntity",
        "id": gone,
        "reason": "deleted",
    }
    assert kept not in str(answer)
    assert crm.get(answer["@odata.deltaLink"])[1]["value"] == []


def test_d3_a_row_that_was_made_again_under_its_id_is_not_told_as_deleted(crm):
    deal = crm.create("opportunities", name="a")
    _, delta = whole(crm)
    crm.ask("DELETE", f"opportunities({deal})")
    crm.patch(f"opportunities({deal})", {"name": "again"})
    assert [row.get("name") for row in crm.get(delta)[1]["value"]] == ["again"]


def test_d3_pages_follow_a_next_link_and_only_the_last_has_the_delta_link(crm):
    ids = [crm.create("opportunities", name=f"Deal {n}") for n in range(5)]
    rows, delta = whole(crm, Prefer=f"{TRACK},odata.maxpagesize=2")
    assert [row["opportunityid"] for row in rows] == ids
    for one in ids[:3]:
        crm.ask("DELETE", f"opportunities({one})")
    crm.patch(f"opportunities({ids[3]})", {"name": "changed"})
    rows, _ = whole(crm, delta, Prefer=f"{TRACK},odata.maxpagesize=2")
    assert [row.get("id", row.get("opportunityid")) for row in rows] == [ids[3], *ids[:3]]


def test_d3_what_moves_while_the_pages_are_read_is_told_again(crm):
    ids = [crm.create("opportunities", name=f"Deal {n}") for n in range(3)]
    _, first = crm.get(SELECT, Prefer=f"{TRACK},odata.maxpagesize=2")
    crm.patch(f"opportunities({ids[0]})", {"name": "moved"})
    rows, delta = whole(crm, first["@odata.nextLink"])
    assert ids[2] in [row["opportunityid"] for row in rows]
    _, answer = crm.get(delta)
    assert [row["name"] for row in answer["value"]] == ["moved"]


def test_d3_a_delta_link_expires_after_seven_days(crm, clock):
    crm.create("opportunities", name="Deal")
    _, delta = whole(crm)
    clock.advance(7 * 86_400 - 60)
    assert crm.get(delta)[0] == 200
    clock.advance(120)
    assert crm.refused(crm.get(delta)) == (400, "0x80044352")


def test_d3_a_delta_link_may_be_made_to_expire_at_once(crm):
    _, delta = whole(crm)
    crm.deed("expire_deltas")
    assert crm.refused(crm.get(delta)) == (400, "0x80044352")
    assert crm.get(whole(crm)[1])[0] == 200


@pytest.mark.parametrize("option", ["$filter=name eq 'a'", "$orderby=name", "$top=1", "$expand=x"])
def test_d3_a_tracked_query_takes_no_filter_order_top_or_expand(crm, option):
    status, answer = crm.get(f"{SELECT}&{option}", Prefer=TRACK)
    name = option.partition("=")[0]
    assert (status, answer["error"]["message"]) == (
        400,
        f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.',
    )


def test_d3_a_table_that_is_not_tracked_refuses(crm):
    crm.deed("track", table="opportunity", on=False)
    assert crm.refused(crm.get(SELECT, Prefer=TRACK)) == (400, "0x80072491")


def test_d3_how_much_moved_can_be_counted(crm):
    crm.create("opportunities", name="Deal")
    _, delta = whole(crm)
    crm.create("opportunities", name="Another")
    token = delta.partition("$deltatoken=")[2]
    crm.get(f"opportunities/$count?$deltatoken={token}")
    assert crm.text == "1"
