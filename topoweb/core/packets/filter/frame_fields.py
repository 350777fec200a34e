"""Fields of what carries packets: the frame, Ethernet, VLAN tags, spanning tree, ARP; our own."""

from __future__ import annotations

from topoweb.core.packets.filter.field import Field, field, protocol
from topoweb.core.packets.filter.readers import Fixed, either, is_ethernet_arp

DESTINATION, SOURCE = Fixed(0, 6), Fixed(6, 6)
IS_ROOTED = {0x00, 0x02}  # types of BPDU that name a root


def _has_root(data: bytes, start: int) -> bool:
    return data[start + 3] in IS_ROOTED


OWN = (
    field("node", "name", lambda subject, _: subject.nodes,
          "Node at either end of the cable, by name", "线缆任一端的节点(名称)",
          layer="frame", example='node == "r1"'),
    field("link", "name", lambda subject, _: (subject.link,),
          "Cable, by id or by the names of its ends", "线缆(id 或两端名称)",
          layer="frame", example='link == "h1-sw1"'),
    field("direction", "text", lambda subject, _: (subject.direction,),
          "Direction along the cable: ab or ba", "沿线缆的方向:ab 或 ba",
          layer="frame", example='direction == "ab"', values=('"ab"', '"ba"')),
    field("verdict", "text",
          lambda subject, _: (subject.fate.verdict,) if subject.fate.verdict else (),
          "Code of the packet's verdict", "数据包裁定的代码",
          layer="frame", example='verdict == "no-route"'),
    Field(name="dropped", kind="protocol", layer="frame", en="The packet was dropped",
          zh="数据包被丢弃", example="dropped"),
)  # fmt: skip

FRAME = (
    protocol("frame", "Frame (every packet)", "帧(所有数据包)"),
    field("frame.number", "number", lambda subject, _: (subject.number,),
          "Number in the packet list", "列表中的编号", example="frame.number in {1..20}"),
    field("frame.len", "number", lambda subject, _: (subject.length,),
          "Length of the frame, bytes", "帧长度(字节)", example="frame.len > 1000"),
    field("frame.cap_len", "number", lambda subject, _: (len(subject.data),),
          "Captured bytes", "捕获的字节数", example="frame.cap_len < 60"),
    field("frame.time_epoch", "seconds", lambda subject, _: (subject.time_ns / 1e9,),
          "Time, seconds since 1970", "时间(自 1970 年起的秒数)",
          example="frame.time_epoch > 1700000000.5"),
    protocol("eth", "Ethernet", "以太网"),
    field("eth.addr", "mac", either(DESTINATION, SOURCE), "MAC source or destination",
          "源或目的 MAC 地址", example="eth.addr == 02:00:00:00:00:0a"),
    field("eth.src", "mac", SOURCE, "MAC source", "源 MAC 地址", decoded="source",
          example="eth.src == 02:00:00:00:00:0a"),
    field("eth.dst", "mac", DESTINATION, "MAC destination", "目的 MAC 地址",
          decoded="destination", example="eth.dst == ff:ff:ff:ff:ff:ff"),
    field("eth.ig", "flag", either(Fixed(0, 1, 0, 1), Fixed(6, 1, 0, 1)),
          "Group address (multicast, broadcast)", "组地址(组播、广播)", example="eth.ig == 1"),
    field("eth.type", "number", Fixed(12, 2, only=lambda data, start: data[start + 12] >= 6),
          "EtherType", "以太网类型", decoded="type", example="eth.type == 0x0800"),
    field("eth.len", "number", Fixed(12, 2, only=lambda data, start: data[start + 12] < 6),
          "Length of an IEEE 802.3 frame", "IEEE 802.3 帧的长度", decoded="length",
          example="eth.len < 100"),
    protocol("vlan", "802.1Q tag", "802.1Q 标签"),
    field("vlan.id", "number", Fixed(0, 2, 0, 12), "VLAN", "VLAN 编号", decoded="id",
          example="vlan.id == 10"),
    field("vlan.priority", "number", Fixed(0, 2, 13, 3), "VLAN priority", "VLAN 优先级",
          decoded="priority", example="vlan.priority > 3"),
    field("vlan.etype", "number", Fixed(2, 2), "EtherType behind the tag", "标签后的以太网类型",
          decoded="type", example="vlan.etype == 0x0800"),
    protocol("llc", "IEEE 802.2 LLC", "IEEE 802.2 LLC"),
    protocol("stp", "Spanning tree", "生成树"),
    field("stp.version", "number", Fixed(2, 1), "STP version: 0 STP, 2 RSTP",
          "STP 版本:0 为 STP,2 为 RSTP", decoded="version", example="stp.version == 2"),
    field("stp.type", "number", Fixed(3, 1), "Type of BPDU: 0, 2, 128 (topology change)",
          "BPDU 类型:0、2、128(拓扑变更)", decoded="type", example="stp.type == 0x80"),
    field("stp.root.hw", "mac", Fixed(7, 6, only=_has_root), "MAC of the root bridge",
          "根网桥的 MAC", decoded="root/mac", example="stp.root.hw == 02:00:00:00:00:0a"),
    field("stp.root.cost", "number", Fixed(13, 4, only=_has_root), "Root path cost",
          "根路径开销", decoded="root_cost", example="stp.root.cost > 0"),
    field("stp.bridge.hw", "mac", Fixed(19, 6, only=_has_root), "MAC of the sending bridge",
          "发送网桥的 MAC", decoded="bridge/mac", example="stp.bridge.hw == 02:00:00:00:00:0b"),
    field("stp.port", "number", Fixed(25, 2, only=_has_root), "Port of the sending bridge",
          "发送网桥的端口", decoded="port", example="stp.port == 0x8001"),
    protocol("arp", "ARP", "ARP"),
    field("arp.opcode", "number", Fixed(6, 2), "1 request, 2 reply", "1 请求,2 应答",
          decoded="operation", example="arp.opcode == 1", values=("1", "2")),
    field("arp.src.hw_mac", "mac", Fixed(8, 6, only=is_ethernet_arp), "Sender's MAC",
          "发送方 MAC", decoded="sender_mac", example="arp.src.hw_mac == 02:00:00:00:00:0a"),
    field("arp.src.proto_ipv4", "ipv4", Fixed(14, 4, only=is_ethernet_arp),
          "Sender's IPv4 address", "发送方 IPv4 地址", decoded="sender_ip",
          example="arp.src.proto_ipv4 == 10.0.1.11"),
    field("arp.dst.hw_mac", "mac", Fixed(18, 6, only=is_ethernet_arp), "Target's MAC",
          "目标 MAC", decoded="target_mac", example="arp.dst.hw_mac == 02:00:00:00:00:0b"),
    field("arp.dst.proto_ipv4", "ipv4", Fixed(24, 4, only=is_ethernet_arp),
          "Target's IPv4 address", "目标 IPv4 地址", decoded="target_ip",
          example="arp.dst.proto_ipv4 == 10.0.1.1"),
    protocol("data", "Bytes that no protocol claims", "无协议认领的数据"),
)  # fmt: skip
