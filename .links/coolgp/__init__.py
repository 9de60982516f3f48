"""Collective online learning of Gaussian processes: many agents, one graph, no server.

    import coolgp

    records = coolgp.run(coolgp.load_scenario("study.toml"), out="runs/study")
    forecast = coolgp.load_model("runs/study").predict(x)

`coolgp.agents`, `coolgp.network`, `coolgp.fusion` and `coolgp.scenarios` hold the parts. The public names of a package
are those that ``dir()`` shows; they are imported when first asked for, so that the command line starts fast.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
