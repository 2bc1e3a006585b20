//! Holm's correction: many comparisons, one error rate.

/// The p-values that may be compared with the level of the whole family (Holm 1979): sorted, the
/// i-th smallest of m times `m - i + 1`, never less than the one before, at most 1.
pub fn adjust(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0f64;
    for (place, &i) in order.iter().enumerate() {
        largest = largest.max(p[i] * (p.len() - place) as f64).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}

/// The same where some comparisons have no p-value: they take no part, and keep having none.
pub fn adjust_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut adjusted = adjust(&p.iter().flatten().copied().collect::<Vec<_>>()).into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::adjust;

    #[test]
    fn a_hand_worked_family() {
        let adjusted = adjust(&[0.01, 0.04, 0.03, 0.005]);
        for (got, want) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((got - want).abs() < 1e-15, "{adjusted:?}");
        }
        assert!(adjust(&[]).is_empty());
    }
}
