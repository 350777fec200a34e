"""What happens at the ends: programs, links, addresses, services; and silence."""

from __future__ import annotations

from topoweb.core.tracing.explain.catalogue.sentence import Sentence

SOCKETS = {
    "no-listener": Sentence(
        "The packet arrived at {node}, but no program listens on {protocol} port {port} there.",
        "数据包已到达 {node}，但那里没有程序监听 {protocol} 端口 {port}。",
    ),
    "listens-elsewhere": Sentence(
        "The packet arrived at {node}. A program listens on {protocol} port {port}, but only at"
        " {addresses}, not at {address}.",
        "数据包已到达 {node}。有程序监听 {protocol} 端口 {port}，但只在 {addresses} 上监听，"
        "而不在 {address} 上。",
    ),
    "late-answer": Sentence(
        "An answer came to {node}, {protocol} port {port}, but the program that asked has gone"
        " already.",
        "应答到达了 {node} 的 {protocol} 端口 {port}，但发出询问的程序已经退出。",
    ),
    "buffer-full": Sentence(
        "The program on {protocol} port {port} of {node} does not read as fast as packets arrive:"
        " its receive buffer is full.",
        "{node} 上 {protocol} 端口 {port} 的程序读取速度跟不上数据包到达的速度：接收缓冲区已满。",
    ),
    "queue-of-listener-full": Sentence(
        "The program on TCP port {port} of {node} does not accept connections as fast as they"
        " come: its queue is full.",
        "{node} 上 TCP 端口 {port} 的程序接受连接的速度跟不上：其等待队列已满。",
    ),
    "protocol-unknown": Sentence(
        "{node} received an IP packet of protocol {number}, which it does not speak.",
        "{node} 收到了协议号为 {number} 的 IP 数据包，但它不支持该协议。",
    ),
    "ethertype-unknown": Sentence(
        "{node} received a frame of EtherType {value} at {interface}, which it does not speak.",
        "{node} 在 {interface} 收到了以太网类型为 {value} 的帧，但它不支持该类型。",
    ),
    "echo-ignored": Sentence(
        "The request arrived at {node}, but {node} is set to ignore echo requests.",
        "请求已到达 {node}，但 {node} 被设置为忽略回显请求。",
    ),
    "bad-checksum": Sentence(
        "{node} threw the packet away at {interface}: its {protocol} checksum is wrong.",
        "{node} 在 {interface} 丢弃了该数据包：其 {protocol} 校验和错误。",
    ),
    "bad-header": Sentence(
        "{node} threw the packet away at {interface}: its header is malformed.",
        "{node} 在 {interface} 丢弃了该数据包：其首部格式错误。",
    ),
}

LINKS = {
    "interface-down": Sentence(
        "{interface} of {node} is switched off, so nothing can pass it.",
        "{node} 的 {interface} 已关闭，因此任何数据包都无法通过。",
    ),
    "no-carrier": Sentence(
        "{interface} of {node} has no carrier: the other end, {peer_interface} of {peer}, is"
        " switched off.",
        "{node} 的 {interface} 没有载波：对端 {peer} 的 {peer_interface} 已关闭。",
    ),
    "no-cable": Sentence(
        "{interface} of {node} has no carrier: nothing is at the other end.",
        "{node} 的 {interface} 没有载波：对端没有连接任何设备。",
    ),
    "lo-down": Sentence(
        "The loopback interface of {node} is off, so {node} cannot even talk to itself.",
        "{node} 的环回接口已关闭，因此 {node} 甚至无法与自己通信。",
    ),
    "queue-full": Sentence(
        "More packets leave {node} at {interface} than its queue ({qdisc}) lets through, so some"
        " are dropped.",
        "从 {node} 的 {interface} 发出的数据包超过了其队列({qdisc})允许的速率，因此一部分被丢弃。",
    ),
    "overloaded": Sentence(
        "{node} gets packets faster than the host can handle them, so some are dropped.",
        "{node} 收到数据包的速度超过了主机的处理能力，因此一部分被丢弃。",
    ),
}

