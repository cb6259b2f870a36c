"""Which journal SQLite may use where."""

from pathlib import Path

import pytest

from flaskllm.storage.journal import journal_for, read_mounts

MOUNTS = r"""
/dev/vda / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
overlay /box overlay rw 0 0
/dev/vdb /srv/my\040data xfs rw 0 0
server:/home /home nfs4 rw 0 0
server:/old /home/old nfs rw 0 0
//server/share /share cifs rw 0 0
//server/share /share3 smb3 rw 0 0
user@host: /ssh fuse.sshfs rw 0 0
host /vm 9p rw 0 0
AFS /afs afs rw 0 0
mon:/ /ceph ceph rw 0 0
vol /gluster fuse.glusterfs rw 0 0
mgs:/x /lustre lustre rw 0 0
x /new some-new-type rw 0 0
/dev/vdc /home/me/local btrfs rw 0 0
/dev/vdd /twice ext4 rw 0 0
server:/t /twice nfs rw 0 0
broken-line
"""


@pytest.mark.parametrize(
    ("path", "journal"),
    [
        ("/data/x.db", "wal"),
        ("/dev/shm/x.db", "wal"),
        ("/box/x.db", "wal"),
        ("/srv/my data/x.db", "wal"),
        ("/home/me/x.db", "truncate"),
        ("/home/me/local/x.db", "wal"),
        ("/home/old/x.db", "truncate"),
        ("/homework/x.db", "wal"),
        ("/share/x.db", "truncate"),
        ("/share3/x.db", "truncate"),
        ("/ssh/x.db", "truncate"),
        ("/vm/x.db", "truncate"),
        ("/afs/x.db", "truncate"),
        ("/ceph/x.db", "truncate"),
        ("/gluster/x.db", "truncate"),
        ("/lustre/x.db", "truncate"),
        ("/new/x.db", "truncate"),
        ("/twice/x.db", "truncate"),
    ],
)
def test_the_write_ahead_log_is_only_for_local_disks(path, journal):
    assert journal_for(Path(path), False, MOUNTS) == journal


def test_under_uwsgi_there_is_never_a_write_ahead_log():
    assert journal_for(Path("/data/x.db"), True, MOUNTS) == "truncate"


@pytest.mark.parametrize("mounts", ["", "nonsense", "a /other ext4 rw 0 0"])
def test_an_unknown_disk_counts_as_not_local(mounts):
    assert journal_for(Path("/data/x.db"), False, mounts) == "truncate"


def test_the_mount_table_is_read(tmp_path):
    table = tmp_path / "mounts"
    table.write_bytes(b"/dev/vda / ext4 rw 0 0\nx /\xff nfs rw 0 0\n")

    assert journal_for(Path("/x.db"), False, read_mounts(table)) == "wal"


def test_a_system_without_a_mount_table_gives_an_empty_one(tmp_path):
    assert read_mounts(tmp_path / "absent") == ""
