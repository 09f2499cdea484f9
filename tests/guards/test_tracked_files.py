"""What must stand in no tracked file: a machine's paths, a secret, a registry's address."""

import re

import pytest

REFUSED = {
    "an absolute path of somebody's machine": (
        r"(?<![\w.])/(?:home|Users|root|work|tmp)/[\w.]",
        ["/home" + "/ada/tieout", "open('/tmp" + "/x')"],
    ),
    "a path of somebody's Windows machine": (r"\b[A-Z]:\\Users\\", ["C:" + "\\Users\\ada"]),
    "a private key": (r"-----BEGIN [A-Z ]*PRIVATE KEY", ["-----BEGIN RSA " + "PRIVATE KEY-----"]),
    "a HubSpot token": (
        r"\bpat-[a-z]{2}\d-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
        ["pat-na1-" + "01234567-89ab-cdef-0123-456789abcdef"],
    ),
    "a token of a cloud or a code host": (
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|glpat-[\w-]{20}|sk_live_\w{20})",
        ["AKIA" + "0123456789ABCDEF", "ghp_" + "a" * 36],
    ),
    "a signed web token": (
        r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}",
        [f"eyJ{'a' * 20}." + f"eyJ{'b' * 20}"],
    ),
    "a package registry's address": (
        r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|proxy\.golang\.org|crates\.io",
        ["https://pypi" + ".org/simple"],
    ),
    "an option that names a package index": (
        r"(?<![\w-])--(?:(?:extra-)?index-url|find-links)",
        ["--index" + "-url https://example"],
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_guard_sees_what_it_looks_for(what):
    pattern, examples = REFUSED[what]
    assert [example for example in examples if not re.search(pattern, example)] == []


@pytest.mark.parametrize("what", REFUSED)
def test_no_tracked_file_holds(what, tracked, root):
    pattern = re.compile(REFUSED[what][0])
    told = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in tracked
        for number, line in enumerate(lines(root / path), 1)
        if pattern.search(line)
    ]
    assert told == [], "\n".join(told)


def lines(path):
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        return []  # an image