MACVLANS = {
    "macvlan-parent": Sentence(
        "{node} ({interface}) and {owner} ({other_interface}) cannot talk to each other: one hangs"
        " on the other as a macvlan, and a macvlan never talks to its own parent. So nobody"
        " answered for {address}.",
        "{node}({interface})与 {owner}({other_interface})无法互相通信：其中一个是挂在另一个上的"
        " macvlan，而 macvlan 从不与自己的父接口通信。因此无人为 {address} 应答。",
    ),
    "macvlan-apart": Sentence(
        "{node} ({interface}) and {owner} ({other_interface}) hang on the same parent, and mode"
        " {value} keeps them apart. So nobody answered for {address}.",
        "{node}({interface})与 {owner}({other_interface})挂在同一个父接口上，而 {value} 模式使"
        "它们互相隔离。因此无人为 {address} 应答。",
    ),
}

ADDRESSING = {
    "duplicate-address": Sentence(
        "Two nodes have the address {address}: {node} at {interface} and {other} at"
        " {other_interface}. Packets reach now the one, now the other.",
        "两个节点拥有相同的地址 {address}：{node} 的 {interface} 和 {other} 的"
        " {other_interface}。数据包时而到达这个，时而到达那个。",
    ),
    "duplicate-answers": Sentence(
        "Two interfaces answer for {address}: {mac} and {other_mac}. One of them is not of a node"
        " that is drawn.",
        "有两个接口为 {address} 应答：{mac} 和 {other_mac}。其中之一不属于所绘制的节点。",
    ),
    "wrong-mask": Sentence(
        "{node} takes {address} to be on its own cable, because {interface} has the prefix"
        " {prefix}. But {address} belongs to {owner}, which is elsewhere, so nobody answered.",
        "由于 {interface} 的前缀是 {prefix}，{node} 认为 {address} 就在自己的线缆上。"
        "但 {address} 属于 {owner}，它在别处，因此无人应答。",
    ),
    "wrong-mask-narrow": Sentence(
        "{owner} with {address} is on the same cable or switch as {node}, but {node} does not know"
        " it: the prefix {prefix} at {interface} is too narrow.",
        "拥有 {address} 的 {owner} 与 {node} 在同一条线缆或交换机上，但 {node} 并不知道："
        "{interface} 的前缀 {prefix} 太窄。",
    ),
    "source-is-own": Sentence(
        "{node} received a packet at {interface} that claims to come from {source}, which is"
        " {node}'s own address.",
        "{node} 在 {interface} 收到一个自称来自 {source} 的数据包，而这是 {node} 自己的地址。",
    ),
    "source-not-own": Sentence(
        "{node} sends from {source}, which is not an address of {node}, so no reply can find back.",
        "{node} 以 {source} 为源地址发送，而这不是 {node} 的地址，因此应答无法返回。",
    ),
    "source-invalid": Sentence(
        "{node} received a packet at {interface} from {source} to {target}: such addresses may not"
        " appear on a cable.",
        "{node} 在 {interface} 收到从 {source} 到 {target} 的数据包：线缆上不允许这样的地址。",
    ),
    "ipv6-disabled": Sentence(
        "{node} threw the IPv6 packet away: IPv6 is disabled at {interface}.",
        "{node} 丢弃了该 IPv6 数据包：{interface} 上的 IPv6 已禁用。",
    ),
}

