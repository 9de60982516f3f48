"""Traffic: 100 agents learn speeds on a road network of 775 segments over a day with two rush hours.

After the paper's AIMPEAK domain, whose data are not public: roads and speeds are drawn from the seed (see
`coolgp.scenarios.data.traffic`). As in the paper each batch is of random segments and times, and 2,000 rows are held
out; `--set data.partition=kmeans` gives each agent rows that are alike, of one district at one time of day, and
`--set data.agent=segment` makes an agent of each segment.

Your own speeds in their place: a CSV or Parquet file of a row for each segment and time, numeric columns, say
`east,north,speed_limit,inbound,time,speed`, with

    coolgp run road --set data.source=speeds.csv --set data.target=speed

All numeric columns but the target are inputs, unless `data.features` lists some; give segments coordinates, for their
numbers say nothing of what is near what.
"""

KIND = "rounds"

SETTINGS = {
    "data": {"source": "road", "test_count": 2_000},
    "agents": {"count": 100, "inducing": 200, "batch_size": 5},
    "network": {"topology": "small-world"},
    "run": {"rounds": 40},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("road")
