"""Problems of children, bridge ports and VLANs."""

from __future__ import annotations

from topoweb.core.topology.validate.code import Code, warning

INTERFACES = {
    "parent-missing": Code(
        "{name} is a {kind} child and hangs on nothing.", "Choose the interface that it hangs on."
    ),
    "parent-without-effect": warning(
        "{name} is a port, so its parent has no effect.",
        "A port has a cable; make it a child, or remove the parent.",
    ),
    "parent-kind": Code(
        "A {kind} child like {name} cannot hang on {parent}, a {parent_kind}.",
        "Choose a port; macvlan and ipvlan children also hang on a VLAN sub-interface.",
    ),
    "parent-is-bridge-port": Code(
        "{parent} is a bridge port, so {name} cannot hang on it.",
        "The bridge takes all that the port receives: take the port out of the bridge, or cable"
        " {name} to the switch.",
    ),
    "parent-shared": Code(
        "{parent} has macvlan and ipvlan children; {name} is one of them.",
        "Each kind wants all that the parent receives: make the children of one kind.",
    ),
    "child-with-cable": Code(
        "{name} is a {kind} child and has a cable.",
        "Its parent has the cable: remove this one, or make it a port.",
    ),
    "child-at-uplink": Code(
        "{name} and its parent {parent} cannot stand at an uplink.",
        "The uplink belongs to the host: put a router between.",
    ),
    "child-mtu": Code(
        "{name} has an MTU of {mtu}; its parent's is {limit}.",
        "Lower it to {limit}, or raise the parent's first.",
    ),
    "child-mac": warning(
        "{name} has the MAC of its parent {parent}; the drawn one has no effect.", "Remove it."
    ),
    "child-apart-from-parent": warning(
        "{name} and its parent {parent} are in one network and cannot reach each other.",
        "A {kind} child talks past its parent; give the parent's node a child of its own.",
    ),
    "passthru-alone": Code(
        "{name} passes {parent} through and must be alone, but {other} is there too.",
        "Remove the other children, or choose another mode.",
    ),
    "ipvlan-options-differ": Code(
        "{name} and {other} are children of {parent} with different options.",
        "The kernel keeps mode and flag once a parent: make them alike.",
    ),
    "ipvlan-mtu": Code("The MTU of {name} is always its parent's: {mtu}.", "Set it to {mtu}."),
    "vlan-duplicate": Code(
        "{name} and {other} are both for VLAN {id}.", "Give them different ids, or remove one."
    ),
    "vlan-not-carried": warning(
        "The switch port {port} does not carry VLAN {id}, which {name} is for.",
        "Add {id} to the tagged VLANs of {port}.",
    ),
    "vlan-filtering-off": warning(
        "{name} has VLANs, but {switch} does not keep VLANs apart.",
        "Turn VLAN filtering on at {switch}.",
    ),
    "bridge-port-without-effect": warning(
        "{name} is no bridge port, so these options have no effect.",
        "Only ports of a switch have them.",
    ),
    "kernel-lacks": Code(
        "{name} needs {feature}, which this host does not have: {reason}.",
        "{remedy} The rest of the lab can run without {name}.",
    ),
}
