"""What happens to a packet on its way: routing, filters, neighbours, bridges, sizes."""

from __future__ import annotations

from topoweb.core.tracing.explain.catalogue.sentence import Sentence

ROUTING = {
    "forwarding-off": Sentence(
        "{node} received the packet for {target} at {interface}, but it does not forward:"
        " IP forwarding is off, so it threw the packet away.",
        "{node} 在 {interface} 收到了发往 {target} 的数据包，但它不转发：IP 转发已关闭，"
        "因此丢弃了该数据包。",
    ),
    "forwarding-off-interface": Sentence(
        "{node} forwards, but not what comes in at {interface}: forwarding is off for this"
        " interface, so the packet for {target} was thrown away.",
        "{node} 会转发，但不转发从 {interface} 进入的数据包：该接口的转发已关闭，"
        "因此丢弃了发往 {target} 的数据包。",
    ),
    "no-route": Sentence(
        "{node} has no route to {target}, so it could not pass the packet on.",
        "{node} 没有到 {target} 的路由，因此无法继续传送该数据包。",
    ),
    "no-return-route": Sentence(
        "The request arrived at {node}. {node} has no route back to {source}, so no reply was"
        " ever sent.",
        "请求已到达 {node}。{node} 没有返回 {source} 的路由，因此从未发出应答。",
    ),
    "no-route-for-reply": Sentence(
        "The request arrived and was answered, but the reply was lost at {node}, which has no"
        " route to {target}.",
        "请求已到达并得到应答，但应答在 {node} 丢失：它没有到 {target} 的路由。",
    ),
    "source-no-route": Sentence(
        "{node} has no route to {target}, so it sent nothing at all.",
        "{node} 没有到 {target} 的路由，因此什么都没有发出。",
    ),
    "rp-filter": Sentence(
        "{node} received a packet from {source} at {interface}, but its own way to {source} is"
        " {way}. Strict reverse path filtering threw the packet away.",
        "{node} 在 {interface} 收到来自 {source} 的数据包，但它自己到 {source} 的路径是"
        " {way}。严格的反向路径过滤丢弃了该数据包。",
    ),
    "route-blackhole": Sentence(
        "{node} has a blackhole route for {target}: such packets are thrown away in silence.",
        "{node} 有一条针对 {target} 的黑洞路由：此类数据包会被静默丢弃。",
    ),
    "route-prohibit": Sentence(
        "{node} has a route that prohibits {target}: it refuses to pass such packets on.",
        "{node} 有一条禁止 {target} 的路由：它拒绝传送此类数据包。",
    ),
    "route-unreachable": Sentence(
        "{node} has a route that declares {target} unreachable.",
        "{node} 有一条声明 {target} 不可达的路由。",
    ),
    "wrong-next-hop": Sentence(
        "{previous} sends packets for {target} to {gateway}, which is {node}, but the way there"
        " does not lead through {node}: {owner} is the router that knows it.",
        "{previous} 把发往 {target} 的数据包交给 {gateway}，即 {node}，但去往那里的路不经过"
        " {node}：知道这条路的路由器是 {owner}。",
    ),
    "gateway-unowned": Sentence(
        "{node} sends packets for {target} to the next hop {gateway}, but nobody has this address.",
        "{node} 把发往 {target} 的数据包交给下一跳 {gateway}，但没有任何节点拥有该地址。",
    ),
    "gateway-off-link": Sentence(
        "{node} asks for its next hop {gateway} at {interface}, but {gateway} belongs to {owner},"
        " which is not on that cable or switch.",
        "{node} 在 {interface} 上寻找下一跳 {gateway}，但 {gateway} 属于 {owner}，"
        "它不在这条线缆或交换机上。",
    ),
}

