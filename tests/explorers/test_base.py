"""What explorers share, as the browser gets it."""

import comm
import plotly.graph_objects as go
from comm.base_comm import BaseComm

from posebook.explorers.base import live


def test_a_live_figure_has_its_traces_and_layout_in_its_first_message(monkeypatch):
    """A page draws what the first message holds; plotly's own FigureWidget sends an empty figure first."""
    messages: list[tuple[str, dict]] = []

    class Recorded(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            messages.append((msg_type, data))

    monkeypatch.setattr(comm, "create_comm", lambda **arguments: Recorded(**arguments))
    figure = live(go.Figure([go.Scatter(y=[1, 2]), go.Scatter(y=[3])], layout={"height": 321}))
    opened = [data["state"] for kind, data in messages if kind == "comm_open" and "_widget_data" in data["state"]]
    assert len(opened) == 1
    assert [trace["type"] for trace in opened[0]["_widget_data"]] == ["scatter", "scatter"]
    assert opened[0]["_widget_layout"]["height"] == 321
    assert figure.comm is not None and len(figure.data) == 2
