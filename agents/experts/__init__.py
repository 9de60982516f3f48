"""Fitted models, seen through one small interface: what fusion of models that were trained apart works on."""
