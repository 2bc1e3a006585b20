//! What holds for every schedule, whatever its settings and the run.

use optbench::length::{Length, Timeline};
use optbench::metric::{Metric, Scores};
use optbench::registry::Described;
use optbench::registry::{Accepts, Bounds, Fallback, Key};
use optbench::schedule::{self, Definition, SCHEDULES, Schedule};
use optbench::settings::{Settings, Value};
use proptest::prelude::*;

/// Parts of parts go this deep.
const DEPTH: u32 = 2;

const STARTS_AT_THE_PEAK: [&str; 11] = [
    "constant",
    "step",
    "exponential",
    "polynomial",
    "cosine",
    "cosine_warm_restarts",
    "reduce_on_plateau",
    "wsd",
    "inverse_sqrt",
    "rex",
    "power",
];
const NEVER_RISES: [&str; 6] = ["constant", "polynomial", "wsd", "inverse_sqrt", "rex", "power"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// A rate is a number, whatever a schedule is told and however long it goes on.
    #[test]
    fn factors_and_momenta_are_in_bounds((settings, timeline) in schedules_and_runs(), losses in losses()) {
        let Ok(mut schedule) = schedule::build(&settings, &timeline) else { return Ok(()) };
        for t in moments(&timeline) {
            let point = schedule.at(t);
            prop_assert!(point.factor.is_finite() && point.factor >= 0.0, "{settings:?} {timeline:?} {t}: {point:?}");
            let momentum = point.momentum.unwrap_or(0.0);
            prop_assert!((0.0..1.0).contains(&momentum), "{settings:?} {timeline:?} {t}: {point:?}");
            schedule.observe(t + 1, &scores(losses[t as usize % losses.len()]));
        }
    }

    /// The same step has the same rate, in whatever order steps are asked for.
    #[test]
    fn a_schedule_is_a_function_of_the_step((settings, timeline) in schedules_and_runs()) {
        let Ok(schedule) = schedule::build(&settings, &timeline) else { return Ok(()) };
        let there: Vec<_> = moments(&timeline).map(|t| schedule.at(t)).collect();
        let mut back: Vec<_> = moments(&timeline).rev().map(|t| schedule.at(t)).collect();
        back.reverse();
        prop_assert_eq!(there, back);
    }

    /// Whoever cannot be built says why; what is built explains its doubts, and never with a panic.
    #[test]
    fn refusals_and_warnings_are_sentences_about_keys((settings, timeline) in schedules_and_runs()) {
        let said = match schedule::build(&settings, &timeline) {
            Ok(schedule) => schedule.warnings(timeline.steps),
            Err(refusal) => vec![refusal],
        };
        for sentence in said {
            prop_assert!(sentence.contains('`') && !sentence.ends_with('.'), "{sentence}");
            prop_assert!(!sentence.contains("NaN") && !sentence.contains("inf"), "{sentence}");
        }
    }

    /// A training that stops and goes on is the training that never stopped.
    #[test]
    fn a_restored_schedule_goes_on_as_it_would_have(
        (settings, timeline) in schedules_and_runs(), losses in losses(), cut in 0..30_u64,
    ) {
        let Ok(mut whole) = schedule::build(&settings, &timeline) else { return Ok(()) };
        let hear = |schedule: &mut dyn Schedule, t: u64| {
            schedule.observe(t, &scores(losses[t as usize % losses.len()]));
            schedule.at(t)
        };
        for t in 1..=cut {
            hear(&mut *whole, t);
        }
        let mut continued = schedule::build(&settings, &timeline).unwrap();
        prop_assert_eq!(continued.state().len(), whole.state().len());
        continued.restore(&whole.state());
        for t in cut + 1..cut + 30 {
            prop_assert_eq!(hear(&mut *continued, t), hear(&mut *whole, t));
        }
    }

    /// The warmup ends at the peak, where a schedule that starts there takes over.
    #[test]
    fn a_warmup_ends_without_a_jump((settings, timeline) in schedules_and_runs(), warmup in 1..200_u64) {
        let settings = without(&settings, &["noise", "noise_seed"]).with("warmup", Length::Steps(warmup));
        let rise_of = |settings: &Settings| -> Option<Vec<f64>> {
            let schedule = schedule::build(settings, &timeline).ok()?;
            Some((0..warmup).map(|t| schedule.at(t).factor).collect())
        };
        let Some(shaped) = rise_of(&settings) else { return Ok(()) };
        prop_assert!(shaped.windows(2).all(|pair| pair[0] <= pair[1] + 1e-15), "{shaped:?}");
        prop_assert!((shaped[warmup as usize - 1] - 1.0).abs() < 1e-15, "{shaped:?}");
        let settings = without(&settings, &["warmup_shape", "warmup_start"]);
        let Some(rise) = rise_of(&settings) else { return Ok(()) };
        let schedule = schedule::build(&settings, &timeline).unwrap();
        prop_assert!((rise[0] * warmup as f64 - 1.0).abs() < 1e-15);
        prop_assert!(rise.windows(2).all(|pair| pair[0] < pair[1]) && rise.last() == Some(&1.0));
        if STARTS_AT_THE_PEAK.contains(&settings.name()) {
            prop_assert!((schedule.at(warmup).factor - 1.0).abs() < 1e-15, "{settings:?}");
        }
    }

    /// A plain decay never rises and never leaves 0 to 1.
    #[test]
    fn decays_fall((settings, timeline) in schedules_and_runs()) {
        if !NEVER_RISES.contains(&settings.name()) {
            return Ok(());
        }
        // An end above the peak would be a rise, and noise goes both ways.
        let settings = without(&settings, &["noise", "noise_seed", "end"]);
        let Ok(schedule) = schedule::build(&settings, &timeline) else { return Ok(()) };
        if settings.get("warmup").is_none() {
            let factors: Vec<f64> = (0..timeline.steps + 20).map(|t| schedule.at(t).factor).collect();
            prop_assert!((factors[0] - 1.0).abs() < 1e-15);
            prop_assert!(factors.windows(2).all(|pair| pair[0] >= pair[1] - 1e-15), "{:?}: {:?}", settings, factors);
        }
    }
}

