"""Traffic: 100 agents learn speeds on a road network of 775 segments over a day with two rush hours.

After the paper's AIMPEAK domain. Its data are not public, so roads and speeds are drawn from the seed (see
`coolgp.scenarios.data.traffic`). As in the paper, each batch consists of random segments and times, and 2,000 rows are
held out. `--set data.partition=kmeans` gives each agent similar rows, of one district at one time of day.
`--set data.agent=segment` makes each segment an agent.

To use speeds of your own, give a CSV or Parquet file with a row for each segment and time, and numeric columns, for
example `east,north,speed_limit,inbound,time,speed`:

    coolgp run road --set data.source=speeds.csv --set data.target=speed

All numeric columns except the target are inputs, unless `data.features` lists some. Give segments coordinates, because
segment numbers do not say which segments are near each other.
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