TIMING = {
    "ttl-exceeded": Sentence(
        "The packet's time to live was used up at {node}. It was sent with a TTL of {ttl}, too"
        " few for the way; traceroute does so on purpose.",
        "数据包的生存时间在 {node} 耗尽。它发出时的 TTL 为 {ttl}，不足以走完全程；"
        "traceroute 就是有意这样做的。",
    ),
    "routing-loop": Sentence(
        "The packet for {target} went round in a circle until its time to live was used up:"
        " {node} and {other} send it to each other.",
        "发往 {target} 的数据包一直绕圈，直到生存时间耗尽：{node} 和 {other} 互相把它发给对方。",
    ),
    "routing-circle": Sentence(
        "The packet for {target} went round in a circle until its time to live was used up. It"
        " goes {routers} and there again.",
        "发往 {target} 的数据包一直绕圈，直到生存时间耗尽。它经过 {routers}，又回到起点。",
    ),
    "bridge-loop": Sentence(
        "The switches form a loop without spanning tree: the same packet passed {node} {count}"
        " times. Such frames circle for ever and flood the network.",
        "交换机之间形成了没有生成树的环路：同一个数据包经过 {node} {count} 次。"
        "这样的帧会永远循环并淹没网络。",
    ),
}

FILTERING = {
    "filter-drop": Sentence(
        "The packet filter of {node} dropped the packet ({hook}). The rule is: {rule}",
        "{node} 的包过滤器丢弃了该数据包({hook})。规则是：{rule}",
    ),
    "filter-reject": Sentence(
        "The packet filter of {node} rejected the packet ({hook}) and told the sender. The rule"
        " is: {rule}",
        "{node} 的包过滤器拒绝了该数据包({hook})并通知了发送方。规则是：{rule}",
    ),
    "filter-policy": Sentence(
        "No rule of {node} let the packet through, and the policy of chain {chain} ({hook}) is to"
        " drop.",
        "{node} 没有任何规则放行该数据包，而链 {chain}({hook})的默认策略是丢弃。",
    ),
    "filter-unknown": Sentence(
        "The packet filter of {node} dropped the packet ({hook}), but no rule that is there now"
        " explains it.",
        "{node} 的包过滤器丢弃了该数据包({hook}),但目前的规则都无法解释这一点。",
    ),
    "conntrack-full": Sentence(
        "{node} tracks {count} connections and may track {limit}: the table is full, so packets"
        " of new connections are dropped.",
        "{node} 正在跟踪 {count} 个连接，上限为 {limit}：表已满，因此新连接的数据包被丢弃。",
    ),
}

NEIGHBOURS = {
    "neighbour-failed": Sentence(
        "{node} asked at {interface} who has {address}. No node of the lab has this address, so"
        " nobody answered.",
        "{node} 在 {interface} 上询问谁拥有 {address}。实验中没有节点拥有该地址，因此无人应答。",
    ),
    "neighbour-silent": Sentence(
        "{node} asked at {interface} who has {address}. {owner} has it, but its answer never came.",
        "{node} 在 {interface} 上询问谁拥有 {address}。{owner} 拥有它，但应答始终没有到来。",
    ),
    "arp-off": Sentence(
        "{owner} has {address} at {interface}, but address resolution is off there (NOARP), so it"
        " never answers who asks for it.",
        "{owner} 在 {interface} 拥有 {address}，但该接口已关闭地址解析(NOARP),因此它从不应答询问。",
    ),
    "arp-ignored": Sentence(
        "{owner} has {address} at {interface}, but its setting {setting} = {value} makes it ignore"
        " ARP requests for it.",
        "{owner} 在 {interface} 拥有 {address}，但设置 {setting} = {value}"
        " 使它忽略针对该地址的 ARP 请求。",
    ),
    "neighbour-wrong": Sentence(
        "{node} believes that {address} is at {mac}, but it is at {other_mac}, so nobody takes the"
        " packet.",
        "{node} 认为 {address} 位于 {mac}，而实际位于 {other_mac}，因此没有节点接收该数据包。",
    ),
    "not-for-this-host": Sentence(
        "A switch flooded the packet to all its ports. {node} is not the one that it is addressed"
        " to and ignored its copy, as it should.",
        "交换机把数据包泛洪到所有端口。{node} 不是它的目的地，因此正常地忽略了自己收到的副本。",
    ),
}

