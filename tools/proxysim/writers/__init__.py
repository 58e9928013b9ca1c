"""Rows into the lines of each product, from its published fields. `FORMATS` names them all."""

from __future__ import annotations

from dataclasses import replace

from tools.proxysim.views import Row, View, seen
from tools.proxysim.world import World
from tools.proxysim.writers import cloud, defender, elff, ncsa, paloalto, plain, squid, zeek
from tools.proxysim.writers.product import Product

FORMATS: dict[str, Product] = {
    product.name: product
    for module in (squid, ncsa, elff, cloud, paloalto, zeek, defender, plain)
    for product in module.PRODUCTS
}


def written(world: World, product: Product, view: View) -> list[Row]:
    """The rows that the product writes a line of."""
    return [
        opened(row) if product.ends_tls and row.inspected else row
        for row in seen(world, view)
        if (product.challenges or row.fate != "challenged") and (product.refusals or row.fate != "denied")
    ]


def opened(row: Row) -> Row:
    """A CONNECT of which the proxy sees the requests one by one: they have the bytes, and it was over at once."""
    return replace(row, seconds=0.08, sent=None if row.sent is None else 318, received=39)


def logs(world: World, product: Product, view: View) -> dict[str, str]:
    """The files of a world in one product's format, by name, the text of each: one for each proxy and kind of file."""
    apart: dict[str, list[Row]] = {}
    for row in written(world, product, view):
        part = product.part(row)
        name = f"{part or 'proxy'}-{row.person.proxy}.{product.suffix}"
        apart.setdefault(name, []).append(row)
    return {name: "".join(f"{line}\n" for line in product.write(rows, view)) for name, rows in sorted(apart.items())}
