"""Links between the documents lead to files and headings that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INLINE = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.M)


def documents(root):
    """Returns the Markdown files of a checkout."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def prose(path):
    """Returns a document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.S | re.M)


def anchors(path):
    """Returns the anchors of the headings of a document, as GitHub and Python-Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.M)
    plain = [re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)) for heading in headings]
    return {re.sub(r"\s+", "-", heading.strip().lower()) for heading in plain}


def broken(root):
    """Returns the links that lead nowhere, as text; links to other sites are not tried."""
    found = []
    for path in documents(root):
        text = prose(path)
        for link in [*INLINE.findall(text), *REFERENCE.findall(text)]:
            if re.match(r"[a-z]+:", link):
                continue
            place, _, anchor = link.partition("#")
            target = (path.parent / place).resolve() if place else path
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                found.append(f"{path.relative_to(root)}: {link}")
    return found


def test_no_link_is_broken():
    assert broken(ROOT) == []


def test_every_page_can_be_reached_from_the_readme():
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        seen.add(path)
        links = [*INLINE.findall(prose(path)), *REFERENCE.findall(prose(path))]
        targets = [(path.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link]
        ahead += [target for target in targets if target.suffix == ".md" and target.exists() and target not in seen]
    unreached = [str(path.relative_to(ROOT)) for path in documents(ROOT) if path not in seen]
    assert [path for path in unreached if not path.startswith("docs/api/")] == []  # the site's menu has these


@pytest.mark.parametrize(
    "text, count",
    [
        ("[a](b.md)", 1),
        ("[a](c.md#no-such-heading)", 1),
        ("[a]\n\n[a]: b.md", 1),
        ("[a](c.md#a-heading) [b](https://elsewhere.org/b.md)", 0),
        ("```\n[a](b.md)\n```", 0),
    ],
)
def test_planted_links(text, count, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(text)
    (tmp_path / "c.md").write_text("# A heading\n")
    assert len(broken(tmp_path)) == count
