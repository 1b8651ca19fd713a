//! How much traffic can be carried, and how much of the capacity is up how long.
