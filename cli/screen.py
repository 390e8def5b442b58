"""What `minos up` shows: a small live table on a terminal while parts start, plain lines everywhere else."""

import sys
from typing import TYPE_CHECKING

from cli.supervisor import Report, State

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


class Screen:
    """Takes reports of parts and lines of text, and prints each at once, so that another program can read along."""

    def __init__(self) -> None:
        self._latest: dict[str, Report] = {}
        self._live: Live | None = None

    def open(self, names: tuple[str, ...]) -> None:
        """Begin the table on a terminal; elsewhere nothing."""
        if not sys.stdout.isatty():
            return
        from rich.live import Live

        self._latest = {name: Report(part=name, state=State.STARTING) for name in names}
        self._live = Live(self._table(), refresh_per_second=8)
        self._live.start()

    def close(self) -> None:
        """Leave the table as it is; from now on each report is a line."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            self._live.stop()
            self._live = None

    def part_from_typing(self) -> None:
        """Leave the line on which a terminal shows `^C`."""
        if sys.stdout.isatty():
            print(flush=True)

    def tell(self, report: Report) -> None:
        self._latest[report.part] = report
        if self._live is not None:
            self._live.update(self._table())
        elif line := _sentence(report):
            self.line(line)

    def line(self, text: str) -> None:
        print(text, flush=True)

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        colours = {State.RUNNING: "green", State.ENDED: "red", State.STARTING: "yellow", State.STOPPED: "dim"}
        for name, report in self._latest.items():
            took = f"{report.seconds:.2f} s" if report.state is State.RUNNING else ""
            pid = f"pid {report.pid}" if report.pid else ""
            table.add_row(name, f"[{colours[report.state]}]{report.state}[/]", took, pid, report.detail)
        return table


def _sentence(report: Report) -> str:
    match report.state:
        case State.RUNNING:
            pid = f", pid {report.pid}" if report.pid else ""
            return f"{report.part}: running ({report.seconds:.2f} s{pid})"
        case State.ENDED:
            lived = f" after {report.seconds:.1f} s" if report.seconds else ""
            return f"{report.part}: ended{lived}: {report.detail}; restarting" if lived else f"{report.part}: {report.detail}"
        case State.STOPPED:
            return f"{report.part}: stopped ({report.seconds:.2f} s)"
        case State.STARTING:
            return ""