BRIDGING = {
    "stp-blocking": Sentence(
        "Port {interface} of {node} is blocked by spanning tree, to break a loop. The packet takes"
        " another way, or none while the tree is being built.",
        "{node} 的端口 {interface} 被生成树阻塞，以断开环路。数据包会走另一条路；"
        "在生成树建立期间则无路可走。",
    ),
    "stp-learning": Sentence(
        "Port {interface} of {node} has just come up and is still {state}: spanning tree lets"
        " packets pass about 30 seconds after a port comes up.",
        "{node} 的端口 {interface} 刚刚启用，仍处于 {state} 状态："
        "生成树在端口启用约 30 秒后才放行数据包。",
    ),
    "bridge-down": Sentence(
        "{node} received the packet at port {interface}, but its bridge {name} is down, so no port"
        " passes anything on.",
        "{node} 在端口 {interface} 收到了数据包，但其网桥 {name} 已关闭，因此没有端口会转发。",
    ),
    "port-isolated": Sentence(
        "The ports {interface} and {other_interface} of {node} are isolated: isolated ports do not"
        " talk to each other.",
        "{node} 的端口 {interface} 和 {other_interface} 是隔离端口：隔离端口之间互不通信。",
    ),
    "port-locked": Sentence(
        "Port {interface} of {node} is locked: it takes packets only from addresses that are"
        " listed, and {mac} is not.",
        "{node} 的端口 {interface} 已锁定：它只接收来自已登记地址的数据包，而 {mac} 未登记。",
    ),
    "flooding-off": Sentence(
        "{node} does not know behind which port {mac} is, and may not flood: flooding is off on"
        " its other ports.",
        "{node} 不知道 {mac} 在哪个端口之后，而且不允许泛洪：其他端口的泛洪已关闭。",
    ),
}

SIZES = {
    "mtu-too-big": Sentence(
        "The packet has {size} bytes, but {interface} of {node} carries at most {mtu}, and the"
        " packet may not be fragmented.",
        "数据包有 {size} 字节，但 {node} 的 {interface} 最多承载 {mtu} 字节，且它不允许分片。",
    ),
    "mtu-told": Sentence(
        "A segment of this connection was too large for {interface} of {node}, which carries at"
        " most {mtu} bytes. {node} says so to the sender, which then sends smaller ones.",
        "该连接的一个报文段对 {node} 的 {interface} 来说太大，后者最多承载 {mtu} 字节。"
        "{node} 会告知发送方，发送方随后会发送更小的报文段。",
    ),
    "port-mtu": Sentence(
        "The packet has {size} bytes, but port {interface} of the switch {node} carries at most"
        " {mtu}. A switch cannot fragment, so it dropped the packet without a word.",
        "数据包有 {size} 字节，但交换机 {node} 的端口 {interface} 最多承载 {mtu} 字节。"
        "交换机不能分片，因此默默丢弃了它。",
    ),
    "peer-mtu": Sentence(
        "{node} sent {size} bytes out of {interface}, but {peer} takes at most {mtu} at"
        " {peer_interface}: the two ends of the cable do not agree on the MTU.",
        "{node} 从 {interface} 发出 {size} 字节，但 {peer} 的 {peer_interface} 最多接收"
        " {mtu} 字节：线缆两端的 MTU 不一致。",
    ),
    "mtu-black-hole": Sentence(
        "Small packets pass, large ones do not: those of {size} bytes are never seen after"
        " {node}, whose way on carries at most {mtu}, and the sender never learns of it.",
        "小数据包可以通过，大数据包不行：{size} 字节的数据包在 {node} 之后再也没有出现，"
        "那里最多承载 {mtu} 字节，而发送方从未得知。",
    ),
    "fragment-lost": Sentence(
        "{node} waited for all fragments of a packet from {source}, but at least one never came,"
        " so it threw the others away.",
        "{node} 等待来自 {source} 的数据包的所有分片，但至少有一个没有到达，因此丢弃了其余分片。",
    ),
}