/// With nothing set but what must be, on a run long enough, there is nothing to warn of and the start is no jump.
#[test]
fn defaults_are_without_doubts() {
    let timeline = Timeline { steps: 1000, steps_per_epoch: Some(50), beta2: Some(0.999) };
    for definition in SCHEDULES {
        let mut settings = definition.defaults();
        for key in definition.about.keys.iter().filter(|key| key.default == Fallback::Required) {
            settings.set(key.name, plain(key.accepts));
        }
        let schedule = schedule::build(&settings, &timeline).unwrap();
        assert_eq!(schedule.warnings(1000), [""; 0], "{}", definition.about.name);
        assert!(schedule.at(0).factor <= 1.0 && schedule.at(999).factor <= 1.0);
    }
}

/// Every schedule is explained.
#[test]
fn names_are_unique_and_keys_documented() {
    let mut names: Vec<&str> = SCHEDULES.iter().map(|definition| definition.about.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SCHEDULES.len());
    for definition in SCHEDULES {
        let about = definition.about;
        let texts = [about.summary, about.equations].into_iter().chain(about.keys.iter().map(|key| key.help));
        for text in texts.chain([about.source]) {
            assert!(text.is_ascii() && !text.ends_with('.'), "{}: {text}", about.name);
        }
        assert!(!about.summary.is_empty() && about.equations.contains("factor"), "{}", about.name);
        assert!(about.keys.iter().all(|key| !key.help.is_empty()), "{}", about.name);
    }
}

/// Curves: a usual one, one with a pole, one that is no number at the end, one below 0, one beyond all numbers.
const FORMULAS: &[&str] = &["0.5 * (1 + cos(pi * t / T))", "1 / (1 - t / 20)", "log(20 - t)", "1 - t", "exp(t * t)"];

/// The same settings without some keys.
fn without(settings: &Settings, keys: &[&str]) -> Settings {
    let mut settings = settings.clone();
    for key in keys {
        settings.remove(key);
    }
    settings
}

/// A time and a factor.
fn point(time: Length, factor: f64) -> Value {
    vec![Value::Length(time), Value::Float(factor)].into()
}

/// A sensible value where a key has no default.
fn plain(accepts: Accepts) -> Value {
    match accepts {
        Accepts::Float(_) => 0.5.into(),
        Accepts::Length | Accepts::Interval => Length::Percent(25.0).into(),
        Accepts::Lengths => vec![Length::Percent(50.0).into()].into(),
        Accepts::Points => vec![point(Length::ZERO, 0.5), point(Length::Percent(100.0), 1.0)].into(),
        Accepts::Schedules => vec![SCHEDULES[0].defaults().into()].into(),
        Accepts::Text => FORMULAS[0].into(),
        other => panic!("no schedule takes {other}"),
    }
}

fn scores(loss: f64) -> Scores {
    Scores::of_loss(loss).with(Metric::ACCURACY, 1.0 / (1.0 + loss))
}

