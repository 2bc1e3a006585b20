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
