"""Cases, and the counting of answers that are not as a judge says.

A group is a dictionary: `name` for people, `arguments` of the command line, `items` for its --items file, `answers`,
the field of the JSON answer to look at, and `expected`, what it must hold: one value, or a list with, for each
item, a value, a list of values that are all right, or a dictionary of fields. Scripts in other languages print groups as JSON.
"""

VALID = "valid"
# A judge that only says no does not tell the two apart; both are a no.
REFUSED = ["invalid", "malformed"]

SHOWN_MAX = 5


def verdict(is_valid):
    """What a judge's yes or no allows."""
    return VALID if is_valid else REFUSED


def verify(name, ruleset, items, expected):
    """A group of signatures."""
    return {
        "name": name,
        "arguments": ["verify", "--ruleset", ruleset],
        "items": items,
        "answers": "verdicts",
        "expected": expected,
    }


def hashes(name, algorithm, messages, digests):
    """A group of messages (bytes) and their digests (bytes, or None where a message is malformed)."""
    return {
        "name": name,
        "arguments": ["hash", "--algorithm", algorithm],
        "items": [message.hex() for message in messages],
        "answers": "digests",
        "expected": [None if digest is None else "0x" + digest.hex() for digest in digests],
    }


class Tally:
    """Counts comparisons and disagreements."""

    def __init__(self):
        self.compared = 0
        self.wrong = 0
        self.groups = 0

    def group(self, name, rows):
        """Counts `rows` of (label, answer, expected) and prints one line for them."""
        wrong = [row for row in rows if not _agrees(row[1], row[2])]
        self.groups += 1
        self.compared += len(rows)
        self.wrong += len(wrong)
        if not rows:
            # A group that compares nothing proves nothing.
            self.compared += 1
            self.wrong += 1
        state = "ok" if rows and not wrong else "WRONG" if rows else "EMPTY"
        print(f"{state:6}{len(rows):7} {name}" + (f": {len(wrong)} disagree" if wrong else ""), flush=True)
        for label, answer, expected in wrong[:SHOWN_MAX]:
            print(f"      {label}: answer {_short(answer)}, expected {_short(expected)}")

    def run(self, outrigger, group):
        """Runs a group in process and through the sidecar, and compares both with what is expected."""
        for place in outrigger.PLACES:
            answer = outrigger.ask(place, group["arguments"], group["items"])
            answers, expected = answer[group["answers"]], group["expected"]
            if not isinstance(expected, list):
                self.group(f"{group['name']}, {place}", [("", answers, expected)])
                continue
            if len(answers) != len(expected):
                answers = [f"{len(answers)} answers"] * len(expected)
            rows = [
                (f"item {i} {_short(item)}", got, wanted)
                for i, (item, got, wanted) in enumerate(zip(group["items"], answers, expected))
            ]
            self.group(f"{group['name']}, {place}", rows)

    def finish(self):
        """Prints the last line; the exit status."""
        print(f"interop: {self.compared - self.wrong} answers passed, {self.wrong} disagree, in {self.groups} groups")
        return 0 if self.wrong == 0 and self.compared > 0 else 1


def _agrees(answer, expected):
    if isinstance(expected, list):
        return answer in expected
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(answer.get(key) == value for key, value in expected.items())
    return answer == expected


def _short(value):
    text = str(value)
    return text if len(text) <= 300 else text[:300] + "…"
