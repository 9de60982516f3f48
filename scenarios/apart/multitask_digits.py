"""Tasks that nobody has seen: two digits, one or five examples of each, and two experts for the other eight.

Each draw splits the digits at random: two for a newcomer, the others for two experts, small networks that only answer
queries. Besides the examples there are 500 images without labels. The situations: no expert knows the two digits
("unseen"); each is known to one expert ("seen"); no expert knows them, and the images without labels have none of them
("poor pool"). Compared are prototypes by EM on these images with the experts' classes as the background, the published
embedding (Hoang, Lam, Low & Jaillet, ICML 2020), training on the examples alone, label spreading, the sum and the
largest of the experts' probabilities, and first-order MAML on the experts' own rows, which nobody else here sees.

`--set few_shot.source=mnist` takes larger digits (with `few_shot.pool=1000`, minutes), and `--set
few_shot.methods=[background,few_shot]` compares two methods in seconds.
"""

KIND = "few-shot"

SETTINGS = {
    "few_shot": {"source": "digits", "shots": [1, 5]},
    "run": {"repeats": 10},
}

if __name__ == "__main__":
    from coolgp.scenarios.cli.app import run_script

    run_script("multitask-digits")