SERVICES = {
    "dhcp-no-server": Sentence(
        "{node} asked for an address at {interface}, but no DHCP server is on that cable or"
        " switch.",
        "{node} 在 {interface} 上请求地址，但该线缆或交换机上没有 DHCP 服务器。",
    ),
    "dhcp-server-silent": Sentence(
        "{node} asked for an address at {interface}. {server} listens for such requests at"
        " {other_interface}, but it offered none.",
        "{node} 在 {interface} 上请求地址。{server} 在 {other_interface} 监听此类请求，"
        "但没有提供地址。",
    ),
    "dhcp-refused": Sentence(
        "The DHCP server {address} refused the address that {node} asked for.",
        "DHCP 服务器 {address} 拒绝了 {node} 请求的地址。",
    ),
    "dhcp-rogue": Sentence(
        "Two DHCP servers answer {node}: {address} and {addresses}. Whichever is faster decides"
        " what the client gets; one of them should not be there.",
        "有两个 DHCP 服务器应答 {node}：{address} 和 {addresses}。谁更快就由谁决定客户端的地址；"
        "其中之一不应存在。",
    ),
    "dns-no-such-name": Sentence(
        "The DNS server {address} answered: the name {name} does not exist.",
        "DNS 服务器 {address} 应答：名称 {name} 不存在。",
    ),
    "dns-refused": Sentence(
        "The DNS server {address} refused to look up {name}: it does not serve this name, or not"
        " for you.",
        "DNS 服务器 {address} 拒绝查询 {name}：它不提供该名称，或不为你提供。",
    ),
    "dns-silent": Sentence(
        "The query for {name} arrived at {node}, where a DNS server listens at {address}, but it"
        " did not answer. A server that asks others is silent as long as they are.",
        "对 {name} 的查询已到达 {node}，那里有 DNS 服务器在 {address} 监听，但它没有应答。"
        "向其他服务器转发查询的服务器，在对方沉默时也会沉默。",
    ),
    "dns-server-failure": Sentence(
        "The DNS server {address} could not find out {name}: the server that it should ask did"
        " not answer it (broken delegation or forwarding).",
        "DNS 服务器 {address} 无法查到 {name}：它要询问的服务器没有应答（委派或转发有误）。",
    ),
    "dns-bad-query": Sentence(
        "The DNS server {address} did not understand the query for {name}.",
        "DNS 服务器 {address} 无法理解对 {name} 的查询。",
    ),
}

NAT = {
    "hairpin-nat": Sentence(
        "{node} translated the address {target} to {address}, which is on the same cable or"
        " switch as {asker}. The answer goes there directly, from {address}, and {asker}, which"
        " asked {target}, does not accept it.",
        "{node} 把地址 {target} 转换成了 {address}，它与 {asker} 在同一条线缆或交换机上。"
        "应答从 {address} 直接返回，而 {asker} 询问的是 {target}，因此不接受它。",
    ),
}

SILENCE = {
    "delivered": Sentence("The packet arrived at {node}.", "数据包已到达 {node}。"),
    "answered": Sentence("{target} answered.", "{target} 已应答。"),
    "address-free": Sentence(
        "{node} asked whether somebody has {address} already. Nobody answered, as it should be.",
        "{node} 询问是否已有节点拥有 {address}。无人应答，这正是应有的结果。",
    ),
    "group-unanswered": Sentence(
        "The packet went to {target}, which is a whole group; nobody needs to answer.",
        "数据包发往 {target}，这是一个组地址；没有谁必须应答。",
    ),
    "reply-lost": Sentence(
        "The request arrived and was answered, but the reply was last seen at {node}"
        " ({interface}), and nothing in the state of {node} explains why it went no farther.",
        "请求已到达并得到应答，但应答最后出现在 {node}({interface}),"
        "而 {node} 的状态无法解释它为何没有继续。",
    ),
    "no-answer": Sentence(
        "The request arrived at {node}, but no answer was seen, and nothing in the state of"
        " {node} explains why.",
        "请求已到达 {node}，但没有看到应答，而 {node} 的状态无法解释原因。",
    ),
    "lost-at": Sentence(
        "The packet was last seen at {node} ({interface}), and nothing in the state of {node}"
        " explains why it went no farther.",
        "数据包最后出现在 {node}({interface}),而 {node} 的状态无法解释它为何没有继续。",
    ),
    "not-sent": Sentence(
        "No packet to {target} was seen to leave {node}.",
        "没有看到 {node} 发出任何到 {target} 的数据包。",
    ),
    "sender-unknown": Sentence(
        "No node of the lab has the address {source}, and no packet from it was seen.",
        "实验中没有节点拥有地址 {source}，也没有看到来自它的数据包。",
    ),
    "unreachable-reported": Sentence(
        "{address} reported: {error}. Nothing in its state explains it any more.",
        "{address} 报告：{error}。其状态已无法解释原因。",
    ),
    "noise": Sentence(
        "The kernel of {node} cleaned up a packet that had done its work.",
        "{node} 的内核清理了一个已完成使命的数据包。",
    ),
    "not-foretold": Sentence(
        "What becomes of the packet at {node} ({interface}) cannot be foretold from its state.",
        "无法根据 {node}({interface})的状态预测数据包的去向。",
    ),
    "unknown-drop": Sentence(
        "{node} dropped the packet. The kernel says {reason}, which is not explained here.",
        "{node} 丢弃了该数据包。内核给出的原因是 {reason}，此处没有解释。",
    ),
}
