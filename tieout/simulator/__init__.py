"""Make-believe vendors on the wire, written from the vendors' rules and not from our code.

A simulator is an ASGI application over a state held in memory. `serving` puts it on loopback,
`faults` makes it fail on demand, `limits` refuses what comes too fast, `clock` is its time, and
`jsonwire` reads and writes its amounts without losing a digit.
"""
