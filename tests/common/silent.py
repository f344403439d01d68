"""Mounts a directory by FUSE elsewhere, and doesn't answer while a file is there. Ends with its parent.

usage: silent.py DIRECTORY MOUNTPOINT HANG SILENT: it is silent while HANG is there, and makes SILENT when it begins to be.
SILENT is made, too, once it is mounted. Without HANG and SILENT it only tries to mount.
"""
import ctypes, errno, os, select, struct, sys, time

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, INIT = 1, 2, 3, 14, 15, 17, 18, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 27, 28, 29, 36, 42
DIRECT_IO, NOFLUSH = 1, 1 << 5

directory, point = sys.argv[1:3]
parent = os.getppid()
# Older kernels ask for a flush when a process ends, and wait for the answer.
if tuple(int(part) for part in os.uname().release.split(".")[:2]) < (5, 16):
    sys.exit("this kernel can't do without a flush")
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"silent", point.encode(), b"fuse.silent", 0, options) != 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
if len(sys.argv) == 3:
    sys.exit()
hang, silent = sys.argv[3:5]
open(silent, "w").close()
paths, files = {1: directory}, {}


def attributes(node, stat):
    times = (stat.st_atime_ns, stat.st_mtime_ns, stat.st_ctime_ns)
    seconds, nanos = [time // 10**9 for time in times], [time % 10**9 for time in times]
    owner = (stat.st_mode, stat.st_nlink, 0, 0, 0, 4096, 0)
    return struct.pack("<6Q10I", node, stat.st_size, stat.st_blocks, *seconds, *nanos, *owner)


def entries(node, offset, size):
    listing = b""
    for index, name in enumerate([".", ".."] + sorted(os.listdir(paths[node]))):
        inode = node if index < 2 else os.lstat(os.path.join(paths[node], name)).st_ino
        entry = struct.pack("<QQII", inode, index + 1, len(name), 0) + name.encode()
        entry += bytes(-len(entry) % 8)
        if index >= offset and len(listing) + len(entry) <= size:
            listing += entry
    return listing


def answer(operation, node, body):
    if operation == INIT:
        readahead = struct.unpack_from("<I", body, 8)[0]
        return struct.pack("<4I2H2I2H8I", 7, 31, readahead, 0, 12, 10, 1 << 16, 1, 16, *[0] * 9)
    if operation == LOOKUP:
        path = os.path.join(paths[node], body.rstrip(b"\0").decode())
        stat = os.lstat(path)
        paths[stat.st_ino] = path
        return struct.pack("<4Q2I", stat.st_ino, 0, 0, 0, 0, 0) + attributes(stat.st_ino, stat)
    if operation == GETATTR:
        flags, _, handle = struct.unpack_from("<IIQ", body)
        stat = os.fstat(handle) if flags & 1 and handle in files else os.lstat(paths[node])
        return struct.pack("<QII", 0, 0, 0) + attributes(node, stat)
    if operation == OPEN:
        handle = os.open(paths[node], os.O_RDONLY)
        files[handle] = node
        return struct.pack("<QII", handle, DIRECT_IO | NOFLUSH, 0)
    if operation == READ:
        handle, offset, size = struct.unpack_from("<QQI", body)
        return os.pread(handle, size, offset)
    if operation == RELEASE:
        handle = struct.unpack_from("<Q", body)[0]
        files.pop(handle)
        os.close(handle)
        return b""
    if operation == OPENDIR:
        return struct.pack("<QII", 0, 0, 0)
    if operation == READDIR:
        _, offset, size = struct.unpack_from("<QQI", body)
        return entries(node, offset, size)
    if operation == RELEASEDIR:
        return b""
    if operation == STATFS:
        return struct.pack("<5Q4I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0).ljust(80, b"\0")
    raise OSError(errno.ENOSYS, "")


while os.getppid() == parent:
    if os.path.exists(hang):
        open(silent, "w").close()
        time.sleep(0.01)
        continue
    if not select.select([fuse], [], [], 0.05)[0]:
        continue
    if os.path.exists(hang):
        continue
    request = os.read(fuse, 1 << 17)
    _, operation, unique, node = struct.unpack_from("<IIQQ", request)
    if operation in (FORGET, BATCH_FORGET, INTERRUPT):
        continue
    try:
        data, error = answer(operation, node, request[40:]), 0
    except OSError as refusal:
        data, error = b"", refusal.errno
    try:
        os.write(fuse, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)
    except FileNotFoundError:
        pass  # Who asked is gone.
