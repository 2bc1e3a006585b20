//! The statistics against SciPy's (`tests/reference/statistics.py`).

use optbench::analysis::shares::{Share, more_often};
use optbench::analysis::{Difference, Sample, Seed, holm, student, wilcoxon};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/statistics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{got} is not {want}");
}

#[test]
fn paired_and_welch_tests_agree() {
    for case in reference()["comparisons"].as_array().unwrap() {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let seeds = |values: &[f64]| (0..).map(Seed::from).zip(values.iter().copied()).collect();
        let paired = Difference::between(&seeds(&a), &seeds(&b)).unwrap();
        close(paired.p_value().unwrap(), case["p"].as_f64().unwrap(), 1e-10);
        close(paired.p_above().unwrap(), case["p_above"].as_f64().unwrap(), 1e-10);
        for interval in case["intervals"].as_array().unwrap() {
            let [level, low, high] = numbers(interval)[..] else { panic!() };
            let got = paired.interval(level);
            close(got.0, low, 1e-10);
            close(got.1, high, 1e-10);
        }
        let sample = |values: &[f64]| values.iter().copied().collect::<Sample>();
        let welch = Difference::welch(&sample(&a), &sample(&b)).unwrap();
        close(welch.p_value().unwrap(), case["welch_p"].as_f64().unwrap(), 1e-10);
        close(welch.freedom, case["welch_freedom"].as_f64().unwrap(), 1e-10);
        let (low, high) = welch.interval(0.95);
        close(low, numbers(&case["welch_interval"])[0], 1e-10);
        close(high, numbers(&case["welch_interval"])[1], 1e-10);
        let rank = wilcoxon::signed_rank(&sample(&numbers(&case["differences"]))).unwrap();
        close(rank, case["wilcoxon"].as_f64().unwrap(), 1e-10);
    }
}

#[test]
fn quantiles_and_powers_agree() {
    let reference = reference();
    for case in reference["quantiles"].as_array().unwrap() {
        let [p, freedom, t] = numbers(case)[..] else { panic!() };
        close(student::quantile(p, freedom), t, 1e-10);
        close(student::quantile(1.0 - p, freedom), -t, 1e-10);
    }
    for case in reference["powers"].as_array().unwrap() {
        let [shift, freedom, alpha, power] = numbers(case)[..] else { panic!() };
        close(student::power(shift, freedom, alpha), power, 1e-8);
    }
    for case in reference["detectable"].as_array().unwrap() {
        let [freedom, shift] = numbers(case)[..] else { panic!() };
        close(student::detectable(freedom, 0.05, 0.8), shift, 1e-6);
    }
    for case in reference["upper_spread"].as_array().unwrap() {
        let [freedom, factor] = numbers(case)[..] else { panic!() };
        close(student::upper_spread(freedom), factor, 1e-8);
    }
}

#[test]
fn holm_and_sample_quantiles_agree() {
    let reference = reference();
    let adjusted = holm::adjust(&numbers(&reference["holm"]["p"]));
    for (got, want) in adjusted.iter().zip(numbers(&reference["holm"]["adjusted"])) {
        close(*got, want, 1e-12);
    }
    let sample: Sample = numbers(&reference["comparisons"][3]["a"]).into_iter().collect();
    for case in reference["sample_quantiles"].as_array().unwrap() {
        let [share, value] = numbers(case)[..] else { panic!() };
        close(sample.quantile(share).unwrap(), value, 1e-12);
    }
}

#[test]
fn exact_tests_of_two_shares_agree() {
    for case in reference()["boschloo"].as_array().unwrap() {
        let [count, of, other, of_other, p] = numbers(case)[..] else { panic!() };
        let share = |count: f64, of: f64| Share { count: count as usize, of: of as usize };
        close(more_often(share(count, of), share(other, of_other)), p, 1e-6);
    }
}
