//! Charts of more arms than a reader can tell apart: some in their colours, the others behind them in grey.

use std::collections::HashSet;

use crate::analysis::{Rank, Ranking};
use crate::chart::{Chart, Color, Dash, LineChart, Marker, Style};

/// The most arms that are all drawn in colour, and how many are where there are more.
const MOST: usize = 10;
const CHOSEN: usize = 8;
const GREY: Style = Style { color: Color(0xbb, 0xbb, 0xbb), dash: Dash::Solid, marker: Marker::Circle };

/// The arms that are drawn in colour: all, or of many each optimizer's best one and the best of the rest.
pub(super) fn chosen<'a, 'b>(ranking: &'b Ranking<'a>) -> Vec<&'b Rank<'a>> {
    if ranking.ranks.len() <= MOST {
        return ranking.ranks.iter().collect();
    }
    let mut optimizers = HashSet::new();
    // Ranked by score, so the first arm of an optimizer is its best.
    let (firsts, rest): (Vec<&Rank>, Vec<&Rank>) =
        ranking.ranks.iter().partition(|rank| optimizers.insert(rank.optimizer));
    firsts.into_iter().chain(rest).take(CHOSEN).collect()
}

/// What a chart says that shows the chosen arms alone; nothing where these are all.
pub(super) fn said(ranking: &Ranking) -> Option<String> {
    (ranking.ranks.len() > MOST)
        .then(|| format!("{CHOSEN} of {} arms: each optimizer at its best, then the next best", ranking.ranks.len()))
}

/// Where there are many arms, mutes the lines of all but each optimizer's best one and the best of the rest.
pub(super) fn focus(chart: &mut Chart, ranking: &Ranking) {
    if let Chart::Lines(chart) = chart
        && ranking.ranks.len() > MOST
    {
        let chosen: HashSet<String> = chosen(ranking).into_iter().map(Rank::name).collect();
        let names = ranking.ranks.iter().map(Rank::name);
        mute(chart, &names.filter(|name| !chosen.contains(name)).collect::<Vec<_>>());
    }
}

fn mute(chart: &mut LineChart, labels: &[String]) {
    for series in chart.series.iter_mut().filter(|series| labels.contains(&series.label)) {
        series.muted = true;
        series.style = GREY;
        series.band = None;
    }
    if chart.series.iter().any(|series| series.muted) {
        chart.series.sort_by_key(|series| !series.muted);
        let said = format!("{CHOSEN} in colour: each optimizer at its best, then the next best");
        chart.subtitle = Some(chart.subtitle.take().map_or(said.clone(), |subtitle| format!("{subtitle}; {said}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Axis, Scale, Series};

    #[test]
    fn the_others_lie_behind_and_share_an_entry() {
        let style = Style { color: Color(0, 0x72, 0xb2), dash: Dash::Solid, marker: Marker::Circle };
        let line = |name: &str| Series::new(name, style, vec![(0.0, 1.0), (1.0, 2.0)]);
        let mut chart = LineChart {
            title: "title".into(),
            subtitle: None,
            x: Axis::new("x", Scale::Linear),
            y: Axis::new("y", Scale::Linear),
            series: vec![line("first"), line("second"), line("third")],
            rules: Vec::new(),
        };
        mute(&mut chart, &["second".to_owned(), "third".to_owned()]);
        let labels: Vec<&str> = chart.series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(labels, ["second", "third", "first"]);
        let svg = chart.to_svg();
        assert!(svg.contains("2 others") && svg.contains("#bbbbbb"));
        // Whoever points at a line still learns its name.
        assert!(svg.contains("third: "));
    }
}
