"""The pages that are made from the code say what the code says."""

import importlib.util
import re
from collections import Counter

import pytest

from tieout.model.errors import TieoutError


@pytest.fixture(scope="module")
def generate(root):
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_page_is_out_of_date(generate):
    """`make docs` writes them."""
    stale = [
        str(path.relative_to(generate.ROOT))
        for path, text in generate.pages().items()
        if not path.exists() or path.read_text() != text
    ]
    assert stale == [], "\n".join(stale)


def test_every_error_is_on_its_page(generate, root):
    page = (root / "docs" / "reference" / "errors.md").read_text()
    known = generate.error_classes()
    assert [each.__name__ for each in known if f"`{each.__name__}`" not in page] == []
    assert TieoutError in known


def test_every_code_is_some_error_s_own(generate):
    codes = Counter(vars(each)["code"] for each in generate.error_classes() if "code" in vars(each))
    assert [code for code, count in codes.items() if count > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_every_error_says_a_sentence_of_its_own(generate):
    silent = [each.__name__ for each in generate.error_classes() if not vars(each)["__doc__"]]
    assert silent == []
