"""A labelled simulator of proxy logs: an organisation, what its people truly did on face-search sites, and its logs.

    python -m tools.proxysim --scenario hits-2337 --seed 7 --format squid --view mixed --out FOLDER

`people` makes the organisation; `face_sites` and `other_sites` play what a browser asks for while somebody does one
thing there, and say what that thing truly was; `world` spreads such acts over days; `views` says what a proxy, a
resolver or an endpoint would have seen of it; `writers` puts that into each product's own lines. `scenarios` names
whole worlds. The same seed gives the same bytes.

The writers know nothing of `countenance.proxylog.formats`: they follow the products' published field lists, so that a
reader which reads them has been tested by somebody else. No person, login or address in here is real.
"""
