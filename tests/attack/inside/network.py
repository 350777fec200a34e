"""Ways out of a node's network namespace: sockets, netlink, interfaces."""

import os
import socket
import struct
import subprocess

NEWLINK, GETLINK, SETLINK, NEWNSID, GETNSID = 16, 18, 19, 88, 90
REQUEST, ACK, DUMP, CREATE = 1, 4, 0x300, 0x400
IFNAME, NET_NS_PID, NET_NS_FD, LINKINFO, NEW_NETNSID, TARGET_NETNSID = 3, 19, 28, 18, 45, 46


@attack
def connect(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(2)
        client.connect((host, int(port)))
        return client.recv(100).decode()


@attack
def connect_abstract(name):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect("\0" + name)
        return client.recv(100).decode()


@attack
def connect_path(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(path)
        return "connected"


@attack
def abstract_names():
    """Every Unix socket of the machine that /proc/net/unix tells of."""
    lines = open("/proc/net/unix").read().splitlines()[1:]
    return [line.split()[7] for line in lines if len(line.split()) > 7]


@attack
def listeners():
    """Every TCP listener of the machine that sock_diag tells of."""
    said = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    return [line.split()[3] for line in said.splitlines()]


@attack
def interfaces():
    return sorted(name for _, name in socket.if_nameindex())


def _attribute(kind, data):
    return struct.pack("<HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def _ask(kind, flags, body):
    """Send one netlink request; return its answers. OSError for the kernel's refusal."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        channel.settimeout(2)
        channel.bind((0, 0))
        channel.send(struct.pack("<IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        answers = []
        while True:
            data = channel.recv(1 << 16)
            while len(data) >= 16:
                length, got = struct.unpack_from("<IH", data)
                if got == 2:
                    code = struct.unpack_from("<i", data, 16)[0]
                    if code:
                        raise OSError(-code, os.strerror(-code))
                    return answers
                if got == 3:
                    return answers
                answers.append(data[16:length])
                data = data[(length + 3) & ~3 :]


def _link(*attributes):
    return struct.pack("<BBHiII", 0, 0, 0, 0, 0, 0) + b"".join(attributes)


@attack
def assign_nsid(way, value):
    """RTM_NEWNSID: give a foreign namespace a number of our own, by pid or descriptor."""
    if way == "pid":
        attribute = _attribute(2, struct.pack("<I", int(value)))
    else:
        attribute = _attribute(3, struct.pack("<I", os.open(value, os.O_RDONLY)))
    number = _attribute(1, struct.pack("<i", 4242))
    _ask(NEWNSID, REQUEST | ACK, struct.pack("<B3x", 0) + number + attribute)
    return sorted(_names_behind(4242))


def _names_behind(number):
    """Return the names of the interfaces in the namespace with this number."""
    wanted = _attribute(TARGET_NETNSID, struct.pack("<i", number))
    names = set()
    for answer in _ask(GETLINK, REQUEST | DUMP, _link(wanted)):
        place = 16
        while place + 4 <= len(answer):
            length, kind = struct.unpack_from("<HH", answer, place)
            if kind == IFNAME:
                names.add(answer[place + 4 : place + length].strip(b"\0").decode())
            place += max(4, (length + 3) & ~3)
    return names


@attack
def namespaces_by_number():
    """All interfaces in all namespaces that have a number here: neighbours of the same lab."""
    found = {}
    for number in range(256):
        try:
            found[number] = sorted(_names_behind(number))
        except OSError:
            continue
    return found


@attack
def move_interface(name, way, value):
    """Move an interface into a namespace by pid, descriptor or number."""
    index = socket.if_nametoindex(name)
    data = os.open(value, os.O_RDONLY) if way == "fd" else int(value)
    kind = {"pid": NET_NS_PID, "fd": NET_NS_FD, "nsid": NEW_NETNSID}[way]
    body = struct.pack("<BBHiII", 0, 0, 0, index, 0, 0) + _attribute(kind, struct.pack("<i", data))
    _ask(SETLINK, REQUEST | ACK, body)
    return sorted(found for _, found in socket.if_nameindex())


@attack
def make_interface_elsewhere(way, value):
    """Make a bridge in a namespace named by pid, descriptor or number."""
    data = os.open(value, os.O_RDONLY) if way == "fd" else int(value)
    kind = {"pid": NET_NS_PID, "fd": NET_NS_FD, "nsid": TARGET_NETNSID}[way]
    body = _link(
        _attribute(IFNAME, b"topoweb-attack\0"),
        _attribute(LINKINFO, _attribute(1, b"bridge\0")),
        _attribute(kind, struct.pack("<i", data)),
    )
    _ask(NEWLINK, REQUEST | ACK | CREATE | 0x200, body)
    return "made"


@attack
def hear_all_namespaces(seconds="2"):
    """NETLINK_LISTEN_ALL_NSID: what is heard of namespaces beyond the lab."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        channel.bind((0, 0xFFFF))
        channel.setsockopt(270, 8, 1)
        channel.settimeout(float(seconds))
        print("listening", flush=True)
        heard = []
        try:
            while True:
                heard.append(channel.recv(1 << 16).decode("latin-1"))
        except TimeoutError:
            return heard


@attack
def sniff(word, seconds="2"):
    """Every frame that a packet socket of the node sees with a word in it."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as channel:
        channel.settimeout(float(seconds))
        print("listening", flush=True)
        try:
            while word.encode() not in (frame := channel.recv(1 << 16)):
                pass
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "nothing") from None
        return frame.hex()


@attack
def loose_modules(kind):
    """Have the kernel load a module by asking for a link of its kind."""
    return subprocess.run(
        ["ip", "link", "add", "topoweb-m0", "type", kind], capture_output=True, text=True
    ).stderr


@attack
def modules():
    return open("/proc/modules").read()
