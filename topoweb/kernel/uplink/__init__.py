"""The way out of a lab: a namespace of the host's with rules, and one cable to the host.

Nothing is open unless its rules stand: they are loaded on both sides before the cable exists, a
failure takes the cable away, and the kernel itself ends them at the grant's last second.
"""
