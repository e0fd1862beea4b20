"""Texts that a user writes and files, commands and pages hold: what none of them may contain."""

import re

_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TAG = re.compile(r"<[A-Za-z/!?]")


def text_problem(text: str) -> str:
    """Say what makes a text unfit for a path or a page.

    Snakemake writes parameters of rules into the script of its report as they are, where ``</script>`` ends it; a line
    break begins another paragraph of a caption, or another setting of a track hub.

    Parameters
    ----------
    text : str
        From a config or a sheet.

    Returns
    -------
    str
        What it holds and what to do; empty for a text that can stand anywhere.

    Examples
    --------
    >>> text_problem("p < 0.05 & more"), text_problem("a<b>bold</b>")
    ('', "holds '<b', which begins a tag of HTML; write a space behind '<', or leave it out")
    """
    if _BREAK.search(text):
        return "holds a line break or another control character; write it on one line"
    if tag := _TAG.search(text):
        return f"holds {tag[0]!r}, which begins a tag of HTML; write a space behind '<', or leave it out"
    return ""
