"""The demo: make-believe companies with a past, worked before your eyes and tied out.

It drives the product as its user does: a configuration that ``tieout init`` writes, companies
that ``tieout simulate`` serves, rounds as ``tieout run --once --wait`` runs them. Read ``play.py``
first.
"""
