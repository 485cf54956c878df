"""Judges that run under Node.js."""

import json
import os
import subprocess

SECONDS_MAX = 180


def judge(script, *arguments, given=None):
    """What `script` prints, as JSON; `given` is its standard input."""
    folder = os.environ["INTEROP_NODE"]
    done = subprocess.run(
        ["node", os.path.join(folder, script), *arguments],
        input=None if given is None else json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        timeout=SECONDS_MAX,
        check=True,
    )
    return json.loads(done.stdout)
