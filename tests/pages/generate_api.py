"""Writes ``docs/reference/api.md`` from the docstrings and annotations of the public names.

Run ``python -m tests.pages.generate_api`` after a change to one of them; a test compares.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import griffe

PAGE_PATH: Final = Path("docs/reference/api.md")
TEMPLATE_PATH: Final = Path(__file__).with_name("api_template.md")
"""Headings, each with a comment below it that lists a package's names, in the order of the page."""

_ROOT: Final = Path(__file__).parents[2]
_HEADING: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_NAMES: Final = re.compile(r"^<!-- (\w+): (.+) -->\n", re.MULTILINE)

_FENCE: Final = '```python not-run="the signature of what the heading names"'
_LONGEST_LINE: Final = 90
_ENUMS: Final = ("Enum", "StrEnum")


def render_page() -> str:
    """Return the page."""
    template = TEMPLATE_PATH.read_text(encoding="utf-8")
    contents = "".join(
        f"{line}\n"
        for title, names in zip(_HEADING.findall(template), _NAMES.findall(template), strict=True)
        for line in _render_contents(title, *names)
    )
    text = _NAMES.sub(lambda found: _render_names(found[1], found[2]), template)
    return text.replace("<!-- contents -->\n", contents).rstrip("\n") + "\n"


def documented_names(package: str) -> list[str]:
    """Return the names of a package that are on the page, without those of its modules."""
    found = _NAMES.findall(TEMPLATE_PATH.read_text(encoding="utf-8"))
    names = " ".join(names for owner, names in found if owner == package)
    return [name for name in names.split() if "." not in name]


@functools.cache
def _load_package(name: str) -> Any:
    return griffe.load(
        name,
        search_paths=[_ROOT],
        docstring_parser="google",
        docstring_options={"returns_multiple_items": False},
        resolve_aliases=True,
    )


def _render_contents(title: str, package: str, names: str) -> Iterator[str]:
    yield f"**[{title}](#{_anchor(title)})**\n"
    for name in names.split():
        yield f"- [`{name}`](#{_anchor(name)}): {_summarize(_load_package(package)[name])}"
    yield ""


def _render_names(package: str, names: str) -> str:
    found = [(name, _load_package(package)[name]) for name in names.split()]
    return "".join(f"{line}\n" for name, each in found for line in _render_object(name, each))


def _summarize(each: Any) -> str:
    """Return the first paragraph of a docstring."""
    return _to_markdown(each.docstring.value.partition("\n\n")[0]).replace("\n", " ")


def _render_object(name: str, each: Any, level: int = 3) -> Iterator[str]:
    yield f"{'#' * level} {name.replace('__', '&#95;&#95;')}\n"
    fields = {}
    if each.is_class:
        yield from _render_class_header(each)
        fields = {field.name: field for field in _annotated_attributes(each)}
    elif each.is_function:
        for overload in each.overloads or [each]:
            yield _signature_block(overload)
    elif each.is_attribute and "property" not in each.labels and each.value is not None:
        yield f"`{each.value}`\n"
    for section in each.docstring.parsed:
        yield from _render_section(section, fields)
    if each.is_class:
        for member in _documented_members(each):
            yield from _render_object(f"{each.name}.{member.name}", member, level + 1)


def _render_class_header(cls: Any) -> Iterator[str]:
    constructor = cls.members.get("__init__")
    if constructor is not None:
        yield _signature_block(constructor, cls.name)
    bases = [str(base).removeprefix("enum.") for base in cls.bases]
    if bases:
        yield f"A subclass of `{', '.join(bases)}`.\n"
    if bases and bases[0] in _ENUMS:
        members = [member for member in cls.members.values() if member.is_attribute]
        for member in members:
            meaning = f": {_summarize(member)}" if member.docstring else ""
            yield f"- `{member.name}`{meaning}"
        yield ""