/// The steps of a run, some beyond its end, and one that no run gets to.
fn moments(timeline: &Timeline) -> impl DoubleEndedIterator<Item = u64> + use<> {
    (0..timeline.steps + 40).chain([1 << 40, 9_000_000_000_000_000])
}

fn losses() -> impl Strategy<Value = Vec<f64>> {
    let loss = prop_oneof![6 => 0.0..3.0, 2 => Just(1.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    prop::collection::vec(loss, 1..40)
}

fn schedules_and_runs() -> impl Strategy<Value = (Settings, Timeline)> {
    let timeline = (0..300_u64, prop::option::of(1..40_u64), prop::option::of(0.5..0.999));
    let timeline = timeline.prop_map(|(steps, steps_per_epoch, beta2)| Timeline { steps, steps_per_epoch, beta2 });
    (any_schedule(DEPTH), timeline)
}

fn any_schedule(depth: u32) -> BoxedStrategy<Settings> {
    let composed = |definition: &&Definition| definition.keys().any(|key| key.accepts == Accepts::Schedules);
    let plain = SCHEDULES.iter().filter(move |definition| depth > 0 || !composed(definition));
    prop::strategy::Union::new(plain.map(move |definition| settings(definition, depth))).boxed()
}

/// Random settings within the bounds that the keys declare.
fn settings(definition: &'static Definition, depth: u32) -> BoxedStrategy<Settings> {
    let given = |key: &'static Key| -> BoxedStrategy<Option<Value>> {
        let value = value(key, depth);
        match key.default {
            Fallback::Required => value.prop_map(Some).boxed(),
            _ => prop::option::of(value).boxed(),
        }
    };
    let keys: Vec<&'static Key> = definition.keys().collect();
    let values: Vec<_> = keys.iter().map(|&key| given(key)).collect();
    let assemble = move |values: Vec<Option<Value>>| {
        let mut settings = definition.defaults();
        for (key, value) in keys.iter().zip(values) {
            if let Some(value) = value {
                // Users choose the names of further keys.
                settings.set(if key.name == Key::REST { "power" } else { key.name }, value);
            }
        }
        settings
    };
    values.prop_map(assemble).boxed()
}

fn value(key: &Key, depth: u32) -> BoxedStrategy<Value> {
    match key.accepts {
        Accepts::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Accepts::Integer(range) => {
            numbers(range, &[0.0, 1.0, 2.0, 3.0, 7.0, 1e6]).prop_map(|x| (x as i64).into()).boxed()
        }
        Accepts::Float(range) => {
            numbers(range, &[0.0, 1e-300, 1e-4, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999, 1.0, 1.1, 2.0, 25.0, 1e4, 1e300])
                .prop_map(Value::from)
                .boxed()
        }
        Accepts::Text => prop::sample::select(FORMULAS).prop_map(Value::from).boxed(),
        Accepts::Choice(words) => prop::sample::select(words).prop_map(Value::from).boxed(),
        Accepts::Length | Accepts::Interval => length().prop_map(Value::from).boxed(),
        Accepts::Lengths => prop::collection::vec(length().prop_map(Value::from), 0..5).prop_map(Value::from).boxed(),
        Accepts::Points => {
            let one = (length(), numbers(Bounds::NON_NEGATIVE, &[0.0, 0.5, 1.0, 1e300]));
            let point = one.prop_map(|(time, factor)| point(time, factor));
            prop::collection::vec(point, 0..4).prop_map(Value::from).boxed()
        }
        Accepts::Schedules => {
            // With a length each, as `sequential` wants them, or without, as `chained` does.
            let bare = any_schedule(depth - 1).prop_map(Value::from);
            let long =
                (any_schedule(depth - 1), length()).prop_map(|(part, length)| part.with("length", length).into());
            prop_oneof![prop::collection::vec(bare, 0..4), prop::collection::vec(long, 0..4)]
                .prop_map(Value::from)
                .boxed()
        }
        other => panic!("no schedule takes {other}"),
    }
}

/// Those of some numbers that lie within the bounds.
fn numbers(range: Bounds, from: &[f64]) -> impl Strategy<Value = f64> + use<> {
    let within: Vec<f64> = from.iter().copied().filter(|&x| range.contains(x)).collect();
    prop::sample::select(within)
}

fn length() -> impl Strategy<Value = Length> {
    prop_oneof![
        4 => (0..400_u64).prop_map(Length::Steps),
        1 => Just(Length::Steps(u64::MAX)),
        4 => (0.0..=100.0).prop_map(Length::Percent),
        1 => Just(Length::Percent(100.0)),
        2 => (0.0..5.0).prop_map(Length::Epochs),
        1 => Just(Length::Untuned),
    ]
}
