//! A preview of the learning rates of an experiment, without training.

use crate::chart::{Axis, LineChart, Palette, Scale, Series};
use crate::error::Result;
use crate::schedule::Point;
use crate::settings::number;
use crate::sweep::{Plan, Run};

/// The course of one schedule under the rates of one optimizer.
pub struct Course {
    /// The schedule's label, with the keys that the sweep varies.
    pub schedule: String,
    /// The peak learning rate of the optimizer that is shown.
    pub lr: f64,
    /// What holds for each update, from the first to the last.
    pub points: Vec<Point>,
    /// What is odd about it, in sentences.
    pub warnings: Vec<String>,
    /// Whether evaluations move it, of which a preview has none.
    pub listens: bool,
}

/// The schedules of a task, each as its first run in the sweep meets it.
///
/// A schedule that listens to evaluations is shown as if it heard nothing.
///
/// # Errors
/// When a duration has no meaning for the task.
pub fn preview(plan: &Plan, task: usize, optimizer: Option<&str>) -> Result<Vec<Course>> {
    let mut courses: Vec<Course> = Vec::new();
    let shown = |run: &&Run| run.task == task && optimizer.is_none_or(|label| run.optimizer_label == label);
    for run in plan.runs.iter().filter(shown) {
        let schedule = plan.label(run);
        if courses.iter().any(|course| course.schedule == schedule) {
            continue;
        }
        // Over the whole length, also where a search begins with shorter runs.
        let built = plan.schedule(&Run { horizon: None, ..run.clone() })?;
        let steps = plan.tasks[task].budget.steps;
        courses.push(Course {
            schedule,
            lr: run.optimizer.float("lr"),
            points: (0..steps).map(|t| built.at(t)).collect(),
            warnings: built.warnings(steps),
            // What learns from evaluations has a state to remember.
            listens: !built.state().is_empty(),
        });
    }
    Ok(courses)
}

/// One row an update: `schedule,step,factor,lr`, and `momentum` where a schedule moves it.
///
/// Steps count as in `steps.csv`: step 1 is the first update.
///
/// # Errors
/// When a row cannot be written, which memory alone can cause.
pub fn csv(courses: &[Course]) -> Result<Vec<u8>> {
    let moves = courses.iter().flat_map(|course| &course.points).any(|point| point.momentum.is_some());
    let mut header = vec!["schedule", "step", "factor", "lr"];
    header.extend(moves.then_some("momentum"));
    let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
    let rows = courses.iter().flat_map(|course| {
        course.points.iter().enumerate().map(move |(i, point)| {
            let [factor, lr] = [point.factor, course.lr * point.factor].map(number);
            let mut row = vec![course.schedule.clone(), (i + 1).to_string(), factor, lr];
            row.extend(moves.then(|| point.momentum.map(number).unwrap_or_default()));
            row
        })
    });
    super::csv::write(&header, rows)
}

/// The factors of all schedules over the steps.
pub fn chart(title: String, courses: &[Course]) -> LineChart {
    let palette = Palette::new(courses.iter().map(|course| course.schedule.as_str()), ["factor"]);
    let series = courses.iter().map(|course| {
        let points = course.points.iter().enumerate().map(|(i, point)| ((i + 1) as f64, point.factor)).collect();
        Series::new(course.schedule.clone(), palette.style(&course.schedule, "factor"), points)
    });
    LineChart {
        title,
        subtitle: Some("the learning rate of each update as a multiple of its peak".into()),
        x: Axis::new("step", Scale::Linear),
        y: Axis::new("factor", Scale::Linear),
        series: series.collect(),
        rules: Vec::new(),
    }
}
