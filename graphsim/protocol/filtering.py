"""``$filter`` applied: may this list be asked that, and does an object match."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import eq, ge, gt, le, lt

from graphsim.protocol.errors import GraphError, bad_request, not_simulated, unsupported_query
from graphsim.protocol.filter_language import (
    Among,
    Comparison,
    Expression,
    IsOf,
    Lambda,
    Literal,
    Logical,
    Not,
    Path,
    TextMatch,
)
from graphsim.protocol.filter_rules import ADVANCED_OPERATORS, QueryRule
from graphsim.protocol.schema import EntityShape

_ORDERS = {"gt": gt, "ge": ge, "lt": lt, "le": le, "eq": eq}
_NAMED = {"gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan", "le": "LessThanOrEqual", "eq": "Equal"}
_NAMING = frozenset({"id", "userprincipalname"})
_SIGN_INS = "signInActivity"


def check(tree: Expression, shape: EntityShape, rule: QueryRule, *, advanced: bool) -> None:
    """Raises what Graph says to a filter it does not take; ``advanced``: header and ``$count=true`` were given."""
    used = list(_uses(tree))
    spelling = {name.lower(): name for name in shape.known | shape.empty | shape.elsewhere | shape.unmodeled}
    for written, operator in used:
        name = spelling.get(written.lower())
        if name is None:
            raise bad_request(
                f"Invalid filter clause: Could not find a property named '{written}' on type '{shape.type_name}'."
            )
        _check_operator(name, operator, shape, rule, advanced=advanced)
    names = {name.lower() for name, _ in used}
    if rule.directory and _SIGN_INS.lower() in names and len(names) > 1:
        raise unsupported_query("A filter on signInActivity can't be combined with other properties.")


def names_in(tree: Expression) -> frozenset[str]:
    """The properties a filter is about, in lower case."""
    return frozenset(name.lower() for name, _ in _uses(tree))


def pinned(tree: Expression | None) -> tuple[str, ...]:
    """The ids or principal names of which an object must have one to match; none when the filter says nothing of it."""
    match tree:
        case Comparison(operator="eq", path=Path(names=(name,)), value=str(value)):
            values: tuple[Literal, ...] = (value,)
        case Among(path=Path(names=(name,)), values=values):
            pass
        case Logical(operator="and"):
            return pinned(tree.left) or pinned(tree.right)
        case _:
            return ()
    named = name.lower() in _NAMING
    return tuple(value for value in values if isinstance(value, str)) if named else ()


def _check_operator(name: str, operator: str, shape: EntityShape, rule: QueryRule, *, advanced: bool) -> None:
    plain, more = rule.plain.get(name), rule.advanced.get(name, frozenset())
    if plain is None:
        if name in shape.unmodeled | shape.elsewhere:
            raise not_simulated(f"Filtering by '{name}'")
        raise _unsupported(name, shape)
    wanted = "eq" if operator in {"ne", "not", "in", "count"} else operator
    if wanted not in plain | more:
        raise _unsupported(name, shape)
    needs = rule.directory and (wanted not in plain or operator in ADVANCED_OPERATORS)
    if needs and not advanced:
        raise needs_advanced(operator)


def _unsupported(name: str, shape: EntityShape) -> GraphError:
    resource = shape.type_name.removeprefix("microsoft.graph.")
    return unsupported_query(
        f"Unsupported or invalid query filter clause specified for property '{name}' of resource "
        f"'{resource[0].upper()}{resource[1:]}'."
    )


def needs_advanced(what: str) -> GraphError:
    return unsupported_query(
        f"Operator '{what}' is not supported because the required parameters might be missing. Try adding $count=true "
        "query parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for "
        "more information"
    )


def _uses(tree: Expression) -> list[tuple[str, str]]:  # noqa: PLR0911 - one for each kind of node
    """``(property, operator)`` of every condition; what a lambda asks of its items is asked of the collection."""
    match tree:
        case Logical():
            return _uses(tree.left) + _uses(tree.right)
        case Not():
            inside = _uses(tree.of)
            return inside + [(name, "not") for name, _ in inside]
        case Comparison():
            return [(_first(tree.path), operator) for operator in _operators(tree)]
        case Among():
            return [(_first(tree.path), "in")]
        case TextMatch():
            return [(_first(tree.path), tree.function)]
        case Lambda():
            inner = _uses(tree.condition) if tree.condition else [("", "eq")]
            return [(_first(tree.path), operator) for _, operator in inner]
        case IsOf():
            return []


def _operators(tree: Comparison) -> list[str]:
    operators = [tree.operator]
    if tree.path.counted:
        operators = ["count"]
    elif tree.value is None:
        operators.append("null")
    return operators


def _first(path: Path) -> str:
    return path.names[0] if path.names else ""


def holds(tree: Expression, body: object) -> bool:  # noqa: PLR0911 - one for each kind of node
    """Whether an object, or within a lambda an item, is as the filter says. Texts compare without regard to case."""
    match tree:
        case Logical():
            if tree.operator == "and":
                return holds(tree.left, body) and holds(tree.right, body)
            return holds(tree.left, body) or holds(tree.right, body)
        case Not():
            return not holds(tree.of, body)
        case Comparison():
            return _compares(tree, _value(tree.path, body))
        case Among():
            found = _value(tree.path, body)
            return any(_equal(found, value, tree.path) for value in tree.values)
        case TextMatch():
            return _matches(tree, _value(tree.path, body))
        case Lambda():
            return _quantified(tree, _value(tree.path, body))
        case IsOf():
            return isinstance(body, dict) and body.get("@odata.type") == f"#{tree.type_name}"


def _quantified(tree: Lambda, items: object) -> bool:
    found = items if isinstance(items, list) else []
    if tree.condition is None:
        return bool(found)
    condition = tree.condition
    told = (holds(condition, item) for item in found)
    return any(told) if tree.quantifier == "any" else all(told)


def _compares(tree: Comparison, found: object) -> bool:
    if tree.operator == "ne":
        return not _equal(found, tree.value, tree.path)
    if tree.operator == "eq":
        return _equal(found, tree.value, tree.path)
    if found is None or tree.value is None:
        return False
    left, right = _comparable(found, tree.value, tree.path, tree.operator)
    return bool(_ORDERS[tree.operator](left, right))


def _equal(found: object, value: Literal, path: Path) -> bool:
    if found is None or value is None:
        return found is value
    left, right = _comparable(found, value, path, "eq")
    return bool(left == right)


def _matches(tree: TextMatch, found: object) -> bool:
    if not isinstance(found, str):
        return False
    text, wanted = found.casefold(), tree.text.casefold()
    if tree.function == "contains":
        return wanted in text
    return text.startswith(wanted) if tree.function == "startswith" else text.endswith(wanted)


def _comparable(found: object, value: Literal, path: Path, operator: str) -> tuple[float, float] | tuple[str, str]:
    """Both sides as what can be compared, or Graph's 400 for operands of types that can't."""
    if isinstance(found, str) and isinstance(value, datetime):
        return datetime.fromisoformat(found).timestamp(), value.timestamp()
    if isinstance(found, bool) == isinstance(value, bool):
        if isinstance(found, int | float) and isinstance(value, int | float):
            return found, value
        is_moment = bool(path.names) and path.names[-1].lower().endswith("datetime")
        if isinstance(found, str) and isinstance(value, str) and not is_moment:
            return found.casefold(), value.casefold()
    raise bad_request(
        "Invalid filter clause: A binary operator with incompatible types was detected. Found operand types "
        f"'{_edm(found)}' and '{_edm(value)}' for operator kind '{_NAMED[operator]}'."
    )


def _edm(value: object) -> str:
    if isinstance(value, bool):
        return "Edm.Boolean"
    if isinstance(value, int | float):
        return "Edm.Int32"
    return "Edm.DateTimeOffset" if isinstance(value, datetime) else "Edm.String"


def _value(path: Path, body: object) -> object:
    found = body
    for name in path.names:
        found = _property(found, name) if isinstance(found, dict) else None
    if not path.counted:
        return found
    return len(found) if isinstance(found, list) else 0


def _property(body: Mapping[str, object], name: str) -> object:
    if name in body:
        return body[name]
    return next((value for known, value in body.items() if known.lower() == name.lower()), None)
