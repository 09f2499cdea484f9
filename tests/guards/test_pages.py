"""Pages lead somewhere: each link, each page that a message names, each page from the index."""

import re

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
NAMED = re.compile(r"\bdocs/[a-z/-]+\.md\b")


def pages(tracked):
    return [path for path in tracked if path.suffix == ".md" and path.parts[0] != "tests"]


def test_every_link_leads_to_a_file(root, tracked):
    broken = [
        f"{page}: {target}"
        for page in pages(tracked)
        for target, _ in LINK.findall((root / page).read_text("utf-8"))
        if "://" not in target and not (root / page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_that_a_message_names_is_there(root, tracked, shipped):
    named = {
        (path.as_posix(), name)
        for path in tracked
        if path.parts[0] in shipped and path.suffix == ".py"
        for name in NAMED.findall((root / path).read_text("utf-8"))
    }
    assert [pair for pair in sorted(named) if not (root / pair[1]).exists()] == []


def test_every_page_is_in_the_index(root, tracked):
    """A decision is found by its folder."""
    index = (root / "docs" / "README.md").read_text("utf-8")
    found = {(root / "docs" / target).resolve() for target, _ in LINK.findall(index)}
    lost = [
        page.as_posix()
        for page in pages(tracked)
        if page.parts[0] == "docs" and page.parts[1] != "decisions"
        if page.as_posix() != "docs/README.md" and (root / page).resolve() not in found
    ]
    assert lost == []
