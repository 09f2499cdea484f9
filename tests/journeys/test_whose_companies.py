"""A key or token of another company: nothing is read there, and nothing of it is posted."""


def test_a_key_of_another_portal_reads_and_posts_nothing(world, sold):
    sold()
    engine = world.restart()
    world.portal.portal_id = 999

    done = engine.round("main")

    assert (done.whole, done.observed.events, world.invoices()) == (False, 0, [])
    assert world.codes() == ["other-company"]
    assert "portal 999, not of 123" in world.tasks()["other-company"]["message"]


def test_a_token_of_another_realm_reads_and_posts_nothing(world, sold):
    sold()
    world.realm = "4711"

    done = world.restart().round("main")

    assert (done.whole, done.observed.events, world.invoices()) == (False, 0, [])
    assert world.codes() == ["other-company"]
    assert "not those of company 4711" in world.tasks()["other-company"]["message"]


def test_a_pair_goes_on_with_the_right_key_once_a_person_resumes_it(world, sold):
    sold()
    engine = world.restart()
    world.portal.portal_id = 999
    engine.round("main")
    world.portal.portal_id = 123

    engine.resume("main", who="ann", reason="the right key is in its place")
    done = engine.round("main")

    assert (done.error, len(world.invoices()), world.codes()) == (None, 1, [])
