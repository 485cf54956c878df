"""The program under test: in its own process, and through a sidecar on a private socket."""

import json
import os
import signal
import socket
import subprocess
import time

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30
COMMAND_SECONDS_MAX = 120


class Outrigger:
    """Runs the command line on files of items."""

    PLACES = ("in process", "sidecar")

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.socket = os.path.join(folder, "outrigger.sock")
        self.log = os.path.join(folder, "serve.log")
        # Nothing of the caller's environment may steer the program.
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("OUTRIGGER_")}
        self.process = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            # No admin port: another sidecar of this machine may have it.
            command = [self.binary, "serve", "--unix", self.socket, "--admin", ""]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        until = time.monotonic() + START_SECONDS_MAX
        while not self._is_listening():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise SystemExit(f"`outrigger serve` does not listen on {self.socket}:\n{self._logged()}")
            time.sleep(0.05)
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "none: killed"
        if status != 0 and kind is None:
            raise SystemExit(f"`outrigger serve` ended with status {status} after SIGTERM:\n{self._logged()}")
        if kind is not None:
            print(self._logged())

    def place(self, place):
        """The flags that send work to a place."""
        return ["--local"] if place == "in process" else ["--endpoint", f"unix:{self.socket}"]

    def call(self, arguments):
        """Runs the program; the finished process, with its output as text."""
        command = [self.binary, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=COMMAND_SECONDS_MAX, check=False
        )

    def file(self, name, text):
        """Writes a file for the program to read; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def ask(self, place, arguments, items):
        """The JSON answer for a list of items; a failure ends the run."""
        path = self.file("items.json", json.dumps(items))
        return self.answer([*arguments, "--items", path, "--json", *self.place(place)])

    def answer(self, arguments):
        """The JSON answer of a command that must succeed."""
        done = self.call(arguments)
        if done.returncode != 0:
            raise SystemExit(
                f"outrigger {' '.join(arguments)}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return json.loads(done.stdout)

    def _is_listening(self):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.socket)
            except OSError:
                return False
        return True

    def _logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]
