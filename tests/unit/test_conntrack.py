"""Lines of /proc/net/nf_conntrack."""

from topoweb.kernel.trace.conntrack import parse

TCP = (
    "ipv4     2 tcp      6 119 TIME_WAIT src=10.0.1.11 dst=10.0.2.1 sport=53192 dport=80"
    " src=10.0.2.11 dst=10.0.1.11 sport=8080 dport=53192 [ASSURED] mark=0 zone=0 use=2"
)
ICMP = (
    "ipv6     10 icmpv6   58 29 src=fe80::1 dst=fe80::2 type=128 code=0 id=7 [UNREPLIED]"
    " src=fe80::2 dst=fe80::1 type=129 code=0 id=7 mark=0 zone=0 use=2"
)


def test_a_translated_connection():
    (row,) = parse([TCP])
    assert row == {
        "protocol": "tcp", "state": "TIME_WAIT", "source": "10.0.1.11", "target": "10.0.2.1",
        "source_port": 53192, "target_port": 80, "reply_source": "10.0.2.11",
        "reply_target": "10.0.1.11", "reply_source_port": 8080, "reply_target_port": 53192,
    }  # fmt: skip


def test_an_unanswered_echo_has_no_ports():
    (row,) = parse([ICMP])
    assert (row["protocol"], row["state"], row["source_port"]) == ("icmpv6", "UNREPLIED", None)
    assert (row["source"], row["reply_source"]) == ("fe80::1", "fe80::2")


def test_other_lines_say_nothing():
    assert list(parse(["", "ipv4 2 tcp", "nonsense src=1"])) == []
