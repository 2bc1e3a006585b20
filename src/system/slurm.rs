//! What a Slurm job was given: it is killed at more, whether control groups enforce it or not.

const MEGABYTE: f64 = (1 << 20) as f64;

/// The memory of this node that the job may use, in bytes; nothing where there is no job, or where it may use all.
pub(super) fn limit(variable: &dyn Fn(&str) -> Option<String>) -> Option<f64> {
    let number = |name: &str| variable(name)?.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0);
    let each = |one: &str, count: &str| Some(number(one)? * number(count).unwrap_or(1.0));
    let megabytes = number("SLURM_MEM_PER_NODE")
        .or_else(|| each("SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"))
        .or_else(|| each("SLURM_MEM_PER_GPU", "SLURM_GPUS_ON_NODE"))?;
    Some(megabytes * MEGABYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_of(variables: &[(&str, &str)]) -> Option<f64> {
        limit(&|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn memory_is_given_by_node_by_core_or_by_gpu() {
        assert_eq!(limit_of(&[("SLURM_MEM_PER_NODE", "2000"), ("SLURM_MEM_PER_CPU", "1")]), Some(2000.0 * MEGABYTE));
        assert_eq!(limit_of(&[("SLURM_MEM_PER_CPU", "500"), ("SLURM_CPUS_ON_NODE", "4")]), Some(2000.0 * MEGABYTE));
        assert_eq!(limit_of(&[("SLURM_MEM_PER_GPU", "500"), ("SLURM_GPUS_ON_NODE", "2")]), Some(1000.0 * MEGABYTE));
        assert_eq!(limit_of(&[("SLURM_MEM_PER_CPU", "500")]), Some(500.0 * MEGABYTE));
        assert_eq!(limit_of(&[("SLURM_MEM_PER_NODE", "0")]), None, "all of the node");
        assert_eq!(limit_of(&[("SLURM_JOB_ID", "7")]), None);
    }
}
