//! The arms that a claim names.

/// What stands for every label.
const ANY: &str = "*";

/// An optimizer and a schedule, by their labels; `*` stands for every label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The optimizer's label.
    pub optimizer: String,
    /// The schedule's label.
    pub schedule: String,
}

impl Arm {
    /// Whether the arm stands for several, of which the best on validation is compared.
    pub fn is_pattern(&self) -> bool {
        self.optimizer == ANY || self.schedule == ANY
    }

    /// Whether this is, or stands for, that optimizer and schedule.
    pub fn means(&self, optimizer: &str, schedule: &str) -> bool {
        let fits = |pattern: &str, label: &str| pattern == ANY || pattern == label;
        fits(&self.optimizer, optimizer) && fits(&self.schedule, schedule)
    }
}

impl std::fmt::Display for Arm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.optimizer, self.schedule)
    }
}
