"""The system calls that a submission may make: a list of what is allowed, for the kernel to hold.

A *deny*-list forbids what was known to be dangerous on the day it was written; the next kernel
brings calls that it does not name (``io_uring``, ``memfd_secret`` and ``landlock`` all arrived that
way). So this is an *allow*-list: what Python, NumPy, torch and matplotlib need, found by running
them. Whatever is not on it fails with ``ENOSYS``, as it would on an older kernel, which the C
library knows how to live with. What the list leaves out matters most: ``ptrace`` and
``process_vm_readv`` (another process's memory), ``mount``, ``unshare`` and ``setns`` (another view
of the machine), ``bpf``, ``io_uring``, ``userfaultfd``, ``perf_event_open`` and ``keyctl`` (large
pieces of kernel), ``memfd_create`` and ``shmget`` (memory that no process's size shows), and
everything that changes a user id.

Five calls are let through by their arguments:

- ``clone`` without any flag that makes a namespace (``clone3`` hides its flags in memory, where a
  filter cannot look; it is not on the list, and the C library falls back to ``clone``);
- ``socket`` and ``socketpair`` of the family UNIX only, or only a connected pair of streams where
  the file system and the network namespace are not the submission's own;
- ``mmap`` but for anonymous memory that is shared (the kernel keeps it after a process has unmapped
  its pages, so that no process's size shows it) and for huge pages, which are counted nowhere;
- ``ioctl`` but for the two that type into a terminal.

The filter begins with the architecture: a 32-bit call on a 64-bit machine has other numbers, so
the process is ended. Numbers above 0x40000000 (the x32 interface) are on no list.

Sources: seccomp(2); the kernel's Documentation/userspace-api/seccomp_filter.rst; the numbers are
those of ``asm/unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (aarch64), with which a test
compares them where the headers are installed.
"""

import platform
import struct

# name, number on x86-64, number on aarch64 ("-": only the older interface has it)
CALLS = """
# files
read 0 63; write 1 64; open 2 -; openat 257 56; close 3 57; stat 4 -; fstat 5 80; lstat 6 -;
newfstatat 262 79; statx 332 291; lseek 8 62; pread64 17 67; pwrite64 18 68; readv 19 65;
writev 20 66; preadv 295 69; pwritev 296 70; preadv2 327 286; pwritev2 328 287; access 21 -;
faccessat 269 48; faccessat2 439 439; pipe 22 -; pipe2 293 59; dup 32 23; dup2 33 -; dup3 292 24;
close_range 436 436; fcntl 72 25; ioctl 16 29; flock 73 32; fsync 74 82; fdatasync 75 83;
truncate 76 45; ftruncate 77 46; fallocate 285 47; getdents 78 -; getdents64 217 61; getcwd 79 17;
chdir 80 49; fchdir 81 50; rename 82 -; renameat 264 38; renameat2 316 276; mkdir 83 -;
mkdirat 258 34; rmdir 84 -; creat 85 -; link 86 -; linkat 265 37; unlink 87 -; unlinkat 263 35;
symlink 88 -; symlinkat 266 36; readlink 89 -; readlinkat 267 78; chmod 90 -; fchmod 91 52;
fchmodat 268 53; umask 95 166; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88;
statfs 137 43; fstatfs 138 44; sendfile 40 71; copy_file_range 326 285; fadvise64 221 223;
readahead 187 213; getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10; listxattr 194 11;
llistxattr 195 12; flistxattr 196 13;
# waiting
select 23 -; pselect6 270 72; poll 7 -; ppoll 271 73; epoll_create 213 -; epoll_create1 291 20;
epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22; epoll_pwait2 441 441; eventfd 284 -;
eventfd2 290 19; timerfd_create 283 85; timerfd_settime 286 86; timerfd_gettime 287 87;
signalfd 282 -; signalfd4 289 74;
# memory
mmap 9 222; mprotect 10 226; munmap 11 215; brk 12 214; mremap 25 216; madvise 28 233;
mincore 27 232; msync 26 227; membarrier 324 283;
# threads
futex 202 98; futex_waitv 449 449; set_robust_list 273 99; get_robust_list 274 100;
set_tid_address 218 96; rseq 334 293; gettid 186 178; sched_yield 24 124;
sched_getaffinity 204 123; sched_setaffinity 203 122; sched_getparam 143 121;
sched_getscheduler 145 120; sched_get_priority_max 146 125; sched_get_priority_min 147 126;
getcpu 309 168; arch_prctl 158 -; prctl 157 167; restart_syscall 219 128;
# processes
clone 56 220; fork 57 -; vfork 58 -; execve 59 221; execveat 322 281; exit 60 93;
exit_group 231 94; wait4 61 260; waitid 247 95; pidfd_open 434 434; pidfd_send_signal 424 424;
getpid 39 172; getppid 110 173; getpgid 121 155; setpgid 109 154; getpgrp 111 -; getsid 124 156;
setsid 112 157; getpriority 140 141; setpriority 141 140; getrusage 98 165; times 100 153;
getrlimit 97 163; setrlimit 160 164; prlimit64 302 261; getuid 102 174; geteuid 107 175;
getgid 104 176; getegid 108 177; getresuid 118 148; getresgid 120 150; getgroups 115 158;
capget 125 90;
# signals
rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136;
rt_sigtimedwait 128 137; rt_sigsuspend 130 133; rt_sigqueueinfo 129 138;
rt_tgsigqueueinfo 297 240; sigaltstack 131 132; kill 62 129; tkill 200 130; tgkill 234 131;
pause 34 -; alarm 37 -; getitimer 36 102; setitimer 38 103; timer_create 222 107;
timer_settime 223 110; timer_gettime 224 108; timer_getoverrun 225 109; timer_delete 226 111;
# the machine and the time
uname 63 160; sysinfo 99 179; getrandom 318 278; time 201 -; gettimeofday 96 169;
clock_gettime 228 113; clock_getres 229 114; nanosleep 35 101; clock_nanosleep 230 115;
# sockets
socket 41 198; socketpair 53 199; bind 49 200; listen 50 201; accept 43 202; accept4 288 242;
connect 42 203; getsockname 51 204; getpeername 52 205; getsockopt 55 209; setsockopt 54 208;
sendto 44 206; recvfrom 45 207; sendmsg 46 211; recvmsg 47 212; sendmmsg 307 269;
recvmmsg 299 243; shutdown 48 210;
"""
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH_…, column of CALLS

