//! Holm's and Hochberg's corrections: many comparisons, one error rate.

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

/// The same by Hochberg's method (1988), which steps up from the largest p-value: the i-th smallest of m times
/// `m - i + 1`, never more than the one after. It holds for tests that do not work against each other, such as those of
/// runs that share their seeds, and refuses all of them together where each alone would be refused.
pub fn step_up_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..p.len()).filter(|i| p[*i].is_some()).collect();
    order.sort_by(|a, b| p[*b].partial_cmp(&p[*a]).unwrap_or(std::cmp::Ordering::Equal));
    let (mut adjusted, mut smallest) = (vec![None; p.len()], 1.0f64);
    for (place, i) in order.into_iter().enumerate() {
        smallest = smallest.min(p[i].unwrap_or(1.0) * (place + 1) as f64);
        adjusted[i] = Some(smallest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::{adjust, step_up_known};

    #[test]
    fn a_hand_worked_family() {
        let adjusted = adjust(&[0.01, 0.04, 0.03, 0.005]);
        for (got, want) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((got - want).abs() < 1e-15, "{adjusted:?}");
        }
        assert!(adjust(&[]).is_empty());
    }

    #[test]
    fn stepping_up_refuses_all_where_each_is_refused() {
        let adjusted = step_up_known(&[Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)]);
        let wanted = [Some(0.03), None, Some(0.04), Some(0.04), Some(0.02)];
        for (got, want) in adjusted.iter().zip(wanted) {
            assert!(
                got.zip(want).map_or(got.is_none() && want.is_none(), |(a, b)| (a - b).abs() < 1e-15),
                "{adjusted:?}"
            );
        }
        assert_eq!(step_up_known(&[Some(0.02); 8]), [Some(0.02); 8]);
    }
}
