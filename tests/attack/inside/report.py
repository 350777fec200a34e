"""Runs one attack inside a node and says in one line of JSON what became of it.

The tests put this text before one of the other files of this folder and hand both to the node's
python3 on its standard input: nothing of ours lies in a node. Numbers of system calls are those
of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
"""

import ctypes
import errno
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
ATTACKS = {}


def attack(function):
    """Make a function callable by its name: it returns what it won, or raises OSError."""
    ATTACKS[function.__name__] = function
    return function


def call(number, *arguments):
    """Make a system call. OSError as the kernel says."""
    result = libc.syscall(
        ctypes.c_long(number),
        *(ctypes.c_long(one) if isinstance(one, int) else one for one in arguments),
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def in_child(work):
    """Run ``work`` in a child and return ("exit", status) or ("signal", number)."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(int(work() or 0))
        except OSError as error:
            os._exit(error.errno or 255)
        finally:
            os._exit(254)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return "signal", os.WTERMSIG(status)
    return "exit", os.WEXITSTATUS(status)


def main():
    """Run the attack named in the first argument."""
    name, *arguments = sys.argv[1:]
    try:
        won = ATTACKS[name](*arguments)
    except OSError as error:
        outcome = {"refused": errno.errorcode.get(error.errno, str(error))}
    else:
        outcome = {"won": won}
    print("\n" + json.dumps(outcome), flush=True)