def _documented_members(cls: Any) -> Iterator[Any]:
    """Return the methods and properties to show; a store's are those of ``Store``, where alike."""
    shown_elsewhere = _load_package("karbor_backup_core")["Store"].members
    for member in cls.members.values():
        public = member.name == "__await__" or not member.name.startswith("_")
        method = member.is_function or "property" in member.labels
        again = cls.name.endswith("Store") and cls.name != "Store"
        if (
            public
            and method
            and member.docstring
            and not (again and member.name in shown_elsewhere)
        ):
            yield member


def _annotated_attributes(cls: Any) -> Iterator[Any]:
    for member in cls.members.values():
        if member.is_attribute and member.annotation is not None:
            yield member


def _signature_block(function: Any, name: str | None = None) -> str:
    """Return a function's signature in a fence, long ones with a line for each argument."""
    text = function.signature(return_type=False, name=name)
    returns = f" -> {function.returns}" if function.returns is not None and name is None else ""
    if len(text) + len(returns) > _LONGEST_LINE:
        head, _, rest = text.partition("(")
        arguments = "".join(f"    {each},\n" for each in _split_arguments(rest.removesuffix(")")))
        text = f"{head}(\n{arguments})"
    return f"{_FENCE}\n{_expand_aliases(text, function)}{returns}\n```\n"


def _split_arguments(text: str) -> Iterator[str]:
    """Return the arguments of a signature; a comma inside brackets separates none."""
    depth, begin = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            yield text[begin:place].strip()
            begin = place + 1
    yield text[begin:].strip()


def _expand_aliases(text: str, function: Any) -> str:
    """Return a signature with the values of its module's private type aliases."""
    members = function.module.members

    def expand(match: re.Match[str]) -> str:
        return str(members[match[0]].value) if match[0] in members else match[0]

    return re.sub(r"\b_[A-Z]\w+", expand, text)


def _render_section(section: Any, fields: dict[str, Any]) -> Iterator[str]:
    match section.kind.value:
        case "text":
            yield _to_markdown(section.value) + "\n"
        case "attributes":
            yield from _table("field", section.value, lambda each: _default(fields.get(each.name)))
        case "parameters":
            yield from _table("argument", section.value, lambda each: each.value)
        case "returns" | "yields" as kind:
            texts = [_to_markdown(each.description) for each in section.value]
            yield f"{kind.capitalize()}: {' '.join(texts)}\n"
        case "raises":
            yield "Raises:\n"
            for each in section.value:
                name = str(each.annotation)
                ours = name in documented_names("karbor_backup_core")
                shown = f"[`{name}`](#{_anchor(name)})" if ours else f"`{name}`"
                yield f"- {shown}: {_to_markdown(each.description)}".replace("\n", " ")
            yield ""
        case kind:
            raise ValueError(f"no way to show a section of the kind {kind}")


def _table(what: str, items: Sequence[Any], find_default: Callable[[Any], Any]) -> Iterator[str]:
    yield f"| {what} | type | default | meaning |"
    yield "|---|---|---|---|"
    for each in items:
        cells = (
            _code(each.name),
            _code(each.annotation),
            _code(find_default(each)),
            _to_markdown(each.description),
        )
        yield f"| {' | '.join(_escape_cell(cell) for cell in cells)} |"
    yield ""


def _default(attribute: Any) -> str:
    """Return the default of an attribute, as its class states it."""
    value = str((attribute and attribute.value) or "")
    if not value.startswith("attrs.field("):
        return value
    found = re.search(r"\b(default|factory)=([\w.]+(?:\([^()]*\))?)", value)
    if found is None:
        return ""
    return f"{found[2]}()" if found[1] == "factory" else found[2]


def _code(value: Any) -> str:
    return f"`{value}`" if value else ""


def _to_markdown(text: str) -> str:
    """Return a docstring's text with the code marks of Markdown."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE_PATH.write_text(render_page(), encoding="utf-8")
