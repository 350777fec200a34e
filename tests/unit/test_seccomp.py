"""The filter as a value: complements are exact, and nothing dangerous is listed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topoweb.kernel import seccomp

NUMBERS = st.integers(0, seccomp.WORD)
_FORBIDDEN = """
acct add_key adjtimex bpf clock_adjtime clock_settime clone3 delete_module fanotify_init
fanotify_mark finit_module fsconfig fsmount fsopen fspick init_module io_setup io_submit
io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
lookup_dcookie mbind migrate_pages modify_ldt mount mount_setattr move_mount move_pages
name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root
process_madvise process_mrelease process_vm_readv process_vm_writev ptrace quotactl quotactl_fd
reboot remap_file_pages request_key set_mempolicy setdomainname sethostname setns settimeofday
stime swapoff swapon syslog umount umount2 unshare userfaultfd ustat vhangup vmsplice
"""
FORBIDDEN = _FORBIDDEN.split()
BY_ARGUMENT = ("clone", "ioctl", "personality", "socket", "socketpair")


@given(st.sets(st.integers(0, 255), max_size=8), NUMBERS)
def test_all_but_matches_all_else_of_its_range(refused: set[int], other: int) -> None:
    base = 0x5400
    pairs = list(seccomp.all_but({base | number for number in refused}, 8, base))
    for one in (*range(base, base + 256), other):
        matches = [pair for pair in pairs if one & pair[0] == pair[1]]
        wanted = one & ~0xFF == base and one & 0xFF not in refused
        assert len(matches) == wanted


@pytest.mark.parametrize("name", [*FORBIDDEN, *BY_ARGUMENT])
def test_it_is_not_simply_allowed(name: str) -> None:
    assert name not in seccomp.ALLOWED


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_profile_refuses_what_it_does_not_name(machine: str) -> None:
    profile = seccomp.profile(machine=machine)
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert profile["architectures"] == [seccomp.ARCHITECTURES[machine]]
    named = {name for rule in profile["syscalls"] for name in rule["names"]}
    assert named == {*seccomp.ALLOWED, *BY_ARGUMENT}
    unconditional = [rule for rule in profile["syscalls"] if "args" not in rule]
    assert [tuple(rule["names"]) for rule in unconditional] == [seccomp.ALLOWED]


def test_an_unknown_machine_has_no_profile() -> None:
    with pytest.raises(KeyError):
        seccomp.profile(machine="vax")


def test_with_one_user_id_setting_groups_does_nothing_and_succeeds() -> None:
    rules = seccomp.profile(single=True)["syscalls"]
    assert [rule for rule in rules if "setgroups" in rule["names"]] == [
        {"names": ["setgroups"], "action": "SCMP_ACT_ERRNO", "errnoRet": 0}
    ]
