"""The filter algebra, as conditions on rows.

Every attribute may have several values, so each leaf asks whether *some* value of it fits; `NotIn` and `Not` are the
complements, and hold for a template that lacks the attribute.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, bindparam, not_, or_, select, true
from sqlalchemy.sql.expression import false

from countenance.domain.errors import BadInput
from countenance.domain.index import And, Eq, Filter, In, Not, NotIn, Or, Range
from countenance.store import schema

_a = schema.vector_attributes.c


def condition(where: Filter) -> ColumnElement[bool]:
    """What `schema.vectors` rows must meet. Raises BadInput for something that is no filter."""
    match where:
        case Eq(name, value):
            return _some(name, _a.value == value)
        case In(name, values):
            return _some(name, among(_a.value, values)) if values else false()
        case NotIn(name, values):
            return not_(_some(name, among(_a.value, values))) if values else true()
        case Range(name, low, high):
            bounds = [_a.value >= low] if low is not None else []
            bounds += [_a.value <= high] if high is not None else []
            return _some(name, *bounds)
        case And(parts):
            return and_(true(), *map(condition, parts))
        case Or(parts):
            return or_(false(), *map(condition, parts))
        case Not(part):
            return not_(condition(part))
    raise BadInput(f"not a filter: {type(where).__name__}")


def among(column: ColumnElement[int], values: Iterable[int]) -> ColumnElement[bool]:
    """`column` is one of these integers."""
    wanted = sorted(map(int, values))
    # A statement takes only so many parameters, so many values are written into its text.
    return column.in_(bindparam(None, wanted, expanding=True, literal_execute=len(wanted) > 500))


def _some(name: str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return schema.vectors.c.id.in_(select(_a.id).where(_a.name == name, *conditions))
