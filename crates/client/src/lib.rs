//! A client for MEGA: accounts, tree, transfers, links.
