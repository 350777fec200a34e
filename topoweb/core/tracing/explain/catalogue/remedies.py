"""What would help: one sentence for each code, as an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.catalogue.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTES = {
    "turn-forwarding-on": Sentence("Turn forwarding on in {node}.", "在 {node} 上开启转发。"),
    "turn-interface-forwarding-on": Sentence(
        "Turn forwarding on for {interface} of {node}.", "为 {node} 的 {interface} 开启转发。"
    ),
    "add-route": Sentence(
        "Give {node} a route to {prefix} by {gateway}.",
        "为 {node} 添加经由 {gateway} 到 {prefix} 的路由。",
    ),
    "add-some-route": Sentence(
        "Give {node} a route to {prefix}, or a default route.",
        "为 {node} 添加到 {prefix} 的路由，或一条默认路由。",
    ),
    "change-route": Sentence(
        "Send {prefix} from {node} to {gateway} instead.",
        "在 {node} 上把 {prefix} 改为经由 {gateway}。",
    ),
    "remove-route": Sentence(
        "Remove the route {prefix} of {node}.", "删除 {node} 的路由 {prefix}。"
    ),
    "loosen-rp-filter": Sentence(
        "Let packets come and go the same way, or set {setting} of {node} to 2 (loose).",
        "让数据包往返走同一条路，或把 {node} 的 {setting} 设为 2（宽松）。",
    ),
    "break-routing-loop": Sentence(
        "Change the route {prefix} of {node} or of {other}, so that one of them leads to the"
        " target.",
        "修改 {node} 或 {other} 的路由 {prefix}，使其中之一通向目标。",
    ),
}

FILTERS = {
    "edit-filter": Sentence(
        "Remove the rule in {node}, or put one that accepts before it.",
        "删除 {node} 中的该规则，或在它之前添加一条放行规则。",
    ),
    "edit-policy": Sentence(
        "Add a rule to chain {chain} of {node} that accepts such packets.",
        "在 {node} 的链 {chain} 中添加放行此类数据包的规则。",
    ),
    "raise-conntrack-limit": Sentence(
        "Raise the limit of tracked connections of {node}, or close some.",
        "提高 {node} 的连接跟踪上限，或关闭一些连接。",
    ),
    "translate-source-too": Sentence(
        "Let {node} translate the source too (masquerade), so that answers come back through it.",
        "让 {node} 同时转换源地址(masquerade),使应答经它返回。",
    ),
}

NEIGHBOURS = {
    "give-address": Sentence(
        "Give the address {address} to the node that should have it, or ask for another one.",
        "把地址 {address} 分配给应当拥有它的节点，或改用另一个地址。",
    ),
    "turn-arp-on": Sentence(
        "Turn address resolution on at {interface} of {node}.",
        "在 {node} 的 {interface} 上开启地址解析。",
    ),
    "stop-ignoring-arp": Sentence(
        "Set {setting} of {node} to 0.", "把 {node} 的 {setting} 设为 0。"
    ),
    "forget-neighbour": Sentence(
        "Remove the fixed neighbour entry for {address} in {node}.",
        "删除 {node} 中 {address} 的固定邻居条目。",
    ),
    "check-segment": Sentence(
        "Look at the cables and switches between {node} and {owner}.",
        "检查 {node} 与 {owner} 之间的线缆和交换机。",
    ),
    "move-interface": Sentence(
        "Use a next hop that is in the network of {interface}, or connect {owner} there.",
        "使用位于 {interface} 所在网络中的下一跳，或把 {owner} 连接到那里。",
    ),
}

PORTS = {
    "wait-for-spanning-tree": Sentence(
        "Wait until spanning tree has opened the port, about 30 seconds.",
        "等待生成树打开该端口，约 30 秒。",
    ),
    "turn-bridge-up": Sentence(
        "Switch the bridge {name} of {node} on.", "启用 {node} 的网桥 {name}。"
    ),
    "end-isolation": Sentence(
        "End the isolation of port {interface} of {node}.",
        "取消 {node} 的端口 {interface} 的隔离。",
    ),
    "unlock-port": Sentence(
        "Unlock port {interface} of {node}, or list {mac} there.",
        "解锁 {node} 的端口 {interface}，或在那里登记 {mac}。",
    ),
    "turn-flooding-on": Sentence(
        "Let the ports of {node} flood what they do not know.", "允许 {node} 的端口泛洪未知单播。"
    ),
    "turn-stp-on": Sentence(
        "Turn spanning tree on in {node}, or remove one cable of the loop.",
        "在 {node} 上开启生成树，或拆除环路中的一条线缆。",
    ),
}

SIZES = {
    "let-too-big-pass": Sentence(
        "Let {node} pass the ICMP messages that say a packet is too big; without them no sender"
        " learns that the way carries only {mtu} bytes.",
        "让 {node} 放行“数据包过大”的 ICMP 消息；没有它们，发送方无从得知路径最多承载 {mtu} 字节。",
    ),
    "set-mtu": Sentence(
        "Give {interface} of {node} an MTU of {mtu}.",
        "把 {node} 的 {interface} 的 MTU 设为 {mtu}。",
    ),
    "send-smaller": Sentence(
        "Send packets of at most {mtu} bytes, or raise the MTU of {interface} of {node}.",
        "发送不超过 {mtu} 字节的数据包，或增大 {node} 的 {interface} 的 MTU。",
    ),
    "find-lost-fragment": Sentence(
        "Look at the other fragments' ways: one of them ended before {node}.",
        "查看其他分片的路径：其中之一在到达 {node} 之前就终止了。",
    ),
}

PROGRAMS = {
    "start-program": Sentence(
        "Start a program in {node} that listens on {protocol} port {port}.",
        "在 {node} 上启动一个监听 {protocol} 端口 {port} 的程序。",
    ),
    "listen-everywhere": Sentence(
        "Let the program in {node} listen at {address}, or at all addresses.",
        "让 {node} 上的程序在 {address} 或所有地址上监听。",
    ),
    "read-faster": Sentence(
        "Send more slowly, or let the program in {node} read faster.",
        "降低发送速度，或让 {node} 上的程序更快地读取。",
    ),
    "allow-echo": Sentence("Let {node} answer echo requests.", "允许 {node} 应答回显请求。"),
}

LINKS = {
    "turn-interface-on": Sentence(
        "Switch {interface} of {node} on.", "启用 {node} 的 {interface}。"
    ),
    "connect-cable": Sentence(
        "Connect {interface} of {node} to something.", "为 {node} 的 {interface} 连接线缆。"
    ),
    "turn-loopback-on": Sentence(
        "Switch the loopback interface of {node} on.", "启用 {node} 的环回接口。"
    ),
    "send-slower": Sentence(
        "Send more slowly, or raise the rate limit at {interface} of {node}.",
        "降低发送速度，或提高 {node} 的 {interface} 的限速。",
    ),
}

ADDRESSES = {
    "hang-host-on-macvlan": Sentence(
        "Give {node} a macvlan of its own on {interface}, in mode bridge, and move its address"
        " there.",
        "在 {node} 的 {interface} 上为其自身添加一个 bridge 模式的 macvlan，并把地址移到那里。",
    ),
    "set-macvlan-bridge": Sentence(
        "Set the macvlan {interface} of {node} to mode bridge.",
        "把 {node} 的 macvlan {interface} 设为 bridge 模式。",
    ),
    "change-address": Sentence(
        "Give {interface} of {node} another address: {address} is free.",
        "给 {node} 的 {interface} 换一个地址：{address} 未被占用。",
    ),
    "find-other-address": Sentence(
        "Give one of the two another address than {address}.",
        "给其中之一换一个不同于 {address} 的地址。",
    ),
    "change-mask": Sentence(
        "Give {interface} of {node} the address {address}.",
        "把 {node} 的 {interface} 的地址改为 {address}。",
    ),
    "send-from-own-address": Sentence(
        "Send from an address of {node}: {addresses}.", "使用 {node} 自己的地址发送：{addresses}。"
    ),
    "turn-ipv6-on": Sentence(
        "Turn IPv6 on at {interface} of {node}.", "在 {node} 的 {interface} 上启用 IPv6。"
    ),
}

SERVICES = {
    "start-dhcp-server": Sentence(
        "Add a DHCP server to a node on the same cable or switch as {node}.",
        "在与 {node} 位于同一线缆或交换机的节点上添加 DHCP 服务器。",
    ),
    "check-dhcp-range": Sentence(
        "Look at the range of the DHCP server in {server}: it must have free addresses of this"
        " network.",
        "检查 {server} 上 DHCP 服务器的地址范围：其中必须有该网络的空闲地址。",
    ),
    "stop-rogue-dhcp": Sentence(
        "Stop the DHCP server in {server}, unless it is the right one.",
        "停止 {server} 上的 DHCP 服务器，除非它才是正确的那个。",
    ),
    "ask-other-dns": Sentence(
        "Ask a DNS server that serves {name}, or let this one serve or forward it.",
        "询问提供 {name} 的 DNS 服务器，或让这个服务器提供或转发该名称。",
    ),
    "mend-delegation": Sentence(
        "Look at the servers that {address} asks for {name}: can it reach them, and do they"
        " answer?",
        "检查 {address} 为查询 {name} 所询问的服务器：能否到达，是否应答？",
    ),
}

REMEDIES: Mapping[str, Sentence] = {
    **ROUTES, **FILTERS, **NEIGHBOURS, **PORTS, **SIZES, **PROGRAMS, **LINKS, **ADDRESSES,
    **SERVICES,
}  # fmt: skip
