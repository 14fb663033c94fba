"""A power cut loses what was not synced and nothing else; full and read-only mean what they say."""

from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import mounts
from tests.support.mounts import MountError, ext4, in_own_namespace, lossy_ext4, tmpfs


def write(path: Path, data: bytes, *, synced: bool) -> None:
    """Writes a new file; synced means file and directory."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        if synced:
            os.fsync(file.fileno())
    if synced:
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


def test_power_cut_loses_the_unsynced_only(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    with ext4(tmp_path) as disk:
        write(disk.path / "synced", data, synced=True)
        write(disk.path / "unsynced", data, synced=False)
        assert (disk.path / "unsynced").read_bytes() == data
        disk.power_cut()
        with pytest.raises(OSError) as failure:
            (disk.path / "later").write_bytes(b"x")
        assert failure.value.errno == errno.EIO
        disk.remount()
        assert (disk.path / "synced").read_bytes() == data
        survived = disk.path / "unsynced"
        assert not survived.exists() or survived.read_bytes() != data
        (disk.path / "later").write_bytes(b"x")
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


def test_power_cut_loses_a_rename_without_its_directory_sync(tmp_path: Path) -> None:
    with ext4(tmp_path) as disk:
        write(disk.path / "part", b"data", synced=True)
        (disk.path / "part").rename(disk.path / "published")
        disk.power_cut()
        disk.remount()
        assert [entry.name for entry in disk.path.iterdir()] == ["part"]


def test_full_and_read_only(tmp_path: Path) -> None:
    for make in (tmpfs, ext4):
        with make(tmp_path, 8) as disk:
            with pytest.raises(OSError) as full:
                (disk.path / "big").write_bytes(bytes(9 << 20))
            assert full.value.errno == errno.ENOSPC
            disk.read_only()
            with pytest.raises(OSError) as refused:
                (disk.path / "new").write_bytes(b"x")
            assert refused.value.errno == errno.EROFS
            disk.writable()
            (disk.path / "new").write_bytes(b"")
        assert str(tmp_path) not in Path("/proc/mounts").read_text()


def test_what_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(MountError, match="cannot be cut off"):
        mounts.cut_power(Path("/proc"))
    with tmpfs(tmp_path) as disk, pytest.raises(MountError, match="tmpfs"):
        disk.power_cut()
    with pytest.raises(MountError, match="These tests need root and"), ext4(tmp_path, size_mb=0):
        pass


def test_namespace_mounts_without_root(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from tests.support.mounts import tmpfs\n"
        f"with tmpfs(Path({str(tmp_path)!r})) as disk: print(disk.path.is_mount())"
    )
    command = in_own_namespace(sys.executable, "-c", program)
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "True\n", done.stderr


def test_a_lossy_disk_forgets_half_of_what_it_was_not_told_to_flush(tmp_path: Path) -> None:
    """Blocks written past the system's cache, so that only the disk's can lose them."""
    blocks = 64
    with lossy_ext4(tmp_path) as disk, mmap.mmap(-1, 4096) as block:
        path = disk.path / "blocks"
        path.write_bytes(bytes(blocks * 4096))
        descriptor = os.open(path, os.O_RDWR | os.O_DIRECT)
        os.fsync(descriptor)
        block[:] = b"x" * 4096
        for number in range(blocks):
            os.pwrite(descriptor, block, number * 4096)
        os.close(descriptor)
        disk.power_cut()
        assert 0 < disk.lost_writes < blocks
        with pytest.raises(OSError) as failure:
            (disk.path / "more").write_bytes(b"x")
        assert failure.value.errno == errno.EIO
        disk.remount()
        kept = path.read_bytes().count(b"x" * 4096)
        assert kept == blocks - disk.lost_writes
