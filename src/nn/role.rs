//! What a parameter is for.

crate::choice! {
    /// The part that a parameter plays in its model, as the layer that makes it knows.
    pub enum Role {
        /// A weight between layers: of a linear layer, a convolution, a recurrence; a variable of a function.
        Hidden = "hidden",
        /// A table of vectors.
        Embedding = "embedding",
        /// The weight of the layer that gives the scores.
        Head = "head",
        /// The scale or the shift of a normalisation.
        Norm = "norm",
        /// What a layer adds.
        Bias = "bias",
    }
}

/// What layers that give scores are usually called.
const HEADS: [&str; 4] = ["head", "lm_head", "classifier", "scores"];
/// What tables of vectors are usually called, where `emb` is not in their names.
const TABLES: [&str; 2] = ["wte", "wpe"];

impl Role {
    /// The role of a parameter that a layer from elsewhere makes, as its name and its sides tell it, going by the names of
    /// candle-nn and `PyTorch`; `sides_of` tells those of the parameter of another name.
    pub fn guessed<'a>(name: &str, sides: &[usize], sides_of: impl Fn(&str) -> Option<&'a [usize]>) -> Self {
        let (layer, tensor) = name.rsplit_once('.').unwrap_or(("", name));
        let layer_name = layer.rsplit('.').next().unwrap_or_default();
        let is_called = |names: &[&str]| names.contains(&layer_name) || names.contains(&tensor);
        if sides.len() < 2 {
            let scaled = |scale| sides_of(&format!("{layer}.{scale}")).is_some_and(|sides| sides.len() == 1);
            return match tensor {
                "weight" | "gamma" => Self::Norm,
                "bias" | "beta" if ["weight", "gamma"].into_iter().any(scaled) => Self::Norm,
                _ => Self::Bias,
            };
        }
        if sides.len() == 2 && (layer_name.contains("emb") || tensor.contains("emb") || is_called(&TABLES)) {
            return Self::Embedding;
        }
        if is_called(&HEADS) { Self::Head } else { Self::Hidden }
    }
}
