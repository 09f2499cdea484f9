"""Pages lead somewhere: each link, each page that a message names, each page from the index."""

import itertools
import re
import shlex

import click

from tieout.app.cli.verbs import root as tieout

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
NAMED = re.compile(r"\bdocs/[a-z/-]+\.md\b")

TYPED = re.compile(r"^ *(?:\$ |[\w/ =]+/)?tieout ([a-z].*)$", re.MULTILINE)


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


def test_every_command_on_a_page_is_understood(root, tracked):
    """Its verb is there and takes what stands behind it; what a person chooses is theirs."""
    refused = [
        f"{page}: tieout {line}: {wrong}"
        for page in pages(tracked)
        for line in commands_of((root / page).read_text("utf-8"))
        if "[OPTIONS]" not in line and (wrong := refusal_of(words_of(line)))
    ]
    assert refused == []


def commands_of(text):
    """Yield what stands behind `tieout` where a line of a block is a command."""
    indented = re.findall(r"(?:^ {4,}\S.*\n)+", text, re.MULTILINE)
    for block in [*re.findall(r"```(?:console|sh)?\n(.*?)```", text, re.DOTALL), *indented]:
        yield from TYPED.findall(block)


def words_of(line):
    """Return the words of one command: what the shell itself understands ends it."""
    split = shlex.shlex(line.rstrip("\\"), posix=True, punctuation_chars=True)
    split.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word) <= set(";&|<>()"), split))


def refusal_of(words):
    """Return why the command line does not understand these words, None when it does."""
    command, context = tieout, click.Context(tieout, info_name="tieout")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"no verb {words[0]}"
        command, context, words = found, click.Context(found, context, words[0]), words[1:]
    try:
        command.make_context(context.info_name, words, parent=context.parent)
    except click.UsageError as wrong:
        return wrong.format_message()
    return None
