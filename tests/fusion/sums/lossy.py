"""Links over which messages are lost or late, as rules that send again meet them."""

LOSSY = {
    "loss": {"loss": 0.3},
    "bursts": {"loss": 0.3, "burst": 3.0},
    "fixed delay": {"delay": 2.0},
    "delay and loss": {"loss": 0.2, "delay": 1.0, "delays": "geometric"},
    "bandwidth": {"bandwidth": 100},
    "one-way links": {"one_way": 1.0},
}
