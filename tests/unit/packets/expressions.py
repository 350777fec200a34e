"""Filters whose choice of packets is compared with that of tshark (`record_choices`)."""

from __future__ import annotations

EXPRESSIONS = """
frame
eth
vlan
llc
stp
arp
ip
ipv6
icmp
icmpv6
tcp
udp
dns
dhcp
not arp
!ip && !ipv6
arp or ip and icmp
(arp or ip) and icmp
not arp and (icmp or udp)
not not arp
!!arp || !!stp
ip.addr == 10.0.1.11
ip.addr != 10.0.1.11
!(ip.addr == 10.0.1.11)
ip.addr === 10.0.1.11
ip.addr !== 10.0.1.11
ip.addr == 10.0.0.0/8
ip.src == 10.0.1.0/24 and not ip.dst == 10.0.1.0/24
ip.addr == 10.0.1.11/24
ip.src != 10.0.1.11 and ip.dst == 10.0.1.11
ip.src in {10.0.1.1 .. 10.0.1.9}
ip.addr > 10.0.1.200
ip.src < ip.dst
ip.src == ip.dst
ip.version == 4
ip.hdr_len == 24
ip.hdr_len > 20
ip.dsfield.dscp == 48
ip.dsfield.ecn
ip.len > 80
ip.len <= 60
ip.id == 0x1234
ip.id in {1 .. 0x2000}
ip.flags.df == 1
ip.flags.df == False
ip.flags.mf == True
ip.frag_offset > 0
ip.frag_offset == 185
ip.ttl == 64
ip.ttl == 0x40
ip.ttl == 0b1000000
ip.ttl == 0100
ip.ttl != 64
ip.ttl lt 64
ip.ttl ge 64
ip.ttl !== 64
ip.ttl ~= 64
any ip.ttl != 64
all ip.ttl < 64
ip.ttl & 1
ip.ttl & 0x3f == 0x3f
ip.ttl in {1 .. 10}
!ip.ttl
ip.proto == 17
ip.proto == 6
ip.checksum == 0
ipv6.addr == 2001:db8::/32
ipv6.src == 2001:db8:1::/64
ipv6.addr == fe80::/10
ipv6.dst == ff02::1
ipv6.dst == ff00::/8
ipv6.src < ipv6.dst
ipv6.tclass == 0
ipv6.flow == 0x12345
ipv6.flow != 0
ipv6.plen > 60
ipv6.nxt == 0
ipv6.nxt == 58
ipv6.nxt == 44
ipv6.hlim == 255
ipv6.hlim < 64
eth.addr == 02:00:00:00:00:0a
eth.src == 02-00-00-00-00-0a
eth.dst == ff:ff:ff:ff:ff:ff
eth.addr > 02:00:00:00:00:0a
eth.addr in {02:00:00:00:00:0a .. 02:00:00:00:00:0b}
eth.ig == 1
eth.type == 0x0800
eth.type in {0x800 .. 0x806}
eth.type == 0x8100
eth.len
vlan.id == 100
vlan.priority == 3
vlan.etype == 0x800
stp.version == 2
stp.type == 2
stp.type == 0x80
stp.root.hw == 02:00:00:00:00:0a
stp.bridge.hw == 02:00:00:00:00:0b
stp.root.cost == 4
stp.port == 0x8002
arp.opcode == 1
arp.opcode != 1
arp.src.hw_mac == 02:00:00:00:00:0a
arp.src.proto_ipv4 == 10.0.1.0/24
arp.dst.proto_ipv4 == 10.0.1.1
arp.dst.hw_mac == 00:00:00:00:00:00
icmp.type == 8
icmp.type == 0 or icmp.type == 8
icmp.type == 3 && icmp.code == 1
icmp.type in {3 .. 11}
icmp.ident == 3
icmp.seq == 1
icmp.seq > 1
icmp.mtu == 1400
icmp.redir_gw == 10.0.1.2
icmpv6.type == 128
icmpv6.type >= 133 && icmpv6.type <= 136
icmpv6.code == 0
icmpv6.echo.identifier == 3
icmpv6.echo.sequence_number == 1
icmpv6.mtu == 1280
icmpv6.nd.ns.target_address == 2001:db8::b
icmpv6.nd.na.target_address == 2001:db8::/32
tcp.port == 8000
tcp.port != 8000
!(tcp.port == 8000)
tcp.port in {80 .. 8000}
tcp.srcport > 1024
tcp.srcport < tcp.dstport
tcp.seq == 1000
tcp.seq_raw == 1000
tcp.ack == 0
tcp.ack_raw != 0
tcp.hdr_len > 20
tcp.len == 0
tcp.len > 0
tcp.flags == 0x002
tcp.flags & 0x02
tcp.flags & 0x12 == 0x12
tcp.flags.syn
tcp.flags.syn == 1
tcp.flags.syn == 1 && tcp.flags.ack == 0
tcp.flags.fin == 1
tcp.flags.reset == 1
tcp.flags.push == 1
tcp.flags.ack == 1
tcp.flags.urg == 1
tcp.flags.ece == 1
tcp.flags.cwr == 0
tcp.window_size_value == 64240
tcp.options.mss_val == 1460
udp.port == 53
udp.port != 53
udp.srcport == 40000
udp.dstport == 67 or udp.srcport == 67
udp.length > 100
udp.checksum == 0
dns.id == 0xbeef
dns.flags == 0x8180
dns.flags & 0x8000
dns.flags.response == 1
dns.flags.response == 0
dns.flags.opcode == 0
dns.flags.recdesired == 1
dns.flags.recavail == 1
dns.flags.recavail == 0
dns.flags.authoritative == 0
dns.flags.truncated == 0
dns.flags.rcode == 0
dns.count.queries == 1
dns.count.answers == 2
dns.qry.name == "www.example.org"
dns.qry.name contains "example"
dns.qry.name contains "WWW"
dns.qry.name matches "^W+[.]"
dns.qry.name matches r"\\w+\\.org$"
dns.qry.name > "a"
dns.qry.type == 1
dns.resp.name == "host.example.org"
dns.resp.type == 5
dns.resp.ttl == 60
dns.a == 192.0.2.0/24
dns.cname
dns.cname contains "host"
dhcp.type == 1
dhcp.type == 2
dhcp.option.dhcp == 1
dhcp.option.dhcp == 2
dhcp.id == 0xcafe0001
dhcp.ip.your == 10.0.1.50
dhcp.ip.client == 0.0.0.0
dhcp.hw.mac_addr == 02:00:00:00:00:0a
http.request.method == "GET"
http.request.uri contains "?"
http.request.uri matches "^/A"
http.host == "h2"
frame.len > 1000
frame.len == frame.cap_len
frame.cap_len < 60
frame.number <= 10
frame.number in {1 .. 3}
frame.time_epoch > 1700000003.5
frame contains "GET"
frame contains 08:00:45
eth contains "GET"
ip contains "GET"
tcp contains "GET"
tcp contains 47:45:54
udp contains "hello"
icmp contains "topoweb"
dns contains "example"
ip and tcp and tcp.flags.syn == 1 and ip.dst == 10.0.2.0/24 or udp and udp.port == 53
tcp.port in {80, 8000, 9000 .. 9100}
ip.addr in {10.0.1.0/24, 10.0.2.1 .. 10.0.2.20}
ip.addr not in {10.0.1.11}
ip.ttl in {1, 64}
dns.qry.name in {"www.example.org", "lab"}
""".strip().splitlines()