LOAD, EQUAL, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ENOSYS, EACCES = 38, 13
# Offsets in struct seccomp_data: its fields, and three of its arguments.
NUMBER, ARCHITECTURE, FIRST, SECOND, FOURTH = 0, 4, 16, 24, 40
NAMESPACES = 0x7E020000  # CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
AF_UNIX, SOCK_STREAM, TYPE_MASK = 1, 1, 0xF
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
MAP_SHARED_ANONYMOUS, MAP_HUGETLB = 0x21, 0x40000
BY_ARGUMENT = ("clone", "socket", "socketpair", "ioctl", "mmap")


def numbers(machine: str | None = None) -> dict[str, int]:
    """Every allowed call and its number on this machine.

    Raises ``NotImplementedError`` for a machine other than x86-64 and aarch64.

    >>> numbers("x86_64")["execve"], numbers("aarch64")["execve"]
    (59, 221)
    """
    column = _machine(machine)[1]
    lines = [line for line in CALLS.splitlines() if not line.startswith("#")]
    rows = [row.split() for row in "".join(lines).split(";") if row]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def program(*, sockets: bool, machine: str | None = None) -> bytes:
    """Write the filter as an array of ``struct sock_filter``.

    ``sockets`` allows sockets of the family UNIX; without it only pairs of streams.
    """
    allowed = numbers(machine)
    lines = [
        _line(LOAD, ARCHITECTURE),
        _line(EQUAL, _machine(machine)[0], 1, 0),
        _line(RETURN, KILL_PROCESS),
        _line(LOAD, NUMBER),
    ]
    for name, number in allowed.items():
        body = [_line(RETURN, ALLOW)]
        if name in BY_ARGUMENT:
            body = _by_argument(name, sockets)
        lines += [_line(EQUAL, number, 0, len(body)), *body]
    return b"".join([*lines, _line(RETURN, ERRNO | ENOSYS)])


def _by_argument(name: str, sockets: bool) -> list[bytes]:
    """Instructions that end in a verdict on this call's arguments."""
    yes, no = _line(RETURN, ALLOW), _line(RETURN, ERRNO | EACCES)
    if name == "clone":
        return [_line(LOAD, FIRST), _line(ANY_BIT, NAMESPACES, 1, 0), yes, no]
    if name == "mmap":
        return [
            _line(LOAD, FOURTH),
            _line(ANY_BIT, MAP_HUGETLB, 3, 0),
            _line(AND, MAP_SHARED_ANONYMOUS),
            _line(EQUAL, MAP_SHARED_ANONYMOUS, 1, 0),
            *(yes, no),
        ]
    if name == "ioctl":
        return [
            _line(LOAD, SECOND),
            _line(EQUAL, TIOCSTI, 2, 0),
            _line(EQUAL, TIOCLINUX, 1, 0),
            *(yes, no),
        ]
    if sockets:
        return [_line(LOAD, FIRST), _line(EQUAL, AF_UNIX, 0, 1), yes, no]
    if name == "socket":
        return [no]
    return [
        _line(LOAD, FIRST),
        _line(EQUAL, AF_UNIX, 0, 4),
        _line(LOAD, SECOND),
        _line(AND, TYPE_MASK),
        _line(EQUAL, SOCK_STREAM, 0, 1),
        *(yes, no),
    ]


def _machine(name: str | None) -> tuple[int, int]:
    name = name or platform.machine()
    if name not in MACHINES:
        raise NotImplementedError(
            f"the list of system calls is written for {' and '.join(MACHINES)}, not for {name}"
        )
    return MACHINES[name]


def _line(code: int, k: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; a comparison skips ``then`` or ``otherwise`` of the following ones."""
    return struct.pack("=HBBI", code, then, otherwise, k)
