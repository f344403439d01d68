//! Which file systems announce what happens on them.

/// Whether changes are announced, by the type of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Announces {
    /// All changes, for all processes of this machine are the only writers.
    All,
    /// Some: writes through another layer pass unseen, so look as well.
    Some,
    /// None that others make.
    None,
}

/// Says whether a file system announces changes. What isn't known is taken to do so in part.
///
/// The numbers are those of `statfs(2)`; which of them are remote follows GNU `stat`'s table.
pub(crate) fn announces(magic: i64) -> Announces {
    match magic & 0xffff_ffff {
        // ext2-4, xfs, btrfs, tmpfs, ramfs, f2fs, zfs, jfs, reiserfs, nilfs, bcachefs, vfat, exfat, minix, squashfs
        0xef53 | 0x5846_5342 | 0x9123_683e | 0x0102_1994 | 0x8584_58f6 | 0xf2f5_2010 | 0x2fc1_2fc1 | 0x3153_464a
        | 0x5265_4973 | 0x3434 | 0xca45_1a4e | 0x4d44 | 0x2011_bab0 | 0x137f | 0x7371_7368 | 0x5349_4e41 => {
            Announces::All
        }
        // nfs, smb, cifs, smb2, fuse, 9p, afs, kafs, ceph, coda, vboxsf, vmhgfs, gfs2, ocfs2, lustre, gpfs, acfs,
        // panfs, prl_fs, snfs, ibrix, novell, fhgfs, proc, sysfs, devpts, debugfs, tracefs, cgroup, cgroup2
        0x6969 | 0x517b | 0xff53_4d42 | 0xfe53_4d42 | 0x6573_5546 | 0x0102_1997 | 0x5346_414f | 0x6b41_4653
        | 0x00c3_6400 | 0x7375_7245 | 0x786f_4256 | 0xbacb_acbc | 0x0116_1970 | 0x7461_636f | 0x0bd0_0bd0
        | 0x4750_4653 | 0x6163_6673 | 0xaad7_aaea | 0x7c7c_6673 | 0xbeef_dead | 0x013a_54b2 | 0x1983_0326
        | 0x9fa0 | 0x6265_6572 | 0x1cd1 | 0x6462_6720 | 0x7472_6163 | 0x0027_e0eb | 0x6367_7270 => Announces::None,
        // overlayfs (writes to a lower layer, bind mounts from elsewhere) and what nobody has listed
        _ => Announces::Some,
    }
}

/// Whether files of this type of file system are made up as they are read: proc, sysfs, debugfs, tracefs,
/// configfs, securityfs, selinuxfs, cgroup, cgroup2, pstore, bpf.
pub(crate) fn is_made_up(magic: i64) -> bool {
    matches!(
        magic & 0xffff_ffff,
        0x9fa0
            | 0x6265_6572
            | 0x6462_6720
            | 0x7472_6163
            | 0x6265_6570
            | 0x7363_6673
            | 0xf97c_ff8c
            | 0x0027_e0eb
            | 0x6367_7270
            | 0x6165_676c
            | 0xcafe_4a11
    )
}
