"""Field values agree with those of tshark, reading the file that our own writer made."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.unit.packets import wire
from topoweb.core.packets import Field, decode
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.pcapng import blocks

pytestmark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")

# frame, our layer, path of field names, tshark's field
CASES = [
    ("echo", "Ethernet", "source", "eth.src"),
    ("echo", "IPv4", "ttl", "ip.ttl"),
    ("echo", "IPv4", "id", "ip.id"),
    ("echo", "IPv4", "total_length", "ip.len"),
    ("echo", "IPv4", "checksum", "ip.checksum"),
    ("echo_reply", "IPv4", "ttl", "ip.ttl"),
    ("ttl_exceeded", "IPv4", "dscp", "ip.dsfield.dscp"),
    ("echo", "ICMP", "id", "icmp.ident"),
    ("echo", "ICMP", "sequence", "icmp.seq"),
    ("echo", "ICMP", "checksum", "icmp.checksum"),
    ("ttl_exceeded", "ICMP", "type", "icmp.type"),
    ("frag_needed", "ICMP", "code", "icmp.code"),
    ("frag_needed", "ICMP", "mtu", "icmp.mtu"),
    ("redirect", "ICMP", "gateway", "icmp.redir_gw"),
    ("options", "IPv4", "header_length", "ip.hdr_len"),
    ("udp", "UDP", "source_port", "udp.srcport"),
    ("udp", "UDP", "length", "udp.length"),
    ("udp", "UDP", "checksum", "udp.checksum"),
    ("dns_query", "DNS", "id", "dns.id"),
    ("dns_query", "DNS", "question/name", "dns.qry.name"),
    ("dns_query", "DNS", "question/type", "dns.qry.type"),
    ("dns_response", "DNS", "answer/data", "dns.cname"),
    ("dns_response", "DNS", "answer#1/data", "dns.a"),
    ("dns_response", "DNS", "answer#1/name", "dns.resp.name#1"),
    ("dns_response", "DNS", "answer/ttl", "dns.resp.ttl"),
    ("dhcp_discover", "DHCP", "options/option_53", "dhcp.option.dhcp"),
    ("dhcp_discover", "DHCP", "xid", "dhcp.id"),
    ("dhcp_offer", "DHCP", "options/option_53", "dhcp.option.dhcp"),
    ("dhcp_offer", "DHCP", "your_ip", "dhcp.ip.your"),
    ("dhcp_offer", "DHCP", "options/option_1", "dhcp.option.subnet_mask"),
    ("dhcp_offer", "DHCP", "options/option_3", "dhcp.option.router"),
    ("dhcp_offer", "DHCP", "options/option_54", "dhcp.option.dhcp_server_id"),
    ("dhcp_offer", "DHCP", "options/option_51", "dhcp.option.ip_address_lease_time"),
    ("dhcp_offer", "DHCP", "options/option_15", "dhcp.option.domain_name"),
    ("dhcp_offer", "DHCP", "options/option_12", "dhcp.option.hostname"),
    ("dhcp_offer", "DHCP", "client_mac", "dhcp.hw.mac_addr"),
    ("syn", "TCP", "sequence", "tcp.seq_raw"),
    ("syn", "TCP", "window", "tcp.window_size_value"),
    ("syn", "TCP", "header_length", "tcp.hdr_len"),
    ("syn", "TCP", "options/option_2", "tcp.options.mss_val"),
    ("syn", "TCP", "options/option_3", "tcp.options.wscale.shift"),
    ("fin_ack", "TCP", "acknowledgement", "tcp.ack_raw"),
    ("fin_ack", "TCP", "destination_port", "tcp.dstport"),
    ("fin_ack", "TCP", "checksum", "tcp.checksum"),
    ("arp_request", "ARP", "sender_ip", "arp.src.proto_ipv4"),
    ("arp_request", "ARP", "target_ip", "arp.dst.proto_ipv4"),
    ("arp_reply", "ARP", "operation", "arp.opcode"),
    ("arp_reply", "ARP", "target_mac", "arp.dst.hw_mac"),
    ("vlan", "VLAN", "id", "vlan.id"),
    ("vlan", "VLAN", "priority", "vlan.priority"),
    ("vlan", "IPv4", "source", "ip.src"),
    ("stp", "STP", "root/mac", "stp.root.hw"),
    ("stp", "STP", "root_cost", "stp.root.cost"),
    ("stp", "STP", "port", "stp.port"),
    ("rstp", "STP", "version", "stp.version"),
    ("rstp", "STP", "type", "stp.type"),
    ("echo6", "IPv6", "hop_limit", "ipv6.hlim"),
    ("echo6", "IPv6", "source", "ipv6.src"),
    ("echo6", "IPv6", "flow_label", "ipv6.flow"),
    ("echo6", "IPv6", "payload_length", "ipv6.plen"),
    ("echo6", "ICMPv6", "sequence", "icmpv6.echo.sequence_number"),
    ("ns", "ICMPv6", "target", "icmpv6.nd.ns.target_address"),
    ("ns", "ICMPv6", "option_1", "icmpv6.opt.linkaddr"),
    ("na", "ICMPv6", "target", "icmpv6.nd.na.target_address"),
    ("ra", "ICMPv6", "hop_limit", "icmpv6.nd.ra.cur_hop_limit"),
    ("ra", "ICMPv6", "lifetime", "icmpv6.nd.ra.router_lifetime"),
    ("ra", "ICMPv6", "option_5", "icmpv6.opt.mtu"),
    ("mld", "ICMPv6", "record/group", "icmpv6.mldr.mar.multicast_address"),
    ("mld", "ICMPv6", "checksum", "icmpv6.checksum"),
    ("too_big6", "ICMPv6", "mtu", "icmpv6.mtu"),
    ("tcp6", "TCP", "checksum", "tcp.checksum"),
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """What tshark says: (frame name, tshark field) → text."""
    frames = wire.samples()
    path = tmp_path_factory.mktemp("tshark") / "samples.pcapng"
    records = [
        ("h1 eth0", Observation(1_700_000_000_000_000_000, "h1", "eth0", "tx", data, len(data)), "")
        for data in frames.values()
    ]
    path.write_bytes(b"".join(blocks(records)))
    fields = sorted({case[3].partition("#")[0] for case in CASES})
    arguments = [part for field in fields for part in ("-e", field)]
    result = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=;",
         *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = result.stdout.rstrip("\n").split("\n")
    assert len(lines) == len(frames)
    return {
        (frame, field): text
        for frame, line in zip(frames, lines, strict=True)
        for field, text in zip(fields, line.split("\t"), strict=True)
    }


def find(frame: str, protocol: str, path: str) -> Field:
    """Return the field at ``path``; ``name#1`` is the second one of that name."""
    data = wire.samples()[frame]
    layer = next(layer for layer in decode(data, len(data)) if layer.protocol == protocol)
    fields = layer.fields
    for part in path.split("/"):
        name, _, index = part.partition("#")
        found = [field for field in fields if field.name == name][int(index or 0)]
        fields = found.fields
    return found


def comparable(text: str) -> object:
    """Numbers as numbers, whatever the base and the unit behind; the rest as it is."""
    text = re.sub(r"^[A-Za-z ]*\((\d+)\)$", r"\1", text.strip())  # "reply (2)"
    text = re.sub(r"^(\d+) (s|ms|bytes)$", r"\1", text)
    text = re.sub(r"^[A-Za-z.]+ \((\d+|0x[0-9a-f]+)\)$", r"\1", text)
    if re.fullmatch(r"0x[0-9a-f]+|\d+", text):
        return int(text, 0) if text.startswith("0x") else int(text)
    return text


@pytest.mark.parametrize(("frame", "protocol", "path", "field"), CASES)
def test_same_value_as_tshark(
    reference: dict[tuple[str, str], str], frame: str, protocol: str, path: str, field: str
) -> None:
    name, _, index = field.partition("#")
    theirs = reference[frame, name].split(";")[int(index or 0)]
    assert theirs, f"tshark has no {name} in {frame}"
    assert comparable(find(frame, protocol, path).value) == comparable(theirs)
