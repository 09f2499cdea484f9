"""The HubSpot portal's own wrong answers, and its wording of statuses."""

import http.client

import pytest

OBJECTS = "/crm/objects/2026-03"


@pytest.fixture
def ids(crm):
    return [crm.create("deals", dealname=name) for name in "abcd"]


def fault(crm, **told):
    status, answer = crm.post("/__faults", told)
    assert status == 200, answer


def read_batch(crm, ids):
    body = {"inputs": [{"id": one} for one in ids]}
    return crm.post(f"{OBJECTS}/deals/batch/read", body)


def test_drop_item_leaves_one_out_of_a_batch_without_a_word(crm, ids):
    fault(crm, fault="drop_item", path="batch/read")
    status, answer = read_batch(crm, ids)
    assert (status, len(answer["results"]), "errors" in answer) == (200, 3, False)


def test_reorder_and_duplicate_item_shuffle_and_repeat(crm, ids):
    fault(crm, fault="reorder", path="batch/read")
    shuffled = [one["id"] for one in read_batch(crm, ids)[1]["results"]]
    assert (shuffled != ids, sorted(shuffled)) == (True, ids)
    fault(crm, fault="duplicate_item", path="batch/read")
    assert len(read_batch(crm, ids)[1]["results"]) == 5


@pytest.mark.parametrize(("kind", "shown"), [("duplicate_page", [0, 1]), ("wrong_page", [])])
def test_a_search_answers_with_another_page(crm, ids, kind, shown):
    fault(crm, fault=kind, path="search")
    _, answer = crm.search("deals", limit=2, after="2")
    assert [one["id"] for one in answer["results"]] == [ids[place] for place in shown]


def test_a_write_whose_answer_is_lost_was_done(crm, ids):
    fault(crm, fault="lose_answer", method="PATCH")
    with pytest.raises(http.client.RemoteDisconnected):
        crm.patch(f"{OBJECTS}/deals/{ids[0]}", {"properties": {"amount": "7"}})
    assert crm.read("deals", ids[0], "amount")["amount"] == "7"


@pytest.mark.parametrize(
    ("status", "spelling", "key", "value"),
    [
        (429, None, "category", "RATE_LIMITS"),
        (429, "secondly", "policyName", "SECONDLY"),
        (429, "daily", "policyName", "DAILY"),
        (401, None, "category", "INVALID_AUTHENTICATION"),
        (401, "expired", "category", "EXPIRED_AUTHENTICATION"),
        (500, None, "message", "internal error"),
        (503, None, "status", "error"),
        (418, None, "category", "UNKNOWN"),
    ],
)
def test_a_status_is_worded_as_hubspot_words_it(crm, status, spelling, key, value):
    fault(crm, fault="status", status=status, spelling=spelling)
    answered, refusal = crm.get(f"{OBJECTS}/deals")
    assert (answered, refusal[key]) == (status, value)
    assert crm.headers["x-hubspot-correlation-id"] == refusal["correlationId"]
