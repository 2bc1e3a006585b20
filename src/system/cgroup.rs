//! Control groups, version 1 and 2: how containers, systemd and Slurm keep a process within its memory.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The tightest memory limit of the groups that this process is in and of all that these lie in, in bytes; `root` is
/// where `/proc` and `/sys` are looked for.
pub(super) fn limit(root: &Path) -> Option<f64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let hierarchies: Vec<Hierarchy> = mounts.lines().filter_map(Hierarchy::parse).collect();
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let unified = controllers.is_empty();
        if !unified && !controllers.split(',').any(|controller| controller == "memory") {
            return None;
        }
        hierarchies.iter().find(|hierarchy| hierarchy.unified == unified)?.limit(root, Path::new(group))
    });
    limits.min_by(f64::total_cmp)
}

/// Where groups with limits on memory are mounted.
struct Hierarchy {
    /// Whether it is that of version 2.
    unified: bool,
    /// The group that is seen at the mount point: that of a container, where it is not the topmost.
    top: PathBuf,
    point: PathBuf,
}

impl Hierarchy {
    /// Reads a line of `mountinfo`: `30 23 0:26 TOP POINT rw,relatime shared:4 - cgroup2 cgroup2 rw`.
    fn parse(line: &str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let unified = match (kind.next()?, kind.nth(1)?) {
            ("cgroup2", _) => true,
            ("cgroup", options) if options.split(',').any(|option| option == "memory") => false,
            _ => return None,
        };
        let mut place = place.split(' ').skip(3).map(PathBuf::from);
        Some(Self { unified, top: place.next()?, point: place.next()? })
    }

    /// The tightest limit from a group up to the topmost that is seen.
    fn limit(&self, root: &Path, group: &Path) -> Option<f64> {
        let file = if self.unified { "memory.max" } else { "memory.limit_in_bytes" };
        let top = root.join(self.point.strip_prefix("/").unwrap_or(&self.point));
        // Of a group that lies elsewhere nothing is seen but what holds for the topmost.
        let below = group.strip_prefix(&self.top).unwrap_or(Path::new(""));
        let inside = below.components().all(|part| matches!(part, Component::Normal(_)));
        let own = if inside { top.join(below) } else { top.clone() };
        let groups = own.ancestors().take_while(|folder| folder.starts_with(&top));
        // Version 2 says `max` where there is no limit, version 1 a number that no machine has.
        groups
            .filter_map(|folder| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok())
            .min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "33 23 0:29 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory";

    /// The limit where a process is in these groups, under these mounts, with these files.
    fn limit_of(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<f64> {
        let root = tempfile::tempdir().unwrap();
        for (name, contents) in [("proc/self/cgroup", groups), ("proc/self/mountinfo", mounts)].iter().chain(files) {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        limit(root.path())
    }

    #[test]
    fn the_tightest_of_nested_groups_counts() {
        let group = "0::/user.slice/job.scope\n";
        let files = [
            ("sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n"),
            ("sys/fs/cgroup/user.slice/memory.max", "3000000\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/other.slice/memory.max", "10\n"),
        ];
        assert_eq!(limit_of(group, V2, &files), Some(3e6), "that of the slice around it");
        let tighter = [files[0], files[1], ("sys/fs/cgroup/user.slice/job.scope/memory.max", "2000000\n")];
        assert_eq!(limit_of(group, V2, &tighter), Some(2e6));
        assert_eq!(limit_of(group, V2, &files[..1]), None, "`max` is no limit");
    }

    #[test]
    fn version_1_and_both_at_once() {
        let groups = "11:cpu,cpuacct:/slurm\n9:memory:/slurm/uid_0/job_7\n0::/init.scope\n";
        let files = [
            ("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "5000000\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(limit_of(groups, &format!("{V1}\n{V2}\n"), &files), Some(5e6));
        let unified = [&files[..], &[("sys/fs/cgroup/init.scope/memory.max", "4000000")]].concat();
        assert_eq!(limit_of(groups, &format!("{V1}\n{V2}\n"), &unified), Some(4e6));
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount_point() {
        let mounts = "40 23 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let files = [("sys/fs/cgroup/memory/memory.limit_in_bytes", "7000000"), ("sys/fs/cgroup/memory.max", "10")];
        assert_eq!(limit_of("4:memory:/docker/abc\n", mounts, &files), Some(7e6));
        assert_eq!(limit_of("4:memory:/elsewhere\n", mounts, &files), Some(7e6));
        assert_eq!(limit_of("0::/../../up\n", V2, &files[1..]), Some(10.0), "outside of its own name space");
        assert_eq!(limit_of("", "", &files), None);
    }
}
