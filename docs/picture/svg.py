#!/usr/bin/env python3
"""Draws what a terminal shows: `tmux capture-pane -e -p | svg.py dark|light COLUMNS >picture.svg`.

Knows the sequences that tmux writes: colours, bold, dim, underlined, reversed.
"""

import html
import re
import sys
import unicodedata

CELL, LINE, SIZE, MARGIN = 8.4, 19, 14, 16

# Foreground, background, and the 16 colours that a terminal's theme decides on.
THEMES = {
    "dark": (
        "#d6deeb",
        "#11161d",
        "#3b4351 #ef6b73 #8ccf7e #e5c76b #6cb0f4 #c47fd5 #6cd0ca #d6deeb".split()
        + "#5c6675 #ff8a90 #a9e39c #f4dc8d #92c8ff #dca0ea #93e4df #ffffff".split(),
    ),
    "light": (
        "#24292f",
        "#ffffff",
        "#24292f #cf222e #116329 #b08800 #0969da #8250df #1b7c83 #6e7781".split()
        + "#57606a #a40e26 #1a7f37 #7d4e00 #218bff #a475f9 #3192aa #8c959f".split(),
    ),
}


def colour(number, theme):
    """The colour of this number, of 256."""
    if number < 16:
        return theme[2][number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    levels = [0, 95, 135, 175, 215, 255]
    red, green, blue = (number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6
    return f"#{levels[red]:02x}{levels[green]:02x}{levels[blue]:02x}"


def changed(style, codes, theme):
    """The style after a sequence."""
    style, codes = dict(style), [int(code or 0) for code in codes.split(";")]
    flags = {1: ("bold", True), 2: ("dim", True), 4: ("line", True), 7: ("reverse", True)}
    flags |= {24: ("line", False), 27: ("reverse", False)}
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = {}
        elif code == 22:
            style |= {"bold": False, "dim": False}
        elif code in flags:
            style |= dict([flags[code]])
        elif code in (38, 48):
            kind = codes.pop(0)
            if kind == 5:
                found = colour(codes.pop(0), theme)
            else:
                found = "#{:02x}{:02x}{:02x}".format(*codes[:3])
                del codes[:3]
            style["fg" if code == 38 else "bg"] = found
        elif code in (39, 49):
            style.pop("fg" if code == 39 else "bg", None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["fg"] = colour(code - 30 if code < 90 else code - 82, theme)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["bg"] = colour(code - 40 if code < 100 else code - 92, theme)
    return style


def width(text):
    """How many cells it takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def runs(lines, theme):
    """Text, style, column and row of what looks the same."""
    style = {}
    for row, line in enumerate(lines):
        column = 0
        for index, part in enumerate(re.split(r"\x1b\[([0-9;]*)m", line)):
            if index % 2:
                style = changed(style, part, theme)
            elif part:
                yield part, style, column, row
                column += width(part)


def main():
    theme, columns = THEMES[sys.argv[1]], int(sys.argv[2])
    lines = sys.stdin.read().rstrip("\n").split("\n")
    across, down = columns * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:.0f}" height="{down}" viewBox="0 0 {across:.0f} {down}">',
        f'<rect x=".5" y=".5" width="{across - 1:.0f}" height="{down - 1}" rx="8" fill="{theme[1]}" stroke="#8c959f66"/>',
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="{SIZE}"'
        f' fill="{theme[0]}" xml:space="preserve">',
    ]
    for text, style, column, row in runs(lines, theme):
        x, y, length = MARGIN + column * CELL, MARGIN + row * LINE, width(text) * CELL
        fg, bg = style.get("fg"), style.get("bg")
        if style.get("reverse"):
            fg, bg = bg or theme[1], fg or theme[0]
        if bg:
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{LINE}" fill="{bg}"/>')
        if not text.strip():
            continue
        looks = f' fill="{fg}"' if fg else ""
        looks += ' font-weight="bold"' if style.get("bold") else ""
        looks += ' opacity=".6"' if style.get("dim") else ""
        looks += ' text-decoration="underline"' if style.get("line") else ""
        out.append(f'<text x="{x:.1f}" y="{y + 14}" textLength="{length:.1f}"{looks}>{html.escape(text)}</text>')
    print("\n".join(out + ["</g>", "</svg>"]))


main()
