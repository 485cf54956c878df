//! From the witness to the scalars of the H points: sparse products and transforms.
