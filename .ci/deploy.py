"""What .ci/deploy checks of metrics: every name and label that an alert or a panel uses is one of the sidecar's.

Names come from the page at /metrics and from the source: a constant, or an argument of counter!, gauge! or histogram!, that
is a string of the form "outrigger_…", in crates/*/src, tests not counted. Some appear on the page only after an event. Labels
of a metric are those on the page, and for a constant also the words in backticks of its documentation. The client's own
metrics (outrigger_client_…) are another process's, and not to be used here.
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
# What Prometheus itself adds.
PROMETHEUS = {"up": set(), "ALERTS": {"alertname", "alertstate"}}
ADDED_LABELS = {"job", "instance", "le"}
NAME = r"outrigger_[a-z0-9_]+"
# The suffixes under which a histogram is on the page.
SUFFIXES = ("_bucket", "_sum", "_count")


def of_source():
    """Names with the labels that the source states."""
    metrics = {}
    for path in sorted(ROOT.glob("crates/*/src/**/*.rs")):
        text = path.read_text()
        constant = re.compile(r"((?:^ *///.*\n)*)^ *(?:pub(?:\([a-z]+\))? )?const [A-Z_]+: &str = \"(%s)\";" % NAME, re.M)
        for documentation, name in constant.findall(text):
            metrics[name] = set(re.findall(r"`([a-z_]+)`", documentation))
        for name in re.findall(r"(?:counter|gauge|histogram)!\(\s*\"(%s)\"" % NAME, text):
            metrics.setdefault(name, set())
    return {name: labels for name, labels in metrics.items() if not name.startswith("outrigger_client_")}


def of_page(page):
    """Names with the labels that are on the page."""
    metrics = {}
    for line in page.splitlines():
        found = re.match(r"(%s)(?:\{(.*)\})? " % NAME, line)
        if found:
            name = family(found[1])
            metrics.setdefault(name, set()).update(re.findall(r"([a-z_]+)=\"", found[2] or ""))
    return metrics


def family(name, known=None):
    """The metric that a series belongs to: of outrigger_x_seconds_bucket, outrigger_x_seconds."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and (known is None or name.removesuffix(suffix) in known):
            return name.removesuffix(suffix)
    return name


def expressions():
    """Every expression, and where it stands."""
    alerts = yaml.safe_load((ROOT / "docker/alerts.yml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]
    dashboard = json.loads((ROOT / "docker/grafana/outrigger.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]["query"]


def uses(expression):
    """Pairs of a series' name and the labels that are asked of it; labels of `by` and `on` are asked of all."""
    text = re.sub(r"\$__\w+|\$\{?\w+\}?", "x", expression)
    everywhere = set()
    for grouped in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", text):
        everywhere |= {label.strip() for label in grouped.split(",") if label.strip()}
    found = re.findall(r"\b(%s|up)\b(?:\s*\{([^}]*)\})?" % NAME, re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", "", text))
    return [(name, everywhere | set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers))) for name, matchers in found]


def faults(known):
    """What is used and not known, in words; and how many uses there are."""
    count, wrong = 0, []
    for where, expression in expressions():
        used = uses(expression)
        if not used:
            wrong.append(f"{where}: no metric of ours in {expression!r}")
        for name, labels in used:
            count += 1
            metric = name if name in PROMETHEUS else family(name, known)
            if metric not in known:
                wrong.append(f"{where}: the sidecar has no metric {name}")
            elif unknown := labels - known[metric] - ADDED_LABELS:
                wrong.append(f"{where}: {metric} has no label {', '.join(sorted(unknown))}")
    return count, wrong


def tested():
    """Alerts whose rule is not tested both ways, or whose runbook is not the heading of its name."""
    alerts = yaml.safe_load((ROOT / "docker/alerts.yml").read_text())
    tests = yaml.safe_load((ROOT / "docker/alerts.test.yml").read_text())["tests"]
    wrong = []
    for rule in (rule for group in alerts["groups"] for rule in group["rules"]):
        name = rule["alert"]
        samples = [
            bool(one["exp_samples"])
            for test in tests
            for one in test["promql_expr_test"]
            if f'alertname="{name}"' in one["expr"]
        ]
        if set(samples) != {True, False}:
            wrong.append(f"alert {name}: alerts.test.yml has to have it firing and quiet")
        if rule["annotations"]["runbook"] != f"docker/OPERATORS.md#{name.lower()}":
            wrong.append(f"alert {name}: its runbook has to be docker/OPERATORS.md#{name.lower()}")
        wrong += [f"alert {name}: no {key}" for key in ("summary", "description") if not rule["annotations"].get(key)]
    page = ROOT / "docker/OPERATORS.md"
    if page.exists():
        headings = {heading.strip().lower() for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}
        names = [rule["alert"] for group in alerts["groups"] for rule in group["rules"]]
        wrong += [f"docker/OPERATORS.md has no heading {name}" for name in names if name.lower() not in headings]
    return wrong


def main():
    source = of_source()
    page = of_page(Path(sys.argv[1]).read_text())
    stray = sorted(set(page) - set(source))
    wrong = [f"{name} is on the page, and the pattern of .ci/deploy.py does not find it in the source" for name in stray]
    known = {name: labels | page.get(name, set()) for name, labels in source.items()} | PROMETHEUS
    count, unknown = faults(known)
    wrong += unknown + tested()
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit(1)
    absent = sorted(name for name in source if name not in page)
    print(f"deploy: {count} uses of metrics are of the sidecar's {len(source)}; only in the source, for want of an event: "
          f"{', '.join(absent) or 'none'}")


main()
