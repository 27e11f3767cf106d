"""Makes fonts/*.ttf: Noto Sans cut down to Latin, Greek and Cyrillic, with signs of Noto Sans Math, and renamed.

    python3 scripts/subset-fonts.py FOLDER_OF_NOTO_SANS

It needs fontTools. On Debian: python3-fonttools, and fonts-noto-core for the fonts.

The family is renamed because "Noto" is a trademark, and so that a system's own Noto Sans is never taken instead.
"""

import sys
import tempfile
from pathlib import Path

from fontTools import merge, subset

FAMILY = "Aspectlens Sans"

# Unicode blocks: the three scripts with their extensions, accents, punctuation, currency, letterlike signs and shapes.
LETTERS = [
    *[(0x0020, 0x007E), (0x00A0, 0x052F), (0x1AB0, 0x1AFF), (0x1C80, 0x1C8F), (0x1D00, 0x1FFF), (0x2000, 0x218F)],
    *[(0x25A0, 0x25FF), (0x2C60, 0x2C7F), (0x2DE0, 0x2E7F), (0xA640, 0xA69F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F)],
    *[(0xFB00, 0xFB06), (0xFE20, 0xFE2F), (0xFFFD, 0xFFFD)],
]
# What Noto Sans has not, and names do: arrows and operators.
SIGNS = [(0x2190, 0x21FF), (0x2200, 0x22FF)]


def cut(source: Path, ranges: list[tuple[int, int]], target: Path) -> None:
    options = subset.Options()
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.drop_tables += ["MATH", "STAT"]
    options.layout_features = ["ccmp", "locl", "mark", "mkmk", "kern", "liga"]
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in ranges for code in range(first, last + 1)])
    subsetter.subset(font)
    font.save(str(target))


def make(noto: Path, style: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / "letters.ttf", Path(folder) / "signs.ttf"]
        cut(noto / f"NotoSans-{style}.ttf", LETTERS, parts[0])
        cut(noto / "NotoSansMath-Regular.ttf", SIGNS, parts[1])
        font = merge.Merger().merge([str(part) for part in parts])
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    names = {1: FAMILY, 2: style, 3: f"2.004;{postscript}", 4: f"{FAMILY} {style}", 6: postscript}
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    font.save(str(target))


out = Path(__file__).parent.parent / "fonts"
for style in ["Regular", "Bold"]:
    make(Path(sys.argv[1]), style, out / f"{FAMILY.replace(' ', '')}-{style}.ttf")
