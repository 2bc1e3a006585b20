//! AggMo: the mean of momenta of several lengths.

use crate::optim::common::lr;
use crate::optim::decay::{self, Decay, DecayStep};
use crate::optim::definition::Definition;
use crate::optim::optimizer::Step;
use crate::optim::real::Real;
use crate::optim::rule::{Elementwise, Rule, Slot};
use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;

const NAMES: [&str; 6] = ["momentum_1", "momentum_2", "momentum_3", "momentum_4", "momentum_5", "momentum_6"];

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "aggmo",
        revision: 1,
        summary: "the mean of momenta that fade at different speeds",
        equations: "\
decay as for sgd
m_i <- betas_i m_i + g                       for each of the K betas
p <- p - lr (m_1 + ... + m_K) / K",
        keys: &[
            lr(0.1),
            decay::STRENGTH,
            Key::floats("betas", &[0.0, 0.9, 0.99], Bounds::DECAY, "decays of the momenta, from one to six")
                .that_needs("one to six numbers", |settings| (1..=NAMES.len()).contains(&settings.list("betas").len())),
            decay::KEY,
        ],
        source: "Lucas et al. 2018, Aggregated Momentum, arXiv 1804.00325; pytorch_optimizer's AggMo",
    },
    memory: "one value per parameter for each of the betas",
    asks: &[],
    build: |settings| match settings.list("betas").len() {
        1 => Elementwise::boxed(AggMo::<1>::of(settings)),
        2 => Elementwise::boxed(AggMo::<2>::of(settings)),
        3 => Elementwise::boxed(AggMo::<3>::of(settings)),
        4 => Elementwise::boxed(AggMo::<4>::of(settings)),
        5 => Elementwise::boxed(AggMo::<5>::of(settings)),
        _ => Elementwise::boxed(AggMo::<6>::of(settings)),
    },
};

struct AggMo<const K: usize> {
    decay: Decay,
    betas: [f64; K],
}

impl<const K: usize> AggMo<K> {
    fn of(settings: &Settings) -> Self {
        let betas = settings.floats("betas").try_into().expect("as many as were counted");
        Self { decay: Decay::of(settings), betas }
    }
}

struct Coefficients<const K: usize> {
    decay: DecayStep,
    betas: [f64; K],
    rate: f64,
}

impl<const K: usize> Rule<K> for AggMo<K> {
    type Coefficients = Coefficients<K>;

    fn slots(&self) -> [Slot; K] {
        std::array::from_fn(|i| Slot::zero(NAMES[i]))
    }

    fn coefficients(&mut self, at: &Step) -> Self::Coefficients {
        Coefficients { decay: self.decay.at(at.lr), betas: self.betas, rate: at.lr / K as f64 }
    }

    #[inline(always)]
    fn update<R: Real>(k: &Self::Coefficients, p: R, g: R, mut momenta: [R; K]) -> (R, [R; K]) {
        let (mut p, g) = k.decay.apply(p, g);
        for (m, beta) in momenta.iter_mut().zip(k.betas) {
            *m = m.clone() * beta + g.clone();
            p = p - m.clone() * k.rate;
        }
        (p, momenta)
    }
}
