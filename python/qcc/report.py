"""The report on a network."""

from __future__ import annotations

from .errors import Error


class Report(dict):
    """What was done and what came out, as docs/report.md describes it: a dictionary with `layers`, `totals`, `passes`, ..."""

    def to_pandas(self):
        """The layers as a pandas DataFrame, a row each, indexed by name."""
        try:
            import pandas
        except ImportError as e:
            raise Error("pandas is not installed", remedy="pip install pandas") from e
        frame = pandas.DataFrame(self["layers"])
        return frame.set_index("name") if len(frame) else frame
