"""What a terminal shows of what programs print: lines drawn over, a cursor that moves, colours that do not matter."""

import re

_PIECE = re.compile(r"\x1b\[(?P<number>\d*)[\d;?]*(?P<what>[A-Za-z])|(?P<end>[\r\n])|(?P<text>[^\x1b\r\n]+)")


def shown(printed: str) -> str:
    """The lines that stand on the screen in the end."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(printed):
        if piece["end"] == "\n":
            row += 1
            if row == len(lines):
                lines.append("")
        elif piece["end"] == "\r":
            column = 0
        elif text := piece["text"]:
            line = lines[row].ljust(column)
            lines[row], column = line[:column] + text + line[column + len(text) :], column + len(text)
        elif piece["what"] == "A":
            row = max(0, row - int(piece["number"] or 1))
        elif piece["what"] == "K":
            lines[row] = "" if piece["number"] == "2" else lines[row][:column]
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")
