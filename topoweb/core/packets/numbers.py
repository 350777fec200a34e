"""Numbers that several protocols share: EtherTypes and IP protocol numbers (IANA)."""

from __future__ import annotations

IPV4, ARP, VLAN, IPV6, SERVICE_VLAN = 0x0800, 0x0806, 0x8100, 0x86DD, 0x88A8
LLC_BELOW = 0x0600  # a smaller type field is a length: IEEE 802.3 with LLC

ETHERTYPES = {
    IPV4: "IPv4", ARP: "ARP", VLAN: "VLAN", IPV6: "IPv6", SERVICE_VLAN: "VLAN (service)",
    0x8847: "MPLS", 0x8863: "PPPoE discovery", 0x8864: "PPPoE", 0x88CC: "LLDP", 0x88E5: "MACsec",
}  # fmt: skip

# The next dissector by EtherType; what is not here is shown as data.
ETHERTYPE_KEYS = {IPV4: "ipv4", ARP: "arp", VLAN: "vlan", IPV6: "ipv6", SERVICE_VLAN: "vlan"}

ICMP, IPIP, TCP, UDP, IPV6_IN_IP, ICMPV6 = 1, 4, 6, 17, 41, 58

IP_PROTOCOLS = {
    ICMP: "ICMP", 2: "IGMP", IPIP: "IPIP", TCP: "TCP", UDP: "UDP", IPV6_IN_IP: "IPv6", 47: "GRE",
    50: "ESP", 51: "AH", ICMPV6: "ICMPv6", 59: "No next header", 88: "EIGRP", 89: "OSPF",
    103: "PIM", 112: "VRRP", 132: "SCTP",
}  # fmt: skip

IP_PROTOCOL_KEYS = {
    ICMP: "icmp", IPIP: "ipv4", TCP: "tcp", UDP: "udp", IPV6_IN_IP: "ipv6", ICMPV6: "icmpv6",
}  # fmt: skip
