"""What was seen and can be seen again: one sentence for each kind of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.catalogue.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

HOPS = {
    "hops-entering": Sentence(
        "Places where it was seen: {count}. Last seen entering {node} at {interface}.",
        "在 {count} 处看到。最后看到它从 {interface} 进入 {node}。",
    ),
    "hops-leaving": Sentence(
        "Places where it was seen: {count}. Last seen leaving {node} at {interface}.",
        "在 {count} 处看到。最后看到它从 {interface} 离开 {node}。",
    ),
    "hops-dropped": Sentence(
        "Places where it was seen: {count}. Then it was dropped in {node}.",
        "在 {count} 处看到，随后在 {node} 被丢弃。",
    ),
    "hops-none": Sentence(
        "No packet of it was seen on any cable.", "在任何线缆上都没有看到它的数据包。"
    ),
    "hops-no-reply": Sentence("{node} was not seen to send a reply.", "没有看到 {node} 发出应答。"),
    "hops-answered": Sentence(
        "Places where the answer of {address} was seen: {count}.",
        "在 {count} 处看到 {address} 的应答。",
    ),
    "hops-again": Sentence(
        "The same packet passed {interface} of {node} {count} times.",
        "同一个数据包经过 {node} 的 {interface} {count} 次。",
    ),
    "hops-reply": Sentence(
        "The reply came from {address}, not from {target}.",
        "应答来自 {address}，而不是 {target}。",
    ),
    "hops-word-lost": Sentence(
        "{address} said that the packets are too big, but its message ended at {node}.",
        "{address} 告知数据包过大，但它的消息在 {node} 终止。",
    ),
    "hops-small-pass": Sentence(
        "Packets of at most {smaller} bytes passed; {count} of {size} bytes or more did not.",
        "不超过 {smaller} 字节的数据包通过了；{count} 个不小于 {size} 字节的数据包没有通过。",
    ),
    "hops-answers": Sentence(
        "{address} was answered for by {mac} and by {other_mac}.",
        "{mac} 和 {other_mac} 都为 {address} 作了应答。",
    ),
    "hops-answer": Sentence("{address} answered: {result}", "{address} 应答：{result}"),
    "hops-forwarded-ttl": Sentence(
        "The TTL was {ttl} when it arrived at {node}.", "它到达 {node} 时 TTL 为 {ttl}。"
    ),
    "packet-size": Sentence("The packet has {size} bytes.", "该数据包有 {size} 字节。"),
}

REASON = {
    "kernel-reason": Sentence(
        "The kernel's function {symbol} dropped it: {reason}.",
        "内核函数 {symbol} 丢弃了它：{reason}。",
    ),
    "kernel-reason-only": Sentence("The kernel's reason: {reason}.", "内核给出的原因：{reason}。"),
    "kernel-silent": Sentence(
        "The kernel reported no drop, as expected: there was no packet to drop.",
        "内核没有报告丢弃，这是正常的：没有数据包可丢。",
    ),
    "kernel-consumed": Sentence(
        "The kernel reported no drop: it took the packet and did not answer.",
        "内核没有报告丢弃：它接收了数据包，但没有应答。",
    ),
}

STATE = {
    "route-look-up": Sentence(
        "{node} looks up {target}: {result}", "{node} 查找 {target}：{result}"
    ),
    "setting-is": Sentence(
        "In {node}, {setting} is {value}.", "在 {node} 中，{setting} 为 {value}。"
    ),
    "interface-is": Sentence(
        "{interface} of {node} is {state}.", "{node} 的 {interface} 状态为 {state}。"
    ),
    "interface-mtu": Sentence(
        "{interface} of {node} has an MTU of {mtu}.", "{node} 的 {interface} 的 MTU 为 {mtu}。"
    ),
    "interface-address": Sentence(
        "{interface} of {node} has {address}.", "{node} 的 {interface} 拥有 {address}。"
    ),
    "interface-qdisc": Sentence(
        "{interface} of {node} has the queue {qdisc}.", "{node} 的 {interface} 的队列为 {qdisc}。"
    ),
    "neighbour-is": Sentence(
        "{node} has for {address} at {interface} the neighbour state {state}.",
        "{node} 在 {interface} 上 {address} 的邻居状态为 {state}。",
    ),
    "port-is": Sentence(
        "Port {interface} of {node} is {state}.", "{node} 的端口 {interface} 为 {state}。"
    ),
    "mac-of-both": Sentence(
        "{address} is at {mac} and at {other_mac}.", "{address} 同时位于 {mac} 和 {other_mac}。"
    ),
    "address-unowned": Sentence(
        "No running node of the lab has {address}.", "实验中没有运行的节点拥有 {address}。"
    ),
    "address-owned": Sentence(
        "{address} belongs to {owner} ({owner_interface}).",
        "{address} 属于 {owner}({owner_interface})。",
    ),
    "not-same-segment": Sentence(
        "{owner} cannot be reached from {interface} of {node} through cables and switches alone.",
        "仅通过线缆和交换机无法从 {node} 的 {interface} 到达 {owner}。",
    ),
    "same-segment": Sentence(
        "{owner} can be reached from {interface} of {node} through cables and switches alone.",
        "仅通过线缆和交换机就能从 {node} 的 {interface} 到达 {owner}。",
    ),
    "socket-none": Sentence(
        "No socket of {node} listens on {protocol} port {port}.",
        "{node} 上没有套接字监听 {protocol} 端口 {port}。",
    ),
    "socket-at": Sentence(
        "In {node}, {protocol} port {port} is open at {addresses}.",
        "在 {node} 上，{protocol} 端口 {port} 在 {addresses} 上打开。",
    ),
    "macvlan-is": Sentence(
        "{interface} of {node} is a macvlan on {other_interface}, in mode {value}.",
        "{node} 的 {interface} 是 {other_interface} 上的 macvlan，模式为 {value}。",
    ),
    "queue-of-socket": Sentence(
        "In {node}, {count} connections wait at TCP port {port} to be accepted; {limit} may.",
        "在 {node} 上，TCP 端口 {port} 有 {count} 个连接等待接受；上限为 {limit}。",
    ),
    "state-healthy": Sentence(
        "Routes, addresses and interfaces of {node} look right for this packet.",
        "就该数据包而言，{node} 的路由、地址和接口看起来都正常。",
    ),
}

RULE = {
    "rules-passed": Sentence(
        "The packet filter of {node} was watched: it held the packet against {count} rules and"
        " policies, in this order.",
        "对 {node} 的包过滤器进行了观察：它依次用 {count} 条规则和策略检查了该数据包。",
    ),
    "rule-is": Sentence(
        "Table {table}, chain {chain} ({hook}): {rule}",
        "表 {table}，链 {chain}({hook}):{rule}",
    ),
}

COUNTERS = {
    "counter-is": Sentence(
        "In {node}, {counter} is {count}.", "在 {node} 中，{counter} 为 {count}。"
    ),
}

EVIDENCE: Mapping[str, Sentence] = {**HOPS, **REASON, **STATE, **RULE, **COUNTERS}
