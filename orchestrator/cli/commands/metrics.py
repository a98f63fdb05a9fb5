"""`orchestrator metrics`"""

from orchestrator.cli.command import answer, asked, command, json_option, workspace
from orchestrator.cli.terminal import hand_over


@command("metrics")
@json_option
def metrics() -> None:
    """Print the numbers of the workspace, for Prometheus.

    Rows, bytes and runs of each flow, how long they took, how late they are; docs/reference/metrics.md lists them. Put
    it in a file for the textfile collector of node_exporter, or let `up --metrics` serve it.
    """
    from orchestrator.metrics.taking import Taking

    measures = Taking(workspace().paths)()
    if asked().json:
        answer(measures=measures)
        return
    from orchestrator.metrics.exposition import exposition

    hand_over(exposition(measures).encode())
