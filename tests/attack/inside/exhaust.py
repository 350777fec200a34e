"""Using up what is shared. Each ends by itself and says how far it came."""

import ctypes
import mmap
import os
import pty
import signal
import socket
import subprocess
import time


@attack
def fork_bomb(seconds="3"):
    """Processes that make processes, all of them asleep, until the kernel says no."""
    until, made = time.monotonic() + float(seconds), 0
    children = []
    try:
        while time.monotonic() < until:
            pid = os.fork()
            if not pid:
                signal.pause()
                os._exit(0)
            children.append(pid)
            made += 1
    except OSError as error:
        time.sleep(max(until - time.monotonic(), 0))  # hold what was won
        return {"made": made, "refused": errno.errorcode[error.errno]}
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
    return {"made": made}


@attack
def memory(megabytes):
    """Touch anonymous memory, in a child that may be killed for it."""

    def eat():
        held = []
        for _ in range(int(megabytes)):
            held.append(bytearray(b"x" * (1 << 20)))

    return in_child(eat)


@attack
def shared_memory(megabytes):
    """System V and POSIX shared memory: the second by its files, the first by shmget."""
    won = {}
    try:
        with open("/dev/shm/fill", "wb") as file:
            for number in range(int(megabytes)):
                file.write(b"x" * (1 << 20))
                file.flush()
                won["posix"] = number + 1
    except OSError as error:
        won["posix refused"] = errno.errorcode[error.errno]

    def eat():
        libc.shmat.restype = ctypes.c_void_p
        segment = libc.shmget(0, ctypes.c_size_t(int(megabytes) << 20), 0o1600)
        if segment < 0:
            raise OSError(ctypes.get_errno(), "shmget")
        place = libc.shmat(segment, None, 0)
        ctypes.memset(place, 1, int(megabytes) << 20)

    won["system v"] = in_child(eat)
    return won


@attack
def message_queues(count):
    """POSIX message queues (RLIMIT_MSGQUEUE, fs.mqueue.queues_max)."""
    librt = ctypes.CDLL(None, use_errno=True)
    attributes = (ctypes.c_long * 8)(0, 10, 1024)
    made = 0
    for number in range(int(count)):
        if librt.mq_open(b"/q%d" % number, os.O_CREAT | os.O_RDWR, 0o600, attributes) < 0:
            return {"made": made, "refused": errno.errorcode[ctypes.get_errno()]}
        made += 1
    return {"made": made}


@attack
def fill_disk(folder):
    """Write until the disk is full; return the bytes."""
    written = 0
    try:
        with open(f"{folder}/fill", "wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
                file.flush()
                written += 1 << 20
                if written > 1 << 30:
                    return {"written": written}
    except OSError as error:
        return {"written": written, "refused": errno.errorcode[error.errno]}
    finally:
        os.unlink(f"{folder}/fill")


@attack
def fill_inodes(folder):
    """Make empty files until there are no more; return how many."""
    os.makedirs(f"{folder}/many", exist_ok=True)
    made = 0
    try:
        while made < 200_000:
            os.close(os.open(f"{folder}/many/{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError as error:
        return {"made": made, "refused": errno.errorcode[error.errno]}
    finally:
        for number in range(made):
            os.unlink(f"{folder}/many/{number}")
    return {"made": made}


@attack
def terminals():
    """Pseudo-terminals until there are no more."""
    made = []
    try:
        while len(made) < 5000:
            made.append(pty.openpty())
    except OSError as error:
        return {"made": len(made), "refused": errno.errorcode.get(error.errno, str(error))}
    return {"made": len(made)}


@attack
def descriptors():
    """Open files until there are no more."""
    made = []
    try:
        while len(made) < 200_000:
            made.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return {"made": len(made), "refused": errno.errorcode[error.errno]}
    return {"made": len(made)}


@attack
def watches(count):
    """inotify instances and watches."""
    made, instances = 0, []
    try:
        for _ in range(int(count)):
            fd = libc.inotify_init1(0)
            if fd < 0:
                raise OSError(ctypes.get_errno(), "inotify_init1")
            instances.append(fd)
        return {"made": len(instances)}
    except OSError as error:
        made = len(instances)
        return {"made": made, "refused": errno.errorcode[error.errno]}


@attack
def pipes():
    """Pipes of the largest size."""
    import fcntl

    made, size = [], 0
    try:
        while len(made) < 4000:
            pair = os.pipe()
            made.append(pair)
            try:
                size += fcntl.fcntl(pair[1], 1031, 1 << 20)
            except OSError:
                size += 65536
    except OSError as error:
        return {"made": len(made), "bytes": size, "refused": errno.errorcode[error.errno]}
    return {"made": len(made), "bytes": size}


@attack
def signals():
    """Queued signals (RLIMIT_SIGPENDING counts them for the lab's user)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {40})
    made = 0
    for _ in range(200_000):
        if libc.sigqueue(os.getpid(), 40, None) < 0:
            return {"made": made, "refused": errno.errorcode[ctypes.get_errno()]}
        made += 1
    return {"made": made}


@attack
def spin(seconds="2"):
    """Burn every processor; return the processor seconds won in all."""
    until = time.monotonic() + float(seconds)
    children = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            while time.monotonic() < until:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    used = os.times()
    return used.children_user + used.children_system


@attack
def batch(program, count, text):
    """Feed ``count`` lines to ``ip -batch`` or ``nft -f``; ``text`` has one %d or two."""
    numbers = range(int(count))
    lines = "\n".join(
        text.replace("#", str(n)).replace("@", f"{n >> 8 & 255}.{n & 255}") for n in numbers
    )
    command = {
        "ip": ["ip", "-force", "-batch", "-"],
        "bridge": ["bridge", "-force", "-batch", "-"],
        "nft": ["nft", "-f", "-"],
    }[program]
    how = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60)
    return {"status": how.returncode, "said": how.stderr[-200:]}


@attack
def flood(target, port, seconds="3"):
    """As many datagrams as go out."""
    until, sent = time.monotonic() + float(seconds), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        while time.monotonic() < until:
            try:
                channel.sendto(b"x" * 1000, (target, int(port)))
                sent += 1
            except OSError:
                time.sleep(0.001)
    return sent


@attack
def mapping(megabytes):
    """A memfd, which no tmpfs bounds."""

    def eat():
        fd = os.memfd_create("fill")
        os.ftruncate(fd, int(megabytes) << 20)
        place = mmap.mmap(fd, int(megabytes) << 20)
        for number in range(int(megabytes)):
            place[number << 20 : (number << 20) + 4096] = b"x" * 4096
            os.pwrite(fd, b"x" * (1 << 20), number << 20)

    return in_child(eat)
